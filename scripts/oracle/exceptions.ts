// Where our answer may differ from x/mod's, each case with its reason. Everything else is a difference.

import { isDeepStrictEqual } from "node:util";

import { maxSignatures } from "#protocol/note.ts";
import { maxKeyLength } from "#protocol/note-key.ts";
import { maxTreeSize } from "#protocol/tlog.ts";
import { bytesOf, isRefused } from "./answers.ts";
import type { Vector } from "./answers.ts";

export type Difference = Vector & { readonly ours: unknown };

type Exception = {
  readonly reason: string;
  readonly covers: (difference: Difference) => boolean;
};

/** Reasons of checkModuleZip for zips with two readings. */
const polyglot =
  /local header of .* has another|is encrypted|overlaps another entry|descriptor of .* has (?:another|other)/;

/** Go never looks at the header of a directory entry, so it may say anything there. */
const directoryEntry = /go\.mod is a directory|\/" (?:has two sizes|has unsupported method|is cut short)/;

const exceptions: Record<string, readonly Exception[]> = {
  gomod: [
    {
      reason: "go.mod: bytes that are no UTF-8 may become fewer U+FFFD than they are, as the Encoding Standard says",
      covers: ({ o, ours }) => isDeepStrictEqual(foldInvalid(ours), foldInvalid(o)),
    },
  ],
  record: [
    {
      reason: "record: an id is spelled as x/mod's FormatRecord writes it and fits a JavaScript number",
      covers: ({ i, o, ours }) =>
        o !== null &&
        typeof o === "object" &&
        ours === null &&
        !isIndex(textOf(i).split("\n", 1)[0], Number.MAX_SAFE_INTEGER),
    },
  ],
  "tree-text": [
    {
      reason: "tree head: no tree has more than 2^52 records",
      covers: ({ o, ours }) => ours === null && Array.isArray(o) && !isIndex(String(o[0]), maxTreeSize),
    },
  ],
  verifier: [
    {
      reason: "verifier key: longer than any key",
      covers: ({ i, ours }) => ours === null && (i as string).length > maxKeyLength,
    },
  ],
  note: [
    {
      reason: "note: one with more than 100 signatures is refused before any is checked",
      covers: ({ i, o, ours }) => o === "unproven" && ours === null && signatureLines(i) > maxSignatures,
    },
  ],
  "tile-path": [
    {
      reason: "tile path: no tree has tiles of that level or index",
      covers: ({ o, ours }) => {
        const { level, index } = o as { level: number; index: number };
        return ours === null && (level > 63 || index > maxTreeSize);
      },
    },
  ],
  zip: [
    {
      reason: "zip: two readings",
      covers: ({ o, ours }) => isRefused(ours) && hasHash(o) && polyglot.test(ours.reason),
    },
    {
      reason: "zip: a directory entry that lies, or is called go.mod",
      covers: ({ o, ours }) => isRefused(ours) && hasHash(o) && directoryEntry.test(ours.reason),
    },
  ],
};

/** The reason why this difference is meant, or undefined. */
export function exceptionFor(difference: Difference): string | undefined {
  return exceptions[difference.k]?.find(({ covers }) => covers(difference))?.reason;
}

function foldInvalid(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer).replace(/\ufffd+/g, "\ufffd"));
}

function isIndex(text: string | undefined, max: number): boolean {
  return text !== undefined && /^(?:0|[1-9][0-9]*)$/.test(text) && Number(text) <= max;
}

function textOf(input: unknown): string {
  return Buffer.from(bytesOf(input)).toString("latin1");
}

function signatureLines(input: unknown): number {
  const text = Buffer.from(bytesOf((input as { msg: unknown }).msg)).toString();
  return text.slice(text.lastIndexOf("\n\n") + 2).split("\n").length - 1;
}

function hasHash(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "h1" in answer;
}
