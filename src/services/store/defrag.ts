// Removes what only takes space, beside a server that may be running: files of commits that never came to their end, what dead
// processes left in tmp/, folders without a file, and the holes in the index.

import type { Leftovers, Storage, StorageKey } from "./ports.ts";
import { storageKey } from "./ports.ts";

export type DefragUse = {
  readonly storage: Storage;
  readonly leftovers: Leftovers;
  readonly now: () => number;
  /** Nobody else writes the store: only then a file that no manifest names is nobody's for sure. */
  readonly isAlone: boolean;
  /** Finds, and removes nothing. */
  readonly isDry?: boolean;
  /** Makes the index smaller; undefined when there is none. */
  readonly compact?: () => Promise<Compacted | undefined>;
};

export type Compacted = { readonly before: number; readonly after: number } | { readonly problem: string };

type Heap = { readonly count: number; readonly bytes: number };

/** What was removed, or would be. */
export type DefragReport = {
  readonly uncommitted: Heap;
  /** Files of unfinished commits that were left because a server runs. */
  readonly waiting: Heap;
  readonly temps: Heap;
  readonly folders: number;
  readonly index: Compacted | undefined;
};

/** A commit takes seconds; what is this old belongs to none that is under way. */
const minAgeMs = 3_600_000;

/** Throws StoreUnavailable. */
export async function defragStore(use: DefragUse): Promise<DefragReport> {
  const [uncommitted, waiting, temps] = [new Counter(), new Counter(), new Counter()];
  for await (const { key, size } of uncommittedFiles(use))
    if (!use.isAlone) waiting.add(size);
    else if (use.isDry === true || (await use.storage.remove(key))) uncommitted.add(size);
  for await (const { name, bytes } of use.leftovers.temps())
    if (use.isDry === true || (await use.leftovers.removeTemp(name))) temps.add(bytes);
  let folders = 0;
  for (const prefix of ["modules/", "state/"])
    for await (const folder of use.leftovers.emptyFolders(prefix))
      if (use.isDry === true || (await use.leftovers.removeFolder(folder))) folders++;
  const index = use.isDry === true ? undefined : await use.compact?.();
  return { uncommitted: uncommitted.heap, waiting: waiting.heap, temps: temps.heap, folders, index };
}

const modulesPrefix = "modules/";
const mirrorsPrefix = "modules/sumdb/";

/** Files of versions that no manifest names, and that are too old to be on their way. */
async function* uncommittedFiles({
  storage,
  now,
}: DefragUse): AsyncGenerator<{ readonly key: StorageKey; readonly size: number }> {
  const oldest = now() - minAgeMs;
  for await (const { key, size, modifiedMs } of storage.list(modulesPrefix)) {
    const manifest = key.startsWith(mirrorsPrefix) ? undefined : manifestOf(key);
    if (manifest === undefined || modifiedMs > oldest) continue;
    if ((await storage.stat(manifest)) === undefined) yield { key, size };
  }
}

/** The manifest that names a version's file; undefined for any other key. */
function manifestOf(key: StorageKey): StorageKey | undefined {
  const [, name, end] = /^(.+[/]@v[/][^/]+)[.](info|mod|zip)$/.exec(key) ?? [];
  if (name === undefined) return undefined;
  return storageKey(`${name}.${end === "zip" ? "zip" : "mod"}.manifest`);
}

class Counter {
  heap: Heap = { count: 0, bytes: 0 };

  add(bytes: number): void {
    this.heap = { count: this.heap.count + 1, bytes: this.heap.bytes + bytes };
  }
}
