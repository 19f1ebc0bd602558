// Which of several origins is nearest, by the time that probes take. A probe tells more than answers do: it is the same
// small question everywhere, and does not hang on what an origin happens to keep.

/** Probes remembered of one origin. The quickest of them counts: what came late met a handshake, or a busy moment. */
const maxSamples = 8;
/** Another one comes before only when it takes less than this share of the time: else two alike would take turns. */
const clearlyNearer = 0.8;

export class Nearness {
  readonly #samples = new Map<string, number[]>();
  /** Nearest first; those that no probe has measured are not in it. */
  #order: readonly string[] = [];

  /** A probe of `upstream` was answered after `ms`. */
  measured(upstream: string, ms: number): void {
    this.#samples.set(upstream, [...(this.#samples.get(upstream) ?? []), ms].slice(-maxSamples));
    this.#order = this.#sorted(this.#order.includes(upstream) ? this.#order : [...this.#order, upstream]);
  }

  /** The time to it in milliseconds; undefined when it was not measured. */
  of(upstream: string): number | undefined {
    const samples = this.#samples.get(upstream);
    return samples && Math.min(...samples);
  }

  /** Its place among those that were measured; behind all of them when it was not. */
  rank(upstream: string): number {
    const place = this.#order.indexOf(upstream);
    return place < 0 ? this.#order.length : place;
  }

  /** The order before, with those moved forward that are clearly nearer than the one before them. Ends: each swap undoes one. */
  #sorted(before: readonly string[]): readonly string[] {
    const order = [...before];
    for (let at = 1; at < order.length; at++) {
      const [nearer = "", here = ""] = [order[at - 1], order[at]];
      if ((this.of(here) ?? Infinity) >= clearlyNearer * (this.of(nearer) ?? Infinity)) continue;
      [order[at - 1], order[at]] = [here, nearer];
      at = Math.max(0, at - 2);
    }
    return order;
  }
}
