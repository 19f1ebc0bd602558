// A storage that fails as told: for tests of what a bad disk must not do to us. Wraps any other storage.
//
// A fault names the operations and keys it waits for, how many of them it lets pass, and how often it strikes.

import type { OpenObject, Stage, Storage, StorageKey, StoredBytes } from "#services/store/ports.ts";
import { StoreFull, StoreUnavailable } from "#services/store/ports.ts";

/** `read` is OpenObject.read; `write` and `seal` are the stage's, under the key `stage`. */
export type StorageCall =
  "get" | "stat" | "open" | "read" | "create" | "replace" | "remove" | "list" | "stage" | "write" | "seal";

/** The calls that change something. */
export const changes: readonly StorageCall[] = ["create", "replace", "remove", "stage", "write", "seal"];

export type Fault = {
  readonly on: StorageCall | readonly StorageCall[];
  /** All keys when absent. */
  readonly key?: RegExp;
  /** Matching calls that pass first; 0 when absent. */
  readonly skip?: number;
  /** Strikes; 1 when absent. */
  readonly times?: number;
  readonly does: Mischief;
};

export type Mischief =
  /** The call throws: EIO (or ENOSPC for `full`), before it did anything or after all of it was done. */
  | { readonly kind: "unavailable" | "full"; readonly when: "before" | "after" }
  /** get and read lose everything from byte `at` of what they would return. */
  | { readonly kind: "short"; readonly at: number }
  /** get and read return byte `at` with its lowest bit flipped. */
  | { readonly kind: "flip"; readonly at: number }
  /** The call waits first. */
  | { readonly kind: "delay"; readonly until: Promise<unknown> };

type Waiting = { readonly fault: Fault; skip: number; times: number };

export class FaultyStorage implements Storage {
  readonly #inner: Storage;
  #faults: Waiting[] = [];
  /** Every call so far, as `create modules/x`. */
  readonly calls: string[] = [];

  constructor(inner: Storage) {
    this.#inner = inner;
  }

  arm(...faults: readonly Fault[]): void {
    for (const fault of faults) this.#faults.push({ fault, skip: fault.skip ?? 0, times: fault.times ?? 1 });
  }

  /** Disarms every fault. */
  heal(): void {
    this.#faults = [];
  }

  async get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    return await this.#call("get", key, async (spoil) => {
      const stored = await this.#inner.get(key, maxBytes);
      return stored && { ...stored, bytes: spoil(stored.bytes) };
    });
  }

  stat(key: StorageKey) {
    return this.#call("stat", key, () => this.#inner.stat(key));
  }

  open(key: StorageKey): Promise<OpenObject | undefined> {
    return this.#call("open", key, async () => {
      const object = await this.#inner.open(key);
      if (object === undefined) return undefined;
      const { size, modifiedMs, token } = object;
      const read = (offset: number, into: Uint8Array) =>
        this.#call("read", key, async (spoil) => {
          const got = spoil(into.slice(0, await object.read(offset, into)));
          into.set(got);
          return got.length;
        });
      return { size, modifiedMs, token, read, close: () => object.close() };
    });
  }

  create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    const own = body instanceof FaultyStage ? body.inner : body;
    return this.#call("create", key, () => this.#inner.create(key, own));
  }

  replace(key: StorageKey, body: Uint8Array | Stage, expected: string | undefined): Promise<"replaced" | "conflict"> {
    const own = body instanceof FaultyStage ? body.inner : body;
    return this.#call("replace", key, () => this.#inner.replace(key, own, expected));
  }

  remove(key: StorageKey): Promise<boolean> {
    return this.#call("remove", key, () => this.#inner.remove(key));
  }

  async *list(prefix: string) {
    yield* await this.#call("list", prefix, () => Promise.resolve(this.#inner.list(prefix)));
  }

  stage(maxBytes: number): Promise<Stage> {
    return this.#call("stage", "stage", async () => {
      const inner = await this.#inner.stage(maxBytes);
      return new FaultyStage(inner, (call, work) => this.#call(call, "stage", work));
    });
  }

  async #call<T>(
    call: StorageCall,
    key: string,
    work: (spoil: (bytes: Uint8Array) => Uint8Array) => Promise<T>,
  ): Promise<T> {
    this.calls.push(`${call} ${key}`);
    const mischief = this.#strike(call, key);
    if (mischief === undefined) return await work((bytes) => bytes);
    if (mischief.kind === "delay") {
      await mischief.until;
      return await work((bytes) => bytes);
    }
    if (mischief.kind === "short" || mischief.kind === "flip") return await work((bytes) => spoilt(bytes, mischief));
    if (mischief.when === "after") await work((bytes) => bytes);
    throw mischief.kind === "full"
      ? new StoreFull(key, "no space left", { cause: said("ENOSPC") })
      : new StoreUnavailable(key, "EIO", { cause: said("EIO") });
  }

  #strike(call: StorageCall, key: string): Mischief | undefined {
    for (const waiting of this.#faults) {
      const { on, key: keys, does } = waiting.fault;
      const isMatch = (Array.isArray(on) ? on.includes(call) : on === call) && (keys === undefined || keys.test(key));
      if (!isMatch || waiting.times === 0) continue;
      if (waiting.skip > 0) waiting.skip--;
      else {
        waiting.times--;
        return does;
      }
    }
    return undefined;
  }
}

type Caller = (call: "write" | "seal", work: () => Promise<void>) => Promise<void>;

class FaultyStage implements Stage {
  readonly inner: Stage;
  readonly #call: Caller;

  constructor(inner: Stage, call: Caller) {
    this.inner = inner;
    this.#call = call;
  }

  get size(): number {
    return this.inner.size;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#call("write", () => this.inner.write(chunk));
  }

  seal(): Promise<void> {
    return this.#call("seal", () => this.inner.seal());
  }

  locate() {
    return this.inner.locate();
  }

  discard(): Promise<void> {
    return this.inner.discard();
  }
}

/** What the system would have said. */
function said(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function spoilt(bytes: Uint8Array, mischief: { readonly kind: "short" | "flip"; readonly at: number }): Uint8Array {
  if (mischief.kind === "short") return bytes.slice(0, mischief.at);
  const copy = Uint8Array.from(bytes);
  copy[mischief.at] = (copy[mischief.at] ?? 0) ^ 1;
  return copy;
}
