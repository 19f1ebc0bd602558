// A path inside a kept module's zip is not a module of that version: module zips leave nested modules out
// (protocol reference §6.1). So `m/cmd/x@v` is proven absent by the kept zip of `m@v`, without asking anybody.

import { parsePath } from "#protocol/path.ts";
import type { ModulePath } from "#protocol/path.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { LRUCache } from "lru-cache";
import { StoreDamaged } from "#services/store/errors.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import type { Clock } from "#services/store/ports.ts";
import { StoreUnavailable, timeLimit } from "#services/store/ports.ts";
import { Gate, GateFull } from "./gate.ts";
import { VerifierFault } from "./ports.ts";
import type { Verifier } from "./ports.ts";

/** Zips whose directories are remembered; asked for a handful per offline `go install`. */
const maxRemembered = 64;
/** Questions that may wait for their zip to be read; those beyond get no proof. */
const maxWaiting = 1_000;

export class NestedModules {
  readonly #store: ModuleStore;
  readonly #verifier: Verifier;
  readonly #clock: Pick<Clock, "timeout">;
  /** One whole zip in memory at a time, however many ask. */
  readonly #reading = new Gate(1, maxWaiting);
  readonly #directories = new LRUCache<string, ReadonlySet<string>>({ max: maxRemembered });

  constructor(store: ModuleStore, verifier: Verifier, clock: Pick<Clock, "timeout"> = {}) {
    this.#store = store;
    this.#verifier = verifier;
    this.#clock = clock;
  }

  /** True when an ancestor of `id.path` is kept whole at this version and has the rest of the path as a directory. */
  async isDirectoryOfKept(id: ModuleVersion): Promise<boolean> {
    for (const { parent, rest } of parentsOf(id)) {
      const directories = await this.#directoriesOf(parent);
      if (directories?.has(rest) === true) return true;
    }
    return false;
  }

  async #directoriesOf(id: ModuleVersion): Promise<ReadonlySet<string> | undefined> {
    const key = `${id.path}@${id.version}`;
    try {
      return this.#directories.get(key) ?? (await this.#reading.pass(() => this.#readDirectories(id, key)));
    } catch (error) {
      // A zip that is damaged, or that cannot be read now, proves nothing; it is no error of whoever asks for another.
      if (isDoubt(error)) return undefined;
      throw error;
    }
  }

  async #readDirectories(id: ModuleVersion, key: string): Promise<ReadonlySet<string> | undefined> {
    const known = this.#directories.get(key);
    if (known !== undefined) return known;
    const bytes = await this.#bytesOf(id);
    if (bytes === undefined) return undefined;
    const directories = await this.#verifier.directories({ bytes }, id, timeLimit(this.#clock, directoriesMs));
    this.#directories.set(key, directories);
    return directories;
  }

  async #bytesOf(id: ModuleVersion): Promise<Uint8Array | undefined> {
    const zip = await this.#store.findZip(id);
    if (zip === undefined || zip.manifest.zip.size > maxZipRead) return undefined;
    const source = await zip.open();
    try {
      const bytes = new Uint8Array(zip.manifest.zip.size);
      await source.read(0, bytes);
      return bytes;
    } finally {
      await source.close();
    }
  }
}

function isDoubt(error: unknown): boolean {
  return [StoreDamaged, StoreUnavailable, VerifierFault, GateFull].some((doubt) => error instanceof doubt);
}

/** Zips larger than this prove nothing here: reading them whole would cost more than the answer is worth. */
const maxZipRead = 64 << 20;
const directoriesMs = 30_000;

/** Every module path above `id.path` that could hold it as a directory, nearest first. */
function* parentsOf(id: ModuleVersion): Generator<{ readonly parent: ModuleVersion; readonly rest: string }> {
  for (let slash = id.path.lastIndexOf("/"); slash > 0; slash = id.path.lastIndexOf("/", slash - 1)) {
    const parent = moduleOrNot(id.path.slice(0, slash), id.version);
    if (parent !== undefined) yield { parent, rest: id.path.slice(slash + 1) };
  }
}

function moduleOrNot(path: string, version: string): ModuleVersion | undefined {
  try {
    const parsed: ModulePath = parsePath(path);
    return checkModuleVersion(parsed, version);
  } catch {
    return undefined; // no module of this version can have that path
  }
}
