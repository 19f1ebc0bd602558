// Builds the server: adapters from settings, services from adapters, doors from services. The only file that knows
// everything; it decides nothing.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { JsonlSink, fanOut } from "#adapters/sinks/jsonl.ts";
import { HttpWitnessClient } from "#adapters/upstream/witness.ts";
import { busyMeter } from "#adapters/system/busy.ts";
import { heapShare } from "#adapters/system/heap.ts";
import { steadyClock, systemClock } from "#adapters/system/clock.ts";
import { VerifyPool } from "#adapters/system/verify-pool.ts";
import type { Log } from "#adapters/telemetry/log.ts";
import { logSink } from "#adapters/telemetry/log.ts";
import { Metrics } from "#adapters/telemetry/metrics.ts";
import { Counters } from "#doors/http/counters.ts";
import type { Counted } from "#doors/http/counters.ts";
import { Explainer } from "#doors/http/explainer.ts";
import { hopHeader, makeHandler } from "#doors/http/handler.ts";
import type { HttpUse } from "#doors/http/handler.ts";
import { HotCache } from "#doors/http/hot.ts";
import { House } from "#doors/http/house.ts";
import type { Status } from "#doors/http/status-page.ts";
import { SumdbDoor } from "#doors/http/sumdb.ts";
import { makeSumdbHandler } from "#doors/http/sumdb-handler.ts";
import { RateGuard } from "#doors/http/rate.ts";
import { Access } from "#services/access/access.ts";
import { Limiter } from "#services/access/limiter.ts";
import { Tokens } from "#services/access/tokens.ts";
import { Aging } from "#services/proxy/aging.ts";
import { Ahead } from "#services/proxy/ahead.ts";
import { formatVerifierKey } from "#protocol/note.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { EventSink } from "#services/events/ports.ts";
import { Gate } from "#services/proxy/gate.ts";
import { Listings } from "#services/proxy/listings.ts";
import { Misses } from "#services/proxy/misses.ts";
import { ModuleJobs } from "#services/proxy/module-jobs.ts";
import { NegativeCache } from "#services/proxy/negative.ts";
import { NestedModules } from "#services/proxy/nested.ts";
import { Origin } from "#services/proxy/origin.ts";
import type { Privacy } from "#services/proxy/privacy.ts";
import { Proxy } from "#services/proxy/proxy.ts";
import { Publisher } from "#services/proxy/publish.ts";
import { Refresh } from "#services/proxy/refresh.ts";
import { RepeatKeys } from "#services/proxy/repeat-keys.ts";
import { Recorded } from "#services/sumlog/recorded.ts";
import { RewrittenOrigin } from "#services/proxy/rewritten.ts";
import { Shadows } from "#services/proxy/shadow.ts";
import { withRetries } from "#services/proxy/retried-proxy.ts";
import { RetryQueue } from "#services/proxy/retry-queue.ts";
import { withTrace } from "#services/events/trace.ts";
import { Top } from "#services/proxy/top.ts";
import { Sums } from "#services/proxy/sums.ts";
import { ProvenSums } from "#services/proxy/proven-sums.ts";
import { HeldVersions, heldKey } from "#services/store/held.ts";
import { versionKey, versionOfKey } from "#services/store/layout.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import { Pins } from "#services/store/pins.ts";
import type { Storage } from "#services/store/ports.ts";
import { Quarantine } from "#services/store/quarantine.ts";
import type { Chain } from "#services/upstreams/chain.ts";
import { Health } from "#services/upstreams/health.ts";
import { OutOfUse } from "#services/upstreams/out-of-use.ts";
import { offerAll } from "#services/sumdb/offered.ts";
import { watchRoutes } from "#services/sumdb/watch.ts";
import type { Follower } from "#services/sync/follower.ts";
import { VerificationFailures } from "#services/sync/slo.ts";
import { Uses } from "#services/tending/uses.ts";
import { Prober } from "#services/upstreams/prober.ts";
import type { Config, Values } from "./config.ts";
import { readWitnesses } from "./config-witnesses.ts";
import { hearingOf, openCluster } from "./cluster.ts";
import { configuredChain, configuredMirrors, isEdge, isForEverybody } from "./configured.ts";
import { openServedStore } from "./open-store.ts";
import { openSharedStore } from "./shared-store.ts";
import { integrityView, openIntegrity } from "./integrity.ts";
import { openOwnLog, ownRecords } from "./own-log.ts";
import { indexPlaceOf } from "./index-place.ts";
import { openTending } from "./tending.ts";
import { openSync, syncAlarms } from "./sync.ts";
import { openOperations } from "./serving.ts";
import type { Operations } from "./serving.ts";
import { forkWarnings, indexWarning, owedWarning, startWarnings } from "./start-texts.ts";
import { aheadLimits, hotLimits, httpSettings, limiterRule, rewriteOf } from "./http-settings.ts";
import { makeEngine } from "./manners.ts";
import { makeDesk } from "./upstream-desk.ts";
import { validatorOf } from "./validating.ts";
import { makeUpstreamClient } from "./upstream-clients.ts";
import { version } from "./version.ts";
import { awayLines } from "./condition-texts.ts";
import { diskGauges, diskStatus, watchDisk } from "./watch-disk.ts";
import type { Report } from "./worker-messages.ts";

/** Other processes that answer hits for this one. */
export type Helpers = {
  /** Asks all for their numbers; totals() is then as new as it can be. */
  collect(): Promise<void>;
  /** The numbers of all of them together. */
  totals(): Report & { readonly workers: number; readonly relayed: number };
  /** Resolves when none answers about a module from memory any more. */
  forget(path: string): Promise<void>;
  apply(values: Values, isEdge: boolean): void;
  /** Hears of the versions that they answered with. */
  onUse(listener: (what: string, zips: number, mods: number) => void): void;
};

const noHelpers: Helpers = {
  collect: () => Promise.resolve(),
  totals: () => ({ requests: [], connections: 0, hotBytes: 0, hotEntries: 0, workers: 0, relayed: 0 }),
  forget: () => Promise.resolve(),
  apply: () => undefined,
  onUse: () => undefined,
};

export type Server = {
  readonly handler: ReturnType<typeof makeHandler>;
  /** The same for requests that workers pass on. */
  readonly workerHandler: ReturnType<typeof makeHandler>;
  /** The own checksum database alone; undefined when there is none. */
  readonly sumlogHandler: ReturnType<typeof makeSumdbHandler> | undefined;
  readonly operations: Operations | undefined;
  readonly storage: Storage;
  readonly status: () => Promise<Status>;
  /** Puts a changed configuration in force, whole. */
  readonly apply: (config: Config) => void;
  /** Tells the chain where this server listens, so that it never asks itself. */
  readonly listening: (address: string, connections: () => number) => void;
  readonly drain: () => void;
  readonly chain: () => Chain;
  readonly warnings: () => readonly string[];
  /** True when some token lets its holder read private modules. */
  readonly hasReaders: () => Promise<boolean>;
  close(): Promise<void>;
};

export type WireOptions = {
  readonly config: Config;
  readonly log: Log;
  /** The program that a verification thread runs; the bundle gives itself. */
  readonly verifyEntry: URL;
  readonly helpers?: Helpers | undefined;
};

export async function wire(options: WireOptions): Promise<Server> {
  const { config, log, helpers = noHelpers } = options;
  const { values } = config;
  // How long something takes or lasts, and what date it is, are two questions.
  const clock = steadyClock;
  const wall = systemClock;
  const place = await indexPlaceOf(config);
  const opened = await openServedStore(config, { maxTempBytes: values["limits.tempBytes"] });
  const metrics = new Metrics();
  const shared = await openSharedStore(config, {
    near: opened.storage,
    clock,
    sendsElsewhere: () => state.config.values["s3.redirect"] > 0,
    onRequest: (what) => metrics.s3Request(what),
    listener: {
      farCall: (call, outcome) => metrics.farCall(call, outcome),
      read: (from) => metrics.tierRead(from),
      away: (isAway, reason) => events.emit({ name: isAway ? "store.away" : "store.back", reason }),
      uploaded: (key) => void uploaded(key),
      gaveWay: (group) => {
        events.emit({ name: "store.gave-way", key: group });
        const version = versionOfKey(`${group}.info`);
        if (version !== undefined) void refresh(version.id.path);
      },
    },
  }).catch(async (error: unknown) => {
    await opened.release();
    throw error;
  });
  const sink = new JsonlSink(join(values.store, "state", "events.jsonl"), wall);
  const failures = new VerificationFailures(() => clock.now());
  // Made when all else is there; events come before.
  const late: { follower?: Follower } = {};
  const arrivals: EventSink = {
    emit: (event) => {
      failures.heard(event);
      late.follower?.heard(event);
      if (event.name !== "module.ingested") return;
      const { stage, module: path, version } = event;
      retries.arrived(stage, { path, version });
      if (stage === "zip") own?.arrivals.add(checkModuleVersion(path, version));
      tending?.arrived(checkModuleVersion(path, version));
      shadows.kept(stage, checkModuleVersion(path, version));
    },
  };
  const events = withTrace(fanOut(logSink(log), sink, arrivals));
  const health = new Health({
    clock,
    options: { dynamic: values["breaker.dynamic"] },
    listener: (upstream, change, reason) => events.emit({ name: `upstream.${change}`, upstream, reason }),
  });
  const uses = new Uses();
  helpers.onUse((what, zips, mods) => uses.asked(what, zips, mods));
  const instance = randomBytes(6).toString("hex");
  const client = makeUpstreamClient(config, events);
  const verifier = new VerifyPool({ entry: options.verifyEntry });
  const stop = new AbortController();
  const state = { config, listening: [] as string[], draining: false, connections: () => 0, chain: emptyChain };
  const disk = await watchDisk(opened, {
    root: values.store,
    shared: shared?.storage,
    values: () => state.config.values,
    clock,
    events,
    meter: metrics,
    more: syncAlarms(failures, () => late.follower?.delayMs),
  });
  const { room } = disk;
  const counters = new Counters();
  const cluster = await openCluster(config, {
    events,
    meter: metrics,
    clock,
    wall,
    requests: async () => {
      await helpers.collect();
      return sum(counters, helpers.totals().requests).reduce((all, { count }) => all + count, 0);
    },
    stop: stop.signal,
  }).catch(async (error: unknown) => {
    await shared?.close();
    await opened.release();
    throw error;
  });
  const storage = cluster?.telling(disk.storage) ?? disk.storage;
  const configured = () => configuredChain(state.config, state.listening);
  const { manners, latency, nearness, lanes } = makeEngine({
    chain: () => state.chain,
    values: () => state.config.values,
    health,
    clock,
    busy: busyMeter(),
  });
  const prober = new Prober({
    upstreams: () => state.chain.upstreams,
    client,
    health,
    nearness,
    clock,
    everyMs: () => state.config.values["probe.every"],
    stop: stop.signal,
  });
  const outOfUse = new OutOfUse(storage);
  const unread = await outOfUse.load();
  if (unread !== undefined) events.emit({ name: "store.damaged", repaired: false, ...unread });
  const desk = makeDesk({
    chain: configured,
    health,
    prober,
    latency,
    events,
    outOfUse,
    changed: () => {
      rebuild();
      reroute();
    },
  });
  const rebuild = () => {
    state.chain = desk.enabled(configured());
  };
  rebuild();
  let settings = httpSettings(values);
  // What is private may change while the server runs; everybody asks the settings in force.
  const privacy: Privacy = {
    isPrivate: (path) => settings.privacy.isPrivate(path),
    mustNotTravel: (path) => settings.privacy.mustNotTravel(path),
    get patterns() {
      return settings.privacy.patterns;
    },
  };

  const store = new ModuleStore(storage);
  // Others find a version in the list, which nobody could write while it waited.
  const uploaded = async (key: string): Promise<void> => {
    const found = versionOfKey(key);
    if (found?.file !== "zip.manifest") return;
    await store.mendList(found.id.path).catch((error: unknown) => {
      events.emit({ name: "store.damaged", key, repaired: false, reason: String(error) });
    });
    await cluster?.tell({ about: "module", path: found.id.path });
  };
  const pins = new Pins(storage, events);
  const quarantine = new Quarantine(storage, wall);
  const negative = new NegativeCache({
    maxEntries: values["limits.negativeEntries"],
    ttlMs: values["freshness.negative"],
  });
  const origin = new Origin({
    chain: () => state.chain,
    client,
    health,
    mode: () => state.config.values.mode,
    clock,
    privacy,
    negative,
    others: cluster?.absences,
    events,
    meter: metrics,
    hopHeader: { name: hopHeader, instance },
    manners,
  });
  const databases = configuredMirrors(config, { storage, clock, wall, events });
  const { mirrors } = databases;
  const reroute = () => databases.reroute({ chain: state.chain, client, health, meter: metrics, clock, manners });
  reroute();
  const keyFile = values["sumlog.key"];
  const ownLogUse = {
    storage,
    stop: stop.signal,
    events,
    clock: wall,
    // Others append to it where others write the store.
    turns: values["s3.bucket"] === "" ? undefined : () => cluster?.turns,
    witnesses: readWitnesses(values["sumlog.witnesses"]),
    quorum: values["sumlog.quorum"],
    witnessClient: new HttpWitnessClient((endpoint, request) => client.post(endpoint, request)),
  };
  const ownLog = keyFile === "" ? undefined : await openOwnLog(keyFile, ownLogUse);
  // What the own log has recorded was proven once: it stands in while no public database can be reached.
  const standIn = ownLog === undefined || mirrors.length === 0 ? [] : [new Recorded(ownLog.log)];
  const integrity = await openIntegrity({ values, storage, client, privacy, clock: wall, events, stop: stop.signal });
  const { publisher, reader: lastResort, owed } = integrity;
  const sums = new Sums({ databases: [...mirrors, ...standIn], privacy, pins, lastResort });
  const gate = new Gate(values["limits.ingests"], values["limits.waiting"]);
  const aheadGate = new Gate(values["limits.prefetchMods"] + values["limits.prefetchZips"], values["limits.waiting"]);
  const aging = new Aging({
    chain: () => state.chain,
    origin,
    lifetime: () => ({
      freshMs: state.config.values["freshness.info"],
      staleMs: state.config.values["freshness.swr"],
    }),
    clock,
    wall,
    events,
    stop: stop.signal,
  });
  const validator = validatorOf(() => state.config.values, config.source.machine.env);
  let rewriting = rewriteOf(values);
  const rewrite = (path: string) => rewriting(path);
  const jobs = new ModuleJobs({
    store,
    storage,
    quarantine,
    room,
    origin: new RewrittenOrigin({ origin, rewrite, store, events }),
    rewrite,
    sums,
    owed,
    verifier,
    validator,
    aging,
    turns: cluster?.flight,
    hurry: (name) => void cluster?.tell({ about: "turn", name }),
    gate,
    aheadGate,
    clock,
    wall,
    events,
    meter: metrics,
    stop: stop.signal,
  });
  integrity.start({ store, jobs });
  const own = ownLog?.start(new ProvenSums({ name: ownLog.log.name, databases: mirrors, privacy, store, jobs }));
  const retries = new RetryQueue({
    run: async (kind, module, signal) => {
      await (kind === "zip"
        ? jobs.fetchZip(module, { hops: "", signal })
        : jobs.fetchMod(module, { hops: "", signal }));
    },
    clock: wall,
    storage,
    events,
    maxQueued: maxRetries,
    stop: stop.signal,
  });
  const shadows = new Shadows({
    shadows: () => state.chain.shadows ?? [],
    client,
    store,
    storage,
    verifier,
    privacy,
    events,
    stop: stop.signal,
  });
  const tending = await openTending({
    values: () => state.config.values,
    root: values.store,
    place,
    storage,
    store,
    uses,
    clock: wall,
    events,
    jobs,
    stop: stop.signal,
  });
  tending?.start();
  void prober.run();
  void watchRoutes({
    mirrors,
    clock,
    everyMs: () => state.config.values["sumdb.watch"],
    stop: stop.signal,
    onFailure: (error) => events.emit({ name: "sumdb.unwatched", reason: String(error) }),
  });
  const listings = new Listings({
    origin,
    store,
    storage,
    clock: wall,
    ttlMs: () => state.config.values["freshness.list"],
    stop: stop.signal,
  });
  const nested = new NestedModules(store, verifier, clock);
  const ingestLimit = { name: "limits.ingests", value: values["limits.ingests"] + values["limits.waiting"] };
  const ahead = new Ahead({
    jobs,
    store,
    privacy,
    clock,
    meter: metrics,
    limits: () => aheadLimits(state.config.values),
    distanceMs: () => latency.of(state.chain.upstreams[0]?.name ?? "")?.p50,
    seesAll: () => helpers.totals().workers === 0,
    stop: stop.signal,
  });
  const proxy = new Proxy({
    store,
    jobs,
    listings,
    nested,
    origin,
    negative,
    privacy,
    sums,
    rewrite,
    events,
    ahead,
    aging,
    ingestLimit,
  });

  const misses = new Misses({
    onMiss: () => state.config.values.onMiss,
    store,
    jobs,
    origin,
    privacy,
    isRewritten: (path) => rewriting(path) !== undefined,
    chain: () => state.chain,
    order: () => (state.config.values.mode === "go" ? undefined : manners().order),
    health,
    isForEverybody: (name) => isForEverybody(state.config, name),
    failed: (stage, id, error) => retries.failed(stage, id, error),
    clock,
    stop: stop.signal,
  });

  const hot = new HotCache(hotLimits(values).hot);
  const absent = new HotCache(hotLimits(values).absent);
  const top = new Top();
  const explainer = new Explainer();
  const tokens = new Tokens(storage, wall);
  const access = new Access(tokens, values.privateReaders);
  const started = clock.now();
  const forgetHere = async (path: string): Promise<void> => {
    proxy.refresh(path);
    hot.forget(path);
    absent.forget(path);
    await helpers.forget(path);
  };
  const refresh = async (path: string): Promise<void> => {
    // What is told is marked as forgotten before anybody asks for it again.
    for (const each of new Set([path, rewrite(path) ?? path])) await cluster?.absences.forget(each);
    await forgetHere(path);
    await cluster?.tell({ about: "module", path });
  };
  const sync = openSync({
    config: () => state.config,
    ...{ store, jobs, listings, privacy, client, storage, clock, wall, events },
    integrity: lastResort,
    forget: refresh,
    meter: metrics,
    stop: stop.signal,
  });
  late.follower = sync.follower;
  void sync.poll.run();
  void disk.run(stop.signal);
  const tiersEnded = shared?.run(stop.signal);
  const again = new Refresh({
    ...{ proxy, listings, store, origin, events },
    forget: refresh,
    announce: (id) => void sync.follower.announce({ candidates: [id], source: "refresh" }),
  });

  const publishing = new Publisher({
    ...{ store, storage, room, verifier, sums, privacy, forget: refresh, clock, wall, events },
    validator,
    keys: new RepeatKeys(storage, wall),
    gate: new Gate(values["limits.uploads"], values["limits.uploads"]),
    gateLimit: { name: "limits.uploads", value: 2 * values["limits.uploads"] },
    log: ownLog && own && ownRecords(ownLog.log, own.database),
    meter: metrics,
    stop: stop.signal,
  });

  const warnings = (): string[] => [
    ...startWarnings(state.config, state.chain),
    ...forkWarnings(state.config, mirrors),
    ...indexWarning(state.config, tending?.indexTrouble),
  ];
  const storeStatus = () => {
    const own = diskStatus(disk, settings.lang);
    if (shared === undefined) return own;
    const view = shared.view();
    const degraded = [...awayLines({ ...view, bucket: shared.bucket }, settings.lang), ...own.degraded];
    const { away, ...tiers } = view;
    const since = away && new Date(away.sinceMs).toISOString();
    const told = { bucket: shared.bucket, ...tiers, ...(away && since && { away: { reason: away.reason, since } }) };
    return { ...own, degraded, shared: told };
  };
  const status = async (): Promise<Status> => {
    const listed = await integrityView(integrity);
    return {
      version,
      ready: !state.draining,
      warnings: [...warnings(), ...owedWarning(state.config, listed)],
      ...storeStatus(),
      integrity: listed,
      uptimeSeconds: Math.round((clock.now() - started) / 1000),
      mode: state.config.values.mode,
      upstreams: desk
        .list()
        .filter(({ role }) => role !== "shadow")
        .map(({ name, condition }) => ({ name, condition })),
      databases: [
        ...mirrors.map(({ name, treeSize, alarm, views }) => ({ name, treeSize, alarm, routes: views })),
        ...(ownLog === undefined
          ? []
          : [{ name: ownLog.log.name, treeSize: ownLog.log.size, witnessing: ownLog.witnessing?.state() }]),
      ],
      ...(cluster && { cluster: { up: cluster.isUp(), nodes: cluster.nodes() } }),
      hot: { entries: hot.size + helpers.totals().hotEntries, bytes: hot.bytes + helpers.totals().hotBytes },
      jobs: jobs.running,
    };
  };
  metrics.watch({
    requests: () => sum(counters, helpers.totals().requests),
    relayed: () => helpers.totals().relayed,
    hotBytes: () => hot.bytes + absent.bytes + helpers.totals().hotBytes,
    hotEntries: () => hot.size + absent.size + helpers.totals().hotEntries,
    connections: () => state.connections(),
    workers: () => helpers.totals().workers,
    jobs: () => jobs.running,
    negativeEntries: () => negative.size,
    upstreams: () => health.snapshot(),
    lanes: () => lanes.snapshot(),
    ahead: () => ahead.size,
    habitBytes: () => ahead.habitBytes,
    pool: () => client.connections(),
    store: () => diskGauges(room.view),
    tiers: () => shared?.view(),
    awaitMs: disk.awaitMs,
    heapShare,
    alarms: () => disk.alarms.views,
    sync: () => ({
      pending: sync.follower.size,
      delayMs: sync.follower.delayMs ?? 0,
      failureShare: failures.lastShare,
    }),
  });
  if (cluster !== undefined) metrics.watchCluster(cluster);
  const held = new HeldVersions(storage, wall);
  const unreadHeld = (reason: string): void =>
    events.emit({ name: "store.damaged", key: "state/held.json", repaired: false, reason });
  await held.look().catch((error: unknown) => unreadHeld(String(error)));
  void held.run(stop.signal, {
    changed: async (path) => {
      await forgetHere(path);
      await cluster?.tell({ about: "state", key: heldKey });
    },
    unread: unreadHeld,
  });
  cluster?.hear(
    hearingOf({
      ...{ held, tokens, copies: shared?.storage, forget: forgetHere },
      hurried: (name) => jobs.hurried(name),
      everything: () => {
        proxy.refreshAll();
        hot.clear();
        absent.clear();
        helpers.apply(state.config.values, isEdge(state.config));
      },
    }),
  );
  const house = new House({
    access,
    explainer,
    events,
    lang: () => settings.lang,
    status,
    metrics: async () => {
      await helpers.collect();
      return await metrics.text();
    },
    refresh,
    again,
    webhooks: sync.webhooks,
    publisher: publishing,
    upstreams: desk,
    jobs: retries,
    top,
    heads: (offer) => offerAll(offer, mirrors),
    integrityList: publisher && (() => publisher.list()),
  });
  const sumdb = new SumdbDoor({
    mirrors: [...mirrors, ...(own === undefined ? [] : [own.database])],
    logs: ownLog === undefined ? [] : [ownLog.tiled],
    privacy: () => privacy,
    meter: metrics,
  });
  const guardOf = (next: Values): RateGuard | undefined => {
    const rule = limiterRule(next);
    const limiter = rule && new Limiter(rule);
    return limiter && new RateGuard({ limiter, shared: cluster?.rates, by: next["limiter.by"], access, clock });
  };
  let rate = guardOf(values);
  const door: HttpUse = {
    settings: () => settings,
    proxy: withRetries(proxy, retries),
    misses,
    rate: () => rate,
    sumdb,
    house,
    held,
    access,
    hot,
    absent,
    explainer,
    counters,
    top,
    uses,
    links: shared && {
      from: () => state.config.values["s3.redirect"],
      to: (id) => shared.storage.linkTo(versionKey(id, "zip")),
    },
    events,
    meter: metrics,
    clock: wall,
    instance,
  };
  // With workers each process writes files of its own.
  const operations = openOperations(values.logdir, { events });
  const sumlogHandler =
    ownLog &&
    own &&
    makeSumdbHandler({
      ...door,
      sumdb: new SumdbDoor({ mirrors: [own.database], logs: [ownLog.tiled], privacy: () => privacy, meter: metrics }),
      // Its paths are not those of the main door, and neither must find the other's answers.
      hot: new HotCache({ maxBytes: sumlogCacheBytes, maxEntryBytes: sumlogEntryBytes }),
      absent: new HotCache(hotLimits(values).absent),
      root: ownLog.log.name,
      databases: () => [
        { name: ownLog.log.name, key: formatVerifierKey(ownLog.signer.verifier), treeSize: ownLog.log.size },
      ],
      isDraining: () => state.draining,
    });
  return {
    handler: makeHandler(door),
    sumlogHandler,
    operations,
    workerHandler: makeHandler({ ...door, tellsReuse: true }),
    storage,
    status,
    warnings,
    hasReaders: () => tokens.anyFor("read"),
    chain: () => state.chain,
    apply: (next) => {
      if (limiterKeys.some((key) => next.values[key] !== state.config.values[key])) rate = guardOf(next.values);
      state.config = next;
      settings = httpSettings(next.values);
      rewriting = rewriteOf(next.values);
      publisher?.forget();
      rebuild();
      reroute();
      hot.clear();
      absent.clear();
      helpers.apply(next.values, isEdge(next));
    },
    listening: (address, connections) => {
      state.listening = [address];
      state.connections = connections;
      rebuild();
      reroute();
    },
    drain: () => (state.draining = true),
    close: async () => {
      stop.abort(new Error("the server stops"));
      for (const mirror of mirrors) mirror.close();
      await Promise.allSettled([cluster?.close()]);
      await Promise.allSettled([tending?.close()]);
      await Promise.allSettled([verifier.close(), client.close(), operations?.flush(), sink.flush(), store.close()]);
      await tiersEnded;
      await shared?.close();
      await opened.release();
    },
  };
}

/** With one of these changed everybody starts anew; any other change leaves the paused paused. */
const limiterKeys = ["limiter.profile", "limiter.by", "limiter.perSecond", "limiter.coolDown"] as const;

/** Ready-made answers of the own database's listener: some ten thousand lookups and tiles. */
const sumlogCacheBytes = 16 << 20;
const sumlogEntryBytes = 64 << 10;

/** Failures that wait for another try; in memory, some 500 bytes each. */
const maxRetries = 1_000;

const emptyChain: Chain = { upstreams: [], hadDirect: false, hadOff: false, own: [] };

/** This process's counts and those of its helpers. */
function sum(own: Counters, others: readonly Counted[]): Counted[] {
  const all = new Counters();
  all.add(own.list());
  all.add(others);
  return all.list();
}
