// The headers of zips that we write: one form, all times 1980-01-01, no extra fields, no data descriptors, no ZIP64.

/** Its packed bytes come right after the local header. */
export type PackedEntry = {
  readonly name: Buffer;
  /** Otherwise stored. */
  readonly isDeflated: boolean;
  readonly crc: number;
  readonly size: number;
  readonly packedSize: number;
};

/** More would need ZIP64. */
export const maxPlainFiles = 0xfffe;

const utf8Flag = 0x0800;
/** Version 2.0 of the format: deflate. */
const versionNeeded = 20;
/** 1980-01-01 00:00, the first date DOS can tell. */
const dosDate = 0x0021;

/** The 26 bytes that local and directory header share, from "version needed" to "extra length". */
function commonFields(file: PackedEntry): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(versionNeeded, 0);
  fields.writeUInt16LE(file.name.some((byte) => byte > 0x7f) ? utf8Flag : 0, 2);
  fields.writeUInt16LE(file.isDeflated ? 8 : 0, 4);
  fields.writeUInt16LE(dosDate, 8);
  fields.writeUInt32LE(file.crc, 10);
  fields.writeUInt32LE(file.packedSize, 14);
  fields.writeUInt32LE(file.size, 18);
  fields.writeUInt16LE(file.name.length, 22);
  return fields;
}

export function localHeader(file: PackedEntry): Buffer {
  return Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), commonFields(file), file.name]);
}

export function directoryHeader(file: PackedEntry, offset: number): Buffer {
  const madeBy = Buffer.from([versionNeeded, 0]);
  // Comment length, disk number, internal and external attributes are zero.
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(offset, 10);
  return Buffer.concat([Buffer.from("PK\x01\x02", "latin1"), madeBy, commonFields(file), rest, file.name]);
}

export function endRecord(count: number, directorySize: number, directoryStart: number): Buffer {
  const record = Buffer.alloc(22);
  record.write("PK\x05\x06", 0, "latin1");
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(directorySize, 12);
  record.writeUInt32LE(directoryStart, 16);
  return record;
}
