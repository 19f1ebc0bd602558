// Names that are not durable yet. A name can be seen from the moment it is made, and a power cut may take it back until
// its folder is synced: whoever reads it in between, and tells others what it read, would have promised too much.

import type { StorageKey } from "#services/store/ports.ts";
import { syncFolder } from "./_disk-calls.ts";

export class NewNames {
  readonly #sync: boolean;
  readonly #making = new Map<StorageKey, Promise<unknown>>();
  /** Folders whose sync failed: nobody knows which of their names last. */
  readonly #doubtful = new Set<string>();

  constructor({ sync }: { readonly sync: boolean }) {
    this.#sync = sync;
  }

  /** Puts a name into a folder and makes it durable; those who come for it meanwhile wait in settled(). */
  async put(key: StorageKey, folder: string, put: () => Promise<void>): Promise<void> {
    if (!this.#sync) {
      await put();
      return;
    }
    const making = this.#put(folder, put);
    const others = this.#making.get(key);
    const all = Promise.allSettled([making, others]);
    this.#making.set(key, all);
    try {
      await making;
    } finally {
      if (this.#making.get(key) === all) this.#making.delete(key);
    }
  }

  /**
   * Undefined, or resolves, when what is seen under the key is there to stay. A folder whose sync failed is synced once more: names are
   * kept by the file system's journal, which does not drop them after an error as it drops the bytes of a file. Throws what
   * the system says when that fails again.
   */
  settled(key: StorageKey, folder: string): Promise<void> | undefined {
    const making = this.#making.get(key);
    return making === undefined && this.#doubtful.size === 0 ? undefined : this.#settle(making, folder);
  }

  async #settle(making: Promise<unknown> | undefined, folder: string): Promise<void> {
    await making;
    if (!this.#doubtful.has(folder)) return;
    await syncFolder(folder);
    this.#doubtful.delete(folder);
  }

  async #put(folder: string, put: () => Promise<void>): Promise<void> {
    await put();
    try {
      await syncFolder(folder);
    } catch (error) {
      this.#doubtful.add(folder);
      throw error;
    }
  }
}
