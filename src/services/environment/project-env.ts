// The variables a project's files set, worked out without running them: what `env shell` starts a shell with.

import { exportLine } from "#services/findings/fix.ts";
import type { Shell } from "#services/findings/shell.ts";
import { isGoVariable } from "./assignment.ts";
import { toolchainOf } from "./own-block.ts";
import type { Values } from "./profiles.ts";
import { variablesOf, wishesOf } from "./wishes.ts";
import type { ProjectTexts, Wish } from "./wishes.ts";

export type ProjectEnv = { readonly values: Values; readonly unknown: readonly Wish[] };

/**
 * Literal values as they are, and those with `$NAME` and `${NAME}` alone from `env`; what needs a shell is left out and
 * said. A version that is asked for becomes GOTOOLCHAIN: go fetches it through GOPROXY and verifies it.
 */
export function projectEnv(texts: ProjectTexts, env: Readonly<Record<string, string | undefined>>): ProjectEnv {
  const { wishes, unknown } = wishesOf(texts);
  const values: Record<string, string> = {};
  const version = wishes.find(({ name }) => name === "go");
  if (version !== undefined) values["GOTOOLCHAIN"] = toolchainOf(version.value);
  const left = new Set(unknown.map(({ name }) => name));
  for (const { name, value, isMaybe, isLiteral } of variablesOf(texts)) {
    if (!isGoVariable(name) || (isMaybe && version !== undefined && name === "GOTOOLCHAIN")) continue;
    const worked = isMaybe ? undefined : isLiteral ? value : expand(value, { ...env, ...values });
    if (worked === undefined) continue;
    values[name] = worked;
    left.delete(name);
  }
  return { values, unknown: unknown.filter(({ name }) => left.has(name)) };
}

export type ShellStart = {
  readonly command: readonly string[];
  /** What is to stand in `rcFile`; undefined when the shell needs none. */
  readonly rc: string | undefined;
  /** Our values are set after the shell's own files, which may set them again. */
  readonly isLast: boolean;
};

/** How a shell is started so that the values hold in it. bash (by `rcFile`) and fish take them after their own files. */
export function shellStart(program: string, values: Values, rcFile: string): ShellStart {
  const name = /([^/\\]+?)(?:\.exe)?$/.exec(program)?.[1];
  const lines = (shell: Shell): string[] => Object.entries(values).map(([key, value]) => exportLine(key, value, shell));
  if (name === "bash") {
    const rc = ["[ -f ~/.bashrc ] && . ~/.bashrc", ...lines("bash"), ""].join("\n");
    return { command: [program, "--rcfile", rcFile], rc, isLast: true };
  }
  if (name === "fish") return { command: [program, "-C", lines("fish").join("; ")], rc: undefined, isLast: true };
  return { command: [program], rc: undefined, isLast: name !== "zsh" };
}

function expand(value: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const whole = value.replace(/\$(?:(\w+)|\{(\w+)\})/g, (_, plain?: string, braced?: string) => {
    return (env[plain ?? braced ?? ""] ?? "").replaceAll("$", "\0");
  });
  // Whatever is left of the shell's own marks needs the shell.
  return /[$`~]/.test(whole) ? undefined : whole.replaceAll("\0", "$");
}
