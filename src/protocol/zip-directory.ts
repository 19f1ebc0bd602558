// The central directory of a zip: what its entries are said to be (APPNOTE.TXT 4.3.12, Go's archive/zip
// readDirectoryHeader). Nothing here is confirmed by the local headers yet.

import { badZip, uint16, uint32, uint64, viewOf } from "./zip-bytes.ts";
import type { ByteSource } from "./zip-bytes.ts";
import { directoryHeaderSignature } from "./zip-end.ts";
import type { DirectoryEnd } from "./zip-end.ts";

/** An entry known from the central directory only. */
export type DeclaredEntry = {
  /** Decoded name; when it is not UTF-8, with replacement characters (see `validName`). */
  readonly name: string;
  readonly validName: boolean;
  readonly nameBytes: Uint8Array;
  readonly method: number;
  readonly flags: number;
  readonly crc32: number;
  readonly compressedSize: number;
  /** Declared size after inflating, in bytes. */
  readonly size: number;
  /** Where its local header starts, counted from the start of the source. */
  readonly headerOffset: number;
  /** Unix mode bits when made on Unix, otherwise 0. */
  readonly mode: number;
};

const directoryHeaderBytes = 46;
const zip64ExtraId = 0x0001;
const max32 = 0xffff_ffff;

/** All entries in the order of the directory. */
export function readDirectory(source: ByteSource, end: DirectoryEnd, maxEntries: number): DeclaredEntry[] {
  // A copy, because the source may reuse its bytes while names are still views of them.
  const bytes = new Uint8Array(source.read(end.directoryStart, end.directorySize));
  const view = viewOf(bytes);
  const entries: DeclaredEntry[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    if (entries.length === maxEntries) throw badZip(`more than ${maxEntries} entries`);
    const [entry, next] = readDirectoryHeader({ bytes, view }, offset, end.base);
    entries.push(entry);
    offset = next;
  }
  checkCount(source, end, entries.length);
  return entries;
}

/**
 * Go reads headers until one is malformed, whatever the directory's size says, and compares the count modulo 65536.
 * Here size and count must both agree, so there is only one way to read the directory.
 */
function checkCount(source: ByteSource, end: DirectoryEnd, count: number): void {
  if ((count & 0xffff) !== (end.records & 0xffff)) throw badZip(`${count} entries, ${end.records} announced`);
  if (end.zip64 && count !== end.records) throw badZip(`${count} entries, ${end.records} announced`);
  const after = end.directoryStart + end.directorySize;
  if (after + 4 > source.size) return;
  if (viewOf(source.read(after, 4)).getUint32(0, true) === directoryHeaderSignature) {
    throw badZip("directory continues beyond its size");
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

type Directory = { readonly bytes: Uint8Array; readonly view: DataView };

function readDirectoryHeader({ bytes, view }: Directory, offset: number, base: number): [DeclaredEntry, number] {
  if (bytes.length - offset < directoryHeaderBytes) throw badZip("directory is cut short");
  if (uint32(view, offset) !== directoryHeaderSignature) throw badZip("malformed directory header");
  const nameEnd = offset + directoryHeaderBytes + uint16(view, offset + 28);
  const extraEnd = nameEnd + uint16(view, offset + 30);
  const next = extraEnd + uint16(view, offset + 32);
  if (next > bytes.length) throw badZip("directory is cut short");
  const nameBytes = bytes.subarray(offset + directoryHeaderBytes, nameEnd);
  const numbers = readNumbers(view, offset, bytes.subarray(nameEnd, extraEnd));
  const madeOnUnix = uint16(view, offset + 4) >>> 8 === 3;
  const entry = {
    ...decodeName(nameBytes),
    nameBytes,
    flags: uint16(view, offset + 8),
    method: uint16(view, offset + 10),
    crc32: uint32(view, offset + 16),
    compressedSize: numbers.compressedSize,
    size: numbers.size,
    headerOffset: numbers.headerOffset + base,
    mode: madeOnUnix ? uint32(view, offset + 38) >>> 16 : 0,
  };
  return [entry, next];
}

function decodeName(bytes: Uint8Array): { name: string; validName: boolean } {
  try {
    return { name: decoder.decode(bytes), validName: true };
  } catch {
    return { name: lenientDecoder.decode(bytes), validName: false };
  }
}

type Numbers = { size: number; compressedSize: number; headerOffset: number };

/** The two sizes and the offset; each that is all ones stands in the ZIP64 extra field, in this order. */
function readNumbers(view: DataView, offset: number, extra: Uint8Array): Numbers {
  const [size, compressedSize] = [uint32(view, offset + 24), uint32(view, offset + 20)];
  const numbers = { size, compressedSize, headerOffset: uint32(view, offset + 42) };
  if (extra.length === 0) return numbers;
  const wide = zip64Extra(extra);
  if (!wide) return numbers;
  let used = 0;
  for (const field of ["size", "compressedSize", "headerOffset"] as const) {
    if (numbers[field] !== max32) continue;
    if (wide.length < used + 8) throw badZip("ZIP64 field is cut short");
    numbers[field] = uint64(viewOf(wide), used);
    used += 8;
  }
  return numbers;
}

/** The body of the ZIP64 extra field. A second one is refused: readers differ in which they take. */
function zip64Extra(extra: Uint8Array): Uint8Array | undefined {
  const view = viewOf(extra);
  let found: Uint8Array | undefined;
  let offset = 0;
  while (extra.length - offset >= 4) {
    const id = uint16(view, offset);
    const end = offset + 4 + uint16(view, offset + 2);
    if (end > extra.length) break;
    if (id === zip64ExtraId) {
      if (found) throw badZip("two ZIP64 fields in one entry");
      found = extra.subarray(offset + 4, end);
    }
    offset = end;
  }
  return found;
}
