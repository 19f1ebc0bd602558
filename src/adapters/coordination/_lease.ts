// A turn while it is ours: renewed in time, or known to be lost before another can have it. How it is renewed and given
// back is handed in.

import { CoordinationDown } from "#services/cluster/ports.ts";
import type { Turn } from "#services/cluster/ports.ts";
import type { Clock } from "#services/store/ports.ts";

/** Where the turn is noted down. */
export type LeasePlace = {
  /** True: ours for another lease. False: it is not ours. Throws CoordinationDown. */
  readonly renew: () => Promise<boolean>;
  /** Frees the name if it is still ours. */
  readonly release: () => Promise<void>;
};

type Terms = {
  readonly fence: number;
  readonly leaseMs: number;
  /** When it was asked for, by our clock. */ readonly askedMs: number;
};

/** Renewed twice before it would end; and often once a renewal has failed. */
const renewals = 3;
const retries = 10;
/** We call it lost so much earlier than its place does, for clocks that do not run alike. */
const marginShare = 0.1;
const maxMarginMs = 1_000;

export class HeldTurn implements Turn {
  readonly fence: number;
  readonly #leaseMs: number;
  readonly #place: LeasePlace;
  readonly #clock: Clock;
  readonly #lost = new AbortController();
  readonly #over = new AbortController();
  #endMs: number;
  #ended: Promise<void> | undefined;

  constructor(terms: Terms, place: LeasePlace, clock: Clock) {
    this.fence = terms.fence;
    this.#leaseMs = terms.leaseMs;
    this.#place = place;
    this.#clock = clock;
    this.#endMs = this.#endAfter(terms.askedMs);
    void this.#keep();
  }

  /** Each reading compares the clock with the lease's end: a process that was stopped for a while finds out here at the latest. */
  get lost(): AbortSignal {
    if (this.#ended === undefined) this.#judge();
    return this.#lost.signal;
  }

  end(): Promise<void> {
    this.#ended ??= this.#giveBack();
    return this.#ended;
  }

  async #giveBack(): Promise<void> {
    this.#over.abort();
    await this.#place.release().catch(() => undefined);
  }

  /** Never from when the answer came: the lease began to run before that. */
  #endAfter(askedMs: number): number {
    return askedMs + this.#leaseMs - Math.min(this.#leaseMs * marginShare, maxMarginMs);
  }

  #judge(): boolean {
    if (this.#clock.now() >= this.#endMs) this.#lose("the turn was not renewed in time");
    return !this.#lost.signal.aborted;
  }

  #lose(reason: string): void {
    this.#over.abort();
    this.#lost.abort(new CoordinationDown(reason));
  }

  #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  async #keep(): Promise<void> {
    let waitMs = this.#leaseMs / renewals;
    while (!this.#isOver()) {
      const leftMs = this.#endMs - this.#clock.now();
      await this.#clock.sleep(Math.max(1, Math.min(waitMs, leftMs)), this.#over.signal).catch(() => undefined);
      if (this.#isOver() || !this.#judge()) return;
      waitMs = (await this.#renew()) ? this.#leaseMs / renewals : this.#leaseMs / retries;
    }
  }

  async #renew(): Promise<boolean> {
    const askedMs = this.#clock.now();
    try {
      const isOurs = await this.#place.renew();
      if (this.#over.signal.aborted) return false;
      if (isOurs) this.#endMs = this.#endAfter(askedMs);
      else this.#lose("the turn is another's");
      return isOurs;
    } catch {
      return false;
    }
  }
}
