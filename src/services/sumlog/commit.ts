// A commit: the records that were appended together, and the root of the tree with them. Commits make the log: the one
// that follows `from` records is created under a key of its own and never replaced, so there is one of it in history.
//
//	granary sumlog commit 1
//	12 14 WqX…=
//	(blank line)
//	example.com/m v1.0.0 h1:…
//	…
//	(blank line)

import { decodeBase64, encodeBase64 } from "#protocol/base64.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { formatDataTile, parseDataTile } from "#protocol/record.ts";
import { hashSize, type Hash } from "#protocol/tlog.ts";

export type Commit = {
  /** How many records came before. */
  readonly from: number;
  /** Texts of records. */
  readonly texts: readonly string[];
  /** Of the tree with them. */
  readonly root: Hash;
};

/** Records of a commit: one round of writing to disk serves so many. */
export const maxCommitRecords = 4096;

/** A commit of records of some 300 bytes, and of a few long ones. */
export const maxCommitBytes = 16 * 1024 * 1024;

export function formatCommit({ from, texts, root }: Commit): Uint8Array {
  const head = `${firstLine}\n${from} ${from + texts.length} ${encodeBase64(root)}\n\n`;
  return Buffer.concat([Buffer.from(head), formatDataTile(texts)]);
}

/** Throws BAD_RECORD when the bytes are not a commit. */
export function parseCommit(bytes: Uint8Array): Commit {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const blank = raw.indexOf("\n\n");
  const [first, facts = ""] = raw.toString("utf8", 0, Math.max(blank, 0)).split("\n");
  const [, from = "", to = "", base64 = ""] = /^([0-9]{1,16}) ([0-9]{1,16}) ([^ ]+)$/.exec(facts) ?? [];
  const root = decodeBase64(base64);
  const count = Number(to) - Number(from);
  if (first !== firstLine || root?.length !== hashSize || !(count >= 1 && count <= maxCommitRecords))
    throw new ProtocolError("BAD_RECORD", "malformed commit");
  return { from: Number(from), texts: parseDataTile(raw.subarray(blank + 2), count), root };
}

const firstLine = "granary sumlog commit 1";
