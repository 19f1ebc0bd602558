// Rounds: every server in turn, again and again, so that what else the machine does hits all alike. Results are
// medians over the rounds, ratios are medians of the ratios within a round.
import { createHash } from "node:crypto";
import { parseInfo } from "#protocol/info.ts";
import { getBytes, inParallel } from "./client.ts";
import { runLoad } from "./load.ts";
import type { Load } from "./load.ts";
import { cpuSeconds, residentBytes } from "./proc.ts";
import type { Subject } from "./servers.ts";

export type Sample = {
  readonly perSecond: number;
  readonly megabytesPerSecond: number;
  readonly p99Ms: number;
  /** Server CPU per request. */
  readonly cpuMicros: number;
  readonly residentMB: number;
  readonly errors: number;
};

export type Samples = ReadonlyMap<string, readonly Sample[]>;

export type Plan = {
  readonly subjects: readonly Subject[];
  readonly targets: readonly string[];
  readonly connections: number;
  readonly threads?: number;
  readonly status?: number;
  readonly rounds: number;
  readonly seconds: number;
};

/** Samples by server name, one for each round. */
export async function runRounds(plan: Plan): Promise<Samples> {
  const samples = new Map<string, Sample[]>(plan.subjects.map(({ name }) => [name, []]));
  for (const one of plan.subjects) await sample(one, plan, Math.min(1, plan.seconds));
  for (let round = 0; round < plan.rounds; round++) {
    for (const one of plan.subjects) samples.get(one.name)?.push(await sample(one, plan, plan.seconds));
  }
  return samples;
}

async function sample(subject: Subject, plan: Plan, seconds: number): Promise<Sample> {
  const load: Load = {
    base: subject.base,
    targets: plan.targets.map(subject.spell),
    connections: plan.connections,
    threads: plan.threads ?? 1,
    seconds,
    status: plan.status ?? 200,
  };
  const before = cpuSeconds(subject.pid);
  const result = await runLoad(load);
  const cpu = cpuSeconds(subject.pid) - before;
  return {
    perSecond: result.requests / result.seconds,
    megabytesPerSecond: result.bytes / result.seconds / 1e6,
    p99Ms: result.p99Ms,
    cpuMicros: (cpu / Math.max(result.requests, 1)) * 1e6,
    residentMB: residentBytes(subject.pid) / 1e6,
    errors: result.errors,
  };
}

/** The median of one figure over the rounds. */
export function middle(samples: readonly Sample[], of: keyof Sample): number {
  return median(samples.map((one) => one[of]));
}

/** The median of `mine / theirs` over the rounds; undefined when one of them did not run. */
export function ratio(
  samples: Samples,
  between: { readonly mine: string; readonly theirs: string; readonly of: keyof Sample },
): number | undefined {
  const mine = samples.get(between.mine) ?? [];
  const theirs = samples.get(between.theirs) ?? [];
  if (mine.length === 0 || theirs.length === 0) return undefined;
  return median(mine.map((one, at) => one[between.of] / (theirs[at]?.[between.of] ?? Number.NaN)));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[half] ?? Number.NaN;
  return ((sorted[half - 1] ?? Number.NaN) + (sorted[half] ?? Number.NaN)) / 2;
}

/** Servers that answer one of the targets with other bytes than the first does. Throws, naming the first ones. */
export async function compareBytes(subjects: readonly Subject[], targets: readonly string[]): Promise<string> {
  const [first, ...others] = subjects;
  if (first === undefined) throw new Error("nobody to compare");
  const wanted = await hashes(first, targets);
  for (const other of others) {
    const got = await hashes(other, targets);
    const wrong = targets.filter((target) => got.get(target) !== wanted.get(target));
    if (wrong.length > 0) {
      const some = wrong.slice(0, 3).join(" ");
      throw new Error(`${other.name} and ${first.name} differ in ${wrong.length} of ${targets.length}: ${some}`);
    }
  }
  return `${targets.length} bodies compared by sha256: the same from ${subjects.map(({ name }) => name).join(", ")}`;
}

async function hashes(subject: Subject, targets: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  await inParallel(targets, 8, async (target) => {
    const body = await getBytes(subject.base + subject.spell(target));
    found.set(target, createHash("sha256").update(meaning(target, body)).digest("hex"));
  });
  return found;
}

/** Files by their bytes; a list says the same in any order, and `@latest` names a version however it is spaced. */
function meaning(target: string, body: Buffer): Buffer | string {
  if (target.endsWith("/@v/list")) return body.toString().trim().split("\n").sort().join("\n");
  if (target.endsWith("/@latest")) return parseInfo(body).version;
  return body;
}
