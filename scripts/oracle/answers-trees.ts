// The log: hashes, proofs, tiles. All questions are about the log whose record n is "record n\n".

import { createHash } from "node:crypto";

import { ProtocolError } from "#protocol/errors.ts";
import { formatTilePath, newTiles, parseTilePath, readTileData, tileForIndex } from "#protocol/tile.ts";
import type { Tile } from "#protocol/tile.ts";
import {
  checkRecord,
  checkTree,
  proveRecord,
  proveTree,
  splitStoredHashIndex,
  storedHashCount,
  storedHashes,
  storedHashIndex,
  treeHash,
} from "#protocol/tlog.ts";
import type { Hash } from "#protocol/tlog.ts";
import { readHashes } from "#protocol/tree-reader.ts";
import { accepts, orNull } from "./answers.ts";
import type { Answers } from "./answers.ts";

type Proof = { size: number; root: string; n: number; hash: string; proof: string[] };
type TileRead = { size: number; height: number; indexes: number[]; bad: string; at: number };

export const treeAnswers: Answers = {
  tree: (input) => treeAnswer(input as number),
  "record-proof": (input) => {
    const { size, root, n, hash, proof } = input as Proof;
    return accepts(() => checkRecord(proof.map(hashOf), { size, root: hashOf(root) }, { n, hash: hashOf(hash) }));
  },
  "tree-proof": (input) => {
    const { size, root, n, hash, proof } = input as Proof;
    return accepts(() => checkTree(proof.map(hashOf), { size, root: hashOf(root) }, { size: n, root: hashOf(hash) }));
  },
  stored: (input) => {
    const [level, n, index] = input as [number, number, number];
    const split = splitStoredHashIndex(index);
    return { index: storedHashIndex(level, n), count: storedHashCount(n), split: [split.level, split.n] };
  },
  "tile-path": (input) => orNull(() => ({ ...parseTilePath(input as string) })),
  "tile-for-index": (input) => formatTilePath(tileForIndex(...(input as [number, number]))),
  "new-tiles": (input) => newTiles(...(input as [number, number, number])).map(formatTilePath),
  "tile-data": (input) => tileDataAnswer(...(input as [number, number])),
  "tile-read": (input) => tileReadAnswer(input as TileRead),
};

const logSize = 128;
const storage = await makeStorage();

async function makeStorage(): Promise<Hash[]> {
  const hashes: Hash[] = [];
  for (let n = 0; n < logSize; n++) {
    const read = (indexes: readonly number[]) => Promise.resolve(indexes.map((index) => hashes[index] ?? missing()));
    hashes.push(...(await storedHashes(n, `record ${n}\n`, read)));
  }
  return hashes;
}

function missing(): never {
  throw new RangeError("not in the log");
}

function stored(indexes: readonly number[]): Promise<Hash[]> {
  return Promise.resolve(indexes.map((index) => storage[index] ?? missing()));
}

async function treeAnswer(size: number): Promise<unknown> {
  const records: string[] = [];
  const trees: string[] = [];
  for (let n = 0; n < size; n++) {
    records.push(digest(await proveRecord(size, n, stored), 8));
    trees.push(digest(await proveTree(size, n + 1, stored), 8));
  }
  return { root: Buffer.from(await treeHash(size, stored)).toString("base64"), records, trees };
}

async function tileDataAnswer(height: number, size: number): Promise<unknown> {
  const read: Record<string, string> = {};
  for (const tile of newTiles(height, 0, size)) {
    read[formatTilePath(tile)] = digest([await readTileData(tile, stored)], 8);
  }
  return read;
}

async function tileReadAnswer({ size, height, indexes, bad, at }: TileRead): Promise<unknown> {
  const saved: string[] = [];
  const tiles = {
    height,
    readTiles: (wanted: readonly Tile[]) => Promise.all(wanted.map((tile) => tileBytes(tile, { bad, at }))),
    saveTiles: (kept: readonly Tile[]) => void saved.push(...kept.map(formatTilePath)),
  };
  try {
    const hashes = await readHashes({ size, root: await treeHash(size, stored) }, tiles, indexes);
    return { hashes: digest(hashes, 16), saved };
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}

async function tileBytes(tile: Tile, { bad, at }: { bad: string; at: number }): Promise<Uint8Array> {
  const bytes = Buffer.from(await readTileData(tile, stored));
  if (formatTilePath(tile) !== bad) return bytes;
  const index = at % bytes.length;
  bytes.writeUInt8(bytes.readUInt8(index) ^ 1, index);
  return bytes;
}

function hashOf(base64: string): Hash {
  return Buffer.from(base64, "base64");
}

function digest(hashes: readonly Uint8Array[], digits: number): string {
  const whole = createHash("sha256");
  for (const hash of hashes) whole.update(hash);
  return whole.digest("hex").slice(0, digits);
}
