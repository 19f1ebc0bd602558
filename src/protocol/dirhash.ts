// The `h1:` hash of go.sum lines (x/mod sumdb/dirhash Hash1): SHA-256 over one line per file, sorted by name:
// hex(sha256(content)), two spaces, name, newline.

import { createHash, hash, timingSafeEqual } from "node:crypto";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { ProtocolError } from "./errors.ts";

/** `h1:` and the base64 of 32 bytes, spelled canonically. */
export type H1 = string & { readonly kind: "H1" };

export type FileHash = {
  /** As in the zip: `example.com/m@v1.0.0/go.mod`. */
  readonly name: string;
  /** 64 lowercase hexadecimal digits. */
  readonly sha256: string;
};

/** Hashes a set of files, given in any order. Throws BAD_HASH on a name that a line cannot hold. */
export function hash1(files: Iterable<FileHash>): H1 {
  const sorted = [...files].sort((a, b) => compareUtf8(a.name, b.name));
  const summary = createHash("sha256");
  let lines = "";
  for (const { name, sha256 } of sorted) {
    if (name.includes("\n") || !name.isWellFormed()) {
      throw new ProtocolError("BAD_HASH", `file name ${JSON.stringify(name)} cannot be hashed`);
    }
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new RangeError("a SHA-256 has 64 hexadecimal digits");
    lines += `${sha256}  ${name}\n`;
    if (lines.length < maxPendingLines) continue;
    summary.update(lines);
    lines = "";
  }
  return h1(summary.update(lines).digest());
}

/** The hash of a served `.mod` file: one file literally named `go.mod`. */
export function hashGoMod(bytes: Uint8Array): H1 {
  return hash1([{ name: "go.mod", sha256: hash("sha256", bytes) }]);
}

/** Parses `h1:…`, or throws BAD_HASH. Only the canonical spelling is taken, so equal hashes are equal texts. */
export function parseH1(text: string): H1 {
  const digest = text.startsWith("h1:") ? decodeBase64(text.slice("h1:".length)) : undefined;
  if (digest?.length !== sha256Bytes || h1(digest) !== text) {
    throw new ProtocolError("BAD_HASH", `${JSON.stringify(text.slice(0, 100))} is not an h1: hash`);
  }
  return text as H1;
}

/** Compares two hash texts; takes the same time wherever they differ. */
export function equalHash(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

const sha256Bytes = 32;
/** Text that is hashed in one call. */
const maxPendingLines = 16 * 1024;

function h1(digest: Uint8Array): H1 {
  return `h1:${encodeBase64(digest)}` as H1;
}

/** Go sorts strings by their UTF-8 bytes; UTF-16 order differs where surrogates meet U+E000 to U+FFFF. */
function compareUtf8(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (left !== right) return utf8Rank(left) - utf8Rank(right);
  }
  return a.length - b.length;
}

function utf8Rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
