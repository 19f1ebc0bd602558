// One client for the whole chain. Upstreams with certificates of their own get a client of their own; headers that
// the operator configured (credentials, mostly) go to their upstream and nowhere else.

import { readFileSync } from "node:fs";
import { FileUpstreamClient } from "#adapters/upstream/file.ts";
import { HttpUpstreamClient } from "#adapters/upstream/http.ts";
import { anyUpstreamClient } from "#adapters/upstream/select.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { UpstreamClient, UpstreamEndpoint } from "#services/upstreams/ports.ts";
import type { Config, NamedUpstream } from "./config.ts";
import { version } from "./version.ts";

/** Throws GranaryError when a certificate file cannot be read. */
export function makeUpstreamClient(config: Config): UpstreamClient {
  const common = makeHttp(config, []);
  const special = new Map<
    string,
    { readonly client: UpstreamClient; readonly headers: Readonly<Record<string, string>> }
  >();
  for (const upstream of config.upstreams) {
    if (upstream.ca === undefined && upstream.headers === undefined) continue;
    const client = upstream.ca === undefined ? common : makeHttp(config, [readCa(upstream, upstream.ca)]);
    special.set(upstream.name, { client, headers: upstream.headers ?? {} });
  }
  const http: UpstreamClient = {
    get: (endpoint: UpstreamEndpoint, request) => {
      const own = special.get(endpoint.name);
      if (own === undefined) return common.get(endpoint, request);
      return own.client.get(endpoint, { ...request, headers: { ...request.headers, ...own.headers } });
    },
    close: async () => {
      await Promise.all([common.close(), ...[...special.values()].map(({ client }) => client.close())]);
    },
  };
  return anyUpstreamClient({ http, file: new FileUpstreamClient() });
}

function makeHttp({ values, source }: Config, extraCa: readonly string[]): HttpUpstreamClient {
  const { env } = source.machine;
  const proxy = (name: string) => env[name] ?? env[name.toLowerCase()];
  const [http, https, no] = [proxy("HTTP_PROXY"), proxy("HTTPS_PROXY"), proxy("NO_PROXY")];
  return new HttpUpstreamClient({
    userAgent: `Granary/${version} (Go module proxy)`,
    keepAliveMs: values["upstreamClient.idle"],
    connections: values["upstreamClient.connections"],
    connectTimeoutMs: values["upstreamClient.connectTimeout"],
    headersTimeoutMs: values["upstreamClient.headersTimeout"],
    bodyIdleTimeoutMs: values["upstreamClient.bodyIdleTimeout"],
    extraCa,
    ...((http !== undefined || https !== undefined) && {
      proxies: {
        ...(http !== undefined && { http }),
        ...(https !== undefined && { https }),
        ...(no !== undefined && { no }),
      },
    }),
  });
}

function readCa({ name }: NamedUpstream, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new GranaryError(
      "GRANARY_TLS_UNREADABLE",
      { file: `upstreams.${name}.ca: ${file}`, reason: (error as Error).message },
      { cause: error },
    );
  }
}
