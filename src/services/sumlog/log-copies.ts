// A log on its way into a snapshot while others append to it: as far as one signed head, whatever is newer left out.
//
// The newest head first, then the commits whose records no full tile below that head holds, then the full tiles. Tiles and
// heads of that size never change. A commit may be cleared away meanwhile; then there is a newer head, and all begins anew.

import { parseTree } from "#protocol/checkpoint.ts";
import { ProtocolError } from "#protocol/errors.ts";
import type { Frontier } from "#protocol/frontier.ts";
import { maxNoteBytes } from "#protocol/note.ts";
import type { Tile } from "#protocol/tile.ts";
import { isEqualHash, recordHash } from "#protocol/tlog.ts";
import type { Storage, StorageKey } from "#services/store/ports.ts";
import type { LogCopies, LogPlan } from "#services/store/snapshot-logs.ts";
import { maxCommitBytes, parseCommit, type Commit } from "./commit.ts";
import { SumLogError } from "./errors.ts";
import { commitKey, commitsPrefix, cosignedKey, headKey, headsPrefix, numberOf, tileKey } from "./layout.ts";
import { height, LogTiles, tileRecords } from "./tiles.ts";

const logsPrefix = "state/sumlog/";
/** A log that moves on while it is read, so often in a row, is being written by somebody gone mad. */
const maxReadings = 100;

export const logCopies: LogCopies = {
  names: async (store) => {
    const names = new Set<string>();
    for await (const { key } of store.list(logsPrefix)) {
      const name = /^(.+)[/](?:heads|commits)[/][0-9]{16}$/.exec(key.slice(logsPrefix.length))?.[1];
      if (name !== undefined) names.add(name);
    }
    return [...names].sort();
  },
  early: (name) => [cosignedKey(name)],
  plan: async (store, name) => {
    for (let tries = 0; tries < maxReadings; tries++) {
      const size = await newest(store, name);
      if (size === undefined) return undefined;
      const plan = await inWords(() => planOf(store, name, size));
      if (typeof plan !== "string" || (await newest(store, name)) === size) return plan;
    }
    return "it moves on faster than it can be read";
  },
  check: async (copy, plan, fresh) => {
    if (fresh.size === 0) return undefined;
    const wrong = await inWords(async () => {
      await checkCopy(copy, plan, fresh);
      return undefined;
    });
    return wrong;
  },
};

/** The value, or what is damaged. */
async function inWords<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SumLogError || error instanceof ProtocolError) return error.message;
    throw error;
  }
}

async function planOf(store: Storage, name: string, size: number): Promise<LogPlan> {
  const commits = await commitsAfterTiles(store, name, size);
  const keys: StorageKey[] = [headKey(name, size), ...commits.map(({ from }) => commitKey(name, from))];
  for (const tile of fullTiles(size)) keys.push(tileKey(name, tile));
  return { name, size, keys };
}

/** Those that hold the records from the last full tile to the head. Throws SUMLOG_DAMAGED when they do not. */
async function commitsAfterTiles(store: Storage, name: string, size: number): Promise<Commit[]> {
  const inTiles = recordsInTiles(size);
  const chain: Commit[] = [];
  if (inTiles === size) return chain;
  const froms = await numbersIn(store, commitsPrefix(name));
  let from = froms.filter((each) => each <= inTiles).at(-1) ?? inTiles;
  while (from < size) {
    const commit = await readCommit(store, name, from);
    // One that leads across the head is of somebody who was asleep, unless nobody has signed it yet.
    if (commit === undefined || from + commit.texts.length > size) {
      if (from >= inTiles) throw new SumLogError("SUMLOG_DAMAGED", name, `${from} of ${size} records are left`);
      from = inTiles;
      continue;
    }
    chain.push(commit);
    from += commit.texts.length;
  }
  return chain;
}

/** Throws SumLogError or ProtocolError when the copy is not the log of its head. */
async function checkCopy(copy: Storage, { name, size }: LogPlan, fresh: ReadonlySet<StorageKey>): Promise<void> {
  const kept = await copy.get(headKey(name, size), maxNoteBytes);
  const head = parseTree(Buffer.from(kept?.bytes ?? []).toString());
  const tiles = new LogTiles(name, copy);
  const edge = await tiles.edgeAt(recordsInTiles(size));
  for (const commit of await commitsAfterTiles(copy, name, size)) {
    if (commit.from > edge.size) break;
    for (const text of commit.texts.slice(edge.size - commit.from)) edge.append(recordHash(text));
  }
  if (head.size !== size || edge.size !== size || !isEqualHash(edge.tree().root, head.root))
    throw new SumLogError("SUMLOG_DAMAGED", name, `the head of ${size} records is not that of the records`);
  for (const tile of fullTiles(size)) if (fresh.has(tileKey(name, tile))) await readTile(tiles, tile, edge);
}

/** Throws SUMLOG_DAMAGED when the tile is not in the tree of `edge`. */
async function readTile(tiles: LogTiles, tile: Tile, edge: Frontier): Promise<void> {
  if (tile.level < 0) await tiles.readRecords(tile.index, edge);
  else await tiles.read(tile, edge);
}

/** All full tiles of a tree, those of records too. */
function* fullTiles(size: number): Generator<Tile> {
  for (let level = 0; size >= tileRecords ** (level + 1); level++) {
    const count = Math.floor(size / tileRecords ** (level + 1));
    for (let index = 0; index < count; index++) {
      yield { height, level, index, width: tileRecords };
      if (level === 0) yield { height, level: -1, index, width: tileRecords };
    }
  }
}

function recordsInTiles(size: number): number {
  return Math.floor(size / tileRecords) * tileRecords;
}

async function readCommit(store: Storage, name: string, from: number): Promise<Commit | undefined> {
  const kept = await store.get(commitKey(name, from), maxCommitBytes);
  const commit = kept && parseCommit(kept.bytes);
  if (commit === undefined || commit.from === from) return commit;
  throw new SumLogError("SUMLOG_DAMAGED", name, `commit ${from} says that it is commit ${commit.from}`);
}

async function newest(store: Storage, name: string): Promise<number | undefined> {
  return (await numbersIn(store, headsPrefix(name))).at(-1);
}

async function numbersIn(store: Storage, prefix: string): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { key } of store.list(prefix)) {
    const number = numberOf(key);
    if (number !== undefined) numbers.push(number);
  }
  return numbers.sort((a, b) => a - b);
}
