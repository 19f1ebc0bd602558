// The hashes of a module version with somebody's word for them: of a public one from a public checksum database, of a
// private one from what is kept here, fetched if need be. What an own checksum database records.

import type { Sums as RecordSums } from "#protocol/record.ts";
import { parseH1 } from "#protocol/dirhash.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import type { ModuleJobs } from "./module-jobs.ts";
import type { Privacy } from "./privacy.ts";
import { isToolchain } from "./privacy.ts";
import type { Database } from "./sums.ts";

export type ProvenSumsUse = {
  /** Name of the database that asks, for errors. */
  readonly name: string;
  readonly databases: readonly Database[];
  readonly privacy: Privacy;
  readonly store: Pick<ModuleStore, "findMod" | "findZip">;
  readonly jobs: Pick<ModuleJobs, "fetchZip">;
};

export class ProvenSums {
  readonly #use: ProvenSumsUse;

  constructor(use: ProvenSumsUse) {
    this.#use = use;
  }

  /** Throws SumdbError, or the GranaryError of a fetch. */
  async sums(id: ModuleVersion, signal: AbortSignal): Promise<RecordSums> {
    const { privacy } = this.#use;
    if (isToolchain(id.path) || !privacy.mustNotTravel(id.path)) return await this.#public(id, signal);
    // An ancestor of a private pattern is no module that anybody here may name elsewhere.
    if (privacy.isPrivate(id.path)) return await this.#kept(id, signal);
    throw this.#absent(id, "no private module of this name is served here");
  }

  async #public(id: ModuleVersion, signal: AbortSignal): Promise<RecordSums> {
    let failure: unknown;
    for (const database of this.#use.databases) {
      try {
        return (await database.lookup(id, { signal })).sums;
      } catch (error) {
        // A fork or a bad proof is an alarm, never a reason to ask somebody else.
        const isAlarm = error instanceof SumdbError && (error.code === "SUMDB_FORK" || error.code === "SUMDB_INVALID");
        if (!(error instanceof SumdbError) || isAlarm) throw error;
        failure ??= error;
      }
    }
    throw failure instanceof SumdbError
      ? failure
      : this.#absent(id, "no public checksum database is configured that could prove it");
  }

  async #kept(id: ModuleVersion, signal: AbortSignal): Promise<RecordSums> {
    const { store, jobs } = this.#use;
    const zip = (await store.findZip(id)) ?? (await jobs.fetchZip(id, { hops: "", signal })).kept;
    const mod = await store.findMod(id);
    if (mod === undefined) throw this.#absent(id, "its go.mod is not kept");
    return { zip: parseH1(zip.manifest.zip.h1), mod: parseH1(mod.manifest.mod.h1) };
  }

  #absent(id: ModuleVersion, reason: string): SumdbError {
    return new SumdbError("SUMDB_ABSENT", this.#use.name, { message: `${formatModuleVersion(id)}: ${reason}` });
  }
}
