// Keys of signed notes (x/mod sumdb/note): `NAME+hhhhhhhh+BASE64`, where BASE64 holds the algorithm byte 1 (Ed25519)
// and 32 bytes, and hhhhhhhh starts the SHA-256 over name, newline, algorithm byte and public key.

import { createHash, createPrivateKey, createPublicKey, randomBytes, type KeyObject } from "node:crypto";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { ProtocolError } from "./errors.ts";

export type Verifier = {
  readonly name: string;
  /** The first four bytes of the key's hash, big-endian. */
  readonly keyHash: number;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly key: KeyObject;
};

export type Signer = { readonly verifier: Verifier; readonly key: KeyObject };

/** Longest key text worth reading: names are host names with a path. */
export const maxKeyLength = 1024;

/** Parses a verifier key, as a GOSUMDB value holds it; BAD_KEY otherwise. */
export function parseVerifierKey(text: string): Verifier {
  const { name, hash, key } = splitKey(text);
  const verifier = makeVerifier(name, key);
  if (verifier.keyHash !== hash) throw new ProtocolError("BAD_KEY", `the hash in the key of ${name} is not the key's`);
  return verifier;
}

/** Parses `PRIVATE+KEY+…`; BAD_KEY otherwise. The text never appears in the error. */
export function parseSignerKey(text: string): Signer {
  const prefix = "PRIVATE+KEY+";
  if (!text.startsWith(prefix)) throw new ProtocolError("BAD_KEY", "malformed signer key");
  const { name, hash, key: seed } = splitKey(text.slice(prefix.length));
  const signer = makeSigner(name, seed);
  if (signer.verifier.keyHash !== hash)
    throw new ProtocolError("BAD_KEY", "the hash in the signer key is not its key's");
  return signer;
}

export function formatVerifierKey(verifier: Verifier): string {
  return formatKey(verifier, verifier.publicKey);
}

/** A new key pair as text; `seed` (32 bytes) is for those who must have the same pair again. */
export function generateKey(
  name: string,
  seed: Uint8Array = randomBytes(32),
): { signerKey: string; verifierKey: string } {
  if (!isKeyName(name)) throw new ProtocolError("BAD_KEY", `${JSON.stringify(name)} cannot name a key`);
  const { verifier } = makeSigner(name, seed);
  return { signerKey: `PRIVATE+KEY+${formatKey(verifier, seed)}`, verifierKey: formatVerifierKey(verifier) };
}

/** Key names: not empty, no white space, no plus sign. */
export function isKeyName(name: string): boolean {
  return name !== "" && name.isWellFormed() && !/[+\p{White_Space}]/u.test(name);
}

const ed25519 = 1;

/** DER of an Ed25519 key up to its 32 raw bytes (RFC 8410). */
export const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");
export const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

function splitKey(text: string): { name: string; hash: number; key: Uint8Array } {
  // The base64 part may itself hold plus signs.
  const [, name = "", hash = "", base64 = ""] =
    text.length > maxKeyLength ? [] : (/^([^+]*)\+([0-9a-fA-F]{8})\+([^]*)$/.exec(text) ?? []);
  const key = decodeBase64(base64);
  if (!isKeyName(name) || key === undefined || key.length === 0) throw new ProtocolError("BAD_KEY", "malformed key");
  if (key[0] !== ed25519) throw new ProtocolError("BAD_KEY", `the key of ${name} has an unknown algorithm`);
  if (key.length !== 33) throw new ProtocolError("BAD_KEY", `the key of ${name} has the wrong length`);
  return { name, hash: parseInt(hash, 16), key: key.subarray(1) };
}

function makeVerifier(name: string, publicKey: Uint8Array): Verifier {
  const der = Buffer.concat([spkiPrefix, publicKey]);
  const digest = createHash("sha256").update(`${name}\n`).update(Uint8Array.of(ed25519)).update(publicKey).digest();
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  return { name, keyHash: digest.readUInt32BE(0), publicKey, key };
}

function makeSigner(name: string, seed: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return { verifier: makeVerifier(name, spki.subarray(spkiPrefix.length)), key };
}

function formatKey({ name, keyHash }: Verifier, key: Uint8Array): string {
  const hash = keyHash.toString(16).padStart(8, "0");
  return `${name}+${hash}+${encodeBase64(Buffer.concat([Uint8Array.of(ed25519), key]))}`;
}
