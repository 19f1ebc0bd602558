// One job per key, however many ask. The job belongs to nobody who asks: a caller that goes away stops waiting, it
// does not stop the job. A failure is told to those who wait at that moment and then forgotten.

export class SingleFlight<T> {
  readonly #running = new Map<string, Promise<T>>();

  get size(): number {
    return this.#running.size;
  }

  /** The running job of `key`, else a new one. Rejects with the signal's reason when `signal` aborts first. */
  async do(key: string, signal: AbortSignal, job: () => Promise<T>): Promise<T> {
    let running = this.#running.get(key);
    if (running === undefined) {
      running = job().finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return await untilAborted(running, signal);
  }
}

/** `work`, or the signal's reason if that comes first. The work goes on; its late failure is not unhandled. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined);
    throw asError(signal.reason);
  }
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(asError(signal.reason));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("aborted", { cause: reason });
}
