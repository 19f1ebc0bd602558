// `modcache gc`: which versions leave, and how. A version leaves whole: files, tree, lock. The longest unused goes first.

import { formatModuleVersion } from "#protocol/version.ts";
import type { ModulePath } from "#protocol/path.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { locked, removeParts, rewriteList } from "./change.ts";
import { unitPath } from "./layout.ts";
import type { CacheKeeper, CacheTree } from "./ports.ts";
import { measure } from "./sizes.ts";
import { inTurns, surveyUnit } from "./survey.ts";
import type { Survey, Unit } from "./survey.ts";
import { hasContent, usedMs } from "./use.ts";

export type GcRule = {
  /** What versions may take together; undefined for any amount. */
  readonly maxBytes: number | undefined;
  /** Versions unused for longer leave, however much room there is; undefined for never. */
  readonly unusedMs: number | undefined;
  /** `path@version` of what stays whatever its age. */
  readonly keep: ReadonlySet<string>;
};

/**
 * What was used within this time stays unless --older-than is shorter: a build under way reads trees that go holds no lock
 * on, and `relatime` notes a use once a day.
 */
export const recentMs = 25 * 3_600_000;

export type Leaving = {
  readonly id: ModuleVersion;
  readonly bytes: number;
  readonly usedMs: number;
  readonly reason: "age" | "size";
};

export type GcPlan = {
  readonly versions: number;
  readonly bytes: number;
  readonly leaving: readonly Leaving[];
  /** Would have left, and are named by --keep. */
  readonly kept: number;
  /** Used too lately to leave. */
  readonly recent: number;
  /** How much more than allowed stays all the same. */
  readonly over: number;
};

export async function planGc(
  survey: Survey,
  rule: GcRule,
  use: { readonly cache: CacheTree; readonly nowMs: number; readonly signal: AbortSignal },
): Promise<GcPlan> {
  const sized: { unit: Unit; bytes: number; usedMs: number }[] = [];
  await inTurns([...survey.units.values()].filter(hasContent), async (unit) => {
    use.signal.throwIfAborted();
    sized.push({ unit, bytes: (await measure(use.cache, unit)).total, usedMs: usedMs(unit) });
  });
  sized.sort((a, b) => a.usedMs - b.usedMs || (a.unit.id.path < b.unit.id.path ? -1 : 1));
  const bytes = sized.reduce((sum, each) => sum + each.bytes, 0);
  const leaving: Leaving[] = [];
  const counts = { kept: 0, recent: 0 };
  let rest = bytes;
  for (const { unit, ...each } of sized) {
    const age = use.nowMs - each.usedMs;
    const isOld = rule.unusedMs !== undefined && age >= rule.unusedMs;
    const isOver = rule.maxBytes !== undefined && rest > rule.maxBytes;
    if (!isOld && !isOver) continue;
    if (rule.keep.has(formatModuleVersion(unit.id))) counts.kept++;
    else if (age < Math.min(recentMs, rule.unusedMs ?? recentMs)) counts.recent++;
    else {
      leaving.push({ id: unit.id, ...each, reason: isOld ? "age" : "size" });
      rest -= each.bytes;
    }
  }
  const over = rule.maxBytes === undefined ? 0 : Math.max(0, rest - rule.maxBytes);
  return { versions: sized.length, bytes, leaving, ...counts, over };
}

export type GcReport = {
  readonly removed: readonly Leaving[];
  readonly freed: number;
  /** A go command is at work on them, or has used them since the plan was made. */
  readonly busy: readonly ModuleVersion[];
  /** Nothing on this machine takes go's locks: nothing was done. */
  readonly hasNoLocks: boolean;
};

/** Carries a plan out, version by version. */
export async function applyGc(
  plan: GcPlan,
  use: {
    readonly cache: CacheTree;
    readonly keeper: CacheKeeper;
    readonly signal: AbortSignal;
  },
): Promise<GcReport> {
  const removed: Leaving[] = [];
  const busy: ModuleVersion[] = [];
  const modules = new Set<ModulePath>();
  let freed = 0;
  for (const leaving of plan.leaving) {
    if (use.signal.aborted) break;
    const changed = await locked(use.keeper, leaving.id, async (lock) => {
      if (usedMs(await surveyUnit(use.cache, leaving.id)) > leaving.usedMs) return false;
      await removeParts(use.keeper, leaving.id, ["tree", "ziphash", "zip", "info", "mod"]);
      // Whoever waits for this very file would work beside the next one who makes a new one.
      if ((await lock.isWantedByOthers()) === false) await use.keeper.removeFile(unitPath(leaving.id, "lock"));
      return true;
    });
    if (changed.kind === "no-locks") return { removed, freed, busy, hasNoLocks: true };
    if (changed.kind !== "done" || !changed.value) {
      busy.push(leaving.id);
      continue;
    }
    removed.push(leaving);
    modules.add(leaving.id.path);
    freed += leaving.bytes;
  }
  for (const path of modules) await rewriteList(use.cache, use.keeper, path);
  return { removed, freed, busy, hasNoLocks: false };
}
