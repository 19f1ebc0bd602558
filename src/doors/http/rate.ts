// The guard in front of everything: one client's rate. Without a limiter a request pays one comparison. Several nodes count
// together while they can; while they cannot, each counts for itself.

import type { Access } from "#services/access/access.ts";
import { addressKey } from "#services/access/limiter.ts";
import type { Limiter } from "#services/access/limiter.ts";
import { CoordinationDown } from "#services/cluster/ports.ts";
import type { SharedRates } from "#services/cluster/ports.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Clock } from "#services/store/ports.ts";
import { addressOf, callerOf } from "./caller.ts";
import type { Request } from "./send.ts";

/** What watches over this server must hear of it also while its own address is paused. */
const exempt: ReadonlySet<string> = new Set([
  "/-/livez",
  "/-/readyz",
  "/-/metrics",
  "/health",
  "/healthz",
  "/readyz",
  "/metrics",
]);

export type RateUse = {
  readonly limiter: Limiter;
  /** Counts over all nodes; without it this one counts alone. */
  readonly shared?: SharedRates | undefined;
  /** `token`: the holder of a valid token is a client, wherever it is; everybody else is an address. */
  readonly by: "ip" | "token";
  readonly access: Pick<Access, "holder">;
  readonly clock: Clock;
};

export class RateGuard {
  readonly #use: RateUse;

  constructor(use: RateUse) {
    this.#use = use;
  }

  /** Counts a request. The refusal (GRANARY_RATE_LIMITED), or undefined; a promise when a token is looked up, or other nodes count too. */
  check(request: Request): GranaryError | undefined | Promise<GranaryError | undefined> {
    if (exempt.has(request.url ?? "")) return undefined;
    if (this.#use.by === "ip" || request.headers.authorization === undefined)
      return this.#count(addressKey(addressOf(request)));
    return this.#countHolder(request);
  }

  async #countHolder(request: Request): Promise<GranaryError | undefined> {
    // Tokens that cannot be read open nothing, and excuse nobody.
    const holder = await this.#use.access.holder(callerOf(request)).catch(() => undefined);
    return this.#count(holder === undefined ? addressKey(addressOf(request)) : `token ${holder}`);
  }

  #count(key: string): GranaryError | undefined | Promise<GranaryError | undefined> {
    const { limiter, shared, clock } = this.#use;
    return shared === undefined ? this.#refusal(limiter.admit(key, clock.now())) : this.#countTogether(key, shared);
  }

  /** Either all nodes decide or this one: a request is never counted twice. */
  async #countTogether(key: string, shared: SharedRates): Promise<GranaryError | undefined> {
    const { limiter, clock } = this.#use;
    try {
      return this.#refusal(await shared.admit(key, limiter.rule));
    } catch (error) {
      if (!(error instanceof CoordinationDown)) throw error;
      return this.#refusal(limiter.admit(key, clock.now()));
    }
  }

  #refusal(waitMs: number): GranaryError | undefined {
    if (waitMs === 0) return undefined;
    const { perSecond } = this.#use.limiter.rule;
    return new GranaryError("GRANARY_RATE_LIMITED", { perSecond, waitSeconds: Math.ceil(waitMs / 1000) });
  }
}
