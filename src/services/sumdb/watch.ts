// Looks for split views when nobody asks: now and then every route of every database gives its newest head, and each
// is held against our timeline. A mirror that shows us one history and others another one is seen by its own head.

import type { Clock } from "#services/store/ports.ts";
import type { SumdbMirror } from "./mirror.ts";

/** While watching is off, how often the setting is looked at. */
const offMs = 10_000;

export async function watchRoutes(use: {
  readonly mirrors: readonly Pick<SumdbMirror, "compareRoutes">[];
  readonly clock: Pick<Clock, "sleep">;
  /** Between two looks, in milliseconds; 0 for none. */
  readonly everyMs: () => number;
  readonly stop: AbortSignal;
  /** Told of what is no answer of a route: a store that cannot be read, for one. The watch goes on. */
  readonly onFailure: (error: unknown) => void;
}): Promise<void> {
  const { mirrors, clock, everyMs, stop, onFailure } = use;
  const isOver = (): boolean => stop.aborted;
  while (!isOver()) {
    const every = everyMs();
    await clock.sleep(every === 0 ? offMs : every, stop).catch(() => undefined);
    if (every === 0) continue;
    for (const mirror of mirrors) {
      if (isOver()) return;
      try {
        await mirror.compareRoutes(stop);
      } catch (error) {
        if (!isOver()) onFailure(error);
      }
    }
  }
}
