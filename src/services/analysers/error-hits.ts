// Lines become hits: which code a line has, and what it says. What a server wrote below an error is its own story and is
// not read as go's, but for our own codes.

import type { Said } from "#services/findings/go-said.ts";
import type { GoCode } from "#services/findings/go.ts";
import type { LogLine } from "./error-lines.ts";
import type { ErrorPattern } from "./error-pattern.ts";
import { subjectOf } from "./error-subject.ts";
import { answerPatterns } from "./patterns-answers.ts";
import { modulePatterns } from "./patterns-modules.ts";
import { networkPatterns } from "./patterns-network.ts";
import { settingPatterns } from "./patterns-settings.ts";

export type Hit = { readonly code: GoCode; readonly said: Said; readonly line: LogLine };

/** Values stand in titles of one line. */
const maxValueChars = 80;
/** A mismatch has its hashes in the next two lines; module graphs explain themselves in a few more. */
const linesBelow = 6;

/** In this order: a name that fails explains an import path that is not found, and both stand in one line. */
export const errorPatterns: readonly ErrorPattern[] = [
  ...answerPatterns.slice(0, 1),
  ...networkPatterns,
  ...answerPatterns.slice(1),
  ...settingPatterns,
  ...modulePatterns,
];

const literals = [...new Set(errorPatterns.map(({ find }) => find))];
/** One look at a line tells whether any pattern can fit; nearly no line of a log has any. */
const anyLiteral = new RegExp(literals.map((find) => RegExp.escape(find)).join("|"), "u");
/** What a tree of probes answers is no failure of a command. */
const probe = /^# get \S+: (?:200|404|410) /;

/** The place of the pattern that names this line, or -1. `below`: the lines that belong to it. */
export function patternOf(text: string, below: readonly string[]): number {
  if (!anyLiteral.test(text) || probe.test(text)) return -1;
  return errorPatterns.findIndex(
    (pattern) =>
      text.includes(pattern.find) &&
      (pattern.as?.test(text) ?? true) &&
      (pattern.below === undefined || below.some((each) => pattern.below?.test(each))),
  );
}

/** What the line at this place says, or undefined. */
export function hitAt(lines: readonly LogLine[], at: number): Hit | undefined {
  const line = lines[at];
  if (line === undefined) return undefined;
  const below = lines.slice(at + 1, at + 1 + linesBelow).map(({ text }) => text);
  const pattern = errorPatterns[patternOf(line.text, below)];
  return pattern === undefined ? undefined : { code: pattern.code, said: saidOf(pattern, line.text, below), line };
}

/** Our own code in a line of a server's answer. */
export function granaryHit(line: LogLine, above: Hit | undefined): Hit | undefined {
  const value = /\bGRANARY_[A-Z0-9_]{3,60}\b/.exec(line.text)?.[0];
  if (value === undefined) return undefined;
  return { code: "GO_GRANARY_ANSWER", said: { what: "", host: "", ...above?.said, value }, line };
}

function saidOf(pattern: ErrorPattern, text: string, below: readonly string[]): Said {
  const subject = subjectOf(text);
  const read = pattern.as?.exec(text)?.groups;
  const readBelow = below.map((each) => pattern.below?.exec(each)?.groups).find((groups) => groups !== undefined);
  const dialled = read?.["host"] ?? readBelow?.["host"];
  // A name has many addresses; who was asked is the name.
  const asked = subject.host !== "" && isAddress(dialled ?? "") ? subject.host : dialled;
  const cut = (value: string | undefined, otherwise: string): string =>
    value === undefined || value === "" ? otherwise : value.slice(0, maxValueChars);
  return {
    what: cut(read?.["what"] ?? readBelow?.["what"], subject.what),
    host: cut(pattern.isBetween === true ? read?.["host"] : asked, pattern.isBetween === true ? "" : subject.host),
    value: cut(read?.["value"] ?? readBelow?.["value"], pattern.value ?? "").trim(),
  };
}

function isAddress(host: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?$/.test(host) || host.startsWith("[");
}
