// Commands that ask a running server: where it is, with which token, and what its errors mean here.

import type { CliServices, RemoteFlags, SettingFlags } from "#doors/cli/services.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { nearest } from "#services/errors/nearest.ts";
import type { JobView } from "#services/proxy/retry-queue.ts";
import { wireName } from "#services/upstreams/desk.ts";
import type { ProbeView, UpstreamView } from "#services/upstreams/desk.ts";
import { readSecret } from "./config-secrets.ts";
import { formatHostPort } from "./config-kinds.ts";
import type { Config, Machine } from "./config.ts";

/** Longer than a probe of a dead upstream takes. */
const askMs = 15_000;
/** A thousand dead letters and as many jobs at their longest. */
const maxAnswerBytes = 8 << 20;

export type Remote = { readonly url: string; readonly token: string | undefined };

type RemoteCommands = Pick<CliServices, "upstreamStatus" | "upstreamProbe" | "upstreamTurn" | "jobsList" | "jobsTurn">;

/** The server a command asks. Throws before a token could be read by anybody on the way. */
export async function openRemote(at: RemoteFlags, config: Pick<Config, "values">, machine: Machine): Promise<Remote> {
  const token = at.token === undefined ? undefined : await readToken(at.token, machine);
  const url = at.server === undefined ? serverUrl(config) : checkServer("--server", at.server);
  if (token !== undefined && !isPrivateWay(url)) throw new GranaryError("GRANARY_TOKEN_NEEDS_TLS", { what: url });
  return { url, token };
}

export function remoteCommands(load: (flags: SettingFlags) => Promise<Config>, machine: Machine): RemoteCommands {
  const open = async (at: RemoteFlags, flags: SettingFlags): Promise<Remote> =>
    await openRemote(at, await load(flags), machine);
  return {
    upstreamStatus: async (at, flags) => await listUpstreams(await open(at, flags)),
    upstreamProbe: async (at, flags) => {
      const { probes } = await ask(await open(at, flags), "POST", "/-/api/upstreams/probe");
      return probes as readonly ProbeView[];
    },
    upstreamTurn: async (name, verb, use) => {
      const remote = await open(use.at, use.flags);
      const names = (await listUpstreams(remote)).map((upstream) => upstream.name);
      if (!names.includes(name)) throw noSuch("upstream", name, names);
      await ask(remote, "POST", `/-/api/upstreams/${wireName(name)}/${verb}`);
    },
    jobsList: async (at, flags) => await listJobs(await open(at, flags)),
    jobsTurn: async (id, verb, use) => {
      const remote = await open(use.at, use.flags);
      const ids = (await listJobs(remote)).map((job) => job.id);
      if (!ids.includes(id)) throw noSuch("job", id, ids);
      await ask(remote, "POST", `/-/api/jobs/${id}/${verb}`);
    },
  };
}

/** Where the configured server listens, as this machine reaches it. */
export function serverUrl({ values }: Pick<Config, "values">): string {
  const { host, port } = values.listen;
  const address = formatHostPort({ host: host === "::" || host === "0.0.0.0" ? "localhost" : host, port });
  return `${values["tls.cert"] === "" ? "http" : "https"}://${address}`;
}

/** Why a request got no answer, in the words of the layer that knows. */
export function unreachable(url: string, error: unknown): GranaryError {
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  return new GranaryError("GRANARY_TARGET_UNREACHABLE", { url, reason }, { cause: error });
}

async function listUpstreams(remote: Remote): Promise<readonly UpstreamView[]> {
  const { upstreams } = await ask(remote, "GET", "/-/api/upstreams");
  return upstreams as readonly UpstreamView[];
}

async function listJobs(remote: Remote): Promise<readonly JobView[]> {
  const { jobs } = await ask(remote, "GET", "/-/api/jobs");
  return jobs as readonly JobView[];
}

function noSuch(kind: "upstream" | "job", id: string, known: readonly string[]): GranaryError {
  const guess = nearest(id, known);
  return new GranaryError("GRANARY_NO_SUCH_ID", { kind, id, ...(guess !== undefined && { nearest: guess }) });
}

/** The object that the server answers with. Throws GranaryError. */
export async function ask(
  remote: Remote,
  method: "GET" | "POST",
  path: string,
  more: { readonly body?: string; readonly waitMs?: number } = {},
): Promise<Readonly<Record<string, unknown>>> {
  const url = remote.url + path;
  const { body: sent, waitMs = askMs } = more;
  const signal = AbortSignal.timeout(waitMs);
  const headers = remote.token === undefined ? {} : { authorization: `Bearer ${remote.token}` };
  let answer: Response;
  let body: string;
  try {
    // A token goes to the server that was named, and nowhere a redirect leads.
    answer = await fetch(url, {
      method,
      headers,
      signal,
      redirect: "manual",
      ...(sent !== undefined && { body: sent }),
    });
    body = await readText(answer);
  } catch (error) {
    throw unreachable(url, error);
  }
  const parsed = answer.ok ? parseObject(body) : undefined;
  if (parsed !== undefined) return parsed;
  const [said = ""] = body.split("\n", 1);
  throw new GranaryError("GRANARY_SERVER_REFUSED", { url, status: answer.status, said });
}

async function readText(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > maxAnswerBytes) throw new Error(`the answer is longer than ${maxAnswerBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

/** The object with the one list that every answer here has; undefined for everything else. */
function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}

/** A token on the command line would be seen by everybody who lists processes; its text is not repeated here. */
async function readToken(reference: string, machine: Machine): Promise<string> {
  if (!/^(file|env):./.test(reference))
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--token", value: "…", accepted: "file:/path | env:NAME" });
  const { value } = await readSecret({ key: "--token", origin: "--token", value: reference }, machine);
  if (!/^[\w.~+/=-]+$/.test(value))
    throw new GranaryError("GRANARY_SECRET_UNREADABLE", { origin: "--token", key: "--token", reference });
  return value;
}

/** The origin of a server's URL. Throws GRANARY_BAD_FLAG. */
export function checkServer(flag: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isGood = (url?.protocol === "http:" || url?.protocol === "https:") && url.pathname === "/" && url.search === "";
  if (url === undefined || !isGood || url.username !== "" || url.password !== "")
    throw new GranaryError("GRANARY_BAD_FLAG", {
      flag,
      value: url === undefined || url.password === "" ? text : "…",
      accepted: "http://HOST:PORT | https://HOST:PORT",
    });
  return url.origin;
}

function isPrivateWay(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}
