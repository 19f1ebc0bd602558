// Where the CPU of an ingest goes: the real verifying threads, module store and disk over real zips, without a network.
//
//   node bench/ingest.ts [--works dirhash,verify,keep,both,read,loop] [--threads N] [--corpus FOLDER]
//
// FOLDER has GOPROXY layout; without it the modules of the bench's project are downloaded (corpus.ts). Each work runs
// in a process of its own, with GRANARY_BENCH_NODE_FLAGS (for example `--cpu-prof`). `dirhash` is the yardstick: Go's
// own x/mod dirhash.HashZip over the same zips, when there is a `go`.
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs, promisify } from "node:util";
import { cleanUp, newFolder } from "./children.ts";
import { buildCorpus, defaultProject, listFiles } from "./corpus.ts";
import { hashByGo } from "./ingest-go.ts";
import { runWork, works } from "./ingest-works.ts";
import type { Cost, WorkName } from "./ingest-works.ts";
import { describeRun, round } from "./report.ts";

/** A slow shared machine and a large corpus; nothing here may hang for ever. */
const workLimitMs = 15 * 60_000;

try {
  await main();
} finally {
  await cleanUp();
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      corpus: { type: "string" },
      works: { type: "string", default: ["dirhash", ...works].join() },
      threads: { type: "string", default: String(Math.min(2, availableParallelism())) },
      /** Set for the process that does one work. */
      one: { type: "string" },
    },
  });
  const root = values.corpus ?? (await buildCorpus(defaultProject)).root;
  const threads = Number(values.threads);
  if (values.one !== undefined) {
    const cost = await runWork(values.one as WorkName, { root, threads, folder: await newFolder("ingest") });
    process.stdout.write(`${JSON.stringify(cost)}\n`);
    return;
  }
  const zips = (await listFiles(root)).filter((file) => file.endsWith(".zip"));
  const costs = new Map<string, Cost | undefined>();
  for (const name of values.works.split(",")) {
    costs.set(name, name === "dirhash" ? await hashByGo(root, zips) : await apart(name, { root, threads }));
  }
  process.stdout.write(report(costs, threads));
}

/** One work in a process of its own: what one leaves in its heap and its compiler is not the next one's gain. */
async function apart(name: string, at: { readonly root: string; readonly threads: number }): Promise<Cost> {
  const flags = (process.env["GRANARY_BENCH_NODE_FLAGS"] ?? "").split(" ").filter((flag) => flag !== "");
  const own = [import.meta.filename, "--one", name, "--corpus", at.root, "--threads", String(at.threads)];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...own], { timeout: workLimitMs });
  return JSON.parse(stdout) as Cost;
}

function report(costs: ReadonlyMap<string, Cost | undefined>, threads: number): string {
  const lines = [
    describeRun({ threads: String(threads) }),
    "| work | zips | MB | wall s | CPU s | user | system | CPU s per 1000 zips | CPU s per GB | longest stall ms |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
  ];
  for (const [name, cost] of costs) {
    if (cost === undefined) {
      lines.push(`| ${name} | no \`go\` | | | | | | | | |`);
      continue;
    }
    const { zips, bytes, wall, user, system, stallMs } = cost;
    const cpu = user + system;
    const numbers = [wall, cpu, user, system, (cpu / zips) * 1_000, (cpu / bytes) * 1e9].map(round);
    const cells = [name, zips, round(bytes / 1e6), ...numbers, stallMs === undefined ? "–" : round(stallMs)];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return `${lines.join("\n")}\n`;
}
