// Walks a foreign directory and says which module versions lie there, one folder at a time: however large the
// directory, no more than the names of its largest folder are in memory.

import { ProtocolError } from "#protocol/errors.ts";
import { maxPathBytes, parsePath, unescapePath } from "#protocol/path.ts";
import type { ModulePath } from "#protocol/path.ts";
import { checkModuleVersion, unescapeVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { SourceEntry, SourceTree } from "./ports.ts";
import { SourceUnreadable } from "./ports.ts";
import { baseName, below, isAthensVersion } from "./source-layout.ts";
import type { Placed } from "./source-layout.ts";

/** Where the files of a version lie in the tree; what is not there is left out. */
export type SourceFiles = { readonly info?: string; readonly mod?: string; readonly zip?: string };

export type SourceVersion = { readonly kind: "version"; readonly id: ModuleVersion; readonly files: SourceFiles };

/**
 * What is no part of a module version, where one could be. `foreign`: a file of something else. `odd`: neither a file
 * nor a folder of this directory. `misnamed`: no version has that name, for `reason`. `too-deep`: no module path is as
 * long. `unreadable`: a folder that cannot be read.
 */
export type Stranger = {
  readonly kind: "stranger";
  readonly path: string;
  readonly why: "foreign" | "odd" | "misnamed" | "too-deep" | "unreadable";
  readonly reason: string;
};

/** Everything below the base, in no order. A folder that cannot be read is a stranger. */
export async function* sourceVersions(tree: SourceTree, { layout, base }: Placed): AsyncGenerator<Found> {
  const walk = layout === "athens" ? athensFolder : urlFolder;
  yield* walk({ tree, base, folder: base });
}

type Found = SourceVersion | Stranger;

type Walk = { readonly tree: SourceTree; readonly base: string; readonly folder: string };

/** Deeper than any module path goes: somebody else's folders. */
const isTooDeep = ({ base, folder }: Walk): boolean => folder.length - base.length > 2 * maxPathBytes;

async function* urlFolder(walk: Walk): AsyncGenerator<Found> {
  const { base, folder } = walk;
  if (isTooDeep(walk)) {
    yield stranger(walk, "", { why: "too-deep" });
    return;
  }
  for await (const { name, kind } of namesOf(walk)) {
    if (isAside(name) || (folder === base && name === "sumdb") || name === "@latest") continue;
    const inner = { ...walk, folder: below(folder, name) };
    if (kind === "folder") yield* name === "@v" ? urlVersions(inner) : urlFolder(inner);
    else yield stranger(walk, name, { why: kind === "file" ? "foreign" : odd(name) });
  }
}

/** The names in the folder; one that cannot be read is told as an entry without a name. */
async function* namesOf({ tree, folder }: Walk): AsyncGenerator<SourceEntry> {
  try {
    yield* tree.names(folder);
  } catch (error) {
    if (!(error instanceof SourceUnreadable)) throw error;
    yield { name: "", kind: "other" };
  }
}

/** Three files of a version each, as they lie in an `@v` folder; beside them what proxies and go keep for themselves. */
async function* urlVersions(walk: Walk): AsyncGenerator<Found> {
  const { folder } = walk;
  const found = new Map<string, number>();
  for await (const { name, kind } of namesOf(walk)) {
    const [, stem, ending] = /^(.+)\.(info|mod|zip)$/.exec(name) ?? [];
    if (isAside(name) || name === "list" || /[.](?:lock|ziphash|manifest|tmp)$/.test(name)) continue;
    if (kind !== "file") yield stranger(walk, name, { why: odd(name) });
    else if (stem === undefined) yield stranger(walk, name, { why: "foreign" });
    else found.set(stem, (found.get(stem) ?? 0) | bits[ending as keyof typeof bits]);
  }
  for (const [stem, has] of found) {
    const named = nameOf(() => checkModuleVersion(urlModule(walk), unescapeVersion(stem)));
    if (typeof named !== "string") yield { kind: "version", id: named, files: urlFiles(below(folder, stem), has) };
    // The answer to a query for a branch or a short version says nothing that could be kept.
    else if (has !== bits.info) yield stranger(walk, stem, { why: "misnamed", reason: named });
  }
}

const bits = { info: 1, mod: 2, zip: 4 } as const;

function urlModule({ base, folder }: Walk): ModulePath {
  return unescapePath(relative(base, folder.slice(0, -"/@v".length)));
}

function urlFiles(stem: string, has: number): SourceFiles {
  return {
    ...((has & bits.info) !== 0 && { info: `${stem}.info` }),
    ...((has & bits.mod) !== 0 && { mod: `${stem}.mod` }),
    ...((has & bits.zip) !== 0 && { zip: `${stem}.zip` }),
  };
}

async function* athensFolder(walk: Walk): AsyncGenerator<Found> {
  const { base, folder } = walk;
  if (isTooDeep(walk)) {
    yield stranger(walk, "", { why: "too-deep" });
    return;
  }
  const files = new Set<string>();
  const folders: string[] = [];
  for await (const { name, kind } of namesOf(walk)) {
    if (isAside(name)) continue;
    if (kind === "folder") folders.push(name);
    else if (kind === "file") files.add(name);
    else yield stranger(walk, name, { why: odd(name) });
  }
  const version = baseName(folder);
  if (folder !== base && isAthensVersion(files, version)) yield athensVersion(walk, files, version);
  else for (const name of files) yield stranger(walk, name, { why: "foreign" });
  for (const name of folders) yield* athensFolder({ ...walk, folder: below(folder, name) });
}

function athensVersion(walk: Walk, files: ReadonlySet<string>, version: string): SourceVersion | Stranger {
  const { base, folder } = walk;
  const path = relative(base, folder.slice(0, -version.length - 1));
  const named = nameOf(() => checkModuleVersion(parsePath(path), version));
  if (typeof named === "string") return stranger(walk, "", { why: "misnamed", reason: named });
  const place = (name: string): string | undefined => (files.has(name) ? below(folder, name) : undefined);
  const [info, mod, zip] = [place(`${version}.info`), place("go.mod"), place("source.zip")];
  return { kind: "version", id: named, files: { ...(info && { info }), ...(mod && { mod }), ...(zip && { zip }) } };
}

/** The version, or why there is none of that name. */
function nameOf(parse: () => ModuleVersion): ModuleVersion | string {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ProtocolError) return error.message;
    throw error;
  }
}

function odd(name: string): Stranger["why"] {
  return name === "" ? "unreadable" : "odd";
}

/** Hidden files are other programs' notes and unfinished writes. */
function isAside(name: string): boolean {
  return name.startsWith(".");
}

function stranger(
  { base, folder }: Walk,
  name: string,
  { why, reason = "" }: { readonly why: Stranger["why"]; readonly reason?: string },
): Stranger {
  return { kind: "stranger", path: relative(base, name === "" ? folder : below(folder, name)), why, reason };
}

function relative(base: string, path: string): string {
  return base === "" ? path : path.slice(base.length + 1);
}
