// `granary env scopes`: a matrix of variables and contexts, then each value with its places, then what is wrong with it.

import { say } from "#services/errors/say.ts";
import { count } from "#services/errors/sentences.ts";
import { cellOf } from "#services/environment/scopes.ts";
import type { Placed, ScopeRow } from "#services/environment/scopes.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { jsonFlag, printJson, textOption } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import type { ScopesView } from "./env-setup-types.ts";
import { findingJson, findingsText } from "./findings.ts";
import type { CliContext, CliIo } from "./services.ts";
import { exit } from "./services.ts";
import { harmless, mark, table, terminalColumns, wrap } from "./text.ts";

export const envScopesCommand: CommandSpec = {
  name: "scopes",
  about: "command.env.scopes",
  example: "granary env scopes --unit app.service",
  flags: [
    { flag: "--unit FILE", about: "flag.env-unit", isList: true },
    { flag: "--dir DIR", about: "flag.env-dir" },
    jsonFlag,
  ],
  run: async ({ options }, context) => {
    const setup = await context.services.envSetup();
    const units = Array.isArray(options["unit"]) ? (options["unit"] as readonly string[]) : [];
    const view = await setup.scopes({ dir: textOption({ options }, "dir") ?? ".", units });
    if (options["json"] === true) printJson(context, "granary.env-scopes/1", scopesJson(view, context.io));
    else context.io.stdout(scopesText(view, context));
    return view.findings.some(({ severity }) => severity !== "info") ? exit.findings : exit.ok;
  },
};

function scopesText({ rows, kinds, files, unread, findings }: ScopesView, { io }: CliContext): string {
  const used = kinds.filter((kind) => rows.some((row) => cellOf(row, kind) !== ""));
  const skip = mark("skip", io.isUtf8);
  const head = ["", ...used.map((scope) => say(io.lang, "env-scopes.kind", { scope }))];
  const cells = rows.map((row) => [harmless(row.name), ...used.map((kind) => cellOf(row, kind) || skip)]);
  const parts = [
    rows.length === 0 ? `${say(io.lang, "env-scopes.none")}\n` : table([head, ...cells]),
    ...rows.map(valuesText),
    findings.length === 0 ? "" : findingsText(findings, io),
    unread
      .map((each) => `${say(io.lang, "env-scopes.unread", each)}\n`)
      .map(harmlessLine)
      .join(""),
    `${wrap(verdict(rows, files.length, findings.length, io), terminalColumns).join("\n")}\n`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function harmlessLine(line: string): string {
  return `${harmless(line.trimEnd())}\n`;
}

function valuesText({ name, values }: ScopeRow): string {
  const lines = values.flatMap(({ letter, value, places }) => [
    `  ${letter}  ${value === "" ? '""' : withoutCredentials(value)}`,
    ...wrap(places.map(placeText).join(", "), terminalColumns - 5).map((line) => `     ${line}`),
  ]);
  return [name, ...lines].map((line) => `${harmless(line)}\n`).join("");
}

function placeText({ file, line, part, scope }: Placed): string {
  const place = line > 0 ? `${file}:${line}` : file;
  return part === "" || scope === "unit" ? place : `${place} (${part})`;
}

function verdict(rows: readonly ScopeRow[], files: number, findings: number, { lang }: CliIo): string {
  const fields = {
    variables: count(rows.length),
    files: count(files),
    findings: count(findings),
    isClean: findings === 0,
  };
  return say(lang, "env-scopes.verdict", fields);
}

function scopesJson({ kinds, rows, files, unread, findings }: ScopesView, io: CliIo): object {
  const cells = (row: ScopeRow): Readonly<Record<string, string>> => {
    const all = kinds.map((kind) => [kind, cellOf(row, kind)] as const);
    return Object.fromEntries(all.filter(([, cell]) => cell !== ""));
  };
  const variables = rows.map((row) => ({
    name: row.name,
    contexts: cells(row),
    values: row.values.map(({ letter, value, places }) => ({
      letter,
      value: withoutCredentials(value),
      places: places.map(({ scope, file, line, part, kind, isMaybe, isLiteral }) => ({
        scope,
        file,
        line,
        ...(part !== "" && { part }),
        kind,
        isMaybe,
        isLiteral,
      })),
    })),
  }));
  return { contexts: kinds, variables, files, unread, findings: findings.map((finding) => findingJson(finding, io)) };
}
