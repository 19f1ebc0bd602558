// A module cache on this machine's disk, read. Symbolic links are never followed, and reading leaves no trace where the
// system allows that: when files were last read tells `modcache gc` what builds use.

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import type { Stats } from "node:fs";
import { access, lstat, open, readdir } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { ModuleVersion } from "#protocol/version.ts";
import { CacheUnreadable } from "#services/modcache/ports.ts";
import type { CacheEntry, CacheFacts, CacheTree, EntryKind, ZipHash } from "#services/modcache/ports.ts";
import { isFlocked } from "./flock.ts";

/** Hashes a zip at a path of this system, in whatever thread. */
export type HashZip = (path: string, id: ModuleVersion, signal: AbortSignal) => Promise<ZipHash>;

/** One read of a file that is hashed. */
const pieceBytes = 256 * 1024;
/** Entries of one folder; the largest trees have some thousand. */
const maxEntries = 200_000;

export class DiskModuleCache implements CacheTree {
  readonly root: string;
  readonly #hashZip: HashZip;
  readonly #user: number | undefined;

  constructor(root: string, hashZip: HashZip) {
    this.root = root;
    this.#hashZip = hashZip;
    this.#user = process.getuid?.();
  }

  /** Where a path of the cache is on this system. */
  locate(path: string): string {
    return path === "" ? this.root : join(this.root, ...path.split("/"));
  }

  async names(folder: string): Promise<readonly CacheEntry[]> {
    const entries = await this.#reading(folder, () => readdir(this.locate(folder), { withFileTypes: true }));
    if ((entries?.length ?? 0) > maxEntries) throw new CacheUnreadable(folder, `more than ${maxEntries} names`);
    return (entries ?? []).map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
  }

  async facts(path: string): Promise<CacheFacts | undefined> {
    const stats = await this.#reading(path, () => lstat(this.locate(path)));
    return stats && this.#factsOf(stats);
  }

  async read(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    return await this.#withFile(path, async (file) => {
      const bytes = Buffer.alloc(Math.min(maxBytes, (await file.stat()).size));
      let size = 0;
      while (size < bytes.length) {
        const { bytesRead } = await file.read(bytes, size, bytes.length - size, size);
        if (bytesRead === 0) break;
        size += bytesRead;
      }
      return bytes.subarray(0, size);
    });
  }

  async digest(path: string): Promise<string> {
    const digest = await this.#withFile(path, async (file) => {
      const hash = createHash("sha256");
      const piece = Buffer.allocUnsafe(pieceBytes);
      for (;;) {
        const { bytesRead } = await file.read(piece, 0, pieceBytes, null);
        if (bytesRead === 0) return hash.digest("hex");
        hash.update(piece.subarray(0, bytesRead));
      }
    });
    if (digest === undefined) throw new CacheUnreadable(path, "gone while it was read");
    return digest;
  }

  async hashZip(path: string, id: ModuleVersion, signal: AbortSignal): Promise<ZipHash> {
    const hash = await this.#reading(path, async () => {
      await access(this.locate(path), constants.R_OK);
      return await this.#hashZip(this.locate(path), id, signal);
    });
    if (hash === undefined) throw new CacheUnreadable(path, "gone while it was read");
    return hash;
  }

  async isLocked(path: string): Promise<boolean | undefined> {
    return await isFlocked(this.locate(path));
  }

  async isWritable(): Promise<boolean> {
    for (const folder of ["", "cache", "cache/download"])
      try {
        await access(this.locate(folder), constants.W_OK);
      } catch (error) {
        // What is not there yet can be made in what is.
        return folder !== "" && codeOf(error) === "ENOENT";
      }
    return true;
  }

  async #withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T | undefined> {
    const at = this.locate(path);
    const file = await this.#reading(path, () => openQuietly(at));
    if (file === undefined) return undefined;
    try {
      return await this.#reading(path, () => work(file));
    } finally {
      await file.close();
    }
  }

  async #reading<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      const code = codeOf(error);
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      // Anything but an error of the file system is a bug and travels on.
      if (code === undefined || !(error instanceof Error) || !("syscall" in error)) throw error;
      throw new CacheUnreadable(path, code, { cause: error });
    }
  }

  #factsOf(stats: Stats): CacheFacts {
    return {
      kind: kindOf(stats),
      size: stats.size,
      mode: stats.mode & 0o7777,
      modifiedMs: stats.mtimeMs,
      accessedMs: stats.atimeMs,
      isOurs: this.#user === undefined || stats.uid === this.#user,
    };
  }
}

/** Linux lets the owner of a file read it without a trace. */
const {
  O_NOATIME: noTrace = 0,
  O_NOFOLLOW: noLink = 0,
  O_NONBLOCK: noWait = 0,
} = constants as Partial<typeof constants>;
const plainly = constants.O_RDONLY | noLink | noWait;

async function openQuietly(path: string): Promise<FileHandle> {
  try {
    return await open(path, plainly | noTrace);
  } catch (error) {
    if (codeOf(error) !== "EPERM") throw error;
    return await open(path, plainly);
  }
}

function kindOf(entry: { isFile(): boolean; isDirectory(): boolean }): EntryKind {
  return entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "other";
}

function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : undefined;
}
