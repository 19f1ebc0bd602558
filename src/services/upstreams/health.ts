// Whether an upstream is worth asking: a passive circuit breaker per upstream, fed by the requests that are made
// anyway. Three transport failures in a row open it; after a pause one request tries; an answer closes it. An
// upstream that asked us to wait (Retry-After) is held, which is not the same: it lives, it may know, it counts.

import type { FaultReason } from "./ports.ts";

export type HealthOptions = {
  /** Transport failures in a row that open the breaker. */
  readonly failuresToOpen: number;
  /** How long it stays open before one request may try. */
  readonly openMs: number;
  /** Longest Retry-After we honour: a mistaken header must not silence an upstream for a day. */
  readonly maxHoldMs: number;
};

export const defaultHealthOptions: HealthOptions = { failuresToOpen: 3, openMs: 30_000, maxHoldMs: 5 * 60_000 };

/** Failures of the way to an upstream. A wrong or broken answer is none of these: somebody did answer. */
const transportFaults: ReadonlySet<FaultReason> = new Set<FaultReason>([
  "refused",
  "unresolved",
  "unreachable",
  "reset",
  "tls",
  "timeout",
]);

/** `trial`: the pause is over and one request may try. */
export type Condition = "closed" | "open" | "trial" | "held";

export type HealthSnapshot = {
  readonly upstream: string;
  readonly condition: Condition;
  /** Transport failures in a row. */
  readonly failures: number;
  /** Milliseconds since the epoch at which an open or held upstream may be asked again. */
  readonly until?: number;
  readonly lastFault?: FaultReason;
};

/** One request's permit; its first call settles it. */
export interface Permit {
  /** An answer of any status came. */
  answered(): void;
  failed(reason: FaultReason): void;
  /** Nothing was learnt (given up by us). */
  abandoned(): void;
}

type State = {
  failures: number;
  openUntil: number;
  heldUntil: number;
  trying: boolean;
  lastFault: FaultReason | undefined;
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

  get failuresToOpen(): number {
    return this.#options.failuresToOpen;
  }

  condition(upstream: string): Condition {
    const state = this.#states.get(upstream);
    if (state === undefined) return "closed";
    const now = this.#clock.now();
    if (state.openUntil > 0) return state.openUntil > now || state.trying ? "open" : "trial";
    return state.heldUntil > now ? "held" : "closed";
  }

  /** Takes a permit whatever the condition; the caller has asked `condition` first and may have reasons to insist. */
  permit(upstream: string): Permit {
    const state = this.#stateOf(upstream);
    const trial = state.openUntil > 0;
    if (trial) state.trying = true;
    let settled = false;
    const settle = (learn: () => void) => () => {
      if (settled) return;
      settled = true;
      if (trial) state.trying = false;
      learn();
    };
    return {
      answered: settle(() => this.#close(upstream, state)),
      failed: (reason) => settle(() => this.#fault(upstream, state, reason))(),
      abandoned: settle(() => undefined),
    };
  }

  /** Keeps from asking `upstream` for a while, as its Retry-After says. */
  hold(upstream: string, ms: number): void {
    const state = this.#stateOf(upstream);
    const until = this.#clock.now() + Math.min(Math.max(ms, 0), this.#options.maxHoldMs);
    state.heldUntil = Math.max(state.heldUntil, until);
  }

  /** Everything known, for readiness and metrics. */
  snapshot(): readonly HealthSnapshot[] {
    return [...this.#states].map(([upstream, state]) => {
      const condition = this.condition(upstream);
      const until = condition === "open" ? state.openUntil : condition === "held" ? state.heldUntil : undefined;
      return {
        upstream,
        condition,
        failures: state.failures,
        ...(until !== undefined && { until }),
        ...(state.lastFault !== undefined && { lastFault: state.lastFault }),
      };
    });
  }

  #stateOf(upstream: string): State {
    const kept = this.#states.get(upstream);
    if (kept !== undefined) return kept;
    const fresh: State = { failures: 0, openUntil: 0, heldUntil: 0, trying: false, lastFault: undefined };
    this.#states.set(upstream, fresh);
    return fresh;
  }

  #close(upstream: string, state: State): void {
    const wasOpen = state.openUntil > 0;
    state.failures = 0;
    state.openUntil = 0;
    if (wasOpen) this.#listener(upstream, "closed", "answered");
  }

  #fault(upstream: string, state: State, reason: FaultReason): void {
    if (!transportFaults.has(reason)) return;
    const wasOpen = state.openUntil > 0;
    state.failures++;
    state.lastFault = reason;
    if (!wasOpen && state.failures < this.#options.failuresToOpen) return;
    state.openUntil = this.#clock.now() + this.#options.openMs;
    if (!wasOpen) this.#listener(upstream, "opened", reason);
  }
}

/** Retry-After in milliseconds (RFC 9110 §10.2.3: seconds or a date); undefined when it says nothing usable. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const at = /GMT$/.test(text.trim()) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
