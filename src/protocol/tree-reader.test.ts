import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTilePath, newTiles, readTileData, type Tile } from "./tile.ts";
import {
  checkRecord,
  checkTree,
  proveRecord,
  proveTree,
  recordHash,
  storedHashCount,
  storedHashes,
  storedHashIndex,
  treeHash,
  type Hash,
  type HashReader,
  type Tree,
} from "./tlog.ts";
import { readHashes, treeReader, type TileReader } from "./tree-reader.ts";

const height = 2;
const most = 64;
const honest: Hash[] = [];
const reader: HashReader = (indexes) => Promise.resolve(indexes.map((index) => honest[index]!));
for (let n = 0; n < most; n++) honest.push(...(await storedHashes(n, `${n}\n`, reader)));
const roots = await Promise.all(Array.from({ length: most + 1 }, (_, size) => treeHash(size, reader)));

/** Tiles as a mirror gives them; `change` is what the mirror does to them. */
class Mirror implements TileReader {
  readonly height = height;
  readonly saved: string[] = [];
  readonly asked: string[] = [];
  readonly #change: (path: string, bytes: Uint8Array) => Uint8Array;
  constructor(change: (path: string, bytes: Uint8Array) => Uint8Array = (_path, bytes) => bytes) {
    this.#change = change;
  }
  async readTiles(tiles: readonly Tile[]): Promise<Uint8Array[]> {
    this.asked.push(...tiles.map(formatTilePath));
    return Promise.all(tiles.map(async (tile) => this.#change(formatTilePath(tile), await readTileData(tile, reader))));
  }
  saveTiles(tiles: readonly Tile[]): void {
    this.saved.push(...tiles.map(formatTilePath));
  }
}

const tree = (size: number): Tree => ({ size, root: roots[size]! });

/** All tiles of a mirror that has replaced one record, hashed up as far as it goes. */
function forged(leaf: number): (path: string, bytes: Uint8Array) => Uint8Array {
  const place = formatTilePath({ height, level: 0, index: Math.floor(leaf / 4), width: 4 });
  return (path, bytes) => {
    if (path !== place && !path.startsWith(`${place}.p/`)) return bytes;
    return Uint8Array.from([
      ...bytes.subarray(0, (leaf % 4) * 32),
      ...recordHash("forged\n"),
      ...bytes.subarray((leaf % 4) * 32 + 32),
    ]);
  };
}

test("every hash of every tree is read from honest tiles", async () => {
  for (let size = 0; size <= most; size++) {
    const mirror = new Mirror();
    const indexes = Array.from({ length: storedHashCount(size) }, (_, index) => index);
    assert.deepEqual(
      await readHashes(tree(size), mirror, indexes),
      indexes.map((index) => honest[index]),
    );
    assert.deepEqual(mirror.saved, mirror.asked);
    assert.equal(new Set(mirror.asked).size, mirror.asked.length);
    assert.deepEqual(new Set(mirror.asked), new Set(newTiles(height, 0, size).map(formatTilePath)));
  }
});

test("one forged leaf is refused in each of 2,080 cases (GO-2026-6179)", async () => {
  let cases = 0;
  for (let size = 1; size <= most; size++) {
    for (let leaf = 0; leaf < size; leaf++) {
      const mirror = new Mirror(forged(leaf));
      await assert.rejects(readHashes(tree(size), mirror, [storedHashIndex(0, leaf)]), { code: "BAD_TILE" });
      assert.deepEqual(mirror.saved, []);
      cases++;
    }
  }
  assert.equal(cases, 2080);
});

test("one changed bit in any byte of any one tile is refused", async () => {
  for (const size of [1, 3, 5, 15, 21, 44, 63, 64]) {
    const leaf = Math.floor(size / 3);
    const honestly = new Mirror();
    await readHashes(tree(size), honestly, [storedHashIndex(0, leaf)]);
    for (const target of honestly.asked) {
      const width = (
        await readTileData(
          newTiles(height, 0, size).find((t) => formatTilePath(t) === target)!,
          reader,
        )
      ).length;
      for (let at = 0; at < width; at++) {
        const mirror = new Mirror((path, bytes) => {
          if (path === target) bytes[at] = bytes[at]! ^ 1;
          return bytes;
        });
        await assert.rejects(readHashes(tree(size), mirror, [storedHashIndex(0, leaf)]), { code: "BAD_TILE" });
        assert.deepEqual(mirror.saved, []);
      }
    }
  }
});

test("a tile of the wrong width is refused", async () => {
  for (const cut of [
    (b: Uint8Array) => b.subarray(32),
    (b: Uint8Array) => Buffer.concat([b, b]),
    () => new Uint8Array(),
  ]) {
    const mirror = new Mirror((path, bytes) => (path === "tile/2/0/000" ? cut(bytes) : bytes));
    await assert.rejects(readHashes(tree(21), mirror, [0]), { code: "BAD_TILE" });
  }
});

test("swapped tiles are refused", async () => {
  const mirror = new Mirror();
  const swapped: TileReader = {
    height,
    readTiles: async (tiles) => {
      const data = await mirror.readTiles(tiles);
      const [a, b] = [
        tiles.findIndex((t) => formatTilePath(t) === "tile/2/0/000"),
        tiles.findIndex((t) => formatTilePath(t) === "tile/2/0/001"),
      ];
      return data.with(a, data[b]!).with(b, data[a]!);
    },
    saveTiles: () => assert.fail("saved"),
  };
  await assert.rejects(readHashes(tree(21), swapped, [storedHashIndex(0, 0), storedHashIndex(0, 4)]), {
    code: "BAD_TILE",
  });
});

test("a hash beyond the tree, and a tree whose root is not that of its tiles, are refused", async () => {
  await assert.rejects(readHashes(tree(5), new Mirror(), [storedHashCount(5)]), { code: "BAD_TILE" });
  await assert.rejects(readHashes({ size: 5, root: roots[6]! }, new Mirror(), [0]), { code: "BAD_TILE" });
  await assert.rejects(readHashes({ size: 0, root: roots[1]! }, new Mirror(), []), { code: "BAD_TILE" });
});

test("proofs made from authenticated tiles hold", async () => {
  for (let size = 1; size <= most; size += 3) {
    const read = treeReader(tree(size), new Mirror());
    const n = size >> 1;
    checkRecord(await proveRecord(size, n, read), tree(size), { n, hash: recordHash(`${n}\n`) });
    const old = Math.max(1, size >> 1);
    checkTree(await proveTree(size, old, read), tree(size), tree(old));
  }
});
