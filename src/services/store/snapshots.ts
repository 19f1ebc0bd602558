// All snapshots of a folder: which there are, and which may go.

import type { Storage } from "./ports.ts";
import { forgetSnapshot, objectsPrefix, SnapshotDamaged, SnapshotIndex, snapshotIds } from "./snapshot-index.ts";
import type { SnapshotSummary, UnitKind } from "./snapshot-index.ts";

export type ListedSnapshot = SnapshotSummary | { readonly id: string; readonly problem: string };

/** Newest first; a damaged one with what is wrong. */
export async function listSnapshots(vault: Storage): Promise<ListedSnapshot[]> {
  const listed: ListedSnapshot[] = [];
  for (const id of (await snapshotIds(vault)).reverse()) {
    try {
      const index = await SnapshotIndex.open(vault, id);
      await index.close();
      listed.push(index.summary);
    } catch (error) {
      if (!(error instanceof SnapshotDamaged)) throw error;
      listed.push({ id, problem: error.message });
    }
  }
  return listed;
}

export type Pruned = {
  readonly snapshots: readonly string[];
  readonly objects: number;
  readonly bytes: number;
  /** Why no object was removed: a snapshot that stays cannot be read, so nobody knows what it needs. */
  readonly problem?: string;
};

const allKinds: readonly UnitKind[] = ["version", "record", "head", "tile", "state", "log"];

/**
 * Keeps the newest `keep` snapshots, and removes the objects that none of them names. Nobody else may write the folder
 * meanwhile. Ended anywhere, it leaves objects too many, which the next one removes.
 */
export async function pruneSnapshots(vault: Storage, keep: number): Promise<Pruned> {
  const ids = await snapshotIds(vault);
  const old = ids.slice(0, Math.max(0, ids.length - keep));
  for (const id of old) await forgetSnapshot(vault, id);
  let needed: ReadonlySet<number>;
  try {
    needed = await neededBy(vault, ids.slice(old.length));
  } catch (error) {
    if (!(error instanceof SnapshotDamaged)) throw error;
    return { snapshots: old, objects: 0, bytes: 0, problem: error.message };
  }
  let [objects, bytes] = [0, 0];
  for await (const { key, size } of vault.list(objectsPrefix)) {
    const sha256 = key.slice(key.lastIndexOf("/") + 1);
    if (!/^[0-9a-f]{64}$/.test(sha256) || needed.has(shortOf(sha256)) || !(await vault.remove(key))) continue;
    objects++;
    bytes += size;
  }
  return { snapshots: old, objects, bytes };
}

/** The beginnings of all hashes that are named: two that begin alike cost an object that stays. */
async function neededBy(vault: Storage, ids: readonly string[]): Promise<ReadonlySet<number>> {
  const needed = new Set<number>();
  for (const id of ids) {
    const index = await SnapshotIndex.open(vault, id);
    try {
      for await (const { files } of index.units(...allKinds))
        for (const { sha256 } of files) needed.add(shortOf(sha256));
    } finally {
      await index.close();
    }
  }
  return needed;
}

/** 48 bits, a number that needs no more memory than it must. */
function shortOf(sha256: string): number {
  return Number.parseInt(sha256.slice(0, 12), 16);
}
