// Storage in memory: for tests and the demo. Same promises as the disk, except that nothing outlives the process.

import type { ObjectStat, OpenObject, Stage, Storage, StorageKey, StoredBytes } from "#services/store/ports.ts";
import { StageTooLarge, StoreUnavailable } from "#services/store/ports.ts";
import { checkPrefix } from "./_prefix.ts";

type Entry = ObjectStat & { readonly bytes: Uint8Array };

/* eslint-disable @typescript-eslint/require-await -- an async function rejects where a plain one would throw */

export class MemoryStorage implements Storage {
  readonly #entries = new Map<StorageKey, Entry>();
  /** How many objects lie below each folder: a disk cannot hold `a` and `a/b`; neither do we. */
  readonly #folders = new Map<string, number>();
  #writes = 0;

  async get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.size > maxBytes) throw new StoreUnavailable(key, `larger than ${maxBytes} bytes`);
    return { ...entry, bytes: copyOf(entry.bytes) };
  }

  async stat(key: StorageKey): Promise<ObjectStat | undefined> {
    const entry = this.#entries.get(key);
    return entry && statOf(entry);
  }

  async open(key: StorageKey): Promise<OpenObject | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    return {
      ...statOf(entry),
      read: async (offset, into) => {
        const part = entry.bytes.subarray(offset, offset + into.length);
        into.set(part);
        return part.length;
      },
      close: async () => undefined,
    };
  }

  async create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    const bytes = body instanceof Uint8Array ? copyOf(body) : ownStage(body).locate().bytes;
    if (this.#entries.has(key)) return "exists";
    this.#put(key, bytes);
    if (!(body instanceof Uint8Array)) await body.discard();
    return "created";
  }

  async replace(
    key: StorageKey,
    body: Uint8Array | Stage,
    expected: string | undefined,
  ): Promise<"replaced" | "conflict"> {
    const bytes = body instanceof Uint8Array ? copyOf(body) : ownStage(body).locate().bytes;
    if (this.#entries.get(key)?.token !== expected) return "conflict";
    this.#put(key, bytes);
    if (!(body instanceof Uint8Array)) await body.discard();
    return "replaced";
  }

  async remove(key: StorageKey): Promise<boolean> {
    if (!this.#entries.delete(key)) return false;
    for (const folder of foldersOf(key)) this.#folders.set(folder, (this.#folders.get(folder) ?? 0) - 1);
    return true;
  }

  async *list(prefix: string): AsyncGenerator<{ key: StorageKey; size: number; modifiedMs: number }> {
    checkPrefix(prefix);
    for (const [key, { size, modifiedMs }] of [...this.#entries])
      if (key.startsWith(prefix)) yield { key, size, modifiedMs };
  }

  async stage(maxBytes: number): Promise<Stage> {
    return new MemoryStage(maxBytes);
  }

  #put(key: StorageKey, bytes: Uint8Array): void {
    const folders = foldersOf(key);
    const clash = (this.#folders.get(key) ?? 0) > 0 ? key : folders.find((folder) => this.#entries.has(folder));
    if (clash !== undefined) throw new StoreUnavailable(key, `${clash} is in the way`);
    if (!this.#entries.has(key))
      for (const folder of folders) this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + 1);
    this.#writes++;
    this.#entries.set(key, { bytes, size: bytes.length, modifiedMs: Date.now(), token: String(this.#writes) });
  }
}

/** `a/b/c` lies in `a` and in `a/b`. */
function foldersOf(key: StorageKey): StorageKey[] {
  const folders: StorageKey[] = [];
  for (let at = key.indexOf("/"); at >= 0; at = key.indexOf("/", at + 1)) folders.push(key.slice(0, at) as StorageKey);
  return folders;
}

function statOf({ size, modifiedMs, token }: Entry): ObjectStat {
  return { size, modifiedMs, token };
}

/** Not slice(), which is a view when the bytes are a Buffer. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function ownStage(stage: Stage): MemoryStage {
  if (stage instanceof MemoryStage) return stage;
  throw new Error("the stage belongs to another storage");
}

class MemoryStage implements Stage {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #state: "open" | "sealed" | "gone" = "open";
  size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#state !== "open") throw new Error("the stage takes no more writes");
    if (this.size + chunk.length > this.#maxBytes) throw new StageTooLarge(this.#maxBytes);
    this.#chunks.push(copyOf(chunk));
    this.size += chunk.length;
  }

  async seal(): Promise<void> {
    if (this.#state === "gone") throw new Error("the stage is gone");
    this.#chunks = [Buffer.concat(this.#chunks)];
    this.#state = "sealed";
  }

  /** Throws Error when the stage is not sealed. */
  locate(): { readonly bytes: Uint8Array } {
    const [bytes] = this.#chunks;
    if (this.#state !== "sealed" || bytes === undefined) throw new Error("the stage is not sealed");
    return { bytes };
  }

  async discard(): Promise<void> {
    this.#state = "gone";
    this.#chunks = [];
  }
}
