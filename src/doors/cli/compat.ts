// `granary compat athens`: what another proxy's configuration means here, without starting. `serve --compat athens` prints
// the same and starts.

import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { jsonFlag, printJson, textOption } from "./command.ts";
import type { Call, CommandFlag, CommandSpec } from "./command.ts";
import type { CompatReport, CompatRequest, CompatRow } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, terminalColumns, wrap } from "./text.ts";

/** As Athens itself writes it: `-config_file=/config/config.toml`. */
export const compatFlags: readonly CommandFlag[] = [{ flag: "--config_file FILE", about: "flag.compat-file" }];

/** Undefined when nobody's place is taken. Throws GRANARY_BAD_FLAG for a program that is not known. */
export function readCompat(call: Call, from: "serve" | "compat"): CompatRequest | undefined {
  const peer = from === "compat" ? "athens" : textOption(call, "compat");
  const file = textOption(call, "config_file");
  if (peer === undefined && file === undefined) return undefined;
  if (peer !== "athens")
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--compat", value: peer ?? "", accepted: "athens" });
  return { peer, file };
}

const athens: CommandSpec = {
  name: "athens",
  about: "command.compat.athens",
  example: "granary compat athens -config_file=/etc/athens/config.toml",
  settings: "all",
  flags: [...compatFlags, jsonFlag],
  run: async (call, context) => {
    const { io, services } = context;
    const { report } = await services.compat({ peer: "athens", ...readCompat(call, "compat") }, call.settings);
    if (call.options["json"] === true) printJson(context, "granary.compat/1", report);
    else io.stdout(compatText(report, io.lang));
    return report.rows.some(({ kind }) => kind === "refused") ? exit.findings : exit.ok;
  },
};

export const compatCommand: CommandSpec = {
  name: "compat",
  about: "command.compat",
  example: "granary compat athens",
  commands: [athens],
  singleDash: true,
};

/** The table for people: what is mapped, line by line; what is ignored, by reason. */
export function compatText(report: CompatReport, lang: Lang): string {
  const { rows, file } = report;
  const of = <K extends CompatRow["kind"]>(kind: K) =>
    rows.filter((row): row is Extract<CompatRow, { readonly kind: K }> => row.kind === kind);
  const parts = [
    [say(lang, "compat.file", { file: file ?? "" })],
    of("mapped").flatMap((row) => mappedLines(row, lang)),
    section(say(lang, "compat.ignored"), byReason(of("ignored"))),
    section(
      say(lang, "compat.unknown"),
      of("unknown").flatMap((row) => unknownLines(row, lang)),
    ),
    section(say(lang, "compat.refused"), of("refused").flatMap(refusedLines)),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.map(harmless).join("\n")}\n`)
    .join("\n")}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function mappedLines(row: Extract<CompatRow, { readonly kind: "mapped" }>, lang: Lang): string[] {
  const origin = row.origin === "default" ? say(lang, "compat.default") : row.origin;
  const lines = [`  ${row.key} (${origin})`, `    → ${row.setting} = ${row.value}`];
  if (row.overriddenBy !== undefined) lines.push(`    ${say(lang, "compat.overridden", { origin: row.overriddenBy })}`);
  return row.note === undefined ? lines : [...lines, ...indented(row.note)];
}

function byReason(rows: readonly Extract<CompatRow, { readonly kind: "ignored" }>[]): string[] {
  const keys = new Map<string, string[]>();
  for (const { key, reason } of rows) keys.set(reason, [...(keys.get(reason) ?? []), key]);
  return [...keys].flatMap(([reason, names]) => [...wrap(names.join(", "), width).map(inset), ...indented(reason)]);
}

function unknownLines(
  { key, origin, nearest }: Extract<CompatRow, { readonly kind: "unknown" }>,
  lang: Lang,
): string[] {
  const guess = nearest === undefined ? "" : ` ${say(lang, "compat.nearest", { nearest })}`;
  return [`  ${key} (${origin})${guess}`];
}

function refusedLines({ key, origin, reason }: Extract<CompatRow, { readonly kind: "refused" }>): string[] {
  return [`  ${key} (${origin})`, ...indented(reason)];
}

const width = terminalColumns - 4;

function inset(line: string): string {
  return `  ${line}`;
}

function indented(text: string): string[] {
  return wrap(text, width).map((line) => `    ${line}`);
}
