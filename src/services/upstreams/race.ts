// One pass along upstreams. Each is asked when the one before it has failed, or has kept silent for too long: then
// both are on their way, and whichever has the file first wins. One that hangs holds up nobody.

import type { Outcome, Running, WalkOp, WalkUse } from "./attempt.ts";
import { ask, brokenOff, isManyHosts } from "./attempt.ts";
import type { Upstream } from "./chain.ts";
import { UpstreamFault } from "./ports.ts";
import type { Ledger, WalkResult } from "./ledger.ts";

export type Patience = {
  /** Silence after which the next upstream is asked as well, in milliseconds. */
  readonly silenceMs: number;
  /** Silence after which an answer is later than this upstream's answers usually are. */
  lateMs(upstream: string): number;
  /**
   * Shorter patience with small files: the silence after which a second request is worth it. Undefined when enough
   * has been asked twice already, or when nothing shall be.
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
  const runners = new Runners(candidates, race);
  try {
    return await runners.run();
  } finally {
    runners.letGo();
  }
}

/** How often one pass asks because of silence: a late answer is likely, three in a row are an upstream in trouble. */
const maxLate = 3;

/** Patience is looked at anew this often: a body may have begun, an upstream may have fallen silent to everybody. */
const glanceMs = 150;

type Arrival<T> = { readonly runner: Running<T> } & (
  | { readonly outcome: Outcome<T> }
  /** What is no upstream's fault. */
  | { readonly error: unknown }
);

class Runners<T> {
  readonly #waiting: Upstream[];
  readonly #race: Race<T>;
  /** Those under way, in the order of asking. */
  readonly #running = new Set<Running<T>>();
  readonly #arrivals: Arrival<T>[] = [];
  #wake: () => void = () => undefined;
  /** Broken off, and not done yet. */
  readonly #givenUp = new WeakSet<Running<T>>();
  /** Known to be late. */
  readonly #isLate = new WeakSet<Running<T>>();
  /** Upstreams whose silence was held against them: once in a race, however many requests hang. */
  readonly #blamed = new Set<string>();
  /** Requests sent because another was late. */
  #late = 0;

  constructor(candidates: readonly Upstream[], race: Race<T>) {
    this.#waiting = [...candidates];
    this.#race = race;
  }

  async run(): Promise<Found<T> | Final | undefined> {
    this.#start();
    while (this.#running.size > 0) {
      const arrival = await this.#next();
      if (arrival === "silent") {
        this.#afterSilence();
        continue;
      }
      const { runner } = arrival;
      if (!this.#running.delete(runner)) continue; // nobody waits for it any more
      if ("error" in arrival) throw arrival.error;
      const end = this.#judge(runner.upstream, arrival.outcome);
      if (end !== undefined) return end;
      this.#start();
    }
    return undefined;
  }

  /** Breaks off whoever is still under way. Whoever hangs must not go unnoticed only because others are quicker. */
  letGo(): void {
    for (const runner of this.#running) {
      const isHung = this.#silentMs(runner) >= this.#silenceMs(runner) || this.#isMute(runner);
      this.#breakOff(runner, isHung);
    }
  }

  /** Asks the next one that may be asked now: one that told us to wait gets its time. */
  #start(): boolean {
    const at = this.#nextWaiting();
    const [upstream] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (upstream !== undefined) this.#ask(upstream);
    return upstream !== undefined;
  }

  #nextWaiting(): number {
    const { use, haveWaited } = this.#race;
    return this.#waiting.findIndex(({ name }) => haveWaited || use.health.condition(name) !== "held");
  }

  #ask(upstream: Upstream): void {
    const { use, op, turn } = this.#race;
    const runner = ask(upstream, { use, op, absentStatuses: upstream.absentStatuses, ...(turn && { turn }) });
    this.#running.add(runner);
    runner.outcome.then(
      (outcome) => this.#arrive({ runner, outcome }),
      (error: unknown) => this.#arrive({ runner, error }),
    );
  }

  #arrive(arrival: Arrival<T>): void {
    this.#arrivals.push(arrival);
    this.#wake();
  }

  /** The next that is done, or "silent" when the one whose silence matters has tried our patience. */
  async #next(): Promise<Arrival<T> | "silent"> {
    for (;;) {
      const arrival = this.#arrivals.shift();
      if (arrival !== undefined) return arrival;
      const watched = this.#watched();
      const leftMs = watched === undefined ? Infinity : this.#leftMs(watched);
      if (leftMs <= 0) return "silent";
      await this.#doze(Math.min(leftMs, glanceMs), watched !== undefined);
    }
  }

  /** Until something arrives, or for so long. Never rejects. */
  async #doze(ms: number, isTimed: boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#wake = () => resolve(undefined);
    if (!isTimed) {
      await promise;
      return;
    }
    const { clock } = this.#race.use;
    const began = clock.now();
    const timer = new AbortController();
    const slept = clock.sleep(ms, timer.signal).catch(() => undefined);
    await Promise.race([promise, slept]);
    timer.abort();
    // Woken late: the process was busy or halted, and an answer may lie unread in its socket.
    const overslept = clock.now() - began - ms;
    if (overslept > 0) for (const { listening } of this.#running) listening.pardon(overslept);
  }

  /** Whose silence matters: that of a large body which others wait to take their turn after, else the newest one's. */
  #watched(): Running<T> | undefined {
    const { op, use } = this.#race;
    if (use.patience === undefined) return undefined;
    // One that was broken off will say so itself.
    const running = [...this.#running].filter((runner) => !this.#givenUp.has(runner));
    const taken = op.exclusive === true ? running.find((runner) => runner.isTaken()) : undefined;
    return taken ?? running.at(-1);
  }

  /** How much longer it may keep silent, in milliseconds. */
  #leftMs(runner: Running<T>): number {
    // Silent to everybody: another is worth more than waiting, be it for its answer or for room.
    if (this.#isMute(runner) && this.#nextWaiting() >= 0) return 0;
    // Not its turn, or not asked yet: its silence cannot have lasted long enough any sooner.
    if (runner.listening.silentSinceMs === undefined) return Math.max(1, this.#patienceWith(runner));
    const silentMs = this.#silentMs(runner);
    this.#noteLateness(runner, silentMs);
    return this.#patienceWith(runner) - silentMs;
  }

  #patienceWith(runner: Running<T>): number {
    const silenceMs = this.#silenceMs(runner);
    // A large body that has begun is not asked for twice to be quick.
    if (this.#late >= maxLate || this.#isLargeBody(runner)) return silenceMs;
    return Math.min(this.#race.use.patience?.hedgeMs(runner.upstream.name) ?? silenceMs, silenceMs);
  }

  #noteLateness(runner: Running<T>, silentMs: number): void {
    const { use } = this.#race;
    const { name } = runner.upstream;
    if (isManyHosts(runner.upstream)) return;
    if (this.#isLate.has(runner) || silentMs < (use.patience?.lateMs(name) ?? Infinity)) return;
    this.#isLate.add(runner);
    use.health.late(name, use.clock.now() - silentMs);
  }

  #isLargeBody(runner: Running<T>): boolean {
    return this.#race.op.exclusive === true && runner.isTaken();
  }

  /** It owes us a word, and it owes everybody else one too. */
  #isMute(runner: Running<T>): boolean {
    return !runner.isTaken() && this.#race.use.health.isMute(runner.upstream.name);
  }

  #silentMs({ listening }: Running<T>): number {
    return listening.silentSinceMs === undefined ? 0 : this.#race.use.clock.now() - listening.silentSinceMs;
  }

  #silenceMs({ upstream }: Running<T>): number {
    return upstream.silenceMs ?? this.#race.use.patience?.silenceMs ?? Infinity;
  }

  /**
   * Asks the next one; with nobody left, the same one once more. When that does not help either, and when a large body
   * stops coming, what is silent is broken off: the bytes that came stay, and the next round asks anew.
   */
  #afterSilence(): void {
    const watched = this.#watched();
    if (watched === undefined) return;
    if (!this.#isLargeBody(watched) && this.#askBeside(watched)) return;
    for (const runner of this.#running) {
      if (runner === watched || this.#silentMs(runner) >= this.#silenceMs(runner)) this.#breakOff(runner, true);
    }
  }

  #askBeside(late: Running<T>): boolean {
    const isMute = this.#isMute(late);
    const isOther = this.#start();
    if (!isOther) {
      if (this.#late >= maxLate) return false;
      this.#ask(late.upstream);
    }
    // Another one instead of one that is silent to all: not counted, for it is no luxury. The same one again is.
    if (isMute && isOther) return true;
    this.#late++;
    this.#race.use.patience?.hedged(late.upstream.name);
    return true;
  }

  /** @param isHung its silence counts against it */
  #breakOff(runner: Running<T>, isHung: boolean): void {
    const { upstream } = runner;
    if (this.#givenUp.has(runner)) return;
    this.#givenUp.add(runner);
    const isBlamed = isHung && !this.#blamed.has(upstream.name);
    if (isBlamed) this.#blamed.add(upstream.name);
    runner.giveUp(isBlamed ? tooSilent(upstream) : brokenOff(upstream.name));
  }

  #judge(upstream: Upstream, outcome: Outcome<T>): Found<T> | Final | undefined {
    const { ledger } = this.#race;
    if (outcome.kind === "found") return { ...outcome, upstream };
    // Another request to it is broken off because of the same silence; that one says why.
    if (outcome.kind === "failed" && this.#blamed.has(upstream.name) && isAborted(outcome.error)) return undefined;
    ledger.add(upstream, outcome);
    if (outcome.kind !== "failed") this.#dismiss(upstream);
    if (!upstream.authoritative) return undefined;
    if (outcome.kind === "absent") return { kind: "absent", by: [upstream.name], text: outcome.text };
    return outcome.kind === "refused" ? ledger.refused(upstream.name) : undefined;
  }

  /** It has spoken: nobody waits for what else it was asked. */
  #dismiss(upstream: Upstream): void {
    for (const runner of this.#running) {
      if (runner.upstream !== upstream) continue;
      this.#breakOff(runner, false);
      this.#running.delete(runner);
    }
  }
}

function isAborted(error: unknown): boolean {
  return error instanceof UpstreamFault && error.reason === "aborted";
}

function tooSilent({ name }: Upstream): UpstreamFault {
  return new UpstreamFault(name, "timeout", "silent for too long");
}
