// One life of a Granary: the real services, wired as src/app/wire.ts wires them, over simulated adapters.
import { loadConfig } from "#app/config.ts";
import type { Values } from "#app/config.ts";
import { aheadLimits } from "#app/http-settings.ts";
import { makeEngine } from "#app/manners.ts";
import { databaseRoutes } from "#app/sumdb-routes.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { EventSink } from "#services/events/ports.ts";
import { silentMeter } from "#services/events/ports.ts";
import { OwedProofs } from "#services/integrity/owed.ts";
import { Ahead } from "#services/proxy/ahead.ts";
import { Gate } from "#services/proxy/gate.ts";
import { Listings } from "#services/proxy/listings.ts";
import { ModuleJobs } from "#services/proxy/module-jobs.ts";
import { NegativeCache } from "#services/proxy/negative.ts";
import { NestedModules } from "#services/proxy/nested.ts";
import { Origin } from "#services/proxy/origin.ts";
import type { Verifier } from "#services/proxy/ports.ts";
import { privacyOf } from "#services/proxy/privacy.ts";
import { Proxy } from "#services/proxy/proxy.ts";
import { withRetries } from "#services/proxy/retried-proxy.ts";
import { RetryQueue } from "#services/proxy/retry-queue.ts";
import { Sums } from "#services/proxy/sums.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import { Pins } from "#services/store/pins.ts";
import { Quarantine } from "#services/store/quarantine.ts";
import { SumdbMirror } from "#services/sumdb/mirror.ts";
import type { Chain } from "#services/upstreams/chain.ts";
import { Health } from "#services/upstreams/health.ts";
import { Prober } from "#services/upstreams/prober.ts";
import { plainVerifier } from "../support/proxy-room.ts";
import type { Chance } from "./chance.ts";
import type { Defect } from "./defects.ts";
import { forgetWhole, withDefect } from "./defective.ts";
import type { Disk } from "./disk.ts";
import { clockOf, LifeLine } from "./life-line.ts";
import type { Wall } from "./life-line.ts";
import type { Mirrors } from "./mirrors.ts";
import { SimClient } from "./sim-client.ts";
import { SimStorage } from "./sim-storage.ts";
import type { VirtualTime } from "./virtual-time.ts";

export type GranaryUse = {
  readonly time: VirtualTime;
  readonly wall: Wall;
  readonly disk: Disk;
  readonly mirrors: Mirrors;
  readonly chance: Chance;
  readonly tell: (what: string) => void;
  readonly defect: Defect | undefined;
};

/** What a server has when nobody has set anything. */
export const settings: Values = (
  await loadConfig({
    flags: { values: {}, config: undefined },
    machine: { env: {}, platform: "linux", home: "/nowhere", readFile: () => Promise.resolve(undefined) },
  })
).values;

/** Few places, so that some have to wait. */
const ingests = 4;

export type Granary = ReturnType<typeof startGranary>;

/** Starts a process on the disk as it is. */
export function startGranary(use: GranaryUse) {
  const { time, wall, mirrors, tell, defect } = use;
  const chance = use.chance.fork();
  const life = new LifeLine(time);
  // As in the product: one clock for how long, which nobody sets, and one for dates.
  const wallClock = clockOf(life, () => wall.now());
  const startedMs = wall.now() - Math.floor(time.nowMs);
  const clock = clockOf(life, () => startedMs + Math.floor(time.nowMs));
  const storage = new SimStorage({ disk: use.disk, life, chance: chance.fork(), tell, defect });
  const client = new SimClient({ mirrors, life, chance: chance.fork(), tell });
  const stop = new AbortController();
  const meter = silentMeter;
  const chain: Chain = {
    upstreams: mirrors.all.map(({ upstream }) => upstream),
    hadDirect: false,
    hadOff: false,
    own: [],
  };
  const retriesOf = new Set<RetryQueue>();
  const events: EventSink = {
    emit: (event) => {
      tell(`event ${JSON.stringify(event)}`);
      if (event.name !== "module.ingested") return;
      for (const retries of retriesOf) retries.arrived(event.stage, { path: event.module, version: event.version });
    },
  };
  const health = new Health({
    clock,
    listener: (upstream, change, reason) => events.emit({ name: `upstream.${change}`, upstream, reason }),
  });
  const privacy = privacyOf("");
  const { manners, latency } = makeEngine({
    chain: () => chain,
    values: () => settings,
    health,
    clock,
    busy: () => 0,
    random: chance.fork().next,
  });
  const prober = new Prober({
    upstreams: () => chain.upstreams,
    client,
    health,
    clock,
    everyMs: () => settings["probe.every"],
    stop: stop.signal,
  });
  const verifier = slowVerifier(life, chance.fork());
  const store = new ModuleStore(storage);
  const pins = new Pins(storage, events);
  const quarantine = new Quarantine(storage, wallClock);
  const negative = new NegativeCache({
    maxEntries: settings["limits.negativeEntries"],
    ttlMs: settings["freshness.negative"],
  });
  const hopHeader = { name: "x-granary-hops", instance: "simulated" };
  const mode = () => "resilient" as const;
  const chainNow = () => chain;
  const origin = new Origin({
    ...{ chain: chainNow, client, health, mode, clock, privacy, negative, events, meter, hopHeader, manners },
  });
  const { database } = mirrors;
  const mirror = new SumdbMirror({
    key: database.verifierKey,
    routes: databaseRoutes({ name: database.name }, { chain, client, health, meter, clock, manners }),
    storage,
    clock,
    wall: wallClock,
    onFork: (evidence) => events.emit({ name: "sumdb.fork", database: database.name, evidence }),
    onRefused: (route, reason) => events.emit({ name: "sumdb.refused", database: database.name, route, reason }),
  });
  const sums = new Sums({ databases: defect === "unverified-relay" ? [] : [mirror], privacy, pins });
  const gate = new Gate(ingests, settings["limits.waiting"]);
  const aheadGate = new Gate(ingests, settings["limits.waiting"]);
  const jobs = new ModuleJobs({
    ...{ store, storage, quarantine, origin, sums, owed: new OwedProofs(storage), verifier, gate, aheadGate },
    ...{ clock, wall: wallClock, events, meter, stop: stop.signal },
  });
  const retries = new RetryQueue({
    run: async (kind, module, signal) => {
      await (kind === "zip"
        ? jobs.fetchZip(module, { hops: "", signal })
        : jobs.fetchMod(module, { hops: "", signal }));
    },
    ...{ clock: wallClock, storage, events, maxQueued: 1_000, stop: stop.signal },
  });
  retriesOf.add(retries);
  const listings = new Listings({
    ...{ origin, store, storage, clock: wallClock, ttlMs: () => settings["freshness.list"], stop: stop.signal },
  });
  const nested = new NestedModules(store, verifier, clock);
  const ahead = new Ahead({
    ...{ jobs, store, privacy, clock, meter, limits: () => aheadLimits(settings), stop: stop.signal },
    distanceMs: () => latency.of(chain.upstreams[0]?.name ?? "")?.p50,
    seesAll: () => true,
  });
  const ingestLimit = { name: "limits.ingests", value: ingests };
  const proxy = withRetries(
    new Proxy({ store, jobs, listings, nested, origin, negative, privacy, events, ahead, ingestLimit }),
    retries,
  );
  void prober.run();
  const server = withDefect(defect, { proxy, mirror, storage, mirrors });
  return {
    life,
    storage,
    ...server,
    /** Versions on their way in. */
    jobs: () => jobs.running + ahead.size,
    /** Gives a version's space back, in the server or as a command beside it does, which has a store object of its own. */
    evict: (id: ModuleVersion, by: "server" | "command"): Promise<number> =>
      defect === "evictions-forget"
        ? forgetWhole(id, storage)
        : (by === "server" ? store : new ModuleStore(storage)).evict(id, { reason: "size", atMs: wallClock.now() }),
    /** Begins an orderly end: what is under way is broken off. */
    stop: async (): Promise<void> => {
      stop.abort(new Error("the server stops"));
      mirror.close();
      await store.close();
    },
  };
}

/** Checks zips in this thread, and takes virtual time for it. */
function slowVerifier(life: LifeLine, chance: Chance): Verifier {
  return {
    ...plainVerifier,
    check: async (where, id, signal) => {
      await life.pauseUnless(signal, chance.skewed(1, 80));
      return await plainVerifier.check(where, id, signal);
    },
    directories: async (where, id, signal) => {
      await life.pauseUnless(signal, chance.skewed(1, 20));
      return await plainVerifier.directories(where, id, signal);
    },
  };
}
