// A semaphore with a bounded queue: at most `limit` jobs run, at most `waiting` stand in line, the next is told so.

export class GateFull extends Error {
  override readonly name = "GateFull";
}

export class Gate {
  readonly #limit: number;
  readonly #maxWaiting: number;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(limit: number, maxWaiting: number) {
    this.#limit = limit;
    this.#maxWaiting = maxWaiting;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Runs `job` when there is room. Throws GateFull when the line is full. */
  async pass<T>(job: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limit) this.#running++;
    else await this.#line();
    try {
      return await job();
    } finally {
      const next = this.#queue.shift();
      // The place goes straight to the next in line, so that no newcomer can slip in between.
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #line(): Promise<void> {
    if (this.#queue.length >= this.#maxWaiting) return Promise.reject(new GateFull("too many jobs are waiting"));
    return new Promise((resolve) => this.#queue.push(resolve));
  }
}
