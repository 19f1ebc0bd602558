// What of a store's state goes along to another store, and what happens when that has it already.
//
// Some files change for ever: tokens, versions held back, accepted heads. What this source last put into the target is
// written down there. While the target's file is still that, the source's newer one takes its place; when the target's has
// changed, it stays.

import { sha256 } from "./_version-files.ts";
import type { Storage, StorageKey } from "./ports.ts";
import { StoreUnavailable, storageKey } from "./ports.ts";

/**
 * `same`: never changes; other bytes in the target are a conflict. `first`: the target's stays, and nobody minds. `changing`:
 * as above; when both have changed it is a conflict. `own`: as `changing`, but each store goes on by itself, so no conflict.
 * `pin`: hashes seen first.
 */
export type Handling = "same" | "first" | "changing" | "own" | "pin";

const firstPrefixes = ["state/listings/", "state/jobs/", "state/publish-keys/", "state/integrity/"];
/** Each machine's: the index is made anew, events stay where they happened. */
const machinePrefixes = ["state/index.sqlite", "state/events.jsonl", "state/moved/", "state/sumlog/"];

/** Undefined for what stays behind, and for own logs, which are another matter. */
export function handlingOf(key: string): Handling | undefined {
  if (machinePrefixes.some((prefix) => key.startsWith(prefix))) return undefined;
  if (key.startsWith("state/pins/")) return "pin";
  if (firstPrefixes.some((prefix) => key.startsWith(prefix))) return "first";
  if (key.startsWith("state/sumdb/")) return key.endsWith("/heads.json") ? "own" : "same";
  if (key === "state/sync.json") return "own";
  return /^state\/[^/]+$/.test(key) ? "changing" : "same";
}

/** Of checksum databases that are mirrored, below `modules/sumdb/`. */
export function mirrorHandlingOf(key: string): Handling {
  if (key.includes("/lookup/")) return "first";
  return key.includes("/tile/") ? "same" : "own";
}

/** A few files, each with two hashes. */
const maxMovedBytes = 1 << 20;

/** What a source put into a target last, by the target's own account. */
export class Moved {
  readonly #to: Storage;
  readonly #key: StorageKey;
  readonly #files = new Map<string, readonly string[]>();
  #token: string | undefined;

  /** @param source the same in every run from one source to any target, and no other source's */
  constructor(to: Storage, source: string) {
    this.#to = to;
    this.#key = storageKey(`state/moved/${sha256(Buffer.from(source)).slice(0, 16)}.json`);
  }

  /** What cannot be understood is as if it were not there: then whatever differs stays. */
  async load(): Promise<void> {
    const stored = await this.#to.get(this.#key, maxMovedBytes);
    this.#token = stored?.token;
    try {
      const { files } = JSON.parse(Buffer.from(stored?.bytes ?? []).toString()) as { readonly files?: unknown };
      if (typeof files !== "object" || files === null) return;
      for (const [key, hashes] of Object.entries(files)) if (Array.isArray(hashes)) this.#files.set(key, hashes);
    } catch {
      // as above
    }
  }

  /** True when the target's bytes are what this source put there. */
  isOurs(key: StorageKey, hash: string): boolean {
    return this.#files.get(key)?.includes(hash) === true;
  }

  /** To be called before the bytes are put there: a run that ends in between knows both. */
  async note(key: StorageKey, next: string, before: string | undefined): Promise<void> {
    this.#files.set(key, before === undefined ? [next] : [next, before]);
    const text = `${JSON.stringify({ moved: 1, files: Object.fromEntries(this.#files) })}\n`;
    if ((await this.#to.replace(this.#key, Buffer.from(text), this.#token)) === "conflict")
      throw new StoreUnavailable(this.#key, "another process moves the same store to the same place");
    this.#token = (await this.#to.stat(this.#key))?.token;
  }
}
