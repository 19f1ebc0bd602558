// A published integrity list at a URL, asked by the same client as upstreams are: connections leave as they do.

import { maxIntegrityBytes } from "#protocol/integrity.ts";
import type { IntegritySource } from "#services/integrity/ports.ts";
import type { UpstreamClient, UpstreamEndpoint } from "#services/upstreams/ports.ts";

/** @param endpoint its URL is the list's whole URL */
export function integrityListAt(client: UpstreamClient, endpoint: UpstreamEndpoint): IntegritySource {
  return {
    fetch: async (signal) => {
      const { pathname, origin } = new URL(endpoint.url);
      const at = { ...endpoint, url: origin };
      const answer = await client.get(at, { path: pathname, maxBytes: maxIntegrityBytes, signal });
      if (answer.status !== 200) {
        answer.cancel();
        throw new Error(`${endpoint.name}: status ${answer.status}`);
      }
      const chunks: Uint8Array[] = [];
      for await (const chunk of answer.body) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
  };
}
