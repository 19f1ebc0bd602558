// Clients at a steady pace: a request begins when it is due, whether or not those before it have been answered. A load
// that waits for its answers would fall silent together with the server, and the slow time would hardly be seen.
import { Agent, get } from "node:http";

export type Answer = {
  /** When it began, milliseconds of performance.now(). */
  readonly began: number;
  readonly ms: number;
  /** 0: no answer came, or it broke. */
  readonly status: number;
  readonly target: string;
};

export type Pace = {
  readonly base: string;
  readonly perSecond: number;
  /** What is asked when its time has come: targets one after the other, as one client needs them. */
  readonly next: () => readonly string[] | undefined;
};

/** A client that waits longer has failed. */
const patienceMs = 45_000;
/** At most so many requests open: beyond it this program would be what is measured. */
const maxOpen = 5_000;

export class PacedClients {
  readonly answers: Answer[] = [];
  readonly #pace: Pace;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  readonly #open = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  readonly #startedMs = performance.now();
  #sent = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
    this.#timer = setInterval(() => this.#catchUp(), 5);
  }

  /** Begins no more, waits for those that are under way, and closes. */
  async finish(): Promise<readonly Answer[]> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    this.#agent.destroy();
    return this.answers;
  }

  #catchUp(): void {
    const due = ((performance.now() - this.#startedMs) / 1000) * this.#pace.perSecond;
    for (; this.#sent < due; this.#sent++) {
      const targets = this.#open.size < maxOpen ? this.#pace.next() : undefined;
      if (targets === undefined) continue;
      const asking = this.#ask(targets).finally(() => this.#open.delete(asking));
      this.#open.add(asking);
    }
  }

  async #ask(targets: readonly string[]): Promise<void> {
    for (const target of targets) {
      const answer = await askOnce(this.#pace.base, target, this.#agent);
      this.answers.push(answer);
      // As the go command: what failed ends the build.
      if (answer.status !== 200) return;
    }
  }
}

/** One request, timed to the end of its body. Never throws. */
export function askOnce(base: string, target: string, agent: Agent): Promise<Answer> {
  const began = performance.now();
  return new Promise((resolve) => {
    const done = (status: number): void => {
      clearTimeout(timer);
      resolve({ began, ms: performance.now() - began, status, target });
    };
    const request = get(base + target, { agent }, (response) => {
      response.resume();
      response.once("end", () => done(response.statusCode ?? 0));
      response.once("error", () => done(0));
      response.once("close", () => done(response.complete ? (response.statusCode ?? 0) : 0));
    });
    request.once("error", () => done(0));
    const timer = setTimeout(() => request.destroy(), patienceMs);
  });
}

/** The value below which `share` of the values are; NaN without any. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
