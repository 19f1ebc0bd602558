// The way to the far storage, with a breaker: while it is away, calls fail at once instead of each waiting for itself.
//
// Away is what says nothing about the one object: no connection, no answer, a refusal of everything. The far storage has
// tried again by itself, so one such failure is enough. A call that is silent for longer than the patience counts before it
// has failed. While it is away one call at a time is let through, and the first that succeeds ends it; one that takes long
// (a large upload) keeps the next one out for no longer than the patience.

import type { Clock } from "#services/store/ports.ts";
import { StoreAway, StoreFull, StoreUnavailable } from "#services/store/ports.ts";

export type FarCall = "get" | "stat" | "open" | "read" | "create" | "replace" | "remove" | "list" | "link";
/** `refused`: it was not sent, because the far storage is away. */
export type FarOutcome = "ok" | "failed" | "refused";

export type GateUse = {
  readonly clock: Pick<Clock, "now">;
  readonly onCall?: ((call: FarCall, outcome: FarOutcome) => void) | undefined;
  /** Told when it goes away and when it is back. */
  readonly onChange?: ((isAway: boolean, reason: string) => void) | undefined;
  readonly patienceMs?: number;
  readonly restMs?: number;
};

/** Longest silence before a small answer, after which nobody else waits for one. */
export const defaultPatienceMs = 2_000;
/** How long it is left alone after a failure. */
const defaultRestMs = 1_000;
/** Calls whose answers are small and come at once from a storage that is well. */
const quick: ReadonlySet<FarCall> = new Set(["get", "stat", "open"]);

export class FarGate {
  readonly #use: GateUse;
  readonly patienceMs: number;
  readonly #restMs: number;
  #away: { readonly reason: string; readonly cause: unknown; readonly sinceMs: number } | undefined;
  #restUntilMs = 0;
  /** The call that was let through last, until it ends. */
  #probe: { readonly untilMs: number } | undefined;

  constructor(use: GateUse) {
    this.#use = use;
    this.patienceMs = use.patienceMs ?? defaultPatienceMs;
    this.#restMs = use.restMs ?? defaultRestMs;
  }

  /** Why calls fail at once, and since when; undefined while they do not. */
  get away(): { readonly reason: string; readonly sinceMs: number } | undefined {
    return this.#away;
  }

  /** True while a call would be let through. */
  get isPassable(): boolean {
    if (this.#away === undefined) return true;
    return this.#use.clock.now() >= Math.max(this.#restUntilMs, this.#probe?.untilMs ?? 0);
  }

  /** Throws StoreAway when the far storage is away, and what `work` throws otherwise. */
  async call<T>(call: FarCall, key: string, work: () => Promise<T>): Promise<T> {
    const { onCall } = this.#use;
    const away = this.#away;
    if (away !== undefined && !this.isPassable) {
      onCall?.(call, "refused");
      throw new StoreAway(key, away.reason, { cause: away.cause });
    }
    const probe = away && { untilMs: this.#use.clock.now() + this.patienceMs };
    if (probe !== undefined) this.#probe = probe;
    const timer = quick.has(call) ? setTimeout(() => this.#silent(), this.patienceMs) : undefined;
    timer?.unref();
    try {
      const result = await work();
      onCall?.(call, "ok");
      this.#well();
      return result;
    } catch (error) {
      onCall?.(call, "failed");
      if (!isAway(error)) {
        // It has answered, if only to say no.
        if (error instanceof StoreUnavailable) this.#well();
        throw error;
      }
      this.#goAway(reasonOf(error), error);
      throw new StoreAway(key, reasonOf(error), { cause: error });
    } finally {
      clearTimeout(timer);
      if (probe !== undefined && this.#probe === probe) this.#probe = undefined;
    }
  }

  #well(): void {
    if (this.#away === undefined) return;
    const { reason } = this.#away;
    this.#away = undefined;
    this.#use.onChange?.(false, reason);
  }

  #silent(): void {
    this.#goAway(`silent for ${this.patienceMs} ms`, new Error("silence"));
  }

  #goAway(reason: string, cause: unknown): void {
    const now = this.#use.clock.now();
    this.#restUntilMs = now + this.#restMs;
    const isNew = this.#away === undefined;
    this.#away = { reason, cause, sinceMs: this.#away?.sinceMs ?? now };
    if (isNew) this.#use.onChange?.(true, reason);
  }
}

/** It says something about the storage and not about one object. Without a cause it is a rule of ours, such as a size. */
function isAway(error: unknown): error is StoreUnavailable {
  if (!(error instanceof StoreUnavailable) || error instanceof StoreFull) return false;
  if (error.cause === undefined) return false;
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    const { status, code } = cause as { readonly status?: unknown; readonly code?: unknown };
    if (ofOneKey.has(status) || ofOneKey.has(code)) return false;
  }
  return true;
}

/** Two objects in each other's way, or a name that cannot be. */
const ofOneKey: ReadonlySet<unknown> = new Set([
  ...[400, 409, 414],
  ...["EEXIST", "ENOTDIR", "EISDIR", "ENOTEMPTY", "ENAMETOOLONG", "ELOOP"],
]);

function reasonOf(error: StoreUnavailable): string {
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}
