// Asks the databases again for everything that was kept on a list's word, until they have answered for each.

import type { Clock } from "#services/store/ports.ts";
import type { Owed, OwedProofs } from "./owed.ts";

/** Between two rounds. While no database answers, a round ends at its first question. */
const everyMs = 30_000;

export type RecheckUse = {
  readonly owed: Pick<OwedProofs, "list">;
  /** Asks the databases. False when none answered. Never throws for a hash that differs: that has been told by then. */
  readonly prove: (owed: Owed, signal: AbortSignal) => Promise<boolean>;
  readonly clock: Pick<Clock, "sleep">;
  readonly stop: AbortSignal;
  readonly onFailure: (error: unknown) => void;
};

export async function recheckOwed(use: RecheckUse): Promise<void> {
  const { owed, prove, clock, stop, onFailure } = use;
  const isOver = (): boolean => stop.aborted;
  while (!isOver()) {
    try {
      for (const each of await owed.list()) if (isOver() || !(await prove(each, stop))) break;
    } catch (error) {
      if (!isOver()) onFailure(error);
    }
    await clock.sleep(everyMs, stop).catch(() => undefined);
  }
}
