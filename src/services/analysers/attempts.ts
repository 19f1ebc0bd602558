// A command, and again while its failure may pass.

import type { AttemptClock, AttemptEnd, WatchedCommand } from "./run-ports.ts";
import { judgeOutput } from "./retry-verdict.ts";
import type { RetryVerdict } from "./retry-verdict.ts";

export type AttemptPlan = {
  /** Repetitions at most; the first run is none. */
  readonly retries: number;
  /** Before the first repetition; doubles with each. */
  readonly waitMs: number;
  /** Of everything, waits included. */
  readonly timeoutMs: number;
  readonly stallMs: number | undefined;
};

/** One run of the command, and what comes next. */
export type Attempt = {
  /** From 1. */
  readonly attempt: number;
  /** The most there can be. */
  readonly of: number;
  readonly ms: number;
  readonly end: AttemptEnd;
  /** Undefined after success and when we were told to stop. */
  readonly verdict: RetryVerdict | undefined;
  /** Until the next one; undefined: there is none. */
  readonly waitMs: number | undefined;
};

export type AttemptsUse = {
  readonly command: WatchedCommand;
  readonly clock: AttemptClock;
  readonly tell: (attempt: Attempt) => void;
};

/** A server that counts requests (429) counts for a minute or so; go does not tell us its Retry-After. */
const throttledWaitMs = 30_000;

/** How the last run ended; a `stopped` while waiting is one too. */
export async function runAttempts(plan: AttemptPlan, { command, clock, tell }: AttemptsUse): Promise<AttemptEnd> {
  const deadline = clock.now() + plan.timeoutMs;
  for (let attempt = 1; ; attempt++) {
    const began = clock.now();
    const { end, tail } = await command.run({ timeoutMs: Math.max(1, deadline - began), stallMs: plan.stallMs });
    const verdict = verdictOf(end, tail);
    const wait = verdict?.repeat === true && attempt <= plan.retries ? waitFor(attempt, plan, verdict) : undefined;
    const now = clock.now();
    const waitMs = wait !== undefined && now + wait < deadline ? wait : undefined;
    tell({ attempt, of: plan.retries + 1, ms: now - began, end, verdict, waitMs });
    if (waitMs === undefined) return end;
    const signal = await clock.sleep(waitMs);
    if (signal !== undefined) return { kind: "stopped", signal };
  }
}

function verdictOf(end: AttemptEnd, tail: string): RetryVerdict | undefined {
  switch (end.kind) {
    case "exit":
      return end.code === 0 ? undefined : judgeOutput(tail);
    case "stalled":
      return { repeat: true, code: "stalled", class: "timeout", throttled: false };
    case "signal":
    case "timeout":
    case "stopped":
      return undefined;
  }
}

function waitFor(attempt: number, { waitMs }: AttemptPlan, { throttled }: { readonly throttled: boolean }): number {
  const wait = waitMs * 2 ** (attempt - 1);
  return throttled ? Math.max(wait, throttledWaitMs) : wait;
}
