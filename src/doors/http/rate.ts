// The guard in front of everything: one client's rate. Without a limiter a request pays one comparison.

import type { Access } from "#services/access/access.ts";
import { addressKey } from "#services/access/limiter.ts";
import type { Limiter } from "#services/access/limiter.ts";
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

  /** Counts a request. The refusal (GRANARY_RATE_LIMITED), or undefined; a promise when a token has to be looked up. */
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

  #count(key: string): GranaryError | undefined {
    const { limiter, clock } = this.#use;
    const waitMs = limiter.admit(key, clock.now());
    if (waitMs === 0) return undefined;
    const { perSecond } = limiter.rule;
    return new GranaryError("GRANARY_RATE_LIMITED", { perSecond, waitSeconds: Math.ceil(waitMs / 1000) });
  }
}
