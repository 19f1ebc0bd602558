// What a configuration means in services: the chain, and the checksum databases with their routes.

import { parseGosumdb } from "#protocol/gosumdb.ts";
import { parseProxyList } from "#protocol/proxylist.ts";
import type { EventSink } from "#services/events/ports.ts";
import type { Clock, Storage } from "#services/store/ports.ts";
import { SumdbMirror } from "#services/sumdb/mirror.ts";
import type { SumdbRoute } from "#services/sumdb/ports.ts";
import type { Chain } from "#services/upstreams/chain.ts";
import { buildChain } from "#services/upstreams/chain.ts";
import type { Config } from "./config.ts";
import { databaseRoutes } from "./sumdb-routes.ts";
import type { RoutesUse } from "./sumdb-routes.ts";

/** @param listening addresses of this server, which must not ask itself */
export function configuredChain({ values, upstreams, origins }: Config, listening: readonly string[]): Chain {
  const direct = {
    modules: values["direct.modules"],
    // The machine's GOPROXY mostly ends in `direct`; that is a habit and no wish that this server run git.
    isInList: /^(flag|env|file) /.test(origins.upstream),
    silenceMs: values["direct.timeout"] + directGraceMs,
  };
  return buildChain(parseProxyList(values.upstream), { details: upstreams, listening, direct });
}

/** Runs stand in line and are cleared away: what is silent for longer than a run may take has not failed yet. */
const directGraceMs = 60_000;

export type Mirrors = {
  readonly mirrors: readonly SumdbMirror[];
  /** Puts other routes in force: mirrors read theirs at each question. `before`: routes to a database that come first. */
  readonly reroute: (use: RoutesUse, before?: (database: string) => readonly SumdbRoute[]) => void;
};

export function configuredMirrors(
  { values }: Config,
  use: {
    readonly storage: Storage;
    readonly clock: Clock;
    readonly wall?: Pick<Clock, "now">;
    readonly events: EventSink;
  },
): Mirrors {
  const { storage, clock, wall = clock, events } = use;
  const databases = values.sumdb
    .map(parseGosumdb)
    .filter((parsed) => parsed.kind === "database")
    .map((database) => ({ database, routes: [] as SumdbRoute[] }));
  const mirrors = databases.map(({ database, routes }) => {
    const onFork = (evidence: string) => events.emit({ name: "sumdb.fork", database: database.name, evidence });
    const onRefused = (route: string, reason: string) =>
      events.emit({ name: "sumdb.refused", database: database.name, route, reason });
    return new SumdbMirror({ key: database.key, routes, storage, clock, wall, onFork, onRefused });
  });
  return {
    mirrors,
    reroute: (more, before = () => []) => {
      for (const { database, routes } of databases)
        routes.splice(0, routes.length, ...before(database.name), ...databaseRoutes(database, more));
    },
  };
}
