// Seeds on as many threads as there are processors to spare: each seed needs one, and none needs another.
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Defect } from "./defects.ts";
import type { Report } from "./simulation.ts";

export type Work = { readonly seeds: readonly number[]; readonly defect?: Defect | undefined };

const maxThreads = 4;
/** A process that was killed leaves promises that nobody will ever settle: a new thread now and then forgets them. */
const seedsOfThread = 150;

/** The reports, in the order of the seeds. */
export async function onThreads(all: readonly number[], defect?: Defect): Promise<Report[]> {
  const threads = Math.min(maxThreads, availableParallelism(), all.length);
  const parts = Array.from({ length: threads }, (_, n) => all.filter((_seed, i) => i % threads === n));
  const reports = await Promise.all(parts.map((seeds) => inTurn(seeds, defect)));
  return reports.flat().sort((a, b) => a.seed - b.seed);
}

async function inTurn(seeds: readonly number[], defect: Defect | undefined): Promise<Report[]> {
  const reports: Report[] = [];
  for (let at = 0; at < seeds.length; at += seedsOfThread)
    reports.push(...(await onThread({ seeds: seeds.slice(at, at + seedsOfThread), defect })));
  return reports;
}

async function onThread(work: Work): Promise<Report[]> {
  const reports: Report[] = [];
  const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData: work });
  worker.on("message", (report: Report) => reports.push(report));
  // An error of the thread rejects.
  await once(worker, "exit");
  return reports;
}

/** `FROM..TO` or one number. */
export function seedsOf(text: string): number[] {
  const [, first = "", last = first] = /^(\d+)(?:[.][.](\d+))?$/.exec(text) ?? [];
  if (first === "" || Number(last) < Number(first)) throw new RangeError(`no range of seeds: ${text}`);
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, n) => Number(first) + n);
}
