// Tending the store, wired: the index where the settings say, the rules from the settings.

import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openPostgresIndex } from "#adapters/database/postgres-index.ts";
import { openSqliteIndex } from "#adapters/database/sqlite-index.ts";
import { storeLayout } from "#adapters/storage/disk.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { EventSink } from "#services/events/ports.ts";
import type { ModuleJobs } from "#services/proxy/module-jobs.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import type { GcRule } from "#services/tending/gc.ts";
import { indexFile, IndexUnavailable } from "#services/tending/ports.ts";
import type { SharedWork, StoreIndex } from "#services/tending/ports.ts";
import { Retained } from "#services/tending/retained.ts";
import { Tending } from "#services/tending/tending.ts";
import type { TendingRules } from "#services/tending/tending.ts";
import type { Uses } from "#services/tending/uses.ts";
import type { Values } from "./config.ts";
import type { IndexPlace } from "./index-place.ts";

/** The oldest layout that knows tombstones. */
export const evictingLayout = 2;

export type TendingParts = {
  readonly values: () => Values;
  /** The store's directory. */
  readonly root: string;
  readonly place: IndexPlace;
  readonly storage: Storage;
  readonly store: ModuleStore;
  readonly uses: Uses;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly jobs: ModuleJobs;
  readonly stop: AbortSignal;
};

/**
 * Undefined, and told, when the index cannot be opened: everything else works without it. One in PostgreSQL need not be
 * there yet: tending begins when it is.
 */
export async function openTending(parts: TendingParts): Promise<Tending | undefined> {
  const { values, root, place, storage, store, jobs, events, clock } = parts;
  let index: StoreIndex;
  let trouble: string | undefined;
  try {
    index = await openIndex(place, ({ isUp, reason }) => {
      trouble = isUp ? undefined : reason;
      events.emit(isUp ? { name: "index.back" } : { name: "index.away", reason });
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    events.emit({ name: "index.failed", file: place.postgres === undefined ? indexFile : "postgres.url", reason });
    return undefined;
  }
  return new Tending({
    ...parts,
    index,
    indexTrouble: () => trouble,
    retained: new Retained(storage, clock),
    rules: () => rulesOf(values()),
    mayEvict: async () => (await storeLayout(root)) >= evictingLayout,
    fetch: async (id, signal) => {
      const asking = { hops: "", signal, ahead: true, exists: true };
      const mod = await store.findMod(id).catch(() => undefined);
      if (mod === undefined) await jobs.fetchMod(id, asking);
      else await jobs.fetchZip(id, asking);
    },
  });
}

type OnState = (state: { readonly isUp: boolean; readonly reason: string }) => void;

/** Throws what SQLite or the file system throws, and IndexUnavailable when the URL of PostgreSQL cannot be used. */
export async function openIndex({ root, postgres }: IndexPlace, onState?: OnState): Promise<StoreIndex> {
  if (postgres !== undefined) return await openPostgresIndex({ ...postgres, ...(onState && { onState }) });
  const file = join(root, indexFile);
  await mkdir(dirname(file), { recursive: true });
  return await openSqliteIndex(file);
}

/** For a command. Throws GRANARY_INDEX_UNAVAILABLE, beside what the work throws. */
export async function withIndex<T>(place: IndexPlace, work: (index: StoreIndex) => Promise<T>): Promise<T> {
  try {
    const index = await openIndex(place);
    return await work(index).finally(() => index.close());
  } catch (error) {
    if (!(error instanceof IndexUnavailable)) throw error;
    throw new GranaryError("GRANARY_INDEX_UNAVAILABLE", { reason: error.message });
  }
}

/** For a command. Throws GRANARY_DONE_ELSEWHERE while another node over the store does the same. */
export async function aloneWith<T>(
  index: StoreIndex,
  { what, signal }: { readonly what: SharedWork; readonly signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (index.alone === undefined) return await work(signal);
  const done: { result?: T } = {};
  const isMine = await index.alone(what, async (lost) => {
    done.result = await work(AbortSignal.any([signal, lost]));
  });
  if (!isMine) throw new GranaryError("GRANARY_DONE_ELSEWHERE", { work: what });
  return done.result as T;
}

/**
 * To be called before and after a command keeps or takes away what the index is not told of: it is made anew before
 * anything leaves by it. A file that cannot be opened is begun anew anyway. Throws GRANARY_INDEX_UNAVAILABLE when others
 * would go on to take the index in PostgreSQL for the store.
 */
export async function doubtIndex(place: IndexPlace): Promise<void> {
  try {
    await withIndex(place, (index) => index.doubt());
  } catch (error) {
    if (place.postgres !== undefined) throw error;
    // a server or a command that needs it will say so
  }
}

export function rulesOf(values: Values): TendingRules {
  return {
    gc: values["gc.policy"] === "lru-ttl" && knowsAllUses(values) ? gcRuleOf(values) : undefined,
    gcEveryMs: values["gc.every"],
    scrubEveryMs: values["scrub.every"],
    scrubBytesPerSecond: values["scrub.rate"],
  };
}

/** False when other nodes may use the store, and only their own index knows what for. */
export function knowsAllUses(values: Pick<Values, "s3.bucket" | "postgres.url">): boolean {
  return values["s3.bucket"] === "" || values["postgres.url"] !== "";
}

/** The rule of the settings, whatever the policy. */
export function gcRuleOf(values: Values): GcRule {
  return {
    maxBytes: values["gc.maxSize"] === 0 ? undefined : values["gc.maxSize"],
    unusedMs: values["gc.olderThan"] === 0 ? undefined : values["gc.olderThan"],
    order: values["gc.order"],
    takesPrivate: false,
  };
}
