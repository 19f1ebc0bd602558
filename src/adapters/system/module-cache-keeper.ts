// A module cache on this machine's disk, changed.

import { chmod, copyFile, lstat, mkdir, open, readdir, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CacheKeeper, CacheLock } from "#services/modcache/ports.ts";
import { takeFlock } from "./flock.ts";

/** What a keeper of ours writes beside goes by a name that go, too, takes for a temporary file. */
let written = 0;

export class DiskCacheKeeper implements CacheKeeper {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async lock(path: string): Promise<CacheLock | "held" | "no-locks"> {
    const at = this.#at(path);
    await mkdir(dirname(at), { recursive: true });
    return await takeFlock(at);
  }

  async removeFile(path: string): Promise<boolean> {
    try {
      await unlink(this.#at(path));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }

  /** The folders above it stay: a go command may be about to extract another version there. */
  async removeTree(folder: string): Promise<void> {
    const at = this.#at(folder);
    await makeWritable(at);
    await rm(at, { recursive: true, force: true, maxRetries: 3 });
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#beside(path, (temp) => writeFile(temp, bytes, { flag: "wx", mode: 0o644 }));
  }

  async overwrite(path: string, bytes: Uint8Array): Promise<void> {
    const file = await open(this.#at(path), "r+");
    try {
      await file.write(bytes, 0, bytes.length, 0);
      await file.truncate(bytes.length);
    } finally {
      await file.close();
    }
  }

  async copyIn(path: string, from: string): Promise<number> {
    await this.#beside(path, async (temp) => {
      await copyFile(from, temp);
      await chmod(temp, 0o644);
    });
    return (await stat(this.#at(path))).size;
  }

  async #beside(path: string, make: (temp: string) => Promise<void>): Promise<void> {
    const at = this.#at(path);
    await mkdir(dirname(at), { recursive: true });
    const temp = `${at}${process.pid}${++written}.tmp`;
    try {
      await make(temp);
      await rename(temp, at);
    } catch (error) {
      await rm(temp, { force: true });
      throw error;
    }
  }

  #at(path: string): string {
    return join(this.#root, ...path.split("/"));
  }
}

const ownerMay = 0o700;

/** Folders only: a file is removed by whoever may write its folder. */
async function makeWritable(folder: string): Promise<void> {
  const facts = await lstat(folder).catch(() => undefined);
  if (facts?.isDirectory() !== true) return;
  await chmod(folder, facts.mode | ownerMay);
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
}
