// S1-41: a store is moved from its disk into a bucket while its server works. Warm files are asked for at a steady pace,
// or as fast as some connections can, and now and then a version that nobody has yet; windows before, beside and after the
// move are compared. The S3 server (VersityGW) and all clients share the machine, so what they take is in the figures.
//
//   node bench/move.ts [--versions 400] [--zip-bytes 150000] [--pace 500] [--connections 0] [--rate 20MB] [--windows 4]
import { Agent } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { makeBucket } from "../test/support/s3-store.ts";
import { startS3 } from "../test/support/servers/s3.ts";
import type { S3Server } from "../test/support/servers/s3.ts";
import { newFolder, runBench, start } from "./children.ts";
import { hammer, inParallel } from "./client.ts";
import { endings, writeMany } from "./made-up-many.ts";
import { askOnce, PacedClients, quantile } from "./pace.ts";
import type { Answer } from "./pace.ts";
import { describeRun, formatWork, judge, round } from "./report.ts";
import { median } from "./rounds.ts";
import { repository, startGranary } from "./servers.ts";
import { startUpstream } from "./upstream.ts";

type Window = {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
  readonly errors: number;
};

type Load = {
  readonly base: string;
  readonly targets: readonly string[];
  /** Requests a second; used while `connections` is 0. */
  readonly pace: number;
  /** Each asks again as soon as it is answered. */
  readonly connections: number;
};

const windowSeconds = 2;
/** One version that nobody has, each so often. */
const coldEveryMs = 500;
const coldVersions = 100;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      versions: { type: "string", default: "400" },
      "zip-bytes": { type: "string", default: "150000" },
      pace: { type: "string", default: "500" },
      connections: { type: "string", default: "0" },
      rate: { type: "string", default: "20MB" },
      windows: { type: "string", default: "4" },
    },
  });
  const versions = Number(values.versions);
  const say = (what: string): void =>
    void process.stderr.write(`${(performance.now() / 1000).toFixed(1)} s  ${what}\n`);
  const many = await writeMany(await newFolder("move"), {
    count: versions + coldVersions,
    zipBytes: Number(values["zip-bytes"]),
  });
  say("modules are made");
  const ends: (() => unknown)[] = [];
  const s3 = await startS3({ after: (work) => void ends.push(work as () => unknown) }, "versitygw");
  await makeBucket(s3, "bucket");
  const upstream = await startUpstream({ root: many.root });
  const store = await newFolder("move-store");
  const flags = ["--log-level=error", "--prefetch=off"];
  const granary = await startGranary({ store, upstream: upstream.url, sumdb: many.verifierKey, flags });
  try {
    const filesOf = (stem: string): string[] => endings.map((ending) => stem + ending);
    const warm = many.stems.slice(0, versions).flatMap(filesOf);
    const cold = new Cold(granary.base, many.stems.slice(versions).map(filesOf));
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    await inParallel(warm, 16, async (target) => {
      const { status } = await askOnce(granary.base, target, agent);
      if (status !== 200) throw new Error(`${target}: ${status}`);
    });
    agent.destroy();
    say("the store is filled");
    const load: Load = {
      base: granary.base,
      targets: warm,
      pace: Number(values.pace),
      connections: Number(values.connections),
    };
    const count = Number(values.windows);
    await windowOf(load);
    cold.begin();
    const phases: { readonly name: string; readonly windows: Window[] }[] = [];
    const moves: string[] = [];
    const quiet = async (name: string): Promise<void> => {
      phases.push({ name, windows: await some(count, load) });
      say(name);
    };
    await quiet("before");
    for (const [name, args] of [
      ["beside a move", []],
      [`beside one with --jobs 1 --rate ${values.rate}`, ["--jobs", "1", "--rate", values.rate]],
    ] as const) {
      const { windows, said } = await beside(load, s3, ["--store", store, "--s3", `bucket/p${phases.length}`, ...args]);
      phases.push({ name, windows });
      say(name);
      moves.push(`${name.replace("beside ", "")}: ${said}`);
      await quiet("after it");
    }
    await cold.end();
    process.stdout.write(`${describeRun({})}\n${formatWork(report(phases, cold.answers, moves, load))}`);
  } finally {
    await granary.stop();
    await upstream.stop();
    for (const end of ends.reverse()) await end();
  }
}

async function some(count: number, load: Load): Promise<Window[]> {
  const windows: Window[] = [];
  for (let n = 0; n < count; n++) windows.push(await windowOf(load));
  return windows;
}

/** Windows while the command runs; one that it did not fill is left out, unless there is no other. */
async function beside(
  load: Load,
  s3: S3Server,
  args: readonly string[],
): Promise<{ readonly windows: Window[]; readonly said: string }> {
  const child = start({
    command: process.execPath,
    args: [
      "--disable-warning=ExperimentalWarning",
      join(repository, "bin/granary.ts"),
      ...["store", "migrate", "--to", "s3", "--s3-endpoint", s3.endpoint],
      ...args,
    ],
    env: { GOENV: "off", MINIO_ACCESS_KEY: s3.accessKey, MINIO_SECRET_KEY: s3.secretKey },
  });
  const windows: Window[] = [];
  while (!child.over()) {
    const window = await windowOf(load);
    if (!child.over() || windows.length === 0) windows.push(window);
  }
  if ((await child.ended) !== 0) throw new Error(child.said());
  return { windows, said: /^copied.*$/m.exec(child.said())?.[0].replace(/ +/g, " ") ?? "" };
}

async function windowOf({ base, targets, pace, connections }: Load): Promise<Window> {
  // A prime step, so that no window sees the same files only.
  let at = Math.floor(Math.random() * targets.length);
  const next = (): string => targets[(at += 7) % targets.length] ?? "";
  if (connections > 0) {
    const until = Date.now() + windowSeconds * 1000;
    const isExpected = (status: number): boolean => status === 200;
    const run = await hammer({ base, connections, next: () => (Date.now() < until ? next() : undefined), isExpected });
    return { ...run, perSecond: run.requests / run.seconds };
  }
  const began = performance.now();
  const clients = new PacedClients({ base, perSecond: pace, next: () => [next()] });
  await sleep(windowSeconds * 1000);
  const answers = await clients.finish();
  const times = answers.map(({ ms }) => ms);
  const good = answers.filter(({ status }) => status === 200).length;
  return {
    perSecond: good / ((performance.now() - began) / 1000),
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    requests: answers.length,
    errors: answers.length - good,
  };
}

/** Versions that nobody has, one after the other. */
class Cold {
  readonly answers: Answer[] = [];
  readonly #base: string;
  readonly #versions: string[][];
  readonly #agent = new Agent({ keepAlive: true });
  #isOver = false;
  #work: Promise<void> = Promise.resolve();

  constructor(base: string, versions: string[][]) {
    this.#base = base;
    this.#versions = versions;
  }

  begin(): void {
    this.#work = this.#ask();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#work;
    this.#agent.destroy();
  }

  async #ask(): Promise<void> {
    for (const targets of this.#versions) {
      for (const target of targets) this.answers.push(await askOnce(this.#base, target, this.#agent));
      await sleep(coldEveryMs);
      if (this.#isOver) return;
    }
  }
}

function report(
  phases: readonly { readonly name: string; readonly windows: readonly Window[] }[],
  cold: readonly Answer[],
  moves: readonly string[],
  load: Load,
) {
  const middle = (of: readonly Window[], key: keyof Window): number => median(of.map((window) => window[key]));
  const quiet = phases[0]?.windows ?? [];
  const deviation = (windows: readonly Window[]): number =>
    (middle(windows, "perSecond") / middle(quiet, "perSecond") - 1) * 100;
  const rows = phases.map(({ name, windows }) => {
    const errors = windows.reduce((sum, window) => sum + window.errors, 0);
    const cells = [
      String(windows.length),
      round(middle(windows, "perSecond")),
      `${deviation(windows).toFixed(1)} %`,
      round(middle(windows, "p50Ms")),
      round(middle(windows, "p99Ms")),
      String(errors),
    ];
    return `| ${name} | ${cells.join(" | ")} |`;
  });
  const failed =
    phases.flatMap(({ windows }) => windows).reduce((sum, { errors }) => sum + errors, 0) +
    cold.filter(({ status }) => status !== 200).length;
  const how = load.connections > 0 ? `${load.connections} connections` : `${load.pace} requests/s`;
  return {
    id: "S1-41",
    title: `A store moved into a bucket beside its server, warm files at ${how}`,
    table: [
      `| windows of ${windowSeconds} s | | requests/s | deviation | p50 ms | p99 ms | failed |`,
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
      ...rows,
    ],
    verdicts: [judge("failed requests", { is: "≤", than: 0 }, failed)],
    notes: [...moves, `${cold.length / endings.length} cold versions meanwhile`],
  };
}

await runBench(main);
