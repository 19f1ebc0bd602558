// Trying again: a few times, after a pause of chance, and never for long.

import { setTimeout as passed } from "node:timers/promises";
import { S3Failure } from "./_s3-failure.ts";

export type Tries = {
  /** No try begins later than this after the first one. */
  readonly forMs: number;
  /** Ends the pauses. */
  readonly signal: AbortSignal;
};

const maxTries = 4;
const firstPauseMs = 50;
const longestPauseMs = 2000;

/** Runs `attempt` until it succeeds or fails for good. Throws what the last one threw. */
export async function tried<T>(tries: Tries, attempt: () => Promise<T>): Promise<T> {
  const start = performance.now();
  for (let n = 1; ; n++) {
    try {
      return await attempt();
    } catch (error) {
      const isOver = n === maxTries || performance.now() - start >= tries.forMs;
      if (!(error instanceof S3Failure) || !error.isPassing || isOver || tries.signal.aborted) throw error;
    }
    await passed(pauseMs(n), undefined, { signal: tries.signal }).catch(() => undefined);
  }
}

/** Half of it fixed, half by chance: those who failed together do not come back together. */
function pauseMs(n: number): number {
  const most = Math.min(firstPauseMs * 2 ** n, longestPauseMs);
  return most / 2 + (Math.random() * most) / 2;
}
