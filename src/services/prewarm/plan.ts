// What a build list will make go fetch, and how much of it a running server has.

import type { BuildList, SelectedModule } from "#protocol/buildlist.ts";
import { maxGoModBytes } from "#protocol/gomod.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { get, head } from "./asker.ts";
import type { AskUse } from "./asker.ts";
import { failureOf, withoutEchoes } from "./failures.ts";
import type { Failure } from "./failures.ts";
import { moduleVersionOf, readGraph } from "./graph.ts";
import { sizeOf } from "./prewarm.ts";
import { WorkQueue } from "./queue.ts";
import { targetOf } from "./wanted.ts";
import type { FileKind } from "./wanted.ts";

export type PlanUse = AskUse & {
  readonly jobs: number;
  readonly readDirectory: (path: string) => Promise<Uint8Array | undefined>;
  /** The size of a zip that is not kept, when anybody says so. */
  readonly sizeUpstream: (id: ModuleVersion) => Promise<number | undefined>;
  readonly onProgress: (done: number, phase: "graph" | "zips") => void;
};

export type PlannedZip = {
  readonly module: string;
  readonly version: string;
  /** The version that stands in for it. */
  readonly replacedBy?: string;
  readonly kept: boolean;
  /** Absent when nobody said how large it is. */
  readonly bytes?: number;
};

export type Plan = {
  readonly goMods: { readonly read: number; readonly kept: number; readonly bytes: number };
  /** By module path. */
  readonly zips: readonly PlannedZip[];
  /** Modules replaced by a directory: nothing of them is fetched. */
  readonly directories: readonly string[];
  readonly failures: readonly Failure[];
  /** Versions at which go itself would stop reading the graph. */
  readonly unreadable: readonly string[];
  readonly isCutShort: boolean;
};

/**
 * Reads the graph through the server, which keeps the go.mod files it did not have; zips are only looked for. Undefined
 * when the signal was aborted: half a plan is none.
 * @param list not yet filled
 * @param scope the whole build list, or what `go mod download` takes
 */
export async function planFetch(list: BuildList, scope: "all" | "downloads", use: PlanUse): Promise<Plan | undefined> {
  const planner = new Planner(use);
  await readGraph(list, { ...use, readVersion: (id) => planner.goMod(id) });
  const modules = scope === "all" ? list.all() : list.downloads();
  const queue = new WorkQueue<SelectedModule>(use.jobs, use.signal, (module) => planner.zip(module));
  queue.add(...modules);
  await queue.settled();
  return use.signal.aborted ? undefined : planner.plan(list);
}

class Planner {
  readonly #use: PlanUse;
  readonly #zips: PlannedZip[] = [];
  readonly #directories: string[] = [];
  readonly #failures: Failure[] = [];
  #read = 0;
  #kept = 0;
  #bytes = 0;

  constructor(use: PlanUse) {
    this.#use = use;
  }

  async goMod(id: ModuleVersion): Promise<Uint8Array | undefined> {
    const file = { id, kind: "mod" } as const;
    const kept = await get(this.#use, targetOf(file, "kept-only"), maxGoModBytes);
    const outcome = kept.ok ? kept : await get(this.#use, targetOf(file), maxGoModBytes);
    this.#use.onProgress(++this.#read, "graph");
    if (!outcome.ok) {
      this.#failures.push(failureOf(id, "mod", outcome));
      return undefined;
    }
    if (kept.ok) this.#kept++;
    this.#bytes += outcome.reply.body.length;
    return outcome.reply.isWhole ? outcome.reply.body : undefined;
  }

  async zip(module: SelectedModule): Promise<void> {
    const { path, version, source } = module;
    const id = source === undefined ? undefined : moduleVersionOf(source);
    if (source === undefined) this.#directories.push(`${path}@${version}`);
    if (source === undefined || id === undefined) return;
    const isReplaced = source.path !== path || source.version !== version;
    const named = { module: path, version, ...(isReplaced && { replacedBy: `${source.path}@${source.version}` }) };
    const found = await this.#find(id, "zip");
    this.#use.onProgress(this.#zips.push({ ...named, ...found }), "zips");
  }

  async #find(id: ModuleVersion, kind: FileKind): Promise<Pick<PlannedZip, "kept" | "bytes">> {
    const outcome = await head(this.#use, targetOf({ id, kind }, "kept-only"));
    if (outcome.ok) return { kept: true, bytes: sizeOf(outcome) };
    if (outcome.code !== "GRANARY_NOT_KEPT") {
      this.#failures.push(failureOf(id, kind, outcome));
      return { kept: false };
    }
    const bytes = await this.#use.sizeUpstream(id);
    return { kept: false, ...(bytes !== undefined && { bytes }) };
  }

  plan(list: BuildList): Plan {
    return {
      goMods: { read: this.#read, kept: this.#kept, bytes: this.#bytes },
      zips: this.#zips.toSorted((a, b) => (a.module < b.module ? -1 : 1)),
      directories: this.#directories.toSorted(),
      failures: withoutEchoes(this.#failures),
      unreadable: list.failed.map(({ path, version }) => `${path}@${version}`),
      isCutShort: list.isCutShort,
    };
  }
}
