// What proving costs: each lookup is asked once of Granary, which fetches the tiles of its proof and checks it, and once
// of goproxy, which relays what the database says. Then both are asked again, for what they have by now.
//
//   node bench/cold-lookups.ts [--records 200000] [--lookups 2000] [--rounds 4]
import { join } from "node:path";
import { parseArgs } from "node:util";
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import { dropFolder, newFolder, runBench } from "./children.ts";
import { hammer } from "./client.ts";
import type { Corpus } from "./corpus.ts";
import { bytesFor, otherRecord, writeDatabase } from "./made-up-database.ts";
import { cpuSeconds } from "./proc.ts";
import { describeRun, formatWork, round } from "./report.ts";
import type { Work } from "./report.ts";
import { median } from "./rounds.ts";
import { startGoproxy, startGranary } from "./servers.ts";
import type { Subject } from "./servers.ts";
import { startUpstream } from "./upstream.ts";
import type { Upstream } from "./upstream.ts";

const connections = 16;
/** How far away the database is, one after the other. */
const latencies = [0, 50] as const;
const databaseName = "sums.cold.test";

type Plan = { readonly records: number; readonly lookups: number; readonly rounds: number };

/** One round of one server: of lookups that it had never heard of, or of the same once more. */
type Sample = {
  readonly cpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly upstreamRequests: number;
  readonly failed: number;
};

type Row = {
  readonly name: string;
  readonly latencyMs: number;
  readonly heat: "cold" | "again";
  readonly of: Sample[];
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      records: { type: "string", default: "200000" },
      lookups: { type: "string", default: "2000" },
      rounds: { type: "string", default: "4" },
    },
  });
  const plan: Plan = {
    records: Number(values.records),
    lookups: Number(values.lookups),
    rounds: Number(values.rounds),
  };
  const root = join(await newFolder("cold-lookups"), "tree");
  const database = new TestDatabase({ name: databaseName, seed: bytesFor("cold database key", 32) });
  for (let at = 0; at < plan.records; at++) await database.add(otherRecord(at));
  const wanted = spread(plan);
  await writeDatabase(
    root,
    database,
    wanted.map((at) => `others.example.com/m${at}@v1.0.0`),
  );
  const targets = wanted.map((at) => `/sumdb/${databaseName}/lookup/others.example.com/m${at}@v1.0.0`);
  const rows: Row[] = [];
  for (const latencyMs of latencies) rows.push(...(await measure({ root, database, targets, plan, latencyMs })));
  process.stdout.write(`${describeRun({})}\n${formatWork(report(plan, rows))}`);
}

/** Records from all over the log, in no order, the same in every run. */
function spread({ records, lookups }: Plan): number[] {
  // A step without a common divisor visits every record once.
  const step = 104_729;
  return Array.from({ length: Math.min(records, lookups) }, (_, at) => (at * step) % records);
}

type Measuring = {
  readonly root: string;
  readonly database: TestDatabase;
  readonly targets: readonly string[];
  readonly plan: Plan;
  readonly latencyMs: number;
};

async function measure({ root, database, targets, plan, latencyMs }: Measuring): Promise<Row[]> {
  const upstream = await startUpstream({ root });
  await upstream.set({ latencyMs });
  const store = await newFolder("cold-lookups-store");
  const url = `${upstream.url}/sumdb/${databaseName}`;
  const granary = await startGranary({
    store,
    upstream: upstream.url,
    sumdb: database.verifierKey,
    flags: ["--log-level=error"],
  });
  const goproxy = await startGoproxy({ corpus: corpusOf(root), empty: true, upstream: upstream.url, database: url });
  const subjects = [granary, ...(goproxy === undefined ? [] : [goproxy])];
  try {
    const rows = subjects.flatMap(({ name }): Row[] => [
      { name, latencyMs, heat: "cold", of: [] },
      { name, latencyMs, heat: "again", of: [] },
    ]);
    const perRound = Math.floor(targets.length / plan.rounds);
    for (let at = 0; at < plan.rounds; at++) {
      const slice = targets.slice(at * perRound, (at + 1) * perRound);
      for (const heat of ["cold", "again"] as const)
        for (const subject of subjects) {
          const row = rows.find((one) => one.name === subject.name && one.heat === heat);
          row?.of.push(await sample(subject, upstream, slice));
        }
    }
    return rows;
  } finally {
    for (const subject of subjects) await subject.stop();
    await upstream.stop();
    await dropFolder(store);
  }
}

function corpusOf(root: string): Corpus {
  return { root, about: "", live: undefined, database: databaseName, small: [], zips: [], modules: [] };
}

async function sample(subject: Subject, upstream: Upstream, targets: readonly string[]): Promise<Sample> {
  await upstream.resetCounts();
  const before = cpuSeconds(subject.pid);
  let at = 0;
  const result = await hammer({
    base: subject.base,
    connections,
    next: () => targets[at++],
    isExpected: (status) => status === 200,
  });
  const { requests, paths } = await upstream.counts();
  return {
    cpuMicros: ((cpuSeconds(subject.pid) - before) * 1e6) / targets.length,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    // Granary's prober asks for the root of its upstreams.
    upstreamRequests: (requests - (paths["/"]?.requests ?? 0)) / targets.length,
    failed: result.errors,
  };
}

function report({ records, lookups, rounds }: Plan, rows: readonly Row[]): Work {
  const cells = ({ name, latencyMs, heat, of }: Row): string => {
    const mid = (key: keyof Sample): string => round(median(of.map((one) => one[key])));
    const failed = of.reduce((sum, one) => sum + one.failed, 0);
    const figures = (["cpuMicros", "p50Ms", "p99Ms", "upstreamRequests"] as const).map(mid);
    return `| ${[`${name}, ${heat}, database ${latencyMs} ms away`, ...figures, failed].join(" | ")} |`;
  };
  return {
    id: "cold lookups",
    title: `${lookups} lookups from all over a log of ${records} records, ${connections} connections, ${rounds} rounds`,
    table: [
      "| | CPU µs/lookup | p50 ms | p99 ms | upstream requests/lookup | failed |",
      "| --- | ---: | ---: | ---: | ---: | ---: |",
      ...rows.map(cells),
    ],
    verdicts: [],
    notes: ["Granary proves before it answers, and keeps the tiles that a client asks for next; goproxy relays"],
  };
}

await runBench(main);
