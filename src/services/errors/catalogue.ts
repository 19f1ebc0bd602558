// From a failure to the lines a person reads.
//
//   GRANARY_NOT_FOUND: example.com/m@v9.9.9 does not exist.
//   official said: not found: unknown revision v9.9.9
//   Check path and version. More: granary explain 7f3c21

import { Buffer } from "node:buffer";
import type { GranaryCode } from "./codes.ts";
import type { GranaryError } from "./granary-error.ts";
import type { Entry, Lang, Sentences } from "./sentences.ts";
import { en } from "./en.ts";
import { zhCN } from "./zh-cn.ts";
import { quoteFields } from "./quote.ts";

export const catalogues: Readonly<Record<Lang, Sentences<GranaryCode>>> = { en, "zh-CN": zhCN };

/** Every code, in the order of the documents. */
export const granaryCodes: readonly GranaryCode[] = Object.keys(en) as GranaryCode[];

export function isGranaryCode(text: string): text is GranaryCode {
  return Object.hasOwn(en, text);
}

/** `go` shows at most 8 lines and 648 bytes of an answer, and nothing when one line is longer (cmd/go/internal/web). */
export const maxLines = 8;
export const maxBytes = 600;

// Quotes shrink step by step until everything fits; the last step always does (the tests try every code).
const quoteSteps = [240, 120, 80, 60, 48, 36, 24, 16, 10, 5, 2];
const maxListItems = 4;

/**
 * The lines of an answer: the code first, at most maxLines lines and maxBytes bytes, no blank line, no control
 * character. `requestId` is what `granary explain` will be asked for.
 */
export function render(error: GranaryError, lang: Lang, requestId: string = error.code): string[] {
  let lines: string[] = [];
  for (const max of quoteSteps) {
    lines = withCode(error.code, describe(error, lang, max), { lang, requestId: requestId.slice(0, 40) });
    if (fits(lines)) break;
  }
  return lines;
}

/** The sentences alone, for a terminal: no code, quotes up to `maxQuote` characters. */
export function describe(error: GranaryError, lang: Lang, maxQuote = 400): string[] {
  const entry = catalogues[lang][error.code] as Entry<GranaryCode>;
  const lines = entry.lines(quoteFields(error.fields, maxQuote, maxListItems));
  return lines.map((line) => line.trim()).filter((line) => line !== "");
}

function withCode(code: GranaryCode, said: readonly string[], more: { lang: Lang; requestId: string }): string[] {
  const [first = "", ...rest] = said;
  const colon = more.lang === "en" ? ": " : "：";
  const hint =
    more.lang === "en" ? ` More: granary explain ${more.requestId}` : `详情：granary explain ${more.requestId}`;
  const lines = [`${code}${colon}${first}`, ...rest];
  return [...lines.slice(0, -1), `${lines.at(-1) ?? ""}${hint}`];
}

function fits(lines: readonly string[]): boolean {
  return lines.length <= maxLines && Buffer.byteLength(lines.join("\n"), "utf8") <= maxBytes;
}

/** What `granary explain CODE` says. */
export function explainCode(code: GranaryCode, lang: Lang): { readonly cause: string; readonly remedy: string } {
  const { cause, remedy } = catalogues[lang][code];
  return { cause, remedy };
}
