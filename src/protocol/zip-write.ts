// Writing a module zip the one way it can be written here: sorted by name, deflated unless that makes it larger, all
// times 1980-01-01, no extra fields, no data descriptors, no directory entries. Same files, same bytes.

import { crc32, deflateRawSync } from "node:zlib";

import { directoryHeader, endRecord, localHeader, maxPlainFiles } from "./_zip-headers.ts";
import type { PackedEntry } from "./_zip-headers.ts";
import { badZip } from "./zip-bytes.ts";
import { maxZipBytes } from "./zip-check.ts";
import { ZipNames, zipPrefix } from "./zip-names.ts";

export type ZipFile = {
  /** Relative to the module root, for example `cmd/x/main.go`. */
  readonly name: string;
  readonly content: Uint8Array;
};

/** Builds the zip of a module; throws BAD_ZIP for names or sizes the go command would refuse. */
export function writeModuleZip(
  id: { readonly path: string; readonly version: string },
  files: Iterable<ZipFile>,
): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  const sorted = sortFiles(zipPrefix(id), files);
  for (const file of sorted) {
    const packed = pack(file);
    const local = localHeader(packed);
    parts.push(local, packed.data);
    directory.push(directoryHeader(packed, offset));
    offset += local.length + packed.data.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const zip = Buffer.concat([...parts, directoryBytes, endRecord(sorted.length, directoryBytes.length, offset)]);
  if (zip.length > maxZipBytes) throw badZip("zip is too large");
  return Uint8Array.from(zip);
}

type NamedFile = { readonly name: Buffer; readonly content: Uint8Array };

function sortFiles(prefix: string, files: Iterable<ZipFile>): NamedFile[] {
  const names = new ZipNames(prefix);
  const sorted: NamedFile[] = [];
  let total = 0;
  for (const file of files) {
    const problem = names.add(prefix + file.name);
    if (problem) throw badZip(`${JSON.stringify(file.name)}: ${problem.reason}`);
    if (file.name === "" || file.name.endsWith("/")) throw badZip("a directory is no file");
    total += file.content.length;
    sorted.push({ name: Buffer.from(prefix + file.name), content: file.content });
  }
  if (total > maxZipBytes) throw badZip("files are too large together");
  if (sorted.length > maxPlainFiles) throw badZip(`more than ${maxPlainFiles} files`);
  return sorted.sort((a, b) => Buffer.compare(a.name, b.name));
}

type Packed = PackedEntry & { readonly data: Uint8Array };

function pack(file: NamedFile): Packed {
  const deflated = deflateRawSync(file.content);
  const smaller = deflated.length < file.content.length;
  return {
    name: file.name,
    isDeflated: smaller,
    crc: crc32(file.content),
    size: file.content.length,
    packedSize: smaller ? deflated.length : file.content.length,
    data: smaller ? deflated : file.content,
  };
}
