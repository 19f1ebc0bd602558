// Tending the store, wired: the index in its file, the rules from the settings.

import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openSqliteIndex } from "#adapters/database/sqlite-index.ts";
import { storeLayout } from "#adapters/storage/disk.ts";
import type { EventSink } from "#services/events/ports.ts";
import type { ModuleJobs } from "#services/proxy/module-jobs.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import type { GcRule } from "#services/tending/gc.ts";
import { indexFile } from "#services/tending/ports.ts";
import type { StoreIndex } from "#services/tending/ports.ts";
import { Retained } from "#services/tending/retained.ts";
import { Tending } from "#services/tending/tending.ts";
import type { TendingRules } from "#services/tending/tending.ts";
import type { Uses } from "#services/tending/uses.ts";
import type { Values } from "./config.ts";

/** The oldest layout that knows tombstones. */
export const evictingLayout = 2;

export type TendingParts = {
  readonly values: () => Values;
  /** The store's directory. */
  readonly root: string;
  readonly storage: Storage;
  readonly store: ModuleStore;
  readonly uses: Uses;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly jobs: ModuleJobs;
  readonly stop: AbortSignal;
};

/** Undefined, and told, when the index cannot be opened: everything else works without it. */
export async function openTending(parts: TendingParts): Promise<Tending | undefined> {
  const { values, root, storage, store, jobs, events, clock } = parts;
  let index: StoreIndex;
  try {
    index = await openIndex(root);
  } catch (error) {
    events.emit({
      name: "index.failed",
      file: indexFile,
      reason: error instanceof Error ? error.message : String(error),
    });
    return undefined;
  }
  return new Tending({
    ...parts,
    index,
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

/** Throws what SQLite or the file system throws. */
export async function openIndex(root: string): Promise<StoreIndex> {
  const file = join(root, indexFile);
  await mkdir(dirname(file), { recursive: true });
  return await openSqliteIndex(file);
}

/**
 * To be called before and after a command keeps or takes away what the index is not told of: it is made anew before
 * anything leaves by it. An index that cannot be opened is begun anew anyway.
 */
export async function doubtIndex(root: string): Promise<void> {
  try {
    const index = await openIndex(root);
    await index.doubt().finally(() => index.close());
  } catch {
    // a server or a command that needs it will say so
  }
}

export function rulesOf(values: Values): TendingRules {
  return {
    gc: values["gc.policy"] === "lru-ttl" ? gcRuleOf(values) : undefined,
    gcEveryMs: values["gc.every"],
    scrubEveryMs: values["scrub.every"],
    scrubBytesPerSecond: values["scrub.rate"],
  };
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
