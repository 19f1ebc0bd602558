// A storage whose small durable writes are timed, and whose failures are told: what the process sees of its disk.

import type { Clock, LastingStages, Stage, Storage, StorageKey } from "./ports.ts";

export type Watcher = {
  /** One small object is durable: what it took, from the first byte to the synced folder, in milliseconds. */
  wrote(ms: number): void;
  /** A call that changes something failed. */
  failed(error: unknown): void;
};

export class WatchedStorage implements Storage {
  readonly #inner: Storage;
  readonly #clock: Clock;
  readonly #watcher: Watcher;

  constructor(inner: Storage, use: { readonly clock: Clock; readonly watcher: Watcher }) {
    this.#inner = inner;
    this.#clock = use.clock;
    this.#watcher = use.watcher;
  }

  get lasting(): LastingStages | undefined {
    return this.#inner.lasting;
  }

  get(key: StorageKey, maxBytes: number): ReturnType<Storage["get"]> {
    return this.#inner.get(key, maxBytes);
  }

  stat(key: StorageKey): ReturnType<Storage["stat"]> {
    return this.#inner.stat(key);
  }

  open(key: StorageKey): ReturnType<Storage["open"]> {
    return this.#inner.open(key);
  }

  get isAway(): boolean {
    return this.#inner.isAway === true;
  }

  async doubt(key: StorageKey): Promise<boolean> {
    return (await this.#inner.doubt?.(key)) ?? false;
  }

  async linkTo(key: StorageKey): Promise<string | undefined> {
    return await this.#inner.linkTo?.(key);
  }

  list(prefix: string): ReturnType<Storage["list"]> {
    return this.#inner.list(prefix);
  }

  create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    const creating = (): Promise<"created" | "exists"> => this.#inner.create(key, body);
    // A stage may be large, and its bytes are on the disk already: neither is what is measured here.
    return body instanceof Uint8Array ? this.#timed(creating, "created") : this.#told(creating);
  }

  replace(key: StorageKey, body: Uint8Array | Stage, expected: string | undefined): Promise<"replaced" | "conflict"> {
    const replacing = (): Promise<"replaced" | "conflict"> => this.#inner.replace(key, body, expected);
    return body instanceof Uint8Array ? this.#timed(replacing, "replaced") : this.#told(replacing);
  }

  remove(key: StorageKey): Promise<boolean> {
    return this.#told(() => this.#inner.remove(key));
  }

  stage(maxBytes: number): Promise<Stage> {
    return this.#told(() => this.#inner.stage(maxBytes));
  }

  /** Only what was really written counts: to find that there is something already costs no sync. */
  async #timed<T>(write: () => Promise<T>, done: T): Promise<T> {
    const started = this.#clock.now();
    const outcome = await this.#told(write);
    if (outcome === done) this.#watcher.wrote(this.#clock.now() - started);
    return outcome;
  }

  async #told<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      this.#watcher.failed(error);
      throw error;
    }
  }
}
