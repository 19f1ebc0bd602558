// A storage that cannot be opened yet: each call tries again, so that it is there as soon as it can be.

import type { ObjectStat, OpenObject, Stage, Storage, StorageKey, StoredBytes } from "#services/store/ports.ts";
import { StoreUnavailable } from "#services/store/ports.ts";

export class LaterStorage<Opened extends Storage> implements Storage {
  readonly #open: () => Promise<Opened>;
  #opening: Promise<Opened> | undefined;
  #opened: Opened | undefined;

  constructor(open: () => Promise<Opened>) {
    this.#open = open;
  }

  /** Undefined until it could be opened. */
  get opened(): Opened | undefined {
    return this.#opened;
  }

  /** One attempt at a time, however many ask. Throws what opening throws. */
  async ready(): Promise<Opened> {
    if (this.#opened !== undefined) return this.#opened;
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    this.#opened = await this.#opening;
    return this.#opened;
  }

  async get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    return await (await this.#for(key)).get(key, maxBytes);
  }

  async stat(key: StorageKey): Promise<ObjectStat | undefined> {
    return await (await this.#for(key)).stat(key);
  }

  async open(key: StorageKey): Promise<OpenObject | undefined> {
    return await (await this.#for(key)).open(key);
  }

  async create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    return await (await this.#for(key)).create(key, body);
  }

  async replace(
    key: StorageKey,
    body: Uint8Array | Stage,
    expected: string | undefined,
  ): Promise<"replaced" | "conflict"> {
    return await (await this.#for(key)).replace(key, body, expected);
  }

  async remove(key: StorageKey): Promise<boolean> {
    return await (await this.#for(key)).remove(key);
  }

  async *list(prefix: string): ReturnType<Storage["list"]> {
    yield* (await this.#for(prefix)).list(prefix);
  }

  async stage(maxBytes: number): Promise<Stage> {
    return await (await this.#for("a stage")).stage(maxBytes);
  }

  async linkTo(key: StorageKey): Promise<string | undefined> {
    return await (await this.#for(key)).linkTo?.(key);
  }

  /** Whatever keeps it from being opened keeps us from knowing. */
  async #for(key: string): Promise<Opened> {
    try {
      return await this.ready();
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      throw new StoreUnavailable(key, error instanceof Error ? error.message : String(error), { cause: error });
    }
  }
}
