// Inflating one entry of an opened zip, never beyond the size it declares.

import { crc32 } from "node:zlib";

import { InflateError, threadInflater } from "./inflate.ts";
import type { Inflater } from "./inflate.ts";
import { badZip } from "./zip-bytes.ts";
import type { ByteSource, ZipWarning } from "./zip-bytes.ts";
import type { ZipEntry } from "./zip-local.ts";

const descriptorFlag = 0x0008;

/** Chunk of a stored entry, so that memory stays bounded whatever one declares. */
const chunkBytes = 256 * 1024;

/**
 * Hands the bytes of an entry to `take`, in chunks that are valid until it returns; entries up to 256 KiB come in one.
 * Throws BAD_ZIP when they are more or fewer than declared, are no deflate stream, or fail their CRC-32 (which Go, and
 * so we, do not compare when it is 0 and no data descriptor confirms it): what was taken before counts for nothing then.
 */
export function readEntry(
  source: ByteSource,
  entry: ZipEntry,
  use: {
    readonly take: (chunk: Uint8Array) => void;
    readonly warnings?: Set<ZipWarning>;
    readonly inflater?: Inflater;
  },
): void {
  const { take, warnings, inflater = threadInflater() } = use;
  let size = 0;
  let sum = 0;
  const taken = (chunk: Uint8Array): void => {
    size += chunk.length;
    sum = crc32(chunk, sum);
    take(chunk);
  };
  if (entry.method === 0) readStored(source, entry, taken);
  else if (inflate(source, entry, { inflater, take: taken }) < entry.compressedSize) warnings?.add("garbage");
  if (size !== entry.size) throw badZip(`${JSON.stringify(entry.name)} has ${size} of ${entry.size} declared bytes`);
  if (sum === entry.crc32) return;
  if (entry.crc32 !== 0 || (entry.flags & descriptorFlag) !== 0) {
    throw badZip(`checksum of ${JSON.stringify(entry.name)} does not match`);
  }
  warnings?.add("no-checksum");
}

/** What is stored is as long as it was declared: the headers were compared when the zip was opened. */
function readStored(source: ByteSource, entry: ZipEntry, take: (chunk: Uint8Array) => void): void {
  const end = entry.dataOffset + entry.compressedSize;
  for (let offset = entry.dataOffset; offset < end; offset += chunkBytes) {
    take(source.read(offset, Math.min(chunkBytes, end - offset)));
  }
}

/** Returns how many bytes the stream has. */
function inflate(
  source: ByteSource,
  entry: ZipEntry,
  { inflater, take }: { readonly inflater: Inflater; readonly take: (chunk: Uint8Array) => void },
): number {
  try {
    const range = { offset: entry.dataOffset, length: entry.compressedSize, maxBytes: entry.size };
    return inflater.inflate(source, range, take);
  } catch (cause) {
    if (!(cause instanceof InflateError)) throw cause;
    throw badZip(`${JSON.stringify(entry.name)} (${entry.size} bytes declared) does not inflate: ${cause.message}`, {
      cause,
    });
  }
}
