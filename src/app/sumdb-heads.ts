// The commands about tree heads of checksum databases. `import` changes the store, so a running server does it; the
// others only read, beside one or without.

import { join } from "node:path";
import { JsonlSink } from "#adapters/sinks/jsonl.ts";
import { isStoreTaken } from "#adapters/storage/lock.ts";
import { systemClock } from "#adapters/system/clock.ts";
import { Metrics } from "#adapters/telemetry/metrics.ts";
import type { CliServices, SettingFlags, SumdbRouteView } from "#doors/cli/services.ts";
import { openCheckpoint } from "#protocol/checkpoint.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { parseGosumdb } from "#protocol/gosumdb.ts";
import { maxNoteBytes, parseVerifierKey } from "#protocol/note.ts";
import { GranaryError, isGranaryError } from "#services/errors/granary-error.ts";
import { count } from "#services/errors/sentences.ts";
import type { EventSink } from "#services/events/ports.ts";
import type { Storage } from "#services/store/ports.ts";
import { takeInventory } from "#services/sumdb/inventory.ts";
import { latestKey } from "#services/sumdb/layout.ts";
import { offerAll, signersOf, tilesBetween } from "#services/sumdb/offered.ts";
import type { Offer, OfferReport } from "#services/sumdb/offered.ts";
import { checkPins } from "#services/sumdb/trusted.ts";
import { formatTrusted } from "#services/sumdb/trusted-file.ts";
import type { Pin } from "#services/sumdb/trusted-file.ts";
import { unwritten } from "#services/sumdb/unwritten.ts";
import { Health } from "#services/upstreams/health.ts";
import { awake } from "./awake.ts";
import type { Config, Machine } from "./config.ts";
import { configuredChain, configuredMirrors } from "./configured.ts";
import { cachedTiles, readHeads, readTrusted } from "./head-inputs.ts";
import { openStore, storeAsItIs, takeStore } from "./open-store.ts";
import { ask, openRemote } from "./remote.ts";
import type { Remote } from "./remote.ts";
import { databaseRoutes } from "./sumdb-routes.ts";
import type { RoutesUse } from "./sumdb-routes.ts";
import { makeUpstreamClient } from "./upstream-clients.ts";

export type HeadCommands = Pick<CliServices, "sumdbHeadsImport" | "sumdbPin" | "sumdbVerifyTrusted" | "sumdbStatus">;

/** A person waits: routes that are away are given up soon. */
const retryMs = 2_000;
/** A server that is cut off tries its routes for each head. */
const importMs = 120_000;
const statusMs = 3_000;

export function headCommands(load: (flags: SettingFlags) => Promise<Config>, machine: Machine): HeadCommands {
  return {
    sumdbHeadsImport: async ({ from, cache, at }, flags) => {
      const config = await load(flags);
      const heads = await readHeads(from);
      const release = at.server === undefined ? await takeUnlessServed(config.values.store) : undefined;
      if (release === undefined)
        return await importThere(heads, cache, { remote: await openRemote(at, config, machine), config });
      try {
        return await importHere(heads, cache, config);
      } finally {
        await release();
      }
    },
    sumdbPin: async (flags) => {
      const config = await load(flags);
      const { values } = config;
      const storage = await storeAsItIs(config);
      const pins: (Pin & { readonly treeSize: number })[] = [];
      const without: string[] = [];
      for (const { name, key } of databasesOf(values.sumdb)) {
        const kept = await storage.get(latestKey(name), maxNoteBytes);
        const treeSize = kept === undefined ? undefined : openOurs(kept.bytes, key)?.size;
        if (kept === undefined || treeSize === undefined) without.push(name);
        else pins.push({ key, database: name, note: Buffer.from(kept.bytes).toString(), treeSize });
      }
      const sizes = pins.map(({ database, treeSize }) => `${database}: ${count(treeSize)} records`);
      const when = `Proven tree heads, ${new Date(systemClock.now()).toISOString()}.`;
      const remarks = [when, ...sizes, "Check a store against them: granary sumdb verify --trusted FILE"];
      return { text: formatTrusted(pins, remarks), pins, without };
    },
    sumdbVerifyTrusted: async (file, flags) => {
      const config = await load(flags);
      const pins = await readTrusted(file);
      const keys = new Map(databasesOf(config.values.sumdb).map(({ name, key }) => [name, key]));
      // A question changes nothing: what the mirrors learn stays in their memory.
      const use = { storage: unwritten(await storeAsItIs(config)), events: silent };
      return await withMirrors(config, use, async (mirrors) =>
        checkPins(
          pins,
          mirrors.map((mirror) => ({ mirror, key: keys.get(mirror.name) ?? "" })),
        ),
      );
    },
    sumdbStatus: async (at, flags) => {
      const config = await load(flags);
      const { values } = config;
      const storage = await storeAsItIs(config);
      const running = await runningStatus(at, config, machine);
      const found = databasesOf(values.sumdb).map(async (database) => ({
        ...(await takeInventory(storage, parseVerifierKey(database.key))),
        routes: await routesOf(config, database, running),
      }));
      return { nowMs: systemClock.now(), isRunning: running !== undefined, databases: await Promise.all(found) };
    },
  };
}

const silent: EventSink = { emit: () => undefined };

function databasesOf(settings: readonly string[]): { name: string; key: string; url?: string }[] {
  return settings.map(parseGosumdb).flatMap((parsed) => (parsed.kind === "database" ? [parsed] : []));
}

/** How to give the store back; undefined when a server has it. */
async function takeUnlessServed(dir: string): Promise<(() => Promise<void>) | undefined> {
  try {
    return await takeStore(dir);
  } catch (error) {
    if (isGranaryError(error, "GRANARY_STORE_LOCKED")) return undefined;
    throw error;
  }
}

type Heads = Offer["heads"];

async function importHere(heads: Heads, cache: string | undefined, config: Config): Promise<OfferReport[]> {
  const { values } = config;
  const { storage } = await openStore(config, {});
  const events = new JsonlSink(join(values.store, "state", "events.jsonl"), systemClock);
  try {
    const names = databasesOf(values.sumdb).map(({ name }) => name);
    const tiles = cache === undefined ? {} : { tiles: new Map(names.map((name) => [name, cachedTiles(cache, name)])) };
    return await withMirrors(config, { storage, events }, (mirrors) => offerAll({ heads, ...tiles }, mirrors));
  } finally {
    await events.flush();
  }
}

/** Sends the heads to a server, with those tiles of the cache that lead from its newest head to them. */
async function importThere(
  heads: Heads,
  cache: string | undefined,
  { remote, config }: { readonly remote: Remote; readonly config: Config },
): Promise<OfferReport[]> {
  const tiles: Record<string, Record<string, string>> = {};
  for (const { name, key } of cache === undefined ? [] : databasesOf(config.values.sumdb)) {
    const ours = await newestOf(remote, { name, key });
    const of = (tiles[name] = {} as Record<string, string>);
    for (const { note } of heads.filter((head) => signersOf(head.note).includes(name))) {
      const head = openOurs(note, key);
      if (head === undefined) continue;
      const between = await tilesBetween(ours ?? 0, head, cachedTiles(cache ?? "", name));
      for (const [path, bytes] of between) of[path] = Buffer.from(bytes).toString("base64");
    }
  }
  const body = JSON.stringify({ heads, tiles });
  const answer = await ask(remote, "POST", "/-/api/sumdb/heads", { body, waitMs: importMs });
  return answer["heads"] as OfferReport[];
}

/** A note as a head signed with `key`; undefined when it is none. */
function openOurs(note: string | Uint8Array, key: string): ReturnType<typeof openCheckpoint> | undefined {
  try {
    return openCheckpoint(note, parseVerifierKey(key));
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** Records under the newest head that a server keeps; undefined when it has none, or does not say. */
async function newestOf(remote: Remote, database: { name: string; key: string }): Promise<number | undefined> {
  const url = `${remote.url}/cached-only/sumdb/${database.name}/latest`;
  const signal = AbortSignal.timeout(statusMs);
  const answer = await fetch(url, { signal, redirect: "error" }).catch(() => undefined);
  if (answer?.ok !== true) return undefined;
  return openOurs((await answer.text()).slice(0, maxNoteBytes), database.key)?.size;
}

type Running = {
  /** What each route gave when they were last compared; undefined when they never were. */
  readonly views: (database: string) => readonly SumdbRouteView[] | undefined;
  readonly conditions: ReadonlyMap<string, string>;
};

/** What a server says of its routes; undefined when none has the store, or it does not answer. */
async function runningStatus(
  at: Parameters<typeof openRemote>[0],
  config: Config,
  machine: Machine,
): Promise<Running | undefined> {
  if (at.server === undefined && !(await isStoreTaken(config.values.store))) return undefined;
  try {
    const status = await ask(await openRemote(at, config, machine), "GET", "/-/api/status", { waitMs: statusMs });
    return runningOf(status);
  } catch (error) {
    if (at.server !== undefined || !(error instanceof GranaryError)) throw error;
    return undefined;
  }
}

function runningOf(status: Readonly<Record<string, unknown>>): Running {
  const { databases = [], upstreams = [] } = status as {
    readonly databases?: readonly { readonly name: string; readonly routes?: readonly SumdbRouteView[] }[];
    readonly upstreams?: readonly { readonly name: string; readonly condition: string }[];
  };
  return {
    views: (name) => {
      const routes = databases.find((each) => each.name === name)?.routes;
      return routes?.length === 0 ? undefined : routes;
    },
    conditions: new Map(upstreams.map(({ name, condition }) => [name, condition])),
  };
}

async function routesOf(
  config: Config,
  database: { readonly name: string; readonly url?: string },
  running: Running | undefined,
): Promise<SumdbRouteView[]> {
  const views = running?.views(database.name) ?? (await routeNames(config, database));
  return views.map((view) => {
    const condition = running?.conditions.get(view.route);
    return { ...view, ...(condition !== undefined && { condition }) };
  });
}

async function routeNames(
  config: Config,
  database: { readonly name: string; readonly url?: string },
): Promise<SumdbRouteView[]> {
  const client = makeUpstreamClient(config);
  try {
    const routes = databaseRoutes(database, routesUse(config, client));
    return routes.map(({ name }) => ({ route: name, verdict: "unasked" }));
  } finally {
    await client.close();
  }
}

/** How a command asks routes: nobody waits long for one that is away. */
export function routesUse(config: Config, client: RoutesUse["client"]): RoutesUse {
  return {
    chain: configuredChain(config, []),
    client,
    health: new Health({ clock: systemClock }),
    meter: new Metrics(),
    clock: systemClock,
    manners: () => ({ retryMs }),
  };
}

async function withMirrors<T>(
  config: Config,
  use: { readonly storage: Storage; readonly events: EventSink },
  work: (mirrors: ReturnType<typeof configuredMirrors>["mirrors"]) => Promise<T>,
): Promise<T> {
  const client = makeUpstreamClient(config);
  const databases = configuredMirrors(config, { ...use, clock: systemClock });
  databases.reroute(routesUse(config, client));
  try {
    return await awake(() => work(databases.mirrors));
  } finally {
    for (const mirror of databases.mirrors) mirror.close();
    await client.close();
  }
}
