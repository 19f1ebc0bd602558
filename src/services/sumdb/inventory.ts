// What the store holds of one database, counted from its keys alone: nobody is asked and nothing is proven anew.

import { openCheckpoint, type Checkpoint } from "#protocol/checkpoint.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { encodeBase64 } from "#protocol/base64.ts";
import { maxNoteBytes, type Verifier } from "#protocol/note.ts";
import type { Storage } from "#services/store/ports.ts";
import { listAlarms } from "./alarms.ts";
import { maxHeadsBytes, parseHeads } from "./heads-file.ts";
import { headsKey, latestKey, publicPrefix } from "./layout.ts";

export type Inventory = {
  readonly name: string;
  /** Eight hexadecimal digits, as in the verifier key. */
  readonly keyId: string;
  /** The newest proven head; `atMs` is when it was accepted, undefined when nobody remembers. */
  readonly newest: { readonly size: number; readonly atMs: number | undefined } | undefined;
  /** Records under the head that kept records carry. */
  readonly serving: number | undefined;
  readonly records: number;
  readonly tiles: number;
  readonly tileBytes: number;
  /** Ids of undecided forks. */
  readonly alarms: readonly string[];
};

export async function takeInventory(storage: Storage, verifier: Verifier): Promise<Inventory> {
  const { name } = verifier;
  const open = (bytes: Uint8Array | undefined): Checkpoint | undefined => openKept(bytes, verifier);
  const latest = open((await storage.get(latestKey(name), maxNoteBytes))?.bytes);
  const kept = await storage.get(headsKey(name), maxHeadsBytes);
  const state = kept === undefined ? undefined : parseHeads(kept.bytes);
  const serving = state?.serving === undefined ? undefined : open(Buffer.from(state.serving));
  // As the mirror does it: a lost or damaged newest head does not lead behind the one that was handed out.
  const newest = serving !== undefined && serving.size > (latest?.size ?? -1) ? serving : latest;
  const accepted = newest && state?.accepted.findLast(({ root }) => root === encodeBase64(newest.root));
  const undecided = (await listAlarms(storage, name)).filter(({ decision }) => decision === undefined);
  return {
    name,
    keyId: verifier.keyHash.toString(16).padStart(8, "0"),
    newest: newest && { size: newest.size, atMs: accepted?.atMs },
    serving: serving?.size,
    ...(await countFiles(storage, name)),
    alarms: undecided.map(({ id }) => id),
  };
}

async function countFiles(
  storage: Storage,
  database: string,
): Promise<Pick<Inventory, "records" | "tiles" | "tileBytes">> {
  const prefix = publicPrefix(database);
  const counted = { records: 0, tiles: 0, tileBytes: 0 };
  for await (const { key, size } of storage.list(prefix)) {
    const path = key.slice(prefix.length);
    if (path.startsWith("lookup/")) counted.records++;
    if (!path.startsWith("tile/")) continue;
    counted.tiles++;
    counted.tileBytes += size;
  }
  return counted;
}

function openKept(bytes: Uint8Array | undefined, verifier: Verifier): Checkpoint | undefined {
  if (bytes === undefined) return undefined;
  try {
    return openCheckpoint(bytes, verifier);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
