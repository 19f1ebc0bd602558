// `modcache verify`: every version of a cache, or some, held against everything that is known of them. It changes nothing.

import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { bytes as inBytes } from "#services/errors/sentences.ts";
import type { Evidence } from "#services/findings/finding.ts";
import { damageOf, remark } from "./damage.ts";
import type { Damage } from "./damage.ts";
import { countNuls } from "./files.ts";
import { judge } from "./judge.ts";
import { notedOf, truthOf } from "./known.ts";
import type { GoSums } from "./known.ts";
import { treePath, unitPath } from "./layout.ts";
import { lookAt } from "./look.ts";
import type { Unreadable } from "./look.ts";
import { CacheUnreadable } from "./ports.ts";
import type { CacheTree, LookUpSums } from "./ports.ts";
import { inTurns, surveyUnit } from "./survey.ts";
import type { Survey, TempFile, Unit } from "./survey.ts";
import { writtenLater } from "./tree-hash.ts";

/** Who vouched for the versions that were looked at. */
export type Vouched = { readonly database: number; readonly goSum: number; readonly nobody: number };

export type VerifyReport = {
  readonly root: string;
  readonly versions: number;
  readonly vouched: Vouched;
  readonly damages: readonly Damage[];
  readonly isReadOnly: boolean;
  /** It was told to stop, or its time was over: not all were looked at. */
  readonly isCutShort: boolean;
};

export type VerifyUse = {
  readonly cache: CacheTree;
  readonly goSums: GoSums;
  readonly lookUp: LookUpSums;
  readonly signal: AbortSignal;
  /** The caller holds the locks of the versions: they say nothing about a go at work. */
  readonly holdsLocks?: true;
  /** Told after each version. */
  readonly progress?: (done: number, total: number) => void;
};

/** Reading is what takes the time: more at once only make a disk seek. */
const jobsAtOnce = 4;
/** Paths named as evidence. */
const maxNamed = 5;
/** Longest list that is read; ten thousand versions are 200 KiB. */
const maxListBytes = 1 << 20;

/** @param units those to be looked at; the rest of the survey is judged by names and permissions alone */
export async function verifyUnits(units: readonly Unit[], use: VerifyUse): Promise<Omit<VerifyReport, "isReadOnly">> {
  const vouched = { database: 0, goSum: 0, nobody: 0 };
  const damages = new Map<Unit, readonly Damage[]>();
  const unreadable: Unreadable[] = [];
  let done = 0;
  await inTurns(
    units,
    async (unit) => {
      try {
        use.signal.throwIfAborted();
        const looked = await verifyTwice(unit, use);
        damages.set(unit, looked.damages);
        unreadable.push(...looked.unreadable);
        vouched[looked.voucher]++;
        done++;
        use.progress?.(done, units.length);
      } catch (error) {
        if (!use.signal.aborted || error !== use.signal.reason) throw error;
      }
    },
    jobsAtOnce,
  );
  return {
    root: use.cache.root,
    versions: done,
    vouched,
    damages: [...units.flatMap((unit) => damages.get(unit) ?? []), ...unreadableOf(unreadable)],
    isCutShort: done < units.length,
  };
}

type Looked = {
  readonly damages: readonly Damage[];
  readonly unreadable: readonly Unreadable[];
  readonly voucher: keyof Vouched;
};

/** What a go command beside us has changed meanwhile is looked at once more. */
async function verifyTwice(unit: Unit, use: VerifyUse): Promise<Looked> {
  const looked = await verifyUnit(unit, use);
  if (looked.damages.length === 0) return looked;
  const now = await surveyUnit(use.cache, unit.id);
  return sameFacts(now, unit) ? looked : await verifyUnit(now, use);
}

function sameFacts(a: Unit, b: Unit): boolean {
  const facts = ({ files, tree }: Unit): string =>
    [...Object.entries(files), ["tree", tree] as const]
      .map(([name, found]) => `${name} ${found?.size} ${found?.modifiedMs}`)
      .sort()
      .join();
  return facts(a) === facts(b);
}

async function verifyUnit(unit: Unit, { cache, goSums, lookUp, signal, holdsLocks }: VerifyUse): Promise<Looked> {
  const { id } = unit;
  const [seen, recorded] = await Promise.all([lookAt(cache, unit, signal), lookUp(id, signal)]);
  const known = { noted: notedOf(goSums, id), recorded };
  const damages = judge(id, seen, known).map(async (damage) => await withEdited(cache, damage));
  const isAtWork = holdsLocks !== true && unit.files.partial && (await cache.isLocked(unitPath(id, "lock")));
  if (unit.files.partial !== undefined && isAtWork !== true) {
    const evidence: Evidence[] = [{ kind: "place", text: unitPath(id, "partial") }];
    const fields = { what: formatModuleVersion(id) };
    damages.push(Promise.resolve(damageOf(id, "CACHE_PARTIAL", { fields, evidence, parts: ["partial"] })));
  }
  const isKnown = truthOf(known, "zip") !== undefined || truthOf(known, "mod") !== undefined;
  const voucher = recorded.kind === "recorded" ? "database" : isKnown ? "goSum" : "nobody";
  return { damages: await Promise.all(damages), unreadable: seen.unreadable, voucher };
}

/** A changed tree with the files that were written after it was extracted. */
async function withEdited(cache: CacheTree, damage: Damage): Promise<Damage> {
  const { id, finding } = damage;
  if (id === undefined || finding.code !== "CACHE_TREE_CHANGED") return damage;
  const edited = await writtenLater(cache, id);
  const top = `${treePath(id)}/`;
  const evidence = edited.map((path): Evidence => ({ kind: "place", text: `… ${path.slice(top.length)}` }));
  return { ...damage, finding: { ...finding, evidence: [...finding.evidence, ...evidence] } };
}

/** What lies about a cache beside versions: lists, temporary files, permissions. */
export async function verifyRest(survey: Survey, cache: CacheTree): Promise<readonly Damage[]> {
  const units = [...survey.units.values()];
  return [
    ...(await listFaults(survey, cache)),
    ...(await tempFault(survey, cache)),
    ...unreadableOf(survey.unreadable),
    ...ownerFault(units),
    ...writableFault(units),
  ];
}

async function listFaults({ lists }: Survey, cache: CacheTree): Promise<Damage[]> {
  const faults: Damage[] = [];
  await inTurns(lists, async ({ path }) => {
    const nuls = countNuls((await readOr(cache, path)) ?? new Uint8Array());
    if (nuls === 0) return;
    faults.push(remark("CACHE_LIST_DAMAGED", { fields: { path, nuls }, files: [path] }));
  });
  return faults;
}

async function readOr(cache: CacheTree, path: string): Promise<Uint8Array | undefined> {
  try {
    return await cache.read(path, maxListBytes);
  } catch (error) {
    if (error instanceof CacheUnreadable) return undefined;
    throw error;
  }
}

/** What a go command at work is writing is left out. */
async function tempFault({ temps }: Survey, cache: CacheTree): Promise<Damage[]> {
  const left: TempFile[] = [];
  for (const temp of temps)
    if (temp.id === undefined || (await cache.isLocked(unitPath(temp.id, "lock"))) !== true) left.push(temp);
  if (left.length === 0) return [];
  const size = left.reduce((sum, { facts }) => sum + facts.size, 0);
  const fields = { count: left.length, bytes: inBytes(size) };
  const files = left.map(({ path }) => path);
  return [remark("CACHE_TEMPS", { fields, evidence: places(files), files })];
}

function unreadableOf(paths: readonly Unreadable[]): Damage[] {
  if (paths.length === 0) return [];
  const evidence = places(paths.map(({ path, reason }) => `${path}: ${reason}`));
  return [remark("CACHE_UNREADABLE", { fields: { count: paths.length }, evidence })];
}

function ownerFault(units: readonly Unit[]): Damage[] {
  const foreign = units.filter(({ files, tree }) =>
    [...Object.values(files), ...(tree === undefined ? [] : [tree])].some(({ isOurs }) => !isOurs),
  );
  if (foreign.length === 0) return [];
  const evidence = places(foreign.map(({ id }) => formatModuleVersion(id)));
  return [remark("CACHE_FOREIGN_OWNER", { fields: { count: foreign.length }, evidence })];
}

const writeBits = 0o222;

function writableFault(units: readonly Unit[]): Damage[] {
  const writable = units.filter(({ tree }) => tree !== undefined && (tree.mode & writeBits) !== 0);
  if (writable.length === 0) return [];
  const evidence = places(writable.map(({ id }) => treePath(id)));
  return [remark("CACHE_TREES_WRITABLE", { fields: { count: writable.length }, evidence })];
}

function places(paths: readonly string[]): Evidence[] {
  const more = paths.length - maxNamed;
  return [...paths.slice(0, maxNamed), ...(more > 0 ? [`… ${more}`] : [])].map((text) => ({ kind: "place", text }));
}

/** The versions with these names, and those names that nothing of is there. */
export function pick(
  survey: Survey,
  wanted: readonly ModuleVersion[],
): { readonly units: readonly Unit[]; readonly absent: readonly ModuleVersion[] } {
  const found = wanted.map((id) => ({ id, unit: survey.units.get(formatModuleVersion(id)) }));
  return {
    units: found.flatMap(({ unit }) => (unit === undefined ? [] : [unit])),
    absent: found.flatMap(({ id, unit }) => (unit === undefined ? [id] : [])),
  };
}
