// How well sync does, in the two numbers that are promised: how long a new version takes to be in `list`, and how much
// of what upstreams give does not verify.
//
//   delay      normal <= 90 s, alarm > 300 s      of versions that a webhook announced: nobody is told of the others
//   failures   normal 0 %, alarm when 3 windows one after another have > 0.1 %

import type { GranaryEvent } from "#services/events/ports.ts";

export const normalDelayMs = 90_000;
export const alarmDelayMs = 300_000;
export const alarmFailureShare = 0.001;
export const alarmWindows = 3;
/** As long as an index is polled apart: each window has seen a poll. */
export const windowMs = 5 * 60_000;

type Window = { readonly at: number; good: number; bad: number };

export class VerificationFailures {
  readonly #now: () => number;
  /** The newest last; `at` counts windows. Windows in which nothing was verified are not here. */
  #windows: Window[] = [];

  /** @param now milliseconds; steady */
  constructor(now: () => number) {
    this.#now = now;
  }

  heard(event: GranaryEvent): void {
    if (event.name === "module.ingested") this.#current().good++;
    if (event.name === "module.denied") this.#current().bad++;
  }

  /** Of the last window that is over: 0 to 1. */
  get lastShare(): number {
    return this.#share(1);
  }

  /** The share that each of the last `alarmWindows` windows reached; 0 when one of them had none. */
  get lastingShare(): number {
    const shares = Array.from({ length: alarmWindows }, (_, n) => this.#share(n + 1));
    return Math.min(...shares);
  }

  /** @param ago 1 for the window before this one */
  #share(ago: number): number {
    const at = this.#at() - ago;
    const { good = 0, bad = 0 } = this.#windows.find((window) => window.at === at) ?? {};
    return bad === 0 ? 0 : bad / (good + bad);
  }

  #current(): Window {
    const at = this.#at();
    const last = this.#windows.at(-1);
    if (last?.at === at) return last;
    const fresh = { at, good: 0, bad: 0 };
    this.#windows = [...this.#windows.slice(-alarmWindows), fresh];
    return fresh;
  }

  #at(): number {
    return Math.floor(this.#now() / windowMs);
  }
}
