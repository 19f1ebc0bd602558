// Little-endian numbers out of a zip, and where its bytes come from.

import { ProtocolError } from "./errors.ts";

/** Random access to bytes that do not change meanwhile. */
export interface ByteSource {
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`; throws RangeError outside the source. The result may be a view that the
   * next read() overwrites: copy what must live longer.
   */
  read(offset: number, length: number): Uint8Array;
}

/** Something odd that Go reads past and that cannot make two readers see different files. */
export type ZipWarning =
  | "prepended" // bytes before the zip
  | "trailing" // bytes after the zip
  | "gap" // bytes that belong to no entry
  | "comment" // a comment of the whole zip
  | "zip64" // a ZIP64 end record that is not needed
  | "count" // more entries than its 16 bits can count
  | "symlink" // a symlink mode, which go ignores
  | "no-checksum" // a CRC-32 of 0, which go does not check
  | "garbage" // compressed data that goes on after its end
  | "directory-entry" // an entry for a directory: hashed, never extracted
  | "empty"; // no files at all

/** A source over bytes in memory. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length) throw new RangeError("read outside the bytes");
      return bytes.subarray(offset, offset + length);
    },
  };
}

export function badZip(message: string, options?: { cause?: unknown }): ProtocolError {
  return new ProtocolError("BAD_ZIP", `malformed zip: ${message}`, options);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function uint16(view: DataView, offset: number): number {
  return view.getUint16(offset, true);
}

export function uint32(view: DataView, offset: number): number {
  return view.getUint32(offset, true);
}

/** A 64-bit number that fits exactly into a JavaScript number; throws BAD_ZIP beyond, where no real zip is. */
export function uint64(view: DataView, offset: number): number {
  const value = view.getBigUint64(offset, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw badZip(`impossible number ${value}`);
  return Number(value);
}
