// The chunk manifest of a kept zip: the SHA-256 of each MiB, so that whoever copies the zip piece by piece can go on
// after a break, and tell a wrong piece from a right one before it has them all.

import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { formatModuleVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { CheckedObject } from "#services/store/checked-object.ts";
import { chunkBytes } from "#services/store/chunking.ts";
import type { ZipManifest } from "#services/store/manifest.ts";
import type { KeptZip } from "#services/store/module-store.ts";
import { Gate, GateFull } from "./gate.ts";
import { SingleFlight } from "./single-flight.ts";

/** What is sent. The members and their order are documented in docs/chunks.md and stay; new ones may be added. */
export type ChunkManifest = {
  readonly chunkManifest: 1;
  readonly module: string;
  readonly version: string;
  /** Of the zip, in bytes. */
  readonly size: number;
  /** As in go.sum. */
  readonly h1: string;
  /** Of the zip's bytes, in hexadecimal. */
  readonly sha256: string;
  readonly chunkSize: number;
  /** SHA-256 of each chunk in hexadecimal; the last chunk may be shorter. */
  readonly chunks: readonly string[];
};

/** Manifests in memory: that of a zip of 500 MiB, the largest there is, has some 36 KB. */
const maxCachedBytes = 8 << 20;
/** Zips read for it at a time, and in line: each costs a MiB of memory, and a millisecond of CPU per MiB. */
const atATime = 2;
const maxWaiting = 256;

export class ChunkManifests {
  readonly #made: LRUCache<string, Uint8Array>;
  readonly #making = new SingleFlight<Uint8Array>();
  readonly #gate = new Gate(atATime, maxWaiting);

  constructor(limits: { readonly cachedBytes?: number } = {}) {
    this.#made = new LRUCache({
      maxSize: limits.cachedBytes ?? maxCachedBytes,
      sizeCalculation: (bytes, key) => bytes.length + key.length + 200,
    });
  }

  /**
   * The manifest's bytes, the same for the same zip for ever. Made when first asked for, with checked reads, and then
   * remembered. Throws StoreDamaged, StoreUnavailable, GRANARY_OVERLOADED, and the signal's reason.
   */
  async of(zip: KeptZip, signal: AbortSignal): Promise<Uint8Array> {
    const key = `${formatModuleVersion(zip.id)} ${zip.manifest.zip.sha256}`;
    const made = this.#made.get(key) ?? (await this.#making.do(key, signal, () => this.#make(zip)));
    this.#made.set(key, made);
    return made;
  }

  async #make(zip: KeptZip): Promise<Uint8Array> {
    try {
      return await this.#gate.pass(async () => formatChunkManifest(zip.manifest, await hashChunks(zip)));
    } catch (error) {
      if (!(error instanceof GateFull)) throw error;
      throw new GranaryError("GRANARY_OVERLOADED", { limit: "/-/chunks/", value: maxWaiting }, { cause: error });
    }
  }
}

function formatChunkManifest({ path, version, zip }: ZipManifest, chunks: readonly string[]): Uint8Array {
  const { size, h1, sha256 } = zip;
  const manifest: ChunkManifest = {
    chunkManifest: 1,
    module: path,
    version,
    size,
    h1,
    sha256,
    chunkSize: chunkBytes,
    chunks,
  };
  return Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
}

async function hashChunks(zip: KeptZip): Promise<string[]> {
  const source = await zip.open();
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const hashes: string[] = [];
    for (let at = 0; at < source.size; at += chunkBytes) hashes.push(await hashChunk(source, at, chunk));
    return hashes;
  } finally {
    await source.close();
  }
}

async function hashChunk(source: CheckedObject, at: number, into: Buffer): Promise<string> {
  const part = into.subarray(0, await source.read(at, into));
  return createHash("sha256").update(part).digest("hex");
}
