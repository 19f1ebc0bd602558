// go.sum and go.work.sum (cmd/go modfetch.readGoSum): one hash a line, of a version's zip or of its go.mod.
//
//	golang.org/x/text v0.3.0 h1:…
//	golang.org/x/text v0.3.0/go.mod h1:…

import { ProtocolError } from "./errors.ts";
import { fields } from "./space.ts";
import { checkModuleVersion, type ModuleVersion } from "./version.ts";

export type GoSumLine = {
  /** From 1. */
  readonly line: number;
  readonly id: ModuleVersion;
  readonly file: "zip" | "mod";
  /** As written, of whatever algorithm; go ignores those that it does not know. */
  readonly hash: string;
};

export type GoSum = {
  readonly lines: readonly GoSumLine[];
  /** Lines that go would stop at, or never find anything by. */
  readonly malformed: readonly { readonly line: number; readonly reason: string }[];
};

/** A million lines. */
export const maxGoSumBytes = 128 * 1024 * 1024;

/** What go before 1.11 wrote for a missing go.mod; go has skipped it since (modfetch.emptyGoModHash). */
const emptyGoModHash = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=";

/** Reads all of it, whatever is wrong with single lines. */
export function parseGoSum(text: string): GoSum {
  const lines: GoSumLine[] = [];
  const malformed: { line: number; reason: string }[] = [];
  for (const [at, raw] of text.split("\n").entries()) {
    const words = fields(raw);
    if (words.length === 0) continue;
    try {
      const parsed = parseWords(words);
      if (parsed.hash !== emptyGoModHash) lines.push({ line: at + 1, ...parsed });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      malformed.push({ line: at + 1, reason: error.message });
    }
  }
  return { lines, malformed };
}

function parseWords(words: readonly string[]): Omit<GoSumLine, "line"> {
  const [path = "", written = "", hash = "", more] = words;
  if (hash === "" || more !== undefined) throw new ProtocolError("BAD_GOSUM", "not of the form: path version h1:hash");
  const version = written.replace(/\/go\.mod$/, "");
  if (!/^h[0-9]+:./.test(hash)) throw new ProtocolError("BAD_GOSUM", `${JSON.stringify(hash)} is not a hash`);
  return { id: checkModuleVersion(path, version), file: version === written ? "zip" : "mod", hash };
}
