// A plain file:// GOPROXY tree as a storage: what a key names below `modules/` lies right below the directory, as a go
// command reads it. What else a service keeps for itself stays in memory. Files get their names by rename(2), whole
// and durable; file systems without hard links will do, as such trees travel on sticks.

import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, readFile, rename, rm, unlink } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { ObjectStat, OpenObject, Stage, Storage, StorageKey, StoredBytes } from "#services/store/ports.ts";
import { StoreUnavailable, storageKey } from "#services/store/ports.ts";
import { inOurWords, isAbsent, readFully, statOf, syncFolder } from "./_disk-calls.ts";
import { Folders } from "./_disk-folders.ts";
import { DiskStage, emptyTemp, tempFolder, TempSpace } from "./_disk-temp.ts";
import { KeyLocks } from "./_key-locks.ts";
import { checkPrefix } from "./_prefix.ts";
import { MemoryStorage } from "./memory.ts";

const prefix = "modules/";
/** No path of a module begins with a dot. */
const ownFolder = ".granary-export";
/** Non-blocking: a planted pipe must not hold us. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Stages at a time; each costs a file descriptor. */
const maxStages = 64;

/** Makes the directory when there is none. Throws StoreUnavailable when it cannot be written. */
export async function openPlainTree(root: string): Promise<PlainTree> {
  const own = join(root, ownFolder);
  try {
    await mkdir(join(own, tempFolder), { recursive: true, mode: 0o755 });
    await emptyTemp(own, () => Promise.resolve(new Set()));
  } catch (error) {
    throw inOurWords(root, error);
  }
  return new PlainTree(root);
}

export class PlainTree implements Storage {
  readonly #root: string;
  readonly #own: string;
  readonly #temp: TempSpace;
  readonly #folders: Folders;
  readonly #locks = new KeyLocks();
  readonly #rest = new MemoryStorage();

  /** Use openPlainTree(). */
  constructor(root: string) {
    this.#root = root;
    this.#own = join(root, ownFolder);
    this.#temp = new TempSpace(this.#own, { maxBytes: Infinity, maxStages, sync: true });
    this.#folders = new Folders(root, { sync: true });
  }

  async get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    if (!isOurs(key)) return await this.#rest.get(key, maxBytes);
    const object = await this.open(key);
    if (object === undefined) return undefined;
    try {
      const { size, modifiedMs, token } = object;
      if (size > maxBytes) throw new StoreUnavailable(key, `larger than ${maxBytes} bytes`);
      const bytes = Buffer.allocUnsafe(size);
      if ((await object.read(0, bytes)) < size) throw new StoreUnavailable(key, "it shrank while it was read");
      return { size, modifiedMs, token, bytes };
    } finally {
      await object.close();
    }
  }

  async stat(key: StorageKey): Promise<ObjectStat | undefined> {
    if (!isOurs(key)) return await this.#rest.stat(key);
    return await this.#try(key, async () => {
      const facts = await lstat(this.#path(key), { bigint: true });
      return facts.isFile() ? statOf(facts) : undefined;
    });
  }

  async open(key: StorageKey): Promise<OpenObject | undefined> {
    if (!isOurs(key)) return await this.#rest.open(key);
    return await this.#try(key, async () => {
      const handle = await open(this.#path(key), openFlags);
      const facts = await handle.stat({ bigint: true });
      if (facts.isFile())
        return {
          ...statOf(facts),
          read: (offset: number, into: Uint8Array) => readFully(handle, into, offset),
          close: () => handle.close(),
        };
      await handle.close();
      return undefined;
    });
  }

  async create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    if (!isOurs(key)) return await this.#remember(key, body);
    return await this.#locks.run(key, async () => {
      if ((await this.stat(key)) !== undefined) return "exists";
      await this.#put(key, body);
      return "created";
    });
  }

  async replace(
    key: StorageKey,
    body: Uint8Array | Stage,
    expected: string | undefined,
  ): Promise<"replaced" | "conflict"> {
    if (!isOurs(key)) return await this.#rest.replace(key, body, expected);
    return await this.#locks.run(key, async () => {
      if ((await this.stat(key))?.token !== expected) return "conflict";
      await this.#put(key, body);
      return "replaced";
    });
  }

  async remove(key: StorageKey): Promise<boolean> {
    if (!isOurs(key)) return await this.#rest.remove(key);
    const removed = await this.#try(key, async () => {
      await unlink(this.#path(key));
      return true;
    });
    return removed ?? false;
  }

  async *list(wanted: string): ReturnType<Storage["list"]> {
    checkPrefix(wanted);
    if (!isOurs(wanted)) yield* this.#rest.list(wanted);
    if (wanted === "" || isOurs(wanted)) yield* this.#walk(join(this.#root, wanted.slice(prefix.length)));
  }

  async stage(maxBytes: number): Promise<Stage> {
    return await this.#temp.open(maxBytes);
  }

  /** Takes our own folder away, unless somebody else is writing too. */
  async close(): Promise<void> {
    const left = await readdir(join(this.#own, tempFolder)).catch(() => ["?"]);
    if (left.length === 0) await rm(this.#own, { recursive: true, force: true });
  }

  async #remember(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    if (body instanceof Uint8Array) return await this.#rest.create(key, body);
    const made = await this.#rest.create(key, await readFile(ownStage(body).locate().path));
    if (made === "created") await body.discard();
    return made;
  }

  async #put(key: StorageKey, body: Uint8Array | Stage): Promise<void> {
    const stage = body instanceof Uint8Array ? await this.#staged(body) : ownStage(body);
    const path = this.#path(key);
    try {
      await this.#folders.make(dirname(path));
      await rename(stage.locate().path, path);
      await syncFolder(dirname(path));
    } catch (error) {
      throw inOurWords(key, error);
    } finally {
      if (body instanceof Uint8Array) await stage.discard();
    }
    await stage.discard();
  }

  async #staged(bytes: Uint8Array): Promise<DiskStage> {
    const stage = await this.#temp.open(bytes.length);
    try {
      await stage.write(bytes);
      await stage.seal();
      return stage;
    } catch (error) {
      await stage.discard();
      throw error;
    }
  }

  async *#walk(folder: string): ReturnType<Storage["list"]> {
    const entries = (await this.#try(folder, () => readdir(folder, { withFileTypes: true }))) ?? [];
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (path === this.#own) continue;
      if (entry.isDirectory()) yield* this.#walk(path);
      if (!entry.isFile()) continue;
      const key = storageKey(prefix + relative(this.#root, path).split(sep).join("/"));
      const facts = await this.stat(key);
      if (facts !== undefined) yield { key, size: facts.size, modifiedMs: facts.modifiedMs };
    }
  }

  #path(key: StorageKey): string {
    return join(this.#root, key.slice(prefix.length));
  }

  async #try<T>(key: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw inOurWords(key, error);
    }
  }
}

function isOurs(key: string): boolean {
  return key.startsWith(prefix);
}

function ownStage(stage: Stage): DiskStage {
  if (stage instanceof DiskStage) return stage;
  throw new Error("the stage belongs to another storage");
}
