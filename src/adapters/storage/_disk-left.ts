// What unfinished lasting stages leave in tmp/: which of it may still be gone on with, and for how long.
//
//   tmp/<pid>-<run>-<n>                    the bytes
//   tmp/<pid>-<run>-<n>.<name>.journal     the journal; <name> is half of the SHA-256 of the stage's name
//
// The process in front says whose they are: those of a living one are in use. Taking is a rename of the journal to a
// name of one's own, which only one of several can do.

import { createHash } from "node:crypto";
import { lstat, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { deadTemps, emptyTemp, tempFolder, tempPath } from "./_disk-temp.ts";

export type LeftLimits = {
  readonly stages: number;
  readonly bytes: number;
  /** Since the last byte came. */
  readonly ageMs: number;
};

const defaults: LeftLimits = { stages: 16, bytes: 0, ageMs: 24 * 3_600_000 };

type Left = {
  readonly path: string;
  readonly journal: string;
  readonly key: string;
  readonly bytes: number;
  readonly modifiedMs: number;
};

export class LeftStages {
  readonly #root: string;
  readonly #limits: LeftLimits;
  /** By key, in no order. */
  #left = new Map<string, Left>();

  constructor(root: string, limits: Partial<LeftLimits> = {}) {
    this.#root = root;
    this.#limits = { ...defaults, ...limits };
  }

  /** Looks at what dead processes left, keeps what may be gone on with, and removes the rest. */
  async findAmongTemp(): Promise<void> {
    await emptyTemp(this.#root, async (names) => {
      this.#left = await this.#among(names);
      return namesOf(this.#left);
    });
  }

  /** What findAmongTemp() would remove. */
  async deadTemps(): Promise<string[]> {
    return await deadTemps(this.#root, async (names) => namesOf(await this.#among(names)));
  }

  async #among(names: readonly string[]): Promise<Map<string, Left>> {
    const found: Left[] = [];
    for (const name of names) {
      const left = await this.#leftOf(name);
      if (left !== undefined) found.push(left);
    }
    return this.#bounded(found);
  }

  /** Where the journal of a stage with this name lies. */
  journalOf(path: string, name: string): string {
    return `${path}.${keyOf(name)}.journal`;
  }

  /** Lets the files of a stage that is no longer written to lie. */
  async add(path: string, name: string): Promise<void> {
    const journal = this.journalOf(path, name);
    const left = await this.#leftOf(nameOf(journal));
    if (left === undefined) await removeBoth({ path, journal });
    else await this.#keepOnly([left, ...this.#left.values()]);
  }

  /** Moves what was left under a name to a path of our own; undefined when there is none, or another process was faster. */
  async take(name: string): Promise<{ readonly path: string; readonly journal: string } | undefined> {
    await this.dropOld();
    const left = this.#left.get(keyOf(name));
    if (left === undefined) return undefined;
    this.#left.delete(left.key);
    const path = tempPath(this.#root);
    const taken = { path, journal: this.journalOf(path, name) };
    try {
      await rename(left.journal, taken.journal);
      await rename(left.path, path);
      return taken;
    } catch {
      await removeBoth(taken);
      return undefined;
    }
  }

  /** Removes what nobody came for in time. */
  async dropOld(): Promise<void> {
    const oldest = Date.now() - this.#limits.ageMs;
    const left = [...this.#left.values()];
    if (left.some(({ modifiedMs }) => modifiedMs < oldest)) await this.#keepOnly(left);
  }

  async #keepOnly(all: readonly Left[]): Promise<void> {
    this.#left = this.#bounded(all);
    for (const left of all) if (this.#left.get(left.key) !== left) await removeBoth(left);
  }

  /** The newest within all bounds, one of each key. */
  #bounded(all: readonly Left[]): Map<string, Left> {
    const { stages, bytes, ageMs } = this.#limits;
    const kept = new Map<string, Left>();
    let room = bytes;
    for (const left of all.toSorted((a, b) => b.modifiedMs - a.modifiedMs)) {
      if (kept.size >= stages || kept.has(left.key) || left.bytes > room) continue;
      if (left.modifiedMs < Date.now() - ageMs) continue;
      kept.set(left.key, left);
      room -= left.bytes;
    }
    return kept;
  }

  /** What the file in tmp/ is the journal of; undefined when it is none, or the bytes are not there, or not only there. */
  async #leftOf(name: string): Promise<Left | undefined> {
    const [, stem, key] = /^(\d+-[0-9a-f]+-[0-9a-z]+)\.([0-9a-f]{32})\.journal$/.exec(name) ?? [];
    if (stem === undefined || key === undefined) return undefined;
    const path = join(this.#root, tempFolder, stem);
    const facts = await lstat(path).catch(() => undefined);
    // Bytes with a second name have been committed: cutting or writing them would change what is kept.
    if (facts?.isFile() !== true || facts.nlink !== 1) return undefined;
    const journal = join(this.#root, tempFolder, name);
    return { path, journal, key, bytes: facts.size, modifiedMs: facts.mtimeMs };
  }
}

/** The journal first: bytes without one are nobody's. */
export async function removeBoth(files: { readonly path: string; readonly journal: string }): Promise<void> {
  await unlink(files.journal).catch(() => undefined);
  await unlink(files.path).catch(() => undefined); // what stays is removed at the next open
}

function keyOf(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 32);
}

function namesOf(left: ReadonlyMap<string, Left>): ReadonlySet<string> {
  return new Set([...left.values()].flatMap(({ path, journal }) => [nameOf(path), nameOf(journal)]));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
