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
 * signed for a tree too small, about another module, or without one of the version's two hashes.
 */
export function openLookup(bytes: Uint8Array, id: ModuleVersion, verifier: Verifier): OpenedLookup {
  const { id: number, text, checkpointNote } = parseLookup(bytes);
  const head = openLookupHead(number, checkpointNote, verifier);
  return { record: { id: number, text }, head, sums: bothSums(text, id) };
}

/** The head that came with record `number`. Throws ProtocolError, also when its tree is too small for the record. */
export function openLookupHead(number: number, note: Uint8Array, verifier: Verifier): Checkpoint {
  const head = openCheckpoint(note, verifier);
  if (number < head.size) return head;
  throw new ProtocolError("BAD_RECORD", `record ${number} comes with a tree of ${head.size} records`);
}

/** The hashes of a version's zip and of its go.mod. Throws BAD_RECORD when the text lacks either. */
export function bothSums(text: string, { path, version }: ModuleVersion): Sums {
  const sums = findSums(text, path, version);
  // Go before 1.25.10 or 1.26.3 takes a missing line for consent (GO-2026-4984), for each of the two files alone.
  for (const what of ["zip", "mod"] as const) {
    if (sums[what] === undefined) throw new ProtocolError("BAD_RECORD", `the record has no hash of the ${what}`);
  }
  return sums;
}

export class Records {
  readonly #use: { readonly database: string; readonly verifier: Verifier; readonly storage: Storage };
  #isMarked = false;

  constructor(use: { readonly database: string; readonly verifier: Verifier; readonly storage: Storage }) {
    this.#use = use;
  }

  /** The kept answer; undefined when there is none or it is damaged. */
  async find(id: ModuleVersion): Promise<(OpenedLookup & { readonly bytes: Uint8Array }) | undefined> {
    const bytes = await this.read(id);
    if (bytes === undefined) return undefined;
    try {
      return { ...openLookup(bytes, id, this.#use.verifier), bytes };
    } catch (error) {
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
  }

  /** What is kept for a version, sound or not. */
  async read(id: ModuleVersion): Promise<Uint8Array | undefined> {
    return (await this.#use.storage.get(lookupKey(this.#use.database, id), maxLookupBytes))?.bytes;
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
