// Bytes of files: of one version, or of everything below a folder. Sizes as files have them, not as disks round them.

import { treePath } from "./layout.ts";
import { CacheUnreadable } from "./ports.ts";
import type { CacheTree } from "./ports.ts";
import type { Unit } from "./survey.ts";

export type Sizes = { readonly download: number; readonly tree: number; readonly total: number };

export async function measure(cache: CacheTree, { id, files, tree }: Unit): Promise<Sizes> {
  const download = Object.values(files).reduce((sum, { size }) => sum + size, 0);
  const below = tree === undefined ? 0 : (await measureFolder(cache, treePath(id))).bytes;
  return { download, tree: below, total: download + below };
}

/** What cannot be read counts nothing. */
export async function measureFolder(
  cache: CacheTree,
  top: string,
): Promise<{ readonly files: number; readonly bytes: number; readonly folders: number }> {
  const sum = { files: 0, bytes: 0, folders: 0 };
  const waiting = [top];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for (const { name, kind } of await orNone(cache.names(folder), [])) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (kind === "folder") {
        sum.folders++;
        waiting.push(path);
        continue;
      }
      sum.files++;
      sum.bytes += (await orNone(cache.facts(path), undefined))?.size ?? 0;
    }
  }
  return sum;
}

async function orNone<T>(work: Promise<T>, none: T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CacheUnreadable) return none;
    throw error;
  }
}
