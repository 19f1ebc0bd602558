// Arrivals made up for tests of the store: bytes, and what a verifier would have said of them.

import { createHash } from "node:crypto";
import { parsePath } from "#protocol/path.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { publishedHere, zipBlockBytes } from "#services/store/manifest.ts";
import type { Facts, ZipManifest } from "#services/store/manifest.ts";
import type { Keeping, KeptWhole, KeptZip, ModuleStore, ZipFacts } from "#services/store/module-store.ts";
import type { Storage } from "#services/store/ports.ts";

export const arrivalFacts: Facts = {
  verifiedBy: "sumdb",
  records: [{ database: "sum.example", id: 7, treeSize: 9 }],
  origin: { upstream: "https://upstream.example", url: "https://upstream.example/m" },
  firstSeen: "2024-01-02T03:04:05.000Z",
};

export function moduleVersion(path: string, version: string): ModuleVersion {
  return checkModuleVersion(parsePath(path), version);
}

/** Bytes that repeat nowhere near a block's size; `seed` tells two of them apart. */
export function someBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** The facts of bytes taken for a zip; the store never looks inside. */
export function zipFacts(bytes: Uint8Array): ZipFacts {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += zipBlockBytes) blocks.push(sha256(bytes.subarray(at, at + zipBlockBytes)));
  return {
    size: bytes.length,
    sha256: sha256(bytes).toString("hex"),
    h1: `h1:${sha256(bytes).toString("base64")}`,
    blocks: Buffer.concat(blocks),
    files: 1,
    uncompressedBytes: bytes.length,
  };
}

/** A version as somebody publishes it. */
export async function keepWhole(
  store: Pick<ModuleStore, "keepWhole">,
  storage: Storage,
  whole: {
    readonly id: ModuleVersion;
    readonly info: Uint8Array;
    readonly mod: Uint8Array;
    readonly bytes: Uint8Array;
  },
): Promise<KeptWhole> {
  const { id, info, mod, bytes } = whole;
  const stage = await storage.stage(bytes.length);
  await stage.write(bytes);
  await stage.seal();
  const facts = {
    ...arrivalFacts,
    verifiedBy: "pin",
    records: [],
    origin: { upstream: publishedHere, url: "" },
  } as const;
  return await store.keepWhole({ id, info, mod, stage, zip: zipFacts(bytes), facts });
}

export function zipManifest(id: ModuleVersion, bytes: Uint8Array): ZipManifest {
  const { size, sha256: hash, h1, blocks, files, uncompressedBytes } = zipFacts(bytes);
  const zip = { size, sha256: hash, h1, blockBytes: zipBlockBytes, blocks: Buffer.from(blocks).toString("base64") };
  const { path, version } = id;
  return {
    manifest: 1,
    stage: "zip",
    path,
    version,
    modManifest: "0".repeat(64),
    zip,
    files,
    uncompressedBytes,
    ...arrivalFacts,
  };
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** Keeps bytes as a version's zip. */
export async function keepZipBytes(
  store: ModuleStore,
  storage: Storage,
  what: { readonly id: ModuleVersion; readonly bytes: Uint8Array },
): Promise<Keeping<KeptZip>> {
  const stage = await storage.stage(what.bytes.length);
  try {
    await stage.write(what.bytes);
    await stage.seal();
    return await store.keepZip({ id: what.id, stage, zip: zipFacts(what.bytes), facts: arrivalFacts });
  } finally {
    await stage.discard();
  }
}

/** Reads a kept zip whole. */
export async function zipBytes(kept: KeptZip): Promise<Uint8Array> {
  const object = await kept.open();
  try {
    const bytes = new Uint8Array(object.size);
    for (let at = 0; at < bytes.length;) at += await object.read(at, bytes.subarray(at));
    return bytes;
  } finally {
    await object.close();
  }
}
