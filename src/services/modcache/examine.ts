// What `granary doctor` looks at in a module cache: its permissions and leftovers, and as many versions as its time allows,
// the last used first. Nothing leaves the machine unless `lookUp` does.

import { remark } from "./damage.ts";
import type { Finding } from "#services/findings/finding.ts";
import type { GoSums } from "./known.ts";
import type { CacheTree, LookUpSums } from "./ports.ts";
import { survey } from "./survey.ts";
import { usedMs } from "./use.ts";
import { verifyRest, verifyUnits } from "./verify.ts";

export type ExamineUse = {
  readonly cache: CacheTree;
  readonly goSums: GoSums;
  readonly lookUp: LookUpSums;
  /** Of the caller's patience: what is found until it is aborted is what is found. */
  readonly signal: AbortSignal;
  /** Versions whose bytes are read; 50 without it. */
  readonly maxVersions?: number;
};

export type ExaminedCache = {
  readonly findings: readonly Finding[];
  readonly versions: number;
  readonly examined: number;
};

const defaultVersions = 50;

/** Never throws because time is over. */
export async function examineCache(use: ExamineUse): Promise<ExaminedCache> {
  const { cache, signal, maxVersions = defaultVersions } = use;
  const nothing = { findings: [], versions: 0, examined: 0 };
  try {
    signal.throwIfAborted();
    if ((await cache.facts("")) === undefined) return nothing;
    const all = await survey(cache, signal);
    const newest = [...all.units.values()].sort((a, b) => usedMs(b) - usedMs(a)).slice(0, maxVersions);
    const rest = await verifyRest(all, cache);
    const looked = await verifyUnits(newest, use);
    const readOnly = (await cache.isWritable()) ? [] : [remark("CACHE_READ_ONLY", { fields: { root: cache.root } })];
    const findings = [...looked.damages, ...readOnly, ...rest].map(({ finding }) => finding);
    return { findings, versions: all.units.size, examined: looked.versions };
  } catch (error) {
    if (error !== signal.reason) throw error;
    return nothing;
  }
}
