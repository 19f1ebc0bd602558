import assert from "node:assert/strict";
import { test } from "node:test";
import { Frontier } from "./frontier.ts";
import { formatTilePath, newTiles, readTileData, tileWidth } from "./tile.ts";
import { recordHash, storedHashes, treeHash, type Hash, type HashReader } from "./tlog.ts";

const reader =
  (hashes: readonly Hash[]): HashReader =>
  (indexes) =>
    Promise.resolve(indexes.map((index) => hashes[index]!));

/** All stored hashes of a log of `size` records. */
async function logOf(size: number): Promise<Hash[]> {
  const hashes: Hash[] = [];
  for (let n = 0; n < size; n++) hashes.push(...(await storedHashes(n, `record ${n}\n`, reader(hashes))));
  return hashes;
}

test("root, full tiles and edge are those of the whole tree, at every size", async () => {
  const size = 66_100;
  const hashes = await logOf(size);
  const frontier = new Frontier();
  const published = new Map<string, Uint8Array>();
  const looked = new Set([0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_792, size]);
  for (let n = 0; n <= size; n++) {
    if (looked.has(n)) {
      assert.deepEqual(Buffer.from(frontier.tree().root), Buffer.from(await treeHash(n, reader(hashes))), `${n}`);
      for (const { tile, bytes } of frontier.partial()) {
        assert.equal(tile.width, tileWidth(tile, n), formatTilePath(tile));
        assert.deepEqual(bytes, await readTileData(tile, reader(hashes)));
      }
    }
    if (n < size) frontier.append(recordHash(`record ${n}\n`));
    for (const { tile, bytes } of frontier.takeFull()) published.set(formatTilePath(tile), bytes);
  }
  const expected = newTiles(8, 0, size).filter((tile) => tile.width === 256);
  assert.deepEqual([...published.keys()].sort(), expected.map(formatTilePath).sort());
  for (const tile of expected)
    assert.deepEqual(published.get(formatTilePath(tile)), await readTileData(tile, reader(hashes)));
});

test("a frontier made from the edge of a tree goes on as if it had grown", () => {
  for (const size of [0, 1, 3, 255, 256, 300, 512, 65_837]) {
    const grown = new Frontier();
    for (let n = 0; n < size; n++) grown.append(recordHash(`record ${n}\n`));
    const made = Frontier.of(size, grown.partial());
    grown.takeFull();
    for (let n = size; n < size + 600; n++) for (const each of [grown, made]) each.append(recordHash(`record ${n}\n`));
    assert.deepEqual(made.tree(), grown.tree(), `${size}`);
    assert.deepEqual(made.takeFull(), grown.takeFull());
    assert.deepEqual(made.partial(), grown.partial());
  }
});

test("a copy grows on its own", () => {
  const frontier = new Frontier();
  for (let n = 0; n < 10; n++) frontier.append(recordHash(`${n}\n`));
  const before = frontier.tree();
  const copy = frontier.copy();
  copy.append(recordHash("more\n"));
  assert.deepEqual(frontier.tree(), before);
  assert.equal(copy.size, 11);
});
