// S4-06: a retry storm on a dying upstream. A thousand clients ask for versions that nobody has yet, all of them for one
// and each for many others in an order of its own, while half of the upstream's answers fail, then all of them. Who is
// refused asks again, as impatient clients do. What reaches the upstream must hardly be more than what one client's
// asking for the same versions, each as impatiently, brings there.
//
//   node bench/storm.ts [--clients 1000] [--versions 100] [--seconds 15] [--flags "--x=y"]
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { dropFolder, newFolder, runBench } from "./children.ts";
import { endings, writeMany } from "./made-up-many.ts";
import type { Many } from "./made-up-many.ts";
import { askOnce, quantile } from "./pace.ts";
import type { Answer } from "./pace.ts";
import { describeRun, formatWork, judge, round } from "./report.ts";
import type { Verdict, Work } from "./report.ts";
import { startGranary } from "./servers.ts";
import { startUpstream } from "./upstream.ts";
import type { Upstream } from "./upstream.ts";

/** How bad the upstream is, one after the other; each has versions of its own. */
const phases = [
  { name: "half fails", faults: 0.5 },
  { name: "all fails", faults: 1 },
] as const;

type Plan = {
  readonly clients: number;
  readonly versions: number;
  /** Of a phase. */
  readonly seconds: number;
  readonly flags: readonly string[];
};

/** What one phase brought. */
type Phase = {
  readonly answers: readonly Answer[];
  /** Without probes. */
  readonly upstreamRequests: number;
  readonly probes: number;
};

const latencyMs = 20;
const zipBytes = 5_000;
/** A refused client asks again after so long, and up to twice that. */
const pauseMs = 1_000;
/** What the prober asks for. */
const probePath = "/";
const seed = 11;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      clients: { type: "string", default: "1000" },
      versions: { type: "string", default: "100" },
      seconds: { type: "string", default: "15" },
      flags: { type: "string", default: "" },
    },
  });
  const plan: Plan = {
    clients: Number(values.clients),
    versions: Number(values.versions),
    seconds: Number(values.seconds),
    flags: values.flags.split(" ").filter(Boolean),
  };
  const many = await writeMany(await newFolder("storm"), { count: phases.length * plan.versions, zipBytes });
  const one = await run(many, plan, oneClient);
  const all = await run(many, plan, thousandClients);
  process.stdout.write(`${describeRun({})}\n${formatWork(report(plan, one, all))}`);
}

/** The targets of each of those who ask side by side: one file after the other. */
type Crowd = (stems: readonly string[], plan: Plan) => readonly (readonly string[])[];

/** One client, that asks for every version at once. */
const oneClient: Crowd = (stems) => stems.map((stem) => filesOf([stem]));

/** Each asks for the one that all want, then for all others, beginning elsewhere. */
const thousandClients: Crowd = ([same = "", ...others], plan) =>
  Array.from({ length: plan.clients }, (_, at) => {
    const first = at % others.length;
    return filesOf([same, ...others.slice(first), ...others.slice(0, first)]);
  });

function filesOf(stems: readonly string[]): string[] {
  return stems.flatMap((stem) => endings.map((ending) => stem + ending));
}

async function run(many: Many, plan: Plan, crowd: Crowd): Promise<readonly Phase[]> {
  const upstream = await startUpstream({ root: many.root });
  const store = await newFolder("storm-store");
  const granary = await startGranary({
    store,
    upstream: upstream.url,
    sumdb: many.verifierKey,
    flags: ["--log-level=error", ...plan.flags],
  });
  try {
    const found: Phase[] = [];
    for (const [at, { faults }] of phases.entries()) {
      await upstream.set({ latencyMs, faults, seed, kinds: ["503"] });
      const stems = many.stems.slice(at * plan.versions, (at + 1) * plan.versions);
      found.push(await storm(upstream, { base: granary.base, crowd: crowd(stems, plan), seconds: plan.seconds }));
    }
    return found;
  } finally {
    await granary.stop();
    await upstream.stop();
    await dropFolder(store);
  }
}

async function storm(
  upstream: Upstream,
  of: { readonly base: string; readonly crowd: ReturnType<Crowd>; readonly seconds: number },
): Promise<Phase> {
  await upstream.resetCounts();
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const until = performance.now() + of.seconds * 1000;
  const answers: Answer[] = [];
  await Promise.all(
    of.crowd.map(async (targets, client) => {
      for (const target of targets) {
        for (let tries = 0; performance.now() < until; tries++) {
          const answer = await askOnce(of.base, target, agent);
          answers.push(answer);
          if (answer.status === 200) break;
          await sleep(pauseMs * (1 + jitter(client, tries)));
        }
      }
    }),
  );
  agent.destroy();
  const { requests, paths } = await upstream.counts();
  const probes = paths[probePath]?.requests ?? 0;
  return { answers, upstreamRequests: requests - probes, probes };
}

/** From 0 to 1, the same in every run. */
function jitter(client: number, tries: number): number {
  return ((client * 7919 + tries * 104_729) % 1000) / 1000;
}

/** Different files that were got. */
function filesIn(answers: readonly Answer[]): number {
  return new Set(answers.filter(({ status }) => status === 200).map(({ target }) => target)).size;
}

function report(plan: Plan, one: readonly Phase[], all: readonly Phase[]): Work {
  const row = (name: string, { answers, upstreamRequests, probes }: Phase): string => {
    const good = answers.filter(({ status }) => status === 200).length;
    const ms = answers.map((answer) => answer.ms);
    const files = filesIn(answers);
    const perFile = files === 0 ? "–" : round(upstreamRequests / files);
    const cells = [name, answers.length, good, files, upstreamRequests, perFile, probes];
    return `| ${cells.join(" | ")} | ${round(quantile(ms, 0.5))} | ${round(quantile(ms, 0.99))} |`;
  };
  const rows = phases.flatMap(({ name }, at) => [
    row(`${name}: one client`, one[at] as Phase),
    row(`${name}: ${plan.clients} clients`, all[at] as Phase),
  ]);
  return {
    id: "S4-06",
    title: `${plan.clients} clients and ${plan.versions} cold versions on a dying upstream, ${plan.seconds} s of each phase`,
    table: [
      "| | requests of clients | answered 200 | files got | upstream requests | per file | probes | p50 ms | p99 ms |",
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
      ...rows,
    ],
    verdicts: phases.map(({ name }, at) => verdictOf(name, one[at] as Phase, all[at] as Phase)),
    notes: [
      "one client: asks for all the versions at once and, refused, again; a refused client waits one to two seconds",
      "an answer under way when the phase ends is waited for; upstream requests count checksum records and tiles too",
    ],
  };
}

/** A crowd that gets more files through has reason to ask more: then it is what each file cost that counts. */
function verdictOf(name: string, one: Phase, all: Phase): Verdict {
  const goal = { is: "≤", than: 1.1 } as const;
  const [mine, theirs] = [filesIn(all.answers), filesIn(one.answers)];
  const ratio = all.upstreamRequests / one.upstreamRequests;
  if (mine <= theirs) return judge(`${name}: upstream requests : one client's`, goal, ratio);
  return judge(
    `${name}: upstream requests for each file got : one client's`,
    goal,
    (ratio * Math.max(theirs, 1)) / mine,
  );
}

await runBench(main);
