// Coordination between nodes that live in one process: what the ports mean, without a service. For tests, which can take it
// away and give it back.

import { CoordinationDown, nodeReportMs } from "#services/cluster/ports.ts";
import type {
  Coordination,
  NodeReport,
  Nodes,
  Notice,
  Notices,
  SharedAbsence,
  SharedAbsences,
  SharedRates,
  Turn,
  Turns,
} from "#services/cluster/ports.ts";
import type { Clock } from "#services/store/ports.ts";
import { LRUCache } from "lru-cache";
import { setTimeout as sleep } from "node:timers/promises";
import { HeldTurn } from "./_lease.ts";
import { Waiters } from "./_waiters.ts";

type Holder = { readonly owner: object; untilMs: number };
type Listener = Parameters<Notices["hear"]>[0];
type NodeOptions = { readonly leaseMs?: number; readonly clock?: Clock };

const maxKept = 10_000;
const usualLeaseMs = 30_000;
const lookMs = 20;
const secondMs = 1_000;

const usualClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, signal === undefined ? { ref: false } : { signal, ref: false });
  },
};

/** What all nodes share. */
export class LocalHub {
  readonly turns = new Map<string, Holder>();
  readonly absences = new LRUCache<string, SharedAbsence>({ max: maxKept });
  readonly rates = new LRUCache<string, Client>({ max: maxKept });
  readonly reports = new LRUCache<string, { readonly report: NodeReport; readonly untilMs: number }>({ max: maxKept });
  readonly listeners = new Map<Listener, object>();
  readonly waiters = new Set<Waiters>();
  /** What nodes gave back while it was away. */
  readonly owed = new Set<() => void>();
  fence = 0;
  #isDown = false;

  /** While true every call of every node fails. */
  get isDown(): boolean {
    return this.#isDown;
  }

  set isDown(isDown: boolean) {
    const isBack = this.#isDown && !isDown;
    this.#isDown = isDown;
    if (!isBack) return;
    for (const pay of this.owed) pay();
    this.owed.clear();
    for (const { missed } of this.listeners.keys()) missed();
  }

  /** Throws CoordinationDown. */
  check(): void {
    if (this.#isDown) throw new CoordinationDown("out of reach");
  }

  /** Forgets everything, as a service does that was started again without what it had. */
  wipe(): void {
    for (const kept of [this.turns, this.absences, this.rates, this.reports]) kept.clear();
  }

  node(name: string, { leaseMs = usualLeaseMs, clock = usualClock }: NodeOptions = {}): Coordination {
    const self = { name };
    const turns = new LocalTurns(this, leaseMs, clock);
    const listening = new Set<() => void>();
    return {
      turns,
      absences: new LocalAbsences(this, clock),
      rates: new LocalRates(this, clock),
      notices: new LocalNotices(this, self, listening),
      nodes: new LocalNodes(this, clock),
      get isUp() {
        return !turns.hub.isDown;
      },
      async close() {
        for (const stop of listening) stop();
        await turns.close();
      },
    };
  }
}

class LocalTurns implements Turns {
  readonly hub: LocalHub;
  readonly #leaseMs: number;
  readonly #clock: Clock;
  readonly #waiters: Waiters;
  readonly #held = new Set<HeldTurn>();

  constructor(hub: LocalHub, leaseMs: number, clock: Clock) {
    this.hub = hub;
    this.#leaseMs = leaseMs;
    this.#clock = clock;
    this.#waiters = new Waiters(clock, (name, signal) => this.#watch(name, signal));
    hub.waiters.add(this.#waiters);
  }

  take(name: string): Promise<Turn | undefined> {
    return answer(this.hub, () => {
      if (this.#isTaken(name)) return undefined;
      const owner = {};
      const askedMs = this.#clock.now();
      this.hub.turns.set(name, { owner, untilMs: askedMs + this.#leaseMs });
      const terms = { fence: ++this.hub.fence, leaseMs: this.#leaseMs, askedMs };
      const turn: HeldTurn = new HeldTurn(
        terms,
        { renew: () => this.#renew(name, owner), release: () => this.#release(name, owner, turn) },
        this.#clock,
      );
      this.#held.add(turn);
      return turn;
    });
  }

  async ended(name: string, maxMs: number, signal: AbortSignal): Promise<void> {
    await this.#waiters.wait(name, maxMs, signal);
  }

  async close(): Promise<void> {
    this.#waiters.wakeAll();
    this.hub.waiters.delete(this.#waiters);
    await Promise.all([...this.#held].map((turn) => turn.end()));
  }

  #isTaken(name: string): boolean {
    return (this.hub.turns.get(name)?.untilMs ?? 0) > this.#clock.now();
  }

  #renew(name: string, owner: object): Promise<boolean> {
    return answer(this.hub, () => {
      const holder = this.hub.turns.get(name);
      if (holder?.owner !== owner || !this.#isTaken(name)) return false;
      holder.untilMs = this.#clock.now() + this.#leaseMs;
      return true;
    });
  }

  async #release(name: string, owner: object, turn: HeldTurn): Promise<void> {
    this.#held.delete(turn);
    const release = (): void => {
      if (this.hub.turns.get(name)?.owner !== owner) return;
      this.hub.turns.delete(name);
      for (const waiters of this.hub.waiters) waiters.wake(name);
    };
    await answer(this.hub, release).catch(() => this.hub.owed.add(release));
  }

  async #watch(name: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.hub.isDown && this.#isTaken(name))
      await this.#clock.sleep(lookMs, signal).catch(() => undefined);
  }
}

class LocalAbsences implements SharedAbsences {
  readonly #hub: LocalHub;
  readonly #clock: Clock;

  constructor(hub: LocalHub, clock: Clock) {
    this.#hub = hub;
    this.#clock = clock;
  }

  find(key: string): Promise<SharedAbsence | undefined> {
    return answer(this.#hub, () => {
      const absence = this.#hub.absences.get(key);
      return (absence?.untilMs ?? 0) > this.#clock.now() ? absence : undefined;
    });
  }

  add(key: string, absence: SharedAbsence): Promise<void> {
    return answer(this.#hub, () => void this.#hub.absences.set(key, absence));
  }

  forget(keys: readonly string[]): Promise<void> {
    return answer(this.#hub, () => keys.forEach((key) => this.#hub.absences.delete(key)));
  }
}

/** The times of the last requests that passed, oldest first, and the end of the pause. */
type Client = { readonly times: number[]; pausedUntilMs: number };

class LocalRates implements SharedRates {
  readonly #hub: LocalHub;
  readonly #clock: Clock;

  constructor(hub: LocalHub, clock: Clock) {
    this.#hub = hub;
    this.#clock = clock;
  }

  admit(key: string, rule: { readonly perSecond: number; readonly coolDownMs: number }): Promise<number> {
    return answer(this.#hub, () => {
      const client = this.#hub.rates.get(key) ?? { times: [], pausedUntilMs: 0 };
      this.#hub.rates.set(key, client);
      return admit(client, rule, this.#clock.now());
    });
  }
}

/** The rule of services/access/limiter.ts. */
function admit(
  client: Client,
  rule: { readonly perSecond: number; readonly coolDownMs: number },
  nowMs: number,
): number {
  const { times } = client;
  const leftMs = client.pausedUntilMs - nowMs;
  if (leftMs > 0 && leftMs <= rule.coolDownMs) return leftMs;
  if (client.pausedUntilMs > 0) times.length = client.pausedUntilMs = 0;
  times.splice(0, times.length - rule.perSecond);
  const ageMs = nowMs - (times[0] ?? 0);
  if (times.length === rule.perSecond && ageMs >= 0 && ageMs < secondMs) {
    client.pausedUntilMs = nowMs + rule.coolDownMs;
    return rule.coolDownMs;
  }
  times.push(nowMs);
  return 0;
}

class LocalNotices implements Notices {
  readonly #hub: LocalHub;
  readonly #self: object;
  readonly #listening: Set<() => void>;

  constructor(hub: LocalHub, self: object, listening: Set<() => void>) {
    this.#hub = hub;
    this.#self = self;
    this.#listening = listening;
  }

  tell(notice: Notice): Promise<void> {
    return answer(this.#hub, () => {
      for (const [{ told }, node] of this.#hub.listeners) if (node !== this.#self) setImmediate(() => told(notice));
    });
  }

  hear(listener: Listener): () => void {
    const mine = { ...listener };
    this.#hub.listeners.set(mine, this.#self);
    const stop = (): void => void this.#hub.listeners.delete(mine);
    this.#listening.add(stop);
    return stop;
  }
}

class LocalNodes implements Nodes {
  readonly #hub: LocalHub;
  readonly #clock: Clock;

  constructor(hub: LocalHub, clock: Clock) {
    this.#hub = hub;
    this.#clock = clock;
  }

  report(report: NodeReport): Promise<void> {
    const untilMs = this.#clock.now() + 3 * nodeReportMs;
    return answer(this.#hub, () => void this.#hub.reports.set(report.node, { report, untilMs }));
  }

  list(): Promise<readonly NodeReport[]> {
    return answer(this.#hub, () => {
      const known = [...this.#hub.reports.values()].filter(({ untilMs }) => untilMs > this.#clock.now());
      return known.map(({ report }) => report).sort((a, b) => (a.node < b.node ? -1 : 1));
    });
  }
}

/** What a service would answer, a moment later. */
async function answer<T>(hub: LocalHub, work: () => T): Promise<T> {
  await Promise.resolve();
  hub.check();
  return work();
}
