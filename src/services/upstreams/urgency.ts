// Whether anybody waits for a piece of work. What was begun for nobody becomes urgent when a client joins it, wherever
// it stands in line by then.

export class Urgency {
  #isUrgent: boolean;
  readonly #listeners = new Set<() => void>();

  constructor(isUrgent: boolean) {
    this.#isUrgent = isUrgent;
  }

  get isUrgent(): boolean {
    return this.#isUrgent;
  }

  /** Somebody waits for it from now on. */
  lift(): void {
    if (this.#isUrgent) return;
    this.#isUrgent = true;
    for (const listener of [...this.#listeners]) listener();
    this.#listeners.clear();
  }

  /** Calls `listener` when it becomes urgent, at most once; the function it returns takes that back. */
  onLift(listener: () => void): () => void {
    if (!this.#isUrgent) this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
