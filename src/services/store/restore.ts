// Puts a snapshot back into an empty folder, or adds what a store has lost. Nobody else writes the store meanwhile.
//
// Every object is hashed before it gets its name. Whatever needs something else is written after it: manifests after files,
// records after their heads and tiles, a log's head after its records. Ended anywhere, the store has whole versions only, and
// running it again does the rest.

import type { ModulePath } from "#protocol/path.ts";
import { isPseudoVersion } from "#protocol/pseudo.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { atOnce } from "./at-once.ts";
import { Restorer } from "./_restore-files.ts";
import type { RestoreCounts } from "./_restore-files.ts";
import { restoreVersion } from "./_restore-versions.ts";
import { SnapshotView } from "./_snapshot-view.ts";
import { KeptLists } from "./kept-lists.ts";
import type { Storage } from "./ports.ts";
import { StoreUnavailable } from "./ports.ts";
import { SnapshotDamaged } from "./snapshot-index.ts";
import type { SnapshotFile, SnapshotIndex, SnapshotSummary, Unit } from "./snapshot-index.ts";
import type { LogRestores, LogVerdict } from "./snapshot-logs.ts";

export type RestoreUse = {
  readonly vault: Storage;
  readonly index: SnapshotIndex;
  readonly store: Storage;
  readonly logs: LogRestores;
  /** Decides and reports, and changes nothing. */
  readonly isDry?: boolean;
  /** Tokens, pins and the like take the place of those that the store has. */
  readonly replacesState?: boolean;
  readonly progress?: (counts: Readonly<RestoreCounts>) => void;
};

/** `otherBytes`: the store has committed other bytes of it. `damaged`: the snapshot's are lost or damaged. */
export type RestoreFinding = {
  readonly what: string;
  readonly is: "otherBytes" | "damaged";
  readonly problem: string;
};

export type LogRestored = {
  readonly name: string;
  readonly verdict: LogVerdict;
  /** Nobody remembers what the key has signed: only clients can tell whether it was more. */
  readonly isForgotten: boolean;
};

export type RestoreReport = {
  readonly snapshot: SnapshotSummary;
  readonly counts: Readonly<RestoreCounts>;
  readonly found: readonly RestoreFinding[];
  readonly logs: readonly LogRestored[];
};

/** Units restored at a time: each waits for the disk several times. */
const atATime = 8;
const logsPrefix = "state/sumlog/";

/** Throws StoreUnavailable when the store fails; what is wrong with the snapshot is a finding. */
export async function restoreSnapshot(use: RestoreUse): Promise<RestoreReport> {
  const run = new Run(use);
  await run.all();
  return { snapshot: use.index.summary, counts: run.counts, found: run.found, logs: run.logs };
}

class Run {
  readonly found: RestoreFinding[] = [];
  readonly logs: LogRestored[] = [];
  readonly #use: RestoreUse;
  readonly #restorer: Restorer;

  constructor(use: RestoreUse) {
    this.#use = use;
    const { vault, store, isDry = false, progress = () => undefined } = use;
    this.#restorer = new Restorer({ vault, store, isDry, progress });
  }

  get counts(): Readonly<RestoreCounts> {
    return this.#restorer.counts;
  }

  async all(): Promise<void> {
    // First, so that a store that is gone on with after half a restore does not begin the log anew.
    for (const { name } of this.#use.index.summary.logs) await this.#log(name);
    await this.#versions();
    for (const kind of ["tile", "head", "record"] as const)
      await this.#each(kind, (file) => this.#restorer.ensureSome(file));
    await this.#each("state", async (file) => {
      if (this.#use.replacesState === true && isReplaceable(file)) await this.#restorer.ensure(file);
      else await this.#restorer.ensureSome(file);
    });
  }

  async #versions(): Promise<void> {
    const { store, index, isDry } = this.#use;
    /** By module: one of its complete versions, which brings the others onto the list. */
    const complete = new Map<ModulePath, ModuleVersion>();
    await atOnce(index.units("version"), { jobs: atATime }, async (unit) => {
      await this.#tell(unit.name, async () => {
        const restored = await restoreVersion(unit, { restorer: this.#restorer, store });
        if (restored.is === "otherBytes") {
          const { file, ours, theirs } = restored.clash;
          const problem = `${file}: snapshot ${ours}, store ${theirs}`;
          this.found.push({ what: unit.name, is: "otherBytes", problem });
        }
        if (restored.is === "there" && restored.isComplete && !isPseudoVersion(restored.id.version))
          complete.set(restored.id.path, restored.id);
      });
    });
    if (isDry === true) return;
    // Each list is made once: there is nothing to remember.
    const lists = new KeptLists(store, 1);
    await atOnce(complete.values(), { jobs: atATime }, (id) => lists.add(id));
  }

  async #each(kind: Unit["kind"], restore: (file: SnapshotFile) => Promise<unknown>): Promise<void> {
    await atOnce(this.#use.index.units(kind), { jobs: atATime }, async ({ name, files }) => {
      await this.#tell(name, async () => {
        for (const file of files) await restore(file);
      });
    });
  }

  async #log(name: string): Promise<void> {
    const { logs, isDry } = this.#use;
    const files: SnapshotFile[] = [];
    for await (const unit of this.#use.index.units("log"))
      if (unit.name.startsWith(`${logsPrefix}${name}/`)) files.push(...unit.files);
    const verdict = await this.#judge(name, files);
    const isForgotten = verdict.is === "restore" && (await logs.isForgotten(name));
    this.logs.push({ name, verdict, isForgotten });
    if (verdict.is !== "restore") return;
    if (isDry !== true) await logs.remember(name, verdict.head);
    // Copied head first, so that what it needs was there; restored the other way round.
    for (const file of files.toReversed())
      if (file.key.endsWith("/cosigned")) await this.#restorer.ensureSome(file);
      else await this.#restorer.ensure(file);
  }

  /** Reads all of it first: a log that is restored in part does not answer. */
  async #judge(name: string, files: readonly SnapshotFile[]): Promise<LogVerdict> {
    const { logs, vault, store } = this.#use;
    try {
      for (const file of files) await this.#restorer.read(file);
      return await logs.judge(name, new SnapshotView(files, vault), store);
    } catch (error) {
      if (!(error instanceof StoreUnavailable) && !(error instanceof SnapshotDamaged)) throw error;
      return { is: "unsound", reason: error.message };
    }
  }

  async #tell(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof SnapshotDamaged)) throw error;
      this.found.push({ what, is: "damaged", problem: error.message });
    }
  }
}

/** What happened since is not to be forgotten. */
function isReplaceable({ key }: SnapshotFile): boolean {
  return !key.startsWith("state/events.jsonl");
}
