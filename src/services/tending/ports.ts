// What tending the store asks of the world: an index over what is kept.
//
// The index is a convenience. The store's files say all that must not be lost; the index can be thrown away and made
// again from the manifests, except for when and how often a version was used.

import type { StorageKey } from "#services/store/ports.ts";

/** What the manifests say of a kept version. */
export type IndexFacts = {
  readonly path: string;
  readonly version: string;
  /** How far it is kept: `.info` and go.mod only, or complete. */
  readonly stage: "mod" | "zip";
  /** Of the files that an eviction would give back; 0 once evicted. */
  readonly bytes: number;
  /** Of the zip, hexadecimal; of every one ever kept, evicted ones too. */
  readonly sha256: string | undefined;
  /** Who brought it, as the manifest has it. */
  readonly upstream: string;
  /** Only what we saw first vouches for it: nobody else may be able to bring it again. */
  readonly isPrivate: boolean;
  readonly firstSeenMs: number;
  readonly isEvicted: boolean;
};

export type IndexedVersion = IndexFacts & {
  readonly usedMs: number;
  /** Answered requests for its zip; for its go.mod while it has no zip: one build asks for both. */
  readonly uses: number;
};

export type IndexTotals = {
  readonly versions: number;
  readonly zips: number;
  readonly bytes: number;
  readonly evicted: number;
  /** Bytes of those that are still on probation (S3-FIFO's small queue). */
  readonly smallBytes: number;
};

/**
 * Orders in which versions may leave. `unused`: longest unused first. `small`: on probation, oldest first. `main`: the
 * others, seldom used first, then oldest. `unchecked`: longest unchecked first, evicted ones left out as everywhere.
 */
export type IndexOrder = "unused" | "small" | "main" | "unchecked";

export type IndexCandidate = IndexedVersion & {
  /** Uses since it was last passed over, at most 3. */
  readonly recent: number;
  /** When its bytes were last read and held against the manifests. */
  readonly checkedMs: number;
};

export type IndexPage = {
  readonly versions: readonly IndexCandidate[];
  /** For the next page; undefined after the last one. */
  readonly next: string | undefined;
};

/** Answered requests for a version's zip, and for its go.mod. */
export type Use = { readonly path: string; readonly version: string; readonly zips: number; readonly mods: number };
type Named = { readonly path: string; readonly version: string };

/** The index cannot be asked now, or not as it is set up. Its message has no secret in it, and is one line. */
export class IndexUnavailable extends Error {
  override readonly name = "IndexUnavailable";
  readonly kind: IndexTrouble;

  constructor(message: string, kind: IndexTrouble) {
    super(message);
    this.kind = kind;
  }
}

/**
 * `away`: not reached, or no answer. `busy`: too slow, or taken by others. `read-only`: takes no writes. `refused`: lets us
 * not in, or lacks a right. `newer`: made by a newer program. `settings`: what it is told to be cannot be.
 */
export type IndexTrouble = "away" | "busy" | "read-only" | "refused" | "newer" | "settings" | "failed";

/** Each call of an index that lies on another machine may reject with IndexUnavailable. */
export interface StoreIndex {
  /** Takes in facts; uses of a version that is known stay. A version that comes back after an eviction is not on probation. */
  put(facts: readonly IndexFacts[], atMs: number): Promise<void>;
  /** Counts uses; resolves to those of versions that it does not know, which are not counted. */
  used(uses: readonly Use[], atMs: number): Promise<readonly Use[]>;
  evicted(versions: readonly Named[]): Promise<void>;
  /** Versions on probation that were used enough stay for good. */
  promote(versions: readonly Named[], atMs: number): Promise<void>;
  /** Those were passed over by an eviction: their recent uses count `less` fewer. */
  passedOver(versions: readonly Named[], less: number): Promise<void>;
  checked(versions: readonly Named[], atMs: number): Promise<void>;
  find(version: Named): Promise<IndexedVersion | undefined>;
  /** Versions that are kept, in an order, from where an earlier page ended. */
  page(order: IndexOrder, after: string | undefined, limit: number): Promise<IndexPage>;
  /** The most used ones first. */
  hottest(limit: number): Promise<readonly IndexedVersion[]>;
  totals(): Promise<IndexTotals>;
  /** Starts to take everything in anew: what is put from now on is told apart from what was there. */
  beginRebuild(): Promise<number>;
  /** Drops what was not put since that beginning. The index is whole from now on, unless it was doubted meanwhile. */
  endRebuild(round: number): Promise<void>;
  /** Something was kept or taken away that it was not told of: it is not whole until it was made anew. */
  doubt(): Promise<void>;
  /** False until every kept version was once put: then it must not be taken for the store. */
  isWhole(): Promise<boolean>;
  /**
   * Only where several nodes share the index: does `work` unless another node does such work now, and then resolves to
   * false. `lost` aborts when another may have begun.
   */
  alone?(what: SharedWork, work: (lost: AbortSignal) => Promise<void>): Promise<boolean>;
  close(): Promise<void>;
}

/** What only one of the nodes over a store does at a time. */
export type SharedWork = "gc" | "scrub" | "rebuild";

/** Where the index lies in a store on disk: no part of any copy, since it can be made again. */
export const indexFile = "state/index.sqlite" as StorageKey;
