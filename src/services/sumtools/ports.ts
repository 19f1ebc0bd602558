// What this room asks of the world.

import type { ModuleVersion } from "#protocol/version.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import type { VerifiedRecord } from "#services/sumdb/mirror.ts";

/** A checksum database whose answers are proven. */
export interface Database {
  readonly name: string;
  /** Throws SumdbError. */
  lookup(
    id: ModuleVersion,
    ask: { readonly signal: AbortSignal; readonly cachedOnly?: boolean },
  ): Promise<VerifiedRecord>;
}

export type Asking = {
  /** In the order in which they are asked; at least one. */
  readonly databases: readonly Database[];
  /** Answer from what is kept. */
  readonly cachedOnly: boolean;
  /** Asked at once. */
  readonly jobs: number;
  readonly signal: AbortSignal;
  /** Names that no database hears of. */
  readonly isPrivate: (path: string) => boolean;
};

/** The proven record of the first database that has one. Throws SumdbError, the signal's reason when aborted. */
export async function askInTurn(id: ModuleVersion, asking: Asking): Promise<VerifiedRecord> {
  const { databases, signal, cachedOnly } = asking;
  let failure: unknown;
  for (const database of databases) {
    try {
      return await database.lookup(id, { signal, cachedOnly });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof SumdbError)) throw error;
      // A fork or a bad proof is an alarm, never a reason to ask somebody else.
      if (error.code === "SUMDB_FORK" || error.code === "SUMDB_INVALID") throw error;
      // What one says for certain weighs more than that another could not be reached.
      if (failure === undefined || error.code === "SUMDB_ABSENT") failure = error;
    }
  }
  throw failure instanceof Error ? failure : new RangeError("no database is given");
}
