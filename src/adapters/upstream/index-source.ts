// An index of new versions at a URL, asked by the same client as upstreams are: connections leave as they do.

import { maxPageBytes } from "#services/sync/ports.ts";
import type { IndexSource } from "#services/sync/ports.ts";
import type { UpstreamClient } from "#services/upstreams/ports.ts";

export function indexSource(client: Pick<UpstreamClient, "get">): IndexSource {
  return {
    page: async (url, { since, limit }, signal) => {
      const { origin, pathname, host } = new URL(url);
      const query = new URLSearchParams({ since, limit: String(limit) }).toString();
      const endpoint = { name: `index ${host}`, url: origin, redirectCidrs: [] };
      const answer = await client.get(endpoint, { path: `${pathname}?${query}`, maxBytes: maxPageBytes, signal });
      if (answer.status !== 200) {
        answer.cancel();
        throw new Error(`it answered with status ${answer.status}`);
      }
      const chunks: Uint8Array[] = [];
      for await (const chunk of answer.body) chunks.push(chunk);
      return Buffer.concat(chunks).toString("utf8");
    },
  };
}
