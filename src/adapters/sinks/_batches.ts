// Lines on their way to a file: they wait a moment, leave in batches one after the other, and are dropped when too many
// wait. Nobody who adds one is ever held up.

/** Lines wait at most this long in memory. */
const flushMs = 500;
/** Lines beyond this wait are dropped: a dead disk must not fill memory. */
const maxWaiting = 10_000;

export class Batches<Line> {
  readonly #write: (lines: readonly Line[]) => Promise<void>;
  #waiting: Line[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** @param write must not reject */
  constructor(write: (lines: readonly Line[]) => Promise<void>) {
    this.#write = write;
  }

  /** False when the line was dropped. */
  add(line: Line): boolean {
    if (this.#waiting.length >= maxWaiting) return false;
    this.#waiting.push(line);
    this.#timer ??= setTimeout(() => void this.flush(), flushMs).unref();
    return true;
  }

  /** Writes what waits. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length > 0) this.#writing = this.#writing.then(() => this.#write(batch));
    return this.#writing;
  }
}
