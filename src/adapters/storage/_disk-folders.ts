// Folders below the root, made when first needed and durable before anything is put into them.

import { lstat, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StoreUnavailable } from "#services/store/ports.ts";
import { codeOf, syncFolder } from "./_disk-calls.ts";

/** Remembering is only a shortcut: all is forgotten rather than grown without bound. */
const maxRemembered = 100_000;

export class Folders {
  readonly #root: string;
  readonly #sync: boolean;
  /** In the map from the first call on, so that nobody builds on a folder that is not durable yet. */
  readonly #made = new Map<string, Promise<void>>();

  constructor(root: string, options: { readonly sync: boolean }) {
    // As the folders of joined paths are spelt: `./store/` has none below it, `store` has.
    this.#root = dirname(join(root, "x"));
    this.#sync = options.sync;
  }

  /** Makes a folder and all above it. Throws StoreUnavailable when something else has its name. */
  make(folder: string): Promise<void> {
    if (folder === this.#root) return Promise.resolve();
    const known = this.#made.get(folder);
    if (known !== undefined) return known;
    if (this.#made.size >= maxRemembered) this.#made.clear();
    const making = this.#make(folder);
    this.#made.set(folder, making);
    making.catch(() => {
      if (this.#made.get(folder) === making) this.#made.delete(folder);
    });
    return making;
  }

  /** Somebody removed folders behind our back. */
  forget(): void {
    this.#made.clear();
  }

  async #make(folder: string): Promise<void> {
    await this.make(dirname(folder));
    try {
      await mkdir(folder, 0o755);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      if (!(await lstat(folder)).isDirectory())
        throw new StoreUnavailable(folder, "something that is not a directory is in the way");
    }
    // Also when it was there: whoever made it may have died before its name was durable.
    if (this.#sync) await syncFolder(dirname(folder));
  }
}
