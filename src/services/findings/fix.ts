// What would mend a finding, as data: doctor can show it, and apply it when asked; people can paste it.

import { quoteFor } from "./shell.ts";
import type { Shell } from "./shell.ts";

export type Fix =
  /** `go env -w`; an empty value is `go env -u`. */
  | { readonly kind: "set"; readonly values: Readonly<Record<string, string>> }
  /** Variables of this terminal, or of a unit or a CI job: nothing that a command of ours can keep. */
  | { readonly kind: "export"; readonly values: Readonly<Record<string, string>> }
  /** A command of this system. */
  | { readonly kind: "run"; readonly argv: readonly string[]; readonly asRoot?: true }
  /** One line of a file; without `after` it is to be removed. */
  | {
      readonly kind: "edit";
      readonly file: string;
      readonly line: number;
      readonly before: string;
      readonly after?: string;
    };

/** Lines to paste, for the shell; an edit is shown as a small diff. */
export function fixLines(fix: Fix, shell: Shell): readonly string[] {
  switch (fix.kind) {
    case "set":
      return setLines(fix.values, shell);
    case "export":
      return Object.entries(fix.values).map(([name, value]) => exportLine(name, value, shell));
    case "run":
      return [
        (fix.asRoot === true && shell !== "cmd" && shell !== "powershell" ? "sudo " : "") + words(fix.argv, shell),
      ];
    case "edit":
      return [`${fix.file}:${fix.line}`, `- ${fix.before}`, ...(fix.after === undefined ? [] : [`+ ${fix.after}`])];
  }
}

/** How a shell sets a variable for what it starts; an empty value takes it away. */
export function exportLine(name: string, value: string, shell: Shell): string {
  const quoted = quoteFor(shell, value);
  switch (shell) {
    case "fish":
      return value === "" ? `set -e ${name}` : `set -gx ${name} ${quoted}`;
    case "powershell":
      // A bare word on the right side would be run as a command.
      return value === "" ? `Remove-Item Env:${name}` : `$env:${name} = '${value.replaceAll("'", "''")}'`;
    case "cmd":
      return value === "" ? `set ${name}=` : `set "${name}=${value}"`;
    case "bash":
    case "zsh":
      return value === "" ? `unset ${name}` : `export ${name}=${quoted}`;
  }
}

function setLines(values: Readonly<Record<string, string>>, shell: Shell): string[] {
  const all = Object.entries(values);
  const given = all.filter(([, value]) => value !== "");
  const taken = all.filter(([, value]) => value === "");
  return [
    ...(given.length === 0
      ? []
      : [words(["go", "env", "-w", ...given.map(([name, value]) => `${name}=${value}`)], shell)]),
    ...(taken.length === 0 ? [] : [words(["go", "env", "-u", ...taken.map(([name]) => name)], shell)]),
  ];
}

function words(argv: readonly string[], shell: Shell): string {
  return argv.map((word) => quoteFor(shell, word)).join(" ");
}
