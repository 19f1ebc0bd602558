// `modcache refresh`: what go downloaded anew into a cache of its own replaces what differs or is missing here. What is
// the same stays untouched, so that nothing that runs beside us notices.

import { equalHash } from "#protocol/dirhash.ts";
import { maxGoModBytes } from "#protocol/gomod.ts";
import { maxInfoBytes } from "#protocol/info.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { locked, removeParts, rewriteList } from "./change.ts";
import type { Part } from "./damage.ts";
import { maxZiphashBytes, readInfo, readZiphash } from "./files.ts";
import { unitPath } from "./layout.ts";
import { lookAt } from "./look.ts";
import type { CacheKeeper, CacheTree } from "./ports.ts";
import { surveyUnit } from "./survey.ts";

export type Refreshed = {
  readonly id: ModuleVersion;
  /** Those replaced, or put where nothing was; a tree is only taken away: go extracts it anew. */
  readonly parts: readonly Part[];
  /** Of the download. */
  readonly bytes: number;
  readonly verdict: "same" | "replaced" | "new" | "busy" | "no-locks";
};

export type RefreshUse = {
  /** The cache that go has just filled. */
  readonly fresh: CacheTree;
  /** Where a path of it is on this system. */
  readonly locate: (path: string) => string;
  readonly cache: CacheTree;
  readonly keeper: CacheKeeper;
  readonly signal: AbortSignal;
};

/** Puts one version right. Throws the signal's reason before anything is changed. */
export async function refreshVersion(id: ModuleVersion, use: RefreshUse): Promise<Refreshed> {
  const { fresh, cache, keeper, locate, signal } = use;
  const anew = await surveyUnit(fresh, id);
  const bytes = ["info", "mod", "zip"].reduce((sum, file) => sum + (anew.files[file as "zip"]?.size ?? 0), 0);
  const changed = await locked(keeper, id, async (): Promise<Omit<Refreshed, "bytes">> => {
    const unit = await surveyUnit(cache, id);
    const parts = await differences(id, { ...use, unit, anew });
    if (parts.length === 0) return { id, parts, verdict: "same" };
    signal.throwIfAborted();
    await removeParts(keeper, id, parts);
    for (const part of ["info", "mod", "zip", "ziphash"] as const)
      if (parts.includes(part)) await keeper.copyIn(unitPath(id, part), locate(unitPath(id, part)));
    if (parts.includes("mod")) await rewriteList(cache, keeper, id.path);
    return { id, parts, verdict: Object.keys(unit.files).some((file) => file !== "lock") ? "replaced" : "new" };
  });
  return changed.kind === "done" ? { ...changed.value, bytes } : { id, parts: [], bytes, verdict: changed.kind };
}

type Comparing = RefreshUse & { readonly [side in "unit" | "anew"]: Awaited<ReturnType<typeof surveyUnit>> };

async function differences(id: ModuleVersion, { unit, anew, fresh, cache, signal }: Comparing): Promise<Part[]> {
  const here = await lookAt(cache, unit, signal);
  const there = {
    info: await fresh.read(unitPath(id, "info"), maxInfoBytes),
    mod: await fresh.read(unitPath(id, "mod"), maxGoModBytes),
    ziphash: readZiphash((await fresh.read(unitPath(id, "ziphash"), maxZiphashBytes)) ?? new Uint8Array()),
  };
  if (there.ziphash.kind !== "hash" || anew.files.zip === undefined)
    throw new Error(`go left no whole ${formatModuleVersion(id)}`);
  const { h1 } = there.ziphash;
  const info = there.info && readInfo(there.info, id.version);
  const isSameInfo = here.info?.kind === "info" && info?.kind === "info" && here.info.info.time === info.info.time;
  const isSameMod = there.mod !== undefined && (await isSameFile(cache, unitPath(id, "mod"), there.mod));
  const isSameZip = here.zip?.kind === "hash" && equalHash(here.zip.h1, h1);
  const isSameHash = here.ziphash?.kind === "hash" && equalHash(here.ziphash.h1, h1) && !here.ziphash.isTrimmed;
  const isSameTree = unit.tree === undefined || (here.tree?.kind === "hash" && equalHash(here.tree.h1, h1));
  return [
    ...(isSameInfo || there.info === undefined ? [] : (["info"] as const)),
    ...(isSameMod ? [] : (["mod"] as const)),
    ...(isSameZip ? [] : (["zip"] as const)),
    ...(isSameHash ? [] : (["ziphash"] as const)),
    ...(isSameTree ? [] : (["tree"] as const)),
  ];
}

async function isSameFile(cache: CacheTree, path: string, bytes: Uint8Array): Promise<boolean> {
  const here = await cache.read(path, bytes.length + 1);
  return here !== undefined && Buffer.compare(here, bytes) === 0;
}
