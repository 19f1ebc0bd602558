// The databases of `granary sumweb`: a folder as it is, asked of nobody; or mirrors that fetch, verify and keep, in a
// folder or in a store.

import { join } from "node:path";
import { readOnlyStorage } from "#adapters/storage/read-only.ts";
import { JsonlSink, fanOut } from "#adapters/sinks/jsonl.ts";
import { busyMeter } from "#adapters/system/busy.ts";
import { systemClock } from "#adapters/system/clock.ts";
import type { DatabaseMirror } from "#doors/http/sumdb.ts";
import type { ShownDatabase } from "#doors/http/sumdb-handler.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { parseGosumdb } from "#protocol/gosumdb.ts";
import { formatVerifierKey } from "#protocol/note.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { silentMeter } from "#services/events/ports.ts";
import type { EventSink } from "#services/events/ports.ts";
import type { Storage } from "#services/store/ports.ts";
import { databaseFolder, folderVerifier, markFolder } from "#services/sumdb/folder.ts";
import { SumdbMirror } from "#services/sumdb/mirror.ts";
import { unwritten } from "#services/sumdb/unwritten.ts";
import { readWhole } from "#services/upstreams/attempt.ts";
import { Health } from "#services/upstreams/health.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import type { UpstreamClient, UpstreamEndpoint, UpstreamRequest } from "#services/upstreams/ports.ts";
import type { Config } from "./config.ts";
import { configuredChain, configuredMirrors } from "./configured.ts";
import { makeEngine } from "./manners.ts";
import { openDirectory, openStore, takeStore } from "./open-store.ts";
import { watchMs } from "./tls-files.ts";
import { makeUpstreamClient } from "./upstream-clients.ts";
import { watchFiles } from "./watch.ts";

/** Mirrors that fetch, and the upstreams that they fetch through. */
export type OpenMirrors = Omit<Databases, "mirrors"> & {
  readonly mirrors: readonly SumdbMirror[];
  /** Where they keep what was proven. */
  readonly storage: Storage;
  /** The body of the first public upstream's 200 for a request target; undefined when none gave one. */
  readonly ask: (
    target: string,
    how: { readonly maxBytes: number; readonly signal: AbortSignal },
  ) => Promise<Uint8Array | undefined>;
};

/** For one upstream's whole answer. */
const askMs = 30_000;

export type Databases = {
  readonly mirrors: readonly DatabaseMirror[];
  readonly shown: () => readonly ShownDatabase[];
  readonly events: EventSink;
  /** Tells the chain where this server listens, so that it never asks itself. */
  readonly listening: (address: string) => void;
  close(): Promise<void>;
};

/** One database in a folder, as it lies there. Whoever fills it meanwhile is noticed. Throws GRANARY_NOT_A_DATABASE. */
export async function openFolder(dir: string, log: EventSink): Promise<Databases> {
  const { key, open } = await folderOpener(dir);
  let mirror = open();
  const { name } = mirror;
  // A mirror reads its heads once.
  const unwatch = watchFiles([join(dir, "latest")], watchMs, () => {
    mirror = open();
    return Promise.resolve();
  });
  const kept = { cachedOnly: true };
  return {
    mirrors: [
      {
        name,
        lookup: (id, { signal }) => mirror.lookup(id, { signal, ...kept }),
        tile: (path, { signal }) => mirror.tile(path, { signal, ...kept }),
        latest: ({ signal }) => mirror.latest({ signal, ...kept }),
      },
    ],
    shown: () => [{ name, key, treeSize: mirror.treeSize }],
    events: log,
    listening: () => undefined,
    close: () => {
      unwatch();
      mirror.close();
      return Promise.resolve();
    },
  };
}

/** The database in a folder, as it lies there. Throws GRANARY_NOT_A_DATABASE. */
export async function openOffline(dir: string): Promise<SumdbMirror> {
  return (await folderOpener(dir)).open();
}

async function folderOpener(dir: string): Promise<{ readonly key: string; readonly open: () => SumdbMirror }> {
  const folder = readOnlyStorage(dir);
  const verifier = await verifierOf(folder, dir);
  if (verifier === undefined) throw notADatabase(dir, "there is no `key` in it");
  const key = formatVerifierKey(verifier);
  const storage = unwritten(databaseFolder(folder, verifier.name));
  return { key, open: () => new SumdbMirror({ key, routes: [], storage, clock: systemClock }) };
}

/**
 * The configured databases through the configured upstreams. `dir`: a folder for the one that is configured. `isShared`:
 * beside a server that has taken the store; mirrors of one database can write side by side.
 */
export async function openMirrors(
  config: Config,
  {
    dir,
    log,
    isShared = false,
  }: { readonly dir: string | undefined; readonly log: EventSink; readonly isShared?: boolean },
): Promise<OpenMirrors> {
  const { values } = config;
  const databases = databasesOf(config, dir);
  const root = dir ?? values.store;
  const options = isShared ? {} : { maxTempBytes: values["limits.tempBytes"] };
  const disk = dir === undefined ? (await openStore(config, options)).storage : await openDirectory(dir, options);
  const release = isShared ? () => Promise.resolve() : await takeStore(root);
  try {
    const [only] = databases;
    const storage = dir === undefined || only === undefined ? disk : await folderOf(disk, dir, only);
    return connect(config, { storage, root, log, databases, release });
  } catch (error) {
    await release();
    throw error;
  }
}

type Configured = { readonly name: string; readonly key: string };

function databasesOf({ values }: Config, dir: string | undefined): Configured[] {
  const databases = values.sumdb.map(parseGosumdb).filter((parsed) => parsed.kind === "database");
  const value = values.sumdb.join("; ");
  if (databases.length === 0)
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--sumdb", value, accepted: "NAME | NAME+HASH+KEY [URL]" });
  if (dir !== undefined && databases.length > 1)
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--sumdb", value, accepted: "NAME | NAME+HASH+KEY, with --db" });
  return databases;
}

async function folderOf(disk: Storage, dir: string, { name, key }: Configured): Promise<Storage> {
  const verifier = await verifierOf(disk, dir);
  if (verifier === undefined) await markFolder(disk, key);
  else if (formatVerifierKey(verifier) !== key)
    throw notADatabase(dir, `it holds ${formatVerifierKey(verifier)}, not ${key}`);
  return databaseFolder(disk, name);
}

async function verifierOf(storage: Storage, dir: string): ReturnType<typeof folderVerifier> {
  try {
    return await folderVerifier(storage);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw notADatabase(dir, `its \`key\` is damaged: ${error.message}`, error);
  }
}

function notADatabase(dir: string, reason: string, cause?: unknown): GranaryError {
  return new GranaryError("GRANARY_NOT_A_DATABASE", { dir, reason }, { cause });
}

type ConnectUse = {
  readonly storage: Storage;
  readonly root: string;
  readonly log: EventSink;
  readonly databases: readonly Configured[];
  readonly release: () => Promise<void>;
};

function connect(config: Config, use: ConnectUse): OpenMirrors {
  const { storage, root, databases, release } = use;
  const clock = systemClock;
  const sink = new JsonlSink(join(root, "state", "events.jsonl"), clock);
  const events = fanOut(use.log, sink);
  const health = new Health({
    clock,
    options: { dynamic: config.values["breaker.dynamic"] },
    listener: (upstream, change, reason) => events.emit({ name: `upstream.${change}`, upstream, reason }),
  });
  const client = makeUpstreamClient(config, events);
  let chain = configuredChain(config, []);
  const values = () => config.values;
  const { manners } = makeEngine({ chain: () => chain, values, health, clock, busy: busyMeter() });
  const { mirrors, reroute } = configuredMirrors(config, { storage, clock, events });
  const route = (): void => reroute({ chain, client, health, meter: silentMeter, clock, manners });
  route();
  return {
    mirrors,
    storage,
    shown: () =>
      mirrors.map((mirror, i) => ({ name: mirror.name, key: databases[i]?.key ?? "", treeSize: mirror.treeSize })),
    events,
    ask: async (target, how) => {
      for (const upstream of chain.upstreams.filter((one) => one.public)) {
        const bytes = await askOne(client, upstream, { path: target, ...how });
        if (bytes !== undefined) return bytes;
      }
      return undefined;
    },
    listening: (address) => {
      chain = configuredChain(config, [address]);
      route();
    },
    close: async () => {
      for (const mirror of mirrors) mirror.close();
      await Promise.allSettled([client.close(), sink.flush()]);
      await release();
    },
  };
}

/** What one upstream gives; its silence is no more than its 404 here. */
async function askOne(
  client: UpstreamClient,
  upstream: UpstreamEndpoint,
  request: UpstreamRequest,
): Promise<Uint8Array | undefined> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(askMs)]);
  try {
    const answer = await client.get(upstream, { ...request, signal });
    if (answer.status === 200) return await readWhole(answer.body);
    answer.cancel();
  } catch (error) {
    request.signal.throwIfAborted();
    if (!(error instanceof UpstreamFault)) throw error;
  }
  return undefined;
}
