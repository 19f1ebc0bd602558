// Request counts by kind and outcome, as plain numbers: counting on the hot path is one increment.

import type { GranaryCode } from "#services/errors/codes.ts";
import type { MediaKind, Provenance } from "#services/proxy/answer.ts";

export type Counter = { n: number };
export type Counted = { readonly kind: string; readonly outcome: string; readonly count: number };

export class Counters {
  readonly #all = new Map<string, { readonly kind: string; readonly outcome: string; readonly counter: Counter }>();

  /** Good answers of one kind: `HIT`, `MISS`, `EXPIRED`, `STALE`. */
  of(media: MediaKind | "house", here: Provenance["here"]): Counter {
    return this.#counter(media, here);
  }

  /** Error answers by code. */
  problem(code: GranaryCode): Counter {
    return this.#counter("error", code);
  }

  list(): Counted[] {
    return [...this.#all.values()].map(({ kind, outcome, counter }) => ({ kind, outcome, count: counter.n }));
  }

  #counter(kind: string, outcome: string): Counter {
    const key = `${kind} ${outcome}`;
    let entry = this.#all.get(key);
    if (entry === undefined) {
      entry = { kind, outcome, counter: { n: 0 } };
      this.#all.set(key, entry);
    }
    return entry.counter;
  }
}
