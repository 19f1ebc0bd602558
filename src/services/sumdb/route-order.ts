// Who is asked first. A route whose answer could not be proven goes to the end for a while: the others are asked before
// it, and it alone when there are no others.

import type { Clock } from "#services/store/ports.ts";
import type { SumdbRoute } from "./ports.ts";

/** Long enough that a broken cache on the way is not asked first by every lookup, short enough to notice its repair. */
export const setAsideMs = 10 * 60_000;

export class RouteOrder {
  readonly #routes: readonly SumdbRoute[];
  readonly #clock: Pick<Clock, "now">;
  readonly #onRefused: (route: string, reason: string) => void;
  /** Names; there are as many as routes. */
  readonly #asideUntil = new Map<string, number>();

  /** @param use.routes may change from question to question. */
  constructor(use: {
    readonly routes: readonly SumdbRoute[];
    readonly clock: Pick<Clock, "now">;
    /** Told once for each time that a route is set aside. */
    readonly onRefused: (route: string, reason: string) => void;
  }) {
    this.#routes = use.routes;
    this.#clock = use.clock;
    this.#onRefused = use.onRefused;
  }

  get routes(): readonly SumdbRoute[] {
    if (this.#asideUntil.size === 0) return this.#routes;
    const isAside = (route: SumdbRoute): boolean => this.isAside(route.name);
    return [...this.#routes.filter((route) => !isAside(route)), ...this.#routes.filter(isAside)];
  }

  isAside(route: string): boolean {
    const until = this.#asideUntil.get(route);
    if (until === undefined) return false;
    if (this.#clock.now() < until) return true;
    this.#asideUntil.delete(route);
    return false;
  }

  /** `route` gave what could not be proven. */
  refuse({ name }: SumdbRoute, reason: string): void {
    const isNews = !this.isAside(name);
    this.#asideUntil.set(name, this.#clock.now() + setAsideMs);
    for (const known of this.#asideUntil.keys())
      if (!this.#routes.some((route) => route.name === known)) this.#asideUntil.delete(known);
    if (isNews) this.#onRefused(name, reason);
  }
}
