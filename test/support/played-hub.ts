// What nodes agree on, in this process, with every fault that a real service has: away, away in the middle of a wait, a
// message that gets lost, a node that dies with a turn.
import { CoordinationDown } from "#services/cluster/ports.ts";
import type {
  Coordination,
  NodeReport,
  Notice,
  Notices,
  SharedAbsence,
  SharedAbsences,
  SharedRates,
  Turn,
  Turns,
} from "#services/cluster/ports.ts";
import { Limiter } from "#services/access/limiter.ts";
import type { Clock } from "#services/store/ports.ts";

type HeldTurn = {
  readonly node: string;
  readonly lost: AbortController;
  readonly ended: PromiseWithResolvers<undefined>;
};
type Listener = Parameters<Notices["hear"]>[0];

export class PlayedHub {
  readonly #clock: Clock;
  readonly #turns = new Map<string, HeldTurn>();
  readonly #absences = new Map<string, SharedAbsence>();
  readonly #listeners = new Map<Listener, string>();
  readonly #reports = new Map<string, NodeReport>();
  readonly #limiters = new Map<string, Limiter>();
  #fence = 0;
  #down = false;
  /** Turns that were taken, in their order: `node name`. */
  readonly taken: string[] = [];
  /** Names that somebody waits for. */
  readonly waiting: string[] = [];
  /** Nobody is woken: they find out when they ask again. */
  losesMessages = false;
  /** Calls so far, of whatever kind. */
  calls = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isUp(): boolean {
    return !this.#down;
  }

  get held(): string[] {
    return [...this.#turns.keys()];
  }

  get absentKeys(): string[] {
    return [...this.#absences.keys()];
  }

  /** Away: who waits finds out, and every call fails. */
  die(): void {
    this.#down = true;
    for (const { ended } of this.#turns.values()) ended.resolve(undefined);
  }

  comeBack(): void {
    this.#down = false;
    for (const listener of this.#listeners.keys()) listener.missed();
  }

  /** A node is silent for longer than its turns last. */
  expire(node: string): void {
    for (const [name, turn] of this.#turns)
      if (turn.node === node) {
        turn.lost.abort();
        this.#end(name, turn);
      }
  }

  node(node: string): Coordination {
    const isUp = (): boolean => this.isUp;
    return {
      turns: this.#turnsOf(node),
      absences: this.#sharedAbsences(),
      rates: this.#rates(),
      notices: this.#notices(node),
      nodes: {
        report: (report) => this.#up(() => void this.#reports.set(report.node, report)),
        list: () => this.#up(() => [...this.#reports.values()]),
      },
      get isUp() {
        return isUp();
      },
      close: () => Promise.resolve(),
    };
  }

  async #up<T>(answer: () => T): Promise<T> {
    await Promise.resolve();
    this.calls++;
    if (this.#down) throw new CoordinationDown("played");
    return answer();
  }

  #turnsOf(node: string): Turns {
    return {
      take: (name) => this.#up(() => this.#take(node, name)),
      ended: async (name, maxMs, signal) => {
        const turn = this.#turns.get(name);
        if (turn === undefined || this.#down) return;
        this.waiting.push(name);
        const over = new AbortController();
        const asleep = this.#clock.sleep(maxMs, AbortSignal.any([signal, over.signal])).catch(() => undefined);
        await Promise.race([turn.ended.promise, asleep]);
        over.abort();
        this.waiting.splice(this.waiting.indexOf(name), 1);
      },
    };
  }

  #take(node: string, name: string): Turn | undefined {
    if (this.#turns.has(name)) return undefined;
    const turn: HeldTurn = { node, lost: new AbortController(), ended: Promise.withResolvers() };
    this.#turns.set(name, turn);
    this.taken.push(`${node} ${name}`);
    const end = async (): Promise<void> => {
      await Promise.resolve();
      if (this.#turns.get(name) === turn && !this.#down) this.#end(name, turn);
    };
    return { fence: ++this.#fence, lost: turn.lost.signal, end };
  }

  #end(name: string, turn: HeldTurn): void {
    this.#turns.delete(name);
    if (!this.losesMessages) turn.ended.resolve(undefined);
  }

  #sharedAbsences(): SharedAbsences {
    return {
      find: (key) =>
        this.#up(() => {
          const found = this.#absences.get(key);
          return found !== undefined && found.untilMs > this.#clock.now() ? found : undefined;
        }),
      add: (key, absence) => this.#up(() => void this.#absences.set(key, absence)),
      forget: (keys) =>
        this.#up(() => {
          for (const key of keys) this.#absences.delete(key);
        }),
    };
  }

  #rates(): SharedRates {
    return {
      admit: (key, rule) =>
        this.#up(() => {
          const id = JSON.stringify(rule);
          const limiter = this.#limiters.get(id) ?? new Limiter(rule);
          this.#limiters.set(id, limiter);
          return limiter.admit(key, this.#clock.now());
        }),
    };
  }

  #notices(node: string): Notices {
    return {
      tell: (notice: Notice) =>
        this.#up(() => {
          for (const [listener, of] of this.#listeners) if (of !== node) listener.told(notice);
        }),
      hear: (listener) => {
        this.#listeners.set(listener, node);
        return () => this.#listeners.delete(listener);
      },
    };
  }
}
