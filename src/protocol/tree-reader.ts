// Reads hashes of a tree from tiles that nobody vouches for (x/mod sumdb/tlog TileHashReader). Trusted is the tree
// head alone: the tiles of its right edge must hash to its root, and every other tile to the hash its parent holds.

import { ProtocolError } from "./errors.ts";
import { formatTilePath, hashFromTile, isFullTile, tileForIndex, tileHash, tileParent, type Tile } from "./tile.ts";
import {
  foldSubtrees,
  hashSize,
  isEqualHash,
  storedHashCount,
  storedHashIndex,
  subtreeIndexes,
  type Hash,
  type HashReader,
  type Tree,
} from "./tlog.ts";

export interface TileReader {
  /** Of every tile; the checksum database's is 8. */
  readonly height: number;
  /** The bytes of each tile, in order; exactly width hashes each. Throws when one cannot be had. */
  readTiles(tiles: readonly Tile[]): Promise<readonly Uint8Array[]>;
  /** Told of tiles only after each of them was authenticated. */
  saveTiles(tiles: readonly Tile[], data: readonly Uint8Array[]): void | Promise<void>;
}

/** The hashes at `indexes`, proven to be in `tree`. BAD_TILE when a tile is not the tree's. */
export async function readHashes(tree: Tree, tiles: TileReader, indexes: readonly number[]): Promise<Hash[]> {
  const plan = planTiles(tree.size, tiles.height, indexes);
  const data = await tiles.readTiles(plan.tiles);
  checkLengths(plan.tiles, data);
  checkRightEdge(tree, plan, data);
  checkParents(tree, plan, data);
  await tiles.saveTiles(plan.tiles, data);
  return indexes.map((index) => hashAt(plan, data, { index, size: tree.size }));
}

/** A reader of the hashes of `tree`, for treeHash, proveRecord and proveTree. */
export function treeReader(tree: Tree, tiles: TileReader): HashReader {
  return (indexes) => readHashes(tree, tiles, indexes);
}

type Plan = {
  /** Each once; parents before their children. */
  readonly tiles: readonly Tile[];
  /** How many of them, from the first, the root vouches for. */
  readonly edge: number;
  /** Where each path is in `tiles`. */
  readonly places: ReadonlyMap<string, number>;
  readonly height: number;
};

function planTiles(size: number, height: number, indexes: readonly number[]): Plan {
  const tiles: Tile[] = [];
  const places = new Map<string, number>();
  const add = (tile: Tile): void => {
    const path = formatTilePath(tile);
    if (places.has(path)) return;
    places.set(path, tiles.length);
    tiles.push(tile);
  };
  for (const index of subtreeIndexes(size)) add(tileOf({ index, size, height }));
  // Several subtrees of the edge may lie in one tile. The root vouches for the distinct tiles, no further: counting
  // the subtrees instead leaves tiles that nobody checks (GO-2026-6179).
  const edge = tiles.length;
  for (const index of indexes) {
    const missing: Tile[] = [];
    let tile: Tile | undefined = tileOf({ index, size, height });
    while (tile !== undefined && !places.has(formatTilePath(tile))) {
      missing.unshift(tile);
      tile = tileParent(tile, 1, size);
    }
    missing.forEach(add);
  }
  return { tiles, edge, places, height };
}

/** The tile of a hash, as wide as the tree makes it. */
function tileOf({ index, size, height }: { index: number; size: number; height: number }): Tile {
  const tile = index < storedHashCount(size) ? tileParent(tileForIndex(height, index), 0, size) : undefined;
  if (tile === undefined) throw new ProtocolError("BAD_TILE", `hash ${index} is not in a tree of ${size} records`);
  return tile;
}

function checkLengths(tiles: readonly Tile[], data: readonly Uint8Array[]): void {
  if (data.length !== tiles.length) throw new RangeError(`${data.length} answers for ${tiles.length} tiles`);
  tiles.forEach((tile, i) => {
    const length = data[i]?.length;
    if (length === tile.width * hashSize) return;
    throw new ProtocolError("BAD_TILE", `${formatTilePath(tile)} has ${length} bytes`);
  });
}

function checkRightEdge(tree: Tree, plan: Plan, data: readonly Uint8Array[]): void {
  const hashes = subtreeIndexes(tree.size).map((index) => hashAt(plan, data, { index, size: tree.size }));
  if (isEqualHash(foldSubtrees(hashes), tree.root)) return;
  throw new ProtocolError("BAD_TILE", `the tiles do not hash to the root of the tree of ${tree.size} records`);
}

function checkParents(tree: Tree, plan: Plan, data: readonly Uint8Array[]): void {
  plan.tiles.slice(plan.edge).forEach((tile, i) => {
    const bytes = data[plan.edge + i];
    // Only full tiles have parents, and only the right edge has tiles that are not full.
    if (bytes === undefined || !isFullTile(tile))
      throw new RangeError(`${formatTilePath(tile)} cannot be authenticated`);
    const index = storedHashIndex((tile.level + 1) * plan.height, tile.index);
    if (isEqualHash(tileHash(bytes), hashAt(plan, data, { index, size: tree.size }))) return;
    throw new ProtocolError("BAD_TILE", `${formatTilePath(tile)} does not hash to what its parent holds`);
  });
}

function hashAt(plan: Plan, data: readonly Uint8Array[], at: { index: number; size: number }): Hash {
  const tile = tileOf({ ...at, height: plan.height });
  const bytes = data[plan.places.get(formatTilePath(tile)) ?? -1];
  if (bytes === undefined) throw new RangeError(`${formatTilePath(tile)} was not planned`);
  return hashFromTile(tile, bytes, at.index);
}
