// Signed tree heads of the checksum database (x/mod sumdb/tlog ParseTree): a note whose text is
// `go.sum database tree`, the number of records, and the root hash in base64, each on its line.

import { decodeBase64, encodeBase64 } from "./base64.ts";
import { ProtocolError } from "./errors.ts";
import { openNote, type Note, type Verifier } from "./note.ts";
import { hashSize, maxTreeSize, type Tree } from "./tlog.ts";

/** A tree head that its database signed. */
export type Checkpoint = Tree & {
  readonly note: Note;
  /** The signed note as it came. */
  readonly bytes: Uint8Array;
};

/** As x/mod: longer texts are refused. */
export const maxTreeTextBytes = 1_000_000;

/** Parses a tree head's text, or throws BAD_CHECKPOINT. Lines after the third are for later formats: ignored. */
export function parseTree(text: string): Tree {
  const [first, size = "", root = "", ...rest] = text.length > maxTreeTextBytes ? [] : text.split("\n", 4);
  const hash = decodeBase64(root);
  if (first !== firstLine || rest.length === 0 || !/^(0|[1-9][0-9]*)$/.test(size) || hash?.length !== hashSize) {
    throw new ProtocolError("BAD_CHECKPOINT", "malformed tree head");
  }
  if (Number(size) > maxTreeSize) throw new ProtocolError("BAD_CHECKPOINT", `a tree of ${size} records is too large`);
  return { size: Number(size), root: hash };
}

export function formatTree({ size, root }: Tree): string {
  return `${firstLine}\n${size}\n${encodeBase64(root)}\n`;
}

/** Opens a signed tree head. Throws BAD_NOTE, NOTE_UNVERIFIED or BAD_CHECKPOINT. */
export function openCheckpoint(message: string | Uint8Array, verifier: Verifier): Checkpoint {
  const note = openNote(message, [verifier]);
  return { ...parseTree(note.text), note, bytes: typeof message === "string" ? Buffer.from(message) : message };
}

const firstLine = "go.sum database tree";
