// Takes a snapshot of a store that may be written at the same time.
//
// Nothing is locked. What names something else is copied before that: manifests before files, records before heads and
// tiles, a log's head before its commits and tiles. Writers go the other way round, so whatever a copied file needs was there
// when it was copied. The index is written last; a run that ends before leaves objects, which the next one finds.

import { atOnce } from "./at-once.ts";
import { Copier, reading, Unreadable } from "./_snapshot-copy.ts";
import type { CopyCounts } from "./_snapshot-copy.ts";
import { SnapshotView } from "./_snapshot-view.ts";
import { copyVersion, versionNamed } from "./_snapshot-versions.ts";
import type { Storage, StorageKey } from "./ports.ts";
import { StoreUnavailable } from "./ports.ts";
import { IndexWriter, nextSnapshotId, SnapshotDamaged, SnapshotIndex, snapshotIds } from "./snapshot-index.ts";
import type { SnapshotFile, SnapshotSummary, Unit, UnitKind } from "./snapshot-index.ts";
import type { LogCopies, LogPlan } from "./snapshot-logs.ts";

export type SnapshotUse = {
  readonly store: Storage;
  /** The folder of snapshots; nobody else writes it meanwhile. */
  readonly vault: Storage;
  readonly logs: LogCopies;
  readonly now: () => number;
  readonly isDeep?: boolean;
  readonly progress?: (counts: Readonly<CopyCounts>) => void;
};

/**
 * `missing`: not in the snapshot. `asBefore`: as in the snapshot before, because the store's is damaged.
 * `index`: an older snapshot is damaged, so that nothing was taken over from it.
 */
export type SnapshotFinding = {
  readonly what: string;
  readonly is: "missing" | "asBefore" | "index";
  readonly problem: string;
};

export type SnapshotReport = SnapshotSummary & {
  readonly previous: string | undefined;
  readonly counts: Readonly<CopyCounts>;
  readonly found: readonly SnapshotFinding[];
};

/** Units copied at a time: each waits for the disk several times. */
const atATime = 8;
/** A log that moves on while it is copied, so often in a row, is being written by somebody gone mad. */
const maxLogTries = 100;

const modulesPrefix = "modules/";
const mirrorsPrefix = "modules/sumdb/";
const mirrorStatePrefix = "state/sumdb/";
const logsPrefix = "state/sumlog/";

/** Throws StoreUnavailable when the folder of snapshots fails; what is wrong with the store is a finding. */
export async function takeSnapshot(use: SnapshotUse): Promise<SnapshotReport> {
  const found: SnapshotFinding[] = [];
  const ids = await snapshotIds(use.vault);
  const before = await newestSound(use.vault, ids, found);
  const begun = use.now();
  const id = nextSnapshotId(begun, ids.at(-1));
  const index = await IndexWriter.begin(use.vault, { id, at: new Date(begun).toISOString() });
  try {
    const run = new Run(use, { before, index, found });
    await run.all();
    const totals = { ...run.totals, logs: run.logs, findings: found.length };
    await index.finish(totals);
    const at = new Date(begun).toISOString();
    return { id, at, ...totals, previous: before?.summary.id, counts: run.counts, found };
  } finally {
    await index.discard();
    await before?.close();
  }
}

async function newestSound(
  vault: Storage,
  ids: readonly string[],
  found: SnapshotFinding[],
): Promise<SnapshotIndex | undefined> {
  for (const id of ids.toReversed()) {
    try {
      return await SnapshotIndex.open(vault, id);
    } catch (error) {
      if (!(error instanceof SnapshotDamaged)) throw error;
      found.push({ what: id, is: "index", problem: error.message });
    }
  }
  return undefined;
}

class Run {
  readonly totals = { files: 0, bytes: 0, versions: 0 };
  readonly logs: { readonly name: string; readonly size: number }[] = [];
  readonly #use: SnapshotUse;
  readonly #before: SnapshotIndex | undefined;
  readonly #index: IndexWriter;
  readonly #found: SnapshotFinding[];
  readonly #copier: Copier;

  constructor(
    use: SnapshotUse,
    to: {
      readonly before: SnapshotIndex | undefined;
      readonly index: IndexWriter;
      readonly found: SnapshotFinding[];
    },
  ) {
    this.#use = use;
    this.#before = to.before;
    this.#index = to.index;
    this.#found = to.found;
    const { store, vault, isDeep = false, progress = () => undefined } = use;
    this.#copier = new Copier({ store, vault, isDeep, progress });
  }

  get counts(): Readonly<CopyCounts> {
    return this.#copier.counts;
  }

  async all(): Promise<void> {
    await this.#versions();
    await this.#files(mirrorsPrefix, "record", (key) => key.includes("/lookup/"));
    await this.#files(mirrorStatePrefix, "head", () => true);
    await this.#files(mirrorsPrefix, "head", (key) => !/[/](lookup|tile)[/]/.test(key));
    await this.#files(mirrorsPrefix, "tile", (key) => !key.includes("/lookup/") && key.includes("/tile/"));
    await this.#files("state/", "state", isPlainState);
    for (const name of await this.#use.logs.names(this.#use.store)) await this.#log(name);
  }

  async #versions(): Promise<void> {
    await atOnce(this.#use.store.list(modulesPrefix), { jobs: atATime }, async ({ key }) => {
      const name = await versionNamed(this.#use.store, key);
      if (name === undefined) return;
      const outcome = await copyVersion(name, { copier: this.#copier, before: this.#before });
      if (outcome.is === "asBefore" || outcome.is === "missing")
        this.#found.push({ what: name, is: outcome.is, problem: outcome.problem });
      if (outcome.is === "sound" || outcome.is === "asBefore") await this.#add(outcome.unit);
    });
  }

  async #files(prefix: string, kind: UnitKind, isWanted: (key: StorageKey) => boolean): Promise<void> {
    await atOnce(this.#use.store.list(prefix), { jobs: atATime }, async ({ key }) => {
      if (!isWanted(key)) return;
      const before = await this.#before?.find(key);
      try {
        const file = await this.#copier.file(key, { before: before?.files[0] });
        if (file !== undefined) await this.#add({ kind, name: key, files: [file] });
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        const isHeld = before !== undefined && (await this.#copier.hasAll(before.files));
        this.#found.push({ what: key, is: isHeld ? "asBefore" : "missing", problem: error.message });
        if (isHeld) await this.#add(before);
      }
    });
  }

  async #log(name: string): Promise<void> {
    const copied = await this.#copyLog(name);
    if (copied === undefined) return;
    if (typeof copied !== "string") {
      for (const file of copied.files) await this.#add({ kind: "log", name: file.key, files: [file] });
      this.logs.push({ name, size: copied.size });
      return;
    }
    const known = this.#before?.summary.logs.find((log) => log.name === name);
    this.#found.push({ what: name, is: known === undefined ? "missing" : "asBefore", problem: copied });
    if (known === undefined) return;
    this.logs.push(known);
    for await (const unit of this.#before?.units("log") ?? [])
      if (unit.name.startsWith(`${logsPrefix}${name}/`)) await this.#add(unit);
  }

  /** The files of a log as far as its newest head; a text says why there is none that is sound. */
  async #copyLog(
    name: string,
  ): Promise<{ readonly size: number; readonly files: SnapshotFile[] } | string | undefined> {
    const { logs, store } = this.#use;
    try {
      for (let tries = 0; tries < maxLogTries; tries++) {
        const early = await this.#copyAll(logs.early(name));
        const plan = await reading(() => logs.plan(store, name));
        if (plan === undefined || typeof plan === "string") return plan;
        const planned = await this.#copyAll(plan.keys);
        // What was cleared away meanwhile lies under a newer head.
        if (planned.length < plan.keys.length) continue;
        const problem = await this.#check(plan, planned);
        return problem ?? { size: plan.size, files: [...early, ...planned] };
      }
      return "it moves on faster than it can be copied";
    } catch (error) {
      if (error instanceof Unreadable) return error.message;
      throw error;
    }
  }

  /** What is wrong with a copy; an object that cannot be read back is. */
  async #check(plan: LogPlan, planned: readonly SnapshotFile[]): Promise<string | undefined> {
    const { logs, vault } = this.#use;
    try {
      return await logs.check(new SnapshotView(planned, vault), plan, await this.#fresh(planned));
    } catch (error) {
      if (error instanceof StoreUnavailable) return error.message;
      throw error;
    }
  }

  /** Copies of these, in their order; those that are not there are left out. */
  async #copyAll(keys: LogPlan["keys"]): Promise<SnapshotFile[]> {
    const files: SnapshotFile[] = [];
    for (const key of keys) {
      const before = (await this.#before?.find(key))?.files[0];
      const file = await this.#copier.file(key, { before });
      if (file !== undefined) files.push(file);
    }
    return files;
  }

  /** Files whose bytes are not those of the snapshot before. */
  async #fresh(files: readonly SnapshotFile[]): Promise<ReadonlySet<StorageKey>> {
    const fresh = new Set<StorageKey>();
    for (const { key, sha256 } of files) {
      const before = (await this.#before?.find(key))?.files[0];
      if (this.#use.isDeep === true || before?.sha256 !== sha256) fresh.add(key);
    }
    return fresh;
  }

  async #add(unit: Unit): Promise<void> {
    this.totals.files += unit.files.length;
    for (const { size } of unit.files) this.totals.bytes += size;
    if (unit.kind === "version") this.totals.versions++;
    await this.#index.add(unit);
  }
}

/** Neither part of the above nor something that can be made anew: the index of the store is a cache. */
function isPlainState(key: StorageKey): boolean {
  return !key.startsWith(mirrorStatePrefix) && !key.startsWith(logsPrefix) && !key.startsWith("state/index.sqlite");
}
