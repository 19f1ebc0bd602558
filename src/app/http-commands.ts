// `granary simulate`, `trace` and `mirrors`: this machine's settings, the analysers, and where snapshots are written.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type {
  CrosscheckRequest,
  CrosscheckView,
  HttpCommands,
  ListedMirror,
  SimulateRequest,
  SimulationView,
  TraceRequest,
  TraceView,
} from "#doors/cli/http-services.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { parseProxyList } from "#protocol/proxylist.ts";
import { escapePath } from "#protocol/path.ts";
import { emitCommands } from "#services/analysers/http-emit.ts";
import { compareProtocols } from "#services/analysers/http-protocols.ts";
import { simulate } from "#services/analysers/http-simulate.ts";
import type { SimulateUse } from "#services/analysers/http-simulate.ts";
import { trace } from "#services/analysers/http-trace.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { withoutCredentials } from "#services/findings/redact.ts";
import { crosscheck } from "#services/mirrors/crosscheck.ts";
import type { Crosscheck } from "#services/mirrors/crosscheck.ts";
import { probeMirror } from "#services/mirrors/probe.ts";
import { findMirror, goodMirrors, registry } from "#services/mirrors/registry.ts";
import { awake } from "./awake.ts";
import { userDataDir } from "./go-env.ts";
import type { Machine } from "./go-env.ts";
import {
  egressOf,
  goSettings,
  goToImitate,
  machineProber,
  memoryProver,
  netrcAuthorization,
} from "./http-analysers.ts";
import { moduleVersionArgument } from "./module-version-argument.ts";
import { version } from "./version.ts";

export type HttpCommandsUse = {
  readonly machine: Machine;
  readonly onStop: (stop: () => void) => () => void;
};

export function httpCommands(use: HttpCommandsUse): HttpCommands {
  return {
    simulate: async (request) => await untilStopped(use, (signal) => runSimulation(request, use, signal)),
    emit: async (request, { tool, shell }) => {
      const { machine } = use;
      const settings = await settingsOf(request, machine);
      const go = await goToImitate(request.go, machine);
      const entries = entriesOf(settings.GOPROXY);
      return emitCommands(tool, moduleVersionArgument(request.what), {
        entries,
        settings,
        go,
        via: request.via,
        shell,
      });
    },
    trace: async (request) => await untilStopped(use, (signal) => runTrace(request, use, signal)),
    mirrorsList: async (isProbed) => await untilStopped(use, (signal) => listMirrors(isProbed, use, signal)),
    mirrorsCrosscheck: async (request) => await untilStopped(use, (signal) => runCrosscheck(request, use, signal)),
  };
}

async function untilStopped<T>({ onStop }: HttpCommandsUse, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const off = onStop(() => stop.abort(new GranaryError("GRANARY_STOPPED", {})));
  try {
    return await awake(() => work(stop.signal));
  } finally {
    off();
  }
}

async function settingsOf({ proxy }: SimulateRequest, machine: Machine): Promise<SimulateUse["settings"]> {
  const settings = await goSettings(machine);
  return proxy === undefined ? settings : { ...settings, GOPROXY: proxy };
}

function entriesOf(list: string): ReturnType<typeof parseProxyList> {
  try {
    return parseProxyList(list);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const fields = { flag: "GOPROXY", value: withoutCredentials(list), accepted: error.message };
    throw new GranaryError("GRANARY_BAD_FLAG", fields, { cause: error });
  }
}

async function runSimulation(
  request: SimulateRequest,
  { machine }: HttpCommandsUse,
  signal: AbortSignal,
): Promise<SimulationView> {
  const id = moduleVersionArgument(request.what);
  const settings = await settingsOf(request, machine);
  entriesOf(settings.GOPROXY);
  const begunAt = performance.now();
  const simulation = await simulate(id, {
    prober: await machineProber(machine, request.via),
    prover: memoryProver,
    settings,
    go: await goToImitate(request.go, machine),
    version,
    authorizationFor: await netrcAuthorization(machine),
    signal,
  });
  return { ...simulation, proxy: withoutCredentials(settings.GOPROXY), ms: performance.now() - begunAt };
}

async function runTrace(request: TraceRequest, { machine }: HttpCommandsUse, signal: AbortSignal): Promise<TraceView> {
  const { via, way } = request;
  const url = urlOf(request.url);
  const prober = await machineProber(machine, via);
  const authorizationFor = await netrcAuthorization(machine);
  const use = { prober, go: await goToImitate(undefined, machine), authorizationFor, signal };
  const isRelayed = egressOf(machine, via)(new URL(url)) !== undefined;
  // One after the other: side by side each would slow the other's line.
  const routes = way === "both" && isRelayed ? (["direct", "usual"] as const) : (["direct"] as const);
  const paths = [];
  for (const route of routes) paths.push(await trace(url, route, use));
  const protocols = request.comparesProtocols
    ? await compareProtocols(url, { prober, version, authorization: authorizationFor(new URL(url)), signal })
    : undefined;
  return { url: withoutCredentials(url), paths, protocols };
}

function urlOf(text: string): string {
  const full = /^[a-z]+:\/\//i.test(text) ? text : `https://${text}`;
  if (URL.canParse(full) && /^https?:$/.test(new URL(full).protocol)) return full;
  throw new GranaryError("GRANARY_BAD_FLAG", {
    flag: "URL",
    value: withoutCredentials(text),
    accepted: "http(s)://HOST/PATH",
  });
}

async function listMirrors(
  isProbed: boolean,
  { machine }: HttpCommandsUse,
  signal: AbortSignal,
): Promise<readonly ListedMirror[]> {
  if (!isProbed) return registry.map((mirror) => ({ ...mirror, probe: undefined }));
  const use = { prober: await machineProber(machine), version, signal };
  return await Promise.all(registry.map(async (mirror) => ({ ...mirror, probe: await probeMirror(mirror.url, use) })));
}

async function runCrosscheck(
  request: CrosscheckRequest,
  { machine }: HttpCommandsUse,
  signal: AbortSignal,
): Promise<CrosscheckView> {
  const id = moduleVersionArgument(request.what);
  const mirrors = request.mirrors.length === 0 ? goodMirrors() : request.mirrors.map(mirrorOf);
  if (mirrors.length < 2) throw badMirrors(request.mirrors.join(","));
  const check = await crosscheck(id, mirrors, {
    prober: await machineProber(machine),
    prover: memoryProver,
    settings: await goSettings(machine),
    version,
    signal,
  });
  return {
    ...check,
    file: request.isRecorded && check.verdict !== "private" ? await record(check, machine) : undefined,
  };
}

function mirrorOf(text: string): { readonly name: string; readonly url: string } {
  const known = findMirror(text);
  if (known !== undefined) return known;
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) throw badMirrors(text);
  return { name: new URL(text).host, url: text.replace(/\/+$/, "") };
}

function badMirrors(value: string): GranaryError {
  const accepted = `A,B: ${registry.map(({ name }) => name).join(" | ")} | http(s)://…`;
  return new GranaryError("GRANARY_BAD_FLAG", { flag: "--mirrors", value: withoutCredentials(value), accepted });
}

/** One file per check, so that nothing is ever lost or overwritten: `crosschecks/MODULE/VERSION-TIME.json`. */
async function record(check: Crosscheck, machine: Machine): Promise<string> {
  const { id, mirrors, proof, database, rules, verdict } = check;
  const folder = join(userDataDir(machine), "granary", "crosschecks", ...escapePath(id.path).split("/"));
  const now = new Date().toISOString();
  const file = join(folder, `${id.version}-${now.replaceAll(":", "")}.json`);
  const schema = "granary.crosscheck-snapshot/1";
  const shown = mirrors.map(({ url, ...mirror }) => ({ ...mirror, url: withoutCredentials(url) }));
  const text = JSON.stringify(
    { schema, at: now, ...id, verdict, database, proof, mirrors: shown, rules },
    undefined,
    2,
  );
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, `${text}\n`, { flag: "wx" });
  } catch (error) {
    throw new GranaryError("GRANARY_INPUT_UNREADABLE", { place: file, reason: String(error) }, { cause: error });
  }
  return file;
}
