// Reads an own log from end to end: every record is hashed again, every full tile compared, the root held against the
// signed head, and no version may be recorded twice. A log that does not open is walked too: its reader only says where
// it stopped, while an operator must know which file to bring back.

import { ProtocolError } from "#protocol/errors.ts";
import { Frontier, type TileBytes } from "#protocol/frontier.ts";
import type { Verifier } from "#protocol/note.ts";
import { formatDataTile, maxRecordBytes, parseDataTile } from "#protocol/record.ts";
import type { Tile } from "#protocol/tile.ts";
import { isEqualHash, recordHash } from "#protocol/tlog.ts";
import type { Storage } from "#services/store/ports.ts";
import { SumLogError } from "./errors.ts";
import { History, type State } from "./history.ts";
import { tileKey } from "./layout.ts";
import { Numbers } from "./numbers.ts";
import { keyOf } from "./sums-text.ts";
import { height, tileRecords } from "./tiles.ts";

export type LogCheck = {
  /** Records of the log; of what could be read when there are problems. */
  readonly size: number;
  readonly tiles: number;
  /** In words of an operator; empty for a sound log. */
  readonly problems: readonly string[];
};

type Place = { readonly verifier: Verifier; readonly storage: Storage };

/** More problems than this say nothing new. */
const maxProblems = 100;
const maxTileBytes = tileRecords * maxRecordBytes;

export async function checkLog(
  place: Place,
  onProgress: (records: number) => void = () => undefined,
): Promise<LogCheck> {
  const history = new History(place.verifier, place.storage);
  const check = new Check(place, history);
  const state = await check.open();
  const inTiles = state === undefined ? await history.newest() : state.frontier.size - state.texts.length;
  for (let index = 0; (index + 1) * tileRecords <= inTiles && check.problems.length < maxProblems; index++) {
    if (!(await check.tile(index))) return check.report();
    onProgress(check.size);
  }
  if (state !== undefined) await check.rest(state);
  return check.report();
}

class Check {
  readonly problems: string[] = [];
  #tiles = 0;
  readonly #place: Place;
  readonly #history: History;
  /** The log, when it opens. Its edge is that of the signed head. */
  #state: State | undefined;
  readonly #again = new Frontier();
  readonly #seen = new Numbers();

  constructor(place: Place, history: History) {
    this.#place = place;
    this.#history = history;
  }

  get size(): number {
    return this.#again.size;
  }

  report(): LogCheck {
    return { size: this.size, tiles: this.#tiles, problems: this.problems };
  }

  async open(): Promise<State | undefined> {
    try {
      this.#state = await this.#history.read("head");
    } catch (error) {
      if (!(error instanceof SumLogError)) throw error;
      this.problems.push(error.message);
    }
    return this.#state;
  }

  /** Takes the `index`-th full tile of records; false when they cannot be read, so that nothing after them can be told. */
  async tile(index: number): Promise<boolean> {
    const tile = { height, level: -1, index, width: tileRecords };
    const key = tileKey(this.#place.verifier.name, tile);
    const texts = await this.#readTexts(key);
    if (typeof texts === "string") {
      this.problems.push(`${key} ${texts}`);
      return false;
    }
    await this.#take(texts);
    await this.#compare({ tile, bytes: formatDataTile(texts) });
    return true;
  }

  /** Takes the records after the last full tile, and looks at the root. */
  async rest({ texts, head }: State): Promise<void> {
    await this.#take(texts);
    if (this.problems.length > 0 || head === undefined || isEqualHash(this.#again.tree().root, head.root)) return;
    this.problems.push(`the head of ${head.size} records is not that of the records`);
  }

  async #take(texts: readonly string[]): Promise<void> {
    for (const text of texts) {
      const key = keyOf(text);
      if (this.#seen.find(key).length > 0) this.problems.push(`${key} is recorded twice`);
      this.#seen.add(key);
      this.#again.append(recordHash(text));
    }
    for (const full of this.#again.takeFull()) await this.#compare(full);
  }

  async #compare({ tile, bytes }: TileBytes): Promise<void> {
    this.#tiles++;
    const key = tileKey(this.#place.verifier.name, tile);
    const kept = await this.#place.storage.get(key, maxTileBytes);
    if (kept === undefined) this.problems.push(`${key} is lost`);
    else if (Buffer.compare(kept.bytes, bytes) !== 0) this.problems.push(await this.#blame(tile));
  }

  /** A kept tile is not that of the records below it. Which of them changed, the signed head tells when it can be read. */
  async #blame(tile: Tile): Promise<string> {
    const key = tileKey(this.#place.verifier.name, tile);
    if (this.#state === undefined || tile.level < 0) return `${key} is not the tile of its records`;
    try {
      await this.#history.tiles.read(tile, this.#state.frontier);
    } catch (error) {
      if (error instanceof SumLogError) return `${key} is not the tile of its records`;
      throw error;
    }
    const records = tileKey(this.#place.verifier.name, { ...tile, level: -1 });
    return tile.level === 0 ? `${records} has other records than were signed` : `records below ${key} have changed`;
  }

  /** The records of a full tile, or what is wrong with it. */
  async #readTexts(key: ReturnType<typeof tileKey>): Promise<string[] | string> {
    const kept = await this.#place.storage.get(key, maxTileBytes);
    if (kept === undefined) return "is lost";
    try {
      return parseDataTile(kept.bytes, tileRecords);
    } catch (error) {
      if (error instanceof ProtocolError) return error.message;
      throw error;
    }
  }
}
