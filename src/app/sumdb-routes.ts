// The ways to a checksum database: through each public upstream's own tunnel, and directly. A database with a URL of
// its own is asked there and nowhere else, as the go command does.

import type { Meter } from "#services/events/ports.ts";
import type { SumdbRoute } from "#services/sumdb/ports.ts";
import type { Chain } from "#services/upstreams/chain.ts";
import type { Health } from "#services/upstreams/health.ts";
import type { UpstreamClient, UpstreamEndpoint } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";

export type RoutesUse = {
  readonly chain: Chain;
  readonly client: UpstreamClient;
  readonly health: Health;
  readonly meter: Meter;
};

/** Routes in the order they are tried. */
export function databaseRoutes(
  database: { readonly name: string; readonly url?: string },
  use: RoutesUse,
): SumdbRoute[] {
  if (database.url !== undefined)
    return [route({ name: database.name, url: database.url, redirectCidrs: [] }, { use, prefix: "", knows: true })];
  const tunnels = use.chain.upstreams
    .filter((upstream) => upstream.public)
    .map((upstream) => route(upstream, { use, prefix: `/sumdb/${database.name}`, knows: upstream.authoritative }));
  if (use.chain.hadOff && tunnels.length === 0) return [];
  const direct = { name: database.name, url: `https://${database.name}`, redirectCidrs: [] };
  return [...tunnels, route(direct, { use, prefix: "", knows: true })];
}

/** @param how.knows a 404 from here is the database's own word */
function route(
  endpoint: UpstreamEndpoint,
  how: { readonly use: RoutesUse; readonly prefix: string; readonly knows: boolean },
): SumdbRoute {
  const { use, prefix, knows } = how;
  return {
    name: endpoint.name,
    knows,
    fetch: async (path, maxBytes, signal) => {
      const condition = use.health.condition(endpoint.name);
      if (condition === "open" || condition === "held")
        throw new UpstreamFault(endpoint.name, "unreachable", "failed before, not asked again yet");
      const permit = use.health.permit(endpoint.name);
      const kind = `sumdb ${path.split("/")[1] ?? ""}`;
      try {
        const response = await use.client.get(endpoint, { path: prefix + path, maxBytes, signal });
        const chunks: Uint8Array[] = [];
        for await (const chunk of response.body) chunks.push(chunk);
        const bytes = Buffer.concat(chunks);
        permit.answered();
        use.meter.upstreamRequest(endpoint.name, kind, String(response.status), bytes.length);
        return { status: response.status, bytes };
      } catch (error) {
        if (error instanceof UpstreamFault && !signal.aborted) {
          permit.failed(error.reason);
          use.meter.upstreamRequest(endpoint.name, kind, error.reason, 0);
        }
        throw error;
      } finally {
        permit.abandoned();
      }
    },
  };
}
