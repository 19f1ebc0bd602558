// Storage in memory: for tests and the demo. Same promises as the disk, except that nothing outlives the process.

import type { ObjectStat, OpenObject, Stage, Storage, StorageKey, StoredBytes } from "#services/store/ports.ts";
import { StageTooLarge, StoreUnavailable } from "#services/store/ports.ts";

type Entry = { readonly bytes: Uint8Array; readonly modifiedMs: number; readonly token: string };

export class MemoryStorage implements Storage {
  readonly #entries = new Map<StorageKey, Entry>();
  #writes = 0;

  get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return Promise.resolve(undefined);
    if (entry.bytes.length > maxBytes) return Promise.reject(new StoreUnavailable(key, `larger than ${maxBytes} bytes`));
    return Promise.resolve({ ...statOf(entry), bytes: entry.bytes.slice() });
  }

  stat(key: StorageKey): Promise<ObjectStat | undefined> {
    const entry = this.#entries.get(key);
    return Promise.resolve(entry && statOf(entry));
  }

  open(key: StorageKey): Promise<OpenObject | undefined> {
    const entry = this.#entries.get(key);
    return Promise.resolve(entry && new MemoryObject(entry));
  }

  create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    if (this.#entries.has(key)) return Promise.resolve("exists");
    const clash = this.#clash(key);
    if (clash !== undefined) return Promise.reject(new StoreUnavailable(key, `${clash} is in the way`));
    if (body instanceof Uint8Array) this.#put(key, body.slice());
    else this.#put(key, (body as MemoryStage).take());
    return Promise.resolve("created");
  }

  replace(key: StorageKey, bytes: Uint8Array, expected: string | undefined): Promise<"replaced" | "conflict"> {
    if (this.#entries.get(key)?.token !== expected) return Promise.resolve("conflict");
    const clash = this.#clash(key);
    if (clash !== undefined) return Promise.reject(new StoreUnavailable(key, `${clash} is in the way`));
    this.#put(key, bytes.slice());
    return Promise.resolve("replaced");
  }

  remove(key: StorageKey): Promise<boolean> {
    return Promise.resolve(this.#entries.delete(key));
  }

  async *list(prefix: string): AsyncGenerator<{ key: StorageKey; size: number; modifiedMs: number }> {
    checkPrefix(prefix);
    for (const [key, entry] of [...this.#entries]) {
      await Promise.resolve();
      if (key.startsWith(prefix)) yield { key, size: entry.bytes.length, modifiedMs: entry.modifiedMs };
    }
  }

  stage(maxBytes: number): Promise<Stage> {
    return Promise.resolve(new MemoryStage(maxBytes));
  }

  #put(key: StorageKey, bytes: Uint8Array): void {
    this.#writes++;
    this.#entries.set(key, { bytes, modifiedMs: Date.now(), token: String(this.#writes) });
  }

  /** A disk cannot hold `a` and `a/b`; neither do we. */
  #clash(key: string): string | undefined {
    for (const other of this.#entries.keys()) if (other.startsWith(`${key}/`) || key.startsWith(`${other}/`)) return other;
    return undefined;
  }
}

/** Throws RangeError on a prefix that does not end at an element's border: a bug of the caller. */
export function checkPrefix(prefix: string): void {
  if (prefix !== "" && !prefix.endsWith("/")) throw new RangeError(`prefix ${JSON.stringify(prefix)} does not end in /`);
}

function statOf({ bytes, modifiedMs, token }: Entry): ObjectStat {
  return { size: bytes.length, modifiedMs, token };
}

class MemoryObject implements OpenObject {
  readonly #entry: Entry;
  readonly size: number;
  readonly modifiedMs: number;
  readonly token: string;

  constructor(entry: Entry) {
    this.#entry = entry;
    this.size = entry.bytes.length;
    this.modifiedMs = entry.modifiedMs;
    this.token = entry.token;
  }

  read(offset: number, into: Uint8Array): Promise<number> {
    const part = this.#entry.bytes.subarray(offset, offset + into.length);
    into.set(part);
    return Promise.resolve(part.length);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class MemoryStage implements Stage {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] | undefined = [];
  #sealed: Uint8Array | undefined;
  size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  write(chunk: Uint8Array): Promise<void> {
    if (this.#chunks === undefined || this.#sealed !== undefined) return Promise.reject(new Error("the stage takes no more writes"));
    if (this.size + chunk.length > this.#maxBytes) return Promise.reject(new StageTooLarge(this.#maxBytes));
    this.#chunks.push(chunk.slice());
    this.size += chunk.length;
    return Promise.resolve();
  }

  seal(): Promise<void> {
    this.#sealed ??= Buffer.concat(this.#chunks ?? []);
    return Promise.resolve();
  }

  locate(): { readonly bytes: Uint8Array } {
    if (this.#sealed === undefined) throw new Error("the stage is not sealed");
    return { bytes: this.#sealed };
  }

  take(): Uint8Array {
    const { bytes } = this.locate();
    this.#chunks = undefined;
    this.#sealed = undefined;
    return bytes;
  }

  discard(): Promise<void> {
    this.#chunks = undefined;
    this.#sealed = undefined;
    return Promise.resolve();
  }
}
