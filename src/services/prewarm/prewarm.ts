// A running server's store is filled: every wanted file is asked for once, then a sample again, to see what it brought.

import type { BuildList } from "#protocol/buildlist.ts";
import { maxGoModBytes } from "#protocol/gomod.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { get, head } from "./asker.ts";
import type { AskUse, Outcome } from "./asker.ts";
import { failureOf, withoutEchoes } from "./failures.ts";
import type { Failure } from "./failures.ts";
import { moduleVersionOf, readGraph } from "./graph.ts";
import { WorkQueue } from "./queue.ts";
import { targetOf, wholeVersion, withoutRepeats } from "./wanted.ts";
import type { WantedFile } from "./wanted.ts";

/** Files asked a second time: enough for a p95 that means something, few enough to be over at once. */
const maxSample = 200;
/** Pause between two reports of progress. */
const progressMs = 200;

export type PrewarmWork = {
  readonly files: readonly WantedFile[];
  /** A go.mod's or go.work's list, not yet filled. */
  readonly list?: BuildList | undefined;
  /** Take the whole build list, not only what `go mod download` would. */
  readonly all: boolean;
  readonly readDirectory: (path: string) => Promise<Uint8Array | undefined>;
};

export type PrewarmUse = AskUse & {
  readonly jobs: number;
  readonly onProgress: (progress: Progress) => void;
};

export type Progress = {
  /** While go.mod files are read, `total` still grows. */
  readonly phase: "graph" | "files" | "sample";
  readonly done: number;
  readonly total: number;
  readonly bytes: number;
  readonly ms: number;
};

/** How one pass was answered. */
export type Pass = { readonly answers: number; readonly hits: number; readonly p95Ms: number };

export type PrewarmReport = {
  readonly files: number;
  /** Of the answers that were good, whether the server had them or fetched them. */
  readonly bytes: number;
  readonly ms: number;
  readonly before: Pass;
  readonly after: Pass;
  readonly failures: readonly Failure[];
  /** Versions at which go itself would stop reading the graph. */
  readonly unreadable: readonly string[];
  readonly isCutShort: boolean;
  readonly wasInterrupted: boolean;
};

/** Asks for everything. Interrupted by the signal it ends with what was done until then. */
export async function prewarm(work: PrewarmWork, use: PrewarmUse): Promise<PrewarmReport> {
  const run = new Run(use);
  try {
    if (work.list !== undefined) await run.graph(work.list, work.readDirectory);
    await run.files(withoutRepeats([...work.files, ...filesOf(work)]));
    await run.sample();
  } catch (error) {
    if (!use.signal.aborted) throw error;
  }
  return run.report(work.list);
}

function filesOf({ list, all }: PrewarmWork): WantedFile[] {
  const modules = list === undefined ? [] : all ? list.all() : list.downloads();
  return modules.flatMap(({ source }) => {
    const id = source === undefined ? undefined : moduleVersionOf(source);
    return id === undefined ? [] : wholeVersion(id);
  });
}

class Run {
  readonly #use: PrewarmUse;
  readonly #started: number;
  readonly #asked = new Set<string>();
  readonly #good: string[] = [];
  readonly #failures: Failure[] = [];
  readonly #before = new Latencies();
  readonly #after = new Latencies();
  #bytes = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(use: PrewarmUse) {
    this.#use = use;
    this.#started = use.clock.now();
  }

  async graph(list: BuildList, readDirectory: PrewarmWork["readDirectory"]): Promise<void> {
    const { jobs, signal } = this.#use;
    const readVersion = async (id: ModuleVersion): Promise<Uint8Array | undefined> => {
      const file: WantedFile = { id, kind: "mod" };
      const outcome = await get(this.#use, targetOf(file), maxGoModBytes);
      this.#note(file, outcome);
      this.#tell("graph", { done: this.#asked.size, total: list.asked().length });
      return outcome.ok && outcome.reply.isWhole ? outcome.reply.body : undefined;
    };
    await readGraph(list, { readVersion, readDirectory, jobs, signal });
  }

  async files(files: readonly WantedFile[]): Promise<void> {
    const queue = new WorkQueue<WantedFile>(this.#use.jobs, this.#use.signal, async (file) => {
      this.#note(file, await head(this.#use, targetOf(file)));
      this.#tell("files", { done: this.#asked.size, total });
    });
    const open = files.filter((file) => !this.#asked.has(targetOf(file)));
    const total = this.#asked.size + open.length;
    queue.add(...open);
    await queue.settled();
  }

  async sample(): Promise<void> {
    const step = Math.max(1, this.#good.length / maxSample);
    const count = Math.min(maxSample, this.#good.length);
    const targets = Array.from({ length: count }, (_, at) => this.#good[Math.floor(at * step)] ?? "");
    let done = 0;
    const queue = new WorkQueue<string>(this.#use.jobs, this.#use.signal, async (target) => {
      const outcome = await head(this.#use, target);
      if (outcome.ok) this.#after.add(outcome);
      this.#tell("sample", { done: ++done, total: count });
    });
    queue.add(...targets);
    await queue.settled();
  }

  report(list: BuildList | undefined): PrewarmReport {
    return {
      files: this.#asked.size,
      bytes: this.#bytes,
      ms: this.#use.clock.now() - this.#started,
      before: this.#before.pass(),
      after: this.#after.pass(),
      failures: withoutEchoes(this.#failures),
      unreadable: (list?.failed ?? []).map(({ path, version }) => `${path}@${version}`),
      isCutShort: list?.isCutShort ?? false,
      wasInterrupted: this.#use.signal.aborted,
    };
  }

  #note(file: WantedFile, outcome: Outcome): void {
    const target = targetOf(file);
    this.#asked.add(target);
    if (!outcome.ok) {
      this.#failures.push(failureOf(file.id, file.kind, outcome));
      return;
    }
    this.#good.push(target);
    this.#bytes += sizeOf(outcome);
    this.#before.add(outcome);
  }

  #tell(phase: Progress["phase"], { done, total }: { readonly done: number; readonly total: number }): void {
    const now = this.#use.clock.now();
    if (now - this.#toldAt < progressMs && done < total) return;
    this.#toldAt = now;
    this.#use.onProgress({ phase, done, total, bytes: this.#bytes, ms: now - this.#started });
  }
}

/** What the server says the file's size is. */
export function sizeOf({ reply }: Extract<Outcome, { ok: true }>): number {
  const length = reply.headers["content-length"] ?? "";
  return /^\d{1,15}$/.test(length) ? Number(length) : reply.body.length;
}

class Latencies {
  readonly #ms: number[] = [];
  #hits = 0;

  add({ reply }: Extract<Outcome, { ok: true }>): void {
    this.#ms.push(reply.ms);
    if (reply.headers["x-go-proxy-cache"] === "HIT") this.#hits++;
  }

  pass(): Pass {
    const sorted = this.#ms.toSorted((a, b) => a - b);
    const p95Ms = sorted[Math.max(0, Math.ceil(sorted.length * 0.95) - 1)] ?? 0;
    return { answers: sorted.length, hits: this.#hits, p95Ms };
  }
}
