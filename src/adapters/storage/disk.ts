// Storage on a local disk. A key is a path below the root, so the directory can be read without this program.
//
// create: temp → write → fsync → link(2) → unlink temp → fsync(directory). link() never overwrites, so two writers
// cannot both win. replace: the same with rename(2) after the token was compared under a lock of this process; one
// process writes a store. A crash leaves at most files in tmp/, which the next open removes,
// but for unfinished stages that somebody may go on with (_disk-left.ts).

import { constants } from "node:fs";
import { link, lstat, open, readdir, rename, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type {
  LastingStages,
  ObjectStat,
  OpenObject,
  Stage,
  Storage,
  StorageKey,
  StoredBytes,
} from "#services/store/ports.ts";
import { StoreUnavailable, storageKey } from "#services/store/ports.ts";
import { codeOf, inOurWords, isAbsent, readFully, statOf, syncFolder } from "./_disk-calls.ts";
import { Folders } from "./_disk-folders.ts";
import { DiskLastingStages } from "./_disk-lasting.ts";
import { LeftStages } from "./_disk-left.ts";
import type { LeftLimits } from "./_disk-left.ts";
import { layoutOf, openRoot, raiseLayout } from "./_disk-root.ts";
import { DiskStage, tempFolder, TempSpace } from "./_disk-temp.ts";
import { NewNames } from "./_disk-names.ts";
import { KeyLocks } from "./_key-locks.ts";
import { checkPrefix } from "./_prefix.ts";

export { currentLayout } from "./_disk-root.ts";

export type DiskOptions = {
  /** Bytes of all stages together. */
  readonly maxTempBytes?: number;
  /** Stages at a time. */
  readonly maxStages?: number;
  /** `never` gives up durability: benches and tests that fill large stores. */
  readonly fsync?: "always" | "never";
  /** Bounds of what unfinished stages leave. */
  readonly left?: Partial<LeftLimits>;
  /**
   * Makes the directory again when it has vanished, for one that holds nothing but copies. Without it nothing is written
   * then: a store whose disk is no longer mounted must not go on in the mount point.
   */
  readonly remake?: () => Promise<void>;
};

/** Eight zips of the largest size Go allows. */
const defaultMaxTempBytes = 4 * 2 ** 30;
/** What unfinished stages may leave beside those, if that many are allowed at all. */
export const maxLeftBytes = 2 ** 30;
/** Whoever removes empty folders takes each once, from the innermost outwards; a key has fewer elements than this in practice. */
const maxFolderTries = 64;
/** Far above the ingests that run at a time; each costs a file descriptor. */
const defaultMaxStages = 1024;
/** Small objects written at a time; the others wait. Bounds descriptors and fsyncs in flight. */
const maxWrites = 64;

type Listed = { readonly key: StorageKey; readonly size: number; readonly modifiedMs: number };

/** Opens the store, making it when there is none. Throws StoreUnwritable or StoreTooNew. */
export async function openDiskStorage(root: string, options: DiskOptions = {}): Promise<DiskStorage> {
  const left = leftStagesOf(root, options);
  await openRoot(root, { sync: options.fsync !== "never", left });
  return new DiskStorage(root, options, left);
}

export function leftStagesOf(root: string, options: DiskOptions): LeftStages {
  const { maxTempBytes = defaultMaxTempBytes } = options;
  return new LeftStages(root, { bytes: Math.min(maxLeftBytes, maxTempBytes), ...options.left });
}

/** The layout of the store in a directory. Throws StoreUnwritable when what says so is damaged. */
export async function storeLayout(root: string): Promise<number> {
  return await layoutOf(root);
}

export class DiskStorage implements Storage {
  readonly root: string;
  readonly lasting: LastingStages;
  readonly #left: LeftStages;
  readonly #sync: boolean;
  readonly #temp: TempSpace;
  readonly #writes: TempSpace;
  readonly #folders: Folders;
  readonly #names: NewNames;
  readonly #locks = new KeyLocks();
  #remaking: Promise<void> | undefined;
  #writing = 0;
  readonly #waiting: (() => void)[] = [];

  /** Use openDiskStorage(). */
  constructor(root: string, options: DiskOptions, left = new LeftStages(root)) {
    this.root = root;
    this.#left = left;
    this.#sync = options.fsync !== "never";
    const { maxTempBytes = defaultMaxTempBytes, maxStages = defaultMaxStages } = options;
    const remake = options.remake && (() => this.#remake(options.remake));
    this.#temp = new TempSpace(root, { maxBytes: maxTempBytes, maxStages, sync: this.#sync, remake });
    this.lasting = new DiskLastingStages(this.#temp, left);
    // Bytes that are in memory already are bounded there; a full house of stages must not stop a manifest.
    this.#writes = new TempSpace(root, { maxBytes: Infinity, maxStages: maxWrites, sync: this.#sync, remake });
    this.#folders = new Folders(root, { sync: this.#sync });
    this.#names = new NewNames({ sync: this.#sync });
  }

  /** See currentLayout. */
  async layout(): Promise<number> {
    return await layoutOf(this.root);
  }

  /** To be called when the store has all that the current layout asks for. */
  async raiseLayout(): Promise<void> {
    await raiseLayout(this.root);
  }

  async get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    const file = await this.#openFile(key);
    if (file === undefined) return undefined;
    const { handle, facts } = file;
    try {
      if (facts.size > maxBytes) throw new StoreUnavailable(key, `larger than ${maxBytes} bytes`);
      const bytes = Buffer.allocUnsafe(facts.size);
      if ((await readFully(handle, bytes, 0)) < facts.size)
        throw new StoreUnavailable(key, "it shrank while it was read");
      return { ...facts, bytes };
    } catch (error) {
      throw inOurWords(key, error);
    } finally {
      await handle.close();
    }
  }

  async stat(key: StorageKey): Promise<ObjectStat | undefined> {
    try {
      const path = this.#path(key);
      const settled = this.#names.settled(key, dirname(path));
      if (settled !== undefined) await settled;
      const facts = await lstat(path, { bigint: true });
      return facts.isFile() ? statOf(facts) : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw inOurWords(key, error);
    }
  }

  async open(key: StorageKey): Promise<OpenObject | undefined> {
    const file = await this.#openFile(key);
    if (file === undefined) return undefined;
    const { handle, facts } = file;
    return {
      ...facts,
      read: async (offset, into) => {
        try {
          return await readFully(handle, into, offset);
        } catch (error) {
          throw inOurWords(key, error);
        }
      },
      close: () => handle.close(),
    };
  }

  async create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    if (!(body instanceof Uint8Array)) return await this.#createFrom(key, ownStage(body));
    if ((await this.stat(key)) !== undefined) return "exists";
    return await this.#staged(body, (stage) => this.#createFrom(key, stage));
  }

  async replace(
    key: StorageKey,
    body: Uint8Array | Stage,
    expected: string | undefined,
  ): Promise<"replaced" | "conflict"> {
    return await this.#locks.run(key, async () => {
      if ((await this.stat(key))?.token !== expected) return "conflict";
      if (!(body instanceof Uint8Array)) return await this.#replaceFrom(key, ownStage(body), expected);
      return await this.#staged(body, (stage) => this.#replaceFrom(key, stage, expected));
    });
  }

  async remove(key: StorageKey): Promise<boolean> {
    return await this.#locks.run(key, async () => {
      const path = this.#path(key);
      try {
        await unlink(path);
      } catch (error) {
        if (isAbsent(error)) return false;
        throw inOurWords(key, error);
      }
      try {
        if (this.#sync) await syncFolder(dirname(path));
      } catch (error) {
        // The folder was empty without it, and somebody has removed it.
        if (!isAbsent(error)) throw inOurWords(key, error);
      }
      return true;
    });
  }

  async *list(prefix: string): AsyncGenerator<Listed> {
    checkPrefix(prefix);
    yield* this.#walk(prefix === "" ? this.root : this.#path(storageKey(prefix.slice(0, -1))));
  }

  async stage(maxBytes: number): Promise<Stage> {
    await this.#left.dropOld();
    return await this.#temp.open(maxBytes);
  }

  async #replaceFrom(
    key: StorageKey,
    stage: DiskStage,
    expected: string | undefined,
  ): Promise<"replaced" | "conflict"> {
    // With nothing to replace, link() makes sure that there still is nothing.
    if (expected === undefined) return (await this.#createFrom(key, stage)) === "created" ? "replaced" : "conflict";
    const from = stage.locate().path;
    await this.#inFolder(key, (path) => rename(from, path));
    await stage.discard(); // the bytes have another name now
    return "replaced";
  }

  async #createFrom(key: StorageKey, stage: DiskStage): Promise<"created" | "exists"> {
    const from = stage.locate().path;
    try {
      await this.#inFolder(key, async (path) => {
        await link(from, path);
        await stage.discard(); // the bytes have a name of their own now
      });
      return "created";
    } catch (error) {
      if (codeOf((error as Error).cause) !== "EEXIST") throw error;
      // Another process may have removed it meanwhile: it was there when link() looked.
      if (!(await this.#isBlocked(key))) return "exists";
      throw new StoreUnavailable(key, "something that is not a file is in the way", { cause: error });
    }
  }

  /** Whoever finds the directory gone waits for the first one to make it. */
  async #remake(make: (() => Promise<void>) | undefined): Promise<void> {
    this.#remaking ??= (async () => {
      await make?.();
      await openRoot(this.root, { sync: this.#sync, left: this.#left });
      this.#folders.forget();
    })().finally(() => (this.#remaking = undefined));
    await this.#remaking;
  }

  /** True when a folder, link or device has the key's place. */
  async #isBlocked(key: StorageKey): Promise<boolean> {
    try {
      return !(await lstat(this.#path(key))).isFile();
    } catch (error) {
      if (isAbsent(error)) return false;
      throw inOurWords(key, error);
    }
  }

  /** Puts a name into its folder, and makes it durable. A folder that vanished behind our back is made again. */
  async #inFolder(key: StorageKey, put: (path: string) => Promise<void>): Promise<void> {
    const path = this.#path(key);
    const folder = dirname(path);
    try {
      await this.#names.put(key, folder, async () => {
        for (let tries = 1; ; tries++) {
          try {
            await this.#folders.make(folder);
            await put(path);
            return;
          } catch (error) {
            if (codeOf(error) !== "ENOENT" || tries === maxFolderTries) throw error;
            this.#folders.forget();
          }
        }
      });
    } catch (error) {
      throw inOurWords(key, error);
    }
  }

  /** Runs `use` with a sealed stage that holds `bytes`; the stage is gone afterwards. */
  async #staged<T>(bytes: Uint8Array, use: (stage: DiskStage) => Promise<T>): Promise<T> {
    if (this.#writing >= maxWrites) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#writing++;
    try {
      const stage = await this.#writes.open(bytes.length);
      try {
        await stage.write(bytes);
        await stage.seal();
        return await use(stage);
      } finally {
        await stage.discard();
      }
    } finally {
      // The turn goes to whoever waits, or back.
      const next = this.#waiting.shift();
      if (next === undefined) this.#writing--;
      else next();
    }
  }

  async *#walk(folder: string): AsyncGenerator<Listed> {
    let entries;
    try {
      entries = await readdir(folder, { withFileTypes: true });
    } catch (error) {
      if (isAbsent(error)) return;
      throw inOurWords(relative(this.root, folder), error);
    }
    for (const entry of entries) {
      if (folder === this.root && isReserved(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) yield* this.#walk(path);
      const key = entry.isFile() ? keyOf(relative(this.root, path)) : undefined;
      if (key === undefined) continue;
      const facts = await this.stat(key);
      if (facts !== undefined) yield { key, size: facts.size, modifiedMs: facts.modifiedMs };
    }
  }

  /** Throws RangeError on a key that would name our own files: a bug of the caller. */
  #path(key: StorageKey): string {
    if (isReserved(key.split("/", 1)[0] ?? "")) throw new RangeError(`reserved storage key ${JSON.stringify(key)}`);
    return join(this.root, key);
  }

  async #openFile(key: StorageKey): Promise<{ readonly handle: FileHandle; readonly facts: ObjectStat } | undefined> {
    let handle: FileHandle | undefined;
    try {
      const path = this.#path(key);
      const settled = this.#names.settled(key, dirname(path));
      if (settled !== undefined) await settled;
      // Non-blocking: a planted pipe must not hold us.
      handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const facts = await handle.stat({ bigint: true });
      if (facts.isFile()) return { handle, facts: statOf(facts) };
      await handle.close();
      return undefined;
    } catch (error) {
      await handle?.close().catch(() => undefined);
      if (isAbsent(error)) return undefined;
      throw inOurWords(key, error);
    }
  }
}

/** Names at the root that no key may begin with: granary.json and its kind tell of the directory itself. */
function isReserved(name: string): boolean {
  return name === tempFolder || name.startsWith("granary.");
}

/** The key of a file's path; undefined when the file has a name that no key of ours has. */
function keyOf(path: string): StorageKey | undefined {
  try {
    return storageKey(path.split(sep).join("/"));
  } catch {
    return undefined;
  }
}

function ownStage(stage: Stage): DiskStage {
  if (stage instanceof DiskStage) return stage;
  throw new Error("the stage belongs to another storage");
}
