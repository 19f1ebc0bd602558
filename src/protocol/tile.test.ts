import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import {
  formatTilePath,
  hashFromTile,
  newTiles,
  parseTilePath,
  readTileData,
  tileForIndex,
  tileParent,
  type Tile,
} from "./tile.ts";
import { storedHashCount, storedHashes, type Hash, type HashReader } from "./tlog.ts";

const paths: [string, Tile][] = [
  ["tile/8/0/000", { height: 8, level: 0, index: 0, width: 256 }],
  ["tile/8/4/x001/x234/067", { height: 8, level: 4, index: 1234067, width: 256 }],
  ["tile/8/0/001.p/45", { height: 8, level: 0, index: 1, width: 45 }],
  ["tile/8/data/x123/x456/789.p/1", { height: 8, level: -1, index: 123456789, width: 1 }],
  ["tile/2/63/999", { height: 2, level: 63, index: 999, width: 4 }],
  ["tile/30/0/000.p/1073741823", { height: 30, level: 0, index: 0, width: 2 ** 30 - 1 }],
];
for (const [path, tile] of paths)
  test(`${path} names a tile`, () => {
    assert.deepEqual(parseTilePath(path), tile);
    assert.equal(formatTilePath(tile), path);
  });

const bad = [
  "",
  "tile",
  "tile/8/0",
  "tile/8/0/",
  "/tile/8/0/000",
  "tile/8/0/0",
  "tile/8/0/00",
  "tile/8/0/0000",
  "tile/8/0/x000/001",
  "tile/8/0/x001",
  "tile/8/0/001/002",
  "tile/8/0/000.p/0",
  "tile/8/0/000.p/256",
  "tile/8/0/000.p/01",
  "tile/8/0/000.p",
  "tile/8/0/000.p/",
  "tile/0/0/000",
  "tile/31/0/000",
  "tile/08/0/000",
  "tile/8/-1/000",
  "tile/8/64/000",
  "tile/8/00/000",
  "tile/8/data/000.p/256",
  "tile/8/0/000/",
  "tile/8/0/000.p/1/",
  "tile/8/Data/000",
  "tile/8/0/+01",
  "tile/8/0/1e1",
  `tile/8/0/${"x999/".repeat(6)}999`,
  `tile/8/0/${"x001/".repeat(10_000)}000`,
];
for (const path of bad)
  test(`${path.slice(0, 60)} names none`, () => {
    assert.throws(() => parseTilePath(path), { code: "BAD_TILE" });
  });

test("parseTilePath() inverts formatTilePath() and refuses the rest", () => {
  const tile = fc
    .record({ height: fc.integer({ min: 1, max: 30 }), level: fc.integer({ min: -1, max: 63 }), index: fc.nat() })
    .chain((rest) => fc.integer({ min: 1, max: 2 ** rest.height }).map((width) => ({ ...rest, width })));
  fc.assert(fc.property(tile, (each) => assert.deepEqual(parseTilePath(formatTilePath(each)), each)));
  const noise = fc.string({ unit: fc.constantFrom(...Array.from("tile/8x0123.pda")), maxLength: 24 });
  fc.assert(
    fc.property(noise, (rest) => {
      const path = `tile/8/${rest}`;
      try {
        assert.equal(formatTilePath(parseTilePath(path)), path);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
  );
});

const stored: Hash[] = [];
const reader: HashReader = (indexes) => Promise.resolve(indexes.map((index) => stored[index]!));
for (let n = 0; n < 80; n++) stored.push(...(await storedHashes(n, `${n}\n`, reader)));

test("every stored hash can be computed from its tile, at every height", async () => {
  for (const height of [1, 2, 3, 8]) {
    for (let index = 0; index < storedHashCount(80); index++) {
      const narrow = tileForIndex(height, index);
      const wide = tileParent(narrow, 0, 80)!;
      for (const tile of [narrow, wide]) {
        assert.deepEqual(hashFromTile(tile, await readTileData(tile, reader), index), stored[index]);
      }
    }
  }
});

test("hashFromTile() refuses a tile that does not hold the hash", async () => {
  const tile = { height: 2, level: 0, index: 1, width: 2 };
  const data = await readTileData(tile, reader);
  assert.throws(() => hashFromTile({ ...tile, index: 2 }, data, 0), { code: "BAD_TILE" });
  const last = tileForIndex(2, 10);
  assert.equal(last.index === 1 && last.width > 2, true);
  assert.throws(() => hashFromTile(tile, data, 10), { code: "BAD_TILE" });
  assert.throws(() => hashFromTile(tile, data.subarray(0, 32), 7), { code: "BAD_TILE" });
});

test("newTiles() names what a grown tree has and the old one had not", () => {
  const names = (from: number, to: number): string[] => newTiles(8, from, to).map(formatTilePath);
  assert.deepEqual(names(0, 301), ["tile/8/0/000", "tile/8/0/001.p/45", "tile/8/1/000.p/1"]);
  assert.deepEqual(names(301, 302), ["tile/8/0/001.p/46"]);
  assert.deepEqual(names(255, 256), ["tile/8/0/000", "tile/8/1/000.p/1"]);
  assert.deepEqual(names(256, 256), []);
  assert.deepEqual(names(0, 0), []);
  assert.equal(names(0, 65_536).length, 258);
});
