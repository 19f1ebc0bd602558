// How long to wait before asking again: exponential, with full jitter, so that those who failed together do not come
// back together.

/** The first wait lies below this. */
export const backoffBaseMs = 100;
/** No wait is longer. */
export const backoffCapMs = 3_000;

/**
 * Milliseconds before try `tries + 1`, anywhere in [0, min(cap, base · 2^tries)).
 *
 * @param tries how often it was asked again before, from 0
 * @param random in [0, 1)
 */
export function backoffMs(tries: number, random: () => number): number {
  return Math.min(backoffCapMs, backoffBaseMs * 2 ** tries) * random();
}
