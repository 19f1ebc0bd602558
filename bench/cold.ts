// W9: what a developer or a CI job waits for. `go mod download all` of a real, recorded project by clients with
// nothing, checksum database on: directly, through empty proxies, through filled ones, and with the upstream dead.
//
//   node bench/cold.ts [--rounds N] [--project PATH@VERSION] [--only direct,granary] [--profiles a,b] [--trace FILE]
//
// The ways run in turn, round by round. Needs `go`; the first run of a project also a reachable GOPROXY, later ones
// stay on loopback. Recordings are kept in GRANARY_BENCH_CACHE (default: in the system's temporary folder).
import { execFileSync } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { sumdbName } from "#protocol/official.ts";
import { cleanUp, dropFolder, newFolder } from "./children.ts";
import { defaultProject } from "./corpus.ts";
import type { Corpus } from "./corpus.ts";
import { cpuSeconds, endedChildrenSeconds } from "./proc.ts";
import { downloadAll, recordProject } from "./record.ts";
import type { Recording } from "./record.ts";
import { describeRun, formatWork, judge, round } from "./report.ts";
import type { Verdict, Work } from "./report.ts";
import { median } from "./rounds.ts";
import { startAthens, startGoproxy, startGranary } from "./servers.ts";
import type { Subject } from "./servers.ts";
import { certificate } from "./setup.ts";
import { Tracer } from "./tracer.ts";
import { startUpstream } from "./upstream.ts";
import type { Upstream } from "./upstream.ts";

/** How far the upstream is. */
const profiles = {
  a: { title: "fast upstream", settings: { latencyMs: 0, bytesPerSecond: 0 } },
  b: { title: "100 ms, 5 MB/s per connection", settings: { latencyMs: 100, bytesPerSecond: 5_000_000 } },
} as const;
type Profile = keyof typeof profiles;

const parties = ["direct", "granary", "goproxy", "athens"] as const;
type Party = (typeof parties)[number];

export type ColdPlan = {
  readonly project: string;
  readonly rounds: number;
  readonly only: readonly Party[];
  readonly profiles: readonly Profile[];
  /** File for every request that clients made of Granary. */
  readonly trace?: string | undefined;
};

/** One build. CPU in seconds of user and system time. */
type Build = {
  readonly seconds: number;
  readonly clientCpu: number;
  readonly serverCpu: number;
  readonly upstreamCpu: number;
  readonly upstreamRequests: number;
  readonly upstreamBytes: number;
};

type Run = {
  readonly plan: ColdPlan;
  readonly recording: Recording;
  readonly upstream: Upstream;
  readonly ca: string | undefined;
  readonly builds: Map<string, Build[]>;
  readonly failures: string[];
  profile: Profile;
};

/** A client that hangs has failed. */
const buildTimeoutMs = 15 * 60_000;

export async function w9(plan: ColdPlan): Promise<Work> {
  const recording = await recordProject(plan.project);
  const tls = await certificate({ database: sumdbName });
  const upstream = await startUpstream({ root: recording.root, ...(tls === undefined ? {} : { tls }) });
  const run: Run = { plan, recording, upstream, ca: tls?.cert, builds: new Map(), failures: [], profile: "a" };
  if (plan.trace !== undefined) writeFileSync(plan.trace, "");
  try {
    for (let round = 0; round < plan.rounds; round++) await runRound(run);
    const missing = await upstream.missing();
    return report(run, missing);
  } finally {
    await upstream.stop();
  }
}

async function runRound(run: Run): Promise<void> {
  for (const profile of run.plan.profiles) {
    run.profile = profile;
    await run.upstream.set({ ...profiles[profile].settings, frozen: true, down: false });
    for (const party of run.plan.only) await through[party](run);
  }
}

const through: Readonly<Record<Party, (run: Run) => Promise<void>>> = {
  direct: (run) => timed(run, "direct", { proxy: run.upstream.url }),
  granary: throughGranary,
  goproxy: throughGoproxy,
  athens: throughAthens,
};

async function throughGranary(run: Run): Promise<void> {
  const store = await newFolder("cold");
  const { url } = run.upstream;
  const granary = await startGranary({ store, upstream: url, sumdb: `${sumdbName} ${url}/sumdb/${sumdbName}` });
  const tracer = run.plan.trace === undefined ? undefined : await traced(granary, run.plan.trace);
  const use = { proxy: tracer?.url ?? granary.base, server: granary };
  await timed(run, "Granary, cold", use);
  if (run.profile === "a") {
    await timed(run, "Granary, warm", use);
    await run.upstream.set({ down: true });
    await timed(run, "Granary, upstream dead", use);
    await run.upstream.set({ down: false });
  }
  await tracer?.close();
  await granary.stop();
  await dropFolder(store);
}

async function traced(granary: Subject, file: string): Promise<Tracer> {
  return new Tracer(granary.base, (entry) => appendFileSync(file, `${JSON.stringify(entry)}\n`)).open();
}

async function throughGoproxy(run: Run): Promise<void> {
  const { url } = run.upstream;
  const database = `${url}/sumdb/${sumdbName}`;
  const peer = await startGoproxy({ corpus: peerCorpus, empty: true, upstream: url, database });
  if (peer !== undefined) await coldAndWarm(run, peer, { proxy: peer.base, server: peer });
}

/** Athens takes databases by https only and under their host's name, so its clients ask the database themselves. */
async function throughAthens(run: Run): Promise<void> {
  const { url, tlsUrl } = run.upstream;
  const { ca } = run;
  const database = tlsUrl === undefined || ca === undefined ? {} : { database: tlsUrl, ca };
  const peer = await startAthens({ corpus: peerCorpus, empty: true, upstream: url, ...database });
  if (peer === undefined) return;
  const asksItself = `${sumdbName} ${url}/sumdb/${sumdbName}`;
  await coldAndWarm(run, peer, { proxy: peer.base, server: peer, database: asksItself });
}

const peerCorpus: Corpus = {
  root: "",
  about: "",
  live: undefined,
  database: sumdbName,
  small: [],
  zips: [],
  modules: [],
};

async function coldAndWarm(run: Run, peer: Subject, use: Use): Promise<void> {
  await timed(run, `${peer.name}, cold`, use);
  if (run.profile === "a") await timed(run, `${peer.name}, warm`, use);
  await peer.stop();
}

type Use = {
  /** GOPROXY of the client. */
  readonly proxy: string;
  readonly server?: Subject;
  /** GOSUMDB of the client; default the official one, through its proxy. */
  readonly database?: string;
};

/** One cold client; what it took is noted under `name`. */
async function timed(run: Run, name: string, use: Use): Promise<void> {
  const { upstream, recording } = run;
  // What the last one wrote is not this one's to wait for.
  execFileSync("sync");
  const client = await newFolder("client");
  await upstream.resetCounts();
  const cpu = cpuNow(run, use);
  const began = performance.now();
  const failure = await downloadAll({
    proxy: use.proxy,
    database: use.database ?? sumdbName,
    project: recording.project,
    client,
    timeoutMs: buildTimeoutMs,
  }).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const seconds = failure === undefined ? (performance.now() - began) / 1000 : Number.NaN;
  if (failure !== undefined)
    run.failures.push(`${run.profile} ${name} failed: ${failure.replaceAll("\n", " ").slice(0, 400)}`);
  const after = cpuNow(run, use);
  const { requests, bytes } = await upstream.counts();
  const build: Build = {
    seconds,
    clientCpu: after.client - cpu.client,
    serverCpu: after.server - cpu.server,
    upstreamCpu: after.upstream - cpu.upstream,
    upstreamRequests: requests,
    upstreamBytes: bytes,
  };
  const key = `${run.profile} ${name}`;
  run.builds.set(key, [...(run.builds.get(key) ?? []), build]);
  process.stderr.write(`bench: ${run.profile} ${name}: ${seconds.toFixed(1)} s, ${describeBuild(build)}\n`);
  await dropFolder(client);
}

function cpuNow(run: Run, use: Use): { readonly client: number; readonly server: number; readonly upstream: number } {
  return {
    client: endedChildrenSeconds(),
    server: use.server === undefined ? 0 : cpuSeconds(use.server.pid),
    upstream: cpuSeconds(run.upstream.pid),
  };
}

function describeBuild(build: Build): string {
  return `upstream ${build.upstreamRequests} requests, ${(build.upstreamBytes / 1e6).toFixed(1)} MB`;
}

function report(run: Run, missing: readonly string[]): Work {
  const { plan, recording } = run;
  const table = plan.profiles.flatMap((profile) => profileTable(run, profile));
  const lacking = missing.length === 0 ? [] : [`not in the recording, answered 404: ${missing.slice(0, 10).join(" ")}`];
  return {
    id: "W9",
    title: `\`go mod download all\` of ${plan.project}: ${recording.about}; clients with nothing, GOSUMDB on`,
    table,
    verdicts: verdicts(run),
    notes: [
      `${plan.rounds} interleaved rounds; medians, ratios within a round`,
      "CPU is user and system time in seconds of the client, the server's process tree, and the emulated upstream: all share the machine",
      "all lookups of the recording carry one signed head, so that it is complete; Athens' clients ask the database from the upstream",
      ...run.failures,
      ...lacking,
    ],
  };
}

function profileTable(run: Run, profile: Profile): string[] {
  const lines = [
    `#### W9${profile}: ${profiles[profile].title}`,
    "",
    "| way | seconds | : direct | CPU client | server | upstream | upstream requests | MB | MB : direct |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
  ];
  for (const [key, builds] of run.builds) {
    if (!key.startsWith(`${profile} `)) continue;
    const middle = (of: keyof Build): number => median(builds.map((build) => build[of]));
    const cells = [
      middle("seconds").toFixed(1),
      round(between(run, key, { to: `${profile} direct`, of: "seconds" }) ?? Number.NaN),
      middle("clientCpu").toFixed(1),
      middle("serverCpu").toFixed(1),
      middle("upstreamCpu").toFixed(1),
      String(middle("upstreamRequests")),
      (middle("upstreamBytes") / 1e6).toFixed(1),
      round(between(run, key, { to: `${profile} direct`, of: "upstreamBytes" }) ?? Number.NaN),
    ];
    lines.push(`| ${key.slice(2)} | ${cells.join(" | ")} |`);
  }
  return [...lines, ""];
}

/** The median of the ratios within a round. */
function between(
  run: Run,
  way: string,
  against: { readonly to: string; readonly of: keyof Build },
): number | undefined {
  const mine = run.builds.get(way) ?? [];
  const theirs = run.builds.get(against.to) ?? [];
  if (mine.length === 0 || theirs.length !== mine.length) return undefined;
  return median(mine.map((build, at) => build[against.of] / (theirs[at]?.[against.of] ?? Number.NaN)));
}

function verdicts(run: Run): Verdict[] {
  const { plan } = run;
  if (!plan.only.includes("granary")) return [];
  const ratio = (way: string, to: string, of: keyof Build): number | undefined => between(run, way, { to, of });
  const of: Readonly<Record<Profile, readonly Verdict[]>> = {
    a: [
      judge("W9a cold : direct", { is: "≤", than: 1.25 }, ratio("a Granary, cold", "a direct", "seconds")),
      judge(
        "W9c upstream dead : goproxy warm",
        { is: "≤", than: 1.05 },
        ratio("a Granary, upstream dead", "a goproxy, warm", "seconds"),
      ),
      judge(
        "W9d upstream bytes : direct",
        { is: "≤", than: 1.1 },
        ratio("a Granary, cold", "a direct", "upstreamBytes"),
      ),
    ],
    b: [
      judge("W9b cold : direct", { is: "≤", than: 0.3 }, ratio("b Granary, cold", "b direct", "seconds")),
      judge(
        "W9d upstream bytes : direct, far upstream",
        { is: "≤", than: 1.1 },
        ratio("b Granary, cold", "b direct", "upstreamBytes"),
      ),
    ],
  };
  return plan.profiles.flatMap((profile) => of[profile]);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "1" },
      project: { type: "string", default: defaultProject },
      only: { type: "string", default: parties.join(",") },
      profiles: { type: "string", default: "a,b" },
      trace: { type: "string" },
    },
  });
  const only = parties.filter((party) => values.only.split(",").includes(party));
  const wanted = (["a", "b"] as const).filter((profile) => values.profiles.split(",").includes(profile));
  const { project, trace } = values;
  const work = await w9({ project, rounds: Number(values.rounds), only, profiles: wanted, trace });
  process.stdout.write(`${describeRun({ project })}\n${formatWork(work)}`);
}

if (import.meta.main) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
  }
  try {
    await main();
  } finally {
    await cleanUp();
  }
}
