// One at a time, in the order of asking; whoever waits may give up.

export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves to a function that ends the turn. Rejects with the signal's reason, without having taken a turn. */
  readonly take = async (signal: AbortSignal): Promise<() => void> => {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const end = (): void => resolve(undefined);
    this.#last = before.then(() => promise);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.race([before, aborted]);
      return end;
    } catch (error) {
      end();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  };
}
