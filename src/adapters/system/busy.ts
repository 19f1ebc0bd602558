// How busy this process is: the share of the last while in which its event loop had something to do.

import { performance } from "node:perf_hooks";

/** The share is taken over at least so long, so that asking often costs nothing and says something. */
const spanMs = 500;

/** A function that says the share, 0 to 1. */
export function busyMeter(): () => number {
  let since = performance.eventLoopUtilization();
  let at = performance.now();
  let share = 0;
  return () => {
    const now = performance.now();
    if (now - at < spanMs) return share;
    share = performance.eventLoopUtilization(since).utilization;
    since = performance.eventLoopUtilization();
    at = now;
    return share;
  };
}
