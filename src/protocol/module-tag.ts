// A tag of a repository as a version of a module: `v1.2.3`, `sub/v1.2.3`, and in which directory the module then lies.
// Source: cmd/go modfetch coderepo.go newCodeRepo, convert, findDir. Unlike go, which starts from a module path, this
// starts from the tag, and the go.mod found there says the path.

import { ProtocolError } from "./errors.ts";
import { modulePathOf } from "./gomod.ts";
import { checkFilePath, splitPathVersion } from "./path.ts";
import type { ModulePath } from "./path.ts";
import { isPseudoVersion } from "./pseudo.ts";
import { quote } from "./quote.ts";
import { canonical, checkModuleVersion, major } from "./version.ts";
import type { ModuleVersion } from "./version.ts";

export type ModuleTag = {
  readonly tag: string;
  /** `sub` of `sub/v1.2.3`, "" for the root. */
  readonly dir: string;
  /** `v1.2.3`, canonical. */
  readonly version: string;
};

/** Where the go.mod of a tagged module may lie. `major`, when there is one, is in a folder `v2` of its own. */
export type GoModPlaces = { readonly own: string; readonly major: string | undefined };

export type TaggedModule = {
  readonly id: ModuleVersion;
  /** Of the module, in the repository; "" for the root. */
  readonly dir: string;
  readonly hasGoMod: boolean;
};

/** Parses a tag that go takes for a version. Throws BAD_VERSION. */
export function parseModuleTag(tag: string): ModuleTag {
  const slash = tag.lastIndexOf("/");
  const [dir, version] = [tag.slice(0, Math.max(0, slash)), tag.slice(slash + 1)];
  const fault = tagFault({ dir, version, hasSlash: slash >= 0 });
  if (fault !== undefined) throw new ProtocolError("BAD_VERSION", `tag ${quote(tag)} is no module version: ${fault}`);
  return { tag, dir, version };
}

export function goModPlaces({ dir, version }: ModuleTag): GoModPlaces {
  const within = (name: string): string => (dir === "" ? name : `${dir}/${name}`);
  return { own: within("go.mod"), major: isCompatible(version) ? undefined : within(`${major(version)}/go.mod`) };
}

/**
 * The module of a tag, by the go.mod files found at its places. `named` is the path it must have; without a go.mod it is
 * needed, and gives it. Throws BAD_GOMOD with the reason, and BAD_PATH or BAD_VERSION for a path and version that do not
 * go together.
 */
export function locateModule(
  tag: ModuleTag,
  found: { readonly own: Uint8Array | undefined; readonly major: Uint8Array | undefined },
  named?: ModulePath,
): TaggedModule {
  const places = goModPlaces(tag);
  const [own, below] = [pathIn(found.own), places.major === undefined ? undefined : pathIn(found.major)];
  const ownFits = own !== undefined && isOfMajor(own, tag.version);
  const belowFits = below !== undefined && isOfMajor(below, tag.version);
  if (ownFits && belowFits) throw bad(`${places.own} and ${places.major} both have ${major(tag.version)} module paths`);
  if (below !== undefined && places.major !== undefined) {
    if (!belowFits) throw bad(unfit(places.major, below, tag.version));
    return at(tag, { path: below, place: places.major }, named);
  }
  if (own !== undefined) {
    if (!ownFits) throw bad(unfit(places.own, own, tag.version));
    return at(tag, { path: own, place: places.own }, named);
  }
  return withoutGoMod(tag, places, named);
}

function tagFault(parts: { dir: string; version: string; hasSlash: boolean }): string | undefined {
  const { dir, version, hasSlash } = parts;
  if (dir.startsWith("-")) return "it starts with a dash";
  if (canonical(version) !== version || version === "") return "it must end in vMAJOR.MINOR.PATCH, all three of them";
  if (isPseudoVersion(version)) return "go ignores tags that look like pseudo-versions";
  if (!hasSlash) return undefined;
  try {
    checkFilePath(dir);
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error.message;
    throw error;
  }
}

/** v0 and v1: module paths without a major version suffix. */
function isCompatible(version: string): boolean {
  return major(version) === "v0" || major(version) === "v1";
}

/** The path that a go.mod claims, "" when it claims none; undefined without a go.mod. */
function pathIn(goMod: Uint8Array | undefined): string | undefined {
  return goMod === undefined ? undefined : modulePathOf(goMod);
}

/** modfetch isMajor, for the major version of a tag. */
function isOfMajor(path: string, version: string): boolean {
  const pathMajor = path === "" ? undefined : splitPathVersion(path)?.pathMajor;
  if (pathMajor === undefined) return false;
  if (pathMajor === "") return isCompatible(version);
  return pathMajor.slice(1).replace(/-unstable$/, "") === major(version);
}

function unfit(place: string, path: string, version: string): string {
  if (path === "") return `${place} is missing module path`;
  const wanted = isCompatible(version)
    ? "a module path without major version"
    : `a module path ending in …${major(version)}`;
  return `${place} says module ${quote(path)}; ${version} needs ${wanted}`;
}

function at(tag: ModuleTag, found: { path: string; place: string }, named: ModulePath | undefined): TaggedModule {
  const { path, place } = found;
  if (named !== undefined && named !== path) throw bad(`${place} says module ${quote(path)}, not ${quote(named)}`);
  const id = checkModuleVersion(path, tag.version);
  if (tag.dir !== "" && path.startsWith("gopkg.in/")) throw bad("a gopkg.in module lies at the root of its repository");
  return { id, dir: place.slice(0, Math.max(0, place.lastIndexOf("/"))), hasGoMod: true };
}

/** Go invents a go.mod for the root of a repository only, and marks versions from v2 on. */
function withoutGoMod(tag: ModuleTag, places: GoModPlaces, named: ModulePath | undefined): TaggedModule {
  const missing = places.major === undefined ? places.own : `${places.own} and ${places.major}`;
  if (tag.dir !== "") throw bad(`missing ${missing}`);
  if (named === undefined) throw bad(`missing ${missing}, so the module path must be named`);
  const pathMajor = splitPathVersion(named)?.pathMajor ?? "";
  if (pathMajor.startsWith("/")) throw bad(`missing ${missing}`);
  const isMarked = pathMajor === "" && !isCompatible(tag.version);
  return {
    id: checkModuleVersion(named, isMarked ? `${tag.version}+incompatible` : tag.version),
    dir: "",
    hasGoMod: false,
  };
}

function bad(message: string): ProtocolError {
  return new ProtocolError("BAD_GOMOD", message);
}
