// One client for a whole chain: file:// upstreams are read, all others are asked over HTTP.

import type { UpstreamClient } from "#services/upstreams/ports.ts";

export function anyUpstreamClient(clients: {
  readonly http: UpstreamClient;
  readonly file: UpstreamClient;
}): UpstreamClient {
  return {
    get: (endpoint, request) => (/^file:/i.test(endpoint.url) ? clients.file : clients.http).get(endpoint, request),
    close: async () => {
      await Promise.all([clients.http.close(), clients.file.close()]);
    },
  };
}
