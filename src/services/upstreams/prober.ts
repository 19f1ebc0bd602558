// Looks after upstreams when nobody asks them: a HEAD to each, now and then. One that is back is tried again at once,
// one that cannot be connected is known before a client has to find out, and of several origins the nearest is known.

import type { Clock } from "#services/store/ports.ts";
import { timeLimit } from "#services/store/ports.ts";
import type { Upstream } from "./chain.ts";
import type { LastProbe } from "./desk.ts";
import type { Health } from "./health.ts";
import type { Nearness } from "./nearness.ts";
import type { UpstreamClient } from "./ports.ts";
import { UpstreamFault } from "./ports.ts";

export type ProberUse = {
  /** Those in use. An operator may have any other probed as well. */
  readonly upstreams: () => readonly Upstream[];
  readonly client: UpstreamClient;
  readonly health: Health;
  /** Learns how long origins take. */
  readonly nearness?: Pick<Nearness, "measured">;
  readonly clock: Clock;
  /** Between two probes of one upstream, in milliseconds; 0 for none. */
  readonly everyMs: () => number;
  readonly stop: AbortSignal;
};

/** Nobody waits longer for a sign of life. */
const probeMs = 10_000;
/** The answer to a HEAD has no body; whoever sends one all the same sends no more than this. */
const maxProbeBytes = 64 * 1024;
/** An upstream that nobody has asked for so long is left in peace, unless its breaker is open. */
const idleMs = 10 * 60_000;
/** While probing is off, how often the setting is looked at. */
const offMs = 10_000;

export class Prober {
  readonly #use: ProberUse;
  readonly #last = new Map<string, LastProbe>();

  constructor(use: ProberUse) {
    this.#use = use;
  }

  /** Probes until the server stops. */
  async run(): Promise<void> {
    const { clock, everyMs, stop } = this.#use;
    try {
      // Before anybody asks: the first request should know which origin is near.
      if (everyMs() > 0) await Promise.all(this.#rivals().map((origin) => this.probe(origin, stop)));
      for (;;) {
        const every = everyMs();
        await clock.sleep(every === 0 ? offMs : every, stop);
        if (every > 0) await Promise.all(this.#due().map((upstream) => this.probe(upstream, stop)));
      }
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  }

  last(upstream: string): LastProbe | undefined {
    return this.#last.get(upstream);
  }

  /** Whether an upstream answers, whatever it answers. Feeds its health. Throws what is no fault of a transport. */
  async probe(upstream: Upstream, signal: AbortSignal): Promise<LastProbe> {
    const { client, health, clock } = this.#use;
    const at = clock.now();
    const took = () => clock.now() - at;
    const limited = AbortSignal.any([signal, timeLimit(clock, probeMs)]);
    let result: LastProbe;
    try {
      const response = await client.get(upstream, {
        path: "/",
        method: "HEAD",
        maxBytes: maxProbeBytes,
        signal: limited,
      });
      response.cancel();
      health.seenAlive(upstream.name);
      result = { at, ok: true, ms: took() };
      if (upstream.isOrigin === true) this.#use.nearness?.measured(upstream.name, result.ms);
    } catch (error) {
      if (!(error instanceof UpstreamFault) || signal.aborted) throw error;
      const reason = error.reason === "aborted" ? "timeout" : error.reason;
      health.seenDead(upstream.name, reason);
      result = { at, ok: false, ms: took(), reason };
    }
    this.#last.set(upstream.name, result);
    return result;
  }

  #due(): readonly Upstream[] {
    const { upstreams, health } = this.#use;
    const rivals = this.#rivals();
    const anyRivalAsked = rivals.some(({ name }) => this.#isInUse(name));
    return upstreams().filter((upstream) => {
      const { name, kind } = upstream;
      if (kind !== "http") return false;
      const condition = health.condition(name);
      if (condition === "open" || condition === "trial") return true;
      // The farther one is asked nothing else, and may be the nearer one some day.
      return condition === "closed" && (this.#isInUse(name) || (anyRivalAsked && rivals.includes(upstream)));
    });
  }

  #isInUse(name: string): boolean {
    const { health, clock } = this.#use;
    return clock.now() - health.askedMs(name) < idleMs;
  }

  /** Origins, when there are several to choose from. */
  #rivals(): readonly Upstream[] {
    const origins = this.#use.upstreams().filter(({ kind, isOrigin }) => kind === "http" && isOrigin === true);
    return origins.length > 1 ? origins : [];
  }
}
