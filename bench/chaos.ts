// W8: cold builds of a 50-module project while every fifth upstream answer is wrong, late, broken or a lie.
//
//   node bench/chaos.ts [--builds 10] [--mirrors 2,1] [--faults 0.2] [--seed 1] [--only Granary,direct]
//                       [--jobs 1] [--log FILE] [--flags "--x=y --z"]
//
// `--builds` of each number of mirrors and each way, seeds counting up; every fifth has a twin on a calm day, for the
// times to compare with. With a log a run that was stopped goes on where it was: what is in it is not built again.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { runBench } from "./children.ts";
import { ChaosRig, usualWeather, ways } from "./chaos-build.ts";
import type { ChaosCase, ChaosResult, ChaosWeather, Way } from "./chaos-build.ts";
import { describeRun, formatWork, judge, round } from "./report.ts";
import type { Verdict, Work } from "./report.ts";
import { median } from "./rounds.ts";

export type ChaosPlan = {
  /** For each way and number of mirrors. */
  readonly builds: number;
  readonly mirrors: readonly (1 | 2)[];
  readonly faults: number;
  /** Of the first build. */
  readonly seed: number;
  readonly only: readonly Way[];
  /** Builds at the same time, each with mirrors of its own. */
  readonly jobs?: number;
  /** One JSON line for each build. */
  readonly log?: string | undefined;
  readonly weather?: ChaosWeather;
};

const calmEvery = 5;

export async function w8(plan: ChaosPlan): Promise<Work> {
  const { log, only } = plan;
  const results = log !== undefined && existsSync(log) ? readLog(log) : [];
  const done = new Set(results.map(nameOf));
  const waiting = casesOf(plan).filter((one) => !done.has(nameOf(one)));
  process.stderr.write(`bench: ${waiting.length} builds to do, ${done.size} in the log\n`);
  const cases = waiting.values();
  const absent = new Set<Way>();
  const worker = async (): Promise<void> => {
    const rig = await ChaosRig.open(plan.weather);
    for (const one of cases) {
      const result = absent.has(one.way) ? undefined : await twice(() => rig.build(one));
      if (result === undefined) absent.add(one.way);
      else note(result, { results, log, total: waiting.length });
    }
    await rig.close();
  };
  await Promise.all(Array.from({ length: plan.jobs ?? 1 }, worker));
  return report(plan, { results, ways: only.filter((way) => !absent.has(way)) });
}

/**
 * A build that the bench itself could not finish, because a folder went away under it, says nothing of anybody: it is
 * done again, once. One that `go` could not finish is a result.
 */
async function twice<T>(build: () => Promise<T>): Promise<T> {
  try {
    return await build();
  } catch (error) {
    process.stderr.write(`bench: W8: done again: ${String(error)}\n`);
    return await build();
  }
}

/** The ways take turns, seed by seed. */
function casesOf(plan: ChaosPlan): ChaosCase[] {
  const cases: ChaosCase[] = [];
  for (let at = 0; at < plan.builds; at++) {
    const seed = plan.seed + at;
    for (const mirrors of plan.mirrors) {
      for (const way of plan.only) {
        if (at % calmEvery === 0) cases.push({ way, mirrors, seed, faults: 0 });
        cases.push({ way, mirrors, seed, faults: plan.faults });
      }
    }
  }
  return cases;
}

function nameOf({ way, mirrors, seed, faults }: ChaosCase): string {
  return `${way} ${mirrors} ${seed} ${faults}`;
}

function readLog(file: string): ChaosResult[] {
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as ChaosResult);
}

function note(
  result: ChaosResult,
  to: { readonly results: ChaosResult[]; readonly log: string | undefined; readonly total: number },
): void {
  to.results.push(result);
  if (to.log !== undefined) appendLog(to.log, result);
  const faults = Object.values(result.injected).reduce((sum, count) => sum + count, 0);
  const verdict = result.green ? "green" : `RED (${lastLine(result.said)})`;
  const wrong = result.wrong.length === 0 ? "" : `, ${result.wrong.length} WRONG FILES`;
  process.stderr.write(
    `bench: W8 ${nameOf(result)}: ${verdict} in ${result.seconds.toFixed(1)} s, ${faults} faults${wrong}\n`,
  );
}

/** Whoever tidies up meanwhile must not end a run of hours. */
function appendLog(file: string, result: ChaosResult): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(result)}\n`);
}

function lastLine(said: string): string {
  return said.trim().split("\n").at(-1)?.trim().slice(0, 160) ?? "";
}

type Outcome = { readonly results: readonly ChaosResult[]; readonly ways: readonly Way[] };

function report(plan: ChaosPlan, { results, ways: shown }: Outcome): Work {
  const rows = shown.flatMap((way) => plan.mirrors.map((mirrors) => ({ way, mirrors })));
  const of = (row: { readonly way: Way; readonly mirrors: 1 | 2 }): ChaosResult[] =>
    results.filter((result) => result.way === row.way && result.mirrors === row.mirrors);
  const { latencyMs } = plan.weather ?? usualWeather;
  return {
    id: "W8",
    title: `cold builds of 50 made-up modules, ${round(plan.faults * 100)} % of upstream answers faulty, ${latencyMs} ms away`,
    table: [
      "| way | mirrors | green | wrong files | seconds | calm | request p50 ms | calm | : calm | upstream requests | peak MB | faults dealt |",
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
      ...rows.map((row) => `| ${row.way} | ${row.mirrors} | ${cells(of(row)).join(" | ")} |`),
    ],
    verdicts: shown.includes("Granary")
      ? plan.mirrors.flatMap((mirrors) => verdictsOf(of({ way: "Granary", mirrors }), mirrors))
      : [],
    notes: [
      "seconds: medians of green builds; request p50: of all answered client requests, timed by a thin proxy in front",
      ...reds(results),
    ],
  };
}

function cells(results: readonly ChaosResult[]): string[] {
  const bad = results.filter(({ faults }) => faults > 0);
  const calm = results.filter(({ faults }) => faults === 0);
  const seconds = (of: readonly ChaosResult[]): string =>
    round(median(of.filter(({ green }) => green).map((result) => result.seconds)));
  const [stormy, quiet] = [requestMedian(bad), requestMedian(calm)];
  return [
    `${bad.filter(({ green }) => green).length} of ${bad.length}`,
    String(results.reduce((sum, { wrong }) => sum + wrong.length, 0)),
    seconds(bad),
    seconds(calm),
    round(stormy),
    round(quiet),
    round(stormy / quiet),
    round(median(bad.map(({ upstreamRequests }) => upstreamRequests))),
    round(Math.max(0, ...results.map(({ peakMB }) => peakMB))),
    dealt(bad),
  ];
}

/** How many faults of each kind all these builds met. */
function dealt(results: readonly ChaosResult[]): string {
  const kinds = new Map<string, number>();
  for (const { injected } of results)
    for (const [kind, count] of Object.entries(injected)) kinds.set(kind, (kinds.get(kind) ?? 0) + count);
  return [...kinds]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([kind, count]) => `${count} ${kind}`)
    .join(", ");
}

function requestMedian(results: readonly ChaosResult[]): number {
  return median(results.flatMap(({ requestMs }) => requestMs));
}

function verdictsOf(results: readonly ChaosResult[], mirrors: 1 | 2): Verdict[] {
  const bad = results.filter(({ faults }) => faults > 0);
  const calm = results.filter(({ faults }) => faults === 0);
  const where = mirrors === 2 ? "two mirrors" : "one mirror";
  const green = bad.filter((result) => result.green && result.wrong.length === 0).length;
  const wrong = results.reduce((sum, result) => sum + result.wrong.length, 0);
  const added = requestMedian(bad) / requestMedian(calm);
  return [
    judge(
      `${where}: share of green builds without a wrong byte`,
      { is: "≥", than: 0.999 },
      bad.length === 0 ? undefined : green / bad.length,
    ),
    judge(`${where}: wrong files`, { is: "≤", than: 0 }, results.length === 0 ? undefined : wrong),
    judge(`${where}: request p50 : calm`, { is: "≤", than: 1.15 }, Number.isFinite(added) ? added : undefined),
  ];
}

/** The first failures, so that they can be built again by their seed. */
function reds(results: readonly ChaosResult[]): string[] {
  const failed = results.filter(({ green, wrong }) => !green || wrong.length > 0);
  return failed
    .filter(({ way }) => way === "Granary")
    .slice(0, 5)
    .map((result) => `${nameOf(result)}: ${result.wrong.slice(0, 3).join(" ")} ${lastLine(result.said)}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      builds: { type: "string", default: "10" },
      mirrors: { type: "string", default: "2,1" },
      faults: { type: "string", default: "0.2" },
      seed: { type: "string", default: "1" },
      only: { type: "string", default: ways.join(",") },
      jobs: { type: "string", default: "1" },
      log: { type: "string" },
      flags: { type: "string", default: "" },
    },
  });
  const work = await w8({
    builds: Number(values.builds),
    mirrors: ([2, 1] as const).filter((count) => values.mirrors.split(",").includes(String(count))),
    faults: Number(values.faults),
    seed: Number(values.seed),
    only: ways.filter((way) => values.only.split(",").includes(way)),
    jobs: Number(values.jobs),
    log: values.log,
    weather: { ...usualWeather, flags: values.flags.split(" ").filter(Boolean) },
  });
  process.stdout.write(`${describeRun({ builds: values.builds, seed: values.seed })}\n${formatWork(work)}`);
}

if (import.meta.main) await runBench(main);
