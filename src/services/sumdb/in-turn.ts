// Asks a database's routes one after the other. The next one is asked when the one before it said nothing of use, and
// also when it keeps silent: then both are on their way, and one that hangs holds up nobody.

import type { Clock } from "#services/store/ports.ts";
import type { SumdbRoute } from "./ports.ts";

/** Silence after which the next route is asked as well; ordinary answers take a tenth of it. */
export const patienceMs = 1_000;

export type Questions<T> = {
  readonly clock: Pick<Clock, "sleep">;
  readonly signal: AbortSignal;
  /** What the route says, undefined for nothing of use. What it throws ends the whole. */
  readonly ask: (route: SumdbRoute, signal: AbortSignal) => Promise<T | undefined>;
};

export type Answer<T> = { readonly route: SumdbRoute; readonly value: T };

/**
 * Answers in the order in which they come; whoever has enough stops reading, and those under way are broken off.
 * Throws what `ask` throws, and the signal's reason.
 */
export async function* answersInTurn<T>(
  routes: readonly SumdbRoute[],
  { clock, signal, ask }: Questions<T>,
): AsyncGenerator<Answer<T>, undefined> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const waiting = [...routes];
  const running = new Map<SumdbRoute, Promise<{ route: SumdbRoute; value: T | undefined }>>();
  const start = (): void => {
    const route = waiting.shift();
    if (route === undefined) return;
    const answer = ask(route, either).then((value) => ({ route, value }));
    answer.catch(() => undefined); // broken off, when nobody reads it any more
    running.set(route, answer);
  };
  try {
    for (;;) {
      start();
      if (running.size === 0) return;
      const first = await firstOf([...running.values()], waiting.length > 0 ? clock : undefined, either);
      if (first === undefined) continue;
      const { route, value } = first;
      running.delete(route);
      if (value !== undefined) yield { route, value };
    }
  } finally {
    over.abort(new Error("another route has answered"));
  }
}

/** The first to come; undefined when our patience ends before. Without a clock it does not end. */
async function firstOf<T>(
  answers: readonly Promise<T>[],
  clock: Pick<Clock, "sleep"> | undefined,
  signal: AbortSignal,
): Promise<T | undefined> {
  if (clock === undefined) return await Promise.race(answers);
  const done = new AbortController();
  const silence = clock.sleep(patienceMs, AbortSignal.any([signal, done.signal])).then(() => undefined);
  silence.catch(() => undefined); // ended by `done`
  try {
    return await Promise.race([...answers, silence]);
  } finally {
    done.abort();
  }
}
