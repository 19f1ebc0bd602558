// Writing a module zip of any size with little memory, to a place that can be written at any position. The bytes are
// those of writeModuleZip(): what is larger than a piece is deflated as it comes, and stored when that is no smaller.

import { crc32, createDeflateRaw, deflateRawSync } from "node:zlib";
import type { DeflateRaw } from "node:zlib";

import { directoryHeader, endRecord, localHeader, maxPlainFiles } from "./_zip-headers.ts";
import type { PackedEntry } from "./_zip-headers.ts";
import { badZip } from "./zip-bytes.ts";
import { maxZipBytes } from "./zip-check.ts";
import { ZipNames, zipPrefix } from "./zip-names.ts";

export type StreamedFile = {
  /** Relative to the module root. */
  readonly name: string;
  readonly size: number;
  /** Its bytes from the first on, each time it is called; a chunk is the caller's own. */
  readonly chunks: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
};

/** Where a zip is written. */
export interface ZipTarget {
  /** Writes all of `bytes`, at most where the bytes written so far end. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Cuts off what was written from `size` on. */
  truncate(size: number): Promise<void>;
}

/** Files up to this size are packed in memory, in one call. */
const maxWholeBytes = 1024 * 1024;

/**
 * Writes the zip of a module and resolves to its size. Throws BAD_ZIP for names or sizes that the go command would
 * refuse, and for a file that is not as long as its size says.
 */
export async function streamModuleZip(
  id: { readonly path: string; readonly version: string },
  files: readonly StreamedFile[],
  target: ZipTarget,
): Promise<number> {
  const directory: Buffer[] = [];
  let position = 0;
  const sorted = sortFiles(zipPrefix(id), files);
  for (const file of sorted) {
    const packed = await (file.size > maxWholeBytes ? packLarge : packWhole)(file, { target, position });
    directory.push(directoryHeader(packed, position));
    position += localHeader(packed).length + packed.packedSize;
    if (position > maxZipBytes) throw badZip("zip is too large");
  }
  const directoryBytes = Buffer.concat(directory);
  const end = endRecord(sorted.length, directoryBytes.length, position);
  const size = position + directoryBytes.length + end.length;
  if (size > maxZipBytes) throw badZip("zip is too large");
  await target.write(Buffer.concat([directoryBytes, end]), position);
  await target.truncate(size);
  return size;
}

type NamedFile = Omit<StreamedFile, "name"> & { readonly name: Buffer };
type Place = { readonly target: ZipTarget; readonly position: number };

function sortFiles(prefix: string, files: readonly StreamedFile[]): NamedFile[] {
  if (files.length > maxPlainFiles) throw badZip(`more than ${maxPlainFiles} files`);
  const names = new ZipNames(prefix);
  let total = 0;
  const sorted = files.map(({ name, size, chunks }) => {
    const problem = name === "" || name.endsWith("/") ? { reason: "a directory is no file" } : names.add(prefix + name);
    if (problem !== undefined) throw badZip(`${JSON.stringify(name)}: ${problem.reason}`);
    total += size;
    return { name: Buffer.from(prefix + name), size, chunks };
  });
  if (total > maxZipBytes) throw badZip("files are too large together");
  return sorted.sort((a, b) => Buffer.compare(a.name, b.name));
}

async function packWhole(file: NamedFile, { target, position }: Place): Promise<PackedEntry> {
  const pieces: Uint8Array[] = [];
  const crc = await eachChunk(file, (chunk) => void pieces.push(chunk));
  const content = Buffer.concat(pieces);
  const deflated = deflateRawSync(content);
  const isDeflated = deflated.length < content.length;
  const data = isDeflated ? deflated : content;
  const packed = { name: file.name, isDeflated, crc, size: file.size, packedSize: data.length };
  await target.write(Buffer.concat([localHeader(packed), data]), position);
  return packed;
}

/** The header is written twice: how long its file becomes is known at the end. */
async function packLarge(file: NamedFile, { target, position }: Place): Promise<PackedEntry> {
  const unknown = { name: file.name, isDeflated: true, crc: 0, size: file.size, packedSize: 0 };
  const header = localHeader(unknown);
  await target.write(header, position);
  const start = position + header.length;
  const deflated = await deflateTo(file, { target, position: start });
  const packed =
    deflated.packedSize < file.size
      ? { ...unknown, ...deflated }
      : { ...unknown, crc: await storeTo(file, { target, position: start }), isDeflated: false, packedSize: file.size };
  await target.write(localHeader(packed), position);
  return packed;
}

async function deflateTo(file: NamedFile, { target, position }: Place): Promise<{ crc: number; packedSize: number }> {
  const deflate = createDeflateRaw();
  const feed = async (): Promise<number> => {
    const crc = await eachChunk(file, async (chunk) => {
      // Its reader has given up: nobody would ever drain it.
      if (deflate.destroyed) throw badZip("not written");
      if (!deflate.write(chunk)) await drained(deflate);
    });
    deflate.end();
    return crc;
  };
  const fed = feed();
  // A failure of the source ends the loop below, which throws it; it is awaited there.
  fed.catch((error: unknown) => deflate.destroy(error instanceof Error ? error : new Error(String(error))));
  let packedSize = 0;
  for await (const bytes of deflate as AsyncIterable<Uint8Array>) {
    await target.write(bytes, position + packedSize);
    packedSize += bytes.length;
  }
  return { crc: await fed, packedSize };
}

/** Resolves when it takes more, or never will. */
async function drained(deflate: DeflateRaw): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      deflate.off("drain", done).off("close", done);
      resolve();
    };
    deflate.on("drain", done).on("close", done);
  });
}

async function storeTo(file: NamedFile, { target, position }: Place): Promise<number> {
  let at = position;
  return await eachChunk(file, async (chunk) => {
    await target.write(chunk, at);
    at += chunk.length;
  });
}

/** Hands on the file's chunks, never more than it declares, and resolves to its CRC-32. */
async function eachChunk(file: NamedFile, take: (chunk: Uint8Array) => void | Promise<void>): Promise<number> {
  let size = 0;
  let sum = 0;
  const changed = (): Error => badZip(`${JSON.stringify(String(file.name))} changed while it was read`);
  for await (const chunk of file.chunks()) {
    size += chunk.length;
    if (size > file.size) throw changed();
    sum = crc32(chunk, sum);
    await take(chunk);
  }
  if (size < file.size) throw changed();
  return sum;
}
