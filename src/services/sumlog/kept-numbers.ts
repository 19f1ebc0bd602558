// The table of record numbers over a Storage. It can be made from the records at any time; what is kept of it saves
// reading all of them at each start.

import { ProtocolError } from "#protocol/errors.ts";
import type { Storage } from "#services/store/ports.ts";
import { numbersKey } from "./layout.ts";
import { Numbers } from "./numbers.ts";
import { keyOf } from "./sums-text.ts";
import { tileRecords } from "./tiles.ts";

/** Records after which the table is written anew: reading so many at a start takes a fraction of a second. */
const saveEvery = 65_536;
/** A table of twenty million records. */
const maxTableBytes = 256 * 1024 * 1024;

export class KeptNumbers {
  readonly #log: string;
  readonly #storage: Storage;
  #table: Numbers | undefined;
  #savedUpTo = 0;

  constructor(log: string, storage: Storage) {
    this.#log = log;
    this.#storage = storage;
  }

  /** Numbers of records that may be the key's, oldest first. */
  find(key: string): number[] {
    return this.#table?.find(key) ?? [];
  }

  /** Learns all records below `size`. */
  async load(size: number, records: (tile: number) => Promise<readonly string[]>): Promise<void> {
    if (this.#table === undefined) {
      this.#table = await this.#read();
      this.#savedUpTo = this.#table.upTo;
    }
    // A store that was set back has a table of records that are no more.
    if (this.#table.upTo > size) this.#table = new Numbers();
    while (this.#table.upTo < size) {
      const next = this.#table.upTo;
      const texts = await records(Math.floor(next / tileRecords));
      for (const text of texts.slice(next % tileRecords)) this.#table.add(keyOf(text));
    }
    await this.save();
  }

  /** Learns records that follow one another from number `first`; nothing when those before are not known yet. */
  add(first: number, texts: readonly string[]): void {
    const table = this.#table;
    if (table?.upTo !== first) return;
    for (const text of texts) table.add(keyOf(text));
  }

  /** Writes the table when it has grown enough. */
  async save(): Promise<void> {
    const table = this.#table;
    if (table === undefined || table.upTo - this.#savedUpTo < saveEvery) return;
    const key = numbersKey(this.#log);
    await this.#storage.replace(key, table.toBytes(), (await this.#storage.stat(key))?.token);
    this.#savedUpTo = table.upTo;
  }

  async #read(): Promise<Numbers> {
    const kept = await this.#storage.get(numbersKey(this.#log), maxTableBytes);
    if (kept === undefined) return new Numbers();
    try {
      return Numbers.from(kept.bytes);
    } catch (error) {
      if (error instanceof ProtocolError) return new Numbers();
      throw error;
    }
  }
}
