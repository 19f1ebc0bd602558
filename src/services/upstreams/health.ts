// Whether an upstream is worth asking: a passive circuit breaker per upstream, fed by the requests that are made
// anyway. It opens when the upstream cannot be reached, when it falls silent, or when most of what it says, or all
// since a while, is failure; after a pause one request tries; an answer closes it. An upstream that asked us to wait (Retry-After) is
// held, which is not the same: it lives, it may know, it counts.

import type { FaultReason } from "./ports.ts";
import { CallWindow } from "./call-window.ts";

export type HealthOptions = {
  /** Requests in a row that could not even be connected, and open the breaker: nobody is there. */
  readonly unconnectedToOpen: number;
  /** Timeouts in a row that open it, if the last minute's share of failures is above `shareWithTimeouts` as well. */
  readonly timeoutsToOpen: number;
  readonly shareWithTimeouts: number;
  /** Share of failures that opens it once `callsToOpen` requests ended within the last ten seconds. */
  readonly shareToOpen: number;
  /** So many failures in a row within them open it too, whatever was before, once they go on for a second. */
  readonly callsToOpen: number;
  /** Fits `callsToOpen` and `shareToOpen` to how much the upstream is asked and how it usually does. */
  readonly dynamic: boolean;
  /** How long it stays open before one request may try. */
  readonly openMs: number;
  /** Longest Retry-After we honour: a mistaken header must not silence an upstream for a day. */
  readonly maxHoldMs: number;
};

export const defaultHealthOptions: HealthOptions = {
  unconnectedToOpen: 3,
  timeoutsToOpen: 5,
  shareWithTimeouts: 0.15,
  shareToOpen: 0.5,
  callsToOpen: 20,
  dynamic: false,
  openMs: 30_000,
  maxHoldMs: 5 * 60_000,
};

/** The windows of the two rules, in milliseconds. */
const burstMs = 10_000;
const minuteMs = 60_000;

/** Nobody answered at that address: asking again soon is cheap and rarely helps. */
const unconnected: ReadonlySet<FaultReason> = new Set<FaultReason>(["refused", "unresolved", "unreachable", "tls"]);

/** Says nothing of the upstream's health: our own doing, an answer that breaks a rule but is one, or one repository of many. */
const noFailure: ReadonlySet<FaultReason> = new Set<FaultReason>([
  "aborted",
  "too-large",
  "encoding",
  "redirect",
  "repository",
  "no-program",
]);

/** `trial`: the pause is over and one request may try. */
export type Condition = "closed" | "open" | "trial" | "held";

export type HealthSnapshot = {
  readonly upstream: string;
  readonly condition: Condition;
  /** Requests settled since the start, and how many of them failed. */
  readonly requests: number;
  readonly failures: number;
  /** Share of failures in the last minute, 0 to 1. */
  readonly errorRate: number;
  /** Milliseconds since the epoch at which an open or held upstream may be asked again. */
  readonly until?: number;
  readonly lastFault?: FaultReason | "status";
};

/** One request's permit; its first call settles it. */
export interface Permit {
  /** An answer came; from 500 on it is a failure. */
  answered(status: number): void;
  failed(reason: FaultReason): void;
  /** Nothing was learnt (given up by us). */
  abandoned(): void;
}

type State = {
  readonly window: CallWindow;
  requests: number;
  failures: number;
  unconnectedInARow: number;
  timeoutsInARow: number;
  failuresInARow: number;
  /** When the first of them ended. */
  failingSinceMs: number;
  openUntil: number;
  /** When its breaker opened, while it is open; a trial that fails prolongs the same outage. */
  openedMs: number;
  heldUntil: number;
  trying: boolean;
  /** When it was asked last. */
  askedMs: number;
  /** When it said anything last: a header, a piece of a body. */
  heardMs: number;
  /** Late requests since then, and when the first of them set out. */
  late: number;
  lateSinceMs: number;
  /** The share of failures it has had in calm times; what "usual" means for `dynamic`. */
  usualShare: number;
  lastFault: FaultReason | "status" | undefined;
};

export type HealthListener = (upstream: string, change: "opened" | "closed", reason: string) => void;

export class Health {
  readonly #clock: { now(): number };
  readonly #options: HealthOptions;
  readonly #listener: HealthListener;
  readonly #states = new Map<string, State>();

  constructor(use: {
    readonly clock: { now(): number };
    readonly options?: Partial<HealthOptions>;
    /** Told when a breaker opens or closes; must not throw. */
    readonly listener?: HealthListener;
  }) {
    this.#clock = use.clock;
    this.#options = { ...defaultHealthOptions, ...use.options };
    this.#listener = use.listener ?? (() => undefined);
  }

  /** After so many refused connections in a row nothing more is expected of an upstream. */
  get unconnectedToOpen(): number {
    return this.#options.unconnectedToOpen;
  }

  condition(upstream: string): Condition {
    const state = this.#states.get(upstream);
    if (state === undefined) return "closed";
    const now = this.#clock.now();
    if (state.openUntil > 0) return state.openUntil > now || state.trying ? "open" : "trial";
    return state.heldUntil > now ? "held" : "closed";
  }

  /**
   * True when its breaker is open and the pause is over: one request tries it, or may. What it has to say will be known
   * in a moment.
   */
  isOnTrial(upstream: string): boolean {
    const state = this.#states.get(upstream);
    if (state === undefined || state.openUntil === 0) return false;
    return state.trying || state.openUntil <= this.#clock.now();
  }

  /** How long a held upstream wants to be left alone from now on, in milliseconds; 0 when it does not. */
  heldMs(upstream: string): number {
    return Math.max(0, (this.#states.get(upstream)?.heldUntil ?? 0) - this.#clock.now());
  }

  /** For how long its breaker has been open, in milliseconds; 0 while it is closed. */
  outageMs(upstream: string): number {
    const state = this.#states.get(upstream);
    return state === undefined || state.openUntil === 0 ? 0 : this.#clock.now() - state.openedMs;
  }

  /** When it was asked last, milliseconds since the epoch; -Infinity for never. */
  askedMs(upstream: string): number {
    return this.#states.get(upstream)?.askedMs ?? Number.NEGATIVE_INFINITY;
  }

  /**
   * Whether an upstream whose breaker is open may be asked although the pause is not over, because nobody else is
   * left: now and then, so that its return is noticed at once and its absence costs nobody a long wait.
   */
  mayInsist(upstream: string): boolean {
    const state = this.#states.get(upstream);
    // A refused connection costs nobody anything.
    if (state === undefined || state.lastFault === "refused") return true;
    return this.#clock.now() - state.askedMs >= insistEveryMs;
  }

  /** Takes a permit whatever the condition; the caller has asked `condition` first and may have reasons to insist. */
  permit(upstream: string): Permit {
    const state = this.#stateOf(upstream);
    const trial = state.openUntil > 0;
    state.askedMs = this.#clock.now();
    if (trial) state.trying = true;
    let settled = false;
    const settle = (learn: () => void) => {
      if (settled) return;
      settled = true;
      if (trial) state.trying = false;
      learn();
    };
    return {
      answered: (status) => settle(() => this.#answer(upstream, state, status)),
      failed: (reason) => settle(() => this.#fault(upstream, state, reason)),
      abandoned: () => settle(() => undefined),
    };
  }

  /** It said something, to whomever. */
  heard(upstream: string): void {
    const state = this.#stateOf(upstream);
    state.heardMs = this.#clock.now();
    state.late = 0;
  }

  /** A request that set out at `sinceMs` has waited for a word longer than is usual. Told once of each. */
  late(upstream: string, sinceMs: number): void {
    const state = this.#stateOf(upstream);
    if (state.heardMs > sinceMs) return; // it speaks, only not to this one
    if (state.late++ === 0) state.lateSinceMs = sinceMs;
  }

  /**
   * Silent to everybody: as many requests as open a breaker by timeouts are late, and no word has come to any of them
   * for a while. Long before they time out this says that another upstream should be asked.
   */
  isMute(upstream: string): boolean {
    const state = this.#states.get(upstream);
    if (state === undefined || state.late < this.#options.timeoutsToOpen) return false;
    return this.#clock.now() - state.lateSinceMs >= muteMs;
  }

  /** Keeps from asking `upstream` for a while, as its Retry-After says. */
  hold(upstream: string, ms: number): void {
    const state = this.#stateOf(upstream);
    const until = this.#clock.now() + Math.min(Math.max(ms, 0), this.#options.maxHoldMs);
    state.heldUntil = Math.max(state.heldUntil, until);
  }

  /** Somebody saw it alive: an open breaker lets one request try at once. */
  seenAlive(upstream: string): void {
    const state = this.#states.get(upstream);
    if (state !== undefined && state.openUntil > 0) state.openUntil = Math.min(state.openUntil, this.#clock.now());
  }

  /** A probe could not connect: counts like a request that could not. */
  seenDead(upstream: string, reason: FaultReason): void {
    this.#fault(upstream, this.#stateOf(upstream), reason);
  }

  /** Everything known, for readiness and metrics. */
  snapshot(): readonly HealthSnapshot[] {
    return [...this.#states.keys()].map((upstream) => this.snapshotOf(upstream));
  }

  snapshotOf(upstream: string): HealthSnapshot {
    const condition = this.condition(upstream);
    const state = this.#states.get(upstream);
    if (state === undefined) return { upstream, condition, requests: 0, failures: 0, errorRate: 0 };
    const until = condition === "open" ? state.openUntil : condition === "held" ? state.heldUntil : undefined;
    return {
      upstream,
      condition,
      requests: state.requests,
      failures: state.failures,
      errorRate: state.window.share(this.#clock.now(), minuteMs),
      ...(until !== undefined && { until }),
      ...(state.lastFault !== undefined && { lastFault: state.lastFault }),
    };
  }

  #stateOf(upstream: string): State {
    const kept = this.#states.get(upstream);
    if (kept !== undefined) return kept;
    const fresh: State = {
      window: new CallWindow(minuteMs),
      requests: 0,
      failures: 0,
      unconnectedInARow: 0,
      timeoutsInARow: 0,
      failuresInARow: 0,
      failingSinceMs: 0,
      openUntil: 0,
      openedMs: 0,
      heldUntil: 0,
      trying: false,
      askedMs: Number.NEGATIVE_INFINITY,
      heardMs: Number.NEGATIVE_INFINITY,
      late: 0,
      lateSinceMs: 0,
      usualShare: 0,
      lastFault: undefined,
    };
    this.#states.set(upstream, fresh);
    return fresh;
  }

  #answer(upstream: string, state: State, status: number): void {
    state.unconnectedInARow = 0;
    state.timeoutsInARow = 0;
    if (status >= 500) {
      state.lastFault = "status";
      this.#failure(upstream, state, `answered ${status}`);
      return;
    }
    this.#count(state, false);
    const wasOpen = state.openUntil > 0;
    state.openUntil = 0;
    if (wasOpen) this.#listener(upstream, "closed", "answered");
  }

  #fault(upstream: string, state: State, reason: FaultReason): void {
    if (noFailure.has(reason)) return;
    state.unconnectedInARow = unconnected.has(reason) ? state.unconnectedInARow + 1 : 0;
    state.timeoutsInARow = reason === "timeout" ? state.timeoutsInARow + 1 : 0;
    state.lastFault = reason;
    this.#failure(upstream, state, reason);
  }

  #failure(upstream: string, state: State, reason: string): void {
    this.#count(state, true);
    const wasOpen = state.openUntil > 0;
    if (!wasOpen && !this.#mustOpen(state)) return;
    state.openUntil = this.#clock.now() + this.#options.openMs;
    if (wasOpen) return;
    state.openedMs = this.#clock.now();
    this.#listener(upstream, "opened", reason);
  }

  #count(state: State, failed: boolean): void {
    const now = this.#clock.now();
    state.window.add(now, failed);
    state.requests++;
    if (failed) state.failures++;
    if (!failed) state.failuresInARow = 0;
    else if (state.failuresInARow++ === 0) state.failingSinceMs = now;
    // Slow on purpose: a bad minute must not become the usual.
    if (state.openUntil === 0) state.usualShare += ((failed ? 1 : 0) - state.usualShare) / usualCalls;
  }

  #mustOpen(state: State): boolean {
    const now = this.#clock.now();
    const { unconnectedToOpen, timeoutsToOpen, shareWithTimeouts } = this.#options;
    if (state.unconnectedInARow >= unconnectedToOpen) return true;
    if (state.timeoutsInARow >= timeoutsToOpen && state.window.share(now, minuteMs) > shareWithTimeouts) return true;
    if (this.#failsThroughout(state, now)) return true;
    const { calls, share } = this.#burst(state);
    return state.window.calls(now, burstMs) >= calls && state.window.share(now, burstMs) >= share;
  }

  /**
   * Nothing but failures for a while. Of a busy upstream the share says so only when the good calls of the last ten
   * seconds are outnumbered. It must go on, because one broken connection may take many requests with it.
   */
  #failsThroughout(state: State, now: number): boolean {
    const { callsToOpen, dynamic } = this.#options;
    const isEnough = Math.min(state.failuresInARow, state.window.calls(now, burstMs)) >= callsToOpen;
    return !dynamic && isEnough && now - state.failingSinceMs >= failingMs;
  }

  /** What the burst rule asks for: fixed numbers, or numbers fitted to this upstream's traffic. */
  #burst(state: State): { readonly calls: number; readonly share: number } {
    const { callsToOpen: calls, shareToOpen: share, dynamic } = this.#options;
    if (!dynamic) return { calls, share };
    const perSecond = state.window.calls(this.#clock.now(), minuteMs) / (minuteMs / 1000);
    return {
      calls: Math.min(Math.max(Math.round(perSecond * 2), calls / 2), calls * 5),
      share: Math.min(Math.max(share / 2 + state.usualShare * 2, share / 2), 0.9),
    };
  }
}

const insistEveryMs = 1_000;

/** What takes many requests at once, and is over: a connection lost, a reload on the other side. */
const failingMs = 1_000;

/** A hiccup of a network, or a collection of garbage on the other side, is over sooner. */
const muteMs = 400;

/** Calls over which the usual share of failures moves. */
const usualCalls = 500;

/** Retry-After in milliseconds (RFC 9110 §10.2.3: seconds or a date); undefined when it says nothing usable. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  // However many digits: a number too large to be meant still says "not now".
  if (/^\d+$/.test(text.trim())) return Number(text) * 1000;
  const at = /GMT$/.test(text.trim()) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
