// A clock whose time passes only when a test says so; who sleeps wakes in order.
import type { Clock } from "#services/store/ports.ts";

type Sleeper = { readonly untilMs: number; readonly wake: () => void };

export class HandClock implements Clock {
  #now = Date.parse("2026-01-01T00:00:00Z");
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return this.#now;
  }

  /** How many sleep: what nobody waits for any more should not. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const stop = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason as Error);
      };
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const sleeper = { untilMs: this.#now + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  /** So much time passes in which nobody can do anything; then all that should have woken wake. */
  async stall(ms: number): Promise<void> {
    this.#now += ms;
    await this.pass(0);
  }

  /** Lets so much time pass; whoever wakes on the way does what it has to do before time goes on. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const [next] = [...this.#sleepers].sort((a, b) => a.untilMs - b.untilMs);
      if (next === undefined || next.untilMs > end) break;
      this.#now = Math.max(this.#now, next.untilMs);
      next.wake();
    }
    this.#now = end;
    await settle();
  }
}

/** Everything that can go on without time or the outside world has gone on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
}
