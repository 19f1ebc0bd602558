// One process writes a store. A lock file names it; a lock whose process is gone is nobody's.

import { open, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { StoreLocked } from "#services/store/errors.ts";

const lockFile = "granary.lock";
/** Two starts may both find a dead lock; one of them wins within a few tries. */
const maxTries = 5;

/** Takes the store for this process. Throws StoreLocked; returns how to give it back. */
export async function lockStore(root: string): Promise<() => Promise<void>> {
  const path = join(root, lockFile);
  let holder = 0;
  for (let tries = 0; tries < maxTries; tries++) {
    if (await take(path)) return async () => await unlink(path).catch(() => undefined);
    holder = Number(await readFile(path, "utf8").catch(() => "0"));
    if (isAlive(holder)) break;
    await unlink(path).catch(() => undefined);
  }
  throw new StoreLocked(holder);
}

async function take(path: string): Promise<boolean> {
  try {
    const handle = await open(path, "wx", 0o644);
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** True while a process has this id; one that belongs to somebody else counts. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
