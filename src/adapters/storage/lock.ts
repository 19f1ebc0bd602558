// One process writes a store. A lock file names it, and the boot of the machine that it belongs to, where the system tells
// one boot from another: after a power cut some other process may have its number. A lock whose process is gone is nobody's.

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
  const holder = `${process.pid} ${await bootOf()}`.trimEnd();
  try {
    // On disk before it has its name: a power cut must not leave half a number.
    await writeFile(temp, holder, { flag: "wx", mode: 0o644, flush: true });
    await link(temp, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(temp).catch(() => undefined); // what stays is removed at the next open
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

/** 0 when the file names nobody who can be alive. */
async function holderOf(path: string): Promise<number> {
  const text = await readFile(path, "utf8").catch(() => "");
  const [, holder = "0", boot = ""] = /^(\d{1,15})(?: ([0-9a-f-]{36}))?$/.exec(text) ?? [];
  if (boot !== "" && boot !== (await bootOf())) return 0;
  return Number(holder);
}

/** Differs after each start of the machine; empty where the system does not say (anything but Linux). */
async function bootOf(): Promise<string> {
  const text = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  return /^[0-9a-f-]{36}$/.exec(text.trim())?.[0] ?? "";
}
