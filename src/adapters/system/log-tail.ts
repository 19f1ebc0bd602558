// The end of a log, of a file or of standard input: as much as is worth reading, however long the rest is.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";

/** Text of the last `maxBytes` bytes. PowerShell writes UTF-16; its mark tells. Throws what reading throws. */
export async function readTail(file: string, maxBytes: number): Promise<string> {
  if (file === "-") return decode(await lastOf(process.stdin, maxBytes));
  const found = await stat(file);
  const { size } = found;
  // A pipe, and what the kernel makes up, have no size and can be read only once.
  if (!found.isFile() || size === 0) return decode(await lastOf(createReadStream(file), maxBytes));
  const head = await lastOf(createReadStream(file, { end: 1 }), 2);
  // Both halves of a UTF-16 unit stay together.
  const over = Math.max(0, size - maxBytes);
  const start = over - (over % 2);
  const bytes = await lastOf(createReadStream(file, { start, end: size - 1 }), size - start);
  return isWide(head) ? bytes.toString("utf16le") : bytes.toString("utf8");
}

async function lastOf(stream: Readable, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    pieces.push(piece);
    size += piece.length;
    while (pieces.length > 1 && size - (pieces[0]?.length ?? 0) >= maxBytes) size -= pieces.shift()?.length ?? 0;
  }
  return Buffer.concat(pieces).subarray(-maxBytes);
}

function decode(bytes: Buffer): string {
  return isWide(bytes) ? bytes.toString("utf16le") : bytes.toString("utf8");
}

function isWide(bytes: Buffer): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xfe;
}
