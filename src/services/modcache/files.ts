// The small files of a version: what go would make of them.

import { ProtocolError } from "#protocol/errors.ts";
import { parseH1 } from "#protocol/dirhash.ts";
import { maxInfoBytes, parseInfo } from "#protocol/info.ts";
import type { Info } from "#protocol/info.ts";
import type { Version } from "#protocol/version.ts";

/** `h1:` and 44 characters of base64; go writes no newline after them. */
export const ziphashBytes = 47;
/** As much of a ziphash as is looked at. */
export const maxZiphashBytes = 1024;

/** `trimmed`: go reads it all the same, as it cuts blanks off its ends. */
export type Ziphash =
  | { readonly kind: "hash"; readonly h1: string; readonly isTrimmed: boolean }
  | { readonly kind: "malformed"; readonly reason: string };

/** Reads a `.ziphash` (cmd/go modfetch.checkMod: anything else than `h1:` and a hash is made anew). */
export function readZiphash(bytes: Uint8Array): Ziphash {
  const text = Buffer.from(bytes).toString("latin1");
  if (text.includes("\0")) return { kind: "malformed", reason: `${bytes.length} bytes, with NULs` };
  const trimmed = text.trim();
  try {
    return { kind: "hash", h1: parseH1(trimmed), isTrimmed: bytes.length !== ziphashBytes };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { kind: "malformed", reason: `${bytes.length} bytes instead of ${ziphashBytes}` };
  }
}

export type InfoReading =
  { readonly kind: "info"; readonly info: Info } | { readonly kind: "malformed"; readonly reason: string };

/** Reads an `.info` that must be about `version`. */
export function readInfo(bytes: Uint8Array, version: Version): InfoReading {
  if (bytes.length >= maxInfoBytes) return { kind: "malformed", reason: `more than ${maxInfoBytes} bytes` };
  try {
    return { kind: "info", info: parseInfo(bytes, version) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { kind: "malformed", reason: bytes.length === 0 ? "empty" : error.message };
  }
}

/** NUL bytes are what a file system leaves where a write was cut off. */
export function countNuls(bytes: Uint8Array): number {
  let nuls = 0;
  for (const byte of bytes) if (byte === 0) nuls++;
  return nuls;
}
