// A module's zip as the zip of another module of the same content: every name gets another prefix, and what was packed
// is copied as it is. The hash is that of the new names, as if the files had been packed under them.
//
//   new.corp/x/foo@v1.0.0/a.go   ->   old.corp/x/foo@v1.0.0/a.go

import { directoryHeader, endRecord, localHeader, maxPlainEntries } from "./_zip-headers.ts";
import { badZip, uint16, viewOf } from "./zip-bytes.ts";
import type { ByteSource } from "./zip-bytes.ts";
import { readDirectory } from "./zip-directory.ts";
import { readDirectoryEnd } from "./zip-end.ts";
import { maxZipEntries } from "./zip.ts";

/** Reads from a file that does not change: exactly `length` bytes. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

/** Bytes to write, or a range of the old zip to copy. */
export type MovedPiece = Uint8Array | { readonly offset: number; readonly length: number };

export type MovedZip = {
  readonly size: number;
  readonly pieces: readonly MovedPiece[];
  /** Whether the module has a go.mod of its own. */
  readonly hasGoMod: boolean;
};

/** How far back the end of a zip is looked for, ZIP64 records before it included (see zip-end.ts). */
const tailBytes = 66 * 1024;
const localHeaderBytes = 30;

/**
 * What the moved zip consists of. The old one was found valid before: its local headers agree with its directory. Throws
 * BAD_ZIP for a name outside `from`, and for more entries than a plain zip can name.
 *
 * @param prefix both end in `/`: `new.corp/x/foo@v1.0.0/`
 */
export async function planMove(
  old: { readonly size: number; readonly read: ReadAt },
  prefix: { readonly from: string; readonly to: string },
): Promise<MovedZip> {
  const entries = await entriesOf(old);
  if (entries.length > maxPlainEntries) throw badZip(`more than ${maxPlainEntries} files`);
  const pieces: MovedPiece[] = [];
  const directory: Uint8Array[] = [];
  let size = 0;
  for (const { name, method, crc32: crc, size: bytes, compressedSize: packedSize, headerOffset } of entries) {
    if (!name.startsWith(prefix.from)) throw badZip(`${JSON.stringify(name)} is outside ${prefix.from}`);
    const moved = {
      name: Buffer.from(prefix.to + name.slice(prefix.from.length)),
      method,
      crc,
      size: bytes,
      packedSize,
    };
    const local = localHeader(moved);
    directory.push(directoryHeader(moved, size));
    const before = viewOf(new Uint8Array(await old.read(headerOffset, localHeaderBytes)));
    const offset = headerOffset + localHeaderBytes + uint16(before, 26) + uint16(before, 28);
    pieces.push(local, { offset, length: packedSize });
    size += local.length + packedSize;
  }
  const end = Buffer.concat(directory);
  pieces.push(end, endRecord(entries.length, end.length, size));
  const hasGoMod = entries.some(({ name }) => name === `${prefix.from}go.mod`);
  return { size: size + end.length + 22, pieces, hasGoMod };
}

async function entriesOf(old: { readonly size: number; readonly read: ReadAt }) {
  const tail = await loaded(old, Math.max(0, old.size - tailBytes));
  const end = readDirectoryEnd(tail, new Set());
  const source = await loaded(old, Math.min(old.size - tail.from, end.directoryStart, tail.from));
  return readDirectory(source, end, maxZipEntries);
}

/** What is in memory from `from` to the end. A zip that has to be read elsewhere for its directory is not one of ours. */
async function loaded(
  { size, read }: { readonly size: number; readonly read: ReadAt },
  from: number,
): Promise<ByteSource & { readonly from: number }> {
  const bytes = await read(from, size - from);
  return {
    size,
    from,
    read: (offset, length) => {
      if (offset < from || offset + length > size) throw badZip("its directory is not where it should be");
      return bytes.subarray(offset - from, offset - from + length);
    },
  };
}
