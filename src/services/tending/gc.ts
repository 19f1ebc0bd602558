// Making room: which versions leave, and in which order.
//
// `lru` takes the longest unused first. `s3-fifo` keeps newcomers on probation: one that was not asked for twice leaves
// before anything that proved useful, so that a crowd of versions fetched once cannot push out what builds need daily
// (Yang, Zhang, Yue, Vigfusson, Rashmi: FIFO queues are all you need for cache eviction, 2023). A version leaves whole;
// pinned ones, and private ones unless told so, stay whatever their age.

import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import type { Clock } from "#services/store/ports.ts";
import type { Eviction } from "#services/store/tombstone.ts";
import type { IndexCandidate, IndexOrder, StoreIndex } from "./ports.ts";

export const gcOrders = ["lru", "s3-fifo"] as const;

export type GcRule = {
  /** What may be kept, in bytes of `.info`, go.mod and zip; undefined for any amount. */
  readonly maxBytes: number | undefined;
  /** Versions unused for longer leave, however much room there is; undefined for never. */
  readonly unusedMs: number | undefined;
  readonly order: (typeof gcOrders)[number];
  /** Private versions may leave too. */
  readonly takesPrivate: boolean;
};

export type GcReport = {
  readonly versionsBefore: number;
  readonly bytesBefore: number;
  readonly evicted: number;
  readonly freed: number;
  /** Would have left, but are pinned or private. */
  readonly spared: number;
  /** Of those that leave, the first ones. */
  readonly listed: readonly Leaving[];
  /** How much more than allowed is kept all the same; 0 when the rule is met. */
  readonly over: number;
};

export type Leaving = {
  readonly module: string;
  readonly version: string;
  readonly bytes: number;
  readonly reason: "age" | "size";
  readonly usedMs: number;
};

export type GcUse = {
  readonly index: StoreIndex;
  /** Without it nothing leaves: the report says what would. */
  readonly store: Pick<ModuleStore, "evict"> | undefined;
  readonly isPinned: (path: string, version: string) => boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly progress?: (evicted: number, freed: number) => void;
};

/** Versions looked at at a time. */
const pageSize = 500;
/** Versions named in a report. */
const maxListed = 1_000;
/** S3-FIFO: the share of the whole that newcomers may take before they are looked at first. */
const smallShare = 0.1;
/** S3-FIFO: a newcomer asked for this often is no longer one. */
const enoughUses = 2;

/** Throws the signal's reason, or what the store throws: what has left by then has left, and the rest is untouched. */
export async function collectGarbage(rule: GcRule, use: GcUse): Promise<GcReport> {
  const before = await use.index.totals();
  const collector = new Collector(rule, use, before.bytes);
  await (rule.order === "lru" ? collector.lru() : collector.s3Fifo(before.smallBytes));
  return collector.report(before.versions);
}

class Collector {
  readonly #rule: GcRule;
  readonly #use: GcUse;
  readonly #bytesBefore: number;
  readonly #listed: Leaving[] = [];
  /** Used last before then is unused for too long. */
  readonly #oldMs: number;
  #evicted = 0;
  #freed = 0;
  #spared = 0;

  constructor(rule: GcRule, use: GcUse, bytesBefore: number) {
    this.#rule = rule;
    this.#use = use;
    this.#bytesBefore = bytesBefore;
    this.#oldMs = rule.unusedMs === undefined ? -Infinity : use.clock.now() - rule.unusedMs;
  }

  get #left(): number {
    return this.#bytesBefore - this.#freed;
  }

  get #isTooMuch(): boolean {
    return this.#left > (this.#rule.maxBytes ?? Infinity);
  }

  async lru(): Promise<void> {
    for await (const one of this.#inOrder("unused")) {
      if (this.#isOld(one)) await this.#take(one, "age");
      else if (this.#isTooMuch) await this.#take(one, "size");
      else return;
    }
  }

  /** Newcomers first while they take more than their share, then the others by how seldom they were used. */
  async s3Fifo(smallBytes: number): Promise<void> {
    for await (const one of this.#inOrder("unused")) {
      if (!this.#isOld(one)) break;
      await this.#take(one, "age");
    }
    const { clock, index, store } = this.#use;
    const newcomers = this.#inOrder("small");
    const promoted: IndexCandidate[] = [];
    const share = smallShare * (this.#rule.maxBytes ?? 0);
    for (let small = smallBytes; this.#isTooMuch && small > share;) {
      const one = await nextOf(newcomers);
      if (one === undefined) break;
      small -= one.bytes;
      if (this.#isOld(one)) continue;
      if (one.recent < enoughUses) await this.#take(one, "size");
      else if (store === undefined) promoted.push({ ...one, recent: 0 });
      else await index.promote([one], clock.now());
    }
    let passes = 0;
    const others = this.#established(promoted);
    while (this.#isTooMuch) {
      const one = await nextOf(others);
      if (one === undefined) break;
      if (this.#isOld(one)) continue;
      passes = one.recent;
      await this.#take(one, "size");
    }
    // Every pass over the queue takes one of a version's recent uses.
    if (passes > 0 && store !== undefined)
      for await (const one of this.#inOrder("main")) await index.passedOver([one], passes);
    // Newcomers within their share are all that is left to take.
    while (this.#isTooMuch) {
      const one = await nextOf(newcomers);
      if (one === undefined) break;
      if (!this.#isOld(one)) await this.#take(one, "size");
    }
  }

  /** Those that are on probation no longer; `promoted` are such that the index was not told of. */
  async *#established(promoted: readonly IndexCandidate[]): AsyncGenerator<IndexCandidate, undefined> {
    let isToldOf = false;
    for await (const one of this.#inOrder("main")) {
      if (!isToldOf && one.recent > 0) {
        yield* promoted;
        isToldOf = true;
      }
      yield one;
    }
    if (!isToldOf) yield* promoted;
  }

  /** Unused for longer than anything may be. Those that stay all the same were looked at once. */
  #isOld({ usedMs }: IndexCandidate): boolean {
    return usedMs < this.#oldMs;
  }

  report(versionsBefore: number): GcReport {
    return {
      versionsBefore,
      bytesBefore: this.#bytesBefore,
      evicted: this.#evicted,
      freed: this.#freed,
      spared: this.#spared,
      listed: this.#listed,
      over: Math.max(0, this.#left - (this.#rule.maxBytes ?? Infinity)),
    };
  }

  async #take(one: IndexCandidate, reason: Eviction & ("age" | "size")): Promise<void> {
    const { path, version, usedMs } = one;
    const { store, index, clock } = this.#use;
    if ((one.isPrivate && !this.#rule.takesPrivate) || this.#use.isPinned(path, version)) {
      this.#spared++;
      return;
    }
    const id = checkModuleVersion(path, version);
    const bytes = store === undefined ? one.bytes : await store.evict(id, { reason, atMs: clock.now() });
    if (store !== undefined) await index.evicted([one]);
    this.#evicted++;
    // What the index thought of its size is what the rule counts in.
    this.#freed += one.bytes;
    if (this.#listed.length < maxListed) this.#listed.push({ module: path, version, bytes, reason, usedMs });
    this.#use.progress?.(this.#evicted, this.#freed);
  }

  async *#inOrder(order: IndexOrder): AsyncGenerator<IndexCandidate, undefined> {
    let after: string | undefined;
    do {
      const page = await this.#use.index.page(order, after, pageSize);
      for (const one of page.versions) {
        this.#use.signal.throwIfAborted();
        yield one;
      }
      after = page.next;
    } while (after !== undefined);
  }
}

async function nextOf(candidates: AsyncGenerator<IndexCandidate, undefined>): Promise<IndexCandidate | undefined> {
  return (await candidates.next()).value;
}
