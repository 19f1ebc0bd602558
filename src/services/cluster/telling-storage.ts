// A storage that tells other nodes when a version's file was removed or replaced: their copies of it are old.

import type { LastingStages, Stage, Storage, StorageKey } from "#services/store/ports.ts";

/** What other nodes keep copies of. The rest they ask for each time. */
const copied = /^modules\/.*\/@v\/[^/]+\.(info|mod|zip|manifest)$/;

export class TellingStorage implements Storage {
  readonly #inner: Storage;
  readonly #tell: (key: StorageKey) => Promise<void>;
  readonly doubt?: NonNullable<Storage["doubt"]>;
  readonly linkTo?: NonNullable<Storage["linkTo"]>;

  /** @param tell never throws, and ends soon */
  constructor(inner: Storage, tell: (key: StorageKey) => Promise<void>) {
    this.#inner = inner;
    this.#tell = tell;
    if (inner.doubt !== undefined) this.doubt = async (key) => (await inner.doubt?.(key)) ?? false;
    if (inner.linkTo !== undefined) this.linkTo = async (key) => await inner.linkTo?.(key);
  }

  get isAway(): boolean {
    return this.#inner.isAway ?? false;
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

  list(prefix: string): ReturnType<Storage["list"]> {
    return this.#inner.list(prefix);
  }

  create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists"> {
    return this.#inner.create(key, body);
  }

  async replace(key: StorageKey, bytes: Uint8Array, expected: string | undefined): Promise<"replaced" | "conflict"> {
    const made = await this.#inner.replace(key, bytes, expected);
    if (made === "replaced" && copied.test(key)) await this.#tell(key);
    return made;
  }

  async remove(key: StorageKey): Promise<boolean> {
    const removed = await this.#inner.remove(key);
    if (removed && copied.test(key)) await this.#tell(key);
    return removed;
  }

  stage(maxBytes: number): Promise<Stage> {
    return this.#inner.stage(maxBytes);
  }
}
