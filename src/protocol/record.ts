// Records of the checksum database's log (x/mod sumdb/tlog ParseRecord): an id line, text lines, a blank line.
// A lookup answer is one record followed by a signed tree head.
//
//	1234
//	example.com/m v1.0.0 h1:…
//	example.com/m v1.0.0/go.mod h1:…

import { parseH1, type H1 } from "./dirhash.ts";
import { ProtocolError } from "./errors.ts";
import { isPlainText, parsePlainText } from "./plain-text.ts";

export type LogRecord = {
  /** Position in the log, from 0. */
  readonly id: number;
  /** What the log hashes: lines that end in a newline, none blank. */
  readonly text: string;
};

/** Hashes of one module version: of its zip and of its go.mod. */
export type Sums = { readonly zip?: H1; readonly mod?: H1 };

/** Real records hold two lines of a few hundred bytes; a path and a version are bounded well below this. */
export const maxRecordBytes = 64 * 1024;

/** Parses the record at the start of `bytes`; `rest` is what follows its blank line. BAD_RECORD otherwise. */
export function parseRecord(bytes: Uint8Array): LogRecord & { readonly rest: Uint8Array } {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const idEnd = raw.indexOf("\n");
  if (idEnd < 0 || idEnd > maxIdDigits) throw new ProtocolError("BAD_RECORD", "the record has no id");
  const id = parseId(raw.toString("latin1", 0, idEnd));
  const { text, rest } = splitText(raw.subarray(idEnd + 1));
  return { id, text, rest };
}

/** The bytes that parseRecord reads. Throws BAD_RECORD when `text` cannot be a record's. */
export function formatRecord({ id, text }: LogRecord): Uint8Array {
  checkText(text);
  return Buffer.from(`${id}\n${text}\n`);
}

/** Splits a lookup answer. Nothing in it is proven: open the note, then prove the record in its tree. */
export function parseLookup(bytes: Uint8Array): LogRecord & { readonly checkpointNote: Uint8Array } {
  const { id, text, rest } = parseRecord(bytes);
  return { id, text, checkpointNote: rest };
}

/** The texts of a data tile of `count` records: each followed by a blank line, nothing after the last. */
export function parseDataTile(bytes: Uint8Array, count: number): string[] {
  const texts: string[] = [];
  let rest = bytes;
  for (let i = 0; i < count; i++) {
    const next = splitText(Buffer.from(rest.buffer, rest.byteOffset, rest.length));
    texts.push(next.text);
    rest = next.rest;
  }
  if (rest.length > 0) throw new ProtocolError("BAD_RECORD", `bytes after the ${count} records of a data tile`);
  return texts;
}

export function formatDataTile(texts: readonly string[]): Uint8Array {
  texts.forEach(checkText);
  return Buffer.from(texts.map((text) => `${text}\n`).join(""));
}

/**
 * The hashes that a record's text names for one module version. Give it the authenticated text of a record and
 * nothing else: whatever follows the record in a lookup answer is not proven by the record's proof (GO-2026-6180).
 * Throws BAD_RECORD when the text has no line of the version (GO-2026-4984) or two that disagree.
 */
export function findSums(text: string, path: string, version: string): Sums {
  const zip = findSum(text, `${path} ${version} `);
  const mod = findSum(text, `${path} ${version}/go.mod `);
  if (zip === undefined && mod === undefined) {
    throw new ProtocolError("BAD_RECORD", `the record has no line for ${path}@${version}`);
  }
  return { ...(zip === undefined ? {} : { zip }), ...(mod === undefined ? {} : { mod }) };
}

/** Digits of 2^53. */
const maxIdDigits = 16;

function parseId(text: string): number {
  const id = /^(0|[1-9][0-9]*)$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(id)) throw new ProtocolError("BAD_RECORD", "malformed record id");
  return id;
}

function splitText(raw: Buffer): { text: string; rest: Uint8Array } {
  const end = raw.subarray(0, maxRecordBytes).indexOf("\n\n");
  const text = end < 0 ? undefined : parsePlainText(raw.subarray(0, end + 1));
  if (text === undefined) throw new ProtocolError("BAD_RECORD", "malformed record text");
  return { text, rest: raw.subarray(end + 2) };
}

function checkText(text: string): void {
  if (!text.endsWith("\n") || text.includes("\n\n") || text.length > maxRecordBytes || !isPlainText(text)) {
    throw new ProtocolError("BAD_RECORD", "the text cannot be a record's");
  }
}

/** Hashes of other algorithms are passed over, as `go` does. */
function findSum(text: string, prefix: string): H1 | undefined {
  const sums = text
    .split("\n")
    .filter((line) => line.startsWith(`${prefix}h1:`))
    .map((line) => parseSum(line.slice(prefix.length)));
  if (sums.some((sum) => sum !== sums[0])) throw new ProtocolError("BAD_RECORD", `two hashes for ${prefix.trimEnd()}`);
  return sums[0];
}

function parseSum(text: string): H1 {
  try {
    return parseH1(text);
  } catch (cause) {
    throw new ProtocolError("BAD_RECORD", "malformed hash in the record", { cause });
  }
}
