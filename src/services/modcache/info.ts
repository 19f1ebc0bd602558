// `modcache info`: what a module cache holds and takes.

import { sumdbFolder, vcsFolder } from "./layout.ts";
import type { CacheTree } from "./ports.ts";
import { measure, measureFolder } from "./sizes.ts";
import { inTurns, survey } from "./survey.ts";
import { hasContent, usedMs } from "./use.ts";

export type Counted = { readonly count: number; readonly bytes: number };

export type CacheInfo = {
  readonly root: string;
  readonly isThere: boolean;
  readonly isReadOnly: boolean;
  readonly bytes: number;
  readonly modules: number;
  readonly versions: number;
  readonly zips: Counted;
  /** Versions of which only go.mod and .info are there. */
  readonly modsOnly: number;
  readonly trees: Counted;
  readonly partials: number;
  readonly locks: number;
  readonly temps: Counted;
  readonly vcs: Counted;
  /** Records and tiles of each checksum database. */
  readonly sumdb: readonly {
    readonly database: string;
    readonly lookups: number;
    readonly tiles: number;
    readonly bytes: number;
  }[];
  /** When the versions that were unused longest and shortest were last used. */
  readonly oldestMs: number | undefined;
  readonly newestMs: number | undefined;
  /** More is there than was looked at. */
  readonly isCutShort: boolean;
};

/** Throws the signal's reason. */
export async function cacheInfo(cache: CacheTree, signal: AbortSignal): Promise<CacheInfo> {
  const isThere = (await cache.facts("")) !== undefined;
  const found = await survey(cache, signal);
  const units = [...found.units.values()].filter(hasContent);
  const zips = { count: 0, bytes: 0 };
  const trees = { count: 0, bytes: 0 };
  let other = 0;
  await inTurns(units, async (unit) => {
    signal.throwIfAborted();
    const { download, tree } = await measure(cache, unit);
    const zip = unit.files.zip?.size ?? 0;
    zips.bytes += zip;
    trees.bytes += tree;
    other += download - zip;
    if (unit.files.zip !== undefined) zips.count++;
    if (unit.tree !== undefined) trees.count++;
  });
  const temps = { count: found.temps.length, bytes: found.temps.reduce((sum, { facts }) => sum + facts.size, 0) };
  const vcs = await vcsOf(cache);
  const sumdb = await databasesOf(cache);
  const uses = units.map(usedMs);
  const sumdbBytes = sumdb.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    root: cache.root,
    isThere,
    isReadOnly: isThere && !(await cache.isWritable()),
    bytes: zips.bytes + trees.bytes + other + temps.bytes + vcs.bytes + sumdbBytes,
    modules: new Set(units.map(({ id }) => id.path)).size,
    versions: units.length,
    zips,
    modsOnly: units.filter(({ files, tree }) => files.zip === undefined && tree === undefined).length,
    trees,
    partials: units.filter(({ files }) => files.partial !== undefined).length,
    locks: [...found.units.values()].filter(({ files }) => files.lock !== undefined).length,
    temps,
    vcs,
    sumdb,
    oldestMs: uses.length === 0 ? undefined : uses.reduce((a, b) => Math.min(a, b)),
    newestMs: uses.length === 0 ? undefined : uses.reduce((a, b) => Math.max(a, b)),
    isCutShort: found.isCutShort,
  };
}

/** Bare clones; their names are 64 hexadecimal digits. */
async function vcsOf(cache: CacheTree): Promise<Counted> {
  const clones = (await cache.names(vcsFolder)).filter(({ kind }) => kind === "folder");
  const { bytes } = await measureFolder(cache, vcsFolder);
  return { count: clones.length, bytes };
}

async function databasesOf(cache: CacheTree): Promise<CacheInfo["sumdb"]> {
  const names = await databaseNames(cache, sumdbFolder, "");
  return await Promise.all(
    names.map(async (database) => {
      const lookups = await measureFolder(cache, `${sumdbFolder}/${database}/lookup`);
      const tiles = await measureFolder(cache, `${sumdbFolder}/${database}/tile`);
      return { database, lookups: lookups.files, tiles: tiles.files, bytes: lookups.bytes + tiles.bytes };
    }),
  );
}

/** `host[:port][/path]`: the folders that hold `lookup` or `tile`. */
async function databaseNames(cache: CacheTree, folder: string, name: string): Promise<string[]> {
  const inside = (await cache.names(folder)).filter(({ kind }) => kind === "folder").map((entry) => entry.name);
  if (name !== "" && inside.some((each) => each === "lookup" || each === "tile")) return [name];
  if (name.split("/").length > maxNameElements) return [];
  const below = inside.map((each) => databaseNames(cache, `${folder}/${each}`, name === "" ? each : `${name}/${each}`));
  return (await Promise.all(below)).flat();
}

const maxNameElements = 8;
