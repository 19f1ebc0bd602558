// One request on its way into a pool: directly, through a tunnel, or (plain http through a proxy) handed to the proxy
// whole. A connection that the other side closed while it idled is no failure: the request goes once more, on a new one.

import type { Agent, Dispatcher } from "undici";
import type { Connections, Traced } from "./connections.ts";
import type { ProxyRule } from "./no-proxy.ts";
import { ProxyRefused, proxyAuthorization } from "./tunnel.ts";

export type Outgoing = {
  readonly upstream: string;
  readonly url: URL;
  /** The very bytes of the path and query. */
  readonly path: string;
  readonly method: "GET" | "HEAD" | "POST";
  /** Of a POST. */
  readonly body?: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
};

export type LaneUse = {
  readonly proxyFor: ProxyRule;
  readonly table: Connections;
  readonly pooled: Agent;
  /** Connections that serve one request. */
  readonly fresh: Agent;
  /** Connections to proxies that forward http requests. */
  readonly forward: Agent;
};

export class Lane {
  readonly #use: LaneUse;

  constructor(use: LaneUse) {
    this.#use = use;
  }

  /** Throws what undici and the connector throw. */
  async request(out: Outgoing): Promise<Dispatcher.ResponseData> {
    const proxy = out.url.protocol === "http:" ? this.#use.proxyFor(out.url) : undefined;
    if (proxy === undefined) return await this.#send(this.#use.pooled, traced(out));
    const answer = await this.#send(this.#use.forward, forwarded(out, proxy));
    if (answer.statusCode !== 407) return answer;
    answer.body.on("error", () => undefined).destroy();
    throw new ProxyRefused(`the egress proxy ${proxy.host} answered 407`);
  }

  async #send(agent: Agent, options: Traced): Promise<Dispatcher.ResponseData> {
    const { table, fresh, forward } = this.#use;
    try {
      return await table.waiting(agent.request(options));
    } catch (error) {
      if (!diedIdle(error, options)) throw error;
    }
    // `reset` asks for a connection of its own, which nobody has used before.
    const again = { ...options, trace: { ...options.trace, reused: false }, reset: true };
    return await table.waiting((agent === forward ? forward : fresh).request(again));
  }
}

/**
 * True when a kept connection was closed by the other side before it answered: the request was never seen, and
 * net/http sends it again as well (Transport, "reused connection").
 */
function diedIdle(error: unknown, { trace, signal }: Traced): boolean {
  if (!trace.reused || (signal as AbortSignal).aborted) return false;
  if (!(error instanceof Error) || !("code" in error)) return false;
  return error.code === "UND_ERR_SOCKET" || error.code === "ECONNRESET" || error.code === "EPIPE";
}

function traced({ upstream, url, path, method, headers, signal, body }: Outgoing): Traced {
  const trace = { upstream, reused: false };
  return { origin: url.origin, path, method, headers: { ...headers }, signal, trace, ...(body && { body }) };
}

/** RFC 9112 §3.2.2: a proxy is sent the whole URL. */
function forwarded(out: Outgoing, proxy: URL): Traced {
  const credentials = proxyAuthorization(proxy);
  const headers = {
    ...out.headers,
    host: out.url.host,
    ...(credentials !== undefined && { "proxy-authorization": credentials }),
  };
  return { ...traced(out), origin: proxy.origin, path: out.url.origin + out.path, headers };
}
