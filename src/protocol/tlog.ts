// The log's Merkle tree (RFC 6962 §2.1, x/mod sumdb/tlog). A leaf is SHA-256(0x00 record), a node SHA-256(0x01 left
// right). The hashes of all complete subtrees have places in one dense order (Crosby and Wallach §3.3): those of a
// tree never move when it grows.
//
// Sizes, record numbers and storage indexes are numbers: maxTreeSize keeps each of them a safe integer.

import { createHash, hash } from "node:crypto";
import { ProtocolError } from "./errors.ts";

/** 32 bytes of SHA-256. */
export type Hash = Uint8Array;

/** The number of records and the hash over all of them. */
export type Tree = { readonly size: number; readonly root: Hash };

/** The hashes at storage indexes, in the order asked for. It answers all or throws. */
export type HashReader = (indexes: readonly number[]) => Promise<readonly Hash[]>;

export const hashSize = 32;

/** Storage indexes stay below twice the size, so that they are exact as numbers. */
export const maxTreeSize = 2 ** 52;

/** Hashes a record's text (without id line and blank line). */
export function recordHash(text: string | Uint8Array): Hash {
  return createHash("sha256").update(leafPrefix).update(text).digest();
}

export function nodeHash(left: Hash, right: Hash): Hash {
  if (left.length !== hashSize || right.length !== hashSize) throw new RangeError("a hash has 32 bytes");
  node.set(left, 1);
  node.set(right, 1 + hashSize);
  // Proofs are made of these: one call and text instead of a Buffer make it twice as fast.
  return Buffer.from(hash("sha256", node, "binary"), "binary");
}

/** The root of a tree without records: SHA-256 of nothing. */
export function emptyRoot(): Hash {
  return createHash("sha256").digest();
}

export function isEqualHash(a: Hash, b: Hash): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Where the `n`-th hash of `level` is stored: right after the hash that completed it. */
export function storedHashIndex(level: number, n: number): number {
  let leaf = n;
  for (let i = 0; i < level; i++) leaf = 2 * leaf + 1;
  checkSize(leaf);
  let index = level;
  for (; leaf > 0; leaf = Math.floor(leaf / 2)) index += leaf;
  return index;
}

/** The inverse of storedHashIndex. */
export function splitStoredHashIndex(index: number): { level: number; n: number } {
  // The leaf written last at or before `index` is at least index/2, since storedHashIndex(0, n) < 2n.
  let n = Math.floor(index / 2);
  let start = storedHashIndex(0, n);
  for (;;) {
    const next = start + 1 + trailingOnes(n);
    if (next > index) break;
    n++;
    start = next;
  }
  const level = index - start;
  return { level, n: Math.floor(n / 2 ** level) };
}

/** How many hashes a tree of `size` records stores; they fill the indexes from 0. */
export function storedHashCount(size: number): number {
  return storedHashIndex(0, size);
}

/** The hashes to append at storedHashIndex(0, n) for record `n`: its own, then those of the subtrees it completes. */
export async function storedHashes(n: number, text: string | Uint8Array, reader: HashReader): Promise<Hash[]> {
  const completed = trailingOnes(n);
  const left = Array.from({ length: completed }, (_, i) => storedHashIndex(i, Math.floor(n / 2 ** i) - 1));
  let hash = recordHash(text);
  const hashes = [hash];
  for (const sibling of await readAll(left, reader)) {
    hash = nodeHash(sibling, hash);
    hashes.push(hash);
  }
  return hashes;
}

/** The root of the tree of the first `size` records. */
export async function treeHash(size: number, reader: HashReader): Promise<Hash> {
  if (size === 0) return emptyRoot();
  const [root] = await rangeHashes([{ lo: 0, hi: size }], reader);
  return must(root);
}

/** The storage indexes of the complete subtrees that make up the tree, largest first. */
export function subtreeIndexes(size: number): number[] {
  return rangeIndexes({ lo: 0, hi: size });
}

/** Folds the hashes at subtreeIndexes(size) into the root. */
export function foldSubtrees(hashes: readonly Hash[]): Hash {
  return hashes.length === 0 ? emptyRoot() : hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** The audit path of record `n` in the tree of `size` records (RFC 6962 §2.1.1). */
export async function proveRecord(size: number, n: number, reader: HashReader): Promise<Hash[]> {
  if (!(n >= 0 && n < checkSize(size))) throw new ProtocolError("BAD_PROOF", `no record ${n} in a tree of ${size}`);
  return rangeHashes(recordPath({ lo: 0, hi: size }, n), reader);
}

/** Checks an audit path: `tree` holds a record of that hash at `n`, or BAD_PROOF. */
export function checkRecord(proof: readonly Hash[], tree: Tree, record: { n: number; hash: Hash }): void {
  const { n, hash } = record;
  checkHashes(proof);
  if (!(n >= 0 && n < tree.size)) throw new ProtocolError("BAD_PROOF", `no record ${n} in a tree of ${tree.size}`);
  if (!isEqualHash(runRecordProof(proof, { lo: 0, hi: tree.size }, { n, hash }), tree.root)) {
    throw new ProtocolError("BAD_PROOF", `the proof does not place record ${n} in the tree of ${tree.size}`);
  }
}

/** The consistency proof from the first `oldSize` records to `size` records (RFC 6962 §2.1.2). */
export async function proveTree(size: number, oldSize: number, reader: HashReader): Promise<Hash[]> {
  checkSizes(checkSize(size), oldSize);
  return rangeHashes(treePath({ lo: 0, hi: size }, oldSize), reader);
}

/** Checks a consistency proof: `old` is the beginning of `tree`, or BAD_PROOF. */
export function checkTree(proof: readonly Hash[], tree: Tree, old: Tree): void {
  checkHashes(proof);
  checkSizes(tree.size, old.size);
  const run = runTreeProof(proof, { lo: 0, hi: tree.size }, old);
  if (!isEqualHash(run.old, old.root) || !isEqualHash(run.root, tree.root)) {
    throw new ProtocolError("BAD_PROOF", `the tree of ${old.size} is not the beginning of the tree of ${tree.size}`);
  }
}

const leafPrefix = Uint8Array.of(0);
/** The bytes of one node, filled in anew for each. */
const node = new Uint8Array(1 + 2 * hashSize).fill(1, 0, 1);

/** Records from `lo` up to `hi`, without `hi`. */
type Range = { readonly lo: number; readonly hi: number };

function checkSize(size: number): number {
  if (!(Number.isSafeInteger(size) && size >= 0 && size <= maxTreeSize))
    throw new RangeError(`tree of ${size} records`);
  return size;
}

function checkSizes(size: number, oldSize: number): void {
  if (oldSize >= 1 && oldSize <= size) return;
  throw new ProtocolError("BAD_PROOF", `no proof leads from a tree of ${oldSize} to one of ${size}`);
}

function checkHashes(proof: readonly Hash[]): void {
  if (proof.some((hash) => hash.length !== hashSize))
    throw new ProtocolError("BAD_PROOF", "a hash of the wrong length");
}

function trailingOnes(n: number): number {
  let ones = 0;
  for (let rest = n; rest % 2 === 1; rest = (rest - 1) / 2) ones++;
  return ones;
}

/** The largest power of two below `n`, for n ≥ 2: where RFC 6962 splits a tree. */
function splitAt(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

/** The complete subtrees of a range that starts where a subtree of its length starts. */
function rangeIndexes({ lo, hi }: Range): number[] {
  const indexes: number[] = [];
  for (let start = lo; start < hi;) {
    let level = 0;
    while (2 ** (level + 1) <= hi - start) level++;
    indexes.push(storedHashIndex(level, start / 2 ** level));
    start += 2 ** level;
  }
  return indexes;
}

/** The hash of each range, in one reading. */
async function rangeHashes(ranges: readonly Range[], reader: HashReader): Promise<Hash[]> {
  const plans = ranges.map(rangeIndexes);
  const hashes = await readAll(plans.flat(), reader);
  let start = 0;
  return plans.map((plan) => foldSubtrees(hashes.slice(start, (start += plan.length))));
}

async function readAll(indexes: readonly number[], reader: HashReader): Promise<readonly Hash[]> {
  if (indexes.length === 0) return [];
  const hashes = await reader(indexes);
  if (hashes.length !== indexes.length) throw new RangeError(`${hashes.length} hashes for ${indexes.length} indexes`);
  return hashes;
}

function recordPath({ lo, hi }: Range, n: number): Range[] {
  if (hi - lo === 1) return [];
  const middle = lo + splitAt(hi - lo);
  return n < middle
    ? [...recordPath({ lo, hi: middle }, n), { lo: middle, hi }]
    : [...recordPath({ lo: middle, hi }, n), { lo, hi: middle }];
}

function runRecordProof(proof: readonly Hash[], { lo, hi }: Range, record: { n: number; hash: Hash }): Hash {
  const last = proof.at(-1);
  if (hi - lo === 1 && last === undefined) return record.hash;
  if (hi - lo === 1 || last === undefined) throw badLength();
  const middle = lo + splitAt(hi - lo);
  const rest = proof.slice(0, -1);
  return record.n < middle
    ? nodeHash(runRecordProof(rest, { lo, hi: middle }, record), last)
    : nodeHash(last, runRecordProof(rest, { lo: middle, hi }, record));
}

/** The left edge needs no hash of its own: the verifier holds the old root. */
function treePath({ lo, hi }: Range, oldSize: number): Range[] {
  if (oldSize === hi) return lo === 0 ? [] : [{ lo, hi }];
  const middle = lo + splitAt(hi - lo);
  return oldSize <= middle
    ? [...treePath({ lo, hi: middle }, oldSize), { lo: middle, hi }]
    : [...treePath({ lo: middle, hi }, oldSize), { lo, hi: middle }];
}

function runTreeProof(proof: readonly Hash[], { lo, hi }: Range, old: Tree): { old: Hash; root: Hash } {
  const last = proof.at(-1);
  if (old.size === hi) {
    if (proof.length !== (lo === 0 ? 0 : 1)) throw badLength();
    const hash = last ?? old.root;
    return { old: hash, root: hash };
  }
  if (last === undefined) throw badLength();
  const middle = lo + splitAt(hi - lo);
  const rest = proof.slice(0, -1);
  if (old.size <= middle) {
    const left = runTreeProof(rest, { lo, hi: middle }, old);
    return { old: left.old, root: nodeHash(left.root, last) };
  }
  const right = runTreeProof(rest, { lo: middle, hi }, old);
  return { old: nodeHash(last, right.old), root: nodeHash(last, right.root) };
}

function badLength(): ProtocolError {
  return new ProtocolError("BAD_PROOF", "the proof has the wrong length");
}

function must(hash: Hash | undefined): Hash {
  if (hash === undefined) throw new RangeError("no hash where one was computed");
  return hash;
}
