// The commands about a go command's module cache. Nothing of a store or a server is needed, and go only where it downloads.

import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { systemClock } from "#adapters/system/clock.ts";
import { DiskModuleCache } from "#adapters/system/module-cache.ts";
import { DiskCacheKeeper } from "#adapters/system/module-cache-keeper.ts";
import { VerifyPool } from "#adapters/system/verify-pool.ts";
import type {
  GcRequest,
  GcView,
  ModcacheServices,
  RefreshRequest,
  RefreshView,
  TracedQuestion,
  VerifyRequest,
  VerifyView,
  Vouching,
} from "#doors/cli/modcache-services.ts";
import type { SettingFlags } from "#doors/cli/services.ts";
import { maxGoSumBytes, parseGoSum } from "#protocol/gosum.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { examineCache } from "#services/modcache/examine.ts";
import { parseDownloads } from "#services/modcache/download.ts";
import { applyGc, planGc } from "#services/modcache/gc.ts";
import { cacheInfo } from "#services/modcache/info.ts";
import { indexGoSums } from "#services/modcache/known.ts";
import type { GoSumText } from "#services/modcache/known.ts";
import { CacheUnreadable } from "#services/modcache/ports.ts";
import type { ZipHash } from "#services/modcache/ports.ts";
import { refreshVersion } from "#services/modcache/refresh.ts";
import type { Refreshed } from "#services/modcache/refresh.ts";
import { applyRepair, isEmptyPlan, planRepair } from "#services/modcache/repair.ts";
import { survey } from "#services/modcache/survey.ts";
import { hasContent } from "#services/modcache/use.ts";
import { pick, verifyRest, verifyUnits } from "#services/modcache/verify.ts";
import { remark } from "#services/modcache/damage.ts";
import { verifyModule } from "#services/modcache/version-report.ts";
import { hash } from "node:crypto";
import { awake } from "./awake.ts";
import type { Config } from "./config.ts";
import { readText } from "./fetch-inputs.ts";
import { findAbove } from "./find-above.ts";
import type { Machine } from "./go-env.ts";
import { withDownload } from "./modcache-go.ts";
import { findModcache, headsFolder, keptHeads, readVersion } from "./modcache-place.ts";
import type { ModcachePlace } from "./modcache-place.ts";
import { smoke } from "./modcache-smoke.ts";
import { openSums } from "./modcache-sums.ts";

export type ModcacheUse = {
  readonly load: (flags: SettingFlags) => Promise<Config>;
  readonly machine: Machine;
  readonly verifyEntry: URL;
  /** Called with each request to stop; returns a function that stops listening for them. */
  readonly onStop: (stop: () => void) => () => void;
};

export function modcacheServices(use: ModcacheUse): ModcacheServices {
  const within = <T>(cache: string | undefined, work: (at: At) => Promise<T>): Promise<T> =>
    withCache(use, cache, work);
  return {
    info: (cache) =>
      within(cache, async ({ place, cache: tree, signal }) => ({
        ...(await cacheInfo(tree, signal)),
        origin: place.origin,
        fileProxy: pathToFileURL(join(place.root, "cache", "download")).href,
        heads: (await keptHeads(headsFolder(place))).flatMap(({ database, note }) => treeSizeOf(database, note)),
      })),
    examine: (signal) =>
      within(undefined, async (at) => {
        const vouching = await openVouching({ cache: undefined, goSums: [], isOffline: true }, at);
        try {
          return await examineCache({ ...at, ...vouching, signal });
        } finally {
          await vouching.close();
        }
      }),
    verify: (request, on) => within(request.cache, async (at) => await verify(request, { ...at, ...on })),
    gc: (request, onPlan) => within(request.cache, async (at) => await gc(request, { ...at, onPlan })),
    refresh: (request, progress) => within(request.cache, async (at) => await refresh(request, { ...at, progress })),
    module: (what, request) =>
      within(request.cache, async (at) => {
        const questions: TracedQuestion[] = [];
        const vouching = await openVouching(request, at, (question) => questions.push(question));
        try {
          return { ...(await verifyModule(readVersion(what), { ...at, ...vouching })), questions };
        } finally {
          await vouching.close();
        }
      }),
    smoke: (what, timeoutMs) =>
      within(undefined, async ({ place, signal }) => {
        const { env } = use.machine;
        return await smoke(formatModuleVersion(readVersion(what)), { env, timeoutMs, signal, place });
      }),
  };
}

type At = {
  readonly place: ModcachePlace;
  readonly cache: DiskModuleCache;
  readonly keeper: DiskCacheKeeper;
  readonly signal: AbortSignal;
  readonly use: ModcacheUse;
  readonly open: (root: string) => DiskModuleCache;
};

async function withCache<T>(use: ModcacheUse, folder: string | undefined, work: (at: At) => Promise<T>): Promise<T> {
  const place = await findModcache(use.machine, folder);
  const pool = new VerifyPool({ entry: use.verifyEntry });
  const stop = new AbortController();
  const off = use.onStop(() => stop.abort(new GranaryError("GRANARY_STOPPED", {})));
  const hashZip = async (
    path: string,
    id: { path: string; version: string },
    signal: AbortSignal,
  ): Promise<ZipHash> => {
    const { report, h1, goMod } = await pool.check({ path }, id, signal);
    const [problem] = report.problems;
    if (!report.valid) return { kind: "broken", reason: [problem?.name, problem?.reason].filter(Boolean).join(": ") };
    return { kind: "hash", h1, goModSha256: goMod && hash("sha256", goMod) };
  };
  const open = (root: string): DiskModuleCache => new DiskModuleCache(root, hashZip);
  const keeper = new DiskCacheKeeper(place.root);
  try {
    const at = { place, cache: open(place.root), keeper, signal: stop.signal, use, open };
    return await awake(() => work(at));
  } catch (error) {
    if (!(error instanceof CacheUnreadable)) throw error;
    const at = { place: join(place.root, error.path), reason: error.message };
    throw new GranaryError("GRANARY_INPUT_UNREADABLE", at, { cause: error });
  } finally {
    off();
    await pool.close();
  }
}

/** The second line but one of a head's text: how many records there are. */
function treeSizeOf(database: string, note: Uint8Array): { database: string; treeSize: number }[] {
  const treeSize = Number(Buffer.from(note).toString("latin1").split("\n")[1]);
  return Number.isSafeInteger(treeSize) && treeSize > 0 ? [{ database, treeSize }] : [];
}

async function openVouching(
  { goSums, isOffline }: Vouching,
  { place, use }: At,
  onQuestion?: (question: TracedQuestion) => void,
): Promise<
  Awaited<ReturnType<typeof openSums>> & { goSums: ReturnType<typeof indexGoSums>; files: readonly string[] }
> {
  const texts = await readGoSums(goSums.length > 0 ? goSums : await nearestGoSums());
  const sums = await openSums({ place, load: use.load, isOffline, ...(onQuestion && { onQuestion }) });
  return { ...sums, goSums: indexGoSums(texts), files: texts.map(({ file }) => file) };
}

async function nearestGoSums(): Promise<string[]> {
  const goMod = await findAbove("go.mod");
  const goSum = goMod && (await findAbove("go.sum", dirname(goMod)));
  const work = await findAbove("go.work.sum");
  return [...(goSum === undefined ? [] : [goSum]), ...(work === undefined ? [] : [work])];
}

async function readGoSums(files: readonly string[]): Promise<GoSumText[]> {
  const texts: GoSumText[] = [];
  for (const file of files) texts.push({ file, text: await readText(file, maxGoSumBytes) });
  return texts;
}

type Verifying = At & {
  readonly progress: (done: number, total: number) => void;
  readonly plan: (view: VerifyView) => void;
};

async function verify(request: VerifyRequest, at: Verifying): Promise<VerifyView> {
  const { cache, keeper, signal } = at;
  const vouching = await openVouching(request, at);
  try {
    const found = await survey(cache, signal);
    const wanted = request.versions.map(readVersion);
    const all = [...found.units.values()].filter(hasContent);
    const { units, absent } = wanted.length === 0 ? { units: all, absent: [] } : pick(found, wanted);
    const context = { cache, ...vouching, signal };
    const report = await verifyUnits(units, { ...context, progress: at.progress });
    const rest = wanted.length === 0 ? await verifyRest(found, cache) : [];
    const isReadOnly = (await cache.facts("")) !== undefined && !(await cache.isWritable());
    const readOnly = isReadOnly ? [remark("CACHE_READ_ONLY", { fields: { root: cache.root } })] : [];
    const damages = [...report.damages, ...readOnly, ...rest];
    const plan = planRepair(damages);
    const view = {
      ...report,
      damages,
      isReadOnly,
      plan,
      goSums: vouching.files,
      absent: absent.map(formatModuleVersion),
    };
    if (!request.fixes || isEmptyPlan(plan) || isReadOnly || signal.aborted) return view;
    at.plan(view);
    return { ...view, repair: await applyRepair(plan, { ...context, keeper }) };
  } finally {
    await vouching.close();
  }
}

async function gc(request: GcRequest, at: At & { readonly onPlan: (view: GcView) => void }): Promise<GcView> {
  const { cache, keeper, signal } = at;
  const texts = await readGoSums(request.keep);
  const keep = new Set(texts.flatMap(({ text }) => parseGoSum(text).lines.map(({ id }) => formatModuleVersion(id))));
  const rule = { maxBytes: request.maxBytes, unusedMs: request.unusedMs, keep };
  const plan = await planGc(await survey(cache, signal), rule, { cache, nowMs: systemClock.now(), signal });
  const view = { root: cache.root, plan };
  at.onPlan(view);
  if (request.isDryRun || plan.leaving.length === 0) return view;
  return { ...view, report: await applyGc(plan, { cache, keeper, signal }) };
}

/** A large build list over a slow link. */
const refreshMs = 60 * 60_000;

async function refresh(
  { versions }: RefreshRequest,
  at: At & { readonly progress: (done: number, total: number) => void },
): Promise<RefreshView> {
  const { cache, keeper, signal, open, use } = at;
  const wanted = versions.map((text) => formatModuleVersion(readVersion(text)));
  const request = {
    command: "granary modcache refresh",
    versions: wanted,
    env: use.machine.env,
    timeoutMs: refreshMs,
    signal,
  };
  const began = systemClock.now();
  return await withDownload(request, async ({ end, root }) => {
    const fresh = open(root);
    const downloads = parseDownloads(end.stdout);
    const failures = downloads.flatMap(({ id, error }) =>
      error === undefined ? [] : [{ what: formatModuleVersion(id), reason: error }],
    );
    if (end.kind === "stopped" || (downloads.length === 0 && end.code !== 0))
      failures.push({ what: "go mod download", reason: lastWords(end.kind === "stopped" ? end.because : end.stderr) });
    const done: Refreshed[] = [];
    for (const { id } of downloads.filter(({ error }) => error === undefined)) {
      if (signal.aborted) break;
      done.push(await refreshVersion(id, { fresh, locate: (path) => fresh.locate(path), cache, keeper, signal }));
      at.progress(done.length, downloads.length);
    }
    const bytes = done.reduce((sum, each) => sum + each.bytes, 0);
    const ms = systemClock.now() - began;
    return { root: cache.root, versions: done, failures, bytes, ms, wasInterrupted: signal.aborted };
  });
}

/** What go said last that is no trace of -x. */
export function lastWords(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("# "));
  return (lines.at(-1) ?? "").slice(0, 300);
}
