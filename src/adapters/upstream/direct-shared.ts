// One piece of work per key, however many wait for it; it is given up when nobody does any more. And so many at a time.

type Running = { readonly promise: Promise<unknown>; readonly stop: AbortController; waiting: number };

export class Shared {
  readonly #running = new Map<string, Running>();
  readonly #line: (() => void)[] = [];
  #free: number;

  /** @param places how many works run at a time; the others stand in line */
  constructor(places: number) {
    this.#free = places;
  }

  /** The work's result, its failure, or the signal's reason. */
  async do<T>(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const running = this.#running.get(key) ?? this.#start(key, work);
    running.waiting++;
    const gone = Promise.withResolvers<never>();
    const leave = (): void => gone.reject(signal.reason as Error);
    signal.addEventListener("abort", leave, { once: true });
    try {
      return (await Promise.race([running.promise, gone.promise])) as T;
    } finally {
      signal.removeEventListener("abort", leave);
      if (--running.waiting === 0) {
        if (this.#running.get(key) === running) this.#running.delete(key);
        running.stop.abort(new Error("nobody waits for it any more"));
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<unknown>): Running {
    const stop = new AbortController();
    const promise = this.#inTurn(stop.signal, () => work(stop.signal));
    const running = { promise, stop, waiting: 0 };
    this.#running.set(key, running);
    const forget = (): void => {
      if (this.#running.get(key) === running) this.#running.delete(key);
    };
    promise.then(forget, forget);
    return running;
  }

  async #inTurn(signal: AbortSignal, work: () => Promise<unknown>): Promise<unknown> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#line.push(resolve));
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      const next = this.#line.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
