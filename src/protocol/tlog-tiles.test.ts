import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatEntries,
  formatOriginTree,
  formatTilesPath,
  maxEntryBytes,
  parseEntries,
  parseOriginTree,
  parseTilesPath,
} from "./tlog-tiles.ts";

test("checkpoints name their log", () => {
  const text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
  const tree = parseOriginTree(text);
  assert.equal(tree.origin, "example.com/behind-the-sofa");
  assert.equal(tree.size, 20_852_163);
  assert.equal(formatOriginTree(tree), text);
  assert.equal(parseOriginTree(`${text}an extension\n`).size, 20_852_163);
  for (const bad of [
    "",
    "x\n1\n",
    text.slice(0, -1),
    text.replace("\n2", "\n02"),
    text.replace("CsU", "C"),
    `\n${text}`,
  ])
    assert.throws(() => parseOriginTree(bad), { code: "BAD_CHECKPOINT" }, JSON.stringify(bad));
});

test("tile paths have one spelling", () => {
  for (const [path, level, index, width] of [
    ["tile/0/000", 0, 0, 256],
    ["tile/8/000", 8, 0, 256],
    ["tile/3/x001/x234/067", 3, 1_234_067, 256],
    ["tile/entries/x001/234.p/7", -1, 1234, 7],
  ] as const) {
    assert.deepEqual(parseTilesPath(path), { height: 8, level, index, width });
    assert.equal(formatTilesPath(parseTilesPath(path)), path);
  }
  const bad = [
    "tile/8/0/000",
    "tile/data/000",
    "tile/00/000",
    "tile/0/0",
    "tile/0/x000/001",
    "tile/0/000.p/256",
    "tile",
  ];
  for (const path of bad) assert.throws(() => parseTilesPath(path), { code: "BAD_TILE" }, path);
});

test("entry bundles round-trip, and end where their last entry ends", () => {
  const texts = ["a v1.0.0 h1:x\n", "", "é\n", "x".repeat(maxEntryBytes)];
  const bytes = formatEntries(texts);
  assert.deepEqual(bytes.subarray(0, 3), Buffer.from([0, 14, 97]));
  assert.deepEqual(
    parseEntries(bytes).map((entry) => Buffer.from(entry).toString()),
    texts,
  );
  for (const length of [1, 2, 15, bytes.length - 1])
    assert.throws(() => parseEntries(bytes.subarray(0, length)), { code: "BAD_TILE" }, `${length}`);
  assert.throws(() => formatEntries(["x".repeat(maxEntryBytes + 1)]), RangeError);
});
