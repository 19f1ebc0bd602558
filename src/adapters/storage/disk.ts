// Storage on a local disk. A key is a path below the root, so the directory can be read without this program.
//
// create: temp → write → fsync → link(2) → unlink temp → fsync(directory). link() never overwrites, so two writers
// cannot both win. replace: the same with rename(2) after the token was compared under a lock of this process; one
// process writes a store. A crash leaves at most files in tmp/, which the next open removes.

import { constants } from "node:fs";
import type { BigIntStats } from "node:fs";
import { link, lstat, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { StoreTooNew, StoreUnwritable } from "#services/store/errors.ts";
import type { ObjectStat, OpenObject, Stage, Storage, StorageKey, StoredBytes } from "#services/store/ports.ts";
import { StageTooLarge, StoreFull, StoreUnavailable, storageKey } from "#services/store/ports.ts";
import { checkPrefix } from "./memory.ts";

export type DiskOptions = {
  /** Bytes of all stages together. */
  readonly maxTempBytes?: number;
  /** `never` gives up durability: benches and tests that fill large stores. */
  readonly fsync?: "always" | "never";
};

/** The version of the directory's layout; a store of a newer one is not touched. */
const layout = 1;
const layoutFile = "granary.json";
const tempFolder = "tmp";
const defaultMaxTempBytes = 8 * 2 ** 30;

/** Opens the store, making it when there is none. Throws StoreUnwritable or StoreTooNew. */
export async function openDiskStorage(root: string, options: DiskOptions = {}): Promise<DiskStorage> {
  await prepare(root);
  await checkLayout(root);
  await emptyTemp(join(root, tempFolder));
  return new DiskStorage(root, options);
}

export class DiskStorage implements Storage {
  readonly root: string;
  readonly #fsync: boolean;
  readonly #maxTempBytes: number;
  readonly #locks = new Map<string, Promise<unknown>>();
  readonly #folders = new Set<string>();
  #tempBytes = 0;
  #temps = 0;

  /** Use openDiskStorage(). */
  constructor(root: string, options: DiskOptions) {
    this.root = root;
    this.#fsync = options.fsync !== "never";
    this.#maxTempBytes = options.maxTempBytes ?? defaultMaxTempBytes;
  }

  async get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    const handle = await this.#openFile(key);
    if (handle === undefined) return undefined;
    try {
      const facts = statOf(await handle.stat({ bigint: true }));
      if (facts.size > maxBytes) throw new StoreUnavailable(key, `larger than ${maxBytes} bytes`);
      const bytes = Buffer.allocUnsafe(facts.size);
      if ((await readFully(handle, bytes)) !== facts.size) throw new StoreUnavailable(key, "changed while it was read");
      return { ...facts, bytes };
    } catch (error) {
      throw inOurWords(key, error);
    } finally {
      await handle.close();
    }
  }

  async stat(key: StorageKey): Promise<ObjectStat | undefined> {
    try {
      const facts = await lstat(this.#path(key), { bigint: true });
      return facts.isFile() ? statOf(facts) : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw inOurWords(key, error);
    }
  }

  async open(key: StorageKey): Promise<OpenObject | undefined> {
    const handle = await this.#openFile(key);
    if (handle === undefined) return undefined;
    const facts = statOf(await handle.stat({ bigint: true }));
    return {
      ...facts,
      read: async (offset, into) => {
        try {
          return (await handle.read(into, 0, into.length, offset)).bytesRead;
        } catch (error) {
          throw inOurWords(key, error);
        }
      },
      close: () => handle.close(),
    };
  }

  async create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    const path = this.#path(key);
    try {
      await this.#makeFolder(dirname(path));
      if (!(body instanceof Uint8Array)) return await this.#link(asDiskStage(body), path);
      const stage = await this.#stageWith(body);
      try {
        return await this.#link(stage, path);
      } finally {
        await stage.discard();
      }
    } catch (error) {
      throw inOurWords(key, error);
    }
  }

  async replace(key: StorageKey, bytes: Uint8Array, expected: string | undefined): Promise<"replaced" | "conflict"> {
    const path = this.#path(key);
    return await this.#locked(key, async () => {
      try {
        if ((await this.stat(key))?.token !== expected) return "conflict";
        await this.#makeFolder(dirname(path));
        const stage = await this.#stageWith(bytes);
        try {
          // With nothing to replace, link() makes sure that there still is nothing.
          if (expected === undefined) return (await this.#link(stage, path)) === "created" ? "replaced" : "conflict";
          await rename(stage.path, path);
          await this.#syncFolder(dirname(path));
          return "replaced";
        } finally {
          await stage.discard();
        }
      } catch (error) {
        throw inOurWords(key, error);
      }
    });
  }

  async remove(key: StorageKey): Promise<boolean> {
    const path = this.#path(key);
    return await this.#locked(key, async () => {
      try {
        await unlink(path);
        await this.#syncFolder(dirname(path));
        return true;
      } catch (error) {
        if (isAbsent(error)) return false;
        throw inOurWords(key, error);
      }
    });
  }

  async *list(prefix: string): AsyncGenerator<{ key: StorageKey; size: number; modifiedMs: number }> {
    checkPrefix(prefix);
    const folder = prefix === "" ? this.root : this.#path(storageKey(prefix.slice(0, -1)));
    yield* this.#walk(folder);
  }

  async stage(maxBytes: number): Promise<Stage> {
    return await this.#newStage(maxBytes);
  }

  async #newStage(maxBytes: number): Promise<DiskStage> {
    const path = join(this.root, tempFolder, `${process.pid}-${Date.now().toString(36)}-${(this.#temps++).toString(36)}`);
    try {
      const handle = await open(path, "wx", 0o644);
      return new DiskStage(path, handle, { maxBytes, sync: this.#fsync, account: (bytes) => this.#account(bytes) });
    } catch (error) {
      throw inOurWords(path, error);
    }
  }

  #account(bytes: number): void {
    if (bytes > 0 && this.#tempBytes + bytes > this.#maxTempBytes) throw new StoreFull(tempFolder, `temporary files would exceed ${this.#maxTempBytes} bytes`);
    this.#tempBytes += bytes;
  }

  async #stageWith(bytes: Uint8Array): Promise<DiskStage> {
    const stage = await this.#newStage(bytes.length);
    try {
      await stage.write(bytes);
      await stage.seal();
      return stage;
    } catch (error) {
      await stage.discard();
      throw error;
    }
  }

  async #link(stage: DiskStage, path: string): Promise<"created" | "exists"> {
    try {
      await link(stage.path, path);
    } catch (error) {
      if (codeOf(error) === "EEXIST") {
        if ((await lstat(path)).isFile()) return "exists";
        throw new StoreUnavailable(path, "something that is not a file is in the way");
      }
      throw error;
    }
    await stage.taken();
    await this.#syncFolder(dirname(path));
    return "created";
  }

  async *#walk(folder: string): AsyncGenerator<{ key: StorageKey; size: number; modifiedMs: number }> {
    let entries;
    try {
      entries = await readdir(folder, { withFileTypes: true });
    } catch (error) {
      if (isAbsent(error)) return;
      throw inOurWords(folder, error);
    }
    for (const entry of entries) {
      const path = join(folder, entry.name);
      const isOurs = folder === this.root && (entry.name === tempFolder || entry.name === layoutFile);
      if (isOurs) continue;
      if (entry.isDirectory()) yield* this.#walk(path);
      if (!entry.isFile()) continue;
      const key = storageKey(relative(this.root, path).split(sep).join("/"));
      const facts = await this.stat(key);
      if (facts !== undefined) yield { key, size: facts.size, modifiedMs: facts.modifiedMs };
    }
  }

  #path(key: StorageKey): string {
    return join(this.root, key);
  }

  async #openFile(key: StorageKey): Promise<FileHandle | undefined> {
    try {
      const handle = await open(this.#path(key), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      if ((await handle.stat()).isFile()) return handle;
      await handle.close();
      return undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw inOurWords(key, error);
    }
  }

  /** Makes a folder and all above it, durably. */
  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder) || folder === this.root) return;
    await this.#makeFolder(dirname(folder));
    try {
      await mkdir(folder, 0o755);
      await this.#syncFolder(dirname(folder));
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    // Remembering is only a shortcut: forget all rather than grow without bound.
    if (this.#folders.size >= maxRememberedFolders) this.#folders.clear();
    this.#folders.add(folder);
  }

  async #syncFolder(folder: string): Promise<void> {
    if (!this.#fsync) return;
    const handle = await open(folder, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async #locked<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#locks.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => undefined);
    this.#locks.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.#locks.get(key) === settled) this.#locks.delete(key);
    }
  }
}

const maxRememberedFolders = 100_000;

type StageLimits = { readonly maxBytes: number; readonly sync: boolean; /** Throws StoreFull. */ readonly account: (bytes: number) => void };

class DiskStage implements Stage {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #limits: StageLimits;
  #state: "open" | "sealed" | "gone" = "open";
  size = 0;

  constructor(path: string, handle: FileHandle, limits: StageLimits) {
    this.path = path;
    this.#handle = handle;
    this.#limits = limits;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#state !== "open") throw new Error("the stage takes no more writes");
    if (this.size + chunk.length > this.#limits.maxBytes) throw new StageTooLarge(this.#limits.maxBytes);
    this.#limits.account(chunk.length);
    this.size += chunk.length;
    try {
      for (let at = 0; at < chunk.length; ) at += (await this.#handle.write(chunk, at)).bytesWritten;
    } catch (error) {
      throw inOurWords(this.path, error);
    }
  }

  async seal(): Promise<void> {
    if (this.#state !== "open") return;
    try {
      if (this.#limits.sync) await this.#handle.sync();
      await this.#handle.close();
    } catch (error) {
      throw inOurWords(this.path, error);
    }
    this.#state = "sealed";
  }

  locate(): { readonly path: string } {
    if (this.#state !== "sealed") throw new Error("the stage is not sealed");
    return { path: this.path };
  }

  /** The file has a name of its own now; the temporary one goes. */
  async taken(): Promise<void> {
    await this.#end();
  }

  async discard(): Promise<void> {
    await this.#end();
  }

  async #end(): Promise<void> {
    if (this.#state === "gone") return;
    if (this.#state === "open") await this.#handle.close().catch(() => undefined);
    this.#state = "gone";
    this.#limits.account(-this.size);
    await unlink(this.path).catch(() => undefined); // a temp that stays is removed at the next open
  }
}

function asDiskStage(stage: Stage): DiskStage {
  if (stage instanceof DiskStage) return stage;
  throw new Error("the stage belongs to another storage");
}

async function prepare(root: string): Promise<void> {
  try {
    await mkdir(join(root, tempFolder), { recursive: true, mode: 0o755 });
    const facts = await stat(root);
    if (process.platform !== "win32" && (facts.mode & 0o002) !== 0)
      throw new StoreUnwritable(`${root} can be written by everybody; run: chmod o-w ${root}`);
    const probe = join(root, tempFolder, `probe-${process.pid}`);
    await (await open(probe, "w")).close();
    await unlink(probe);
  } catch (error) {
    if (error instanceof StoreUnwritable) throw error;
    throw new StoreUnwritable((error as Error).message, { cause: error });
  }
}

async function checkLayout(root: string): Promise<void> {
  const path = join(root, layoutFile);
  let text: string;
  try {
    const handle = await open(path, "wx", 0o644);
    await handle.writeFile(`${JSON.stringify({ layout })}\n`);
    await handle.sync();
    await handle.close();
    return;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw new StoreUnwritable((error as Error).message, { cause: error });
    const handle = await open(path, "r");
    text = await handle.readFile("utf8");
    await handle.close();
  }
  const found = Number(/"layout"\s*:\s*(\d+)/.exec(text)?.[1] ?? layout);
  if (found > layout) throw new StoreTooNew(found, layout);
}

/** Removes what dead processes left; a command may open the store while a server writes it. */
async function emptyTemp(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (!isAlive(Number(name.split("-")[0]))) await unlink(join(folder, name)).catch(() => undefined);
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

async function readFully(handle: FileHandle, into: Buffer): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await handle.read(into, done, into.length - done, done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

function statOf(facts: BigIntStats): ObjectStat {
  const token = `${facts.ino}.${facts.size}.${facts.mtimeNs}.${facts.ctimeNs}`;
  return { size: Number(facts.size), modifiedMs: Number(facts.mtimeMs), token };
}

/** ELOOP: a symbolic link somebody planted is no object of ours. */
function isAbsent(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "ENAMETOOLONG" || code === "EISDIR";
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function inOurWords(key: string, error: unknown): Error {
  if (error instanceof StoreUnavailable || error instanceof StageTooLarge) return error;
  const code = codeOf(error);
  if (typeof code !== "string") return error as Error;
  if (code === "ENOSPC" || code === "EDQUOT") return new StoreFull(key, "no space left", { cause: error });
  return new StoreUnavailable(key, code, { cause: error });
}
