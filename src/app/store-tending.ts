// The commands that tend a store: make room, look it over, read it, bring its layout up to date, pin, roll back. All of them
// may run beside a server.

import { createReadStream } from "node:fs";
import { basename, join, resolve } from "node:path";
import { JsonlSink } from "#adapters/sinks/jsonl.ts";
import { systemClock } from "#adapters/system/clock.ts";
import { VerifyPool } from "#adapters/system/verify-pool.ts";
import type { CliServices, SettingFlags } from "#doors/cli/services.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { maxZipBytes } from "#protocol/zip-check.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { readGraph } from "#services/prewarm/graph.ts";
import { parseModuleVersion } from "#services/prewarm/wanted.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import { Quarantine } from "#services/store/quarantine.ts";
import { fsck } from "#services/tending/fsck.ts";
import { rebuildIndex } from "#services/tending/facts.ts";
import { collectGarbage } from "#services/tending/gc.ts";
import type { GcRule } from "#services/tending/gc.ts";
import type { Storage } from "#services/store/ports.ts";
import type { StoreIndex } from "#services/tending/ports.ts";
import { PinDamaged, Retained } from "#services/tending/retained.ts";
import type { Pinned } from "#services/tending/retained.ts";
import { rollBack } from "#services/tending/rollback.ts";
import { scrub } from "#services/tending/scrub.ts";
import { awake } from "./awake.ts";
import type { Config } from "./config.ts";
import { readDirectoryGoMod, readInput } from "./fetch-inputs.ts";
import type { MainInput } from "./fetch-inputs.ts";
import { openStore } from "./open-store.ts";
import type { OpenedStore } from "./open-store.ts";
import { indexPlaceOf } from "./index-place.ts";
import type { IndexPlace } from "./index-place.ts";
import { aloneWith, doubtIndex, evictingLayout, gcRuleOf, knowsAllUses, withIndex } from "./tending.ts";

export type TendingCommands = Pick<
  CliServices,
  | "storeGc"
  | "storeFsck"
  | "storeScrub"
  | "storeHot"
  | "storeMigrate"
  | "storeRollback"
  | "pinAdd"
  | "pinList"
  | "pinRemove"
>;

type Io = { readonly onStop: (stop: () => void) => () => void; readonly verifyEntry: URL };

/** go.mod files of a build list read at a time: they are on the disk beside us. */
const graphJobs = 8;

export function tendingCommands(load: (flags: SettingFlags) => Promise<Config>, io: Io): TendingCommands {
  /** Runs a command on an opened store until it is done or told to stop. */
  const on = async <T>(flags: SettingFlags, work: (use: Opened) => Promise<T>): Promise<T> => {
    const config = await load(flags);
    const dir = config.values.store;
    const place = await indexPlaceOf(config);
    const opened = await openStore(config, {});
    const { storage } = opened;
    const events = new JsonlSink(join(dir, "state", "events.jsonl"), systemClock);
    const stop = new AbortController();
    const off = io.onStop(() => stop.abort(new GranaryError("GRANARY_STOPPED", {})));
    const store = new ModuleStore(storage);
    try {
      return await awake(() => work({ config, dir, place, storage, opened, events, store, signal: stop.signal }));
    } finally {
      off();
      await store.close();
      await events.flush();
    }
  };
  return {
    storeGc: (request, flags, progress) =>
      on(flags, async ({ config, place, storage, opened, events, store, signal, dir }) => {
        const rule: GcRule = { ...gcRuleOf(config.values), ...request.rule };
        if (rule.maxBytes === undefined && rule.unusedMs === undefined)
          throw new GranaryError("GRANARY_BAD_USAGE", {
            reason: "neither a size nor an age is given",
            usage: "granary store gc --max-size 5GB --older-than 30d [--dry-run]",
          });
        if (!request.isDryRun && !request.byOwnUses && !knowsAllUses(config.values))
          throw new GranaryError("GRANARY_GC_SHARED", { bucket: config.values["s3.bucket"] });
        if (!request.isDryRun && (await opened.layout()) < evictingLayout)
          throw new GranaryError("GRANARY_LAYOUT_OLD", { dir, found: await opened.layout() });
        const isPinned = await pinsOf(storage).asked().catch(inOurWords);
        return await withIndex(place, async (index) => {
          await makeWhole(index, { storage, signal, progress: () => undefined });
          const evicting = request.isDryRun ? undefined : store;
          const report = await aloneWith(index, { what: "gc", signal }, (until) =>
            collectGarbage(rule, { index, store: evicting, isPinned, clock: systemClock, signal: until, progress }),
          );
          const { evicted, freed, spared, over } = report;
          if (!request.isDryRun) events.emit({ name: "gc.done", evicted, freed, spared, over });
          return { ...report, isDryRun: request.isDryRun, rule };
        });
      }),
    storeFsck: (request, flags, progress) =>
      on(flags, async ({ place, storage, store, signal }) => {
        const { repairs, isDeep } = request;
        if (repairs) await doubtIndex(place); // refused before anything is done when nobody could be told
        const report = await fsck({ storage, store, clock: systemClock, isDeep, repairs, signal, progress });
        if (repairs && report.findings.length > 0) await doubtIndex(place);
        const rebuilt = request.rebuilds
          ? await withIndex(place, (index) =>
              aloneWith(index, { what: "rebuild", signal }, (until) =>
                rebuildIndex({ storage, index, clock: systemClock, signal: until }),
              ),
            )
          : undefined;
        return { ...report, ...(rebuilt && { indexed: rebuilt.versions }) };
      }),
    storeScrub: ({ bytesPerSecond }, flags, progress) =>
      on(flags, ({ place, storage, store, events, signal }) =>
        withIndex(place, async (index) => {
          await makeWhole(index, { storage, signal, progress: () => undefined });
          const damages: { key: string; problem: string }[] = [];
          const report = await aloneWith(index, { what: "scrub", signal }, (until) =>
            scrub(systemClock.now(), {
              index,
              store,
              clock: systemClock,
              bytesPerSecond: () => bytesPerSecond,
              mend: undefined,
              onDamage: (damage) => {
                const { key, message } = damage;
                const problem =
                  damage instanceof StoreDamaged ? `expected ${damage.expected}, found ${damage.found}` : message;
                if (damages.length < maxDamages) damages.push({ key, problem });
                events.emit({ name: "store.damaged", key, repaired: false, reason: message });
              },
              signal: until,
              progress,
            }),
          );
          return { ...report, damages };
        }),
      ),
    storeHot: (limit, flags) =>
      on(flags, ({ place }) =>
        withIndex(place, async (index) =>
          (await index.hottest(limit)).map(({ path, ...rest }) => ({ module: path, ...rest })),
        ),
      ),
    storeMigrate: (isDryRun, flags, progress) =>
      on(flags, async ({ place, storage, opened, signal }) => {
        const from = await opened.layout();
        return await withIndex(place, async (index) => {
          const steps: ("index" | "layout")[] = [];
          if (!(await index.isWhole())) steps.push("index");
          if (from < evictingLayout) steps.push("layout");
          if (isDryRun) return { from, to: evictingLayout, steps, isDryRun };
          await makeWhole(index, { storage, signal, progress });
          if (from < evictingLayout) await opened.raiseLayout();
          return { from, to: evictingLayout, steps, isDryRun };
        });
      }),
    storeRollback: ({ what, sha256, from }, flags) =>
      on(flags, async ({ place, storage, store, signal }) => {
        const id = idOf(what, "granary store rollback MODULE@VERSION --sha256 HEX");
        await doubtIndex(place);
        const verifier = new VerifyPool({ entry: io.verifyEntry });
        try {
          return await rollBack(id, sha256, {
            storage,
            store,
            quarantine: new Quarantine(storage, systemClock),
            verifier,
            given: from === undefined ? undefined : () => stagedFile(storage, from),
            clock: systemClock,
            signal,
          });
        } finally {
          await verifier.close();
          await doubtIndex(place);
        }
      }),
    pinAdd: ({ what, from }, flags) =>
      on(flags, async ({ storage, store, signal }) => {
        const pins = pinsOf(storage);
        return await pins.add(from === undefined ? pinned(what ?? "") : await pinnedFrom(from, store, signal));
      }),
    pinList: (flags) => on(flags, async ({ storage }) => await pinsOf(storage).list().catch(inOurWords)),
    pinRemove: (id, flags) =>
      on(flags, async ({ storage }) => {
        if (!(await pinsOf(storage).remove(id))) throw new GranaryError("GRANARY_NO_SUCH_ID", { kind: "pin", id });
      }),
  };
}

type Opened = {
  readonly config: Config;
  readonly dir: string;
  readonly place: IndexPlace;
  readonly storage: Storage;
  readonly opened: OpenedStore;
  readonly store: ModuleStore;
  readonly events: JsonlSink;
  readonly signal: AbortSignal;
};

/** Damages named in a report. */
const maxDamages = 1_000;

const pinsOf = (storage: Storage): Retained => new Retained(storage, systemClock);

async function makeWhole(
  index: StoreIndex,
  use: {
    readonly storage: Storage;
    readonly signal: AbortSignal;
    readonly progress: (done: number) => void;
  },
): Promise<void> {
  if (await index.isWhole()) return;
  const rest = (done: number): Promise<void> => {
    use.progress(done);
    return Promise.resolve();
  };
  await rebuildIndex({ storage: use.storage, index, clock: systemClock, signal: use.signal, rest });
}

/** What `pin add WHAT` names: one version, or a pattern of paths. Throws GRANARY_BAD_USAGE. */
function pinned(what: string): Omit<Pinned, "id" | "since"> {
  const usage = "granary pin add --from go.sum | MODULE@VERSION | PATTERN";
  if (what.includes("@")) {
    const id = idOf(what, usage);
    return { from: what, versions: [formatModuleVersion(id)], patterns: [] };
  }
  if (what === "" || /[\s,]/.test(what))
    throw new GranaryError("GRANARY_BAD_USAGE", { reason: "nothing is named", usage });
  return { from: what, versions: [], patterns: [what] };
}

/** Everything that a go.sum, a list, or the build list of a go.mod names. */
async function pinnedFrom(
  from: string,
  store: ModuleStore,
  signal: AbortSignal,
): Promise<Omit<Pinned, "id" | "since">> {
  const input = await readInput(from);
  const ids = input.kind === "files" ? input.files.map(({ id }) => id) : await graphOf(input, store, signal);
  const versions = [...new Set(ids.map((id) => `${id.path}@${id.version}`))].sort();
  return {
    from: input.kind === "main" ? resolve(from) : join(resolve(from, ".."), basename(from)),
    versions,
    patterns: [],
  };
}

/** Every version whose go.mod a build reads, or whose zip it takes, as far as the store has the go.mod files. */
async function graphOf(
  { list }: MainInput,
  store: ModuleStore,
  signal: AbortSignal,
): Promise<readonly { readonly path: string; readonly version: string }[]> {
  const readVersion = async (id: ModuleVersion) => (await store.findMod(id))?.mod;
  await readGraph(list, { readVersion, readDirectory: readDirectoryGoMod, jobs: graphJobs, signal });
  signal.throwIfAborted();
  const taken = list.all().flatMap(({ source }) => (source === undefined ? [] : [source]));
  return [...list.asked(), ...taken].filter(({ version }) => version !== "");
}

function idOf(what: string, usage: string): ModuleVersion {
  try {
    return parseModuleVersion(what);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new GranaryError("GRANARY_BAD_USAGE", { reason: error.message, usage }, { cause: error });
  }
}

async function stagedFile(storage: Storage, file: string) {
  const stage = await storage.stage(maxZipBytes);
  try {
    for await (const piece of createReadStream(file)) await stage.write(piece as Uint8Array);
    await stage.seal();
    return stage;
  } catch (error) {
    await stage.discard();
    throw new GranaryError(
      "GRANARY_INPUT_UNREADABLE",
      { place: file, reason: (error as Error).message },
      { cause: error },
    );
  }
}

function inOurWords(error: unknown): never {
  if (error instanceof PinDamaged)
    throw new GranaryError("GRANARY_STORE_UNAVAILABLE", { what: error.key, reason: error.message }, { cause: error });
  throw error;
}
