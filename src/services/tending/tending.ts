// What a server does for its store beside answering: it indexes arrivals and uses, makes room, and reads what lies unread.

import { checkModuleVersion, formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { EventSink } from "#services/events/ports.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { factsOf, rebuildIndex } from "./facts.ts";
import { collectGarbage } from "./gc.ts";
import type { GcReport, GcRule } from "./gc.ts";
import { IndexUnavailable } from "./ports.ts";
import type { IndexFacts, SharedWork, StoreIndex, Use } from "./ports.ts";
import type { Retained } from "./retained.ts";
import { scrub } from "./scrub.ts";
import type { Uses } from "./uses.ts";

export type TendingRules = {
  /** Undefined: nothing leaves by itself. */
  readonly gc: GcRule | undefined;
  /** Between two looks at what may leave. */
  readonly gcEveryMs: number;
  /** Each byte is read once in this time; 0 for never. */
  readonly scrubEveryMs: number;
  /** 0 for as fast as the disk is. */
  readonly scrubBytesPerSecond: number;
};

export type TendingUse = {
  readonly storage: Storage;
  readonly store: ModuleStore;
  readonly index: StoreIndex;
  /** Why the index cannot be asked now; undefined while it can. */
  readonly indexTrouble?: () => string | undefined;
  readonly retained: Retained;
  readonly uses: Uses;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly rules: () => TendingRules;
  /** False while an older program may open the store: it would take an eviction for damage. */
  readonly mayEvict: () => Promise<boolean>;
  /** Brings a version's committed bytes again. Rejects when nobody has them. */
  readonly fetch: (id: ModuleVersion, signal: AbortSignal) => Promise<unknown>;
  readonly stop: AbortSignal;
};

/** Arrivals and uses are told to the index this often. */
const flushMs = 2_000;
/** A look whether something became due: the longest that a changed rule waits. */
const lookMs = 60_000;
/** What could not be done because the index was away is tried again this soon. */
const awayMs = 5_000;
/** While the index is made anew beside clients, it rests this long after each batch. */
const restMs = 20;
/** Arrivals that wait for the index; what comes beyond is found when it is used. */
const maxArrived = 10_000;
/** Versions whose uses are told to the index in one call: when it fails, only they are told again. */
const usesBatch = 1_000;

export class Tending {
  readonly #use: TendingUse;
  readonly #arrived = new Map<string, ModuleVersion>();
  #collectedMs = 0;
  #running: readonly Promise<void>[] = [];

  constructor(use: TendingUse) {
    this.#use = use;
  }

  /** A stage of a version was kept. */
  arrived(id: ModuleVersion): void {
    if (this.#arrived.size < maxArrived) this.#arrived.set(formatModuleVersion(id), id);
  }

  /** Why nothing leaves and nothing is counted now; undefined when all is well. */
  get indexTrouble(): string | undefined {
    return this.#use.indexTrouble?.();
  }

  start(): void {
    this.#running = [
      this.#forever(flushMs, () => this.flush()),
      this.#forever(lookMs, () => this.#makeWhole()),
      this.#forever(lookMs, () => this.#collect()),
      this.#forever(lookMs, () => this.#scrub()),
    ];
  }

  /** Ends after `stop`: what was counted is told to the index. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.flush().catch(() => undefined); // told again when it is used
    await this.#use.index.close();
  }

  /** Tells the index what arrived and what was used. What it could not be told waits for the next time. */
  async flush(): Promise<void> {
    const { uses } = this.#use;
    const arrived = [...this.#arrived.values()];
    this.#arrived.clear();
    try {
      if (arrived.length > 0) await this.#put(arrived);
    } catch (error) {
      for (const id of arrived) this.arrived(id);
      throw error;
    }
    for (let left = usesBatch; left === usesBatch;) {
      const asked = uses.take(usesBatch);
      await this.#count(asked);
      left = asked.length;
    }
  }

  async #count(asked: readonly Use[]): Promise<void> {
    const { index, uses, clock } = this.#use;
    let waiting = asked;
    try {
      if (asked.length > 0) waiting = await index.used(asked, clock.now());
      if (waiting.length === 0) return;
      // Kept, and the index was never told: a crash came between.
      await this.#put(waiting.map(({ path, version }) => checkModuleVersion(path, version)));
      await index.used(waiting, clock.now());
    } catch (error) {
      for (const { path, version, zips, mods } of waiting) uses.asked(`${path}@${version}`, zips, mods);
      throw error;
    }
  }

  async #put(ids: readonly ModuleVersion[]): Promise<void> {
    const facts: IndexFacts[] = [];
    for (const id of ids) {
      const found = await factsOf(this.#use.storage, id).catch(damageIsNoFact);
      if (found !== undefined) facts.push(found);
    }
    await this.#use.index.put(facts, this.#use.clock.now());
  }

  async #makeWhole(): Promise<void> {
    const { storage, index, clock, events } = this.#use;
    if (await index.isWhole()) return;
    await this.#alone("rebuild", async (signal) => {
      if (await index.isWhole()) return; // another node was first
      const rest = async () => await clock.sleep(restMs, signal);
      const { versions, damaged } = await rebuildIndex({ storage, index, clock, signal, rest });
      events.emit({ name: "index.rebuilt", versions, damaged: damaged.length });
    });
  }

  async #collect(): Promise<void> {
    const { index, store, retained, clock, events } = this.#use;
    const { gc: rule, gcEveryMs } = this.#use.rules();
    if (rule === undefined || clock.now() - this.#collectedMs < gcEveryMs) return;
    if (!(await index.isWhole()) || !(await this.#use.mayEvict())) return;
    await this.flush(); // what was used a moment ago must not leave for being unused
    this.#collectedMs = clock.now();
    const isPinned = await retained.asked();
    await this.#alone("gc", async (signal) => {
      const report = await collectGarbage(rule, { index, store, isPinned, clock, signal });
      if (report.evicted > 0 || report.over > 0) events.emit({ name: "gc.done", ...countsOf(report) });
    });
  }

  async #scrub(): Promise<void> {
    const { index, store, clock, events, fetch } = this.#use;
    const { scrubEveryMs } = this.#use.rules();
    if (scrubEveryMs === 0 || !(await index.isWhole())) return;
    await this.#alone("scrub", async (signal) => {
      await scrub(clock.now() - scrubEveryMs, {
        index,
        store,
        clock,
        bytesPerSecond: () => this.#use.rules().scrubBytesPerSecond,
        mend: async (id) => {
          try {
            await fetch(id, signal);
            await store.check(id);
            return true;
          } catch {
            signal.throwIfAborted();
            return false; // told by the caller; a client's request will try as well
          }
        },
        onDamage: ({ key, message }, repaired) =>
          events.emit({ name: "store.damaged", key, repaired, reason: message }),
        signal,
      });
    });
  }

  /** Not while another node over the same store does it; its next turn will come. */
  async #alone(what: SharedWork, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { index, stop } = this.#use;
    if (index.alone === undefined) await work(stop);
    else await index.alone(what, (lost) => work(AbortSignal.any([stop, lost])));
  }

  /** Until the server stops; a failure is told once until it works again. */
  async #forever(everyMs: number, work: () => Promise<void>): Promise<void> {
    const { clock, stop, events } = this.#use;
    let told = "";
    const isOver = () => stop.aborted;
    while (!isOver()) {
      let isAway = false;
      try {
        await work();
        told = "";
      } catch (error) {
        if (isOver()) return;
        isAway = error instanceof IndexUnavailable;
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== told) events.emit({ name: "tending.failed", reason });
        told = reason;
      }
      await clock.sleep(isAway ? Math.min(everyMs, awayMs) : everyMs, stop).catch(() => undefined);
    }
  }
}

function countsOf({ evicted, freed, spared, over }: GcReport) {
  return { evicted, freed, spared, over };
}

function damageIsNoFact(error: unknown): undefined {
  if (!(error instanceof StoreDamaged)) throw error;
  return undefined;
}
