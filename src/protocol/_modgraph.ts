// A module graph as far as its go.mod files are known: who requires what, and the highest version of each path.
// Source: cmd/go modload/buildlist.go (readModGraph: loadOne, enqueue), mvs/graph.go.

import type { GoModVersion } from "./_gomod-rules.ts";
import type { GoMod } from "./gomod.ts";
import { prunesGraph } from "./gover.ts";
import { compareVersions } from "./version.ts";

/** What counts of a go.mod when it is not the main module's. */
export type Summary = {
  readonly path: string | undefined;
  /** go 1.17 or newer: it names all it needs, so nobody has to look behind it. */
  readonly pruned: boolean;
  readonly require: readonly GoModVersion[];
};

/** How much of the graph behind a module counts (cmd/go modPruning). */
export type Pruning = "pruned" | "unpruned" | "workspace";

export type GraphLimits = {
  /** go.mod files asked for. */
  readonly maxVersions: number;
  /** Requirements between the main module and a version. */
  readonly maxDepth: number;
  /** Requirements in all, those that name the same version again included. */
  readonly maxRequirements: number;
};

/** What the main modules say about everybody's requirements, and where go.mod files are. */
export type GraphUse = {
  readonly limits: GraphLimits;
  /** What stands in for a version: itself, a replacement, or (version "") a replacement's directory. */
  readonly sourceOf: (module: GoModVersion) => GoModVersion;
  readonly isExcluded: (module: GoModVersion) => boolean;
  /** The file of a source; "absent" when there is none; undefined when nobody has said yet, which asks for it. */
  readonly summaryOf: (source: GoModVersion) => Summary | "absent" | undefined;
};

type Visit = { readonly module: GoModVersion; readonly pruning: Pruning; readonly depth: number };

export class ModGraph {
  readonly #use: GraphUse;
  readonly #selected = new Map<string, string>();
  readonly #required = new Map<string, readonly GoModVersion[]>();
  readonly #visited = new Set<string>();
  /** By source: what goes on when its file is there. */
  readonly #parked = new Map<string, Visit[]>();
  readonly #failed = new Map<string, GoModVersion>();
  #requirements = 0;
  #isCutShort = false;

  constructor(use: GraphUse) {
    this.#use = use;
  }

  /** True when no go.mod file is waited for. */
  get isSettled(): boolean {
    return this.#parked.size === 0;
  }

  get isCutShort(): boolean {
    return this.#isCutShort;
  }

  /** Versions whose go.mod is absent or belongs to another module: go stops at them. */
  get failed(): readonly GoModVersion[] {
    return [...this.#failed.values()];
  }

  /** The highest version required of each path; "" is a main module, higher than any (modload cmpVersion). */
  get selection(): ReadonlyMap<string, string> {
    return this.#selected;
  }

  selected(path: string): string | undefined {
    return this.#selected.get(path);
  }

  /** What a version's go.mod requires; undefined when it was never read. */
  requiredBy(module: GoModVersion): readonly GoModVersion[] | undefined {
    return this.#required.get(idOf(module));
  }

  addMain(path: string): void {
    this.#selected.set(path, "");
  }

  /** Adds a module's requirements, once; all of them count for the selection, pruned ones too. */
  require(module: GoModVersion, requirements: readonly GoModVersion[]): void {
    const id = idOf(module);
    if (this.#required.has(id)) return;
    this.#required.set(id, requirements);
    this.#requirements += requirements.length;
    for (const { path, version } of requirements) {
      const before = this.#selected.get(path);
      if (before === undefined || (before !== "" && compareVersions(before, version) < 0))
        this.#selected.set(path, version);
    }
  }

  /** Follows a module; what it needs that is not known yet is asked for. */
  visit(first: Visit): void {
    // Breadth first, so that a version's depth is that of its shortest chain. The loop sees what it adds.
    const queue = [first];
    for (const visit of queue) queue.push(...this.#step(visit));
  }

  /** Goes on with what waited for this source. */
  resume(source: GoModVersion): void {
    const id = idOf(source);
    const waiting = this.#parked.get(id) ?? [];
    this.#parked.delete(id);
    for (const visit of waiting) {
      this.#visited.delete(visitId(visit));
      this.visit(visit);
    }
  }

  /** What is to be followed next. */
  #step(visit: Visit): Visit[] {
    const { module, pruning, depth } = visit;
    if (this.#visited.has(visitId(visit))) return [];
    if (depth > this.#use.limits.maxDepth || this.#requirements > this.#use.limits.maxRequirements) {
      this.#isCutShort = true;
      return [];
    }
    this.#visited.add(visitId(visit));
    const source = this.#use.sourceOf(module);
    const summary = this.#use.summaryOf(source);
    if (summary === undefined) {
      this.#parked.set(idOf(source), [...(this.#parked.get(idOf(source)) ?? []), visit]);
      return [];
    }
    if (summary === "absent" || isMisnamed(summary, { module, source })) {
      this.#failed.set(idOf(module), module);
      return [];
    }
    const required = summary.require.filter((each) => !this.#use.isExcluded(each));
    this.require(module, required);
    if (pruning === "pruned" && summary.pruned) return [];
    const next = pruning === "unpruned" || !summary.pruned ? "unpruned" : "pruned";
    return required.map((each) => ({ module: each, pruning: next, depth: depth + 1 }));
  }
}

export function idOf({ path, version }: GoModVersion): string {
  return `${path}@${version}`;
}

function visitId({ module, pruning }: Visit): string {
  return `${pruning} ${idOf(module)}`;
}

/** goModSummary: a version's go.mod names the module itself or its replacement; in a directory anything goes. */
function isMisnamed(summary: Summary, of: { readonly module: GoModVersion; readonly source: GoModVersion }): boolean {
  const { module, source } = of;
  return source.version !== "" && summary.path !== module.path && summary.path !== source.path;
}

export function summaryOf({ path, go, require }: GoMod): Summary {
  return { path, pruned: prunesGraph(go), require: require.filter(isModule) };
}

/** `go` and `toolchain` are no modules that can be fetched (gover.IsToolchain). */
function isModule({ path }: GoModVersion): boolean {
  return path !== "go" && path !== "toolchain";
}
