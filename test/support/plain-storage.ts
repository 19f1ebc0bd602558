// The least that is a Storage: a map. For tests of services that need to look at, damage or fail single keys.

import type { ObjectStat, OpenObject, Stage, Storage, StorageKey, StoredBytes } from "#services/store/ports.ts";

export class PlainStorage implements Storage {
  readonly objects = new Map<string, { bytes: Uint8Array; token: string }>();
  /** Called before each change; what it throws is thrown. */
  beforeWrite: (key: string) => void = () => undefined;
  #writes = 0;

  get(key: StorageKey): Promise<StoredBytes | undefined> {
    const object = this.objects.get(key);
    return Promise.resolve(
      object === undefined ? undefined : { ...stat(object), bytes: Uint8Array.from(object.bytes) },
    );
  }

  stat(key: StorageKey): Promise<ObjectStat | undefined> {
    const object = this.objects.get(key);
    return Promise.resolve(object === undefined ? undefined : stat(object));
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a rejection, not a throw
  async create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    if (this.objects.has(key)) return "exists";
    this.#set(key, body);
    return "created";
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a rejection, not a throw
  async replace(
    key: StorageKey,
    body: Uint8Array | Stage,
    expected: string | undefined,
  ): Promise<"replaced" | "conflict"> {
    if (this.objects.get(key)?.token !== expected) return "conflict";
    this.#set(key, body);
    return "replaced";
  }

  remove(key: StorageKey): Promise<boolean> {
    return Promise.resolve(this.objects.delete(key));
  }

  async *list(prefix: string): AsyncIterable<{ key: StorageKey; size: number; modifiedMs: number }> {
    for (const [key, { bytes }] of await Promise.resolve([...this.objects])) {
      if (key.startsWith(prefix)) yield { key: key as StorageKey, size: bytes.length, modifiedMs: 0 };
    }
  }

  open(): Promise<OpenObject | undefined> {
    return Promise.reject(new Error("PlainStorage opens nothing"));
  }

  stage(): Promise<Stage> {
    return Promise.reject(new Error("PlainStorage stages nothing"));
  }

  #set(key: string, body: Uint8Array | Stage): void {
    if (!(body instanceof Uint8Array)) throw new Error("PlainStorage takes bytes");
    this.beforeWrite(key);
    this.objects.set(key, { bytes: Uint8Array.from(body), token: String(++this.#writes) });
  }
}

function stat({ bytes, token }: { bytes: Uint8Array; token: string }): ObjectStat {
  return { size: bytes.length, modifiedMs: 0, token };
}
