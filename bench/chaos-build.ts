// One cold build on a bad day: mirrors that misbehave by a seed, an empty server between them and a client with
// nothing, and afterwards every byte that arrived compared with what was published.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseInfo } from "#protocol/info.ts";
import { dropFolder, newFolder } from "./children.ts";
import type { Corpus } from "./corpus.ts";
import { listFiles } from "./corpus.ts";
import type { Settings } from "./emulator-server.ts";
import { writeMadeUp } from "./made-up.ts";
import type { MadeUp } from "./made-up.ts";
import { peakBytes } from "./proc.ts";
import { downloadAll, moduleCache } from "./record.ts";
import { startAthens, startGoproxy, startGranary } from "./servers.ts";
import type { Subject } from "./servers.ts";
import { Tracer } from "./tracer.ts";
import { startUpstream } from "./upstream.ts";
import type { Upstream } from "./upstream.ts";

export const ways = ["Granary", "direct", "goproxy", "Athens"] as const;
export type Way = (typeof ways)[number];

export type ChaosCase = {
  readonly way: Way;
  readonly mirrors: 1 | 2;
  readonly seed: number;
  /** Share of faulty upstream answers; 0: a calm day, to compare with. */
  readonly faults: number;
};

export type ChaosResult = ChaosCase & {
  /** `go mod download all` ended well. */
  readonly green: boolean;
  readonly seconds: number;
  /** Files that arrived, in the client's cache and in Granary's store. */
  readonly files: number;
  /** Those that are not what was published, and lines of go.sum that are not on record. */
  readonly wrong: readonly string[];
  /** Lines of go.sum, each compared with the database's records. */
  readonly sums: number;
  /** Zips with other bytes around the same files: their h1 is right, which is all that anybody can check. */
  readonly respelled: number;
  /** Milliseconds of each of the client's requests that were answered. */
  readonly requestMs: readonly number[];
  /** Faults by kind. */
  readonly injected: Readonly<Record<string, number>>;
  readonly upstreamRequests: number;
  /** Most memory the server ever had resident. */
  readonly peakMB: number;
  /** What `go` said when it failed, the end of it. */
  readonly said: string;
};

export type ChaosWeather = Pick<Settings, "latencyMs" | "stallMs" | "dripMs"> & {
  /** A client that takes longer has failed. */
  readonly buildTimeoutMs: number;
  /** More flags for Granary, and for the Node that runs it. */
  readonly flags?: readonly string[];
  readonly nodeFlags?: readonly string[];
};

export const usualWeather: ChaosWeather = { latencyMs: 20, stallMs: 60_000, dripMs: 5_000, buildTimeoutMs: 300_000 };

/** Two mirrors of one made-up project, for one build at a time. */
export class ChaosRig {
  readonly #made: MadeUp;
  readonly #mirrors: readonly [Upstream, Upstream];
  readonly #weather: ChaosWeather;

  private constructor(made: MadeUp, mirrors: readonly [Upstream, Upstream], weather: ChaosWeather) {
    this.#made = made;
    this.#mirrors = mirrors;
    this.#weather = weather;
  }

  static async open(weather: ChaosWeather = usualWeather): Promise<ChaosRig> {
    const made = await writeMadeUp(await newFolder("chaos"));
    const mirror = (tag: string): Promise<Upstream> => startUpstream({ root: made.root, tag });
    return new ChaosRig(made, [await mirror("a"), await mirror("b")], weather);
  }

  async close(): Promise<void> {
    for (const mirror of this.#mirrors) await mirror.stop();
  }

  /** Undefined: the way's program was not given. */
  async build(of: ChaosCase): Promise<ChaosResult | undefined> {
    const mirrors = this.#mirrors.slice(0, of.mirrors);
    await this.#misbehave(mirrors, of);
    const store = await newFolder("chaos-store");
    const server = await this.#server(of.way, { mirrors, store });
    if (server === "absent") return undefined;
    try {
      return await this.#measure(of, { mirrors, store, server });
    } finally {
      await server?.stop();
      await dropFolder(store);
    }
  }

  /** Each mirror has a bad day of its own. */
  async #misbehave(mirrors: readonly Upstream[], { seed, faults }: ChaosCase): Promise<void> {
    const { latencyMs, stallMs, dripMs } = this.#weather;
    for (const [at, mirror] of mirrors.entries()) {
      await mirror.set({ latencyMs, stallMs, dripMs, faults, seed: seed * 2 + at });
      await mirror.resetCounts();
    }
  }

  async #server(
    way: Way,
    use: { readonly mirrors: readonly Upstream[]; readonly store: string },
  ): Promise<Subject | undefined | "absent"> {
    if (way === "direct") return undefined;
    const upstream = goproxyList(use.mirrors);
    const { database, verifierKey } = this.#made;
    if (way === "Granary") {
      const { flags = [], nodeFlags = [] } = this.#weather;
      return startGranary({
        store: use.store,
        upstream,
        sumdb: verifierKey,
        nodeFlags,
        flags: ["--log-level=error", ...flags],
      });
    }
    const corpus: Corpus = { ...noCorpus, database };
    const peer =
      way === "goproxy"
        ? startGoproxy({ corpus, empty: true, upstream, database: `${use.mirrors[0]?.url ?? ""}/sumdb/${database}` })
        : startAthens({ corpus, empty: true, upstream });
    return (await peer) ?? "absent";
  }

  async #measure(
    of: ChaosCase,
    use: { readonly mirrors: readonly Upstream[]; readonly store: string; readonly server: Subject | undefined },
  ): Promise<ChaosResult> {
    const { mirrors, store, server } = use;
    const client = await newFolder("chaos-client");
    // One request of a client meets one server, also when there is none between it and two mirrors: `go` itself then
    // has the list, and its requests are timed at the first.
    const tracer = await new Tracer(server?.base ?? mirrors[0]?.url ?? "").open();
    const others = server === undefined ? mirrors.slice(1).map(({ url }) => url) : [];
    const began = performance.now();
    const said = await downloadAll({
      proxy: [tracer.url, ...others].join("|"),
      database: this.#databaseFor(of.way, mirrors),
      project: this.#made.project,
      client,
      timeoutMs: this.#weather.buildTimeoutMs,
    }).then(() => "", String);
    const seconds = (performance.now() - began) / 1000;
    const peakMB = server === undefined ? 0 : peakBytes(server.pid) / 1e6;
    // What a server still does by itself must not change the folders that are read now.
    await server?.stop();
    const requestMs = tracer.entries.filter(({ status }) => status !== 0).map(({ at, end }) => end - at);
    await tracer.close();
    const cache = join(moduleCache(client), "cache/download");
    const arrived = await compareTree({ folder: cache, made: this.#made, cache });
    // What other clients would get.
    const kept = await compareTree({ folder: join(store, "modules"), made: this.#made, cache });
    const sums = await compareSums(join(client, "project/go.sum"), this.#made);
    await dropFolder(client);
    const missing = said === "" ? this.#made.modules - arrived.zips : 0;
    return {
      ...of,
      green: said === "",
      seconds,
      files: arrived.files + kept.files,
      sums: sums.lines,
      wrong: [
        ...arrived.wrong,
        ...kept.wrong.map((file) => `store ${file}`),
        ...sums.wrong.map((line) => `go.sum ${line}`),
        ...(missing === 0 ? [] : [`${missing} zips that never came`]),
      ],
      respelled: arrived.respelled + kept.respelled,
      requestMs,
      ...(await sumUp(mirrors)),
      peakMB,
      said: said.slice(-600),
    };
  }

  /** Athens knows official databases by https only: its clients ask this one at a mirror. */
  #databaseFor(way: Way, mirrors: readonly Upstream[]): string {
    const { verifierKey, database } = this.#made;
    return way === "Athens" ? `${verifierKey} ${mirrors[0]?.url ?? ""}/sumdb/${database}` : verifierKey;
  }
}

const noCorpus: Corpus = {
  root: "",
  about: "",
  live: undefined,
  database: undefined,
  small: [],
  zips: [],
  modules: [],
};

/** After a `|` the next is asked whatever went wrong. */
function goproxyList(mirrors: readonly Upstream[]): string {
  return mirrors.map(({ url }) => url).join("|");
}

async function sumUp(mirrors: readonly Upstream[]): Promise<Pick<ChaosResult, "injected" | "upstreamRequests">> {
  const injected: Record<string, number> = {};
  let upstreamRequests = 0;
  for (const mirror of mirrors) {
    upstreamRequests += (await mirror.counts()).requests;
    for (const { kind } of await mirror.injected()) injected[kind] = (injected[kind] ?? 0) + 1;
  }
  return { injected, upstreamRequests };
}

type Compared = {
  readonly files: number;
  readonly zips: number;
  readonly wrong: readonly string[];
  readonly respelled: number;
};

type Where = {
  /** GOPROXY layout. */
  readonly folder: string;
  readonly made: MadeUp;
  /** The module cache's download folder, where `go` keeps the h1 it took of each zip. */
  readonly cache: string;
};

/** Holds each line of a go.sum, none in a build that failed early, against what the database has on record. */
async function compareSums(file: string, { root, database }: MadeUp) {
  const text = await readFile(file, "utf8").catch(() => "");
  const lookups = join(root, "sumdb", database, "lookup");
  const records = await Promise.all((await listFiles(lookups)).map((name) => readFile(join(lookups, name), "utf8")));
  const truth = new Set(records.flatMap((record) => record.split("\n")));
  const lines = text.split("\n").filter((line) => line !== "");
  return { lines: lines.length, wrong: lines.filter((line) => !truth.has(line)) };
}

/** Compares the .info, .mod and .zip files below a folder with the published ones. */
async function compareTree(where: Where): Promise<Compared> {
  const all = await listFiles(where.folder).catch(() => []);
  const files = all.filter((file) => /\/@v\/[^/]+\.(?:info|mod|zip)$/.test(file));
  const wrong: string[] = [];
  let respelled = 0;
  for (const file of files) {
    const verdict = await compareFile(file, where);
    if (verdict === "wrong") wrong.push(file);
    if (verdict === "respelled") respelled++;
  }
  return { files: files.length, zips: files.filter((file) => file.endsWith(".zip")).length, wrong, respelled };
}

async function compareFile(file: string, where: Where): Promise<"same" | "wrong" | "respelled"> {
  const arrived = await readFile(join(where.folder, file));
  const published = await readFile(join(where.made.root, file)).catch(() => undefined);
  if (published === undefined) return "wrong";
  if (arrived.equals(published)) return "same";
  if (file.endsWith(".info")) return sameInfo(arrived, published) ? "same" : "wrong";
  if (!file.endsWith(".zip")) return "wrong";
  return (await sameFiles(file, arrived, where)) ? "respelled" : "wrong";
}

/** `go` and proxies write info files in their own spelling. */
function sameInfo(arrived: Buffer, published: Buffer): boolean {
  try {
    const [mine, theirs] = [parseInfo(arrived), parseInfo(published)];
    return mine.version === theirs.version && mine.time === theirs.time;
  } catch {
    return false;
  }
}

/** True when these bytes are those that `go` has, and the h1 that it took of them is the published one. */
async function sameFiles(file: string, zip: Buffer, where: Where): Promise<boolean> {
  const kept = await readFile(join(where.cache, file)).catch(() => undefined);
  const hash = await readFile(join(where.cache, `${file}hash`), "utf8").catch(() => "none");
  const { root, database } = where.made;
  const lookup = join(root, "sumdb", database, "lookup", file.replace("/@v/", "@").replace(/\.zip$/, ""));
  return kept?.equals(zip) === true && (await readFile(lookup, "utf8")).includes(` ${hash.trim()}\n`);
}
