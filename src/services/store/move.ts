// Copies a store into another one while both are used: from a disk into a bucket, or back.
//
// Nothing is locked, and nothing of the source is changed. What names something else is read before that and written
// after it: manifests, heads, records. What the target has stays. So it can be ended anywhere and run again, and each run
// brings what has come since the one before.

import { ProtocolError } from "#protocol/errors.ts";
import type { ModulePath } from "#protocol/path.ts";
import { isPseudoVersion } from "#protocol/pseudo.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { atOnce } from "./at-once.ts";
import { Carrier, TargetDiffers, TargetWrong } from "./_move-files.ts";
import type { CarrierUse, MoveCounts } from "./_move-files.ts";
import { moveLog } from "./_move-log.ts";
import type { LogMoved, LogMoves } from "./_move-log.ts";
import { handlingOf, mirrorHandlingOf, Moved } from "./_move-state.ts";
import type { Handling } from "./_move-state.ts";
import { restoreVersion } from "./_restore-versions.ts";
import { reading, Unreadable } from "./_snapshot-copy.ts";
import { copyFiles, looks, tombstoneEnd, versionNamed, zipManifestEnd } from "./_snapshot-versions.ts";
import { sha256 } from "./_version-files.ts";
import { StoreDamaged } from "./errors.ts";
import { KeptLists } from "./kept-lists.ts";
import { modulesPrefix, pinKey, sumdbPrefix, versionOfKey } from "./layout.ts";
import { Pins } from "./pins.ts";
import type { Pin } from "./pins.ts";
import type { Clock, StorageKey, StoredBytes } from "./ports.ts";
import { storageKey } from "./ports.ts";
import { SnapshotDamaged } from "./snapshot-index.ts";
import type { SnapshotFile } from "./snapshot-index.ts";

export type { MoveCounts } from "./_move-files.ts";
export type { LogMoves } from "./_move-log.ts";

export type MoveUse = Pick<CarrierUse, "from" | "to" | "verify" | "isDry" | "bytesPerSecond" | "signal" | "inPlace"> & {
  readonly clock: Clock;
  readonly logs: LogMoves;
  /** The same in every run from one source, and no other source's. */
  readonly source: string;
  /** Versions and files at a time. */
  readonly jobs: number;
  readonly progress: (counts: Readonly<MoveCounts>, versions: number) => void;
};

/**
 * `conflict`: the target has other bytes, which stay. `damaged`: the source's are not what was committed, or cannot be
 * read. `unverified`: the target gives back other bytes than were written.
 */
export type MoveFinding = {
  readonly what: string;
  readonly is: "conflict" | "damaged" | "unverified";
  readonly problem: string;
};

export type MoveReport = {
  readonly counts: Readonly<MoveCounts>;
  /** Of the source; in the target too now, but for those found below. */
  readonly versions: number;
  readonly found: readonly MoveFinding[];
  /** Findings beyond those. */
  readonly more: number;
  readonly logs: readonly LogMoved[];
  readonly wasInterrupted: boolean;
};

/** Findings named in a report. */
const maxFound = 1_000;
/** A file that changes is a list of a few things, or a head. */
const maxChangingBytes = 16 << 20;

/** Throws StoreUnavailable when the target fails, or the source cannot be listed. What is wrong in them is a finding. */
export async function moveStore(use: MoveUse): Promise<MoveReport> {
  const run = new Run(use);
  try {
    await run.all();
  } catch (error) {
    if (!use.signal.aborted) throw error;
  }
  const wasInterrupted = use.signal.aborted;
  const found = run.found.toSorted((a, b) => (a.what < b.what ? -1 : 1));
  return {
    counts: run.counts,
    versions: run.versions,
    found,
    more: run.more,
    logs: [...run.logs.values()],
    wasInterrupted,
  };
}

type Captured = { readonly key: StorageKey; readonly handling: Handling; readonly stored: StoredBytes };

class Run {
  readonly found: MoveFinding[] = [];
  readonly logs = new Map<string, LogMoved>();
  more = 0;
  versions = 0;
  readonly #use: MoveUse;
  readonly #carrier: Carrier;
  readonly #moved: Moved;
  readonly #pins: Pins;

  constructor(use: MoveUse) {
    this.#use = use;
    const progress = (counts: Readonly<MoveCounts>): void => use.progress(counts, this.versions);
    this.#carrier = new Carrier({ ...use, progress });
    this.#moved = new Moved(use.to, use.source);
    this.#pins = new Pins(use.to, { emit: () => undefined });
  }

  get counts(): Readonly<MoveCounts> {
    return this.#carrier.counts;
  }

  async all(): Promise<void> {
    const begunMs = this.#use.clock.now();
    await this.#moved.load();
    // First, so that nobody who serves from the target meanwhile begins a log anew.
    await this.#moveLogs();
    // Read before the tiles, written after them.
    const heads = await this.#capture();
    await this.#moveVersions();
    await this.#files(sumdbPrefix, (key) => (key.includes("/tile/") ? "same" : undefined));
    for (const head of heads) await this.#tell(head.key, () => this.#carryChanging(head));
    // A record's tiles are there before it is: those of one that came after we had begun may not have been copied.
    await this.#files(sumdbPrefix, recordHandling, begunMs);
    await this.#files("state/", (key) => (handlingOf(key) === "own" ? undefined : handlingOf(key)));
    // Once more: of the versions above, some were recorded meanwhile.
    await this.#moveLogs();
  }

  async #moveVersions(): Promise<void> {
    const { from, to, jobs, signal, isDry } = this.#use;
    /** By module: one of its complete versions, which brings the others onto the list. */
    const complete = new Map<ModulePath, ModuleVersion>();
    await atOnce(from.list(modulesPrefix), { jobs, signal }, async ({ key }) => {
      const name = await versionNamed(from, key);
      if (name === undefined) return;
      await this.#tell(name, async () => {
        const id = await this.#moveVersion(name);
        if (id !== undefined && !isPseudoVersion(id.version)) complete.set(id.path, id);
      });
      this.versions++;
    });
    signal.throwIfAborted();
    if (isDry) return;
    // Each list is made once: there is nothing to remember.
    const lists = new KeptLists(to, 1);
    await atOnce(complete.values(), { jobs, signal }, (id) => lists.add(id));
    signal.throwIfAborted();
  }

  /** Resolves to the version when it is complete. A version that was found wrong is looked at once more: it may have been changed just then. */
  async #moveVersion(name: string): Promise<ModuleVersion | undefined> {
    for (let look = 1; ; look++) {
      try {
        return await this.#tryVersion(name);
      } catch (error) {
        const is = findingOf(error);
        const mayPass = is === "conflict" || is === "damaged";
        if (look === looks || this.#use.signal.aborted || !mayPass) throw error;
      }
    }
  }

  async #tryVersion(name: string): Promise<ModuleVersion | undefined> {
    const { to } = this.#use;
    const files = await copyFiles(name, { copier: this.#carrier });
    if (files === undefined) return undefined;
    if (this.#use.verify !== "all" && (await this.#isThere(name, files))) {
      this.#carrier.wasThere(files.length);
      const isComplete = files.some(({ key }) => key.endsWith(zipManifestEnd));
      return isComplete ? versionOfKey(`${name}${zipManifestEnd}`)?.id : undefined;
    }
    const moved = await restoreVersion({ kind: "version", name, files }, { restorer: this.#carrier, store: to });
    if (moved.is === "there") return moved.isComplete ? moved.id : undefined;
    const { file, ours, theirs } = moved.clash;
    throw new TargetDiffers(storageKey(`${name}${file}`), `source ${ours}, target ${theirs}`);
  }

  /** The same manifests, and nothing evicted: whoever wrote the target's had written the files before. */
  async #isThere(name: string, files: readonly SnapshotFile[]): Promise<boolean> {
    if (files.some(({ key }) => key.endsWith(tombstoneEnd))) return false;
    const { to } = this.#use;
    for (const { key, size, sha256: wanted } of files) {
      if (!key.endsWith(".manifest")) continue;
      const stat = await to.stat(key);
      if (stat?.size !== size) return false;
      const stored = await to.get(key, size);
      if (stored === undefined || sha256(stored.bytes) !== wanted) return false;
    }
    return (await to.stat(storageKey(`${name}${tombstoneEnd}`))) === undefined;
  }

  /** Small files that change, as they are now. */
  async #capture(): Promise<Captured[]> {
    const captured: Captured[] = [];
    const { from } = this.#use;
    const isHead = (key: string): boolean =>
      key.startsWith(sumdbPrefix) ? mirrorHandlingOf(key) === "own" : handlingOf(key) === "own";
    for (const prefix of [sumdbPrefix, "state/"])
      for await (const { key } of from.list(prefix))
        if (isHead(key))
          await this.#tell(key, async () => {
            const stored = await reading(() => from.get(key, maxChangingBytes));
            if (stored !== undefined) captured.push({ key, handling: "own", stored });
          });
    return captured;
  }

  async #files(
    prefix: string,
    handling: (key: string) => Handling | undefined,
    untilMs = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { from, jobs, signal } = this.#use;
    await atOnce(from.list(prefix), { jobs, signal }, async ({ key, modifiedMs }) => {
      const how = handling(key);
      if (how === undefined || modifiedMs > untilMs) return;
      await this.#tell(key, () => this.#carryFile(key, how));
    });
    signal.throwIfAborted();
  }

  async #carryFile(key: StorageKey, how: Handling): Promise<void> {
    const { from } = this.#use;
    if (how === "same" || how === "first") {
      if (await this.#carrier.ensureSome(key, how === "first")) return;
      throw new TargetDiffers(key, "other bytes are there");
    }
    const stored = await reading(() => from.get(key, maxChangingBytes));
    if (stored === undefined) return;
    if (how === "pin") await this.#carryPin(key, stored);
    else await this.#carryChanging({ key, handling: how, stored });
  }

  async #carryChanging({ key, handling, stored }: Captured): Promise<void> {
    const { to, isDry } = this.#use;
    const ours = sha256(stored.bytes);
    const there = await to.get(key, maxChangingBytes);
    const theirs = there && sha256(there.bytes);
    if (theirs === ours) {
      this.#carrier.wasThere();
      if (!isDry && !this.#moved.isOurs(key, ours)) await this.#moved.note(key, ours, undefined);
      return;
    }
    if (theirs !== undefined && !this.#moved.isOurs(key, theirs)) {
      // Nothing new here: only the target's has changed since.
      if (handling !== "changing" || this.#moved.isOurs(key, ours)) this.#carrier.wasThere();
      else throw new TargetDiffers(key, "it has changed in both; the target's stays");
      return;
    }
    if (!isDry) await this.#moved.note(key, ours, theirs);
    if (!(await this.#carrier.replace(key, stored.bytes, there?.token)))
      throw new TargetDiffers(key, "it changed meanwhile; run it again");
  }

  /** The first sight wins; what only the source has seen is added. */
  async #carryPin(key: StorageKey, stored: StoredBytes): Promise<void> {
    const { to, isDry } = this.#use;
    const there = await to.get(key, maxChangingBytes);
    if (there !== undefined && Buffer.compare(there.bytes, stored.bytes) === 0) {
      this.#carrier.wasThere();
      return;
    }
    if (there === undefined || isDry) {
      await this.#carrier.write(key, stored.bytes);
      return;
    }
    const { id, pin: ours } = pinIn(key, stored.bytes);
    const theirs = await this.#pins.pin(id, ours);
    for (const kind of ["mod", "zip"] as const)
      if (ours[kind] !== undefined && ours[kind] !== theirs[kind])
        throw new TargetDiffers(key, `source ${ours[kind]}, target ${String(theirs[kind])}`);
    this.#carrier.wasThere();
  }

  async #moveLogs(): Promise<void> {
    const { from, logs, signal } = this.#use;
    for (const name of await logs.names(from)) {
      signal.throwIfAborted();
      await this.#tell(`state/sumlog/${name}`, async () => {
        const moved = await moveLog(name, { ...this.#use, carrier: this.#carrier });
        if (moved !== undefined) this.logs.set(name, moved);
      });
    }
  }

  async #tell(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const is = this.#use.signal.aborted ? undefined : findingOf(error);
      if (is === undefined) throw error;
      const problem = (error as Error).message;
      // Logs are looked at twice.
      if (this.found.some((known) => known.what === what && known.problem === problem)) return;
      if (this.found.length === maxFound) this.more++;
      else this.found.push({ what, is, problem });
    }
  }
}

/** Undefined for what no run can go on after. */
function findingOf(error: unknown): MoveFinding["is"] | undefined {
  if (error instanceof TargetDiffers) return "conflict";
  if (error instanceof TargetWrong) return "unverified";
  const isDamage = error instanceof StoreDamaged || error instanceof SnapshotDamaged || error instanceof Unreadable;
  return isDamage ? "damaged" : undefined;
}

/** Throws StoreDamaged. */
function pinIn(key: StorageKey, bytes: Uint8Array): { readonly id: ModuleVersion; readonly pin: Pin } {
  try {
    const { path, version, mod, zip } = JSON.parse(Buffer.from(bytes).toString()) as Pin & ModuleVersion;
    const id = checkModuleVersion(path, version);
    if (pinKey(id) === key)
      return { id, pin: { ...(mod !== undefined && { mod }), ...(zip !== undefined && { zip }) } };
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof ProtocolError) && !(error instanceof TypeError))
      throw error;
  }
  throw new StoreDamaged(key, { expected: "a pin of this version", found: "something else" });
}

function recordHandling(key: string): Handling | undefined {
  return mirrorHandlingOf(key) === "first" ? "first" : undefined;
}
