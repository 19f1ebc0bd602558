// A folder of snapshots (services/store/snapshot-index.ts) on a disk: laid out and written as a store is, with a file that says
// that it is none. Who writes it holds its lock.

import { link, readdir, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SnapshotsUnusable, StoreLocked, StoreTooNew, StoreUnwritable } from "#services/store/errors.ts";
import type { Storage } from "#services/store/ports.ts";
import { codeOf, syncFolder } from "./_disk-calls.ts";
import { tempPath } from "./_disk-temp.ts";
import { openDiskStorage } from "./disk.ts";
import { lockStore } from "./lock.ts";
import { readOnlyStorage } from "./read-only.ts";

/** At the root, where no key can be. */
const marker = "granary.snapshots";
/** What a start that ended early leaves, and what a fresh disk has. */
const harmless: ReadonlySet<string> = new Set(["granary.json", "granary.lock", "tmp", "lost+found"]);
/** Eight of the largest zips at a time, and the largest index. */
const maxTempBytes = 16 * 2 ** 30;

/** Opens the folder to write it, making it when there is none. Throws SnapshotsUnusable; `release` gives its lock back. */
export async function openSnapshotFolder(
  dir: string,
): Promise<{ readonly vault: Storage; readonly release: () => Promise<void> }> {
  const isMarked = await hasMarker(dir);
  if (!isMarked) await checkEmpty(dir);
  try {
    const vault = await openDiskStorage(dir, { maxTempBytes });
    const release = await lockStore(dir);
    if (!isMarked) await mark(dir);
    return { vault, release };
  } catch (error) {
    if (error instanceof StoreLocked) throw new SnapshotsUnusable(`process ${error.holder} uses it`, { cause: error });
    if (error instanceof StoreUnwritable || error instanceof StoreTooNew || codeOf(error) !== undefined)
      throw new SnapshotsUnusable((error as Error).message, { cause: error });
    throw error;
  }
}

/** The folder to read; nothing in it is changed. Throws SnapshotsUnusable. */
export async function readSnapshotFolder(dir: string): Promise<Storage> {
  if (!(await hasMarker(dir))) throw new SnapshotsUnusable("there are no snapshots in it");
  return readOnlyStorage(dir);
}

async function hasMarker(dir: string): Promise<boolean> {
  try {
    return (await stat(join(dir, marker))).isFile();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw new SnapshotsUnusable((error as Error).message, { cause: error });
  }
}

/** Nobody's home becomes a folder of snapshots by a slip of the pen. */
async function checkEmpty(dir: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw new SnapshotsUnusable((error as Error).message, { cause: error });
  }
  const other = names.find((name) => !harmless.has(name));
  if (other !== undefined) throw new SnapshotsUnusable(`it has other things in it (${other})`);
}

async function mark(dir: string): Promise<void> {
  const temp = tempPath(dir);
  await writeFile(temp, `${JSON.stringify({ snapshots: 1 })}\n`, { flag: "wx", mode: 0o644, flush: true });
  try {
    await link(temp, join(dir, marker));
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    await unlink(temp);
  }
  await syncFolder(dir);
}
