// A folder that holds what a database once said, as a way to that database: a go command's cache, a proxy's, a store.
// It is asked like any route and believed as little: everything is proven with the database's key.

import { UpstreamFault } from "#services/upstreams/ports.ts";
import type { SumdbAnswer, SumdbRoute } from "./ports.ts";

export type FolderRouteUse = {
  readonly name: string;
  /** What lies at `lookup/…`, `tile/…` or `latest`, as the file is named; undefined for nothing, also when it is larger. */
  readonly read: (path: string, maxBytes: number) => Promise<Uint8Array | undefined>;
};

/** That the folder lacks something says nothing: it is silence, never a 404, but for tiles, of which it may have a wider one. */
export function folderRoute({ name, read }: FolderRouteUse): SumdbRoute {
  return {
    name,
    knows: false,
    // What it lacks it lacks: asking again is no use.
    isUp: () => false,
    fetch: async (path, maxBytes): Promise<SumdbAnswer> => {
      const file = decodeURIComponent(path.slice(1));
      const bytes = await read(file, maxBytes);
      if (bytes !== undefined) return { status: 200, bytes };
      if (file.startsWith("tile/")) return { status: 404, bytes: Buffer.from(`no ${file}`) };
      throw new UpstreamFault(name, "unreachable", `no ${file}`);
    },
  };
}
