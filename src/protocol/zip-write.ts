// Writing a module zip the one way it can be written here: sorted by name, deflated unless that makes it larger, all
// times 1980-01-01, no extra fields, no data descriptors, no directory entries. Same files, same bytes.

import { crc32, deflateRawSync } from "node:zlib";

import { badZip } from "./zip-bytes.ts";
import { maxZipBytes } from "./zip-check.ts";
import { ZipNames, zipPrefix } from "./zip-names.ts";

export type ZipFile = {
  /** Relative to the module root, for example `cmd/x/main.go`. */
  readonly name: string;
  readonly content: Uint8Array;
};

/** More would need ZIP64, which this writer does not speak. */
const maxFiles = 0xfffe;

const utf8Flag = 0x0800;
/** Version 2.0 of the format: deflate. */
const versionNeeded = 20;
/** 1980-01-01 00:00, the first date DOS can tell. */
const dosDate = 0x0021;

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
  if (sorted.length > maxFiles) throw badZip(`more than ${maxFiles} files`);
  return sorted.sort((a, b) => Buffer.compare(a.name, b.name));
}

type Packed = {
  readonly name: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly size: number;
  readonly data: Uint8Array;
};

function pack(file: NamedFile): Packed {
  const deflated = deflateRawSync(file.content);
  const smaller = deflated.length < file.content.length;
  return {
    name: file.name,
    flags: file.name.some((byte) => byte > 0x7f) ? utf8Flag : 0,
    method: smaller ? 8 : 0,
    crc: crc32(file.content),
    size: file.content.length,
    data: smaller ? deflated : file.content,
  };
}

/** The 26 bytes that local and directory header share, from "version needed" to "extra length". */
function commonFields(file: Packed): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(versionNeeded, 0);
  fields.writeUInt16LE(file.flags, 2);
  fields.writeUInt16LE(file.method, 4);
  fields.writeUInt16LE(dosDate, 8);
  fields.writeUInt32LE(file.crc, 10);
  fields.writeUInt32LE(file.data.length, 14);
  fields.writeUInt32LE(file.size, 18);
  fields.writeUInt16LE(file.name.length, 22);
  return fields;
}

function localHeader(file: Packed): Buffer {
  return Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), commonFields(file), file.name]);
}

function directoryHeader(file: Packed, offset: number): Buffer {
  const madeBy = Buffer.from([versionNeeded, 0]);
  // Comment length, disk number, internal and external attributes are zero.
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(offset, 10);
  return Buffer.concat([Buffer.from("PK\x01\x02", "latin1"), madeBy, commonFields(file), rest, file.name]);
}

function endRecord(count: number, directorySize: number, directoryStart: number): Buffer {
  const record = Buffer.alloc(22);
  record.write("PK\x05\x06", 0, "latin1");
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(directorySize, 12);
  record.writeUInt32LE(directoryStart, 16);
  return record;
}
