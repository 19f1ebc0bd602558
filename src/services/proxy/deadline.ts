// The latest end of jobs. A signal with a timer of its own stays in memory until its time is up, also when its job
// ended long before (some 700 bytes; a flood of quick misses would keep them all for a quarter of an hour), so jobs
// that start at about the same time share one.

import type { Clock } from "#services/store/ports.ts";
import { timeLimit } from "#services/store/ports.ts";

/** Jobs that start within such a part of their longest life end together: at most so many signals wait at a time. */
const partsOfLife = 16;

export class Deadline {
  readonly #use: { readonly stop: AbortSignal; readonly clock: Clock; readonly ms: number };
  #shared: AbortSignal | undefined;
  #sharedSinceMs = 0;

  /** @param use.ms how long a job may take at least; it gets up to a sixteenth more */
  constructor(use: { readonly stop: AbortSignal; readonly clock: Clock; readonly ms: number }) {
    this.#use = use;
  }

  /** Aborts when the server stops or the time of a job that starts now is over. */
  next(): AbortSignal {
    const { stop, clock, ms } = this.#use;
    const part = ms / partsOfLife;
    const age = clock.now() - this.#sharedSinceMs;
    if (this.#shared !== undefined && age >= 0 && age < part) return this.#shared;
    this.#sharedSinceMs = clock.now();
    this.#shared = AbortSignal.any([stop, timeLimit(clock, ms + part)]);
    return this.#shared;
  }
}
