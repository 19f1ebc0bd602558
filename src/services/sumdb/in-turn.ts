// Asks a database's routes one after the other. The next one is asked when the one before it said nothing of use, and
// also when it keeps silent or has to try again: then both are on their way, and one that is in trouble holds up nobody.

import type { Clock } from "#services/store/ports.ts";
import type { SumdbAsk, SumdbRoute } from "./ports.ts";

/** Silence after which the next route is asked as well; ordinary answers take a tenth of it. */
export const patienceMs = 1_000;

export type Questions<T> = {
  readonly clock: Pick<Clock, "sleep">;
  readonly signal: AbortSignal;
  /** What the route says, undefined for nothing of use. What it throws ends the whole. */
  readonly ask: (route: SumdbRoute, how: Required<Omit<SumdbAsk, "isHurried">>) => Promise<T | undefined>;
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
  /** Asks the next route. Resolves when that one has to try again. */
  const start = (): Promise<undefined> => {
    const trouble = Promise.withResolvers<undefined>();
    const route = waiting.shift();
    if (route === undefined) return trouble.promise;
    const asked = ask(route, { signal: either, retrying: () => trouble.resolve(undefined) });
    const answer = asked.then((value) => ({ route, value }));
    answer.catch(() => undefined); // broken off, when nobody reads it any more
    running.set(route, answer);
    return trouble.promise;
  };
  try {
    for (;;) {
      const trouble = start();
      if (running.size === 0) return;
      const answers = [...running.values()];
      const first = await (waiting.length > 0
        ? impatient([...answers, trouble], clock, either)
        : Promise.race(answers));
      if (first === undefined) continue;
      const { route, value } = first;
      running.delete(route);
      if (value !== undefined) yield { route, value };
    }
  } finally {
    over.abort(new Error("another route has answered"));
  }
}

/** The first to come; undefined when our patience ends before. */
async function impatient<T>(
  answers: readonly Promise<T>[],
  clock: Pick<Clock, "sleep">,
  signal: AbortSignal,
): Promise<T | undefined> {
  const done = new AbortController();
  const silence = clock.sleep(patienceMs, AbortSignal.any([signal, done.signal])).then(() => undefined);
  silence.catch(() => undefined); // ended by `done`
  try {
    return await Promise.race([...answers, silence]);
  } finally {
    done.abort();
  }
}
