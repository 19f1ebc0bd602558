// What the requests of one client tell about those to come. The go command asks in phases (seen with go1.26.8):
//
//   .mod    of every module of its graph, a few at a time: the requirements of the main module, and whatever lies below
//           a module that has no pruned graph (`go` line below 1.17), however deep and whatever those modules are
//   .info   of each selected version, one after the other: `go mod download` and `go list -m all`
//   .zip    of the same versions in the same order: `go mod download` only
//
// A pruned module's requirements are not followed, but a tidy main module lists each of them itself, at the highest
// version that any of them wants: minimal version selection over what was seen so far is a good guess.

import { ProtocolError } from "#protocol/errors.ts";
import type { GoMod } from "#protocol/gomod.ts";
import { prunesGraph } from "#protocol/gover.ts";
import { checkModuleVersion, compareVersions, formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { Trail } from "./trail.ts";

/** Versions remembered of one client; the largest real graphs have some 3,000 (protocol.md §2.4). */
const maxVersions = 4_096;

/** Longer names are left to themselves, lest a few of them take the memory of many. */
export const maxNameLength = 300;

/** How many go.mod files must name the highest version of a path before it counts as a guess. */
export type Votes = 1 | 2;

type Candidate = { id: ModuleVersion; votes: number };

export class AheadSession {
  /** When the client was last heard of, in milliseconds since the epoch. */
  lastMs = 0;
  /** What it asked for last, for the habits of clients to come. */
  readonly trail = new Trail();
  /** Asked for, by file. */
  readonly #mods = new Set<string>();
  readonly #infos = new Map<string, ModuleVersion>();
  readonly #zips = new Set<string>();
  /** go.mod files that spoke already, and those of them whose requirements were certain. */
  readonly #heard = new Set<string>();
  readonly #heardDeep = new Set<string>();
  /** Versions below a module without a pruned graph: the client follows their requirements, pruned or not. */
  readonly #deep = new Set<string>();
  /** By module path: the highest version that any go.mod heard so far requires. */
  readonly #highest = new Map<string, Candidate>();
  /** Zips that it was spared, by version; undefined once it turned out to want such ones. */
  #spared: Map<string, ModuleVersion> | undefined = new Map<string, ModuleVersion>();
  #downloads = false;
  #listsAll = false;
  #isListed = false;

  /** True when no more can be remembered: many clients behind one address, or one that never rests. */
  get isFull(): boolean {
    const all = [this.#mods, this.#infos, this.#zips, this.#heard, this.#deep, this.#highest];
    return all.some(({ size }) => size >= maxVersions);
  }

  /** The client asks for a go.mod. */
  askedMod(id: ModuleVersion): void {
    this.#remember(this.#mods, formatModuleVersion(id));
  }

  /** True when the client is known to have asked for this go.mod. */
  wantsMod(id: ModuleVersion): boolean {
    return this.#mods.has(formatModuleVersion(id));
  }

  /** The client asks for `.info`. Returns the zips that this makes certain. */
  askedInfo(id: ModuleVersion): readonly ModuleVersion[] {
    const name = formatModuleVersion(id);
    if (this.#infos.size >= maxVersions || this.#infos.has(name)) return [];
    this.#infos.set(name, id);
    // The whole build list is gone through when a selected version turns up whose go.mod the graph did not need.
    const highest = this.#highest.get(id.path);
    if (!this.#mods.has(name) && this.#mods.size > 0 && highest?.id.version === id.version) this.#listsAll = true;
    return this.#downloads ? [id] : [];
  }

  /**
   * The client asks for a zip. Returns the zips that will follow: after the first zip whose `.info` was asked for
   * before, those of every version whose `.info` was.
   */
  askedZip(id: ModuleVersion): readonly ModuleVersion[] {
    const name = formatModuleVersion(id);
    this.#remember(this.#zips, name);
    if (this.#downloads || !this.#infos.has(name)) return [];
    this.#downloads = true;
    return [...this.#infos.values()].filter((other) => !this.#zips.has(formatModuleVersion(other)));
  }

  /** True once the client goes through a list, as `go mod download` does: its order says nothing about the modules. */
  get downloads(): boolean {
    return this.#downloads;
  }

  /** A guess about a zip would probably be wrong. True when it should not be made for this client. */
  spare(id: ModuleVersion): boolean {
    if (this.#spared === undefined) return false;
    if (this.#spared.size < maxVersions) this.#spared.set(formatModuleVersion(id), id);
    return true;
  }

  /** The client asks for a zip. Returns the others that it was spared if this is one of them: it wants them all. */
  wantsSpared(id: ModuleVersion): readonly ModuleVersion[] {
    const spared = this.#spared;
    if (spared?.has(formatModuleVersion(id)) !== true) return [];
    this.#spared = undefined;
    return [...spared.values()].filter((other) => !this.wantsZip(other));
  }

  /** True when the client has asked for this zip, so that it lies fetched for nobody no longer. */
  wantsZip(id: ModuleVersion): boolean {
    return this.#zips.has(formatModuleVersion(id));
  }

  /**
   * A go.mod of the client's graph is known. Returns the versions whose go.mod it will ask for next for certain (cmd/go
   * modload.readModGraph), and those it may ask for: paths whose highest version reached `votes`. One that is heard
   * again speaks again only if its requirements have become certain since.
   */
  heard(
    id: ModuleVersion,
    goMod: GoMod,
    votes: Votes,
  ): { readonly certain: readonly ModuleVersion[]; readonly likely: readonly ModuleVersion[] } {
    const name = formatModuleVersion(id);
    const required = goMod.require.flatMap((requirement) => idOf(requirement));
    const likely = this.#hearOnce(this.#heard, name) ? required.flatMap((each) => this.#vote(each, votes)) : [];
    const isDeep = this.#deep.has(name) || !prunesGraph(goMod.go);
    if (!isDeep) return { certain: [], likely };
    if (!this.#hearOnce(this.#heardDeep, name)) return { certain: [], likely: [] };
    for (const each of required) this.#remember(this.#deep, formatModuleVersion(each));
    return { certain: required, likely: [] };
  }

  /** True for the first time, as long as there is room to remember it. */
  #hearOnce(heard: Set<string>, name: string): boolean {
    if (heard.has(name) || heard.size >= maxVersions) return false;
    heard.add(name);
    return true;
  }

  /** The version of a path that the build selects, as far as the go.mod files heard so far say. */
  selected(path: string): ModuleVersion | undefined {
    return this.#highest.get(path)?.id;
  }

  /** Everything that the whole build list needs, once the client is known to go through it; each is returned once. */
  restOfList(): readonly ModuleVersion[] {
    if (!this.#listsAll || this.#isListed) return [];
    this.#isListed = true;
    return [...this.#highest.values()].map(({ id }) => id).filter((id) => !this.wantsMod(id));
  }

  #vote(id: ModuleVersion, votes: Votes): ModuleVersion[] {
    const known = this.#highest.get(id.path);
    if (known === undefined && this.#highest.size >= maxVersions) return [];
    const order = known === undefined ? 1 : compareVersions(id.version, known.id.version);
    if (order < 0) return [];
    const candidate = order === 0 && known !== undefined ? known : { id, votes: 0 };
    candidate.votes++;
    this.#highest.set(id.path, candidate);
    return candidate.votes === votes ? [id] : [];
  }

  #remember(names: Set<string>, name: string): void {
    if (names.size < maxVersions) names.add(name);
  }
}

/** The version a requirement names; nothing for one that is no version that could be asked for. */
function idOf({ path, version }: GoMod["require"][number]): ModuleVersion[] {
  if (path.length + version.length > maxNameLength) return [];
  try {
    return [checkModuleVersion(path, version)];
  } catch (error) {
    if (error instanceof ProtocolError) return [];
    throw error;
  }
}
