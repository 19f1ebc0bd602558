// What lies in a module cache: one walk over the names and facts, no file is read.

import type { ModuleVersion } from "#protocol/version.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import { downloadFolder, readId, readName, treePath, unitFiles, unitPath } from "./layout.ts";
import type { UnitFile } from "./layout.ts";
import { CacheUnreadable } from "./ports.ts";
import type { CacheFacts, CacheTree } from "./ports.ts";
import { atOnce } from "#services/store/at-once.ts";

/** One version of one module: everything of it that is there. */
export type Unit = {
  readonly id: ModuleVersion;
  readonly files: Readonly<Partial<Record<UnitFile, CacheFacts>>>;
  /** The folder of the extracted files. */
  readonly tree: CacheFacts | undefined;
};

export type TempFile = { readonly path: string; readonly facts: CacheFacts; readonly id: ModuleVersion | undefined };

export type Survey = {
  /** By `path@version`. */
  readonly units: ReadonlyMap<string, Unit>;
  /** `list` files. */
  readonly lists: readonly { readonly path: string; readonly facts: CacheFacts }[];
  readonly temps: readonly TempFile[];
  /** Names that go would not make. */
  readonly odd: readonly string[];
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
  /** More is there than was looked at. */
  readonly isCutShort: boolean;
};

/** The largest caches of build machines have some ten thousand versions. */
const maxUnits = 200_000;
/** Modules nest as deep as their paths have elements. */
const maxDepth = 64;
/** Folders read at a time. */
const readsAtOnce = 8;

type Found = {
  readonly id: ModuleVersion;
  readonly files: Partial<Record<UnitFile, CacheFacts>>;
  tree: CacheFacts | undefined;
};

type Walk = {
  readonly tree: CacheTree;
  readonly signal: AbortSignal;
  readonly units: Map<string, Found>;
  readonly lists: { path: string; facts: CacheFacts }[];
  readonly temps: TempFile[];
  readonly odd: string[];
  readonly unreadable: { path: string; reason: string }[];
  isCutShort: boolean;
};

/** Throws the signal's reason. */
export async function survey(tree: CacheTree, signal: AbortSignal): Promise<Survey> {
  const walk: Walk = {
    tree,
    signal,
    units: new Map(),
    lists: [],
    temps: [],
    odd: [],
    unreadable: [],
    isCutShort: false,
  };
  await eachFolder(walk, downloadFolder, async (folder, name) => {
    if (folder === downloadFolder && name === "sumdb") return "leave";
    if (name !== "@v") return "enter";
    await lookAtVersions(walk, folder);
    return "leave";
  });
  await eachFolder(walk, "", async (folder, name) => {
    if (folder === "" && name === "cache") return "leave";
    if (!name.includes("@")) return "enter";
    await lookAtTree(walk, folder === "" ? name : `${folder}/${name}`);
    return "leave";
  });
  return walk;
}

type Choice = "enter" | "leave";

/** Walks folders breadth first; `look` decides for each folder in one whether it is entered. */
async function eachFolder(
  walk: Walk,
  top: string,
  look: (folder: string, name: string) => Promise<Choice>,
): Promise<void> {
  let level = [top];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth || walk.units.size > maxUnits) {
      walk.isCutShort = true;
      return;
    }
    const next: string[] = [];
    await inTurns(level, async (folder) => {
      walk.signal.throwIfAborted();
      for (const { name, kind } of await namesOf(walk, folder))
        if (kind === "folder" && (await look(folder, name)) === "enter")
          next.push(folder === "" ? name : `${folder}/${name}`);
    });
    level = next;
  }
}

async function lookAtVersions(walk: Walk, folder: string): Promise<void> {
  const escaped = folder.slice(downloadFolder.length + 1);
  for (const { name, kind } of await namesOf(walk, `${folder}/@v`)) {
    const path = `${folder}/@v/${name}`;
    const read = readName(name);
    if (read.kind === "odd" || kind !== "file") {
      walk.odd.push(path);
      continue;
    }
    const facts = await factsOf(walk, path);
    if (facts === undefined) continue;
    if (read.kind === "unit") noteFile(walk, { escaped, path, facts, ...read });
    else if (read.kind === "temp") walk.temps.push({ path, facts, id: idOf(escaped, read.version) });
    else if (name === "list") walk.lists.push({ path, facts });
  }
}

type NamedFile = {
  readonly escaped: string;
  readonly path: string;
  readonly facts: CacheFacts;
  readonly version: string;
  readonly file: UnitFile;
};

function noteFile(walk: Walk, { escaped, path, facts, version, file }: NamedFile): void {
  const id = idOf(escaped, version);
  if (id === undefined) walk.odd.push(path);
  else unitOf(walk, id).files[file] = facts;
}

async function lookAtTree(walk: Walk, path: string): Promise<void> {
  const at = path.lastIndexOf("@");
  const id = idOf(path.slice(0, at), path.slice(at + 1));
  const facts = await factsOf(walk, path);
  if (facts === undefined) return;
  // Trees of go before 1.16 were extracted beside, into `…@v1.0.0.tmp-123`.
  if (id === undefined || treePath(id) !== path) walk.odd.push(path);
  else unitOf(walk, id).tree = facts;
}

function unitOf(walk: Walk, id: ModuleVersion): Found {
  const name = formatModuleVersion(id);
  const known = walk.units.get(name);
  if (known !== undefined) return known;
  const found: Found = { id, files: {}, tree: undefined };
  walk.units.set(name, found);
  return found;
}

function idOf(escapedPath: string, escapedVersion: string | undefined): ModuleVersion | undefined {
  return escapedVersion === undefined ? undefined : readId(escapedPath, escapedVersion);
}

async function namesOf(walk: Walk, folder: string): ReturnType<CacheTree["names"]> {
  return (await reading(walk, () => walk.tree.names(folder))) ?? [];
}

async function factsOf(walk: Walk, path: string): Promise<CacheFacts | undefined> {
  return await reading(walk, () => walk.tree.facts(path));
}

async function reading<T>(walk: Walk, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CacheUnreadable)) throw error;
    walk.unreadable.push({ path: error.path, reason: error.message });
    return undefined;
  }
}

/** One version alone, whatever the size of the cache. */
export async function surveyUnit(tree: CacheTree, id: ModuleVersion): Promise<Unit> {
  const files: Partial<Record<UnitFile, CacheFacts>> = {};
  for (const file of unitFiles) {
    const facts = await tree.facts(unitPath(id, file));
    if (facts?.kind === "file") files[file] = facts;
  }
  const extracted = await tree.facts(treePath(id));
  return { id, files, tree: extracted?.kind === "folder" ? extracted : undefined };
}

/** Calls `work` for each, a few at a time. */
export async function inTurns<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  jobs = readsAtOnce,
): Promise<void> {
  await atOnce(items, { jobs }, work);
}
