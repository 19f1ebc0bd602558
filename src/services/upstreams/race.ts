// One pass along upstreams. Each is asked when the one before it has failed, or has kept silent for too long: then
// both are on their way, and whichever has the file first wins. One that hangs holds up nobody.

import type { Outcome, Running, WalkOp, WalkUse } from "./attempt.ts";
import { ask, brokenOff } from "./attempt.ts";
import type { Upstream } from "./chain.ts";
import { UpstreamFault } from "./ports.ts";
import type { Ledger, WalkResult } from "./ledger.ts";

export type Patience = {
  /** Silence after which the next upstream is asked as well, in milliseconds. */
  readonly silenceMs: number;
  /**
   * Shorter patience with small files: when the answer is later than this upstream's answers usually are, a second
   * request is worth it. Undefined when that is not known, or when enough has been asked twice already.
   */
  hedgeMs(upstream: string): number | undefined;
  /** Told when a second request is sent because the first was late. */
  hedged(upstream: string): void;
};

export type Race<T> = {
  readonly use: WalkUse & { readonly patience?: Patience };
  readonly op: WalkOp<T>;
  readonly ledger: Ledger;
  /** Exclusive answers take turns. */
  readonly turn: ((signal: AbortSignal) => Promise<() => void>) | undefined;
};

type Found<T> = Extract<WalkResult<T>, { readonly kind: "found" }>;
type Final = Extract<WalkResult<never>, { readonly kind: "absent" | "refused" }>;

/** A result that ends the walk; undefined when all have missed, which the ledger then says. */
export async function race<T>(candidates: readonly Upstream[], race: Race<T>): Promise<Found<T> | Final | undefined> {
  const running = new Set<Running<T>>();
  try {
    return await new Runners(candidates, running, race).run();
  } finally {
    for (const runner of running) runner.giveUp(brokenOff(runner.upstream.name));
  }
}

class Runners<T> {
  readonly #waiting: Upstream[];
  readonly #running: Set<Running<T>>;
  readonly #race: Race<T>;
  #hedged = false;

  constructor(candidates: readonly Upstream[], running: Set<Running<T>>, race: Race<T>) {
    this.#waiting = [...candidates];
    this.#running = running;
    this.#race = race;
  }

  async run(): Promise<Found<T> | Final | undefined> {
    let newest: Running<T> | undefined = this.#start();
    while (this.#running.size > 0) {
      const settled = await this.#next(newest);
      if (settled === "silent") {
        newest = newest && this.#afterSilence(newest);
        continue;
      }
      this.#running.delete(settled.runner);
      const end = this.#judge(settled.runner.upstream, settled.outcome);
      if (end !== undefined) return end;
      newest = this.#start() ?? newest;
    }
    return undefined;
  }

  #start(): Running<T> | undefined {
    const upstream = this.#waiting.shift();
    return upstream === undefined ? undefined : this.#ask(upstream);
  }

  #ask(upstream: Upstream): Running<T> {
    const { use, op, turn } = this.#race;
    const runner = ask(upstream, { use, op, absentStatuses: upstream.absentStatuses, ...(turn && { turn }) });
    this.#running.add(runner);
    return runner;
  }

  /** The first of those under way that is done, or "silent" when the newest has tried our patience. */
  async #next(
    newest: Running<T> | undefined,
  ): Promise<{ readonly runner: Running<T>; readonly outcome: Outcome<T> } | "silent"> {
    const done = [...this.#running].map(async (runner) => ({ runner, outcome: await runner.outcome }));
    const waitMs = newest === undefined || !this.#running.has(newest) ? undefined : this.#patienceWith(newest);
    if (waitMs === undefined || newest === undefined) return await Promise.race(done);
    const timer = new AbortController();
    try {
      return await Promise.race([...done, this.#silence(newest, waitMs, timer.signal)]);
    } finally {
      timer.abort();
    }
  }

  /** How long this runner may keep silent; undefined when nothing would follow from its silence. */
  #patienceWith(runner: Running<T>): number | undefined {
    const { use, op } = this.#race;
    if (use.patience === undefined) return undefined;
    const silenceMs = runner.upstream.silenceMs ?? use.patience.silenceMs;
    // Large answers are broken off when they stop coming: what is there stays, and the next request goes on from it.
    if (op.exclusive === true) return silenceMs;
    const hedgeMs = op.background === true || this.#hedged ? undefined : use.patience.hedgeMs(runner.upstream.name);
    if (hedgeMs !== undefined) return Math.min(hedgeMs, silenceMs);
    return this.#waiting.length > 0 || !this.#hedged ? silenceMs : undefined;
  }

  /** Resolves once it has been the runner's turn for `waitMs` without a word. Never rejects. */
  async #silence(runner: Running<T>, waitMs: number, signal: AbortSignal): Promise<"silent"> {
    const { clock } = this.#race.use;
    for (;;) {
      const since = runner.listening.silentSinceMs;
      const leftMs = since === undefined ? waitMs : since + waitMs - clock.now();
      if (leftMs <= 0) return "silent";
      try {
        await clock.sleep(leftMs, signal);
      } catch {
        return "silent"; // nobody listens any more
      }
    }
  }

  /** Asks the next one; or, with nobody left, the same one once more; or breaks off a large answer that stopped. */
  #afterSilence(runner: Running<T>): Running<T> | undefined {
    const { op, use } = this.#race;
    if (op.exclusive === true && (runner.isTaken() || this.#waiting.length === 0)) {
      runner.giveUp(new UpstreamFault(runner.upstream.name, "timeout", "silent for too long"));
      return undefined;
    }
    if (op.exclusive === true) return this.#start();
    const next = this.#start() ?? (this.#hedged ? undefined : this.#ask(runner.upstream));
    if (next === undefined) return undefined;
    this.#hedged = true;
    use.patience?.hedged(runner.upstream.name);
    return next;
  }

  #judge(upstream: Upstream, outcome: Outcome<T>): Found<T> | Final | undefined {
    const { ledger } = this.#race;
    if (outcome.kind === "found") return { ...outcome, upstream };
    ledger.add(upstream, outcome);
    if (!upstream.authoritative) return undefined;
    if (outcome.kind === "absent") return { kind: "absent", by: [upstream.name], text: outcome.text };
    return outcome.kind === "refused" ? ledger.refused(upstream.name) : undefined;
  }
}
