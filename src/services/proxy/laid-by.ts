// Zips that were fetched ahead and that nobody has asked for yet: how much they are, and which modules' zips lie there
// in vain again and again.

import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { LRUCache } from "lru-cache";

/** A zip that was fetched ahead so long ago and not asked for was a wrong guess, whoever its client is. */
const maxUnclaimedMs = 10 * 60_000;
/** Zips fetched ahead and not asked for yet, in all; each costs some 200 bytes of memory. */
const maxUnclaimed = 8_192;
/** So many wrong guesses in a row about one module, and the next one is not made. */
const maxInVain = 3;
/** Modules whose wrong guesses are counted, those of late; each costs some 200 bytes of memory. */
const maxCounted = 4_096;

/** Says whether the client it was fetched for may still come for it. */
export type Expects = (now: number) => boolean;
type Unclaimed = {
  readonly id: ModuleVersion;
  readonly bytes: number;
  readonly sinceMs: number;
  readonly isExpected: Expects;
};

export class LaidBy {
  readonly #unclaimed = new Map<string, Unclaimed>();
  #bytes = 0;
  /** Wrong guesses in a row, by module path. */
  readonly #inVain = new LRUCache<string, number>({ max: maxCounted });

  /** True when no more zips may be fetched ahead. */
  isFull(maxBytes: number): boolean {
    return this.#bytes >= maxBytes || this.#unclaimed.size >= maxUnclaimed;
  }

  add(zip: Unclaimed): void {
    const name = formatModuleVersion(zip.id);
    this.#remove(name); // fetched ahead for two clients at a time, it counts once
    this.#unclaimed.set(name, zip);
    this.#bytes += zip.bytes;
  }

  /** A client asks for a zip; true when it lay here. */
  claim(id: ModuleVersion): boolean {
    this.#inVain.delete(id.path);
    return this.#remove(formatModuleVersion(id));
  }

  /**
   * What was fetched for clients that have gone no longer counts, nor what nobody has asked for in a long while.
   *
   * @param how.seesAll false when others answer some requests: what was not claimed may have been asked for all the same
   */
  forget(now: number, how: { readonly seesAll: boolean }): void {
    for (const [name, { id, sinceMs, isExpected }] of this.#unclaimed) {
      if (isExpected(now) && now - sinceMs <= maxUnclaimedMs) continue;
      this.#remove(name);
      if (how.seesAll) this.#inVain.set(id.path, (this.#inVain.get(id.path) ?? 0) + 1);
    }
  }

  /** True when the last guesses about a module were all wrong. */
  isInVain(path: string): boolean {
    return (this.#inVain.get(path) ?? 0) >= maxInVain;
  }

  #remove(name: string): boolean {
    this.#bytes -= this.#unclaimed.get(name)?.bytes ?? 0;
    return this.#unclaimed.delete(name);
  }
}
