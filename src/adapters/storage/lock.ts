// One process writes a store. A lock file names it; a lock whose process is gone is nobody's.

import { link, mkdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StoreLocked } from "#services/store/errors.ts";
import { codeOf } from "./_disk-calls.ts";
import { isAnotherAlive, tempFolder, tempPath } from "./_disk-temp.ts";

const lockFile = "granary.lock";
/** Two starts may both find a dead lock; one of them wins within a few tries. */
const maxTries = 5;

/** Takes the store for this process. Throws StoreLocked; returns how to give it back. */
export async function lockStore(root: string): Promise<() => Promise<void>> {
  const path = join(root, lockFile);
  await mkdir(join(root, tempFolder), { recursive: true, mode: 0o755 });
  let holder = 0;
  for (let tries = 0; tries < maxTries; tries++) {
    if (await take(root, path)) return async () => await unlink(path).catch(() => undefined);
    holder = await holderOf(path);
    if (isAnotherAlive(holder)) break;
    await clear(root, { path, dead: holder });
  }
  throw new StoreLocked(holder);
}

/** Whether another process has the store now. Touches nothing. */
export async function isStoreTaken(root: string): Promise<boolean> {
  return isAnotherAlive(await holderOf(join(root, lockFile)));
}

/** By link(2), so that the lock never exists without its holder's number. */
async function take(root: string, path: string): Promise<boolean> {
  const temp = tempPath(root);
  await writeFile(temp, String(process.pid), { flag: "wx", mode: 0o644 });
  try {
    await link(temp, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(temp);
  }
}

/** Puts a dead lock aside. If somebody else did so before us and took the store, the lock is theirs and goes back. */
async function clear(root: string, lock: { readonly path: string; readonly dead: number }): Promise<void> {
  const aside = tempPath(root);
  try {
    await rename(lock.path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  if ((await holderOf(aside)) !== lock.dead) await link(aside, lock.path).catch(() => undefined);
  await unlink(aside);
}

/** 0 when the file names nobody: a power cut leaves zeros in a file that was not synced. */
async function holderOf(path: string): Promise<number> {
  const text = await readFile(path, "utf8").catch(() => "");
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}
