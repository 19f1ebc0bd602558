// Who waits for the end of another's turn: woken by name, all at once. However many wait for one name, it is looked after
// by one watcher.

import type { Clock } from "#services/store/ports.ts";

type Group = { readonly wakes: Set<() => void>; readonly watch: AbortController };

/** Resolves when the turn has ended or may have; stops early when the signal aborts. Never throws. */
type Watch = (name: string, signal: AbortSignal) => Promise<void>;

export class Waiters {
  readonly #clock: Clock;
  readonly #watch: Watch;
  readonly #groups = new Map<string, Group>();

  constructor(clock: Clock, watch: Watch) {
    this.#clock = clock;
    this.#watch = watch;
  }

  async wait(name: string, maxMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || maxMs <= 0) return;
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    const group = this.#groupOf(name);
    group.wakes.add(wake);
    await this.#clock.sleep(maxMs, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    group.wakes.delete(wake);
    if (group.wakes.size === 0) this.#leave(name, group);
  }

  wake(name: string): void {
    const group = this.#groups.get(name);
    if (group !== undefined) this.#wakeGroup(name, group);
  }

  wakeAll(): void {
    for (const [name, group] of this.#groups) this.#wakeGroup(name, group);
  }

  #wakeGroup(name: string, group: Group): void {
    this.#leave(name, group);
    for (const wake of group.wakes) wake();
  }

  #groupOf(name: string): Group {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const group: Group = { wakes: new Set(), watch: new AbortController() };
    this.#groups.set(name, group);
    void this.#watch(name, group.watch.signal).then(() => {
      if (this.#groups.get(name) === group) this.#wakeGroup(name, group);
    });
    return group;
  }

  #leave(name: string, group: Group): void {
    group.watch.abort();
    if (this.#groups.get(name) === group) this.#groups.delete(name);
  }
}
