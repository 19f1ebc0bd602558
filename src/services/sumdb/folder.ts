// One database in a folder of its own, for people to copy: `latest` is the signed head, `index/` holds the lookups,
// `tree/` the tiles, `key` the verifier key, `state/` what only we read. The rooms see the usual layout through it.

import { parseVerifierKey, type Verifier } from "#protocol/note.ts";
import { maxKeyLength } from "#protocol/note-key.ts";
import { storageKey, type Storage, type StorageKey } from "#services/store/ports.ts";

const folderKey = storageKey("key");

/** The folder `storage` as the storage of a mirror of `database`. A key of anything else is a RangeError. */
export function databaseFolder(storage: Storage, database: string): Storage {
  const places = [
    [`modules/sumdb/${database}/lookup/`, "index/"],
    [`modules/sumdb/${database}/tile/`, "tree/"],
    [`modules/sumdb/${database}/latest`, "latest"],
    [`modules/sumdb/${database}/supported`, "supported"],
    [`state/sumdb/${database}/`, "state/"],
  ] as const;
  const inside = (key: string): StorageKey => {
    const place = places.find(([prefix]) => key.startsWith(prefix));
    if (place === undefined) throw new RangeError(`${key} is not a key of ${database}`);
    return storageKey(place[1] + key.slice(place[0].length));
  };
  const outside = (key: string): StorageKey | undefined => {
    const place = places.find(([, prefix]) => key.startsWith(prefix));
    return place === undefined ? undefined : storageKey(place[0] + key.slice(place[1].length));
  };
  return {
    get: (key, maxBytes) => storage.get(inside(key), maxBytes),
    stat: (key) => storage.stat(inside(key)),
    open: (key) => storage.open(inside(key)),
    create: (key, body) => storage.create(inside(key), body),
    replace: (key, bytes, expected) => storage.replace(inside(key), bytes, expected),
    remove: (key) => storage.remove(inside(key)),
    stage: (maxBytes) => storage.stage(maxBytes),
    list: async function* (prefix) {
      for await (const { key, ...facts } of storage.list("")) {
        const named = outside(key);
        if (named?.startsWith(prefix) === true) yield { key: named, ...facts };
      }
    },
  };
}

/** Whose database the folder is; undefined for a new one. Throws BAD_KEY when its `key` is damaged. */
export async function folderVerifier(storage: Storage): Promise<Verifier | undefined> {
  const kept = await storage.get(folderKey, 2 * maxKeyLength);
  return kept === undefined ? undefined : parseVerifierKey(Buffer.from(kept.bytes).toString().trim());
}

/** Gives a new folder to the database of `key`; "exists" when it is somebody's already. */
export async function markFolder(storage: Storage, key: string): Promise<"created" | "exists"> {
  return await storage.create(folderKey, Buffer.from(`${key}\n`));
}
