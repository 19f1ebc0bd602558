// `granary store import`: what other tools have gathered goes through the same jobs as what upstreams send. It works
// beside a running server on the same store, as two keepers of one version break nothing.

import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { openSourceTree } from "#adapters/storage/source-tree.ts";
import { busyMeter } from "#adapters/system/busy.ts";
import { systemClock } from "#adapters/system/clock.ts";
import { VerifyPool } from "#adapters/system/verify-pool.ts";
import { JsonlSink } from "#adapters/sinks/jsonl.ts";
import type { ImportRequest, ImportView, SettingFlags } from "#doors/cli/services.ts";
import { maxNoteBytes } from "#protocol/note.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { silentMeter } from "#services/events/ports.ts";
import { Gate } from "#services/proxy/gate.ts";
import { ModuleJobs } from "#services/proxy/module-jobs.ts";
import { privacyOf } from "#services/proxy/privacy.ts";
import { SourceIngest } from "#services/proxy/source-ingest.ts";
import { SourceOrigin } from "#services/proxy/source-origin.ts";
import { Sums } from "#services/proxy/sums.ts";
import type { Database } from "#services/proxy/sums.ts";
import { importVersions } from "#services/store/import.ts";
import type { ImportProgress } from "#services/store/import.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import { Pins } from "#services/store/pins.ts";
import type { SourceTree, Storage } from "#services/store/ports.ts";
import { SourceUnreadable } from "#services/store/ports.ts";
import { Quarantine } from "#services/store/quarantine.ts";
import { below, layouts, recognise } from "#services/store/source-layout.ts";
import type { Placed } from "#services/store/source-layout.ts";
import { sourceVersions } from "#services/store/source-versions.ts";
import { folderRoute } from "#services/sumdb/folder-route.ts";
import type { SumdbRoute } from "#services/sumdb/ports.ts";
import { newestHeadIn, readSource } from "#services/sumdb/source-head.ts";
import { Health } from "#services/upstreams/health.ts";
import { awake } from "./awake.ts";
import type { Config } from "./config.ts";
import { configuredChain, configuredMirrors } from "./configured.ts";
import { makeEngine } from "./manners.ts";
import { openStore } from "./open-store.ts";
import { indexPlaceOf } from "./index-place.ts";
import { doubtIndex } from "./tending.ts";
import { makeUpstreamClient } from "./upstream-clients.ts";
import { validatorOf } from "./validating.ts";

export type ImportCommandUse = {
  readonly load: (flags: SettingFlags) => Promise<Config>;
  readonly verifyEntry: URL;
  /** Called with each request to stop; returns a function that stops listening for them. */
  readonly onStop: (stop: () => void) => () => void;
};

/** Versions at a time. Each may stage a zip of 500 MiB; more than a few wait for the same disk and threads. */
const jobsAtOnce = 4;

export async function importStore(
  request: ImportRequest,
  flags: SettingFlags,
  { use, progress }: { readonly use: ImportCommandUse; readonly progress: (progress: ImportProgress) => void },
): Promise<ImportView> {
  const config = await use.load(flags);
  const { tree, placed } = await openSource(request, config.values.store);
  const place = await indexPlaceOf(config);
  const { storage } = await openStore(config, { maxTempBytes: config.values["limits.tempBytes"] });
  const stop = new AbortController();
  const off = use.onStop(() => stop.abort(new Error("asked to stop")));
  if (!request.isDryRun) await doubtIndex(place);
  const opened = await open(config, { storage, tree, placed, request, verifyEntry: use.verifyEntry });
  try {
    const report = await awake(() =>
      importVersions({
        walk: () => sourceVersions(tree, placed),
        take: (version) => opened.ingest.take(version),
        jobs: jobsAtOnce,
        clock: systemClock,
        signal: stop.signal,
        progress,
      }),
    );
    return {
      ...report,
      dir: request.dir,
      layout: placed.layout,
      store: config.values.store,
      isDryRun: request.isDryRun,
    };
  } finally {
    off();
    await opened.close();
    if (!request.isDryRun) await doubtIndex(place);
  }
}

const usage = `granary store import DIR [--layout ${layouts.join("|")}]`;

/**
 * Throws GRANARY_BAD_USAGE when there is nothing to import.
 *
 * @param store may lie in the directory, as it does in the place of Athens
 */
async function openSource(
  request: ImportRequest,
  store: string,
): Promise<{ readonly tree: SourceTree; readonly placed: Placed }> {
  const { dir, layout } = request;
  const unreadable = (reason: string): GranaryError =>
    new GranaryError("GRANARY_BAD_USAGE", { reason: `${dir}: ${reason}`, usage });
  const inPlace = (error: unknown): never => {
    throw error instanceof SourceUnreadable ? unreadable(error.message) : error;
  };
  const tree = await openSourceTree(dir, { except: store }).catch(inPlace);
  if (tree === undefined) throw unreadable("there is no such directory");
  const placed = await recognise(tree, layout).catch(inPlace);
  if (placed === undefined)
    throw unreadable("no modules in it: neither path/@v/version.zip nor path/version/source.zip");
  return { tree, placed };
}

type Opening = {
  readonly storage: Storage;
  readonly tree: SourceTree;
  readonly placed: Placed;
  readonly request: ImportRequest;
  readonly verifyEntry: URL;
};

async function open(
  config: Config,
  opening: Opening,
): Promise<{ readonly ingest: SourceIngest; close: () => Promise<void> }> {
  const { storage, tree, placed, request, verifyEntry } = opening;
  const { values } = config;
  const events = new JsonlSink(join(values.store, "state", "events.jsonl"), systemClock);
  const verifier = new VerifyPool({ entry: verifyEntry });
  const store = new ModuleStore(storage);
  const stop = new AbortController();
  const closing: (() => unknown)[] = [() => verifier.close(), () => store.close()];
  const validator = validatorOf(() => values, config.source.machine.env);
  const common = { tree, store, verifier, signal: stop.signal, wantsZip: validator() !== undefined };
  const close = async (): Promise<void> => {
    stop.abort(new Error("the import has ended"));
    await Promise.allSettled(closing.map((end) => end()));
    await events.flush();
  };
  if (request.isDryRun) return { ingest: new SourceIngest({ ...common, ingest: undefined }), close };
  const { databases, close: closeDatabases } = await openDatabases(config, { ...opening, events });
  closing.push(closeDatabases);
  const url = pathToFileURL(join(resolve(request.dir), placed.base)).href;
  const origin = new SourceOrigin({ tree, verifier, url: url.replace(/\/$/, "") });
  const jobs = new ModuleJobs({
    store,
    storage,
    quarantine: new Quarantine(storage, systemClock),
    origin,
    sums: new Sums({ databases, privacy: privacyOf(values.private), pins: new Pins(storage, events) }),
    verifier,
    validator,
    gate: new Gate(jobsAtOnce, jobsAtOnce),
    aheadGate: new Gate(1, 0),
    clock: systemClock,
    events,
    meter: silentMeter,
    stop: stop.signal,
  });
  return { ingest: new SourceIngest({ ...common, ingest: { origin, jobs } }), close };
}

/** The configured databases; what the directory has of them is asked first, and saves the network most questions. */
async function openDatabases(
  config: Config,
  use: Opening & { readonly events: JsonlSink },
): Promise<{ readonly databases: readonly Database[]; close: () => Promise<void> }> {
  const { storage, events, tree, placed, request } = use;
  const client = makeUpstreamClient(config, events);
  const health = new Health({ clock: systemClock, options: { dynamic: config.values["breaker.dynamic"] } });
  const chain = configuredChain(config, []);
  const { manners } = makeEngine({
    chain: () => chain,
    values: () => config.values,
    health,
    clock: systemClock,
    busy: busyMeter(),
  });
  const { mirrors, reroute } = configuredMirrors(config, { storage, clock: systemClock, events });
  reroute({ chain, client, health, meter: silentMeter, clock: systemClock, manners }, (database) => [
    sourceRoute(database, tree, placed),
  ]);
  for (const mirror of mirrors) {
    const { name, verifier } = mirror;
    const atHand = [await headBeside(request.dir, placed, name)];
    const head = await newestHeadIn(tree, below(placed.base, `sumdb/${name}`), { verifier, atHand });
    // Whatever becomes of it: a head that cannot be proven is as good as none, and a fork is an alarm of the mirror's.
    if (head !== undefined) await mirror.offer(head, sourceRoute(name, tree, placed));
  }
  return {
    // A database that cannot be reached leaves a version unproven, and another run is cheap: nobody waits long for it.
    databases: mirrors.map((mirror) => ({
      name: mirror.name,
      lookup: (id, ask) => mirror.lookup(id, { ...ask, isHurried: true }),
    })),
    close: async () => {
      for (const mirror of mirrors) mirror.close();
      await client.close();
    },
  };
}

/** What the directory says of a database; believed as little as any route. */
function sourceRoute(database: string, tree: SourceTree, { base }: Placed): SumdbRoute {
  const folder = below(base, `sumdb/${database}`);
  return folderRoute({ name: "the directory", read: (path, max) => readSource(tree, `${folder}/${path}`, max) });
}

/** A go command keeps its newest head beside its module cache: GOPATH/pkg/sumdb, GOPATH/pkg/mod. */
async function headBeside(dir: string, { layout, base }: Placed, database: string): Promise<Uint8Array | undefined> {
  if (layout !== "gomodcache") return undefined;
  const cache = base === "" ? resolve(dir, "../..") : resolve(dir);
  const tree = await openSourceTree(join(dirname(cache), "sumdb")).catch(() => undefined);
  return tree && (await readSource(tree, `${database}/latest`, maxNoteBytes));
}
