// Time that passes only when everybody waits for it. Whoever wakes does all that can be done without waiting before the
// next one wakes, so that one seed means one order of events, whatever machine it runs on.

type Event = { readonly atMs: number; readonly order: number; run: (() => void) | undefined };

export class VirtualTime {
  #nowMs = 0;
  #order = 0;
  /** A binary heap: the earliest first, those of one moment in the order in which they were set. */
  readonly #heap: Event[] = [];

  /** Milliseconds since the beginning, with fractions. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs something later; returns what calls it off. */
  after(ms: number, run: () => void): () => void {
    const event: Event = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, run };
    this.#push(event);
    return () => (event.run = undefined);
  }

  async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => this.after(ms, resolve));
  }

  /** Lets time pass until `isDone`. Throws when nothing is left that could bring that about. */
  async run(isDone: () => boolean): Promise<void> {
    for (;;) {
      // All promises that can go on have gone on when the event loop comes around: nobody waits for the real world.
      await new Promise((resolve) => setImmediate(resolve));
      if (isDone()) return;
      const next = this.#next();
      if (next === undefined) throw new Error("everybody waits, and nothing will ever happen");
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run?.();
    }
  }

  #next(): Event | undefined {
    let next = this.#pop();
    while (next !== undefined && next.run === undefined) next = this.#pop();
    return next;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(event, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
