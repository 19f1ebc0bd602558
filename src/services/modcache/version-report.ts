// `granary verify m@v`: one version with everything that vouches for it, side by side.

import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { damageOf, remark } from "./damage.ts";
import type { Damage } from "./damage.ts";
import { judge } from "./judge.ts";
import { notedOf, truthOf } from "./known.ts";
import type { GoSums, Known, Noted } from "./known.ts";
import { lifeOf } from "./life.ts";
import type { Life } from "./life.ts";
import { lookAt } from "./look.ts";
import type { Seen } from "./look.ts";
import type { CacheTree, LookUpSums, SumsAnswer } from "./ports.ts";
import { surveyUnit } from "./survey.ts";
import type { Unit } from "./survey.ts";
import { hasContent } from "./use.ts";

/**
 * `proven`: what is here is what the checksum database recorded. `noted`: it is what go.sum has, and no database was asked.
 * `alone`: it agrees with itself. `wrong`: something does not fit. `absent`: nothing of it is here.
 */
export type VersionVerdict = "proven" | "noted" | "alone" | "wrong" | "absent";

export type VersionReport = {
  readonly id: ModuleVersion;
  readonly root: string;
  readonly verdict: VersionVerdict;
  /** Hashes of what lies in the cache; undefined for what is not there. */
  readonly zip: string | undefined;
  readonly ziphash: string | undefined;
  readonly files: string | undefined;
  readonly mod: string | undefined;
  readonly goSum: Noted;
  readonly recorded: SumsAnswer;
  readonly life: Life;
  readonly damages: readonly Damage[];
};

export type VersionUse = {
  readonly cache: CacheTree;
  readonly goSums: GoSums;
  readonly lookUp: LookUpSums;
  readonly signal: AbortSignal;
};

/** Throws the signal's reason, and CacheUnreadable when the cache itself cannot be read. */
export async function verifyModule(id: ModuleVersion, use: VersionUse): Promise<VersionReport> {
  const { cache, goSums, lookUp, signal } = use;
  const unit = await surveyUnit(cache, id);
  const [seen, recorded] = await Promise.all([lookAt(cache, unit, signal), lookUp(id, signal)]);
  const known: Known = { noted: notedOf(goSums, id), recorded };
  const life = await lifeOf(cache, unit, seen.info);
  const damages = [...judge(id, seen, known), ...unreadable(seen), ...about(unit, known, { life, root: cache.root })];
  return {
    id,
    root: cache.root,
    verdict: verdictOf(unit, damages, known),
    zip: seen.zip?.kind === "hash" ? seen.zip.h1 : undefined,
    ziphash: seen.ziphash?.kind === "hash" ? seen.ziphash.h1 : undefined,
    files: seen.tree?.kind === "hash" ? seen.tree.h1 : undefined,
    mod: seen.mod,
    goSum: known.noted,
    recorded,
    life,
    damages,
  };
}

function verdictOf(unit: Unit, damages: readonly Damage[], known: Known): VersionVerdict {
  if (damages.some(({ finding }) => finding.severity === "fail")) return "wrong";
  if (!hasContent(unit)) return "absent";
  if (known.recorded.kind === "recorded") return "proven";
  return truthOf(known, "zip") === undefined && truthOf(known, "mod") === undefined ? "alone" : "noted";
}

function unreadable({ unreadable: paths }: Seen): Damage[] {
  if (paths.length === 0) return [];
  const evidence = paths.map(({ path, reason }) => ({ kind: "place" as const, text: `${path}: ${reason}` }));
  return [remark("CACHE_UNREADABLE", { fields: { count: paths.length }, evidence })];
}

/** What is no damage and worth a word. */
function about(unit: Unit, known: Known, { life, root }: { readonly life: Life; readonly root: string }): Damage[] {
  const { id } = unit;
  const what = formatModuleVersion(id);
  if (!hasContent(unit)) return [damageOf(id, "CACHE_NOT_CACHED", { fields: { what, root } })];
  const said: Damage[] = [];
  const { recorded } = known;
  if (recorded.kind !== "recorded" && recorded.kind !== "unproven" && truthOf(known, "zip") === undefined) {
    const reason = recorded.kind === "unasked" ? reasonOf[recorded.because] : recorded.reason;
    said.push(damageOf(id, "CACHE_NO_PROOF", { fields: { what, reason } }));
  }
  if (life.retracted !== undefined) {
    const { by, rationale } = life.retracted;
    const evidence = rationale === "" ? [] : [{ kind: "seen" as const, text: rationale.split("\n", 1)[0] ?? "" }];
    said.push(damageOf(id, "CACHE_RETRACTED", { fields: { what, by }, evidence }));
  }
  return said;
}

/** Settings are named as they stand; they need no translation. */
const reasonOf = {
  off: "GOSUMDB=off",
  pattern: "GONOSUMDB / GOPRIVATE",
  "file-proxy": "GOPROXY=file://…",
  refused: "GOSUMDB / GOPROXY",
} as const;
