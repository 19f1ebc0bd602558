// The help of a command: one sentence, one example, then what it takes, grouped by what a person wants.

import type { Argument, Command, Option } from "commander";
import { say } from "#services/errors/say.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { columnsOf, padEnd, terminalColumns, wrap } from "./text.ts";

/** Flags wider than this get a line of their own. */
const maxTermColumns = 28;

export type HelpSource = { readonly path: string; readonly about: string; readonly example: string };

export function formatHelp(command: Command, source: HelpSource, lang: Lang): string {
  const parts = [
    wrap(source.about, terminalColumns).join("\n"),
    section(say(lang, "cli.example"), [`  ${source.example}`]),
    section(say(lang, "cli.usage"), [`  ${usageOf(command, source.path)}`]),
    ...listOf(
      say(lang, "cli.commands"),
      command.commands.map((sub) => [sub.name(), sub.description()]),
    ),
    ...groupsOf(command, lang).flatMap(([title, rows]) => listOf(title, rows)),
  ];
  if (command.parent === null) parts.push(say(lang, "cli.more"));
  return `${parts.join("\n\n")}\n`;
}

/** `granary explain ID|CODE [flags]` */
export function usageOf(command: Command, path: string): string {
  if (command.commands.length > 0) return `${path} COMMAND`;
  const args = command.registeredArguments.map((argument: Argument) =>
    argument.required ? ` ${argument.name()}` : ` [${argument.name()}]`,
  );
  return `${path}${args.join("")} [flags]`;
}

function section(title: string, lines: readonly string[]): string {
  return [title, ...lines].join("\n");
}

function groupsOf(command: Command, lang: Lang): [string, [string, string][]][] {
  const groups = new Map<string, [string, string][]>();
  for (const option of command.options.filter(({ hidden }) => !hidden)) {
    const title = option.helpGroupHeading ?? say(lang, "cli.options");
    const rows = groups.get(title) ?? [];
    groups.set(title, [...rows, [plainFlag(option), option.description]]);
  }
  return [...groups];
}

/** commander's `--listen <HOST:PORT>` as people write it. */
function plainFlag(option: Option): string {
  return option.flags.replace(/[<>]/g, "");
}

function listOf(title: string, rows: readonly (readonly [string, string])[]): string[] {
  if (rows.length === 0) return [];
  const column = Math.min(maxTermColumns, Math.max(...rows.map(([term]) => columnsOf(term))));
  const lines = rows.flatMap(([term, about]) => {
    const said = wrap(about, terminalColumns - column - 4);
    const isLong = columnsOf(term) > column;
    const first = isLong ? [`  ${term}`] : [`  ${padEnd(term, column)}  ${said[0] ?? ""}`];
    return [...first, ...(isLong ? said : said.slice(1)).map((line) => `${" ".repeat(column + 4)}${line}`)];
  });
  return [
    section(
      title,
      lines.map((line) => line.trimEnd()),
    ),
  ];
}
