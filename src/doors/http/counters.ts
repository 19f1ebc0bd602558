// Request counts by kind and outcome, as plain numbers: counting on the hot path is one increment.

import type { GranaryCode } from "#services/errors/codes.ts";
import type { MediaKind, Provenance } from "#services/proxy/answer.ts";

export type Counter = { readonly kind: string; readonly outcome: string; n: number };
export type Counted = { readonly kind: string; readonly outcome: string; readonly count: number };

export class Counters {
  readonly #all = new Map<string, Counter>();

  /** Good answers of one kind: `HIT`, `MISS`, `EXPIRED`, `STALE`. */
  of(media: MediaKind | "house", here: Provenance["here"]): Counter {
    return this.named(media, here);
  }

  /** Error answers by code. */
  problem(code: GranaryCode): Counter {
    return this.named("error", code);
  }

  /** A counter by the names another process gave it. */
  named(kind: string, outcome: string): Counter {
    const key = `${kind} ${outcome}`;
    let counter = this.#all.get(key);
    if (counter === undefined) {
      counter = { kind, outcome, n: 0 };
      this.#all.set(key, counter);
    }
    return counter;
  }

  /** Counts what another process counted. */
  add(counted: readonly Counted[]): void {
    for (const { kind, outcome, count } of counted) this.named(kind, outcome).n += count;
  }

  list(): Counted[] {
    return [...this.#all.values()].map(({ kind, outcome, n }) => ({ kind, outcome, count: n }));
  }
}
