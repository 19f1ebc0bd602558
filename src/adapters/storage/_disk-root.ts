// Opening the directory of a store: ours to write, nobody else's, of a layout we know.

import { constants } from "node:fs";
import { link, lstat, mkdir, open, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { NoStore, StoreTooNew, StoreUnwritable } from "#services/store/errors.ts";
import { codeOf, syncFolder } from "./_disk-calls.ts";
import type { LeftStages } from "./_disk-left.ts";
import { tempFolder, tempPath } from "./_disk-temp.ts";

/**
 * The version of a new directory's layout; a store of a newer one is not touched. Of older ones: 1 knew no tombstones, so
 * that what was written under it may take an eviction for damage; it is read and written, and nothing is evicted there.
 */
export const currentLayout = 2;
const layoutFile = "granary.json";
/** The file is one short line. */
const maxLayoutBytes = 4096;

/** Makes the directory when there is none and checks that it can be used. Throws StoreUnwritable or StoreTooNew. */
export async function openRoot(
  root: string,
  options: { readonly sync: boolean; readonly left: LeftStages },
): Promise<void> {
  try {
    await makeRoot(root, options);
    const found = await readLayout(root);
    if (found !== undefined && found > currentLayout) throw new StoreTooNew(found, currentLayout);
    await makeTemp(root);
    await writeLayout(root, options);
    await options.left.findAmongTemp();
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    throw new StoreUnwritable((error as Error).message, { cause: error });
  }
}

/** The layout of an opened store. Throws StoreUnwritable when its file is damaged. */
export async function layoutOf(root: string): Promise<number> {
  return (await readLayout(root)) ?? currentLayout;
}

/** Says that the store has the current layout. Whoever knows only older ones does not open it from now on. */
export async function raiseLayout(root: string): Promise<void> {
  const temp = tempPath(root);
  try {
    await writeSynced(temp);
    await rename(temp, join(root, layoutFile));
    await syncFolder(root);
  } finally {
    await unlink(temp).catch(() => undefined);
  }
}

/** Looks whether there is a store of a layout that we know. Changes nothing. Throws NoStore, StoreUnwritable or StoreTooNew. */
export async function checkRoot(root: string): Promise<void> {
  let found: number | undefined;
  try {
    found = await readLayout(root);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    throw new StoreUnwritable((error as Error).message, { cause: error });
  }
  if (found === undefined) throw new NoStore(root);
  if (found > currentLayout) throw new StoreTooNew(found, currentLayout);
}

/** True when a store of a layout we know is there to be read. Throws StoreUnwritable or StoreTooNew for one we must not. */
export async function findStore(root: string): Promise<boolean> {
  const found = await readLayout(root);
  if (found !== undefined && found > currentLayout) throw new StoreTooNew(found, currentLayout);
  return found !== undefined;
}

async function makeRoot(root: string, options: { readonly sync: boolean }): Promise<void> {
  const first = await mkdir(root, { recursive: true, mode: 0o755 });
  if (first !== undefined && options.sync) await syncFolder(dirname(first));
  const facts = await stat(root);
  if (!facts.isDirectory()) throw new StoreUnwritable(`${root} is not a directory`);
  if (process.platform !== "win32" && (facts.mode & 0o002) !== 0)
    throw new StoreUnwritable(`${root} can be written by everybody; run: chmod o-w ${root}`);
}

async function readLayout(root: string): Promise<number | undefined> {
  let text: string;
  try {
    const handle = await open(join(root, layoutFile), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxLayoutBytes), 0, maxLayoutBytes, 0);
      text = buffer.toString("utf8", 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const found = layoutIn(text);
  if (found !== undefined) return found;
  const path = join(root, layoutFile);
  throw new StoreUnwritable(
    `${path} is damaged; if the directory is a Granary store, remove that file and start again`,
  );
}

function layoutIn(text: string): number | undefined {
  try {
    const value = JSON.parse(text) as { layout?: unknown } | null;
    return Number.isSafeInteger(value?.layout) ? (value?.layout as number) : undefined;
  } catch {
    return undefined;
  }
}

async function makeTemp(root: string): Promise<void> {
  const folder = join(root, tempFolder);
  await mkdir(folder, 0o755).catch((error: unknown) => {
    if (codeOf(error) !== "EEXIST") throw error;
  });
  if (!(await lstat(folder)).isDirectory())
    throw new StoreUnwritable(`${folder} is not a directory; move it out of the way`);
}

/** Also the proof that the file system takes what a commit needs: a temporary file, and link(2). */
async function writeLayout(root: string, options: { readonly sync: boolean }): Promise<void> {
  const temp = tempPath(root);
  const probe = tempPath(root);
  try {
    await writeSynced(temp, options.sync);
    await link(temp, probe);
    await link(temp, join(root, layoutFile)).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw error;
    });
  } finally {
    await unlink(probe).catch(() => undefined);
    await unlink(temp).catch(() => undefined);
  }
  if (options.sync) await syncFolder(root);
}

async function writeSynced(path: string, sync = true): Promise<void> {
  const handle = await open(path, "wx", 0o644);
  try {
    await handle.writeFile(`${JSON.stringify({ layout: currentLayout })}\n`);
    if (sync) await handle.sync();
  } finally {
    await handle.close();
  }
}
