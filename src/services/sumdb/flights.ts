// One job per key, however many ask. The job belongs to nobody who asks: a caller that goes away stops waiting, it
// does not stop the job. A failure is told to those who wait and then forgotten.

export class Flights<T> {
  readonly #running = new Map<string, Promise<T>>();

  /** The running job of `key`, else a new one. Rejects with the signal's reason when `signal` aborts first. */
  async join(key: string, signal: AbortSignal, job: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    let running = this.#running.get(key);
    if (running === undefined) {
      running = job().finally(() => this.#running.delete(key));
      // Everybody may have gone by the time it fails.
      running.catch(() => undefined);
      this.#running.set(key, running);
    }
    return await untilAborted(running, signal);
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => {
    const reason: unknown = signal.reason;
    reject(reason instanceof Error ? reason : new Error("aborted", { cause: reason }));
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Runs jobs one after the other. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  async run<T>(job: () => Promise<T>): Promise<T> {
    const next = this.#last.then(job, job);
    this.#last = next.catch(() => undefined);
    return await next;
  }
}
