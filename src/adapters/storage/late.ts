// A store whose disk took no writes when it was opened: what is kept is served, and writing begins once it can.
//
// Until then every change fails as the disk failed, whatever the disk would say meanwhile: without the lock another
// process may own the store.

import type { Stage, StorageKey } from "#services/store/ports.ts";
import { StoreUnwritable } from "#services/store/errors.ts";
import { codeOf, inOurWords } from "./_disk-calls.ts";
import type { LeftStages } from "./_disk-left.ts";
import { findStore, openRoot } from "./_disk-root.ts";
import { DiskStorage, leftStagesOf, openDiskStorage } from "./disk.ts";
import type { DiskOptions } from "./disk.ts";
import { lockStore } from "./lock.ts";

/** An opened store and how to give it back. */
export type Opened = {
  readonly storage: DiskStorage;
  readonly release: () => Promise<void>;
  /** Why nothing can be written yet; undefined when everything can. */
  readonly closed: LateStorage | undefined;
};

/** What a disk may say to a write and still be worth reading from. */
const readable: ReadonlySet<string> = new Set(["EROFS", "ENOSPC", "EDQUOT"]);

/**
 * Opens the store for a server and takes its lock. A store that is there, on a disk that is read-only or full, is opened
 * for reading. Throws StoreUnwritable, StoreTooNew, StoreLocked.
 */
export async function openServedStorage(root: string, options: DiskOptions): Promise<Opened> {
  try {
    const storage = await openDiskStorage(root, options);
    return { storage, release: await lockStore(root), closed: undefined };
  } catch (error) {
    const cause = error instanceof StoreUnwritable ? error.cause : error;
    if (!readable.has(codeOf(cause) ?? "") || !(await findStore(root))) throw error;
    const late = new LateStorage(root, options, cause);
    return { storage: late, release: () => late.release(), closed: late };
  }
}

export class LateStorage extends DiskStorage {
  readonly #options: DiskOptions;
  readonly #left: LeftStages;
  /** What the disk said when it was last tried; undefined once the store is ours to write. */
  #refusal: unknown;
  #release: () => Promise<void> = () => Promise.resolve();

  /** Use openServedStorage(). @param refusal the system's error */
  constructor(root: string, options: DiskOptions, refusal: unknown) {
    const left = leftStagesOf(root, options);
    super(root, options, left);
    this.#options = options;
    this.#left = left;
    this.#refusal = refusal;
  }

  /** Why nothing can be written, as StoreFull or StoreUnavailable; undefined once everything can. */
  get refusal(): unknown {
    return this.#refusal === undefined ? undefined : inOurWords("store", this.#refusal);
  }

  /**
   * Tries to take the store for writing; does nothing once it is ours. Throws StoreUnavailable while the disk takes no
   * writes, StoreUnwritable, StoreTooNew or StoreLocked when it does and the store is not for us.
   */
  async beginWriting(): Promise<void> {
    if (this.#refusal === undefined) return;
    try {
      await openRoot(this.root, { sync: this.#options.fsync !== "never", left: this.#left });
      this.#release = await lockStore(this.root);
      this.#refusal = undefined;
    } catch (error) {
      const cause = error instanceof StoreUnwritable ? error.cause : error;
      if (!readable.has(codeOf(cause) ?? "")) throw error;
      this.#refusal = cause;
      throw inOurWords("store", cause);
    }
  }

  async release(): Promise<void> {
    await this.#release();
  }

  override async create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    this.#mustBeOurs();
    return await super.create(key, body);
  }

  override async replace(
    key: StorageKey,
    body: Uint8Array | Stage,
    expected: string | undefined,
  ): Promise<"replaced" | "conflict"> {
    this.#mustBeOurs();
    return await super.replace(key, body, expected);
  }

  override async remove(key: StorageKey): Promise<boolean> {
    this.#mustBeOurs();
    return await super.remove(key);
  }

  override async stage(maxBytes: number): Promise<Stage> {
    this.#mustBeOurs();
    return await super.stage(maxBytes);
  }

  #mustBeOurs(): void {
    const { refusal } = this;
    if (refusal !== undefined) throw refusal as Error;
  }
}
