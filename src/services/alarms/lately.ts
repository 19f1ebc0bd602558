// The mean of what was measured in the last while: a bounded ring of seconds, so that a busy disk costs no more memory
// than a quiet one.

/** How long a measurement counts. */
export const windowSeconds = 30;

type Second = { at: number; sum: number; count: number };

export class Lately {
  readonly #seconds: Second[] = Array.from({ length: windowSeconds }, () => ({ at: -1, sum: 0, count: 0 }));
  readonly #least: number;

  /** @param least fewer measurements than this say nothing: one slow call is no slow disk */
  constructor({ least }: { readonly least: number }) {
    this.#least = least;
  }

  add(value: number, nowMs: number): void {
    const at = Math.floor(nowMs / 1000);
    const second = this.#seconds[at % windowSeconds];
    if (second === undefined) return;
    if (second.at !== at) Object.assign(second, { at, sum: 0, count: 0 });
    second.sum += value;
    second.count++;
  }

  /** Undefined when too little was measured lately. */
  mean(nowMs: number): number | undefined {
    const oldest = Math.floor(nowMs / 1000) - windowSeconds + 1;
    let sum = 0;
    let count = 0;
    for (const second of this.#seconds) {
      if (second.at < oldest) continue;
      sum += second.sum;
      count += second.count;
    }
    return count < this.#least ? undefined : sum / count;
  }
}
