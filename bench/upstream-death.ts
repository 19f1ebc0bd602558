// S3-26 and N14: the first of two upstreams dies under load, in one of the ways in which servers die; then both.
//
//   node bench/upstream-death.ts [--ways refuses,resets,silent,both] [--seconds 40] [--cold 10] [--hits 100]
//                                [--flags "--x=y"] [--trace FOLDER]
//
// Clients come at a steady pace: `--cold` of them a second ask for the three files of a version that nobody has yet,
// `--hits` a second for one that is kept. After some seconds of that the first upstream
//   refuses   ends: connections are refused, open ones break;
//   resets    breaks every connection at its first request;
//   silent    stands still (SIGSTOP): connections are accepted by its kernel, and nothing is ever answered;
//   both      as silent, the second one ended too: only what is kept can be had (N14).
// With --trace the server's own log (debug), its metrics and every client request of each way are written to a folder.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { dropFolder, runBench, newFolder, untilSaid } from "./children.ts";
import { getBytes, inParallel } from "./client.ts";
import { endings, writeMany } from "./made-up-many.ts";
import type { Many } from "./made-up-many.ts";
import { PacedClients, quantile } from "./pace.ts";
import type { Answer } from "./pace.ts";
import { describeRun, formatWork, round } from "./report.ts";
import type { Verdict, Work } from "./report.ts";
import { granaryChild, granaryReady } from "./servers.ts";
import { startUpstream } from "./upstream.ts";
import type { Upstream } from "./upstream.ts";

const ways = ["refuses", "resets", "silent", "both"] as const;
type Way = (typeof ways)[number];

type Plan = {
  readonly ways: readonly Way[];
  /** After the death. */
  readonly seconds: number;
  /** Clients a second. */
  readonly cold: number;
  readonly hits: number;
  readonly flags: readonly string[];
  readonly trace: string | undefined;
};

/** What the dead upstream has to be compared with. */
const calmSeconds = 8;
const warmVersions = 40;
const zipBytes = 20_000;
const latencyMs = 20;
/** Slower than the slowest in calm times by this factor, and than this at all, is not normal speed. */
const slowFactor = 2;
const slowMs = 250;
const traceBytes = 64 << 20;

type Outcome = {
  readonly way: Way;
  /** Milliseconds from the death until the last answer that was not at normal speed had come; 0 without any. */
  readonly backMs: number;
  readonly normalMs: number;
  readonly slow: number;
  readonly longestMs: number;
  readonly longest: string;
  readonly coldFailed: number;
  readonly cold: number;
  readonly hitFailed: number;
  readonly hits: number;
  readonly hitP99: number;
  readonly hitP99Before: number;
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ways: { type: "string", default: ways.join(",") },
      seconds: { type: "string", default: "40" },
      cold: { type: "string", default: "10" },
      hits: { type: "string", default: "100" },
      flags: { type: "string", default: "" },
      trace: { type: "string" },
    },
  });
  const plan: Plan = {
    ways: ways.filter((way) => values.ways.split(",").includes(way)),
    seconds: Number(values.seconds),
    cold: Number(values.cold),
    hits: Number(values.hits),
    flags: values.flags.split(" ").filter(Boolean),
    trace: values.trace,
  };
  const count = warmVersions + Math.ceil((calmSeconds + plan.seconds + 2) * plan.cold);
  const many = await writeMany(await newFolder("death"), { count, zipBytes });
  const outcomes: Outcome[] = [];
  for (const way of plan.ways) {
    outcomes.push(await die(way, many, plan));
    process.stderr.write(`bench: S3-26 ${JSON.stringify(outcomes.at(-1))}\n`);
  }
  process.stdout.write(`${describeRun({})}\n${formatWork(report(plan, outcomes))}`);
}

async function die(way: Way, many: Many, plan: Plan): Promise<Outcome> {
  const mirrors = await Promise.all(["a", "b"].map((tag) => startUpstream({ root: many.root, tag })));
  const [first, second] = mirrors as [Upstream, Upstream];
  for (const mirror of mirrors) await mirror.set({ latencyMs });
  const store = await newFolder("death-store");
  const log = plan.trace === undefined ? ["--log-level=error"] : ["--log-level=debug", "--log-format=json"];
  const child = granaryChild({
    store,
    upstream: `${first.url},${second.url}`,
    sumdb: many.verifierKey,
    flags: [...log, ...plan.flags],
    ...(plan.trace === undefined ? {} : { keepOutput: traceBytes }),
  });
  try {
    const [, base = ""] = await untilSaid(child, granaryReady);
    const warm = many.stems.slice(0, warmVersions).flatMap((stem) => endings.map((ending) => stem + ending));
    await inParallel(warm, 8, async (target) => {
      await getBytes(base + target);
    });
    const samples = plan.trace === undefined ? undefined : sampleGauges(base);
    const load = startLoad(base, many, { ...plan, warm });
    await sleep(calmSeconds * 1000);
    await end(way, first, second);
    const diedAt = performance.now();
    await sleep(plan.seconds * 1000);
    const [cold, hits] = [await load.cold.finish(), await load.hits.finish()];
    if (plan.trace !== undefined) {
      const metrics = await getBytes(`${base}/-/metrics`);
      const gauges = samples?.stop() ?? [];
      writeTrace(join(plan.trace, way), { cold, hits, diedAt, log: child.said(), metrics, gauges });
    }
    return outcomeOf(way, { cold, hits, diedAt });
  } finally {
    await child.stop();
    // One that stands still does not hear SIGTERM; one that has ended hears nothing.
    if (way === "silent" || way === "both") await first.stop("SIGKILL");
    for (const mirror of mirrors) await mirror.stop();
    await dropFolder(store);
  }
}

function startLoad(base: string, many: Many, of: Plan & { readonly warm: readonly string[] }) {
  let [next, at] = [warmVersions, 0];
  const cold = new PacedClients({
    base,
    perSecond: of.cold,
    next: () => {
      const stem = many.stems[next++];
      return stem === undefined ? undefined : endings.map((ending) => stem + ending);
    },
  });
  const hits = new PacedClients({
    base,
    perSecond: of.hits,
    next: () => of.warm.slice(at++ % of.warm.length).slice(0, 1),
  });
  return { cold, hits };
}

async function end(way: Way, first: Upstream, second: Upstream): Promise<void> {
  if (way === "refuses") process.kill(first.pid, "SIGKILL");
  if (way === "resets") await first.set({ down: true });
  if (way === "both") process.kill(second.pid, "SIGKILL");
  if (way === "silent" || way === "both") process.kill(first.pid, "SIGSTOP");
}

type Gauges = { readonly at: number; readonly of: string };

/** What the server says of its queues and of the upstreams' condition, twice a second. */
function sampleGauges(base: string): { stop(): readonly Gauges[] } {
  const found: Gauges[] = [];
  const wanted =
    /^granary_(?:jobs|ahead_jobs|upstream_(?:requests_now|condition|waiting_requests|open_connections))\b.*$/gm;
  const timer = setInterval(() => {
    const at = performance.now();
    getBytes(`${base}/-/metrics`).then(
      (text) => found.push({ at, of: (text.toString().match(wanted) ?? []).join(" ").replaceAll("granary_", "") }),
      () => undefined,
    );
  }, 500);
  return {
    stop: () => {
      clearInterval(timer);
      return found;
    },
  };
}

type Seen = { readonly cold: readonly Answer[]; readonly hits: readonly Answer[]; readonly diedAt: number };

function outcomeOf(way: Way, { cold, hits, diedAt }: Seen): Outcome {
  const isAfter = ({ began, ms }: Answer): boolean => began + ms > diedAt;
  const isBefore = (answer: Answer): boolean => !isAfter(answer);
  // The first seconds are the server's own warming up.
  const calm = cold.filter(isBefore).filter(({ began }) => began > diedAt - (calmSeconds - 3) * 1000);
  const normalMs = Math.max(slowMs, slowFactor * Math.max(0, ...calm.map(({ ms }) => ms)));
  const after = cold.filter(isAfter);
  const slow = after.filter(({ ms, status }) => ms > normalMs || status !== 200);
  const [longest] = [...after].sort((a, b) => b.ms - a.ms);
  const hitsAfter = hits.filter(isAfter);
  const failed = (answers: readonly Answer[]): number => answers.filter(({ status }) => status !== 200).length;
  const p99 = (answers: readonly Answer[]): number =>
    quantile(
      answers.map(({ ms }) => ms),
      0.99,
    );
  return {
    way,
    backMs: Math.max(0, ...slow.map(({ began, ms }) => began + ms - diedAt)),
    normalMs,
    slow: slow.length,
    longestMs: longest?.ms ?? 0,
    longest: longest?.target ?? "",
    coldFailed: failed(after),
    cold: after.length,
    hitFailed: failed(hitsAfter),
    hits: hitsAfter.length,
    hitP99: p99(hitsAfter),
    hitP99Before: p99(hits.filter(isBefore)),
  };
}

function writeTrace(
  folder: string,
  of: Seen & { readonly log: string; readonly metrics: Buffer; readonly gauges: readonly Gauges[] },
): void {
  mkdirSync(folder, { recursive: true });
  const line = ({ began, ms, ...rest }: Answer): string => JSON.stringify({ at: began - of.diedAt, ms, ...rest });
  writeFileSync(join(folder, "cold.jsonl"), `${of.cold.map(line).join("\n")}\n`);
  writeFileSync(join(folder, "hits.jsonl"), `${of.hits.map(line).join("\n")}\n`);
  writeFileSync(join(folder, "log.jsonl"), of.log);
  const gauges = of.gauges.map(({ at, of: said }) => JSON.stringify({ at: at - of.diedAt, said }));
  writeFileSync(join(folder, "gauges.jsonl"), `${gauges.join("\n")}\n`);
  writeFileSync(join(folder, "metrics.txt"), of.metrics);
}

function report(plan: Plan, outcomes: readonly Outcome[]): Work {
  const header = [
    "| the first upstream | back to normal s | slower answers | longest s | cold failed | hits failed | p99 of hits ms | before |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
  ];
  const rows = outcomes.map((one) => {
    const isGone = one.way === "both";
    const cells = [
      one.way,
      isGone ? "–" : round(one.backMs / 1000),
      isGone ? "–" : `${one.slow} of ${one.cold}`,
      round(one.longestMs / 1000),
      isGone ? "–" : `${one.coldFailed} of ${one.cold}`,
      `${one.hitFailed} of ${one.hits}`,
      round(one.hitP99),
      round(one.hitP99Before),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return {
    id: "S3-26",
    title: `one of two upstreams dies, both with everything die (N14), ${plan.cold} cold clients and ${plan.hits} hits a second`,
    table: [...header, ...rows],
    verdicts: outcomes.flatMap(verdictsOf),
    notes: [
      `normal: at most twice the slowest of the calm seconds before, and never below ${slowMs} ms; back: the last slower answer had come`,
    ],
  };
}

function verdictsOf(one: Outcome): Verdict[] {
  const hits = {
    what: `${one.way}: hits answered`,
    goal: "100 %",
    value: `${one.hits - one.hitFailed} of ${one.hits}`,
    reached: one.hitFailed === 0 && one.hits > 0,
  };
  const p99 = bound(`${one.way}: p99 of hits, ms`, one.hitP99, { must: 86, aim: 5 });
  if (one.way === "both") return [hits, p99];
  return [
    bound(`${one.way}: seconds until normal speed`, one.backMs / 1000, { must: 11.3, aim: 1 }),
    p99,
    {
      what: `${one.way}: failed cold requests`,
      goal: "0",
      value: String(one.coldFailed),
      reached: one.coldFailed === 0,
    },
    hits,
  ];
}

function bound(what: string, value: number, { must, aim }: { readonly must: number; readonly aim: number }): Verdict {
  const goal = `≤ ${must}, aim ≤ ${aim}`;
  return { what, goal, value: `${round(value)}${value <= aim ? "" : " (aim missed)"}`, reached: value <= must };
}

await runBench(main);
