// The newest head that a foreign directory holds. Who filled it proved every older record in that one or one before, so
// with it first the directory's tiles are most likely to prove all the others, also when nobody else can be asked.

import { openCheckpoint, type Checkpoint } from "#protocol/checkpoint.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { maxNoteBytes, type Verifier } from "#protocol/note.ts";
import { parseLookup } from "#protocol/record.ts";
import type { SourceTree } from "#services/store/ports.ts";
import { SourceUnreadable } from "#services/store/ports.ts";
import { maxLookupBytes } from "./records.ts";

/** Kept lookups that are read; a large cache has some thousand, and most share a few heads. */
const maxLookups = 20_000;

/**
 * The newest head signed with the database's key, of `folder` (`…/sumdb/<name>`) and of those at hand. Nothing of it
 * is proven.
 */
export async function newestHeadIn(
  tree: SourceTree,
  folder: string,
  { verifier, atHand }: { readonly verifier: Verifier; readonly atHand: readonly (Uint8Array | undefined)[] },
): Promise<Uint8Array | undefined> {
  let newest: Checkpoint | undefined;
  const look = (open: () => Checkpoint): void => {
    const head = ignoring(open);
    if (head !== undefined && head.size > (newest?.size ?? -1)) newest = head;
  };
  for (const note of [...atHand, await readSource(tree, `${folder}/latest`, maxNoteBytes)])
    if (note !== undefined) look(() => openCheckpoint(note, verifier));
  let left = maxLookups;
  for await (const path of filesBelow(tree, `${folder}/lookup`)) {
    if (left-- === 0) break;
    const bytes = await readSource(tree, path, maxLookupBytes);
    if (bytes !== undefined) look(() => openCheckpoint(parseLookup(bytes).checkpointNote, verifier));
  }
  return newest?.bytes;
}

/** A whole file; undefined when there is none, when it is larger, and when it cannot be read. */
export async function readSource(tree: SourceTree, path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  try {
    const file = await tree.read(path);
    if (file === undefined) return undefined;
    try {
      if (file.size > maxBytes) return undefined;
      const pieces: Uint8Array[] = [];
      let size = 0;
      for await (const piece of file.bytes) {
        pieces.push(piece);
        if ((size += piece.length) > maxBytes) return undefined;
      }
      return Buffer.concat(pieces);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof SourceUnreadable) return undefined;
    throw error;
  }
}

async function* filesBelow(tree: SourceTree, folder: string): AsyncGenerator<string> {
  try {
    for await (const { name, kind } of tree.names(folder)) {
      if (kind === "folder") yield* filesBelow(tree, `${folder}/${name}`);
      else if (kind === "file") yield `${folder}/${name}`;
    }
  } catch (error) {
    if (!(error instanceof SourceUnreadable)) throw error;
  }
}

function ignoring<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
