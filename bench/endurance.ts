// N11 and N12: warm requests while thousands of connections drip their headers, and the event loop while hundreds of
// megabytes and zip bombs come in.
//
//   node bench/endurance.ts [--only N11,N12] [--connections 5000] [--seconds 120] [--hits 100] [--megabytes 500]
//                           [--bombs 4] [--flags "--x=y"]
//
// A bomb is a zip within Go's limits in every respect: some hundred kilobytes of which 450 MB of zeros come. Only when
// all of it was hashed it is known that it is not what the database recorded. The event loop's delay is what the
// server itself measures (nodejs_eventloop_lag_p99_seconds, which starts anew with each reading of its metrics).
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { checkModuleVersion } from "#protocol/version.ts";
import { writeModuleZip } from "#protocol/zip-write.ts";
import { dropFolder, newFolder, runBench, untilSaid } from "./children.ts";
import { getBytes, inParallel } from "./client.ts";
import { startDrips } from "./drips.ts";
import { endings, writeMany } from "./made-up-many.ts";
import type { Many } from "./made-up-many.ts";
import { PacedClients, quantile } from "./pace.ts";
import type { Answer } from "./pace.ts";
import { describeRun, formatWork, judge, round } from "./report.ts";
import type { Work } from "./report.ts";
import { granaryChild, granaryReady } from "./servers.ts";
import { startUpstream } from "./upstream.ts";

type Plan = {
  readonly connections: number;
  readonly seconds: number;
  /** Warm requests a second. */
  readonly hits: number;
  readonly megabytes: number;
  readonly bombs: number;
  readonly flags: readonly string[];
};

const warmVersions = 20;
const zipMegabytes = 10;
const bombBytes = 450 << 20;
/** Before the trouble, to compare with; the first of them are the server's own warming up. */
const calmSeconds = 15;
const warmingUpSeconds = 5;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: "N11,N12" },
      connections: { type: "string", default: "5000" },
      seconds: { type: "string", default: "120" },
      hits: { type: "string", default: "100" },
      megabytes: { type: "string", default: "500" },
      bombs: { type: "string", default: "4" },
      flags: { type: "string", default: "" },
    },
  });
  const { connections, seconds, hits, megabytes, bombs } = values;
  const plan: Plan = {
    ...{ connections: Number(connections), seconds: Number(seconds), hits: Number(hits) },
    ...{ megabytes: Number(megabytes), bombs: Number(bombs), flags: values.flags.split(" ").filter(Boolean) },
  };
  const works = { N11: slowConnections, N12: heavyIngest };
  const texts: string[] = [];
  for (const [id, work] of Object.entries(works))
    if (values.only.split(",").includes(id)) texts.push(formatWork(await work(plan)));
  process.stdout.write(`${describeRun({})}\n${texts.join("\n")}`);
}

/** A Granary in front of made-up modules, some of them kept and asked for at a steady pace. */
async function withWarm<T>(
  many: Many,
  how: Plan & { readonly env?: Readonly<Record<string, string>>; readonly kinds: readonly string[] },
  use: (server: { readonly base: string; readonly warm: PacedClients }) => Promise<T>,
): Promise<T> {
  const upstream = await startUpstream({ root: many.root });
  const store = await newFolder("endurance-store");
  const flags = ["--log-level=error", ...how.flags];
  const child = granaryChild({ store, upstream: upstream.url, sumdb: many.verifierKey, flags, env: how.env ?? {} });
  try {
    const [, base = ""] = await untilSaid(child, granaryReady);
    const targets = many.stems.slice(0, warmVersions).flatMap((stem) => how.kinds.map((ending) => stem + ending));
    await inParallel(targets, 8, async (target) => {
      await getBytes(base + target);
    });
    let at = 0;
    const next = (): readonly string[] => targets.slice(at++ % targets.length).slice(0, 1);
    const warm = new PacedClients({ base, perSecond: how.hits, next });
    return await use({ base, warm });
  } finally {
    await child.stop();
    await upstream.stop();
    await dropFolder(store);
  }
}

async function slowConnections(plan: Plan): Promise<Work> {
  const many = await writeMany(await newFolder("endurance"), { count: warmVersions, zipBytes: 100_000 });
  // What is closed because its header takes too long comes again, for the whole time.
  const most = String(plan.connections * 2);
  const env = { GRANARY_LIMITS_CONNECTIONS: most, GRANARY_LIMITS_CONNECTIONS_PER_IP: most };
  return await withWarm(many, { ...plan, env, kinds: endings }, async ({ base, warm }) => {
    await sleep(calmSeconds * 1000);
    const beganAt = performance.now();
    const drips = startDrips(base, plan.connections);
    await sleep(plan.seconds * 1000);
    const endedAt = performance.now();
    const { opened, open } = await drips.stop();
    const answers = await warm.finish();
    const calm = between(answers, beganAt - (calmSeconds - warmingUpSeconds) * 1000, beganAt);
    const during = between(answers, beganAt, endedAt);
    const [before, beside] = [p99(calm), p99(during)];
    const failed = during.filter(({ status }) => status !== 200).length;
    return {
      id: "N11",
      title: `${plan.connections} connections that drip their headers for ${plan.seconds} s, ${plan.hits} warm requests a second`,
      table: [
        "| | requests | failed | p50 ms | p99 ms |",
        "| --- | ---: | ---: | ---: | ---: |",
        `| before | ${calm.length} | 0 | ${round(quantile(times(calm), 0.5))} | ${round(before)} |`,
        `| beside | ${during.length} | ${failed} | ${round(quantile(times(during), 0.5))} | ${round(beside)} |`,
      ],
      verdicts: [
        judge("p99 beside : p99 before", { is: "≤", than: 2 }, beside / before),
        judge("failed warm requests", { is: "≤", than: 0 }, failed),
      ],
      notes: [
        `${opened} connections in all, ${open} of them open at the end, held by a process of their own`,
        "all clients share the processors with the server",
      ],
    };
  });
}

async function heavyIngest(plan: Plan): Promise<Work> {
  const count = warmVersions + Math.ceil(plan.megabytes / zipMegabytes) + plan.bombs;
  const many = await writeMany(await newFolder("endurance"), { count, zipBytes: zipMegabytes << 20 });
  const bombs = many.stems.slice(count - plan.bombs);
  for (const stem of bombs) await plantBomb(many.root, stem);
  return await withWarm(many, { ...plan, kinds: [".info", ".mod"] }, async ({ base, warm }) => {
    await sleep(calmSeconds * 1000);
    await lagOf(base); // what was before does not count
    const beganAt = performance.now();
    const lags: number[] = [];
    const timer = setInterval(() => {
      lagOf(base).then(
        (ms) => lags.push(ms),
        () => undefined,
      );
    }, 5_000);
    const statuses: number[] = [];
    await inParallel(many.stems.slice(warmVersions), 8, async (stem) => {
      const answer = await fetch(`${base}${stem}.zip`);
      await answer.arrayBuffer();
      statuses.push(answer.status);
    });
    clearInterval(timer);
    lags.push(await lagOf(base));
    const endedAt = performance.now();
    const answers = await warm.finish();
    const during = between(answers, beganAt, endedAt);
    const calm = between(answers, beganAt - (calmSeconds - warmingUpSeconds) * 1000, beganAt);
    const good = statuses.filter((status) => status === 200).length;
    const worst = Math.max(...lags);
    return {
      id: "N12",
      title: `${count - warmVersions - plan.bombs} zips of ${zipMegabytes} MB and ${plan.bombs} bombs come in, 8 at a time, ${plan.hits} warm requests a second`,
      table: [
        "| | |",
        "| --- | ---: |",
        `| took s | ${round((endedAt - beganAt) / 1000)} |`,
        `| kept, refused | ${good}, ${statuses.length - good} |`,
        `| event loop p99 in windows of 5 s, ms | ${lags.map((ms) => round(ms)).join(", ")} |`,
        `| p99 of hits, ms: before, beside | ${round(p99(calm))}, ${round(p99(during))} |`,
      ],
      verdicts: [
        judge("event loop p99, worst window, ms", { is: "≤", than: 50 }, worst),
        judge("good zips that were not kept", { is: "≤", than: 0 }, count - warmVersions - plan.bombs - good),
        judge("failed warm requests", { is: "≤", than: 0 }, during.filter(({ status }) => status !== 200).length),
      ],
      notes: ["warm requests are for .info and .mod files; the clients share the processors with the server"],
    };
  });
}

/** Go's own limits hold, the database's hash does not. */
async function plantBomb(root: string, stem: string): Promise<void> {
  const [, path = "", version = ""] = /^\/(.*)\/@v\/(.*)$/.exec(stem) ?? [];
  const id = checkModuleVersion(path, version);
  const files = [
    { name: "go.mod", content: Buffer.from(`module ${path}\n\ngo 1.21\n`) },
    { name: "zeros.bin", content: Buffer.alloc(bombBytes) },
  ];
  await writeFile(join(root, `${stem}.zip`), writeModuleZip(id, files));
}

/** The p99 of the event loop's delay since the last reading, in milliseconds. */
async function lagOf(base: string): Promise<number> {
  const text = (await getBytes(`${base}/-/metrics`)).toString();
  const [, seconds] = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text) ?? [];
  if (seconds === undefined) throw new Error("the server does not tell its event loop's delay");
  return Number(seconds) * 1000;
}

function between(answers: readonly Answer[], fromMs: number, untilMs: number): readonly Answer[] {
  return answers.filter(({ began }) => began >= fromMs && began < untilMs);
}

function times(answers: readonly Answer[]): number[] {
  return answers.map(({ ms }) => ms);
}

function p99(answers: readonly Answer[]): number {
  return quantile(times(answers), 0.99);
}

await runBench(main);
