// W1 to W6: loads on warm servers.
import { compareBytes, ratio, runRounds } from "./rounds.ts";
import type { Samples } from "./rounds.ts";
import type { Bench } from "./setup.ts";
import { dropOut, granaryOn, needed, withSubjects } from "./setup.ts";
import { judge, round } from "./report.ts";
import type { Verdict, Work } from "./report.ts";
import { startAthens, startBare, startGoproxy, startNginx } from "./servers.ts";
import type { Subject } from "./servers.ts";
import { getBytes, hammer } from "./client.ts";
import { residentBytes } from "./proc.ts";
import { folderBytes } from "./setup.ts";

const mine = "Granary";
const farMs = 50;

export async function w1(bench: Bench): Promise<Work> {
  const targets = bench.corpus.small.map(({ target }) => target);
  const { samples, note } = await warmFiles(bench, { targets, connections: 32 });
  return {
    id: "W1",
    title: `${targets.length} .info and .mod files, c=32`,
    samples,
    verdicts: [cpu(samples, "goproxy", 0.5), cpu(samples, "Athens", 0.27), cpu(samples, "bare node:http", 1.25)],
    notes: [note],
  };
}

export async function w2(bench: Bench): Promise<Work> {
  const zips = bench.corpus.zips.filter(({ size }) => size >= 20_000 && size <= 500_000);
  const targets = zips.map(({ target }) => target);
  const { samples, note } = await warmFiles(bench, { targets, connections: 16 });
  return {
    id: "W2",
    title: `${targets.length} zips of 20–500 KB, c=16`,
    samples,
    verdicts: [cpu(samples, "goproxy", 0.7)],
    notes: [note],
  };
}

export async function w3(bench: Bench): Promise<Work> {
  const zips = bench.corpus.zips.filter(({ size }) => size >= 30_000_000);
  const targets = zips.map(({ target }) => target);
  const { samples, note } = await warmFiles(bench, { targets, connections: 4, threads: 2 });
  const sizes = zips.map(({ size }) => round(size / 1e6)).join(", ");
  const speed = ratio(samples, { mine, theirs: "goproxy", of: "megabytesPerSecond" });
  return {
    id: "W3",
    title: `${targets.length} zips of ${sizes} MB, c=4`,
    samples,
    verdicts: [judge("MB/s : goproxy", { is: "≥", than: 1 }, speed), cpu(samples, "goproxy", 2.5)],
    notes: [note, "the load generator is the bottleneck of this work"],
  };
}

/** The same files from every server that can have them, upstreams out of reach. */
async function warmFiles(
  bench: Bench,
  plan: { readonly targets: readonly string[]; readonly connections: number; readonly threads?: number },
): Promise<{ readonly samples: Samples; readonly note: string }> {
  const { corpus } = bench;
  const starts = [
    granaryOn(bench, { upstream: "off" }),
    startBare(corpus.root, plan.targets),
    startNginx(corpus.root),
    startGoproxy({ corpus }),
    startAthens({ corpus }),
  ];
  return withSubjects(starts, async (subjects) => {
    const note = await compareBytes(subjects, plan.targets);
    const samples = await runRounds({ subjects, rounds: bench.rounds, seconds: bench.seconds, ...plan });
    return { samples, note };
  });
}

export async function w4(bench: Bench): Promise<Work> {
  const { corpus, far } = bench;
  const modules = corpus.modules.slice(0, 100);
  const targets = modules.flatMap((module) => [`${module}/@v/list`, `${module}/@latest`]);
  await far.set({ latencyMs: farMs });
  const starts = [
    granaryOn(bench, { upstream: far.url }),
    startGoproxy({ corpus, upstream: far.url }),
    startAthens({ corpus, upstream: far.url }),
  ];
  return withSubjects(starts, async (subjects) => {
    const note = await compareBytes(subjects, targets);
    const samples = await runRounds({
      subjects,
      targets,
      connections: 16,
      rounds: bench.rounds,
      seconds: bench.seconds,
    });
    return {
      id: "W4",
      title: `list and @latest of ${modules.length} modules, c=16, upstream ${farMs} ms away`,
      samples,
      verdicts: [rate(samples, "goproxy", 20), rate(samples, "Athens", 20)],
      notes: [note, "lists are compared as sets of lines and @latest by its version; Athens asks `go` for each list"],
    };
  });
}

export async function w5(bench: Bench): Promise<Work> {
  const { corpus, far } = bench;
  await far.set({ latencyMs: 0 });
  const targets = probes(corpus.modules);
  const starts = [granaryOn(bench, { upstream: far.url }), startBare(corpus.root, [])];
  return withSubjects(starts, async (subjects) => {
    const granary = needed(subjects, mine);
    const plan = { subjects, targets, connections: 16, status: 404, rounds: bench.rounds, seconds: bench.seconds };
    const samples = await runRounds(plan);
    const flood = await floodUnknown(bench, granary);
    const tail = ratio(samples, { mine, theirs: "bare node:http", of: "p99Ms" });
    return {
      id: "W5",
      title: `${targets.length} known or impossible paths, c=16; then ${flood.count.toLocaleString("en-US")} unique ones`,
      samples,
      verdicts: [judge("p99 : bare node:http", { is: "≤", than: 1.25 }, tail), ...flood.verdicts],
      notes: [flood.note],
    };
  });
}

/** What `go get` asks on its way to a module: every ancestor, and names no module can have. */
function probes(modules: readonly string[]): string[] {
  const found = new Set<string>();
  for (const module of modules) {
    const elements = module.split("/").slice(1);
    for (let length = 1; length < elements.length; length++) {
      const ancestor = `/${elements.slice(0, length).join("/")}`;
      if (!modules.includes(ancestor)) found.add(`${ancestor}/@v/list`);
    }
    found.add(`${module}/no_such_package/@v/list`);
  }
  return [...found].slice(0, 400);
}

type Flood = { readonly count: number; readonly verdicts: readonly Verdict[]; readonly note: string };

async function floodUnknown(bench: Bench, granary: Subject): Promise<Flood> {
  const count = bench.quick ? 100_000 : 1_000_000;
  const before = { memory: residentBytes(granary.pid), disk: await folderBytes(bench.store) };
  let at = 0;
  const result = await hammer({
    base: granary.base,
    connections: 32,
    next: () => (at < count ? unknownPath(at++) : undefined),
    isExpected: (status) => status === 404 || status === 400,
  });
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const memory = (residentBytes(granary.pid) - before.memory) / 1e6;
  const disk = (await folderBytes(bench.store)) - before.disk;
  return {
    count,
    verdicts: [
      judge("RSS growth in MB", { is: "≤", than: 32 }, memory),
      judge("disk growth in bytes", { is: "≤", than: 0 }, disk),
    ],
    note: `half impossible, half possible but unknown upstream; ${round(result.requests / result.seconds)} req/s, p99 ${round(result.p99Ms)} ms, ${result.errors} failed`,
  };
}

function unknownPath(at: number): string {
  return at % 2 === 0 ? `/nodot/m${at}/@v/list` : `/unknown.example.com/m${at}/@v/list`;
}

export async function w6(bench: Bench): Promise<Work> {
  const { corpus, far } = bench;
  const title = `checksum lookups and tiles, c=16, database ${farMs} ms away`;
  if (corpus.database === undefined) return dropOut("W6", title, "made-up modules are in no checksum database");
  await far.set({ latencyMs: farMs });
  const database = `${far.url}/sumdb/${corpus.database}`;
  const starts = [
    granaryOn(bench, { upstream: far.url }),
    startGoproxy({ corpus, upstream: far.url, database }),
    athensWithDatabase(bench),
  ];
  return withSubjects(starts, async (subjects) => {
    const { targets, note } = await sumdbTargets(bench, needed(subjects, mine));
    const samples = await runRounds({
      subjects,
      targets,
      connections: 16,
      rounds: bench.rounds,
      seconds: bench.seconds,
    });
    const athens = subjects.some(({ name }) => name === "Athens")
      ? []
      : ["Athens takes an https database only; it runs when openssl is there to make a certificate"];
    return {
      id: "W6",
      title,
      samples,
      verdicts: [rate(samples, "goproxy", 50), rate(samples, "Athens", 50)],
      notes: [
        note,
        "lookups are not compared by bytes: every valid head that covers the record is a right answer",
        ...athens,
      ],
    };
  });
}

async function athensWithDatabase(bench: Bench): Promise<Subject | undefined> {
  const { corpus, far, ca } = bench;
  if (far.tlsUrl === undefined || ca === undefined) return undefined;
  return startAthens({ corpus, upstream: far.url, database: far.tlsUrl, ca });
}

/** Lookups and full tiles that Granary answers with 200; partial tiles depend on the head a client has. */
async function sumdbTargets(bench: Bench, granary: Subject): Promise<{ targets: string[]; note: string }> {
  const { corpus } = bench;
  const lookups = corpus.zips.slice(0, 150).map(({ target }) => lookupOf(corpus.database ?? "", target));
  const all = [...lookups, ...bench.tiles.slice(0, 150)];
  const targets: string[] = [];
  for (const target of all) {
    if (await getBytes(granary.base + target).then(Boolean, () => false)) targets.push(target);
  }
  const tiles = targets.filter((target) => target.includes("/tile/")).length;
  return {
    targets,
    note: `${targets.length - tiles} lookups and ${tiles} full tiles; ${all.length - targets.length} left out because Granary did not answer 200`,
  };
}

function lookupOf(database: string, zip: string): string {
  return `/sumdb/${database}/lookup${zip.replace("/@v/", "@").replace(/\.zip$/, "")}`;
}

function cpu(samples: Samples, theirs: string, than: number): Verdict {
  return judge(`CPU per request : ${theirs}`, { is: "≤", than }, ratio(samples, { mine, theirs, of: "cpuMicros" }));
}

function rate(samples: Samples, theirs: string, than: number): Verdict {
  return judge(`requests/s : ${theirs}`, { is: "≥", than }, ratio(samples, { mine, theirs, of: "perSecond" }));
}
