// `granary agent`: a small server on a developer's machine that adds a certificate or a token to what go asks.

import { isIPv6 } from "node:net";
import { makeLog } from "#adapters/telemetry/log.ts";
import type { AgentRequest } from "#doors/cli/services.ts";
import { makeAgentHandler } from "#doors/http/agent-handler.ts";
import type { Limits } from "#doors/http/listener.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { openCompany } from "./agent-company.ts";
import { formatHostPort, hostPort, isHostPort, readHostPort } from "./config-kinds.ts";
import type { HostPort } from "./config-kinds.ts";
import type { Machine } from "./config.ts";
import { hearStops, openPort, untilStopped } from "./serving.ts";
import type { ServeIo } from "./start.ts";

/** One developer's builds; go asks with some ten connections, an editor beside it with as many. */
const limits: Limits = {
  connections: 512,
  connectionsPerAddress: 512,
  headerBytes: 16 << 10,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 30_000,
  // Longer than go's 90 s, so that go closes first.
  keepAliveMs: 120_000,
};

const drainMs = 10_000;

export type AgentIo = Pick<ServeIo, "stdout" | "stderr" | "onStop"> & { readonly machine: Machine };

/** Runs until it is told to stop. Resolves to the exit code; throws GranaryError when it cannot start. */
export async function runAgent(request: AgentRequest, lang: Lang, io: AgentIo): Promise<number> {
  const checked = checkAgent(request, lang);
  const { at } = checked;
  const log = makeLog({ format: "text", level: "info", write: io.stderr });
  const company = await openCompany(checked, { machine: io.machine, log });
  try {
    const handler = makeAgentHandler({
      company,
      lang,
      isLocal: isLoopback(at.host),
      onFailure: (what, because, detail) => log.warn("agent.failed", { what, because, detail }),
    });
    const door = { tls: undefined, lang: () => lang, operations: undefined };
    const stops = hearStops(io.onStop);
    const listener = await openPort(at, { ...door, handler, limits }).catch((error: unknown) => {
      stops.off();
      throw error;
    });
    io.stdout(`granary agent listening on http://${listener.address} for ${company.url}\n`);
    return await untilStopped({ listeners: [listener], log, onStop: stops.onStop, drainMs, drain: () => undefined });
  } finally {
    await company.close();
  }
}

export type CheckedAgent = AgentRequest & { readonly at: HostPort };

/** Refuses what could not work, or would lend a credential to strangers. */
export function checkAgent(request: AgentRequest, lang: Lang): CheckedAgent {
  const { listen, cert, key, tokenFile, exposed } = request;
  if (!isHostPort(listen)) {
    const accepted = hostPort.accepted[lang];
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--listen", value: listen, accepted });
  }
  const at = readHostPort(listen);
  if (!isLoopback(at.host) && !exposed) throw new GranaryError("GRANARY_AGENT_EXPOSED", { listen: formatHostPort(at) });
  const url = checkUrl(request.url, at);
  if ((cert === undefined) !== (key === undefined)) {
    const flag = cert === undefined ? "--cert" : "--key";
    throw new GranaryError("GRANARY_BAD_FLAG", { flag, value: "", accepted: "FILE, --cert and --key together" });
  }
  const isSecure = url.startsWith("https:");
  if (!isSecure && cert !== undefined)
    throw new GranaryError("GRANARY_BAD_FLAG", { flag: "--url", value: url, accepted: "https://HOST[:PORT][/PATH]" });
  if (!isSecure && tokenFile !== undefined && !isLoopback(new URL(url).hostname))
    throw new GranaryError("GRANARY_TOKEN_NEEDS_TLS", { what: url });
  return { ...request, url, at };
}

function checkUrl(text: string, at: HostPort): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  const hasSecret = url !== undefined && (url.username !== "" || url.password !== "");
  const isItself =
    url !== undefined &&
    isLoopback(url.hostname) &&
    at.port !== 0 &&
    Number(url.port === "" ? 80 : url.port) === at.port;
  if (url !== undefined && isHttp && !hasSecret && !isItself && url.search === "" && url.hash === "")
    return url.origin + url.pathname.replace(/\/+$/, "");
  throw new GranaryError("GRANARY_BAD_FLAG", {
    flag: "--url",
    // Everybody who lists processes has seen it; a log need not repeat it.
    value: hasSecret ? "…" : text,
    accepted: "http[s]://HOST[:PORT][/PATH]; --token-file FILE, --cert FILE --key FILE",
  });
}

function isLoopback(host: string): boolean {
  const plain = host.replace(/^\[(.*)\]$/, "$1");
  return isIPv6(plain) ? plain === "::1" : /^(localhost|127(\.\d{1,3}){3})$/i.test(plain);
}
