// Room for requests to one upstream: how many at a time, and how many a second. The number grows when requests have to
// wait and the upstream bears it, and shrinks when the upstream or we ourselves do not. What nobody waits for goes last.

import type { Lane, Lanes } from "./attempt.ts";
import { UpstreamFault } from "./ports.ts";
import type { Urgency } from "./urgency.ts";

export type LaneOptions = {
  /** At most so many requests at a time; as many as there may be connections. */
  readonly max: number;
  /** Requests a second; undefined for as many as there are. */
  readonly perSecond?: number;
};

export type LanesUse = {
  readonly clock: { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
  readonly options: (upstream: string) => LaneOptions;
  /** Share of its time in which this process is busy, 0 to 1. */
  readonly busy: () => number;
  /** Told of each request that sets out. */
  readonly onEnter?: () => void;
};

const startLimit = 32;
const minLimit = 4;
/** Above this share a further request would only wait inside of us (S2-45). */
const busyShare = 0.75;
/** The number shrinks by a tenth, once in this time. */
const shrinkFactor = 0.9;
const shrinkEveryMs = 1_000;
/** Requests that may wait for one upstream; beyond it they fail at once. */
const maxWaiting = 10_000;

export type LaneSnapshot = {
  readonly upstream: string;
  readonly limit: number;
  readonly running: number;
  readonly waiting: number;
};

type Waiter = { readonly go: () => void };

export class UpstreamLanes implements Lanes {
  readonly #use: LanesUse;
  readonly #states = new Map<string, LaneState>();

  constructor(use: LanesUse) {
    this.#use = use;
  }

  async enter(
    { name }: { readonly name: string },
    how: { readonly urgency?: Urgency | undefined; readonly signal: AbortSignal },
  ): Promise<Lane> {
    const state = this.#stateOf(name);
    const queued = await state.place(how);
    try {
      await state.pace(how.signal);
    } catch (error) {
      state.leave();
      throw error;
    }
    this.#use.onEnter?.();
    let left = false;
    return {
      leave: ({ overloaded }) => {
        if (left) return;
        left = true;
        state.adapt({ queued, overloaded });
        state.leave();
      },
    };
  }

  snapshot(): readonly LaneSnapshot[] {
    return [...this.#states].map(([upstream, state]) => ({ upstream, ...state.snapshot }));
  }

  #stateOf(name: string): LaneState {
    let state = this.#states.get(name);
    if (state === undefined) {
      state = new LaneState(name, this.#use);
      this.#states.set(name, state);
    }
    return state;
  }
}

class LaneState {
  readonly #name: string;
  readonly #use: LanesUse;
  readonly #clients: Waiter[] = [];
  readonly #background: Waiter[] = [];
  #limit: number;
  #running = 0;
  #shrunkMs = Number.NEGATIVE_INFINITY;
  /** When the next request may set out, under a rate. */
  #nextMs = 0;

  constructor(name: string, use: LanesUse) {
    this.#name = name;
    this.#use = use;
    this.#limit = Math.min(startLimit, this.#max);
  }

  get #max(): number {
    return Math.max(minLimit, this.#use.options(this.#name).max);
  }

  get snapshot() {
    return { limit: this.#limit, running: this.#running, waiting: this.#clients.length + this.#background.length };
  }

  /** Resolves with a place: true when it had to be waited for. */
  async place({
    urgency,
    signal,
  }: {
    readonly urgency?: Urgency | undefined;
    readonly signal: AbortSignal;
  }): Promise<boolean> {
    signal.throwIfAborted();
    if (this.#running < this.#limit) {
      this.#running++;
      return false;
    }
    if (this.snapshot.waiting >= maxWaiting)
      throw new UpstreamFault(this.#name, "unreachable", "too many requests wait for it");
    await this.#wait(urgency, signal);
    return true;
  }

  async #wait(urgency: Urgency | undefined, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const waiter = { go: () => resolve(undefined) };
    const stop = (): void => {
      if (this.#takeOut(waiter)) reject(signal.reason as Error);
    };
    (urgency?.isUrgent === false ? this.#background : this.#clients).push(waiter);
    const noMore = urgency?.onLift(() => {
      if (this.#takeOut(waiter)) this.#clients.push(waiter);
    });
    signal.addEventListener("abort", stop, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", stop);
      noMore?.();
    }
  }

  /** False when it has its place already. */
  #takeOut(waiter: Waiter): boolean {
    for (const line of [this.#clients, this.#background]) {
      const at = line.indexOf(waiter);
      if (at >= 0) return line.splice(at, 1).length > 0;
    }
    return false;
  }

  /** Resolves when the rate allows one more. */
  async pace(signal: AbortSignal): Promise<void> {
    const { perSecond } = this.#use.options(this.#name);
    if (perSecond === undefined) return;
    const now = this.#use.clock.now();
    const at = Math.max(now, this.#nextMs);
    this.#nextMs = at + 1000 / perSecond;
    if (at > now) await this.#use.clock.sleep(at - now, signal);
  }

  /** One request less; whoever waits longest goes next, clients first. */
  leave(): void {
    this.#running--;
    while (this.#running < this.#limit) {
      const next = this.#clients.shift() ?? this.#background.shift();
      if (next === undefined) return;
      this.#running++;
      next.go();
    }
  }

  adapt({ queued, overloaded }: { readonly queued: boolean; readonly overloaded: boolean }): void {
    const isBusy = this.#use.busy() > busyShare;
    if (overloaded || (isBusy && queued)) this.#shrink();
    else if (queued && !isBusy) this.#limit = Math.min(this.#max, this.#limit + 1);
  }

  #shrink(): void {
    const now = this.#use.clock.now();
    if (now - this.#shrunkMs < shrinkEveryMs) return;
    this.#shrunkMs = now;
    this.#limit = Math.max(minLimit, Math.floor(this.#limit * shrinkFactor));
  }
}
