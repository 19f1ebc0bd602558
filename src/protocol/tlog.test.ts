import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import {
  checkRecord,
  checkTree,
  emptyRoot,
  maxTreeSize,
  proveRecord,
  proveTree,
  recordHash,
  splitStoredHashIndex,
  storedHashCount,
  storedHashes,
  storedHashIndex,
  treeHash,
  type Hash,
  type HashReader,
} from "./tlog.ts";

const record = (n: number): string => `record ${n}\n`;
const most = 130;

/** RFC 6962 §2.1, word for word. */
function naiveRoot(records: readonly string[]): Hash {
  if (records.length === 0) return createHash("sha256").digest();
  if (records.length === 1)
    return createHash("sha256")
      .update(Uint8Array.of(0))
      .update(records[0] ?? "")
      .digest();
  let k = 1;
  while (k * 2 < records.length) k *= 2;
  const [left, right] = [naiveRoot(records.slice(0, k)), naiveRoot(records.slice(k))];
  return createHash("sha256").update(Uint8Array.of(1)).update(left).update(right).digest();
}

const stored: Hash[] = [];
const reader: HashReader = (indexes) => Promise.resolve(indexes.map((index) => stored[index]!));
for (let n = 0; n < most; n++) {
  assert.equal(stored.length, storedHashIndex(0, n));
  stored.push(...(await storedHashes(n, record(n), reader)));
}
const roots = Array.from({ length: most + 1 }, (_, size) =>
  naiveRoot(Array.from({ length: size }, (__, n) => record(n))),
);

test("hashes are those of the documents", () => {
  assert.equal(Buffer.from(emptyRoot()).toString("base64"), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  assert.equal(Buffer.from(recordHash("hello\n")).toString("base64"), "VKbcG/yZDO0/V1cmTzV61wip7lTOPRFymWQbI09tWAA=");
});

test("treeHash() is RFC 6962's for every size", async () => {
  for (let size = 0; size <= most; size++) assert.deepEqual(await treeHash(size, reader), roots[size]);
});

test("storage indexes fill the numbers without gap and split again", () => {
  for (let size = 0; size <= most; size++) {
    let count = 0;
    for (let level = 0; 2 ** level <= size; level++) count += Math.floor(size / 2 ** level);
    assert.equal(storedHashCount(size), count);
  }
  fc.assert(
    fc.property(fc.nat(51), fc.maxSafeNat(), (level, seed) => {
      const n = seed % (maxTreeSize / 2 ** (level + 1));
      assert.deepEqual(splitStoredHashIndex(storedHashIndex(level, Math.floor(n))), { level, n: Math.floor(n) });
    }),
  );
  for (let index = 0; index < 2000; index++) {
    const { level, n } = splitStoredHashIndex(index);
    assert.equal(storedHashIndex(level, n), index);
  }
});

test("every record of every tree is proven, and its proof proves nothing else", async () => {
  for (let size = 1; size <= most; size++) {
    const tree = { size, root: roots[size]! };
    for (let n = 0; n < size; n += size > 40 ? 7 : 1) {
      const proof = await proveRecord(size, n, reader);
      const hash = recordHash(record(n));
      checkRecord(proof, tree, { n, hash });
      const refused = { code: "BAD_PROOF" };
      assert.throws(() => checkRecord(proof, tree, { n, hash: recordHash("other\n") }), refused);
      assert.throws(() => checkRecord([...proof, hash], tree, { n, hash }), refused);
      assert.throws(() => checkRecord(proof, { size, root: roots[size - 1]! }, { n, hash }), refused);
      proof.forEach((_, i) => {
        assert.throws(() => checkRecord(proof.with(i, recordHash("forged")), tree, { n, hash }), refused);
      });
    }
  }
});

test("every tree is proven to be the beginning of every larger one, and no other tree is", async () => {
  for (let size = 1; size <= most; size += size > 40 ? 5 : 1) {
    for (let old = 1; old <= size; old += size > 40 ? 3 : 1) {
      const proof = await proveTree(size, old, reader);
      const tree = { size, root: roots[size]! };
      checkTree(proof, tree, { size: old, root: roots[old]! });
      const refused = { code: "BAD_PROOF" };
      assert.throws(() => checkTree(proof, tree, { size: old, root: recordHash("other\n") }), refused);
      assert.throws(() => checkTree([...proof, roots[1]!], tree, { size: old, root: roots[old]! }), refused);
      proof.forEach((_, i) => {
        const forged = proof.with(i, recordHash("forged"));
        assert.throws(() => checkTree(forged, tree, { size: old, root: roots[old]! }), refused);
      });
    }
  }
});

test("proofs of what cannot be are refused", async () => {
  await assert.rejects(proveRecord(5, 5, reader), { code: "BAD_PROOF" });
  await assert.rejects(proveTree(5, 6, reader), { code: "BAD_PROOF" });
  await assert.rejects(proveTree(5, 0, reader), { code: "BAD_PROOF" });
  const tree = { size: 1, root: roots[1]! };
  assert.throws(() => checkRecord([], tree, { n: 1, hash: roots[1]! }), { code: "BAD_PROOF" });
  assert.throws(() => checkTree([], tree, { size: 2, root: roots[2]! }), { code: "BAD_PROOF" });
  const short = { n: 0, hash: recordHash(record(0)) };
  assert.throws(() => checkRecord([new Uint8Array(31)], { size: 2, root: roots[2]! }, short), { code: "BAD_PROOF" });
});
