// Which upstreams an operator took out of use. It outlives a restart: whoever disables a mirror that answers nonsense
// does not expect an upgrade at night to bring it back.
//
//   state/upstreams.json      {"disabled":["corp"]}

import type { Storage } from "#services/store/ports.ts";
import { storageKey } from "#services/store/ports.ts";

/** Far more than lists have; names are at most as long as a URL. */
const maxBytes = 256 * 1024;
const file = storageKey("state/upstreams.json");

export class DisabledUpstreams {
  readonly #storage: Pick<Storage, "get" | "stat" | "replace">;
  /** Names that are in no list now stay: a list that lacks one today may have it again tomorrow. */
  #names: ReadonlySet<string> = new Set();

  constructor(storage: Pick<Storage, "get" | "stat" | "replace">) {
    this.#storage = storage;
  }

  /** Reads what an earlier process left; a file that is none of ours says nothing. Throws StoreUnavailable. */
  async load(): Promise<void> {
    const kept = await this.#storage.get(file, maxBytes);
    this.#names = new Set(kept === undefined ? [] : parse(kept.bytes));
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /**
   * Holds at once. `kept` rejects with StoreUnavailable when it could not be written down: then the next start does
   * not know. `changed` is false when it was so already.
   */
  set(name: string, isDisabled: boolean): { readonly changed: boolean; readonly kept: Promise<void> } {
    if (this.#names.has(name) === isDisabled) return { changed: false, kept: Promise.resolve() };
    const others = [...this.#names].filter((each) => each !== name);
    this.#names = new Set(isDisabled ? [...others, name] : others);
    return { changed: true, kept: this.#write() };
  }

  async #write(): Promise<void> {
    for (;;) {
      const before = await this.#storage.stat(file);
      const bytes = Buffer.from(`${JSON.stringify({ disabled: [...this.#names].sort() })}\n`);
      if ((await this.#storage.replace(file, bytes, before?.token)) === "replaced") return;
    }
  }
}

function parse(bytes: Uint8Array): string[] {
  try {
    const { disabled } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { disabled?: unknown };
    return Array.isArray(disabled) ? disabled.filter((name): name is string => typeof name === "string") : [];
  } catch {
    return [];
  }
}
