// Whether a log of a snapshot may take the place of what a store has. The key remembers the newest head that it has signed,
// and clients remember what they have seen: a log may only ever be gone on with from there.

import { openCheckpoint } from "#protocol/checkpoint.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { maxNoteBytes, type Verifier } from "#protocol/note.ts";
import { isEqualHash, type Hash, type Tree } from "#protocol/tlog.ts";
import type { Storage } from "#services/store/ports.ts";
import type { LogRestores, LogVerdict } from "#services/store/snapshot-logs.ts";
import { SumLogError } from "./errors.ts";
import { History, type State } from "./history.ts";
import { headKey } from "./layout.ts";
import type { HeadMemory } from "./ports.ts";

export type LogKey = { readonly verifier: Verifier; readonly memory: HeadMemory };

/** With the key of one log, or none. */
export function logRestores(key: LogKey | undefined): LogRestores {
  const keyOf = (name: string): LogKey | undefined => (key?.verifier.name === name ? key : undefined);
  return {
    judge: async (name, copy, store) => {
      const known = keyOf(name);
      if (known === undefined) return { is: "keyless" };
      try {
        return await judge(known, copy, store);
      } catch (error) {
        if (error instanceof SumLogError || error instanceof ProtocolError)
          return { is: "unsound", reason: error.message };
        throw error;
      }
    },
    remember: async (name, head) => await keyOf(name)?.memory.remember(head),
    isForgotten: async (name) => (await keyOf(name)?.memory.recall()) === undefined,
  };
}

/** Throws SumLogError when the snapshot's log is not sound. */
async function judge({ verifier, memory }: LogKey, copy: Storage, store: Storage): Promise<LogVerdict> {
  const history = new History(verifier, copy);
  const ours = await history.read("head");
  const head = ours.head;
  if (head === undefined) throw new SumLogError("SUMLOG_DAMAGED", verifier.name, "the snapshot has no head of it");
  const remembered = await memory.recall();
  const signed = remembered && openCheckpoint(remembered, verifier);
  const theirs = await readStore(verifier, store);
  if (theirs.state !== undefined && theirs.tree.size > head.size) {
    const root = await new History(verifier, store).rootAt(theirs.state, head.size);
    if (!isEqualHash(root, head.root)) return fork("the store", head.size);
    if (signed === undefined || signed.size <= theirs.tree.size)
      return { is: "kept", size: head.size, kept: theirs.tree.size };
  }
  if (signed !== undefined && signed.size > head.size) return { is: "behind", size: head.size, signed: signed.size };
  if (signed !== undefined && !(await isPrefix(signed, { history, ours })))
    return fork("what this key signed", signed.size);
  if (theirs.tree.size > head.size)
    return { is: "unsound", reason: `the store's own has ${theirs.tree.size} records and is damaged` };
  if (
    theirs.tree.root !== undefined &&
    !(await isPrefix({ ...theirs.tree, root: theirs.tree.root }, { history, ours }))
  )
    return fork("the store", theirs.tree.size);
  return { is: "restore", size: head.size, head: head.bytes };
}

/** What the store has: all of it when it opens; otherwise what its newest head says, if that can be read. */
async function readStore(
  verifier: Verifier,
  store: Storage,
): Promise<{ readonly state?: State; readonly tree: { readonly size: number; readonly root: Hash | undefined } }> {
  const history = new History(verifier, store);
  try {
    const state = await history.read("end");
    const tree = state.frontier.tree();
    return { state, tree: { size: tree.size, root: tree.size === 0 ? undefined : tree.root } };
  } catch (error) {
    if (!(error instanceof SumLogError)) throw error;
  }
  const size = await history.newest();
  return { tree: { size, root: await rootOfHead(verifier, store, size) } };
}

async function rootOfHead(verifier: Verifier, store: Storage, size: number): Promise<Hash | undefined> {
  try {
    const kept = await store.get(headKey(verifier.name, size), maxNoteBytes);
    return kept && openCheckpoint(kept.bytes, verifier).root;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

async function isPrefix(tree: Tree, of: { readonly history: History; readonly ours: State }): Promise<boolean> {
  return tree.size === 0 || isEqualHash(await of.history.rootAt(of.ours, tree.size), tree.root);
}

function fork(whose: string, size: number): LogVerdict {
  return { is: "fork", reason: `the first ${size} records are not those of ${whose}` };
}
