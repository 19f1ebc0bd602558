// `modcache verify --fix`: takes damaged parts away, and nothing else; go makes them anew when it needs them.

import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { locked, removeParts, rewriteList } from "./change.ts";
import { damageOf, parts as allParts, remark } from "./damage.ts";
import type { Damage, Part } from "./damage.ts";
import { readId, readName, downloadFolder } from "./layout.ts";
import type { CacheKeeper } from "./ports.ts";
import { surveyUnit } from "./survey.ts";
import { verifyUnits } from "./verify.ts";
import type { VerifyUse } from "./verify.ts";

export type Repair = { readonly id: ModuleVersion; readonly parts: readonly Part[] };

export type RepairPlan = {
  readonly units: readonly Repair[];
  /** Temporary files. */
  readonly files: readonly string[];
  /** Written anew. */
  readonly lists: readonly string[];
};

/** What would be taken away. */
export function planRepair(damages: readonly Damage[]): RepairPlan {
  const units = new Map<string, { id: ModuleVersion; parts: Set<Part> }>();
  const files: string[] = [];
  const lists: string[] = [];
  for (const damage of damages) {
    for (const path of damage.files) (isList(path) ? lists : files).push(path);
    if (damage.id === undefined || damage.parts.length === 0) continue;
    const name = formatModuleVersion(damage.id);
    const unit = units.get(name) ?? { id: damage.id, parts: new Set() };
    for (const part of damage.parts) unit.parts.add(part);
    units.set(name, unit);
  }
  return {
    units: [...units.values()].map(({ id, parts }) => ({ id, parts: allParts.filter((part) => parts.has(part)) })),
    files,
    lists,
  };
}

export function isEmptyPlan({ units, files, lists }: RepairPlan): boolean {
  return units.length + files.length + lists.length === 0;
}

export type RepairReport = {
  readonly repaired: readonly Repair[];
  readonly files: number;
  readonly lists: number;
  /** Why something stayed. */
  readonly left: readonly Damage[];
};

/** Carries the plan out. Each version is looked at once more under its lock: what go mended meanwhile stays. */
export async function applyRepair(
  plan: RepairPlan,
  use: Omit<VerifyUse, "progress"> & { readonly keeper: CacheKeeper },
): Promise<RepairReport> {
  const { cache, keeper, signal } = use;
  const repaired: Repair[] = [];
  const left: Damage[] = [];
  for (const { id } of plan.units) {
    if (signal.aborted) break;
    const changed = await locked(keeper, id, async () => {
      const { damages } = await verifyUnits([await surveyUnit(cache, id)], { ...use, holdsLocks: true });
      const [again] = planRepair(damages).units;
      await removeParts(keeper, id, again?.parts ?? []);
      return again;
    });
    if (changed.kind === "done" && changed.value !== undefined) repaired.push(changed.value);
    if (changed.kind === "busy") left.push(damageOf(id, "CACHE_BUSY", { fields: { what: formatModuleVersion(id) } }));
    if (changed.kind === "no-locks") {
      left.push(remark("CACHE_NO_LOCKS", { fields: { root: cache.root } }));
      break;
    }
  }
  const modules = new Set(repaired.filter(({ parts }) => parts.includes("mod")).map(({ id }) => id.path));
  for (const path of modules) await rewriteList(cache, keeper, path);
  const files = await removeTemps(plan.files, use);
  const lists = await rewriteLists(plan.lists, use);
  return { repaired, files, lists, left };
}

/** A temporary file goes under the lock of its version; of `list` it is go's alone and short-lived. */
async function removeTemps(
  paths: readonly string[],
  { keeper, signal }: { readonly keeper: CacheKeeper; readonly signal: AbortSignal },
): Promise<number> {
  let removed = 0;
  for (const path of paths) {
    if (signal.aborted) break;
    const id = idOfTemp(path);
    const remove = async (): Promise<boolean> => await keeper.removeFile(path);
    if (id === undefined) continue;
    const changed = await locked(keeper, id, remove);
    if (changed.kind === "done" && changed.value) removed++;
  }
  return removed;
}

async function rewriteLists(
  paths: readonly string[],
  { cache, keeper, signal }: Pick<VerifyUse, "cache" | "signal"> & { readonly keeper: CacheKeeper },
): Promise<number> {
  let written = 0;
  for (const path of paths) {
    const id = readId(path.slice(downloadFolder.length + 1, -"/@v/list".length), "v0.0.0") ?? undefined;
    const module = id?.path;
    if (signal.aborted || module === undefined) continue;
    await rewriteList(cache, keeper, module);
    written++;
  }
  return written;
}

function isList(path: string): boolean {
  return path.endsWith("/@v/list");
}

function idOfTemp(path: string): ModuleVersion | undefined {
  const at = path.lastIndexOf("/@v/");
  const read = readName(path.slice(at + "/@v/".length));
  if (read.kind !== "temp" || read.version === undefined) return undefined;
  return readId(path.slice(downloadFolder.length + 1, at), read.version);
}
