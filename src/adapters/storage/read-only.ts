// A store that another process owns: what is kept can be read, and nothing can be changed, not even by mistake.

import type { ObjectStat, OpenObject, Storage, StorageKey, StoredBytes } from "#services/store/ports.ts";
import { checkRoot } from "./_disk-root.ts";
import { DiskStorage } from "./disk.ts";

/** As readOnlyStorage(), where nobody has looked yet. Throws NoStore, StoreUnwritable or StoreTooNew. */
export async function openReadOnly(root: string): Promise<Storage> {
  await checkRoot(root);
  return readOnlyStorage(root);
}

/** Opens nothing and writes nothing: the owner has made and checked the directory. */
export function readOnlyStorage(root: string): Storage {
  return new ReadOnlyStorage(new DiskStorage(root, {}));
}

class ReadOnlyStorage implements Storage {
  readonly #disk: DiskStorage;

  constructor(disk: DiskStorage) {
    this.#disk = disk;
  }

  get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    return this.#disk.get(key, maxBytes);
  }

  stat(key: StorageKey): Promise<ObjectStat | undefined> {
    return this.#disk.stat(key);
  }

  open(key: StorageKey): Promise<OpenObject | undefined> {
    return this.#disk.open(key);
  }

  list(prefix: string): ReturnType<Storage["list"]> {
    return this.#disk.list(prefix);
  }

  create(key: StorageKey): Promise<never> {
    return refuse(key);
  }

  replace(key: StorageKey): Promise<never> {
    return refuse(key);
  }

  remove(key: StorageKey): Promise<never> {
    return refuse(key);
  }

  stage(): Promise<never> {
    return refuse("a stage");
  }
}

/** A write here is a bug of ours, not a fault of the disk. */
function refuse(what: string): Promise<never> {
  return Promise.reject(new Error(`this process only reads the store: ${what}`));
}
