// The proxy's room with everything around it played: upstreams as functions, a checksum database in memory, a clock
// that stands still, zips checked in this thread.
import { createHash } from "node:crypto";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { bytesSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { moduleDirectories, zipPrefix } from "#protocol/zip-names.ts";
import { openZip } from "#protocol/zip.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { KnownAbsences } from "#services/cluster/known-absences.ts";
import type { Coordination } from "#services/cluster/ports.ts";
import { SharedFlight } from "#services/cluster/shared-flight.ts";
import type { EventSink, GranaryEvent, Meter } from "#services/events/ports.ts";
import { silentMeter } from "#services/events/ports.ts";
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import { Aging } from "#services/proxy/aging.ts";
import { Gate } from "#services/proxy/gate.ts";
import { Listings } from "#services/proxy/listings.ts";
import { ModuleJobs } from "#services/proxy/module-jobs.ts";
import { NegativeCache } from "#services/proxy/negative.ts";
import { NestedModules } from "#services/proxy/nested.ts";
import { Origin } from "#services/proxy/origin.ts";
import type { Manners } from "#services/proxy/origin.ts";
import type { Validator, VerifiedZip, Verifier, ZipLocation } from "#services/proxy/ports.ts";
import { blockBytes } from "#services/proxy/ports.ts";
import { privacyOf } from "#services/proxy/privacy.ts";
import { Proxy } from "#services/proxy/proxy.ts";
import { Sums } from "#services/proxy/sums.ts";
import { OwedProofs } from "#services/integrity/owed.ts";
import type { Database, LastResort } from "#services/proxy/sums.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import { Pins } from "#services/store/pins.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { Quarantine } from "#services/store/quarantine.ts";
import type { Room as DiskRoom } from "#services/store/room.ts";
import { SumdbMirror } from "#services/sumdb/mirror.ts";
import type { SumdbRoute } from "#services/sumdb/ports.ts";
import type { Chain, Upstream } from "#services/upstreams/chain.ts";
import { Health } from "#services/upstreams/health.ts";
import type { FaultReason, UpstreamClient, UpstreamEndpoint, UpstreamRequest } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { ModuleTable } from "./module-table.ts";
import type { ModuleFixture } from "./modules.ts";
import { databaseName, recordModule } from "./world.ts";

export class StandingClock implements Clock {
  #now = Date.parse("2026-01-01T00:00:00Z");

  now(): number {
    return this.#now;
  }

  /** Time passes only so. */
  pass(ms: number): void {
    this.#now += ms;
  }

  sleep(ms: number): Promise<void> {
    this.#now += ms;
    return Promise.resolve();
  }
}

export type PlayedAnswer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** The body breaks off after so many bytes. */
  readonly breaksAfter?: number;
  readonly breaks?: FaultReason;
};
type Play = (request: UpstreamRequest) => PlayedAnswer | FaultReason | undefined;

/** Upstreams by name. Each serves its modules; what was played for a path comes first, the latest play wins. */
export class PlayedUpstreams implements UpstreamClient {
  readonly asked: string[] = [];
  /** The same requests with all they said, in the same order. */
  readonly requests: { readonly upstream: string; readonly request: UpstreamRequest }[] = [];
  /** Whether ranges are answered with 206; otherwise with the whole. */
  servesRanges = false;
  readonly #tables = new Map<string, ModuleTable>();
  readonly #plays: { readonly upstream: string; readonly play: Play }[] = [];
  /** Every request waits for it. */
  gate: Promise<unknown> = Promise.resolve();

  serve(upstream: string, modules: readonly ModuleFixture[]): void {
    this.#tables.set(upstream, new ModuleTable(modules));
  }

  /** Answers `path` (all paths that end so) of one upstream otherwise. */
  play(upstream: string, ending: string, answer: PlayedAnswer | FaultReason | Play): void {
    const play = typeof answer === "function" ? answer : () => answer;
    this.#plays.unshift({ upstream, play: (request) => (request.path.endsWith(ending) ? play(request) : undefined) });
  }

  stopPlaying(): void {
    this.#plays.length = 0;
  }

  /** How often an upstream was asked for paths that end so. */
  count(upstream: string, ending: string): number {
    return this.asked.filter((line) => line.startsWith(`${upstream} `) && line.endsWith(ending)).length;
  }

  async get({ name, url }: UpstreamEndpoint, request: UpstreamRequest) {
    this.asked.push(`${name} ${request.path}`);
    this.requests.push({ upstream: name, request });
    await this.gate;
    const played = this.#plays.filter((entry) => entry.upstream === name).map(({ play }) => play(request));
    const answer = played.find((one) => one !== undefined) ?? this.#honest(name, request.path);
    if (typeof answer === "string") throw new UpstreamFault(name, answer, answer);
    const { status, headers, body } = this.servesRanges ? ranged(answer, request) : { headers: {}, ...answer };
    return {
      status,
      headers,
      url: url + request.path,
      body: pieces(name, { ...answer, body: Buffer.from(body ?? "") }, request.maxBytes),
      cancel: () => undefined,
    };
  }

  /** The ranges that an upstream was asked for at paths that end so; "-" for a request for the whole. */
  ranges(upstream: string, ending: string): string[] {
    const mine = this.requests.filter((each) => each.upstream === upstream && each.request.path.endsWith(ending));
    return mine.map(({ request }) => request.headers?.["range"] ?? "-");
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #honest(name: string, path: string): PlayedAnswer {
    return this.#tables.get(name)?.answer(decodeURIComponent(path)) ?? { status: 404, body: "not found: unknown\n" };
  }
}

/** The part of a whole answer that the request asks for, or the whole with its length. */
function ranged(
  answer: PlayedAnswer,
  { headers }: UpstreamRequest,
): PlayedAnswer & { readonly headers: Readonly<Record<string, string>> } {
  const whole = Buffer.from(answer.body ?? "");
  const [, from] = /^bytes=(\d+)-$/.exec(headers?.["range"] ?? "") ?? [];
  const length = { ...answer.headers, "content-length": String(whole.length) };
  if (answer.status !== 200 || from === undefined) return { ...answer, headers: length };
  const range = { ...answer.headers, "content-range": `bytes ${from}-${whole.length - 1}/${whole.length}` };
  return { status: 206, headers: range, body: whole.subarray(Number(from)) };
}

async function* pieces(
  name: string,
  { body, breaksAfter, breaks }: PlayedAnswer & { readonly body: Buffer },
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  if (body.length > maxBytes) throw new UpstreamFault(name, "too-large", "too large");
  const came = breaksAfter === undefined ? body : body.subarray(0, breaksAfter);
  const half = Math.ceil(came.length / 2);
  if (half > 0) yield came.subarray(0, half);
  if (half < came.length) yield came.subarray(half);
  if (breaksAfter !== undefined) throw new UpstreamFault(name, breaks ?? "reset", "broke off");
}

/** Checks zips in this thread. */
export const plainVerifier: Verifier = {
  check: async (where, id) => {
    await Promise.resolve();
    const bytes = bytesOf(where);
    const { goMod, h1, ...report } = checkModuleZip(bytesSource(bytes), id);
    return { report, ...(goMod && { goMod }), h1, ...digest(bytes) };
  },
  directories: (where, id) => {
    const names = openZip(bytesSource(bytesOf(where))).entries.map(({ name }) => name);
    return Promise.resolve(moduleDirectories(names, zipPrefix(id)));
  },
  close: () => Promise.resolve(),
};

function digest(bytes: Uint8Array): Pick<VerifiedZip, "sha256" | "size" | "blocks"> {
  const hash = (part: Uint8Array) => createHash("sha256").update(part).digest();
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += blockBytes) blocks.push(hash(bytes.subarray(at, at + blockBytes)));
  return { sha256: hash(bytes).toString("hex"), size: bytes.length, blocks: Buffer.concat(blocks) };
}

function bytesOf(where: ZipLocation): Uint8Array {
  if ("bytes" in where) return where.bytes;
  throw new Error("a zip in memory was expected");
}

export function playedUpstream(name: string, more: Partial<Upstream> = {}): Upstream {
  return {
    name,
    url: `https://${name}.example`,
    redirectCidrs: [],
    kind: "http",
    separator: ",",
    authoritative: false,
    absentStatuses: [404, 410],
    privatePatterns: "",
    public: true,
    priority: 1,
    rollback: false,
    ...more,
  };
}

export type RoomOptions = {
  readonly upstreams?: readonly Upstream[];
  readonly storage?: Storage;
  /** Whether anything new may come in. */
  readonly room?: Pick<DiskRoom, "enter" | "admit" | "failed">;
  readonly meter?: Meter;
  readonly private?: string;
  /** On record in the database. */
  readonly recorded?: readonly ModuleFixture[];
  /** Instead of the test database's mirror. */
  readonly databases?: readonly Database[];
  readonly hadOff?: boolean;
  /** What stands in while no database can be reached. */
  readonly lastResort?: LastResort;
  /** Instead of the one that checks zips in this thread. */
  readonly verifier?: Verifier;
  readonly clock?: StandingClock;
  /** May refuse what is proven. */
  readonly validator?: Validator;
  /** How upstreams are asked: patience, order, room. */
  readonly manners?: Manners;
  /** The nodes that this one shares its storage with. */
  readonly coordination?: Coordination;
};

/** Everything the proxy is made of; each part may be asked. */
export async function openRoom(options: RoomOptions = {}) {
  const { storage = new MemoryStorage(), upstreams = [playedUpstream("a"), playedUpstream("b")] } = options;
  const { clock = new StandingClock() } = options;
  const client = new PlayedUpstreams();
  const database = new TestDatabase({ name: databaseName, seed: Buffer.alloc(32, 7) });
  for (const module of options.recorded ?? []) await recordModule(database, module);
  const wire = { cut: false };
  const emitted: GranaryEvent[] = [];
  const events: EventSink = { emit: (event) => void emitted.push(event) };
  const { meter = silentMeter } = options;
  const privacy = privacyOf(options.private ?? "");
  const configured: Chain = { upstreams, hadDirect: false, hadOff: options.hadOff ?? false, own: [] };
  let chain = configured;
  /** Takes upstreams out of use, as an operator does; without names none is. */
  const disable = (...names: string[]): void => {
    const isOut = ({ name }: Upstream): boolean => names.includes(name);
    chain = { ...configured, upstreams: upstreams.filter((each) => !isOut(each)), disabled: upstreams.filter(isOut) };
  };
  const negative = new NegativeCache({ maxEntries: 100, ttlMs: 60_000 });
  const health = new Health({ clock });
  const { coordination } = options;
  const others = coordination && new KnownAbsences({ absences: coordination.absences, clock, ttlMs: 60_000 });
  const turns = coordination && new SharedFlight({ turns: coordination.turns, clock, meter });
  const origin = new Origin({
    chain: () => chain,
    client,
    health,
    mode: () => "resilient",
    clock,
    privacy,
    negative,
    others,
    events,
    meter,
    hopHeader: { name: "x-granary-hops", instance: "room" },
    manners: () => options.manners ?? {},
  });
  const routes = [databaseRoute(database, wire)];
  const mirror = new SumdbMirror({ key: database.verifierKey, routes, storage, clock });
  const pins = new Pins(storage, events);
  const sums = new Sums({ databases: options.databases ?? [mirror], privacy, pins, lastResort: options.lastResort });
  const owed = new OwedProofs(storage);
  const store = new ModuleStore(storage);
  const quarantine = new Quarantine(storage, clock);
  const { signal: stop } = new AbortController();
  const lifetime = () => ({ freshMs: 300_000, staleMs: 86_400_000 });
  const aging = new Aging({ chain: () => chain, origin, lifetime, clock, wall: clock, events, stop });
  const gate = new Gate(4, 100);
  const jobs = new ModuleJobs({
    store,
    storage,
    quarantine,
    room: options.room,
    origin,
    sums,
    owed,
    verifier: options.verifier ?? plainVerifier,
    aging,
    validator: () => options.validator,
    turns,
    hurry: (name) => void coordination?.notices.tell({ about: "turn", name }).catch(() => undefined),
    gate,
    aheadGate: new Gate(4, 100),
    clock,
    events,
    meter,
    stop,
  });
  coordination?.notices.hear({
    told: (notice) => {
      if (notice.about === "turn") jobs.hurried(notice.name);
    },
    missed: () => undefined,
  });
  const listings = new Listings({ origin, store, storage, clock, ttlMs: () => 60_000, stop });
  const nested = new NestedModules(store, plainVerifier);
  const ingestLimit = { name: "limits.ingests", value: 4 };
  const proxy = new Proxy({
    store,
    jobs,
    listings,
    nested,
    origin,
    negative,
    privacy,
    sums,
    events,
    aging,
    ingestLimit,
  });
  return {
    ...{ storage, clock, client, database, wire, emitted, privacy, negative, health, origin, mirror, pins, sums },
    ...{ owed, store, quarantine, gate, turns, others, jobs, listings, nested, proxy, disable },
  };
}

export type Room = Awaited<ReturnType<typeof openRoom>>;

/** The way to a database in this process; `wire.cut` ends it. */
export function databaseRoute(database: TestDatabase, wire: { readonly cut: boolean }): SumdbRoute {
  return {
    name: database.name,
    knows: true,
    fetch: async (path) => {
      if (wire.cut) throw new UpstreamFault(database.name, "refused", "cut");
      return await database.answer(path);
    },
  };
}

export function idOf({ path, version }: { readonly path: string; readonly version: string }): ModuleVersion {
  return checkModuleVersion(path, version);
}

/** A client that waits as long as it takes. */
export function patient(): { readonly hops: string; readonly caller: string; readonly signal: AbortSignal } {
  return { hops: "", caller: "192.0.2.1", signal: new AbortController().signal };
}

/** Every key below `prefix`. */
export async function keysOf(storage: Storage, prefix = ""): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(prefix)) keys.push(key);
  return keys.sort();
}
