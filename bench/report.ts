// Results as Markdown that can be pasted into a README.
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { middle } from "./rounds.ts";
import type { Samples } from "./rounds.ts";
import { repository } from "./servers.ts";

export type Verdict = {
  readonly what: string;
  /** As the target is written in the table of targets. */
  readonly goal: string;
  readonly value: string;
  /** Undefined: could not be measured in this run, for the reason in `value`. */
  readonly reached: boolean | undefined;
};

export type Work = {
  readonly id: string;
  readonly title: string;
  readonly samples?: Samples;
  /** Lines of Markdown, where samples of a load are not what was measured. */
  readonly table?: readonly string[];
  readonly verdicts: readonly Verdict[];
  readonly notes: readonly string[];
};

export function formatWork(work: Work): string {
  const lines = [`### ${work.id} ${work.title}`, ""];
  if (work.samples !== undefined) lines.push(...sampleTable(work.samples), "");
  if (work.table !== undefined) lines.push(...work.table, "");
  if (work.verdicts.length > 0) lines.push(...verdictTable(work.verdicts), "");
  for (const note of work.notes) lines.push(`- ${note}`);
  if (work.notes.length > 0) lines.push("");
  return lines.join("\n");
}

function sampleTable(samples: Samples): string[] {
  const lines = [
    "| server | req/s | MB/s | p99 ms | CPU µs/request | RSS MB | failed |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
  ];
  for (const [name, rounds] of samples) {
    const failed = rounds.reduce((sum, round) => sum + round.errors, 0);
    const cells = [
      round(middle(rounds, "perSecond")),
      round(middle(rounds, "megabytesPerSecond")),
      round(middle(rounds, "p99Ms")),
      round(middle(rounds, "cpuMicros")),
      round(middle(rounds, "residentMB")),
      String(failed),
    ];
    lines.push(`| ${name} | ${cells.join(" | ")} |`);
  }
  return lines;
}

function verdictTable(verdicts: readonly Verdict[]): string[] {
  const word = (reached: boolean | undefined): string =>
    reached === undefined ? "not measured" : reached ? "reached" : "**not reached**";
  return [
    "| to reach | measured | |",
    "| --- | --- | --- |",
    ...verdicts.map(({ what, goal, value, reached }) => `| ${what} ${goal} | ${value} | ${word(reached)} |`),
  ];
}

/** A verdict on a ratio: `goal` is `≤` or `≥` and a number. */
export function judge(what: string, goal: { readonly is: "≤" | "≥"; readonly than: number }, value?: number): Verdict {
  const text = `${goal.is} ${goal.than}`;
  if (value === undefined) return { what, goal: text, value: "the other server was not given", reached: undefined };
  return { what, goal: text, value: round(value), reached: goal.is === "≤" ? value <= goal.than : value >= goal.than };
}

/** Three digits are all that such a measurement can say. */
export function round(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

/** Machine, program and command of this run. */
export function describeRun(extra: Readonly<Record<string, string>>): string {
  const [cpu] = cpus();
  const facts: Record<string, string> = {
    machine: `${cpus().length} × ${cpu?.model.trim() ?? "?"}, ${process.platform} ${process.arch}`,
    node: process.version,
    commit:
      git(["rev-parse", "--short=12", "HEAD"]) +
      (git(["status", "--porcelain", "--", "src", "bin"]) === "" ? "" : " with local changes"),
    date: new Date().toISOString().slice(0, 10),
    command: `node bench/${process.argv
      .slice(1)
      .join(" ")
      .replace(/^.*\/bench\//, "")}`,
    ...extra,
  };
  return ["| | |", "| --- | --- |", ...Object.entries(facts).map(([name, value]) => `| ${name} | ${value} |`), ""].join(
    "\n",
  );
}

function git(args: readonly string[]): string {
  try {
    return execFileSync("git", args, { cwd: repository, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}
