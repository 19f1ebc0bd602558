// How long an upstream has kept us waiting. Time in which we are busy with what it sent is not its silence.

/** Slower than this over `slowWindowMs` of waiting is as good as silent: 20 s for 320 KiB is a modem. */
const minBytesPerSecond = 16 * 1024;
const slowWindowMs = 20_000;

export class Listening {
  readonly #clock: { now(): number };
  #sinceMs: number | undefined;
  /** Waiting and bytes within the window of the slow rule. */
  #waitedMs = 0;
  #bytes = 0;

  constructor(clock: { now(): number }) {
    this.#clock = clock;
  }

  /** From now on it is the upstream's turn. */
  wait(): void {
    this.#sinceMs = this.#clock.now();
  }

  /** It said something, of so many bytes; now it is our turn. */
  heard(bytes: number): void {
    if (this.#sinceMs !== undefined) this.#waitedMs += this.#clock.now() - this.#sinceMs;
    this.#sinceMs = undefined;
    this.#bytes += bytes;
  }

  /** We did not listen for so long, in milliseconds: it may have spoken, and is not held to be silent for it. */
  pardon(ms: number): void {
    if (this.#sinceMs !== undefined) this.#sinceMs = Math.min(this.#sinceMs + ms, this.#clock.now());
  }

  /** Since when it has been silent; undefined while it is our turn. */
  get silentSinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /** The slow rule counts from here: what came before, a header that was long in coming, is another matter. */
  startWindow(): void {
    this.#waitedMs = 0;
    this.#bytes = 0;
  }

  /** True when it kept us waiting for most of a window and sent next to nothing in it. Begins a new window. */
  isTooSlow(): boolean {
    if (this.#waitedMs < slowWindowMs) return false;
    const isSlow = this.#bytes < (minBytesPerSecond * this.#waitedMs) / 1000;
    this.startWindow();
    return isSlow;
  }
}
