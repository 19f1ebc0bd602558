// What a store holds of a database, as the only way of another mirror to it: that one keeps exactly what proves the
// records it was asked for.

import type { Storage } from "#services/store/ports.ts";
import { storageKey } from "#services/store/ports.ts";
import { folderRoute } from "./folder-route.ts";
import { maxHeadsBytes, parseHeads } from "./heads-file.ts";
import { headsKey, publicPrefix } from "./layout.ts";
import type { SumdbRoute } from "./ports.ts";

/** As its newest head it gives the one that kept records carry: of that one the store has every tile it needs. */
export function keptRoute(storage: Storage, database: string): SumdbRoute {
  const serving = async (): Promise<Uint8Array | undefined> => {
    const kept = await storage.get(headsKey(database), maxHeadsBytes);
    const head = kept === undefined ? undefined : parseHeads(kept.bytes)?.serving;
    return head === undefined ? undefined : Buffer.from(head);
  };
  return folderRoute({
    name: "the store",
    read: async (path, maxBytes) => {
      if (path === "latest") return await serving();
      return (await storage.get(storageKey(publicPrefix(database) + path), maxBytes))?.bytes;
    },
  });
}
