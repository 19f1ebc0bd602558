// What the index is told of a version: read from its manifests, and from what of its files is there.

import type { ModuleVersion } from "#protocol/version.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import { modulesPrefix, versionKey, versionOfKey } from "#services/store/layout.ts";
import { maxManifestBytes, parseModManifest, parseZipManifest } from "#services/store/manifest.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import type { IndexFacts, StoreIndex } from "./ports.ts";

/** Versions told to the index at a time. */
const batch = 500;

/** Undefined when the version is not kept. Throws StoreDamaged when a manifest cannot be understood. */
export async function factsOf(storage: Storage, id: ModuleVersion): Promise<IndexFacts | undefined> {
  const modKey = versionKey(id, "mod.manifest");
  const stored = await storage.get(modKey, maxManifestBytes);
  if (stored === undefined) return undefined;
  const mod = parseModManifest(modKey, stored.bytes);
  const zipKey = versionKey(id, "zip.manifest");
  const storedZip = await storage.get(zipKey, maxManifestBytes);
  const zip = storedZip && parseZipManifest(zipKey, storedZip.bytes);
  const sizes = await Promise.all((["info", "mod", "zip"] as const).map((file) => sizeOf(storage, id, file)));
  const isGone = (await storage.stat(versionKey(id, "tombstone"))) !== undefined;
  return {
    path: id.path,
    version: id.version,
    stage: zip === undefined ? "mod" : "zip",
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    sha256: zip?.zip.sha256,
    upstream: (zip ?? mod).origin.upstream,
    isPrivate: mod.verifiedBy === "pin",
    firstSeenMs: Date.parse(mod.firstSeen),
    isEvicted: isGone && sizes.every((size) => size === 0),
  };
}

export type Rebuild = {
  readonly versions: number;
  /** Keys whose manifests cannot be understood: such versions are in no index. */
  readonly damaged: readonly string[];
};

/** Damaged manifests named in a report; a store with more has another problem. */
const maxNamed = 1_000;

/**
 * Makes the index anew from the manifests, beside whoever uses store and index meanwhile. `rest` is called after each
 * batch, so that others get their turn.
 */
export async function rebuildIndex(use: {
  readonly storage: Storage;
  readonly index: StoreIndex;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly rest?: (done: number) => Promise<void>;
}): Promise<Rebuild> {
  const { storage, index, clock, signal } = use;
  const round = await index.beginRebuild();
  const damaged: string[] = [];
  let waiting: IndexFacts[] = [];
  let versions = 0;
  for await (const { key } of storage.list(modulesPrefix)) {
    signal.throwIfAborted();
    const found = versionOfKey(key);
    if (found?.file !== "mod.manifest") continue;
    const facts = await factsOf(storage, found.id).catch((error: unknown) => {
      if (!(error instanceof StoreDamaged)) throw error;
      if (damaged.length < maxNamed) damaged.push(error.key);
      return undefined;
    });
    if (facts === undefined) continue;
    versions++;
    waiting.push(facts);
    if (waiting.length < batch) continue;
    await index.put(waiting, clock.now());
    waiting = [];
    await use.rest?.(versions);
  }
  await index.put(waiting, clock.now());
  await index.endRebuild(round);
  return { versions, damaged };
}

async function sizeOf(storage: Storage, id: ModuleVersion, file: "info" | "mod" | "zip"): Promise<number> {
  return (await storage.stat(versionKey(id, file)))?.size ?? 0;
}
