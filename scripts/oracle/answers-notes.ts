// Signed notes, verifier keys, records, tree heads.

import { parseTree } from "#protocol/checkpoint.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { openNote, parseVerifierKey } from "#protocol/note.ts";
import type { NoteSignature } from "#protocol/note.ts";
import { formatRecord, parseRecord } from "#protocol/record.ts";
import { bytesOf, orNull, rawOf } from "./answers.ts";
import type { Answers } from "./answers.ts";

export const noteAnswers: Answers = {
  note: (input) => {
    const { msg, keys } = input as { msg: unknown; keys: string[] };
    return noteAnswer(bytesOf(msg), keys);
  },
  verifier: (input) =>
    orNull(() => {
      const { name, keyHash } = parseVerifierKey(input as string);
      return { name, hash: keyHash };
    }),
  record: (input) =>
    orNull(() => {
      const { id, text, rest } = parseRecord(bytesOf(input));
      return { id: String(id), text, rest: rawOf(rest) };
    }),
  "format-record": (input) => {
    const [id, text] = input as [number, string];
    return orNull(() => Buffer.from(formatRecord({ id, text })).toString());
  },
  "tree-text": (input) =>
    orNull(() => {
      const { size, root } = parseTree(Buffer.from(bytesOf(input)).toString("latin1"));
      return [String(size), Buffer.from(root).toString("base64")];
    }),
};

function noteAnswer(msg: Uint8Array, keys: readonly string[]): unknown {
  try {
    const { text, signatures, unverified } = openNote(msg, keys.map(parseVerifierKey));
    return { text, signatures: signatures.map(fieldsOf), unverified: unverified.map(fieldsOf) };
  } catch (error) {
    if (error instanceof ProtocolError) return error.code === "NOTE_UNVERIFIED" ? "unproven" : null;
    throw error;
  }
}

function fieldsOf({ name, keyHash, base64 }: NoteSignature): unknown {
  return [name, keyHash, base64];
}
