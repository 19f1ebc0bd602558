// Tiles (x/mod sumdb/tlog tile.go): the tree cut into pieces of `height` levels. Tile (height, level, index, width)
// holds the first `width` hashes of tree level height·level from index·2^height on; level -1 holds the records.
//
// A path spells the index in groups of three digits: index 1234067 of level 4 is `tile/8/4/x001/x234/067`, and its
// first 45 hashes are `tile/8/4/x001/x234/067.p/45`.

import { ProtocolError } from "./errors.ts";
import {
  hashSize,
  maxTreeSize,
  nodeHash,
  splitStoredHashIndex,
  storedHashIndex,
  type Hash,
  type HashReader,
} from "./tlog.ts";

export type Tile = {
  /** 1 to 30. */
  readonly height: number;
  /** -1 (records) to 63. */
  readonly level: number;
  readonly index: number;
  /** 1 to 2^height, which is a full tile. */
  readonly width: number;
};

/** Parses `tile/8/0/001.p/5` in its only spelling, or throws BAD_TILE. */
export function parseTilePath(path: string): Tile {
  const [, height = "", level = "", index = "", width] = path.length > maxPathLength ? [] : (tilePath.exec(path) ?? []);
  const tile = {
    height: Number(height),
    level: level === "data" ? -1 : Number(level),
    index: Number(index.replace(/[x/]/g, "")),
    width: width === undefined ? 2 ** Number(height) : Number(width),
  };
  if (!isTile(tile) || formatTilePath(tile) !== path) {
    throw new ProtocolError("BAD_TILE", `malformed tile path ${JSON.stringify(path.slice(0, maxPathLength))}`);
  }
  return tile;
}

export function formatTilePath(tile: Tile): string {
  const groups = [String(tile.index % 1000).padStart(3, "0")];
  for (let rest = Math.floor(tile.index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
  }
  const level = tile.level === -1 ? "data" : tile.level;
  return `tile/${tile.height}/${level}/${groups.join("/")}${isFullTile(tile) ? "" : `.p/${tile.width}`}`;
}

export function isFullTile(tile: Tile): boolean {
  return tile.width === fullWidth(tile.height);
}

/** The tile when all its hashes exist. */
export function fullTile(tile: Tile): Tile {
  return { ...tile, width: fullWidth(tile.height) };
}

/** The narrowest tile from which hashFromTile can read the hash at a storage index. */
export function tileForIndex(height: number, index: number): Tile {
  return placeInTile(height, index).tile;
}

/**
 * The tile that holds the hash of everything below `tile` (k = 1), its parent (k = 2), …; for k = 0 the tile itself;
 * as wide as a tree of `size` records makes it. Undefined when that tree has no such tile.
 */
export function tileParent(tile: Tile, k: number, size: number): Tile | undefined {
  const level = tile.level + k;
  const index = Math.floor(tile.index / 2 ** (k * tile.height));
  const width = tileWidth({ height: tile.height, level, index }, size);
  return width === 0 ? undefined : { height: tile.height, level, index, width };
}

/** How many of a tile's hashes (or records) a tree of `size` records has: 0 when it has no such tile. */
export function tileWidth(tile: Omit<Tile, "width">, size: number): number {
  const hashes = Math.floor(size / 2 ** (Math.max(tile.level, 0) * tile.height));
  const full = fullWidth(tile.height);
  return Math.min(full, Math.max(0, hashes - tile.index * full));
}

/** The tiles to publish when a tree of `oldSize` records has grown to `newSize`. Data tiles are those of level 0. */
export function newTiles(height: number, oldSize: number, newSize: number): Tile[] {
  const full = fullWidth(height);
  const tiles: Tile[] = [];
  for (let level = 0; Math.floor(newSize / full ** level) > 0; level++) {
    const [from, to] = [Math.floor(oldSize / full ** level), Math.floor(newSize / full ** level)];
    if (from === to) continue;
    for (let index = Math.floor(from / full); index * full < to; index++) {
      tiles.push({ height, level, index, width: Math.min(full, to - index * full) });
    }
  }
  return tiles;
}

/**
 * The hash at a storage index, computed from `data`, the bytes of `tile`. BAD_TILE when the tile is not the one of
 * that index or is too narrow, or when the bytes are too few.
 */
export function hashFromTile(tile: Tile, data: Uint8Array, index: number): Hash {
  const place = placeInTile(tile.height, index);
  if (tile.level !== place.tile.level || tile.index !== place.tile.index || tile.width < place.tile.width) {
    throw new ProtocolError("BAD_TILE", `hash ${index} is not in ${formatTilePath(tile)}`);
  }
  if (data.length < tile.width * hashSize) throw new ProtocolError("BAD_TILE", `${formatTilePath(tile)} is too short`);
  return tileHash(data.subarray(place.start, place.end));
}

/** The root over a power of two of hashes that lie one after the other: the hash of a full tile. */
export function tileHash(data: Uint8Array): Hash {
  const count = data.length / hashSize;
  if (count === 1) return Buffer.from(data);
  if (!(count >= 2 && Number.isInteger(Math.log2(count)))) throw new RangeError(`${data.length} bytes are no subtree`);
  return nodeHash(tileHash(data.subarray(0, data.length / 2)), tileHash(data.subarray(data.length / 2)));
}

/** The bytes of a hash tile, from a log's stored hashes. */
export async function readTileData(tile: Tile, reader: HashReader): Promise<Uint8Array> {
  const first = tile.index * fullWidth(tile.height);
  const level = tile.level * tile.height;
  const hashes = await reader(Array.from({ length: tile.width }, (_, i) => storedHashIndex(level, first + i)));
  return Buffer.concat(hashes);
}

/** `tile/`, the longest index, and some. */
const maxPathLength = 64;

const tilePath = /^tile\/([1-9][0-9]?)\/(data|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]*))?$/;

function isTile({ height, level, index, width }: Tile): boolean {
  return height >= 1 && height <= 30 && level <= 63 && index <= maxTreeSize && width >= 1 && width <= 2 ** height;
}

function fullWidth(height: number): number {
  return 2 ** height;
}

function placeInTile(height: number, storedIndex: number): { tile: Tile; start: number; end: number } {
  const { level, n } = splitStoredHashIndex(storedIndex);
  const inTile = level % height;
  const index = Math.floor((n * 2 ** inTile) / 2 ** height);
  const first = n - (index * 2 ** height) / 2 ** inTile;
  const [start, end] = [first * 2 ** inTile, (first + 1) * 2 ** inTile];
  return {
    tile: { height, level: Math.floor(level / height), index, width: end },
    start: start * hashSize,
    end: end * hashSize,
  };
}
