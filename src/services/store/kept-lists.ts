// The lists of complete versions, `modules/<path>/@v/list`: what a go command reads when the directory is its GOPROXY.
//
// A version counts as complete when its zip manifest is there. A crash between that manifest and the list leaves the
// list short, and nothing proves its lines, so the first look at a list in a process, one after a doubt, and one after
// somebody else has written the file make it from the manifests; later additions add a line.

import { formatList, maxListBytes, parseList } from "#protocol/info.ts";
import type { ModulePath } from "#protocol/path.ts";
import { isPseudoVersion } from "#protocol/pseudo.ts";
import { isValidVersion, unescapeVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { LRUCache } from "lru-cache";
import { Turns } from "./_turns.ts";
import { listKey, moduleFolder } from "./layout.ts";
import type { Storage } from "./ports.ts";
import { StoreUnavailable } from "./ports.ts";

/** Lists known to be whole; for the others the manifests are looked at once more. */
const maxKnownWhole = 50_000;
/** One process writes a store, so a list changes under us at most when a command runs beside it. */
const maxAttempts = 100;

export class KeptLists {
  readonly #storage: Storage;
  readonly #turns = new Turns();
  /** By the token of the file as it was made or found. */
  readonly #whole = new LRUCache<ModulePath, string>({
    // Counted, and not given as `max`: that would make room for all of them at every start.
    maxSize: maxKnownWhole,
    sizeCalculation: () => 1,
  });

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Complete versions; no pseudo-versions. */
  async read(path: ModulePath): Promise<string[]> {
    const stored = await this.#storage.get(listKey(path), maxListBytes);
    if (stored !== undefined && this.#whole.get(path) === stored.token) return parseList(stored.bytes);
    const complete = Buffer.from(formatList(await this.#complete(path)));
    if (stored !== undefined && Buffer.compare(stored.bytes, complete) === 0) this.#whole.set(path, stored.token);
    // Who reads is answered rightly, whether or not the list can be written now.
    else if (stored !== undefined || complete.length > 0)
      await this.#turns.take(path, () => this.#add(path, [])).catch(ignoreUnavailable);
    return parseList(complete);
  }

  /** Names a version whose zip manifest is kept. */
  async add(id: ModuleVersion): Promise<void> {
    if (isPseudoVersion(id.version)) return;
    await this.#turns.take(id.path, () => this.#add(id.path, [id.version]));
  }

  /** A keep was interrupted: the list may lack a version. */
  doubt(path: ModulePath): void {
    this.#whole.delete(path);
  }

  async #add(path: ModulePath, versions: readonly string[]): Promise<void> {
    const key = listKey(path);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const stored = await this.#storage.get(key, maxListBytes);
      const isWhole = stored !== undefined && this.#whole.get(path) === stored.token;
      const named = isWhole ? parseList(stored.bytes) : await this.#complete(path);
      const bytes = Buffer.from(formatList([...new Set([...named, ...versions])]));
      const isSame = stored !== undefined && Buffer.compare(stored.bytes, bytes) === 0;
      if (isSame || (await this.#storage.replace(key, bytes, stored?.token)) === "replaced") {
        const token = isSame ? stored.token : (await this.#storage.stat(key))?.token;
        if (token !== undefined) this.#whole.set(path, token);
        return;
      }
    }
    throw new StoreUnavailable(key, "it changes all the time");
  }

  async #complete(path: ModulePath): Promise<string[]> {
    const folder = moduleFolder(path);
    const versions: string[] = [];
    for await (const { key } of this.#storage.list(folder)) {
      const name = key.slice(folder.length);
      if (!name.endsWith(manifestEnd) || name.includes("/")) continue;
      const version = versionOf(name.slice(0, -manifestEnd.length));
      if (version !== undefined && !isPseudoVersion(version)) versions.push(version);
    }
    return versions;
  }
}

function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof StoreUnavailable)) throw error;
}

const manifestEnd = ".zip.manifest";

/** undefined: a file somebody else put there. */
function versionOf(escaped: string): string | undefined {
  try {
    const version = unescapeVersion(escaped);
    return isValidVersion(version) ? version : undefined;
  } catch {
    return undefined;
  }
}
