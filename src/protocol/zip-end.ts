// The end of a zip: the end-of-central-directory record and its ZIP64 form (APPNOTE.TXT 4.3.14–4.3.16). The rules by
// which Go finds them (archive/zip readDirectoryEnd) are kept, so that both look at the same directory.

import { badZip, uint16, uint32, uint64, viewOf } from "./zip-bytes.ts";
import type { ByteSource, ZipWarning } from "./zip-bytes.ts";

export type DirectoryEnd = {
  /** Added to every offset: not 0 when bytes were put before the zip. */
  readonly base: number;
  /** Where the directory starts, counted from the start of the source. */
  readonly directoryStart: number;
  readonly directorySize: number;
  /** How many entries are announced; without ZIP64 only its low 16 bits are meant. */
  readonly records: number;
  readonly zip64: boolean;
};

const endSignature = 0x06054b50;
const endBytes = 22;
const locatorSignature = 0x07064b50;
const locatorBytes = 20;
const end64Signature = 0x06064b50;
const end64Bytes = 56;
export const directoryHeaderSignature = 0x02014b50;

/** How far back Go looks: the record and the longest comment, and a little more. */
const searchedBytes = 65 * 1024;

export function readDirectoryEnd(source: ByteSource, warnings: Set<ZipWarning>): DirectoryEnd {
  const offset = findEnd(source, warnings);
  const view = viewOf(new Uint8Array(source.read(offset, endBytes)));
  const short = { records: uint16(view, 10), size: uint32(view, 12), start: uint32(view, 16) };
  const end = readEnd64(source, offset, short, warnings) ?? { ...short, at: offset, zip64: false };
  const base = findBase(source, end);
  const directoryStart = base + end.start;
  if (directoryStart < 0 || directoryStart + end.size > end.at) throw badZip("directory lies outside the file");
  if (base !== 0) warnings.add("prepended");
  if (directoryStart + end.size !== end.at) warnings.add("gap");
  return { base, directoryStart, directorySize: end.size, records: end.records, zip64: end.zip64 };
}

/** The last end record whose comment fits. Like Go, a last one with a comment cut short ends the search. */
function findEnd(source: ByteSource, warnings: Set<ZipWarning>): number {
  const length = Math.min(source.size, searchedBytes);
  const start = source.size - length;
  const view = viewOf(source.read(start, length));
  for (let i = length - endBytes; i >= 0; i--) {
    if (uint32(view, i) !== endSignature) continue;
    const comment = uint16(view, i + 20);
    const trailing = length - endBytes - i - comment;
    if (trailing < 0) throw badZip("comment is cut short");
    if (comment > 0) warnings.add("comment");
    if (trailing > 0) warnings.add("trailing");
    return start + i;
  }
  throw badZip("no end record");
}

type RawEnd = {
  readonly records: number;
  readonly size: number;
  readonly start: number;
  /** Where the record that tells this begins: the directory ends there. */
  readonly at: number;
  readonly zip64: boolean;
};

function readEnd64(
  source: ByteSource,
  endOffset: number,
  short: { records: number; size: number; start: number },
  warnings: Set<ZipWarning>,
): RawEnd | undefined {
  const at = findEnd64(source, endOffset);
  if (at === undefined) return undefined;
  // Go compares the 32-bit directory size with 16 ones; kept, so that both look at the same directory.
  const needed = short.records === 0xffff || short.size === 0xffff || short.start === 0xffff_ffff;
  if (!needed) {
    warnings.add("zip64");
    return undefined;
  }
  if (at + end64Bytes > source.size) throw badZip("ZIP64 end record lies outside the file");
  const view = viewOf(source.read(at, end64Bytes));
  if (uint32(view, 0) !== end64Signature) throw badZip("malformed ZIP64 end record");
  return { records: uint64(view, 32), size: uint64(view, 40), start: uint64(view, 48), at, zip64: true };
}

/** Where the ZIP64 end record is said to be; undefined when no locator stands before the end record. */
function findEnd64(source: ByteSource, endOffset: number): number | undefined {
  const offset = endOffset - locatorBytes;
  if (offset < 0) return undefined;
  const view = viewOf(source.read(offset, locatorBytes));
  const ours = uint32(view, 0) === locatorSignature && uint32(view, 4) === 0 && uint32(view, 16) === 1;
  return ours ? uint64(view, 8) : undefined;
}

/** What must be added to offsets. Go prefers 0 when a directory header stands where the offset says. */
function findBase(source: ByteSource, end: RawEnd): number {
  const base = end.at - end.size - end.start;
  if (base <= 0 || end.start + 4 > source.size) return base;
  const found = uint32(viewOf(source.read(end.start, 4)), 0);
  return found === directoryHeaderSignature ? 0 : base;
}
