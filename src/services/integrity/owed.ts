// What was kept on an integrity list's word and still owes a database's proof.
//
//   state/integrity/owed/<module>/@v/<version>.<stage>      written before the version is kept
//   state/integrity/proven/<module>/@v/<version>.<stage>    a database has agreed since
//   state/integrity/refuted/<module>/@v/<version>.<stage>   a database has other hashes: never served
//
// Only `proven` lets bytes pass. What is lost of the others costs a question, or a second event.

import { escapePath, unescapePath } from "#protocol/path.ts";
import { checkModuleVersion, escapeVersion, unescapeVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { storageKey } from "#services/store/ports.ts";
import type { Storage, StorageKey } from "#services/store/ports.ts";

export type OwedStage = "mod" | "zip";
export type Owed = { readonly id: ModuleVersion; readonly stage: OwedStage };
type Kind = "owed" | "proven" | "refuted";

const prefix = "state/integrity/";
/** The name says it all. */
const mark = Buffer.from("\n");

export class OwedProofs {
  readonly #storage: Pick<Storage, "create" | "remove" | "stat" | "list">;
  /** Counted once and kept up to date; undefined before. */
  #count: number | undefined;

  constructor(storage: Pick<Storage, "create" | "remove" | "stat" | "list">) {
    this.#storage = storage;
  }

  /** How many stages of versions wait for their proof. */
  async count(): Promise<number> {
    this.#count ??= (await this.list()).length;
    return this.#count;
  }

  /** Before anything is kept on a list's word. */
  async add(id: ModuleVersion, stage: OwedStage): Promise<void> {
    await this.#storage.create(keyOf("owed", id, stage), mark);
    this.#count = undefined;
  }

  async isProven(id: ModuleVersion, stage: OwedStage): Promise<boolean> {
    return (await this.#storage.stat(keyOf("proven", id, stage))) !== undefined;
  }

  /** A database has the same hash. */
  async prove(id: ModuleVersion, stage: OwedStage): Promise<void> {
    await this.#storage.create(keyOf("proven", id, stage), mark);
    await this.#settle(id, stage);
  }

  /** A database has another hash. True the first time. */
  async refute(id: ModuleVersion, stage: OwedStage): Promise<boolean> {
    const made = await this.#storage.create(keyOf("refuted", id, stage), mark);
    await this.#settle(id, stage);
    return made === "created";
  }

  async list(): Promise<Owed[]> {
    const owed: Owed[] = [];
    for await (const { key } of this.#storage.list(`${prefix}owed/`)) owed.push(parseKey(key));
    return owed;
  }

  async #settle(id: ModuleVersion, stage: OwedStage): Promise<void> {
    await this.#storage.remove(keyOf("owed", id, stage));
    this.#count = undefined;
  }
}

function keyOf(kind: Kind, id: ModuleVersion, stage: OwedStage): StorageKey {
  return storageKey(`${prefix}${kind}/${escapePath(id.path)}/@v/${escapeVersion(id.version)}.${stage}`);
}

function parseKey(key: string): Owed {
  const [, path = "", version = "", stage] = /^state\/integrity\/owed\/(.+)\/@v\/(.+)[.](mod|zip)$/.exec(key) ?? [];
  return {
    id: checkModuleVersion(unescapePath(path), unescapeVersion(version)),
    stage: stage === "mod" ? "mod" : "zip",
  };
}
