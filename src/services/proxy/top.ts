// Which versions' zips are asked for most, in bounded memory. Counts are those of Space-Saving in batches: a version
// that enters late may be counted too high by what was let go before it, never too low.
// (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams, 2005.)

/** Versions counted at once. Twice the builds of a large company; some 1 MB. */
export const maxTopVersions = 8_192;

/** Longest list anybody is given. */
export const maxTopListed = 2_000;

export type TopVersion = { readonly module: string; readonly version: string; readonly count: number };

export class Top {
  readonly #max: number;
  #counts = new Map<string, number>();
  /** The highest count ever let go: what a newcomer may have had. */
  #floor = 0;

  constructor(max = maxTopVersions) {
    this.#max = max;
  }

  /** Counts one answered zip of `path@version`. One map entry changes; it never throws and never waits. */
  asked(what: string): void {
    const before = this.#counts.get(what);
    if (before === undefined && this.#counts.size >= this.#max) this.#letGo();
    this.#counts.set(what, (before ?? this.#floor) + 1);
  }

  /** The most asked ones, highest count first, equals by name. */
  list(limit: number): TopVersion[] {
    return this.#sorted()
      .slice(0, Math.min(limit, maxTopListed))
      .map(([what, count]) => {
        const at = what.lastIndexOf("@");
        return { module: what.slice(0, at), version: what.slice(at + 1), count };
      });
  }

  /** The lower half goes: once per half a table of newcomers, so that a flood of names costs little each. */
  #letGo(): void {
    const sorted = this.#sorted();
    const kept = sorted.slice(0, Math.floor(this.#max / 2));
    this.#floor = Math.max(this.#floor, sorted[kept.length]?.[1] ?? 0);
    this.#counts = new Map(kept);
  }

  #sorted(): [string, number][] {
    return [...this.#counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  }
}
