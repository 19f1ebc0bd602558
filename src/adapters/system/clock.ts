// The machine's clocks behind the Clock port.

import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "#services/store/ports.ts";

const pause: Clock["sleep"] = async (ms, signal) => {
  await sleep(ms, undefined, signal === undefined ? { ref: false } : { signal, ref: false });
};

/** What a watch on the wall shows: for dates that people and other processes read. Somebody may set it. */
export const systemClock: Clock = { now: () => Date.now(), sleep: pause };

/**
 * Begins with the wall clock's time when the process starts, and from then on only counts: for how long ago and how much
 * longer. A wall clock that is set back by a year would keep a breaker open, a request waiting, or a 404 fresh for a year.
 */
export const steadyClock: Clock = { now: () => Math.floor(performance.timeOrigin + performance.now()), sleep: pause };
