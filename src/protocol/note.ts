// Signed notes (x/mod sumdb/note): text that ends in a newline, a blank line, then signature lines
// `— NAME BASE64`, where BASE64 holds the key hash (4 bytes) and the signature over the text.

import { sign, verify } from "node:crypto";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { ProtocolError } from "./errors.ts";
import { isKeyName, type Signer, type Verifier } from "./note-key.ts";
import { isPlainText, parsePlainText } from "./plain-text.ts";

export {
  formatVerifierKey,
  generateKey,
  parseSignerKey,
  parseVerifierKey,
  type Signer,
  type Verifier,
} from "./note-key.ts";

export type NoteSignature = { readonly name: string; readonly keyHash: number; readonly base64: string };

/** A note whose signatures were checked: nobody can hold one that no known key signed. */
export type Note = {
  /** Ends in a newline. */
  readonly text: string;
  /** By known keys, verified; one per key. */
  readonly signatures: readonly NoteSignature[];
  /** By keys we do not know. */
  readonly unverified: readonly NoteSignature[];
};

/** As x/mod: a note with more signatures is refused before they cost time. */
export const maxSignatures = 100;

/** x/mod ParseTree's bound on tree texts, applied to whole notes. */
export const maxNoteBytes = 1_000_000;

/**
 * Opens a note. Throws BAD_NOTE when it is malformed, NOTE_UNVERIFIED when no known key signed it or when the
 * signature of a known key is wrong. Signatures by unknown keys prove nothing and hurt nothing.
 */
export function openNote(message: string | Uint8Array, verifiers: readonly Verifier[]): Note {
  const { text, lines } = splitNote(message);
  const signatures = new Map<string, NoteSignature>();
  const unverified = new Map<string, NoteSignature>();
  for (const line of lines) {
    const { signature, blob } = parseSignature(line);
    const verifier = findVerifier(verifiers, signature);
    const id = `${signature.name}+${signature.keyHash}`;
    if (verifier === undefined) unverified.set(line, signature);
    else if (!signatures.has(id)) {
      checkSignature(text, blob, verifier);
      signatures.set(id, signature);
    }
  }
  if (signatures.size === 0) throw new ProtocolError("NOTE_UNVERIFIED", "the note has no verifiable signatures");
  return { text, signatures: [...signatures.values()], unverified: [...unverified.values()] };
}

/**
 * Signs `text` and returns the note. `others` are earlier signatures over the same text; they come first, and those
 * of a key that signs now are left out. Throws BAD_NOTE when the text cannot be a note's.
 */
export function signNote(text: string, signers: readonly Signer[], others: readonly NoteSignature[] = []): string {
  if (!text.endsWith("\n") || !isPlainText(text)) throw new ProtocolError("BAD_NOTE", "the text cannot be a note's");
  const bytes = Buffer.from(text);
  const fresh = signers.map(({ verifier, key }) => {
    const blob = Buffer.concat([Buffer.alloc(4), sign(null, bytes, key)]);
    blob.writeUInt32BE(verifier.keyHash, 0);
    return { name: verifier.name, keyHash: verifier.keyHash, base64: encodeBase64(blob) };
  });
  const replaced = (other: NoteSignature): boolean =>
    fresh.some(({ name, keyHash }) => name === other.name && keyHash === other.keyHash);
  const all = [...others.filter((other) => !replaced(other)), ...fresh];
  return `${text}\n${all.map(({ name, base64 }) => `${signaturePrefix}${name} ${base64}\n`).join("")}`;
}

/** Em dash, space. */
const signaturePrefix = "\u2014 ";

function splitNote(message: string | Uint8Array): { text: string; lines: readonly string[] } {
  const bytes = typeof message === "string" ? Buffer.from(message) : message;
  if (bytes.length > maxNoteBytes) throw new ProtocolError("BAD_NOTE", `the note is longer than ${maxNoteBytes} bytes`);
  const all = typeof message === "string" && !message.isWellFormed() ? undefined : parsePlainText(bytes);
  const split = all?.lastIndexOf("\n\n") ?? -1;
  if (all === undefined || split < 0 || !all.endsWith("\n") || split + 2 === all.length) {
    throw new ProtocolError("BAD_NOTE", "malformed note");
  }
  const lines = all.slice(split + 2, -1).split("\n");
  if (lines.length > maxSignatures) throw new ProtocolError("BAD_NOTE", `more than ${maxSignatures} signatures`);
  return { text: all.slice(0, split + 1), lines };
}

function parseSignature(line: string): { signature: NoteSignature; blob: Buffer } {
  const [, name = "", base64 = ""] = /^\u2014 ([^ ]*) (.+)$/u.exec(line) ?? [];
  const raw = decodeBase64(base64);
  // Four bytes of key hash and at least one of signature.
  if (!isKeyName(name) || raw === undefined || raw.length < 5) {
    throw new ProtocolError("BAD_NOTE", "malformed signature line");
  }
  const blob = Buffer.from(raw);
  return { signature: { name, keyHash: blob.readUInt32BE(0), base64 }, blob: blob.subarray(4) };
}

function findVerifier(verifiers: readonly Verifier[], { name, keyHash }: NoteSignature): Verifier | undefined {
  const [verifier, second] = verifiers.filter((known) => known.name === name && known.keyHash === keyHash);
  if (second !== undefined) throw new ProtocolError("NOTE_UNVERIFIED", `two known keys of ${name} share one key hash`);
  return verifier;
}

function checkSignature(text: string, signature: Uint8Array, { name, key }: Verifier): void {
  if (signature.length !== 64 || !verify(null, Buffer.from(text), key, signature)) {
    throw new ProtocolError("NOTE_UNVERIFIED", `the signature by ${name} is wrong`);
  }
}
