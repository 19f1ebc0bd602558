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
  /** Whether what failed so far is worth another pass, and there is time for one. */
  readonly mayAskAgain: () => boolean;
};

type Found<T> = Extract<WalkResult<T>, { readonly kind: "found" }>;
type Final = Extract<WalkResult<never>, { readonly kind: "absent" | "refused" }>;

/** A result that ends the walk; undefined when all have missed, which the ledger then says. */
export async function race<T>(candidates: readonly Upstream[], race: Race<T>): Promise<Found<T> | Final | undefined> {
  const running = new Set<Running<T>>();
  try {
    return await new Runners(candidates, running, race).run();
  } finally {
    const { clock } = race.use;
    for (const runner of running) {
      const { upstream, listening } = runner;
      const silentMs = clock.now() - (listening.silentSinceMs ?? clock.now());
      // Who is merely slower is not to blame; who never says a word would try everybody's patience for ever.
      runner.giveUp(
        silentMs >= silenceMsOf(upstream, race.use.patience) ? tooSilent(upstream) : brokenOff(upstream.name),
      );
    }
  }
}

function silenceMsOf(upstream: Upstream, patience: Patience | undefined): number {
  return upstream.silenceMs ?? patience?.silenceMs ?? Infinity;
}

function tooSilent({ name }: Upstream): UpstreamFault {
  return new UpstreamFault(name, "timeout", "silent for too long");
}

type Watched<T> = {
  readonly runner: Running<T>;
  readonly waitMs: number;
  /** Its silence matters only while its answer is being read. */
  readonly onlyTaken?: true;
};

class Runners<T> {
  readonly #waiting: Upstream[];
  /** In the order in which they were asked. */
  readonly #running: Set<Running<T>>;
  /** Broken off, and not done yet. */
  readonly #givenUp = new WeakSet<Running<T>>();
  readonly #race: Race<T>;
  #hedged = false;

  constructor(candidates: readonly Upstream[], running: Set<Running<T>>, race: Race<T>) {
    this.#waiting = [...candidates];
    this.#running = running;
    this.#race = race;
  }

  async run(): Promise<Found<T> | Final | undefined> {
    this.#start();
    while (this.#running.size > 0) {
      const event = await this.#next();
      if (event.outcome === undefined) {
        this.#afterSilence(event.runner);
        continue;
      }
      this.#running.delete(event.runner);
      const end = this.#judge(event.runner.upstream, event.outcome);
      if (end !== undefined) return end;
      this.#start();
    }
    return undefined;
  }

  /** Asks the next one, if there is one. */
  #start(): boolean {
    const upstream = this.#waiting.shift();
    if (upstream !== undefined) this.#ask(upstream);
    return upstream !== undefined;
  }

  #ask(upstream: Upstream): void {
    const { use, op, turn } = this.#race;
    this.#running.add(ask(upstream, { use, op, absentStatuses: upstream.absentStatuses, ...(turn && { turn }) }));
  }

  /** The first of those under way that is done, or (without an outcome) that has tried our patience. */
  async #next(): Promise<{ readonly runner: Running<T>; readonly outcome?: Outcome<T> }> {
    const done = [...this.#running].map(async (runner) => ({ runner, outcome: await runner.outcome }));
    const timer = new AbortController();
    const silent = this.#watched().map((watched) => this.#silence(watched, timer.signal));
    try {
      return await Promise.race([...done, ...silent]);
    } finally {
      timer.abort();
    }
  }

  /** Those from whose silence something would follow, and how long they may keep it. */
  #watched(): readonly Watched<T>[] {
    const { use, op } = this.#race;
    if (use.patience === undefined) return [];
    const { patience } = use;
    const runners = [...this.#running].filter((runner) => !this.#givenUp.has(runner));
    const newest = runners.at(-1);
    // A large answer that is being taken holds up those that wait for their turn.
    const others = op.exclusive === true ? runners.slice(0, -1) : [];
    const waitMs = newest && this.#patienceWith(newest, patience);
    return [
      ...others.map((runner) => ({ runner, waitMs: silenceMsOf(runner.upstream, patience), onlyTaken: true as const })),
      ...(newest === undefined || waitMs === undefined ? [] : [{ runner: newest, waitMs }]),
    ];
  }

  #patienceWith(newest: Running<T>, patience: Patience): number | undefined {
    const { op } = this.#race;
    const silenceMs = silenceMsOf(newest.upstream, patience);
    if (op.exclusive === true) return silenceMs;
    const hurry = op.background === true || this.#hedged ? undefined : patience.hedgeMs(newest.upstream.name);
    if (hurry !== undefined) return Math.min(hurry, silenceMs);
    return this.#waiting.length > 0 || !this.#hedged || this.#race.mayAskAgain() ? silenceMs : undefined;
  }

  /** Resolves once it has been the runner's turn for `waitMs` without a word. Never rejects. */
  async #silence(watched: Watched<T>, signal: AbortSignal): Promise<{ readonly runner: Running<T> }> {
    const { clock } = this.#race.use;
    const { runner, waitMs, onlyTaken = false } = watched;
    for (;;) {
      const since = onlyTaken && !runner.isTaken() ? undefined : runner.listening.silentSinceMs;
      const leftMs = since === undefined ? waitMs : since + waitMs - clock.now();
      if (leftMs <= 0) return { runner };
      try {
        await clock.sleep(leftMs, signal);
      } catch {
        return { runner }; // nobody listens any more
      }
    }
  }

  /**
   * Asks the next one as well; with nobody left, the same one once more. Breaks off a large answer that stopped (what
   * is there stays, and the next request goes on from it), and one that keeps those who failed from another try.
   */
  #afterSilence(runner: Running<T>): void {
    const { op, use } = this.#race;
    if (op.exclusive === true) {
      if (runner.isTaken() || !this.#start()) this.#giveUp(runner);
      return;
    }
    const wasHedged = this.#hedged;
    if (!this.#start()) {
      if (wasHedged) {
        this.#giveUp(runner);
        return;
      }
      this.#ask(runner.upstream);
    }
    this.#hedged = true;
    use.patience?.hedged(runner.upstream.name);
  }

  #giveUp(runner: Running<T>): void {
    this.#givenUp.add(runner);
    runner.giveUp(tooSilent(runner.upstream));
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
