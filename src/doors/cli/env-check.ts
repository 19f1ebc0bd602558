// `granary env check`: what the project asks for beside what is.

import { say } from "#services/errors/say.ts";
import { hookOf } from "#services/environment/direnv.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { jsonFlag, printJson } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import type { CheckRow, CheckView } from "./env-setup-types.ts";
import { findingJson, findingsText } from "./findings.ts";
import type { CliIo } from "./services.ts";
import { exit } from "./services.ts";
import { columnsOf, harmless, mark, table, terminalColumns } from "./text.ts";

export const envCheckCommand: CommandSpec = {
  name: "check",
  about: "command.env.check",
  example: "granary env check",
  args: ["[DIR]"],
  flags: [jsonFlag],
  run: async ({ args, options }, context) => {
    const { io } = context;
    const setup = await context.services.envSetup();
    const view = await setup.check(args[0] ?? ".");
    if (options["json"] === true) printJson(context, "granary.env-check/1", checkJson(view, io));
    else io.stdout(checkText(view, io));
    return view.findings.length === 0 ? exit.ok : exit.findings;
  },
};

function checkText({ rows, unknown, goroot, findings }: CheckView, io: CliIo): string {
  if (rows.length === 0 && unknown.length === 0 && findings.length === 0) return `${say(io.lang, "env-check.none")}\n`;
  // The rows say it already.
  const others = findings.filter(({ code }) => code !== "SCOPE_WISH_UNMET");
  const parts = [
    rowsText(rows, io),
    goroot === undefined ? "" : `GOROOT  ${harmless(goroot)}\n`,
    unknown
      .map(({ name, value, file, line }) => {
        const fields = { name, value: withoutCredentials(value), place: `${file}:${line}` };
        return `${harmless(say(io.lang, "env-check.unknown", fields))}\n`;
      })
      .join(""),
    others.length === 0 ? "" : findingsText(others, io),
    hookText(findings, io),
    `${verdict(rows, io)}\n`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

/** A table; what is too wide for the terminal has wish and truth below each other. */
function rowsText(rows: readonly CheckRow[], io: CliIo): string {
  if (rows.length === 0) return "";
  const [what = "", wish = "", is = "", where = ""] = say(io.lang, "env-check.columns").split("\t");
  const cells = rows.map((row) => cellsOf(row, io));
  const wide = table([["", what, wish, is, where], ...cells]);
  if (wide.split("\n").every((line) => columnsOf(line) <= terminalColumns)) return wide;
  return table(
    cells.flatMap(([sign = "", name = "", asked = "", actual = "", place = ""]) => [
      [sign, name, wish, asked],
      ["", "", is, actual],
      ["", "", where, place],
    ]),
  );
}

function cellsOf({ name, wish, actual, isMet, place }: CheckRow, io: CliIo): string[] {
  const text = (value: string): string => (value === "" ? "-" : withoutCredentials(value));
  const is = actual === undefined ? say(io.lang, "env-check.no-go") : text(actual);
  const sign = mark(isMet ? "ok" : "fail", io.isUtf8);
  return [sign, name === "go" ? "go version" : name, text(wish), is, place].map(harmless);
}

/** The line for the user's own shell, when it is the hook that is missing. */
function hookText(findings: CheckView["findings"], io: CliIo): string {
  const state = findings.find(({ code }) => code === "SCOPE_DIRENV_OFF")?.fields["state"];
  const hook = hookOf(io.shell);
  if (hook === undefined || (state !== "not-hooked" && state !== "not-installed")) return "";
  return `${say(io.lang, "env.hook", hook)}\n`;
}

function verdict(rows: readonly CheckRow[], { lang }: CliIo): string {
  const unmet = rows.filter(({ isMet }) => !isMet).map(({ name }) => name);
  return say(lang, "env-check.verdict", { unmet, count: rows.length });
}

function checkJson({ dir, rows, unknown, goroot, findings }: CheckView, io: CliIo): object {
  const hidden = <T extends { readonly wish: string; readonly actual?: string | undefined }>(row: T): T => ({
    ...row,
    wish: withoutCredentials(row.wish),
    ...(row.actual !== undefined && { actual: withoutCredentials(row.actual) }),
  });
  return {
    dir,
    goroot,
    rows: rows.map(hidden),
    unknown: unknown.map((wish) => ({ ...wish, value: withoutCredentials(wish.value) })),
    findings: findings.map((finding) => findingJson(finding, io)),
  };
}
