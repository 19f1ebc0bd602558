// One job per name over all nodes: a node takes the turn, does the work, gives the turn back; the others wait and look
// at what it kept.
//
// The turn spares work. It keeps nothing safe: the store creates and never overwrites, so two nodes that both do the
// same work end with the same objects. Whoever cannot take turns goes on alone, and whoever waited long enough too.
//
// Turns cannot wait for one another in a circle. A job takes its turn when all jobs that it needs are done (the zip's
// takes none before the go.mod is kept; a rewritten module's none before its target is), and takes no other inside it.
// So whoever has a turn waits for room at the gate and for upstreams only, and those who stand there wait for no turn.

import type { Meter } from "#services/events/ports.ts";
import type { Clock } from "#services/store/ports.ts";
import { CoordinationDown } from "./ports.ts";
import type { Turn, Turns } from "./ports.ts";

/** A message that got lost holds nobody up for longer: then the turn is asked for again. */
export const askAgainMs = 2_000;

/**
 * Turns of others that a job waits for: it goes on alone when so many came and went and left nothing. Of many nodes in front
 * of an upstream that fails slowly, the last one does not wait for all the others.
 */
export const maxTurnsWaited = 3;

/** Jobs that wait for turns of others, outside the gate; the next one goes on alone, through it. */
const maxWaiting = 1_000;

export type SharedFlightUse = {
  readonly turns: Turns;
  readonly clock: Pick<Clock, "now">;
  readonly meter: Pick<Meter, "turn">;
};

export type SharedJob<T> = {
  /** No more waiting; the job runs then, and says itself that it is too late. */
  readonly signal: AbortSignal;
  /** Told with each turn of another node that is waited for. */
  readonly waits?: () => void;
  /** What another node may have left by now. */
  readonly look: () => Promise<T | undefined>;
  /** Looks for itself before it works: between look() and our turn somebody may have been faster. */
  readonly run: () => Promise<T>;
};

export class SharedFlight {
  readonly #use: SharedFlightUse;
  readonly #held = new Set<Turn>();
  #waiting = 0;

  constructor(use: SharedFlightUse) {
    this.#use = use;
  }

  /** Jobs that wait for a turn of another node. */
  get waiting(): number {
    return this.#waiting;
  }

  /** What another node left, or what the job gives. Throws what look() and run() throw, nothing of its own. */
  async do<T>(name: string, job: SharedJob<T>): Promise<T> {
    const first = await this.#take(name);
    if (first !== "another's") return await this.#run(first, job);
    if (this.#waiting >= maxWaiting) return await this.#run("nobody knows", job);
    this.#waiting++;
    let next: Ours | { readonly left: T };
    try {
      next = await this.#wait(name, job);
    } finally {
      this.#waiting--;
    }
    return typeof next === "object" && "left" in next ? next.left : await this.#run(next, job);
  }

  /** Gives back the turns of jobs that still run, so that nobody waits for a node that stops. */
  async close(): Promise<void> {
    await Promise.all([...this.#held].map((turn) => turn.end()));
  }

  async #wait<T>(name: string, { signal, look, waits }: SharedJob<T>): Promise<Ours | { readonly left: T }> {
    const { turns, clock, meter } = this.#use;
    meter.turn("waited");
    waits?.();
    for (let ended = 0; ended < maxTurnsWaited && !signal.aborted;) {
      const since = clock.now();
      await turns.ended(name, askAgainMs, signal);
      const hasEnded = clock.now() - since < askAgainMs;
      if (hasEnded) ended++;
      const left = await look();
      if (left !== undefined) {
        meter.turn("spared");
        return { left };
      }
      const taken = await this.#take(name);
      if (taken !== "another's") return taken;
      if (hasEnded) waits?.();
    }
    return "nobody knows";
  }

  async #take(name: string): Promise<Ours | "another's"> {
    try {
      return (await this.#use.turns.take(name)) ?? "another's";
    } catch (error) {
      if (error instanceof CoordinationDown) return "nobody knows";
      throw error;
    }
  }

  async #run<T>(turn: Ours, { run }: SharedJob<T>): Promise<T> {
    const { meter } = this.#use;
    if (turn === "nobody knows") {
      meter.turn("alone");
      return await run();
    }
    meter.turn("taken");
    const lost = (): void => meter.turn("lost");
    turn.lost.addEventListener("abort", lost, { once: true });
    this.#held.add(turn);
    try {
      return await run();
    } finally {
      turn.lost.removeEventListener("abort", lost);
      this.#held.delete(turn);
      // Nobody here has to wait until it is given back.
      void turn.end();
    }
  }
}

type Ours = Turn | "nobody knows";
