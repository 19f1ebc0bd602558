// Some files of a snapshot as a Storage that can only be read, for whoever wants to look at a log before it is restored.

import { createHash } from "node:crypto";
import type { ObjectStat, OpenObject, Storage, StorageKey, StoredBytes } from "./ports.ts";
import { StoreUnavailable } from "./ports.ts";
import { objectKey } from "./snapshot-index.ts";
import type { SnapshotFile } from "./snapshot-index.ts";

/** Every byte that get() gives out has the recorded hash. */
export class SnapshotView implements Storage {
  readonly #files: ReadonlyMap<StorageKey, SnapshotFile>;
  readonly #vault: Storage;

  constructor(files: readonly SnapshotFile[], vault: Storage) {
    this.#files = new Map(files.map((file) => [file.key, file]));
    this.#vault = vault;
  }

  /** Throws StoreUnavailable, also when the object is damaged or lost. */
  async get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    const file = this.#files.get(key);
    if (file === undefined) return undefined;
    const stored = await this.#vault.get(objectKey(file.sha256), maxBytes);
    if (stored === undefined) throw new StoreUnavailable(key, "its object is lost");
    if (createHash("sha256").update(stored.bytes).digest("hex") !== file.sha256)
      throw new StoreUnavailable(key, "its object is damaged");
    return stored;
  }

  stat(key: StorageKey): Promise<ObjectStat | undefined> {
    const file = this.#files.get(key);
    return Promise.resolve(file && { size: file.size, modifiedMs: 0, token: file.sha256 });
  }

  async *list(prefix: string): ReturnType<Storage["list"]> {
    await Promise.resolve();
    for (const { key, size } of this.#files.values()) if (key.startsWith(prefix)) yield { key, size, modifiedMs: 0 };
  }

  open(key: StorageKey): Promise<OpenObject | undefined> {
    return this.#refuse(key);
  }

  create(key: StorageKey): Promise<never> {
    return this.#refuse(key);
  }

  replace(key: StorageKey): Promise<never> {
    return this.#refuse(key);
  }

  remove(key: StorageKey): Promise<never> {
    return this.#refuse(key);
  }

  stage(): Promise<never> {
    return this.#refuse("stage");
  }

  #refuse(key: string): Promise<never> {
    return Promise.reject(new StoreUnavailable(key, "a snapshot is only read"));
  }
}
