// What is left of a version whose files made room for others: its manifests, which stay, and a tombstone beside them.
//
// The manifests say which bytes it had, so that whatever comes back under its name must be the same bytes. `.info` is
// nothing a checksum database records, and upstreams write it anew as they like: the tombstone keeps it.

import { maxInfoBytes } from "#protocol/info.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { versionKey } from "./layout.ts";
import type { Storage } from "./ports.ts";

/** `age`: not used for long; `size`: the store was too large; `damage`: a file was not what had been committed. */
export type Eviction = "age" | "size" | "damage" | "operator";

export type Tombstone = {
  readonly tombstone: 1;
  readonly path: string;
  readonly version: string;
  readonly reason: Eviction;
  /** RFC 3339. */
  readonly evicted: string;
  /** The committed `.info`, base64; absent when it was damaged before. */
  readonly info?: string;
  /** An operator allows the same files in another zip (`granary store hashes repacked`). */
  readonly isRepackable?: boolean;
};

/** `.info` in base64, and a path and version of the longest kind. */
const maxTombstoneBytes = 2 * maxInfoBytes;

export function formatTombstone(tombstone: Tombstone): Uint8Array {
  return Buffer.from(`${JSON.stringify(tombstone)}\n`);
}

/** Undefined when the bytes are not this version's tombstone: then nothing is known, and the files are missing. */
function parseTombstone(bytes: Uint8Array, { path, version }: ModuleVersion): Tombstone | undefined {
  try {
    const value = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<Tombstone> | null;
    const isOurs = value?.tombstone === 1 && value.path === path && value.version === version;
    const isWhole = typeof value?.evicted === "string" && typeof value.reason === "string";
    return isOurs && isWhole && ["string", "undefined"].includes(typeof value.info) ? (value as Tombstone) : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined when the version was not evicted, or what says so cannot be understood. */
export async function findTombstone(storage: Storage, id: ModuleVersion): Promise<Tombstone | undefined> {
  const stored = await storage.get(versionKey(id, "tombstone"), maxTombstoneBytes);
  return stored && parseTombstone(stored.bytes, id);
}

export async function isEvicted(storage: Storage, id: ModuleVersion): Promise<boolean> {
  return (await findTombstone(storage, id)) !== undefined;
}
