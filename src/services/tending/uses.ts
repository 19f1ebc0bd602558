// When versions were used, gathered in memory and told to the index in batches: an answer must not wait for a database.

import type { Use } from "./ports.ts";

/** Versions that may wait for the next batch; beyond it the rest of a flood goes uncounted. Some 10 MB. */
export const maxWaitingUses = 50_000;

type Count = { zips: number; mods: number };

export class Uses {
  readonly #max: number;
  #counts = new Map<string, Count>();

  constructor(max = maxWaitingUses) {
    this.#max = max;
  }

  /** Counts answered requests for a file of `path@version`. Never throws, never waits. */
  asked(what: string, zips: number, mods: number): void {
    const count = this.#counts.get(what);
    if (count !== undefined) {
      count.zips += zips;
      count.mods += mods;
    } else if (this.#counts.size < this.#max) this.#counts.set(what, { zips, mods });
  }

  /** What was counted since the last call, at most `limit` versions of it. */
  take(limit = Infinity): Use[] {
    const counts = [...this.#counts].slice(0, limit);
    if (counts.length === this.#counts.size) this.#counts = new Map();
    else for (const [what] of counts) this.#counts.delete(what);
    return counts.map(([what, count]) => {
      const at = what.lastIndexOf("@");
      return { path: what.slice(0, at), version: what.slice(at + 1), ...count };
    });
  }
}
