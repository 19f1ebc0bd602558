// What `go` loads and selects for a go.mod, or for the modules of a go.work: which go.mod files it reads, which version
// of each module it takes. Files are asked for and given one by one, so that whoever has them decides how.
//
//   const list = new BuildList(parseGoMod(text));
//   for (const id of list.wanted()) list.give(id, await read(id));   // again, until list.isComplete
//   list.downloads();                                                // what `go mod download` fetches
//
// Source: cmd/go modload/buildlist.go (readModGraph, expandGraph, updatePrunedRoots, updateUnprunedRoots),
// modload/init.go (rootsFromModFile), modload/modfile.go (goModSummary, replacementFrom), modcmd/download.go.

import type { GoModVersion, Replacement } from "./_gomod-rules.ts";
import { idOf, ModGraph, summaryOf } from "./_modgraph.ts";
import type { GraphLimits, GraphUse, Summary } from "./_modgraph.ts";
import type { GoMod } from "./gomod.ts";
import { prunesGraph } from "./gover.ts";
import { compareVersions } from "./version.ts";

export type BuildListLimits = GraphLimits & {
  /** Times that the roots are raised to what their own requirements select; go raises them until nothing moves. */
  readonly maxPasses: number;
};

/**
 * Kubernetes' graph, the largest well-known one, has some 2,000 versions and 60,000 requirements in chains of less
 * than 40. Ten times that is no build; it is somebody's idea of a bomb.
 */
export const buildListLimits: BuildListLimits = {
  maxVersions: 20_000,
  maxDepth: 1_000,
  maxRequirements: 1_000_000,
  maxPasses: 100,
};

/** Modules that are developed together, and the replacements of their go.work. */
export type Workspace = { readonly mains: readonly GoMod[]; readonly replace: readonly Replacement[] };

export type SelectedModule = GoModVersion & {
  /** Where its files come from: itself, a replacement, or undefined for a replacement by a directory. */
  readonly source: GoModVersion | undefined;
};

export class BuildList {
  readonly #mains: readonly GoMod[];
  readonly #isWorkspace: boolean;
  readonly #limits: BuildListLimits;
  readonly #use: GraphUse;
  readonly #files = new Map<string, Summary | "absent">();
  readonly #asked = new Map<string, GoModVersion>();
  #fresh: GoModVersion[] = [];
  #graph: ModGraph;
  #roots: readonly GoModVersion[] = [];
  #passes = 0;
  #isCutShort = false;
  /** Workspace: versions whose requirements were followed because they are selected. */
  readonly #followed = new Set<string>();
  readonly #inAll = new Set<string>();

  /**
   * @param main a go.mod read strictly, or those of a workspace. Paths of replacing directories are names here:
   * whoever gives the files must tell directories of several go.mod files apart.
   */
  constructor(main: GoMod | Workspace, limits: BuildListLimits = buildListLimits) {
    this.#isWorkspace = "mains" in main;
    this.#mains = "mains" in main ? main.mains : [main];
    this.#limits = limits;
    this.#use = this.#useOf("mains" in main ? main.replace : []);
    this.#graph = new ModGraph(this.#use);
    if (this.#isWorkspace) this.#startWorkspace();
    else this.#startMain(firstRoots(this.#mains[0], this.#use));
    this.#settle();
  }

  /**
   * The go.mod files that go reads now, each named once. A version "" is a directory, which is read from disk.
   */
  wanted(): readonly GoModVersion[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  /** Answers one of wanted(): the file, read laxly, or undefined when there is none. What was not asked is ignored. */
  give(source: GoModVersion, goMod: GoMod | undefined): void {
    const id = idOf(source);
    if (!this.#asked.has(id) || this.#files.has(id)) return;
    this.#files.set(id, goMod === undefined ? "absent" : summaryOf(goMod));
    this.#graph.resume(source);
    this.#settle();
  }

  /** True when every file was given: what is selected now is what go selects. */
  get isComplete(): boolean {
    return this.#files.size === this.#asked.size;
  }

  /** True when a limit was reached: go would go on, this list is a part of its own. */
  get isCutShort(): boolean {
    return this.#isCutShort || this.#graph.isCutShort;
  }

  /** Versions whose go.mod is absent or names another module: go stops at them. */
  get failed(): readonly GoModVersion[] {
    return this.#graph.failed;
  }

  /** The go.mod files that go asks a proxy for to know the graph (`go mod graph`). */
  asked(): readonly GoModVersion[] {
    return [...this.#asked.values()].filter(({ version }) => version !== "");
  }

  /** The build list, without the main modules: `go list -m all`. By path. */
  all(): readonly SelectedModule[] {
    return [...this.#graph.selection]
      .filter(([, version]) => version !== "")
      .map(([path, version]) => this.#selectedModule({ path, version }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /**
   * What `go mod download` without arguments fetches whole (info, go.mod, zip). From go 1.17 on, the main module's
   * requirements at their selected versions; before, and in a workspace, all. By path.
   */
  downloads(): readonly SelectedModule[] {
    const [main] = this.#mains;
    // Without a go line, the go command writes its own into the file before it looks.
    if (this.#isWorkspace || main === undefined || (main.go !== undefined && !prunesGraph(main.go))) return this.all();
    const named = new Set(main.require.map(({ path }) => path));
    return this.all().filter(({ path }) => named.has(path));
  }

  #selectedModule(module: GoModVersion): SelectedModule {
    const source = this.#use.sourceOf(module);
    return { ...module, source: source.version === "" ? undefined : source };
  }

  #useOf(work: readonly Replacement[]): GraphUse {
    const replacements = replacementMap([work, ...this.#mains.map(({ replace }) => replace)]);
    const excluded = new Set(this.#mains.flatMap(({ exclude }) => exclude.map(idOf)));
    return {
      limits: this.#limits,
      isExcluded: (module) => excluded.has(idOf(module)),
      sourceOf: (module) => replacements(module) ?? module,
      summaryOf: (source) => this.#files.get(idOf(source)) ?? this.#ask(source),
    };
  }

  #ask(source: GoModVersion): "absent" | undefined {
    const id = idOf(source);
    if (this.#asked.has(id)) return undefined;
    if (this.#asked.size >= this.#limits.maxVersions) {
      this.#isCutShort = true;
      return "absent";
    }
    this.#asked.set(id, source);
    this.#fresh.push(source);
    return undefined;
  }

  #startMain(roots: readonly GoModVersion[]): void {
    const [main] = this.#mains;
    if (main === undefined) return;
    this.#passes++;
    this.#roots = roots;
    this.#graph = new ModGraph(this.#use);
    const path = main.path ?? "";
    this.#graph.addMain(path);
    this.#graph.require({ path, version: "" }, roots);
    const pruning = prunesGraph(main.go) ? "pruned" : "unpruned";
    for (const module of roots) this.#graph.visit({ module, pruning, depth: 1 });
  }

  /** Main modules are files that nobody needs to ask for; each counts as a root. */
  #startWorkspace(): void {
    for (const main of this.#mains) {
      const module = { path: main.path ?? "", version: "" };
      this.#graph.addMain(module.path);
      this.#inAll.add(module.path);
      this.#asked.set(idOf(module), module);
      this.#files.set(idOf(module), summaryOf(main));
    }
    for (const { path } of this.#mains)
      this.#graph.visit({ module: { path: path ?? "", version: "" }, pruning: "workspace", depth: 0 });
  }

  /** Whenever the graph has come to rest: goes on where go goes on. */
  #settle(): void {
    while (this.#graph.isSettled) {
      if (!(this.#isWorkspace ? this.#followSelected() : this.#raiseRoots())) return;
    }
  }

  /**
   * expandGraph: roots below the selected version of their path are raised, and the graph is read again from there.
   * In an unpruned module that changes nothing.
   */
  #raiseRoots(): boolean {
    const [main] = this.#mains;
    if (main === undefined || !prunesGraph(main.go)) return false;
    const raised = this.#roots.map(({ path, version }) => ({ path, version: this.#graph.selected(path) ?? version }));
    if (raised.every(({ version }, at) => version === this.#roots[at]?.version)) return false;
    if (this.#passes >= this.#limits.maxPasses) {
      this.#isCutShort = true;
      return false;
    }
    this.#startMain(raised);
    return true;
  }

  /**
   * The end of readModGraph: in a workspace, what main modules need is read at its selected version even where the
   * version they name was passed by.
   */
  #followSelected(): boolean {
    const next = new Map<string, GoModVersion>();
    const add = (module: GoModVersion): void => {
      if (!this.#followed.has(idOf(module))) next.set(idOf(module), module);
    };
    for (const path of this.#inAll) {
      const version = this.#graph.selected(path);
      if (version === undefined) continue;
      const module = { path, version };
      if (!this.#followed.has(idOf(module))) {
        add(module);
        continue;
      }
      for (const required of this.#graph.requiredBy(module) ?? []) {
        const selected = this.#graph.selected(required.path) ?? required.version;
        if (compareVersions(selected, required.version) > 0) add({ path: required.path, version: selected });
      }
    }
    for (const [id, module] of next) {
      this.#followed.add(id);
      this.#inAll.add(module.path);
      this.#graph.visit({ module, pruning: "workspace", depth: 1 });
    }
    return next.size > 0;
  }
}

/** The go.mod files that go asks for after it has read one of a dependency, as far as that file alone can tell. */
export type NextGoMods = {
  /** Read next whoever the main module is, unless it excludes or replaces them. */
  readonly certain: readonly GoModVersion[];
  /** Read only if something else needs them: a main module that requires them itself, or an unpruned module above. */
  readonly perhaps: readonly GoModVersion[];
};

/** The question of a prefetch (readModGraph, enqueue): modules before go 1.17 are followed whole, later ones are not. */
export function nextGoMods(goMod: GoMod): NextGoMods {
  const { pruned, require } = summaryOf(goMod);
  return pruned ? { certain: [], perhaps: require } : { certain: require, perhaps: [] };
}

/** rootsFromModFile; in a pruned module the highest version of each path stays (updatePrunedRoots). */
function firstRoots(main: GoMod | undefined, use: GraphUse): readonly GoModVersion[] {
  if (main === undefined) return [];
  const named = summaryOf(main).require.filter((module) => !use.isExcluded(module));
  if (!prunesGraph(main.go)) return named;
  const highest = new Map<string, GoModVersion>();
  for (const module of named) {
    const before = highest.get(module.path);
    if (module.path === main.path) continue;
    if (before === undefined || compareVersions(before.version, module.version) < 0) highest.set(module.path, module);
  }
  return [...highest.values()];
}

/** replacementFrom: go.work's own come first; of several go.mod files the last one that names it. */
function replacementMap(
  files: readonly (readonly Replacement[])[],
): (module: GoModVersion) => GoModVersion | undefined {
  const maps = files.map((replace) => new Map(replace.map(({ old, new: to }) => [idOf(old), to])));
  const [work, ...mains] = maps;
  const find = (map: ReadonlyMap<string, GoModVersion> | undefined, module: GoModVersion): GoModVersion | undefined =>
    map?.get(idOf(module)) ?? map?.get(idOf({ path: module.path, version: "" }));
  return (module) => {
    if (module.version === "") return undefined;
    let found = find(work, module);
    if (found !== undefined) return found;
    for (const map of mains) found = find(map, module) ?? found;
    return found;
  };
}
