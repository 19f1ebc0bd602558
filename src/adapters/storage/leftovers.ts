// What a store's directory holds beside its objects: empty folders, and files in tmp/ whose process is gone.

import { lstat, readdir, rmdir, unlink } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Leftovers } from "#services/store/ports.ts";
import { codeOf, inOurWords, isAbsent } from "./_disk-calls.ts";
import { LeftStages } from "./_disk-left.ts";
import { tempFolder } from "./_disk-temp.ts";
import { maxLeftBytes } from "./disk.ts";

export class DiskLeftovers implements Leftovers {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async *temps(): AsyncGenerator<{ readonly name: string; readonly bytes: number }> {
    for (const name of await this.#deadTemps()) {
      const facts = await lstat(join(this.#root, tempFolder, name)).catch(() => undefined);
      if (facts?.isFile() === true) yield { name, bytes: facts.size };
    }
  }

  async removeTemp(name: string): Promise<boolean> {
    return await isDone(name, () => unlink(join(this.#root, tempFolder, name)));
  }

  async *emptyFolders(prefix: string): AsyncGenerator<string> {
    for (const child of await this.#foldersIn(join(this.#root, prefix))) yield* this.#walk(child);
  }

  async removeFolder(folder: string): Promise<boolean> {
    // Whoever put something into it meanwhile is safe: only empty folders can be removed.
    return await isDone(folder, () => rmdir(join(this.#root, folder)));
  }

  async #deadTemps(): Promise<string[]> {
    try {
      return await new LeftStages(this.#root, { bytes: maxLeftBytes }).deadTemps();
    } catch (error) {
      if (isAbsent(error)) return [];
      throw inOurWords(tempFolder, error);
    }
  }

  /** Returns true when there is no file in it, at whatever depth. */
  async *#walk(folder: string): AsyncGenerator<string, boolean> {
    let isEmpty = true;
    for (const entry of await this.#entriesIn(folder)) {
      const isEmptyToo = entry.isDirectory() && (yield* this.#walk(join(folder, entry.name)));
      isEmpty &&= isEmptyToo;
    }
    if (isEmpty) yield relative(this.#root, folder).split(sep).join("/");
    return isEmpty;
  }

  async #foldersIn(folder: string): Promise<string[]> {
    const entries = await this.#entriesIn(folder);
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  }

  async #entriesIn(folder: string) {
    try {
      return await readdir(folder, { withFileTypes: true });
    } catch (error) {
      if (isAbsent(error)) return [];
      throw inOurWords(relative(this.#root, folder), error);
    }
  }
}

async function isDone(name: string, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (isAbsent(error) || codeOf(error) === "ENOTEMPTY" || codeOf(error) === "EEXIST") return false;
    throw inOurWords(name, error);
  }
}
