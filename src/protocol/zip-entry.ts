// Inflating one entry of an opened zip, never beyond the size it declares.

import { crc32, createInflateRaw, inflateRawSync } from "node:zlib";
import type { InflateRaw } from "node:zlib";

import { badZip } from "./zip-bytes.ts";
import type { ByteSource, ZipWarning } from "./zip-bytes.ts";
import type { ZipEntry } from "./zip-local.ts";

const descriptorFlag = 0x0008;

/** Entries up to this size are inflated in one call: most files of modules are smaller, and what it leaves behind is little. */
const maxWholeBytes = 128 * 1024;

/** Chunk of everything larger, so that memory stays bounded whatever an entry declares. */
const chunkBytes = 64 * 1024;

/**
 * The bytes of an entry in chunks; throws BAD_ZIP when they are more or fewer than declared, are no deflate stream, or
 * fail their CRC-32 (which Go, and so we, do not compare when it is 0 and no data descriptor confirms it). A chunk is
 * valid until the next one is asked for; until the end the source belongs to this reading.
 */
export async function* readEntry(
  source: ByteSource,
  entry: ZipEntry,
  warnings?: Set<ZipWarning>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  let sum = 0;
  for await (const chunk of inflate(source, entry, warnings)) {
    size += chunk.length;
    if (size > entry.size) throw tooLarge(entry);
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (size !== entry.size) throw badZip(`${JSON.stringify(entry.name)} has ${size} of ${entry.size} declared bytes`);
  if (sum === entry.crc32) return;
  if (entry.crc32 !== 0 || (entry.flags & descriptorFlag) !== 0) {
    throw badZip(`checksum of ${JSON.stringify(entry.name)} does not match`);
  }
  warnings?.add("no-checksum");
}

function inflate(
  source: ByteSource,
  entry: ZipEntry,
  warnings: Set<ZipWarning> | undefined,
): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (entry.method === 0) return slices(source, entry);
  // Deflated data may legally be longer than what it holds, but not by much: the rest is streamed.
  const whole = entry.size <= maxWholeBytes && entry.compressedSize <= 2 * maxWholeBytes;
  return whole ? inflateWhole(source, entry, warnings) : inflateStream(source, entry, warnings);
}

function* slices(source: ByteSource, entry: ZipEntry): Generator<Uint8Array, void, undefined> {
  const end = entry.dataOffset + entry.compressedSize;
  for (let offset = entry.dataOffset; offset < end; offset += chunkBytes) {
    yield source.read(offset, Math.min(chunkBytes, end - offset));
  }
}

function inflateWhole(source: ByteSource, entry: ZipEntry, warnings: Set<ZipWarning> | undefined): Uint8Array[] {
  const data = source.read(entry.dataOffset, entry.compressedSize);
  // One byte more than declared, so that a longer stream shows without a second buffer.
  const options = { chunkSize: Math.max(64, entry.size + 1), maxOutputLength: Math.max(1, entry.size), info: true };
  try {
    const { buffer, engine } = inflateRawSync(data, options) as unknown as { buffer: Uint8Array; engine: InflateRaw };
    if (engine.bytesWritten < entry.compressedSize) warnings?.add("garbage");
    return [buffer];
  } catch (error) {
    throw inflateError(entry, error);
  }
}

async function* inflateStream(
  source: ByteSource,
  entry: ZipEntry,
  warnings: Set<ZipWarning> | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const engine = createInflateRaw({ chunkSize: chunkBytes });
  try {
    feed(source, entry, engine);
    for await (const chunk of engine) yield chunk as Uint8Array;
    if (engine.bytesWritten < entry.compressedSize) warnings?.add("garbage");
  } catch (error) {
    throw inflateError(entry, error);
  } finally {
    engine.destroy();
  }
}

/** Writes the compressed bytes, each chunk when the one before was taken. */
function feed(source: ByteSource, entry: ZipEntry, engine: InflateRaw): void {
  const end = entry.dataOffset + entry.compressedSize;
  const step = (offset: number): void => {
    if (engine.destroyed) return;
    if (offset >= end) {
      engine.end();
      return;
    }
    const length = Math.min(chunkBytes, end - offset);
    // No copy: the engine is done with these bytes when it asks for more, and nobody reads the source meanwhile.
    engine.write(source.read(offset, length), (error) => {
      if (!error) attempt(offset + length);
    });
  };
  // Runs as a callback of the engine, where a throw would reach nobody.
  const attempt = (offset: number): void => {
    try {
      step(offset);
    } catch (error) {
      engine.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  attempt(entry.dataOffset);
}

function inflateError(entry: ZipEntry, cause: unknown): Error {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ERR_BUFFER_TOO_LARGE") return tooLarge(entry);
  if (typeof code === "string" && code.startsWith("Z_")) {
    return badZip(`${JSON.stringify(entry.name)} does not inflate`, { cause });
  }
  // Not the data's fault: the source failed, or the consumer.
  return cause instanceof Error ? cause : new Error(String(cause));
}

function tooLarge(entry: ZipEntry): Error {
  return badZip(
    `uncompressed size of file ${JSON.stringify(entry.name)} is larger than declared size (${entry.size} bytes)`,
  );
}
