// What is kept of an own log, read and written: commits, heads, full tiles.
//
// Commits are never replaced, but they are removed when a newer head exists and their records lie in full tiles. So
// what is read under a commit's key counts only while no head is newer than the log that it continues: otherwise it may
// be what a process wrote that had been asleep. That is looked at after the reading, before anything is signed.

import { openCheckpoint, type Checkpoint } from "#protocol/checkpoint.ts";
import { ProtocolError } from "#protocol/errors.ts";
import type { Frontier } from "#protocol/frontier.ts";
import { maxNoteBytes, type Verifier } from "#protocol/note.ts";
import { hashFromTile, tileForIndex } from "#protocol/tile.ts";
import { isEqualHash, recordHash, treeHash, type Hash, type HashReader } from "#protocol/tlog.ts";
import type { Storage } from "#services/store/ports.ts";
import { formatCommit, maxCommitBytes, parseCommit, type Commit } from "./commit.ts";
import { SumLogError } from "./errors.ts";
import { commitKey, commitsPrefix, headKey, headsPrefix, numberOf } from "./layout.ts";
import { height, LogTiles, tileRecords } from "./tiles.ts";

/** The log as far as it was read. */
export type State = {
  readonly frontier: Frontier;
  /** Records after the last full tile. */
  readonly texts: string[];
  /** Commits that are still there, oldest first. */
  readonly commits: { readonly from: number; readonly to: number }[];
  /** The newest head; undefined before the first. */
  head: Checkpoint | undefined;
};

/** Heads that stay beside the newest, for people. */
const keptHeads = 8;
/** A log that moves on while it is read, so often in a row, is being written by somebody gone mad. */
const maxReadings = 100;

export class History {
  readonly tiles: LogTiles;
  readonly #verifier: Verifier;
  readonly #storage: Storage;

  constructor(verifier: Verifier, storage: Storage) {
    this.#verifier = verifier;
    this.#storage = storage;
    this.tiles = new LogTiles(verifier.name, storage);
  }

  get #log(): string {
    return this.#verifier.name;
  }

  /** The whole log: as far as its newest head, or with the commits that no head covers yet. Throws SUMLOG_DAMAGED. */
  async read(upTo: "head" | "end" = "end"): Promise<State> {
    for (let tries = 0; tries < maxReadings; tries++) {
      const size = await this.newest();
      let state: State | undefined;
      let failure: unknown;
      try {
        state = await this.#readFrom(size, upTo === "head" ? size : Infinity);
      } catch (error) {
        failure = error;
      }
      if ((await this.newest()) !== size) continue;
      if (state === undefined) throw failure;
      return state;
    }
    throw this.#damaged("it moves on faster than it can be read");
  }

  /** The size of the newest head; 0 before the first. */
  async newest(): Promise<number> {
    return (await this.#list(headsPrefix(this.#log))).at(-1) ?? 0;
  }

  /**
   * The commit that follows `from` records; undefined when there is none, "unsure" when it may have been cleared away: then
   * only reading the log anew tells.
   */
  async next(from: number): Promise<Commit | "unsure" | undefined> {
    const commit = await this.#readCommit(from);
    const newest = await this.newest();
    if (newest <= from) return commit;
    // Only commits in full tiles are ever cleared away: one after those is what it was, however far others have gone on.
    if (from < Math.floor(newest / tileRecords) * tileRecords) return "unsure";
    return commit ?? (await this.#readCommit(from)) ?? "unsure";
  }

  /** True when the commit was created and is part of the log; false when reading the log anew tells whether it is. */
  async commit(commit: Commit): Promise<boolean> {
    const key = commitKey(this.#log, commit.from);
    if ((await this.#storage.create(key, formatCommit(commit))) === "exists") return false;
    // Somebody may have read it by now, and signed a head over it. Only commits in full tiles are ever cleared away.
    const inTiles = Math.floor((await this.newest()) / tileRecords) * tileRecords;
    if (commit.from >= inTiles) return true;
    // There may have been one, long ago, that was cleared away: then this one is void. Or others have read it and gone on.
    // Its records lie in full tiles in any case, but for those of one that leads beyond them: that one is left to whoever
    // reads the log, who knows by the commits that follow.
    if (commit.from + commit.texts.length <= inTiles) await this.#storage.remove(key);
    return false;
  }

  /** Takes in a commit's records that are not there yet, and writes the tiles that became full. Returns the new ones. */
  async apply(state: State, { from, texts, root }: Commit): Promise<readonly string[]> {
    const { frontier } = state;
    if (from > frontier.size) throw this.#damaged(`commit ${from} follows ${frontier.size} records`);
    const fresh = texts.slice(frontier.size - from);
    for (const text of fresh) {
      frontier.append(recordHash(text));
      state.texts.push(text);
    }
    if (!isEqualHash(frontier.tree().root, root))
      throw this.#damaged(`commit ${from} does not fit the records before it`);
    state.commits.push({ from, to: frontier.size });
    const inTiles = frontier.size - state.texts.length;
    const full = state.texts.splice(0, state.texts.length - (state.texts.length % tileRecords));
    const tiles = frontier.takeFull().map((tile) => this.tiles.keep(tile));
    for (let at = 0; at < full.length; at += tileRecords)
      tiles.push(this.tiles.keepRecords((inTiles + at) / tileRecords, full.slice(at, at + tileRecords)));
    await Promise.all(tiles);
    return fresh;
  }

  /** Keeps a signed head. Its tiles must be kept already. Throws SUMLOG_DAMAGED when another head of its size is there. */
  async keepHead(bytes: Uint8Array): Promise<Checkpoint> {
    const head = openCheckpoint(bytes, this.#verifier);
    if ((await this.#storage.create(headKey(this.#log, head.size), bytes)) === "created") return head;
    const kept = await this.#readHead(head.size);
    if (kept !== undefined && !isEqualHash(kept.root, head.root))
      throw this.#damaged(`the head of ${head.size} records is of another log`);
    return head;
  }

  /** Removes commits whose records lie in full tiles below the newest head, and heads but for the last few. */
  async clear(state: State): Promise<void> {
    const inTiles = state.frontier.size - state.texts.length;
    for (;;) {
      const [oldest] = state.commits;
      if (oldest === undefined || oldest.to > inTiles) break;
      await this.#storage.remove(commitKey(this.#log, oldest.from));
      state.commits.shift();
    }
    const heads = await this.#list(headsPrefix(this.#log));
    for (const size of heads.slice(0, -keptHeads)) await this.#storage.remove(headKey(this.#log, size));
  }

  /** The records of the `index`-th data tile, full or not. Throws SUMLOG_DAMAGED. */
  async recordsAt({ frontier, texts }: State, index: number): Promise<readonly string[]> {
    const inTiles = frontier.size - texts.length;
    return index * tileRecords < inTiles ? await this.tiles.readRecords(index, frontier) : texts;
  }

  /** For proofs in the log as far as it was read. */
  readerOf({ frontier }: State): HashReader {
    return async (indexes) =>
      await Promise.all(
        indexes.map(async (index) => {
          const tile = tileForIndex(height, index);
          return hashFromTile(tile, await this.tiles.read(tile, frontier), index);
        }),
      );
  }

  /** The root of the first `size` records. */
  async rootAt(state: State, size: number): Promise<Hash> {
    return await treeHash(size, this.readerOf(state));
  }

  /** From the newest head: its edge, made from the full tiles below; then the commits after those. */
  async #readFrom(size: number, end: number): Promise<State> {
    const head = await this.#readHead(size);
    const inTiles = Math.floor(size / tileRecords) * tileRecords;
    const state: State = { frontier: await this.tiles.edgeAt(inTiles), texts: [], commits: [], head };
    const froms = await this.#list(commitsPrefix(this.#log));
    let from = froms.filter((each) => each <= inTiles).at(-1) ?? inTiles;
    for (const left of froms) if (left < from) state.commits.push({ from: left, to: left });
    while (from < end) {
      const commit = await this.#readCommit(from);
      // Every commit but the last one ends at a head. One that leads across the newest head is of somebody who was asleep.
      const isVoid = commit !== undefined && from < size && from + commit.texts.length > size;
      if (isVoid) state.commits.push({ from, to: from });
      if (commit === undefined || isVoid) {
        if (from >= inTiles) break;
        from = inTiles;
        continue;
      }
      from += commit.texts.length;
      if (from > state.frontier.size) await this.apply(state, commit);
      else state.commits.push({ from: commit.from, to: from });
    }
    if (state.frontier.size < size) throw this.#damaged(`${state.frontier.size} of ${size} records are left`);
    if (head !== undefined && !isEqualHash(await this.rootAt(state, size), head.root))
      throw this.#damaged(`the head of ${size} records is of another log`);
    return state;
  }

  async #readHead(size: number): Promise<Checkpoint | undefined> {
    const kept = await this.#storage.get(headKey(this.#log, size), maxNoteBytes);
    if (kept === undefined && size === 0) return undefined;
    if (kept === undefined) throw this.#damaged(`the head of ${size} records is lost`);
    const head = this.#inOurWords(`the head of ${size} records`, () => openCheckpoint(kept.bytes, this.#verifier));
    if (head.size !== size) throw this.#damaged(`the head of ${size} records is one of ${head.size}`);
    return head;
  }

  async #readCommit(from: number): Promise<Commit | undefined> {
    const kept = await this.#storage.get(commitKey(this.#log, from), maxCommitBytes);
    if (kept === undefined) return undefined;
    const commit = this.#inOurWords(`commit ${from}`, () => parseCommit(kept.bytes));
    if (commit.from !== from) throw this.#damaged(`commit ${from} says that it is commit ${commit.from}`);
    return commit;
  }

  async #list(prefix: string): Promise<number[]> {
    const numbers: number[] = [];
    for await (const { key } of this.#storage.list(prefix)) {
      const number = numberOf(key);
      if (number !== undefined) numbers.push(number);
    }
    return numbers.sort((a, b) => a - b);
  }

  #inOurWords<T>(what: string, parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (error instanceof ProtocolError) throw this.#damaged(`${what}: ${error.message}`, error);
      throw error;
    }
  }

  #damaged(what: string, cause?: unknown): SumLogError {
    return new SumLogError("SUMLOG_DAMAGED", this.#log, what, { cause });
  }
}
