// One checksum database for everything. `go` accepts a single database, so an own log that holds private modules must
// hold the public ones and the toolchains too. A version that it has no record of is recorded when it is first asked
// for, with hashes that somebody else has proven: the public database, or, for private modules, what is kept.

import { ProtocolError } from "#protocol/errors.ts";
import { formatDataTile } from "#protocol/record.ts";
import { parseTilePath, type Tile } from "#protocol/tile.ts";
import { formatModuleVersion, type ModuleVersion } from "#protocol/version.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import { Flights } from "#services/sumdb/flights.ts";
import type { Ask, VerifiedRecord } from "#services/sumdb/mirror.ts";
import { SumLogError } from "./errors.ts";
import type { SumLog } from "./log.ts";
import type { Proofs } from "./ports.ts";
import { answerOf } from "./recorded.ts";
import { formatSums } from "./sums-text.ts";

export type OwnDatabaseUse = {
  readonly log: SumLog;
  readonly proofs: Proofs;
  /** Ends what is under way when the server stops. */
  readonly stop: AbortSignal;
};

export class OwnDatabase {
  readonly name: string;
  /** Lookups of private modules and all tiles of records are for readers only. */
  readonly holdsPrivate = true;
  readonly #use: OwnDatabaseUse;
  readonly #lookups = new Flights<VerifiedRecord>();

  constructor(use: OwnDatabaseUse) {
    this.#use = use;
    this.name = use.log.name;
  }

  /** The record of a version, appended when there is none yet. Throws SumdbError, SumLogError. */
  async lookup(id: ModuleVersion, { signal, cachedOnly = false }: Ask): Promise<VerifiedRecord> {
    const key = formatModuleVersion(id);
    const known = await this.#use.log.find(key);
    if (known !== undefined) return await answerOf(this.#use.log, id, known);
    if (cachedOnly) throw this.#error("SUMDB_NOT_KEPT", `${key} is not recorded`);
    return await this.#lookups.join(key, signal, async () => {
      await this.record(id, this.#use.stop);
      const record = await this.#use.log.find(key);
      if (record === undefined) throw this.#error("SUMDB_INVALID", `${key} was recorded and is lost`);
      return await answerOf(this.#use.log, id, record);
    });
  }

  /** Sees to it that the log has a record of a version. Throws SUMLOG_CONFLICT when it has one with other hashes. */
  async record(id: ModuleVersion, signal: AbortSignal): Promise<void> {
    const key = formatModuleVersion(id);
    const { log, proofs } = this.#use;
    const text = formatSums(id, await proofs.sums(id, signal));
    await log.append(key, text);
    const record = await log.find(key);
    if (record?.text === text) return;
    throw new SumLogError("SUMLOG_CONFLICT", this.name, `${key} is recorded with other hashes`);
  }

  /** The bytes of `tile/8/…`. Throws SumdbError: SUMDB_ABSENT for what this log has no tile of. */
  async tile(path: string): Promise<Uint8Array> {
    const tile = this.#parseTile(path);
    const bytes = tile.level === -1 ? await this.#dataTile(tile) : await this.#use.log.hashTile(tile);
    if (bytes === undefined) throw this.#error("SUMDB_ABSENT", "the log has no such tile yet");
    return bytes;
  }

  /** The newest signed head. */
  async latest(): Promise<Uint8Array> {
    return (await this.#use.log.head()).bytes;
  }

  async #dataTile(tile: Tile): Promise<Uint8Array | undefined> {
    const texts = await this.#use.log.records(tile);
    return texts && formatDataTile(texts);
  }

  #parseTile(path: string): Tile {
    try {
      const tile = parseTilePath(path);
      if (tile.height === 8) return tile;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
    throw this.#error("SUMDB_ABSENT", "only tiles of height 8 exist");
  }

  #error(code: "SUMDB_ABSENT" | "SUMDB_NOT_KEPT" | "SUMDB_INVALID", message: string): SumdbError {
    return new SumdbError(code, this.name, { message });
  }
}
