// One process's life: while it lasts its waits end; after a crash nothing of it ever goes on.
import type { Clock } from "#services/store/ports.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** The machine's wall clock: what people set, apart from what timers count. */
export class Wall {
  readonly #time: VirtualTime;
  /** How far somebody has set it. */
  skewMs = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  now(): number {
    return Math.floor(startMs + this.#time.nowMs + this.skewMs);
  }
}

const startMs = Date.parse("2026-01-01T00:00:00Z");

export class LifeLine {
  readonly time: VirtualTime;
  readonly #crash = Promise.withResolvers<undefined>();
  #isAlive = true;

  constructor(time: VirtualTime) {
    this.time = time;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Resolves when the process is no more. */
  get crashed(): Promise<undefined> {
    return this.#crash.promise;
  }

  /** From now on nothing of this process goes on. */
  end(): void {
    this.#isAlive = false;
    this.#crash.resolve(undefined);
  }

  /** Runs something later, if there is still somebody to run it. Returns what calls it off. */
  after(ms: number, run: () => void): () => void {
    return this.time.after(ms, () => {
      if (this.#isAlive) run();
    });
  }

  /** Never resolves after the crash. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isAlive) this.after(ms, resolve);
    });
  }

  /** The same; rejects with the signal's reason when that comes first. */
  pauseUnless(signal: AbortSignal | undefined, ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const callOff = this.after(ms, () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      });
      const stop = (): void => {
        callOff();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", stop, { once: true });
    });
  }
}

/** A clock whose timers belong to one process. */
export function clockOf(life: LifeLine, now: () => number): Clock {
  return {
    now,
    sleep: (ms, signal) => life.pauseUnless(signal, ms),
    timeout: (ms) => {
      const over = new AbortController();
      life.after(ms, () => over.abort(new DOMException("the time is over", "TimeoutError")));
      return over.signal;
    },
  };
}
