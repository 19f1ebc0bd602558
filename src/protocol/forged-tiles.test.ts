// How many forged tiles are accepted: none. In every tree of up to 128 records, for tiles of height 8 and 2, records are
// proven through tiles in which one bit is wrong. Every day one bit of each hash; LONG=1 takes every bit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTilePath, newTiles, readTileData, type Tile } from "./tile.ts";
import { hashSize, isEqualHash, recordHash, storedHashes, storedHashIndex, treeHash } from "./tlog.ts";
import type { Hash, HashReader, Tree } from "./tlog.ts";
import { readHashes, type TileReader } from "./tree-reader.ts";

const most = 128;
const isLong = process.env["LONG"] === "1";
const textOf = (n: number): string => `example.com/m${n} v1.0.0 h1:x\n`;

const stored: Hash[] = [];
const reader: HashReader = (indexes) => Promise.resolve(indexes.map((index) => stored[index]!));
for (let n = 0; n < most; n++) stored.push(...(await storedHashes(n, textOf(n), reader)));

/** One tree and its tiles, of which one may be forged. */
class Forger implements TileReader {
  readonly height: number;
  readonly tree: Tree;
  readonly #tiles: ReadonlyMap<string, Uint8Array>;
  #forged: { readonly path: string; readonly bytes: Uint8Array } | undefined;
  asked: readonly string[] = [];
  saved = 0;

  static async of(size: number, height: number): Promise<Forger> {
    const tiles = new Map<string, Uint8Array>();
    for (const tile of newTiles(height, 0, size)) tiles.set(formatTilePath(tile), await readTileData(tile, reader));
    return new Forger(height, { size, root: await treeHash(size, reader) }, tiles);
  }

  private constructor(height: number, tree: Tree, tiles: ReadonlyMap<string, Uint8Array>) {
    this.height = height;
    this.tree = tree;
    this.#tiles = tiles;
  }

  readTiles(tiles: readonly Tile[]): Promise<Uint8Array[]> {
    this.asked = tiles.map(formatTilePath);
    return Promise.resolve(
      this.asked.map((path) => (path === this.#forged?.path ? this.#forged.bytes : this.#bytes(path))),
    );
  }

  saveTiles(tiles: readonly Tile[]): void {
    this.saved += tiles.length;
  }

  /** Flips a bit of a hash of a tile, in place of the bit flipped before. */
  forge(path: string, hash: number, bit: number): void {
    const bytes = Buffer.from(this.#bytes(path));
    bytes[hash * hashSize + (bit >> 3)]! ^= 1 << (bit & 7);
    this.#forged = { path, bytes };
  }

  honestly(): void {
    this.#forged = undefined;
  }

  /** Every hash of every tile of some paths. */
  hashes(paths: readonly string[]): { readonly path: string; readonly hash: number }[] {
    return paths.flatMap((path) =>
      Array.from({ length: this.#bytes(path).length / hashSize }, (_, hash) => ({ path, hash })),
    );
  }

  /** The hash of a record as the tiles prove it; undefined when they are refused. */
  async prove(record: number): Promise<Hash | undefined> {
    try {
      const [hash] = await readHashes(this.tree, this, [storedHashIndex(0, record)]);
      return hash;
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, "BAD_TILE", String(error));
      return undefined;
    }
  }

  #bytes(path: string): Uint8Array {
    const bytes = this.#tiles.get(path);
    assert.ok(bytes, `${path} is no tile of a tree of ${this.tree.size} records`);
    return bytes;
  }
}

const seed = 20260;
let state = seed;
/** A number below `limit`, the same at every run. */
function next(limit: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

type Target = { readonly path: string; readonly hash: number; readonly bits: readonly number[] };

const everyBit = Array.from({ length: 8 * hashSize }, (_, bit) => bit);

/**
 * Which hashes are forged under the proof of a record, of those that the proof reads. With tiles of height 8 a tree of
 * 128 records is one tile that every proof reads whole: every day the record's own hash and three others stand for it.
 * In the long run each of them is forged under each proof, and under one proof with each of its bits.
 */
function targets(forger: Forger, record: number, done: Set<string>): readonly Target[] {
  const own = ownHash(forger, record);
  const all = forger.hashes(forger.asked);
  const some = [own, ...Array.from({ length: 3 }, () => all[next(all.length)]!)];
  return (isLong || forger.height === 2 ? all : some).map(({ path, hash }) => {
    const isOwn = path === own.path && hash === own.hash;
    const isNew = !done.has(`${path} ${hash}`) && (forger.height === 2 || isOwn);
    done.add(`${path} ${hash}`);
    return { path, hash, bits: isLong && (isNew || isOwn) ? everyBit : [next(8 * hashSize)] };
  });
}

function ownHash({ height, asked }: Forger, record: number): { readonly path: string; readonly hash: number } {
  const width = 2 ** height;
  const tile = formatTilePath({ height, level: 0, index: Math.floor(record / width), width });
  const path = asked.find((one) => one === tile || one.startsWith(`${tile}.p/`));
  assert.ok(path, `the proof of record ${record} does not read ${tile}`);
  return { path, hash: record % width };
}

/** At least so many forgeries, or this test has looked away. */
const least = isLong ? { 8: 2_700_000, 2: 4_000_000 } : { 8: 33_000, 2: 100_000 };

for (const height of [8, 2] as const)
  test(`tiles of height ${height}: of all trees of up to ${most} records, no forged tile is accepted, every honest one is`, async () => {
    let [honest, forged, accepted, saved] = [0, 0, 0, 0];
    for (let size = 1; size <= most; size++) {
      const forger = await Forger.of(size, height);
      const done = new Set<string>();
      for (let record = 0; record < size; record++) {
        forger.honestly();
        const proven = await forger.prove(record);
        if (proven !== undefined && isEqualHash(proven, recordHash(textOf(record)))) honest++;
        forger.saved = 0;
        for (const { path, hash, bits } of targets(forger, record, done))
          for (const bit of bits) {
            forger.forge(path, hash, bit);
            if ((await forger.prove(record)) !== undefined) accepted++;
            forged++;
          }
        saved += forger.saved;
      }
    }
    assert.equal(honest, (most * (most + 1)) / 2);
    assert.ok(forged >= least[height], String(forged));
    assert.deepEqual({ accepted, saved }, { accepted: 0, saved: 0 }, `of ${forged} forgeries, seed ${seed}`);
  });
