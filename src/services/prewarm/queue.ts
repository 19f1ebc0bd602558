// Work that finds more work: at most `jobs` at once, until nothing is left and nobody can add any.

export class WorkQueue<T> {
  readonly #jobs: number;
  readonly #work: (item: T) => Promise<void>;
  readonly #signal: AbortSignal;
  readonly #items: T[] = [];
  #next = 0;
  #running = 0;
  #failed: { readonly error: unknown } | undefined;
  #done: (() => void) | undefined;

  /** @param signal when aborted, what has not begun is left out */
  constructor(jobs: number, signal: AbortSignal, work: (item: T) => Promise<void>) {
    this.#jobs = jobs;
    this.#signal = signal;
    this.#work = work;
  }

  /** Every item so far, done or not. */
  get size(): number {
    return this.#items.length;
  }

  add(...items: readonly T[]): void {
    for (const item of items) this.#items.push(item);
    this.#fill();
  }

  /** Resolves when all work is done; throws what the first failed piece threw, once the others have ended. */
  async settled(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#done = resolve));
    if (this.#failed !== undefined) throw this.#failed.error;
  }

  #fill(): void {
    while (this.#running < this.#jobs && this.#next < this.#items.length) {
      if (this.#signal.aborted || this.#failed !== undefined) return;
      const item = this.#items[this.#next++] as T;
      this.#running++;
      void this.#run(item);
    }
  }

  async #run(item: T): Promise<void> {
    try {
      await this.#work(item);
    } catch (error) {
      if (!this.#signal.aborted) this.#failed ??= { error };
    }
    this.#running--;
    this.#fill();
    if (this.#running === 0) this.#done?.();
  }
}
