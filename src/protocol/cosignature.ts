// Cosignatures of witnesses, and how a log asks for them. A cosignature says: at this time, this is the largest tree of
// the log that I have seen, and it begins with every tree I saw before.
// Sources: c2sp.org/tlog-cosignature (Ed25519), c2sp.org/tlog-witness.

import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { ProtocolError } from "./errors.ts";
import { isKeyName, maxKeyLength, pkcs8Prefix, spkiPrefix } from "./note-key.ts";
import type { NoteSignature } from "./note.ts";
import { hashSize, type Hash } from "./tlog.ts";

/** Who cosigns: the public half of a witness key. */
export type Cosigner = { readonly name: string; readonly keyHash: number; readonly key: KeyObject };

/** A checked cosignature, and when its witness made it, in seconds since the Unix epoch. */
export type Cosignature = NoteSignature & { readonly seconds: number };

/** Parses a witness's verifier key (`NAME+hhhhhhhh+BASE64`, algorithm byte 4); BAD_KEY otherwise. */
export function parseCosignerKey(text: string): Cosigner {
  const [, name = "", hash = "", base64 = ""] =
    text.length > maxKeyLength ? [] : (/^([^+]*)\+([0-9a-fA-F]{8})\+([^]*)$/.exec(text) ?? []);
  const key = decodeBase64(base64);
  if (!isKeyName(name) || key === undefined) throw new ProtocolError("BAD_KEY", "malformed witness key");
  if (key[0] !== cosignatureAlgorithm || key.length !== 33)
    throw new ProtocolError("BAD_KEY", `the key of ${name} is not a witness's key: its algorithm byte must be 4`);
  const cosigner = makeCosigner(name, key.subarray(1));
  if (cosigner.keyHash !== parseInt(hash, 16))
    throw new ProtocolError("BAD_KEY", `the hash in the key of ${name} is not the key's`);
  return cosigner;
}

/** A witness key from its 32 byte seed, as text and ready to sign. */
export function cosigningKey(
  name: string,
  seed: Uint8Array,
): {
  readonly verifierKey: string;
  readonly cosign: (text: string, seconds: number) => string;
} {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(spkiPrefix.length);
  const { keyHash } = makeCosigner(name, publicKey);
  const encoded = encodeBase64(Buffer.concat([Uint8Array.of(cosignatureAlgorithm), publicKey]));
  return {
    verifierKey: `${name}+${keyHash.toString(16).padStart(8, "0")}+${encoded}`,
    cosign: (text, seconds) => {
      const blob = Buffer.alloc(12);
      blob.writeUInt32BE(keyHash, 0);
      blob.writeBigUInt64BE(BigInt(seconds), 4);
      const signature = sign(null, cosignedMessage(text, seconds), key);
      return `\u2014 ${name} ${encodeBase64(Buffer.concat([blob, signature]))}\n`;
    },
  };
}

/**
 * The cosignatures by known witnesses in the lines that a witness answered with, over a checkpoint's text. Lines of
 * others are ignored. Throws NOTE_UNVERIFIED when one of a known witness is wrong.
 */
export function readCosignatures(lines: string, text: string, cosigners: readonly Cosigner[]): Cosignature[] {
  const found: Cosignature[] = [];
  for (const line of lines.split("\n").slice(0, maxCosignatureLines)) {
    const [, name = "", base64 = ""] = /^\u2014 ([^ ]+) ([^ ]+)$/u.exec(line) ?? [];
    const blob = Buffer.from(decodeBase64(base64) ?? []);
    if (blob.length !== cosignatureBytes) continue;
    const keyHash = blob.readUInt32BE(0);
    const cosigner = cosigners.find((known) => known.name === name && known.keyHash === keyHash);
    if (cosigner === undefined) continue;
    const seconds = Number(blob.readBigUInt64BE(4));
    if (!verify(null, cosignedMessage(text, seconds), cosigner.key, blob.subarray(12)))
      throw new ProtocolError("NOTE_UNVERIFIED", `the cosignature by ${name} is wrong`);
    found.push({ name, keyHash, base64, seconds });
  }
  return found;
}

/** What a log sends to `add-checkpoint`: the size that the witness saw last, the proof from there, the checkpoint. */
export type AddCheckpoint = { readonly oldSize: number; readonly proof: readonly Hash[]; readonly checkpoint: string };

export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${encodeBase64(hash)}\n`).join("")}\n${checkpoint}`;
}

/** Throws BAD_CHECKPOINT when the text is no such request. */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  const blank = body.indexOf("\n\n");
  const [first = "", ...lines] = body.slice(0, Math.max(blank, 0)).split("\n");
  const [, oldSize] = /^old (0|[1-9][0-9]{0,15})$/.exec(first) ?? [];
  const proof = lines.map((line) => decodeBase64(line)).filter((hash) => hash?.length === hashSize);
  if (oldSize === undefined || proof.length !== lines.length || lines.length > maxProofLines)
    throw new ProtocolError("BAD_CHECKPOINT", "malformed add-checkpoint request");
  return { oldSize: Number(oldSize), proof: proof as Hash[], checkpoint: body.slice(blank + 2) };
}

const cosignatureAlgorithm = 4;
/** Key hash, time, Ed25519 signature. */
const cosignatureBytes = 4 + 8 + 64;
/** A witness may have a few keys. */
const maxCosignatureLines = 100;
const maxProofLines = 63;

function cosignedMessage(text: string, seconds: number): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
}

function makeCosigner(name: string, publicKey: Uint8Array): Cosigner {
  const material = Buffer.concat([Uint8Array.of(cosignatureAlgorithm), publicKey]);
  const digest = createHash("sha256").update(`${name}\n`).update(material).digest();
  const der = Buffer.concat([spkiPrefix, publicKey]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  return { name, keyHash: digest.readUInt32BE(0), key };
}
