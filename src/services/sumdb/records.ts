// Kept lookup answers: a record and a head that covers it, as any client may read them from the store.

import type { Checkpoint } from "#protocol/checkpoint.ts";
import { openCheckpoint } from "#protocol/checkpoint.ts";
import { ProtocolError } from "#protocol/errors.ts";
import type { Verifier } from "#protocol/note.ts";
import { findSums, formatRecord, parseLookup, type LogRecord, type Sums } from "#protocol/record.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { Storage } from "#services/store/ports.ts";
import { lookupKey, supportedKey } from "./layout.ts";

/** Records have a few hundred bytes, heads too; other signatures may add to a note. */
export const maxLookupBytes = 1_000_000;

/** A lookup answer whose signature and form are right. Whether the log has the record is another question. */
export type OpenedLookup = {
  readonly record: LogRecord;
  readonly head: Checkpoint;
  readonly sums: Sums;
};

/**
 * Opens an answer to the question for `id`. Throws ProtocolError when it is malformed, not signed by the database,
 * signed for a tree too small, or about another module.
 */
export function openLookup(bytes: Uint8Array, id: ModuleVersion, verifier: Verifier): OpenedLookup {
  const { id: number, text, checkpointNote } = parseLookup(bytes);
  const head = openCheckpoint(checkpointNote, verifier);
  if (number >= head.size) {
    throw new ProtocolError("BAD_RECORD", `record ${number} comes with a tree of ${head.size} records`);
  }
  return { record: { id: number, text }, head, sums: findSums(text, id.path, id.version) };
}

export class Records {
  readonly #use: { readonly database: string; readonly verifier: Verifier; readonly storage: Storage };
  #isMarked = false;

  constructor(use: { readonly database: string; readonly verifier: Verifier; readonly storage: Storage }) {
    this.#use = use;
  }

  /** The kept answer; undefined when there is none or it is damaged. */
  async find(id: ModuleVersion): Promise<(OpenedLookup & { readonly bytes: Uint8Array }) | undefined> {
    const kept = await this.#use.storage.get(lookupKey(this.#use.database, id), maxLookupBytes);
    if (kept === undefined) return undefined;
    try {
      return { ...openLookup(kept.bytes, id, this.#use.verifier), bytes: kept.bytes };
    } catch (error) {
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
  }

  /** Keeps a proven record with the head it was proven in; every tile of the proof must be kept already. */
  async keep(id: ModuleVersion, record: LogRecord, head: Checkpoint): Promise<Uint8Array> {
    const { storage, database } = this.#use;
    await this.#mark();
    const bytes = Buffer.concat([formatRecord(record), head.bytes]);
    const key = lookupKey(database, id);
    // Whatever is there could not be opened or proven, or another request has just kept the same record.
    if ((await storage.create(key, bytes)) === "exists") {
      await storage.replace(key, bytes, (await storage.stat(key))?.token);
    }
    return bytes;
  }

  async #mark(): Promise<void> {
    if (this.#isMarked) return;
    await this.#use.storage.create(supportedKey(this.#use.database), new Uint8Array());
    this.#isMarked = true;
  }
}
