// Evidence of a fork, complete in itself: two notes that the same key signed, and the proof that the newer tree does
// not begin with the older one.

import { encodeBase64 } from "#protocol/base64.ts";
import type { Checkpoint } from "#protocol/checkpoint.ts";
import { formatVerifierKey, type Verifier } from "#protocol/note.ts";
import { formatTilePath } from "#protocol/tile.ts";
import { proveTree, type Hash } from "#protocol/tlog.ts";
import { treeReader } from "#protocol/tree-reader.ts";
import { tileHeight } from "./layout.ts";
import type { Proven } from "./tiles.ts";

export type Fork = {
  readonly older: Checkpoint;
  readonly newer: Checkpoint;
  /** The root over the newer tree's first records, as many as the older tree has. */
  readonly found: Hash;
  /** What `found` was computed from; absent when both trees have the same size. */
  readonly proven?: Proven;
};

/**
 * JSON for people and programs. To check it: open both notes with the key; the consistency proof (RFC 6962 §2.1.2)
 * leads from `found` at the older size to the newer root; `found` is not the older root.
 */
export async function describeFork(verifier: Verifier, { older, newer, found, proven }: Fork): Promise<Uint8Array> {
  const proof = proven === undefined || older.size === 0 ? [] : await consistencyProof(older, newer, proven);
  const evidence = {
    verifierKey: formatVerifierKey(verifier),
    older: Buffer.from(older.bytes).toString(),
    newer: Buffer.from(newer.bytes).toString(),
    found: encodeBase64(found),
    proof: proof.map(encodeBase64),
  };
  return Buffer.from(`${JSON.stringify(evidence, undefined, 2)}\n`);
}

/** The tiles that gave `found` hold every hash of the proof. */
async function consistencyProof(older: Checkpoint, newer: Checkpoint, proven: Proven): Promise<Hash[]> {
  const byPath = new Map(proven.tiles.map(({ tile, bytes }) => [formatTilePath(tile), bytes]));
  const reader = treeReader(newer, {
    height: tileHeight,
    readTiles: (tiles) => Promise.resolve(tiles.map((tile) => byPath.get(formatTilePath(tile)) ?? new Uint8Array())),
    saveTiles: () => undefined,
  });
  return await proveTree(newer.size, older.size, reader);
}
