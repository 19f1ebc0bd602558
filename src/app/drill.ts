// `granary drill upstream`: a Granary of its own, as configured but for where it listens, what it keeps and whom it
// asks, between a client and upstreams on the loopback that go away and come back. Nothing of it leaves this machine,
// and nothing is left of it afterwards.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#adapters/system/clock.ts";
import { LoopbackUpstream } from "#adapters/system/drilled-upstream.ts";
import { HttpServerClient } from "#adapters/system/server-client.ts";
import { makeLog } from "#adapters/telemetry/log.ts";
import type { CliServices, DrillRequest, DrillView } from "#doors/cli/services.ts";
import { listen } from "#doors/http/listener.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { drillDown, runDrill } from "#services/lab/drill.ts";
import type { DrillPlan } from "#services/lab/drill.ts";
import { MadeUpModules } from "#services/lab/made-up.ts";
import { ProbeFailed } from "#services/lab/ports.ts";
import type { DrilledProxy } from "#services/lab/ports.ts";
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import { ServerSilent } from "#services/prewarm/ports.ts";
import type { Upstream } from "#services/upstreams/chain.ts";
import type { Config, NamedUpstream } from "./config.ts";
import { configuredChain } from "./configured.ts";
import { drillSumdb } from "./drill-sumdb.ts";
import { limitsOf } from "./http-settings.ts";
import { version } from "./version.ts";
import { wire } from "./wire.ts";
import type { Server } from "./wire.ts";

/** Roles of the upstreams, in the order in which they are asked. */
const roles = ["primary", "regional", "last"] as const;

const pace = {
  paceMs: 50,
  recoveryPaceMs: 100,
  // A breaker's pause is 30 s; the tries that fell into the fault's end may have begun it late.
  recoveryLimitMs: 45_000,
  warmUp: 20,
} as const;

/** go waits for ever; a drill must not. Longer than anything but a fault that nobody hides. */
const requestMs = 25_000;
/** More than are ever under way: the load must not wait for itself. */
const clientConnections = 700;
/** The largest made-up file, and an error's text, have a few hundred bytes. */
const maxAnswerBytes = 64 * 1024;

export function drillCommands(
  load: (flags: Parameters<CliServices["drillUpstream"]>[1]) => Promise<Config>,
  io: {
    /** Called when the process is asked to stop; returns a function that stops listening. */
    readonly onStop: (stop: () => void) => () => void;
    readonly verifyEntry: URL;
  },
): Pick<CliServices, "drillUpstream" | "drillSumdb"> {
  /** Undefined when the drill was told to stop; nothing of it is left either way. */
  const inRoom = async <T>(work: (room: Room, signal: AbortSignal) => Promise<T>): Promise<T | undefined> => {
    const stop = new AbortController();
    const off = io.onStop(() => stop.abort(new Error("asked to stop")));
    const room = new Room();
    try {
      return await work(room, stop.signal);
    } catch (error) {
      if (stop.signal.aborted) return undefined;
      throw error;
    } finally {
      await room.clear();
      off();
    }
  };
  const { verifyEntry } = io;
  return {
    drillSumdb: async (versions, flags, onProgress) => {
      const config = await load(flags);
      return await inRoom(async (room, signal) => {
        const dir = await makeFolder(room, "granary-sumdb-drill-");
        const atEnd = (undo: () => Promise<void>): void => room.add(undo);
        return await drillSumdb({ config, dir, verifyEntry, versions, signal, onProgress, atEnd });
      });
    },
    drillUpstream: async (request, flags, onProgress) => {
      const config = await load(flags);
      return await inRoom((room, signal) => drill(request, { config, room, signal, onProgress, verifyEntry }));
    },
  };
}

/** What must be undone at the end, whatever happened; the newest first. */
class Room {
  readonly #undo: (() => Promise<void>)[] = [];

  add(undo: () => Promise<void>): void {
    this.#undo.unshift(undo);
  }

  async clear(): Promise<void> {
    for (const undo of this.#undo.splice(0)) await undo();
  }
}

type Drilling = {
  readonly config: Config;
  readonly room: Room;
  readonly signal: AbortSignal;
  readonly onProgress: Parameters<CliServices["drillUpstream"]>[2];
  readonly verifyEntry: URL;
};

async function drill(request: DrillRequest, use: Drilling): Promise<DrillView> {
  const { config, room, signal, onProgress } = use;
  const { scenario, fault, requests, distanceMs } = request;
  const own = configuredChain(config, []).upstreams.filter(
    ({ canary, kind }) => canary === undefined && kind !== "direct",
  );
  const configured = config.values.mode === "go" ? own : own.toSorted((a, b) => a.priority - b.priority);
  const wanted = roles.slice(0, drillDown[scenario] + 1);
  const { upstreams, modules, verifierKey } = await openUpstreams(wanted, distanceMs, room);
  const dir = await makeFolder(room);
  const drilled = drilledConfig(config, { dir, verifierKey, upstreams, configured });
  const proxy = await openProxy(drilled, use);
  const plan: DrillPlan = { ...pace, scenario, fault, requests, strikeAfterMs: Math.ceil(distanceMs / 2) };
  const report = await runDrill(plan, { proxy, upstreams, modules, clock: systemClock, signal, onProgress });
  const { values } = config;
  return {
    ...report,
    requests,
    paceMs: pace.paceMs,
    distanceMs,
    upstreams: wanted,
    configured: configured.length,
    settings: {
      mode: values.mode,
      silenceMs: values["upstreamClient.silence"],
      hedge: values["upstreamClient.hedge"],
      probeEveryMs: values["probe.every"],
    },
  };
}

async function openUpstreams(
  names: readonly string[],
  distanceMs: number,
  room: Room,
): Promise<{ upstreams: LoopbackUpstream[]; modules: MadeUpModules; verifierKey: string }> {
  // The database's own address must be one that is certainly here: it is this one, which speaks no TLS.
  const nobody = { status: 404, contentType: "text/plain", bytes: new Uint8Array() };
  const direct = await LoopbackUpstream.start({
    name: "database",
    distanceMs: 0,
    answer: () => Promise.resolve(nobody),
  });
  room.add(() => direct.close());
  const database = new TestDatabase({ name: direct.address });
  const modules = new MadeUpModules(database);
  const upstreams: LoopbackUpstream[] = [];
  for (const name of names) {
    const upstream = await LoopbackUpstream.start({ name, distanceMs, answer: (target) => modules.answer(target) });
    room.add(() => upstream.close());
    upstreams.push(upstream);
  }
  return { upstreams, modules, verifierKey: database.verifierKey };
}

async function makeFolder(room: Room, prefix = "granary-drill-"): Promise<string> {
  const within = tmpdir();
  try {
    const dir = await mkdtemp(join(within, prefix));
    room.add(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
    return dir;
  } catch (error) {
    throw new GranaryError(
      "GRANARY_STORE_UNWRITABLE",
      { dir: within, reason: (error as Error).message },
      { cause: error },
    );
  }
}

type Parts = {
  readonly dir: string;
  readonly verifierKey: string;
  readonly upstreams: readonly LoopbackUpstream[];
  /** The operator's own, in the order in which they are asked. */
  readonly configured: readonly Upstream[];
};

/** The operator's settings, with everything replaced by which the drill could be seen from outside or see outside. */
function drilledConfig(config: Config, parts: Parts): Config {
  const { dir, verifierKey, upstreams, configured } = parts;
  const urls = upstreams.map(({ address }) => `http://${address}`);
  return {
    ...config,
    values: {
      ...config.values,
      listen: { host: "127.0.0.1", port: 0 },
      store: dir,
      workers: 0,
      upstream: urls.map((url, at) => url + (at + 1 < urls.length ? separatorAfter(at, configured) : "")).join(""),
      regions: [],
      private: "",
      sumdb: [verifierKey],
      "log.level": "silent",
      "tls.cert": "",
      "tls.key": "",
      "limiter.profile": "none",
      "limits.connections": clientConnections * 2,
      "limits.connectionsPerIp": clientConnections * 2,
      egress: "direct",
      egressStrict: false,
      egressAudit: false,
      hosts: [],
    },
    upstreams: upstreams.map(({ name }, at) => namedAs(name, urls[at] ?? "", configured[at])),
    egress: "direct",
  };
}

/** What stands behind the operator's entry at this place: in mode `go` it decides whether the next one is asked. */
function separatorAfter(at: number, configured: readonly Upstream[]): string {
  const separators = configured.map(({ separator }) => separator).filter((separator) => separator !== "");
  return separators[at] ?? separators.at(-1) ?? ",";
}

/** An upstream of the drill, asked as patiently as the operator's at this place. */
function namedAs(name: string, url: string, configured: Upstream | undefined): NamedUpstream {
  const { silenceMs, perSecond } = configured ?? {};
  return {
    name,
    url,
    ...(silenceMs !== undefined && { silenceMs }),
    ...(perSecond !== undefined && { perSecond }),
  };
}

async function openProxy(config: Config, { room, verifyEntry }: Drilling): Promise<DrilledProxy> {
  const { values } = config;
  const log = makeLog({ format: "text", level: "silent", write: () => undefined });
  const server = await wire({ config, log, verifyEntry });
  room.add(() => server.close());
  const listener = await listen(values.listen, { handler: server.handler, limits: limitsOf(values), tls: undefined });
  room.add(() => {
    listener.stop();
    return Promise.resolve();
  });
  server.listening(listener.address, listener.connections);
  const client = new HttpServerClient(`http://${listener.address}`, {
    connections: clientConnections,
    userAgent: `Granary/${version} (drill)`,
    timeoutMs: requestMs,
  });
  room.add(() => client.close());
  return proxyOf(client, server);
}

function proxyOf(client: HttpServerClient, server: Server): DrilledProxy {
  return {
    get: async (target, signal) => {
      try {
        return await client.ask({ method: "GET", target, keepBytes: maxAnswerBytes, signal });
      } catch (error) {
        if (error instanceof ServerSilent) throw new ProbeFailed(error.message, { cause: error });
        throw error;
      }
    },
    avoids: async (upstream) => {
      const { upstreams } = await server.status();
      return upstreams.some(({ name, condition }) => name === upstream && condition === "open");
    },
  };
}
