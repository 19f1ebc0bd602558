// Local headers: each must tell the same story as the directory, and no byte may belong to two entries. Otherwise one
// zip has two readings, or a small file inflates for ever (overlap bombs).

import { badZip, uint16, uint32, viewOf } from "./zip-bytes.ts";
import type { ByteSource, ZipWarning } from "./zip-bytes.ts";
import type { DirectoryEnd } from "./zip-end.ts";
import type { DeclaredEntry } from "./zip-directory.ts";

const localHeaderSignature = 0x04034b50;
const localHeaderBytes = 30;
const descriptorSignature = 0x08074b50;
const max32 = 0xffff_ffff;

const encryptedFlag = 0x0001;
const descriptorFlag = 0x0008;

/** Bits: symlink in the Unix mode's file type. */
const fileTypeMask = 0o170000;
const symlinkType = 0o120000;

/** Deflate cannot expand by more than 1032; a larger promise is a lie, known without inflating. */
const maxRatio = 1032;

/** One entry of a zip, as the central directory declares it and its local header confirms. */
export type ZipEntry = Omit<DeclaredEntry, "nameBytes"> & {
  /** Where its (compressed) bytes start. */
  readonly dataOffset: number;
};

/** Adds to each entry where its bytes start; throws BAD_ZIP when headers disagree or ranges overlap. */
export function locateEntries(
  source: ByteSource,
  end: DirectoryEnd,
  declared: readonly DeclaredEntry[],
  warnings: Set<ZipWarning>,
): ZipEntry[] {
  const order = declared.map((_, index) => index);
  const offsetOf = (index: number): number => declared[index]?.headerOffset ?? 0;
  order.sort((a, b) => offsetOf(a) - offsetOf(b));
  const located = new Array<ZipEntry>(declared.length);
  let free = Math.max(0, end.base);
  for (const index of order) {
    const entry = declared[index];
    if (!entry) continue;
    if (entry.headerOffset < free) throw badZip(`${quote(entry.name)} overlaps another entry or lies outside the file`);
    if (entry.headerOffset > free) warnings.add("gap");
    const found = locate(source, end, entry, warnings);
    located[index] = found.entry;
    free = found.end;
  }
  if (free < end.directoryStart) warnings.add("gap");
  return located;
}

function locate(
  source: ByteSource,
  end: DirectoryEnd,
  entry: DeclaredEntry,
  warnings: Set<ZipWarning>,
): { entry: ZipEntry; end: number } {
  checkDeclared(entry, warnings);
  const limit = end.directoryStart;
  const headerEnd = entry.headerOffset + localHeaderBytes + entry.nameBytes.length;
  if (headerEnd > limit) throw badZip(`header of ${quote(entry.name)} lies outside the file`);
  const header = source.read(entry.headerOffset, headerEnd - entry.headerOffset);
  const view = viewOf(header);
  checkLocalHeader(header, view, entry);
  const dataOffset = headerEnd + uint16(view, 28);
  const dataEnd = dataOffset + entry.compressedSize;
  const hasDescriptor = (entry.flags & descriptorFlag) !== 0;
  const rangeEnd = hasDescriptor ? checkDescriptor(source, entry, { dataEnd, limit }) : dataEnd;
  if (rangeEnd > limit) throw badZip(`${quote(entry.name)} is cut short`);
  const { name, validName, method, flags, crc32, compressedSize, size, headerOffset, mode } = entry;
  const located = { name, validName, method, flags, crc32, compressedSize, size, headerOffset, mode, dataOffset };
  return { entry: located, end: rangeEnd };
}

function checkDeclared(entry: DeclaredEntry, warnings: Set<ZipWarning>): void {
  if ((entry.flags & encryptedFlag) !== 0) throw badZip(`${quote(entry.name)} is encrypted`);
  if (entry.method !== 0 && entry.method !== 8) {
    throw badZip(`${quote(entry.name)} has unsupported method ${entry.method}`);
  }
  if (entry.method === 0 && entry.compressedSize !== entry.size) throw badZip(`${quote(entry.name)} has two sizes`);
  if (entry.size > entry.compressedSize * maxRatio) {
    throw badZip(`${quote(entry.name)} declares more bytes than its data can hold`);
  }
  if ((entry.mode & fileTypeMask) === symlinkType) warnings.add("symlink");
}

function checkLocalHeader(header: Uint8Array, view: DataView, entry: DeclaredEntry): void {
  const differs = (what: string): Error => badZip(`local header of ${quote(entry.name)} has another ${what}`);
  if (uint32(view, 0) !== localHeaderSignature) throw badZip(`no local header for ${quote(entry.name)}`);
  const flags = uint16(view, 6);
  if ((flags & encryptedFlag) !== 0) throw badZip(`${quote(entry.name)} is encrypted`);
  if ((flags & descriptorFlag) !== (entry.flags & descriptorFlag)) throw differs("data descriptor flag");
  if (uint16(view, 8) !== entry.method) throw differs("method");
  if (uint16(view, 26) !== entry.nameBytes.length) throw differs("name");
  if (Buffer.compare(header.subarray(localHeaderBytes), entry.nameBytes) !== 0) throw differs("name");
  // Zeros mean "in the data descriptor", all ones mean "in the ZIP64 field".
  const deferred = (flags & descriptorFlag) !== 0;
  const agrees = (value: number, declared: number): boolean =>
    value === declared || (deferred && value === 0) || value === max32;
  if (!agrees(uint32(view, 14), entry.crc32)) throw differs("checksum");
  if (!agrees(uint32(view, 18), entry.compressedSize)) throw differs("compressed size");
  if (!agrees(uint32(view, 22), entry.size)) throw differs("size");
}

/** Checks the data descriptor after the data and returns where it ends. Signature and 64-bit sizes are optional. */
function checkDescriptor(source: ByteSource, entry: DeclaredEntry, at: { dataEnd: number; limit: number }): number {
  const length = Math.min(24, at.limit - at.dataEnd);
  if (length < 12) throw badZip(`${quote(entry.name)} is cut short`);
  const view = viewOf(source.read(at.dataEnd, length));
  const start = uint32(view, 0) === descriptorSignature && length >= 16 ? 4 : 0;
  if (uint32(view, start) !== entry.crc32) throw badZip(`data descriptor of ${quote(entry.name)} has another checksum`);
  if (uint32(view, start + 4) === entry.compressedSize && uint32(view, start + 8) === entry.size) {
    return at.dataEnd + start + 12;
  }
  const isWide =
    length >= start + 20 &&
    view.getBigUint64(start + 4, true) === BigInt(entry.compressedSize) &&
    view.getBigUint64(start + 12, true) === BigInt(entry.size);
  if (!isWide) throw badZip(`data descriptor of ${quote(entry.name)} has other sizes`);
  return at.dataEnd + start + 20;
}

function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}
