// One client for a whole chain: file:// upstreams are read, `direct:` is built from repositories, all others are asked
// over HTTP.

import type { UpstreamClient } from "#services/upstreams/ports.ts";

export function anyUpstreamClient(clients: {
  readonly http: UpstreamClient;
  readonly file: UpstreamClient;
  /** Modules' own repositories. */
  readonly direct: UpstreamClient;
}): UpstreamClient {
  const of = (url: string): UpstreamClient => {
    if (url === "direct:") return clients.direct;
    return /^file:/i.test(url) ? clients.file : clients.http;
  };
  return {
    get: (endpoint, request) => of(endpoint.url).get(endpoint, request),
    close: async () => {
      await Promise.all([clients.http.close(), clients.file.close(), clients.direct.close()]);
    },
  };
}
