// The right edge of a growing log: what is needed to append records, to know the root, and to publish hash tiles, and
// nothing more. At each tile level it holds the hashes of the tile that is not full yet, below 256 of them.

import type { Tile } from "./tile.ts";
import { foldSubtrees, hashSize, nodeHash, type Hash, type Tree } from "./tlog.ts";

/** The tile height of the checksum database and of C2SP tlog-tiles. */
const height = 8;
const full = 2 ** height;

/** A hash tile and its bytes. */
export type TileBytes = { readonly tile: Tile; readonly bytes: Uint8Array };

export class Frontier {
  #size = 0;
  /** Hashes of complete subtrees, by height: those of the binary digits of the size. */
  readonly #subtrees: (Hash | undefined)[] = [];
  /** By tile level: the hashes of the last tile, which is not full. */
  readonly #edge: Hash[][] = [];
  readonly #filled: TileBytes[] = [];

  /** Number of records. */
  get size(): number {
    return this.#size;
  }

  /** The tree of all records appended so far. */
  tree(): Tree {
    const largestFirst = this.#subtrees.filter((hash) => hash !== undefined).reverse();
    return { size: this.#size, root: foldSubtrees(largestFirst) };
  }

  /** Appends a record by its leaf hash (recordHash). */
  append(leaf: Hash): void {
    let hash = leaf;
    let level = 0;
    this.#publish(0, hash);
    for (let left = this.#subtrees[0]; left !== undefined; left = this.#subtrees[level]) {
      hash = nodeHash(left, hash);
      this.#subtrees[level] = undefined;
      level++;
      this.#publish(level, hash);
    }
    this.#subtrees[level] = hash;
    this.#size++;
  }

  /** Full tiles since the last call: each is given once. */
  takeFull(): TileBytes[] {
    return this.#filled.splice(0);
  }

  /** The partial tiles of the edge, lowest level first; none for a level whose last tile is full. */
  partial(): TileBytes[] {
    return this.#edge.flatMap((hashes, level) => {
      if (hashes.length === 0) return [];
      const index = Math.floor(this.#size / full ** (level + 1));
      return [{ tile: { height, level, index, width: hashes.length }, bytes: Buffer.concat(hashes) }];
    });
  }

  /** A frontier that grows on its own. */
  copy(): Frontier {
    const twin = new Frontier();
    twin.#size = this.#size;
    twin.#subtrees.push(...this.#subtrees);
    twin.#edge.push(...this.#edge.map((hashes) => [...hashes]));
    return twin;
  }

  /**
   * The frontier of a tree of `size` records, from the partial tiles of its edge (those that tileWidth gives for the last
   * tile of each level). Nothing is checked: the caller knows a root to compare.
   */
  static of(size: number, partialTiles: readonly TileBytes[]): Frontier {
    const frontier = new Frontier();
    frontier.#size = size;
    for (const { tile, bytes } of partialTiles) {
      const hashes = Array.from({ length: tile.width }, (_, i) =>
        Buffer.from(bytes.subarray(i * hashSize, (i + 1) * hashSize)),
      );
      while (frontier.#edge.length < tile.level) frontier.#edge.push([]);
      frontier.#edge[tile.level] = hashes;
      frontier.#addSubtrees(tile.level * height, hashes);
    }
    return frontier;
  }

  /** The complete subtrees that the first hashes of a partial tile make, largest first. */
  #addSubtrees(lowest: number, hashes: readonly Hash[]): void {
    let rest = hashes;
    for (let level = height - 1; level >= 0; level--) {
      const width = 2 ** level;
      if (rest.length < width) continue;
      this.#subtrees[lowest + level] = rootOf(rest.slice(0, width));
      rest = rest.slice(width);
    }
  }

  #publish(level: number, hash: Hash): void {
    if (level % height !== 0) return;
    const tileLevel = level / height;
    const hashes = (this.#edge[tileLevel] ??= []);
    hashes.push(hash);
    if (hashes.length < full) return;
    const index = Math.floor(this.#size / full ** (tileLevel + 1));
    this.#filled.push({ tile: { height, level: tileLevel, index, width: full }, bytes: Buffer.concat(hashes) });
    this.#edge[tileLevel] = [];
  }
}

/** The root over a power of two of hashes. */
function rootOf(hashes: readonly Hash[]): Hash {
  const [first] = hashes;
  if (first === undefined) throw new RangeError("a subtree has hashes");
  if (hashes.length === 1) return first;
  const half = hashes.length / 2;
  return nodeHash(rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half)));
}
