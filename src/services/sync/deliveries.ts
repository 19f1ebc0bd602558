// Deliveries that were taken, so that one that comes again makes no work. Bounded: an old one that comes again after so
// many others asks upstreams once more, and changes nothing.

import { LRUCache } from "lru-cache";

/** A day of one tag every 20 s; some 150 bytes each. */
const maxDeliveries = 4_096;

export class Deliveries {
  readonly #taken: LRUCache<string, true>;

  constructor(options: { readonly max: number } = { max: maxDeliveries }) {
    this.#taken = new LRUCache(options);
  }

  /** True the first time. Each delivery goes by several names; one known name is enough. */
  take(names: readonly string[]): boolean {
    const isNew = !names.some((name) => this.#taken.has(name));
    for (const name of names) this.#taken.set(name, true);
    return isNew;
  }

  /** Nothing came of it: when it comes again it counts as the first. */
  release(names: readonly string[]): void {
    for (const name of names) this.#taken.delete(name);
  }
}
