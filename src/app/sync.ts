// Sync, wired: webhooks, the index and an operator's refresh, on the proxy's own jobs and caches.

import { indexSource } from "#adapters/upstream/index-source.ts";
import { parseList } from "#protocol/info.ts";
import type { ModulePath } from "#protocol/path.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { AlarmRule } from "#services/alarms/alarms.ts";
import { isGranaryError } from "#services/errors/granary-error.ts";
import type { GranaryCode } from "#services/errors/codes.ts";
import type { EventSink, Meter } from "#services/events/ports.ts";
import type { IntegrityReader } from "#services/integrity/reader.ts";
import type { Listings } from "#services/proxy/listings.ts";
import type { ModuleJobs } from "#services/proxy/module-jobs.ts";
import type { Privacy } from "#services/proxy/privacy.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import { Follower } from "#services/sync/follower.ts";
import { IndexPoll } from "#services/sync/index-poll.ts";
import type { Brought, Modules } from "#services/sync/ports.ts";
import type { VerificationFailures } from "#services/sync/slo.ts";
import { alarmDelayMs, alarmFailureShare } from "#services/sync/slo.ts";
import { Webhooks } from "#services/sync/webhooks.ts";
import type { UpstreamClient } from "#services/upstreams/ports.ts";
import type { Config } from "./config.ts";

export type SyncUse = {
  readonly config: () => Config;
  readonly store: ModuleStore;
  readonly jobs: ModuleJobs;
  readonly listings: Listings;
  readonly privacy: Privacy;
  readonly integrity: IntegrityReader | undefined;
  readonly client: UpstreamClient;
  readonly storage: Storage;
  /** Resolves when no process answers about a module and those below it from memory. */
  readonly forget: (path: string) => Promise<void>;
  readonly clock: Clock;
  readonly wall: Clock;
  readonly events: EventSink;
  readonly meter: Meter;
  readonly stop: AbortSignal;
};

export type Sync = { readonly webhooks: Webhooks; readonly follower: Follower; readonly poll: IndexPoll };

export function openSync(use: SyncUse): Sync {
  const { config, client, storage, clock, wall, events, meter, stop } = use;
  const modules = modulesOf(use);
  const follower = new Follower({ modules, clock, events, meter, stop });
  const webhooks = new Webhooks({ hooks: () => config().webhooks, modules, follower, events, meter });
  const settings = () => {
    const { values } = config();
    return { url: values["sync.index"], everyMs: values["sync.every"], prefetch: values["sync.prefetch"] };
  };
  const source = indexSource(client);
  const poll = new IndexPoll({ source, settings, modules, follower, storage, clock, wall, events, meter, stop });
  return { webhooks, follower, poll };
}

/** A delay that is over is no alarm; one that comes and goes is told once. */
const delayTimes = { holdMs: 0, calmMs: 10_000 };
/** Whole windows are looked at: what is above holds already. */
const failureTimes = { holdMs: 0, calmMs: 0 };

/** @param delayMs of the version that webhooks announced longest ago; undefined while none is out */
export function syncAlarms(failures: VerificationFailures, delayMs: () => number | undefined): AlarmRule[] {
  return [
    {
      name: "sync-delay",
      unit: "ms",
      times: delayTimes,
      measure: () => ({ value: delayMs() ?? 0, limit: alarmDelayMs }),
    },
    {
      name: "verify-failures",
      unit: "share",
      times: failureTimes,
      measure: () => ({ value: failures.lastingShare, limit: alarmFailureShare }),
    },
  ];
}

function modulesOf(use: SyncUse): Modules {
  const { store, jobs, listings, privacy, integrity, forget } = use;
  const asking = { query: "", hops: "" };
  return {
    forget,
    list: async (path: ModulePath, signal) =>
      parseList((await listings.get("list", path, { ...asking, signal })).bytes),
    bring: async (id, signal) => {
      try {
        await jobs.fetchZip(id, { hops: "", signal });
        return { outcome: "kept" };
      } catch (error) {
        if (signal.aborted) throw error;
        return failureOf(error);
      }
    },
    isKnown: async (path) => (await listings.isKnown(path)) || (await store.listKept(path)).length > 0,
    isPrivate: (path) => privacy.mustNotTravel(path),
    listed: async (id, signal) => (integrity === undefined ? undefined : await saidOf(integrity, id, signal)),
  };
}

/** Another try gives the same: bytes that are wrong, and names that nobody may be asked about. */
const finalCodes: ReadonlySet<GranaryCode> = new Set<GranaryCode>([
  "GRANARY_SUMDB_MISMATCH",
  "GRANARY_PIN_MISMATCH",
  "GRANARY_REPACKED",
  "GRANARY_INTEGRITY_MISMATCH",
  "GRANARY_BAD_MODULE",
  "GRANARY_SNAPSHOT_MISMATCH",
  "GRANARY_TOO_LARGE",
  "GRANARY_PRIVATE_NOT_HERE",
  "GRANARY_NO_UPSTREAM",
  "GRANARY_NOT_KEPT",
]);

function failureOf(error: unknown): Brought {
  if (error instanceof SumdbError)
    return { outcome: "failed", code: error.code, isFinal: false, isUnproven: error.code === "SUMDB_UNREACHABLE" };
  if (isGranaryError(error, "GRANARY_NOT_FOUND")) return { outcome: "absent" };
  if (!isGranaryError(error)) return { outcome: "failed", code: String(error), isFinal: false, isUnproven: false };
  const isUnproven = error.code === "GRANARY_SUMDB_UNREACHABLE";
  return { outcome: "failed", code: error.code, isFinal: finalCodes.has(error.code), isUnproven };
}

async function saidOf(integrity: IntegrityReader, id: ModuleVersion, signal: AbortSignal): Promise<string> {
  const sums = await integrity.find(id, signal);
  const said = [sums.zip && `zip ${sums.zip}`, sums.mod && `go.mod ${sums.mod}`].filter((one) => one !== undefined);
  return said.length === 0 ? `${integrity.name} does not name it` : `${integrity.name} names ${said.join(", ")}`;
}
