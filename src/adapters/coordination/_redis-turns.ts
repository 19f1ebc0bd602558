// Turns as keys that expire: SET NX by a random owner, renewed and removed only by that owner.

import { randomUUID } from "node:crypto";
import type { Turn, Turns } from "#services/cluster/ports.ts";
import type { Clock } from "#services/store/ports.ts";
import { HeldTurn } from "./_lease.ts";
import { shortened } from "./_redis-keys.ts";
import type { Keys } from "./_redis-keys.ts";
import type { RedisLink } from "./_redis-link.ts";
import { endTurn, renewTurn, takeTurn } from "./_redis-scripts.ts";
import { Waiters } from "./_waiters.ts";

/** Whoever waits looks so often, for a message that did not come through. */
const lookMs = 500;
/** Turns that may be ours without our knowing; each ends by itself after a lease. */
const maxUnsure = 1_000;

type Use = { readonly link: RedisLink; readonly keys: Keys; readonly clock: Clock; readonly leaseMs: number };

export class RedisTurns implements Turns {
  readonly #use: Use;
  readonly #waiters: Waiters;
  readonly #held = new Set<HeldTurn>();
  /** Owner to name: asked for or given back while Redis did not answer. */
  readonly #unsure = new Map<string, { readonly name: string; readonly untilMs: number }>();

  constructor(use: Use) {
    this.#use = use;
    this.#waiters = new Waiters(use.clock, (name, signal) => this.#watch(name, signal));
  }

  async take(name: string): Promise<Turn | undefined> {
    const { link, keys, clock, leaseMs } = this.#use;
    const owner = randomUUID();
    const askedMs = clock.now();
    const isSent = link.isUp;
    let reply;
    try {
      const late = (): void => void this.#release(name, owner);
      reply = await link.run(takeTurn, keys.turn(name), [owner, String(leaseMs)], late);
    } catch (error) {
      if (isSent) this.#notSure(name, owner);
      throw error;
    }
    if (reply === null) return undefined;
    const renew = async () => (await link.run(renewTurn, [keys.turn(name)[0]], [owner, String(leaseMs)])) === 1;
    const release = async (): Promise<void> => {
      this.#held.delete(turn);
      await this.#release(name, owner);
    };
    const turn = new HeldTurn({ fence: Number(reply), leaseMs, askedMs }, { renew, release }, clock);
    this.#held.add(turn);
    return turn;
  }

  async ended(name: string, maxMs: number, signal: AbortSignal): Promise<void> {
    await this.#waiters.wait(shortened(name), maxMs, signal);
  }

  /** A message on the channel of ended turns. */
  heard(name: string): void {
    this.#waiters.wake(name);
  }

  /** Redis is there again: what nobody knows of is given back, so that nobody waits a lease for it. */
  async tidy(): Promise<void> {
    const now = this.#use.clock.now();
    const unsure = [...this.#unsure];
    this.#unsure.clear();
    for (const [owner, { name, untilMs }] of unsure) if (untilMs > now) await this.#release(name, owner);
  }

  /** Gives back all turns and lets all who wait go. */
  async close(): Promise<void> {
    this.#waiters.wakeAll();
    await Promise.all([...this.#held].map((turn) => turn.end()));
  }

  async #release(name: string, owner: string): Promise<void> {
    const { link, keys } = this.#use;
    this.#unsure.delete(owner);
    const id = shortened(name);
    this.#waiters.wake(id);
    try {
      await link.run(endTurn, [keys.turn(name)[0]], [owner, keys.ended, id]);
    } catch {
      this.#notSure(name, owner);
    }
  }

  #notSure(name: string, owner: string): void {
    const { clock, leaseMs } = this.#use;
    const [oldest] = this.#unsure.keys();
    if (this.#unsure.size >= maxUnsure && oldest !== undefined) this.#unsure.delete(oldest);
    this.#unsure.set(owner, { name, untilMs: clock.now() + leaseMs });
  }

  async #watch(name: string, signal: AbortSignal): Promise<void> {
    const { link, keys, clock } = this.#use;
    const [key] = keys.turn(name);
    while (!signal.aborted) {
      // Nobody can say: whoever waits finds out by taking the turn.
      const left = await link.call(key, ["PTTL", key]).catch(() => goneReply);
      if (left === goneReply) return;
      const waitMs = typeof left === "number" && left >= 0 ? Math.min(lookMs, left + 1) : lookMs;
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
  }
}

/** What PTTL says of a key that is not there. */
const goneReply = -2;
