// The lists of complete versions, `modules/<path>/@v/list`: what a go command reads when the directory is its GOPROXY.
//
// A version counts as complete when its zip manifest is there. A crash between that manifest and the list leaves the
// list short, and nothing tells damage in it, so the first look at a list in a process, one after a doubt and one at a
// file that is not what this process left makes it from the manifests; other additions add a line.

import { formatList, maxListBytes, parseList } from "#protocol/info.ts";
import type { ModulePath } from "#protocol/path.ts";
import { isPseudoVersion } from "#protocol/pseudo.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { LRUCache } from "lru-cache";
import { Turns } from "./_turns.ts";
import { listKey, moduleFolder, versionOfKey } from "./layout.ts";
import type { Storage } from "./ports.ts";
import { StoreAway, StoreUnavailable } from "./ports.ts";

/** Lists known to be whole; for the others the manifests are looked at once more. */
const maxKnownWhole = 50_000;
/** One process writes a store, so a list changes under us at most when a command runs beside it. */
const maxAttempts = 100;

export class KeptLists {
  readonly #storage: Storage;
  readonly #turns = new Turns();
  /** The token of the file under which it was whole. */
  readonly #whole: LRUCache<ModulePath, string>;

  /** @param maxKnown lists that are remembered to be whole */
  constructor(storage: Storage, maxKnown = maxKnownWhole) {
    this.#storage = storage;
    // Counted, and not given as `max`: that would make room for all of them at every start.
    this.#whole = new LRUCache({ maxSize: maxKnown, sizeCalculation: () => 1 });
  }

  /** Complete versions; no pseudo-versions. */
  async read(path: ModulePath): Promise<string[]> {
    const stored = await this.#storage.get(listKey(path), maxListBytes);
    const named = stored === undefined ? [] : parseList(stored.bytes);
    if (stored !== undefined && this.#whole.get(path) === stored.token) return named;
    let list: Uint8Array;
    try {
      list = Buffer.from(formatList(await this.#complete(path)));
    } catch (error) {
      // What the list named when it was last seen is kept; it may lack what came since.
      if (!(error instanceof StoreAway) || stored === undefined) throw error;
      return named;
    }
    if (Buffer.compare(stored?.bytes ?? Buffer.alloc(0), list) !== 0)
      // Who reads is answered whole, whether or not the list can be written now.
      await this.#turns.take(path, () => this.#add(path, [])).catch(ignoreUnavailable);
    else if (stored !== undefined) this.#whole.set(path, stored.token);
    return parseList(list);
  }

  /** Names a version whose zip manifest is kept. */
  async add(id: ModuleVersion): Promise<void> {
    if (isPseudoVersion(id.version)) return;
    await this.#turns.take(id.path, () => this.#add(id.path, [id.version]));
  }

  /** Names a version no longer: its files are gone. */
  async remove(id: ModuleVersion): Promise<void> {
    if (isPseudoVersion(id.version)) return;
    await this.#turns.take(id.path, () => this.#change(id.path, (named) => named.filter((one) => one !== id.version)));
  }

  async isRight(path: ModulePath): Promise<boolean> {
    const stored = await this.#storage.get(listKey(path), maxListBytes);
    const named = stored === undefined ? [] : parseList(stored.bytes);
    const complete = new Set(await this.#complete(path));
    return named.length === complete.size && named.every((one) => complete.has(one));
  }

  /** Makes a list anew from the manifests; false when it was right. */
  async mend(path: ModulePath): Promise<boolean> {
    return await this.#turns.take(path, async () => {
      if (await this.isRight(path)) return false;
      const complete = await this.#complete(path);
      await this.#change(path, () => complete);
      return true;
    });
  }

  /** A keep was interrupted: the list may lack a version. */
  doubt(path: ModulePath): void {
    this.#whole.delete(path);
  }

  async #add(path: ModulePath, versions: readonly string[]): Promise<void> {
    await this.#change(path, (named) => [...named, ...versions]);
  }

  async #change(path: ModulePath, change: (named: readonly string[]) => readonly string[]): Promise<void> {
    const key = listKey(path);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const stored = await this.#storage.get(key, maxListBytes);
      const isWhole = stored !== undefined && this.#whole.get(path) === stored.token;
      const named = isWhole ? parseList(stored.bytes) : await this.#complete(path);
      const bytes = Buffer.from(formatList([...new Set(change(named))]));
      const isSame = stored === undefined ? bytes.length === 0 : Buffer.compare(stored.bytes, bytes) === 0;
      if (isSame || (await this.#storage.replace(key, bytes, stored?.token)) === "replaced") {
        const token = isSame ? stored?.token : (await this.#storage.stat(key))?.token;
        if (token !== undefined) this.#whole.set(path, token);
        return;
      }
    }
    throw new StoreUnavailable(key, "it changes all the time");
  }

  /** Versions with a zip manifest and without a tombstone; one that is half evicted is on its way out. */
  async #complete(path: ModulePath): Promise<string[]> {
    const folder = moduleFolder(path);
    const complete = new Set<string>();
    const evicted: string[] = [];
    for await (const { key } of this.#storage.list(folder)) {
      const found = versionOfKey(key);
      if (found?.id.path !== path || isPseudoVersion(found.id.version)) continue;
      if (found.file === "zip.manifest") complete.add(found.id.version);
      if (found.file === "tombstone") evicted.push(found.id.version);
    }
    for (const version of evicted) complete.delete(version);
    return [...complete];
  }
}

function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof StoreUnavailable)) throw error;
}
