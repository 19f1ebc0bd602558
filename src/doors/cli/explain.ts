import { describe, explainCode, isGranaryCode } from "#services/errors/catalogue.ts";
import type { GranaryCode } from "#services/errors/codes.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { say } from "#services/errors/say.ts";
import { findingKind } from "#services/findings/catalogue.ts";
import type { FindingKind } from "#services/findings/finding.ts";
import { jsonFlag, printJson } from "./command.ts";
import type { CommandSpec } from "./command.ts";
import type { CliContext, RememberedError } from "./services.ts";
import { exit } from "./services.ts";
import { mythJson, mythText } from "./myths.ts";
import { terminalColumns, wrap } from "./text.ts";

export const explainCommand: CommandSpec = {
  name: "explain",
  about: "command.explain",
  example: "granary explain GRANARY_SUMDB_MISMATCH",
  args: ["ID|CODE"],
  settings: ["listen"],
  flags: [jsonFlag],
  run: async ({ args, options, settings }, context) => {
    const [asked = ""] = args;
    const code = asked.toUpperCase();
    const finding = findingKind(code);
    if (finding !== undefined) return explainFinding(code, finding, { json: options["json"] === true, context });
    if (code.startsWith("MYTH_")) return await explainMyth(code, { json: options["json"] === true, context });
    const remembered = isGranaryCode(code) ? undefined : await context.services.lookUp(asked, settings);
    if (!isGranaryCode(code) && remembered === undefined)
      throw new GranaryError("GRANARY_NO_SUCH_ID", {
        kind: asked.startsWith("GRANARY_") ? "code" : "request",
        id: asked,
      });
    const found = remembered?.error.code ?? (code as GranaryCode);
    if (options["json"] === true)
      printJson(context, "granary.explain/1", {
        code: found,
        ...explainCode(found, context.io.lang),
        ...toJson(asked, remembered),
      });
    else context.io.stdout(inWords(found, { asked, remembered }, context));
    return exit.ok;
  },
};

function toJson(id: string, remembered: RememberedError | undefined): object {
  if (remembered === undefined) return {};
  return { request: { id, at: remembered.at, target: remembered.target, fields: remembered.error.fields } };
}

function inWords(
  code: GranaryCode,
  from: { asked: string; remembered: RememberedError | undefined },
  { io }: CliContext,
): string {
  const { cause, remedy } = explainCode(code, io.lang);
  const lines: string[] = [code];
  if (from.remembered !== undefined) {
    const { at, target, error } = from.remembered;
    lines.push(say(io.lang, "explain.request", { id: from.asked, at, target }), ...describe(error, io.lang));
  }
  for (const [title, text] of [
    [say(io.lang, "explain.cause"), cause],
    [say(io.lang, "explain.remedy"), remedy],
  ] as const)
    lines.push("", title, ...wrap(text, terminalColumns - 2).map((line) => `  ${line}`));
  return `${lines.join("\n")}\n`;
}

async function explainMyth(code: string, { json, context }: { json: boolean; context: CliContext }): Promise<number> {
  const { io, services } = context;
  const found = (await services.myths()).find((one) => one.code === code);
  if (found === undefined) throw new GranaryError("GRANARY_NO_SUCH_ID", { kind: "code", id: code });
  if (json) printJson(context, "granary.explain/1", mythJson(found, io.lang));
  else io.stdout(mythText(found, io));
  return exit.ok;
}

function explainFinding(
  code: string,
  { severity, page, text }: FindingKind<never>,
  { json, context }: { json: boolean; context: CliContext },
): number {
  const { io } = context;
  const { why, advice } = text[io.lang];
  if (json) printJson(context, "granary.explain/1", { code, severity, why, advice, page: `docs/${page}` });
  else {
    const parts: (readonly [string, string])[] = [[say(io.lang, "explain.cause"), why]];
    if (advice !== undefined) parts.push([say(io.lang, "explain.remedy"), advice]);
    const lines = parts.flatMap(([title, words]) => [
      "",
      title,
      ...wrap(words, terminalColumns - 2).map((line) => `  ${line}`),
    ]);
    io.stdout(`${[code, ...lines, "", `docs/${page}`].join("\n")}\n`);
  }
  return exit.ok;
}
