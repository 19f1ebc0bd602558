// What all requests together may ask again. While every upstream is well, retries are rare and nobody counts them.
// While a breaker is open they are the storm that keeps an upstream down: then they are a small part of the traffic.

import { CallWindow } from "./call-window.ts";

const windowMs = 10_000;
/** Share of requests that may be retries while a breaker is open. */
const maxShare = 0.1;
/** So many are always allowed within a window: one lonely client is no storm. */
const floor = 20;

export class RetryBudget {
  readonly #clock: { now(): number };
  readonly #anyOpen: () => boolean;
  /** Requests; "failed" ones are retries. */
  readonly #window = new CallWindow(windowMs);

  constructor(use: { readonly clock: { now(): number }; readonly anyOpen: () => boolean }) {
    this.#clock = use.clock;
    this.#anyOpen = use.anyOpen;
  }

  /** A request is sent for the first time. */
  asked(): void {
    this.#window.add(this.#clock.now(), false);
  }

  /** Whether one more retry fits; counts it when it does. */
  mayRetry(): boolean {
    const now = this.#clock.now();
    const calls = this.#window.calls(now, windowMs);
    const retries = calls * this.#window.share(now, windowMs);
    if (this.#anyOpen() && retries >= Math.max(floor, maxShare * calls)) return false;
    this.#window.add(now, true);
    return true;
  }
}
