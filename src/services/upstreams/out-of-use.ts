// Upstreams that an operator took out of use. Written down, because whoever silences an upstream has a reason that a
// restart does not know of.
//
//   state/upstreams.json      {"disabled":["corp"]}
//
// A name that has left the configuration stays written: an entry that is taken out for an hour must not come back in
// use. It is shown as disabled when it returns.

import type { Storage } from "#services/store/ports.ts";
import { StoreUnavailable, storageKey } from "#services/store/ports.ts";

const key = storageKey("state/upstreams.json");
const maxFileBytes = 1 << 20;
/** Names of upstreams that are not configured any more; the oldest leaves. */
const maxUnknown = 100;
const maxAttempts = 10;

export class OutOfUse {
  readonly #storage: Storage;
  /** In the order in which they were disabled. */
  #names: readonly string[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /**
   * Reads what earlier processes left. Resolves to a reason when that cannot be read, and then nothing is out of use:
   * whatever an upstream sends is verified, and a server that does not start helps nobody. Never rejects.
   */
  async load(): Promise<{ readonly key: string; readonly reason: string } | undefined> {
    try {
      await this.#read();
      return undefined;
    } catch (error) {
      return { key, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  /**
   * Takes an upstream out of use or back. Resolves, when it is on disk, to whether that changed anything. Throws
   * StoreUnavailable, and then nothing has changed for this process.
   *
   * @param isKnown whether an upstream of that name is configured
   */
  async set(name: string, isOut: boolean, isKnown: (name: string) => boolean): Promise<boolean> {
    const before = this.#last;
    const done = before.then(() => this.#set(name, isOut, isKnown));
    this.#last = done.catch(() => undefined); // told to whoever waits for it
    return await done;
  }

  async #set(name: string, isOut: boolean, isKnown: (name: string) => boolean): Promise<boolean> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const stat = await this.#storage.stat(key);
      // Other nodes write it too. What cannot be read is replaced.
      await this.#read().catch(() => undefined);
      if (this.has(name) === isOut) return false;
      const others = this.#names.filter((other) => other !== name);
      const names = bounded(isOut ? [...others, name] : others, isKnown);
      if ((await this.#storage.replace(key, format(names), stat?.token)) === "conflict") continue;
      this.#names = names;
      return true;
    }
    throw new StoreUnavailable(key, "it changes all the time");
  }

  async #read(): Promise<void> {
    const stored = await this.#storage.get(key, maxFileBytes);
    this.#names = stored === undefined ? [] : parse(stored.bytes);
  }
}

function bounded(names: readonly string[], isKnown: (name: string) => boolean): readonly string[] {
  const unknown = names.filter((name) => !isKnown(name));
  const gone = new Set(unknown.slice(0, Math.max(0, unknown.length - maxUnknown)));
  return names.filter((name) => !gone.has(name));
}

function format(disabled: readonly string[]): Uint8Array {
  return Buffer.from(`${JSON.stringify({ disabled })}\n`);
}

/** Throws when the bytes are not what `format` writes. */
function parse(bytes: Uint8Array): readonly string[] {
  const value = JSON.parse(Buffer.from(bytes).toString("utf8")) as { readonly disabled?: unknown } | null;
  const names: unknown = value?.disabled;
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string"))
    throw new Error(`${key} is not a list of upstreams`);
  return [...new Set(names)];
}
