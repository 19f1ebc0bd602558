// Of several nodes that append to one log, one at a time does: the others wait a moment, and find what it wrote. This
// spares work and nothing else. What keeps the log one is that a commit is created and never replaced, so whoever waited
// long enough, or has nobody to ask, goes on.

import type { Turn, Turns } from "#services/cluster/ports.ts";
import { CoordinationDown } from "#services/cluster/ports.ts";
import type { Clock } from "#services/store/ports.ts";

/** Does some work in a turn, or without one. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** Longest wait for others: what they and we append must be in a signed head within a second. */
const maxWaitMs = 300;

/** @param use.turns as long as there are any, also later */
export function sequencer(
  log: string,
  use: {
    readonly turns: () => Turns | undefined;
    readonly clock: Pick<Clock, "now">;
    readonly signal: AbortSignal;
  },
): InTurn {
  const take = async (): Promise<Turn | undefined> => {
    const turns = use.turns();
    if (turns === undefined) return undefined;
    const name = `sumlog ${log}`;
    const until = use.clock.now() + maxWaitMs;
    try {
      for (;;) {
        const turn = await turns.take(name);
        const leftMs = until - use.clock.now();
        if (turn !== undefined || leftMs <= 0 || use.signal.aborted) return turn;
        await turns.ended(name, leftMs, use.signal);
      }
    } catch (error) {
      if (!(error instanceof CoordinationDown)) throw error;
      return undefined;
    }
  };
  return async (work) => {
    const turn = await take();
    try {
      return await work();
    } finally {
      await turn?.end();
    }
  };
}
