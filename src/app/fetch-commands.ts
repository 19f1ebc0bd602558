// The commands that ask a running server for modules: `plan` and `prewarm`.

import { HttpServerClient } from "#adapters/system/server-client.ts";
import { systemClock } from "#adapters/system/clock.ts";
import type { CliServices, PlanRequest, PrewarmRequest, RemoteFlags, SettingFlags } from "#doors/cli/services.ts";
import { ProtocolError } from "#protocol/errors.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { maxZipBytes } from "#protocol/zip-check.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { planFetch } from "#services/prewarm/plan.ts";
import { ServerSilent } from "#services/prewarm/ports.ts";
import type { ServerClient } from "#services/prewarm/ports.ts";
import { prewarm } from "#services/prewarm/prewarm.ts";
import { parseModuleVersion, parsePlatform, targetOf, toolchainFiles, wholeVersion } from "#services/prewarm/wanted.ts";
import type { WantedFile } from "#services/prewarm/wanted.ts";
import { privacyOf } from "#services/proxy/privacy.ts";
import { maxTopListed } from "#services/proxy/top.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import type { UpstreamClient } from "#services/upstreams/ports.ts";
import { configuredChain } from "./configured.ts";
import type { Config, Machine } from "./config.ts";
import { readDirectoryGoMod, readInput, readMain } from "./fetch-inputs.ts";
import type { FetchInput } from "./fetch-inputs.ts";
import { checkServer, openRemote } from "./remote.ts";
import { makeUpstreamClient } from "./upstream-clients.ts";
import { version } from "./version.ts";

/** The server's own word about itself and its list of most asked versions: maxTopListed lines of JSON. */
const maxHouseBytes = 4 << 20;
/** A house answer comes from memory. */
const houseMs = 15_000;
/** For one upstream's word about one size: a plan must not hang on it. */
const sizeMs = 15_000;

export type FetchCommandsUse = {
  readonly load: (flags: SettingFlags) => Promise<Config>;
  readonly machine: Machine;
  /** Called with each request to stop; returns a function that stops listening for them. */
  readonly onStop: (stop: () => void) => () => void;
};

export type FetchCommands = Pick<CliServices, "plan" | "prewarm">;

export function fetchCommands(use: FetchCommandsUse): FetchCommands {
  return {
    plan: async (request, flags, onProgress) => {
      const main = await readMain(request.from);
      return await withServer({ ...use, ...request }, await use.load(flags), async (server) => {
        const sizes = sizesOf(server.config, request);
        try {
          const plan = await planFetch(main.list, request.all ? "all" : "downloads", {
            ...server,
            onProgress,
            readDirectory: readDirectoryGoMod,
            sizeUpstream: (id) => sizes.of(id, server.signal),
          });
          return plan && { ...plan, ...server.view, names: main.names };
        } finally {
          await sizes.close();
        }
      });
    },
    prewarm: async (request, flags, onProgress) => {
      const platforms = request.platforms.map(checkPlatform);
      const top = topOf(request.from);
      if (platforms.length > 0 && !/\.(mod|work)$/.test(request.from)) throw platformWithoutMain(request);
      if (request.of !== undefined && top === undefined)
        throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--from", value: request.from, accepted: "--of: top:N" });
      const of = request.of === undefined ? undefined : checkServer("--of", request.of);
      const input = top === undefined ? await readInput(request.from) : undefined;
      return await withServer({ ...use, ...request }, await use.load(flags), async (server) => {
        const files = input === undefined ? await topFiles(top ?? 0, { server, of }) : filesOf(input, platforms);
        const list = input?.kind === "main" ? input.list : undefined;
        const work = { files, list, all: request.all, readDirectory: readDirectoryGoMod };
        const report = await prewarm(work, { ...server, onProgress });
        return { ...report, ...server.view };
      });
    },
  };
}

type Server = {
  readonly client: ServerClient;
  readonly clock: typeof systemClock;
  readonly signal: AbortSignal;
  readonly jobs: number;
  readonly config: Config;
  readonly view: { readonly server: string; readonly mode: string; readonly upstreams: readonly string[] };
};

/** Opens the server, makes sure that it is a Granary, and lets go of it at the end. */
async function withServer<T>(
  use: FetchCommandsUse & { readonly at: RemoteFlags; readonly jobs: number },
  config: Config,
  work: (server: Server) => Promise<T>,
): Promise<T> {
  const { url, token } = await openRemote(use.at, config, use.machine);
  const client = openClient(url, { connections: use.jobs, token });
  const stop = new AbortController();
  const off = use.onStop(() => stop.abort(new Error("asked to stop")));
  try {
    const status = await askHouse(client, { url, path: "/-/api/status", signal: stop.signal });
    const view = { server: url, mode: String(status["mode"]), upstreams: namesOf(status["upstreams"]) };
    return await work({ client, clock: systemClock, signal: stop.signal, jobs: use.jobs, config, view });
  } finally {
    off();
    await client.close();
  }
}

function openClient(url: string, more: { connections: number; token?: string | undefined }): HttpServerClient {
  return new HttpServerClient(url, { userAgent: `Granary/${version} (commands)`, ...more });
}

/** A JSON object of a house route. Throws GRANARY_TARGET_UNREACHABLE or GRANARY_SERVER_REFUSED. */
async function askHouse(
  client: ServerClient,
  asked: { readonly url: string; readonly path: string; readonly signal: AbortSignal },
): Promise<Readonly<Record<string, unknown>>> {
  const { url, path: target } = asked;
  const signal = AbortSignal.any([asked.signal, AbortSignal.timeout(houseMs)]);
  try {
    const { status, body } = await client.ask({ method: "GET", target, keepBytes: maxHouseBytes, signal });
    const text = Buffer.from(body).toString("utf8");
    const parsed = status === 200 ? parseObject(text) : undefined;
    if (parsed !== undefined) return parsed;
    const [said = ""] = status === 200 ? ["no JSON object"] : text.split("\n", 1);
    throw new GranaryError("GRANARY_SERVER_REFUSED", { url: url + target, status, said });
  } catch (error) {
    if (!(error instanceof ServerSilent)) throw error;
    throw new GranaryError("GRANARY_TARGET_UNREACHABLE", { url, reason: error.message }, { cause: error });
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function namesOf(upstreams: unknown): string[] {
  if (!Array.isArray(upstreams)) return [];
  return upstreams.flatMap((one: unknown) =>
    typeof one === "object" && one !== null && "name" in one ? [String(one.name)] : [],
  );
}

function filesOf(input: FetchInput, platforms: readonly string[]): readonly WantedFile[] {
  return input.kind === "files" ? input.files : toolchainFiles(input, platforms);
}

/** `top:100` → 100; undefined for everything else. Throws GRANARY_BAD_FLAG. */
function topOf(from: string): number | undefined {
  const text = /^top:(.*)$/.exec(from)?.[1];
  if (text === undefined) return undefined;
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > maxTopListed)
    throw new GranaryError("GRANARY_BAD_FLAG", {
      flag: "--from",
      value: from,
      accepted: `top:1 … top:${maxTopListed}`,
    });
  return count;
}

/** The most asked versions of a server: the one that is filled, or another one, which gets no token of the first. */
async function topFiles(
  count: number,
  from: { readonly server: Server; readonly of: string | undefined },
): Promise<WantedFile[]> {
  const { server, of } = from;
  const url = of ?? server.view.server;
  const client = of === undefined ? server.client : openClient(of, { connections: 1 });
  try {
    const { top } = await askHouse(client, { url, path: `/-/api/top/${count}`, signal: server.signal });
    return Array.isArray(top) ? top.flatMap((one) => filesOfTop(one)) : [];
  } finally {
    if (of !== undefined) await client.close();
  }
}

function filesOfTop(one: unknown): WantedFile[] {
  if (typeof one !== "object" || one === null || !("module" in one) || !("version" in one)) return [];
  try {
    return wholeVersion(parseModuleVersion(`${String(one.module)}@${String(one.version)}`));
  } catch (error) {
    if (error instanceof ProtocolError) return []; // not ours to ask for, whoever counted it
    throw error;
  }
}

function checkPlatform(text: string): string {
  const platform = parsePlatform(text);
  if (platform === undefined)
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--platform", value: text, accepted: "linux/amd64" });
  return platform;
}

function platformWithoutMain({ platforms }: PrewarmRequest): GranaryError {
  const value = platforms.join(", ");
  return new GranaryError("GRANARY_BAD_FLAG", { flag: "--platform", value, accepted: "--from go.mod | go.work" });
}

type Sizes = {
  readonly of: (id: ModuleVersion, signal: AbortSignal) => Promise<number | undefined>;
  readonly close: () => Promise<void>;
};

/** Sizes as the configured upstreams tell them, asked only when wanted, and never about private names. */
function sizesOf(config: Config, { sizes }: PlanRequest): Sizes {
  if (!sizes) return { of: () => Promise.resolve(undefined), close: () => Promise.resolve() };
  const client = makeUpstreamClient(config);
  // A size is not worth building a module.
  const upstreams = configuredChain(config, []).upstreams.filter(({ kind }) => kind !== "direct");
  const privacy = privacyOf(config.values.private);
  return {
    of: async (id, signal) => {
      if (privacy.mustNotTravel(id.path)) return undefined;
      for (const upstream of upstreams) {
        const size = await sizeAt(client, { upstream, path: targetOf({ id, kind: "zip" }), signal });
        if (size !== undefined) return size;
      }
      return undefined;
    },
    close: () => client.close(),
  };
}

/** The port has no HEAD: the answer's head is read, its body let go. */
async function sizeAt(
  client: UpstreamClient,
  asked: {
    readonly upstream: Parameters<UpstreamClient["get"]>[0];
    readonly path: string;
    readonly signal: AbortSignal;
  },
): Promise<number | undefined> {
  const signal = AbortSignal.any([asked.signal, AbortSignal.timeout(sizeMs)]);
  try {
    const answer = await client.get(asked.upstream, { path: asked.path, maxBytes: maxZipBytes, signal });
    answer.cancel();
    const length = answer.headers["content-length"] ?? "";
    return answer.status === 200 && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
  } catch (error) {
    if (error instanceof UpstreamFault) return undefined;
    throw error;
  }
}
