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
  /** All of them told us to wait, and we have: they are asked now, whatever others were told meanwhile. */
  readonly haveWaited: boolean;
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
    const { clock, patience } = race.use;
    for (const runner of running) {
      const { upstream, listening } = runner;
      const silentMs = listening.silentSinceMs === undefined ? 0 : clock.now() - listening.silentSinceMs;
      // Whoever hangs must not go unnoticed only because others are quicker.
      const isHung = silentMs >= (upstream.silenceMs ?? patience?.silenceMs ?? Infinity);
      runner.giveUp(isHung ? tooSilent(upstream) : brokenOff(upstream.name));
    }
  }
}

function tooSilent({ name }: Upstream): UpstreamFault {
  return new UpstreamFault(name, "timeout", "silent for too long");
}

/** How often one pass asks because of silence: a late answer is likely, three in a row are an upstream in trouble. */
const maxLate = 3;

class Runners<T> {
  readonly #waiting: Upstream[];
  readonly #running: Set<Running<T>>;
  readonly #race: Race<T>;
  /** Broken off, and not done yet. */
  readonly #givenUp = new WeakSet<Running<T>>();
  /** Requests sent because another was late. */
  #late = 0;

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
        const silent = this.#watched(newest);
        newest = silent && this.#afterSilence(silent);
        continue;
      }
      this.#running.delete(settled.runner);
      const end = this.#judge(settled.runner.upstream, settled.outcome);
      if (end !== undefined) return end;
      // With nobody left to ask, it is the patience with those still under way that counts.
      newest = this.#start() ?? [...this.#running].at(-1);
    }
    return undefined;
  }

  /** Asks the next one that may be asked now: one that told us to wait gets its time. */
  #start(): Running<T> | undefined {
    const { use, haveWaited } = this.#race;
    const at = this.#waiting.findIndex(({ name }) => haveWaited || use.health.condition(name) !== "held");
    const [upstream] = at < 0 ? [] : this.#waiting.splice(at, 1);
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
    const watched = this.#watched(newest);
    const waitMs = watched && this.#patienceWith(watched);
    if (waitMs === undefined || watched === undefined) return await Promise.race(done);
    const timer = new AbortController();
    try {
      return await Promise.race([...done, this.#silence(watched, waitMs, timer.signal)]);
    } finally {
      timer.abort();
    }
  }

  /** Whose silence matters: the newest one's, or that of a large body which others wait to take their turn after. */
  #watched(newest: Running<T> | undefined): Running<T> | undefined {
    const taken = this.#race.op.exclusive === true ? [...this.#running].find((runner) => runner.isTaken()) : undefined;
    // One that was broken off will say so itself.
    return [taken, newest].find((each) => each !== undefined && this.#running.has(each) && !this.#givenUp.has(each));
  }

  /** How long this runner may keep silent; undefined when nothing would follow from its silence. */
  #patienceWith(runner: Running<T>): number | undefined {
    const { use, op } = this.#race;
    if (use.patience === undefined) return undefined;
    const silenceMs = runner.upstream.silenceMs ?? use.patience.silenceMs;
    // A large body that has begun is not asked for twice to be quick.
    if (this.#late >= maxLate || (op.exclusive === true && runner.isTaken())) return silenceMs;
    return Math.min(use.patience.hedgeMs(runner.upstream.name) ?? silenceMs, silenceMs);
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

  /**
   * Asks the next one; with nobody left, the same one once more. When that does not help either, and when a large body
   * stops coming, what is silent is broken off: the bytes that came stay, and the next round asks anew.
   */
  #afterSilence(runner: Running<T>): Running<T> | undefined {
    const { op, use } = this.#race;
    if (op.exclusive !== true || !runner.isTaken()) {
      const next = this.#start() ?? (this.#late >= maxLate ? undefined : this.#ask(runner.upstream));
      if (next !== undefined) {
        this.#late++;
        use.patience?.hedged(runner.upstream.name);
        return next;
      }
    }
    for (const each of this.#running) if (each.listening.silentSinceMs !== undefined) this.#breakOff(each);
    return undefined;
  }

  #breakOff(runner: Running<T>): void {
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
