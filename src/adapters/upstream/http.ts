// One GET against one http(s) upstream. Redirects are followed by hand, because each hop is a decision: never from
// https to http, never with credentials to another host, never to a private address the operator did not name.

import type { Dispatcher } from "undici";
import type { UpstreamClient, UpstreamEndpoint, UpstreamRequest, UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { isIP } from "node:net";
import { mayDial } from "./address.ts";
import { headerFault, parseEncoding, readBody } from "./body.ts";
import { faultOf } from "./faults.ts";
import { Pools } from "./pools.ts";
import type { Egress } from "./pools.ts";

/** cmd/go web.checkRedirect: the tenth redirect is refused. */
const maxRedirects = 9;

/** A body nobody wants is read up to this, so that its connection lives on; beyond it the connection is closed. */
const maxDrainBytes = 64 * 1024;

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export type HttpUpstreamOptions = Egress & {
  /** For example `Granary/0.1.0 (+module proxy)`. */
  readonly userAgent: string;
};

type Hop = { readonly target: Target; readonly headers: Readonly<Record<string, string>> };

/** Where a request goes. The path keeps the very bytes we were given: a URL object would normalise them. */
type Target = { readonly url: URL; readonly path: string };

export class HttpUpstreamClient implements UpstreamClient {
  readonly #userAgent: string;
  readonly #pools: Pools;

  constructor(options: HttpUpstreamOptions) {
    this.#userAgent = options.userAgent;
    this.#pools = new Pools(options);
  }

  async get(endpoint: UpstreamEndpoint, request: UpstreamRequest): Promise<UpstreamResponse> {
    let hop = this.#firstHop(endpoint, request);
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#send(endpoint, hop, request);
      if (!redirectStatuses.has(answer.statusCode)) return respond(endpoint, { hop, answer, request });
      drain(answer);
      if (redirects === maxRedirects) throw fault(endpoint, "redirect", `stopped after ${maxRedirects} redirects`);
      hop = nextHop(endpoint, hop, answer.headers["location"]);
    }
  }

  async close(): Promise<void> {
    await this.#pools.close();
  }

  #firstHop(endpoint: UpstreamEndpoint, request: UpstreamRequest): Hop {
    const base = new URL(endpoint.url);
    const headers: Record<string, string> = {
      "user-agent": this.#userAgent,
      "accept-encoding": "identity",
      ...request.headers,
    };
    if (base.username !== "" || base.password !== "") headers["authorization"] = basicAuth(base);
    return { target: { url: base, path: base.pathname.replace(/\/$/, "") + request.path + base.search }, headers };
  }

  async #send(
    endpoint: UpstreamEndpoint,
    hop: Hop,
    { signal, method = "GET" }: UpstreamRequest,
  ): Promise<Dispatcher.ResponseData> {
    const dispatcher = this.#dispatcherFor(endpoint, hop.target.url);
    const options = {
      origin: hop.target.url.origin,
      path: hop.target.path,
      method,
      headers: { ...hop.headers },
      signal,
    };
    try {
      return await dispatcher.request(options);
    } catch (error) {
      if (!isStaleConnection(error) || signal.aborted) throw faultOf(endpoint.name, error, signal);
    }
    try {
      return await dispatcher.request(options);
    } catch (error) {
      throw faultOf(endpoint.name, error, signal);
    }
  }

  #dispatcherFor(endpoint: UpstreamEndpoint, url: URL): Dispatcher {
    if (url.hostname === new URL(endpoint.url).hostname) return this.#pools.own;
    const { allowed, dispatcher } = this.#pools.guarded(endpoint.redirectCidrs);
    const address = url.hostname.replace(/^\[(.*)\]$/, "$1");
    if (isIP(address) !== 0 && !mayDial(address, allowed))
      throw fault(endpoint, "redirect", `a redirect leads to the address ${address}`);
    return dispatcher;
  }
}

/**
 * True when a kept-alive connection was closed by the other side before it answered: the request was never seen, and
 * net/http sends it again as well (Transport, "reused connection").
 */
function isStaleConnection(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "UND_ERR_SOCKET") return false;
  const socket: unknown = "socket" in error ? error.socket : undefined;
  return typeof socket === "object" && socket !== null && "bytesRead" in socket && Number(socket.bytesRead) > 0;
}

function nextHop(endpoint: UpstreamEndpoint, hop: Hop, location: string | string[] | undefined): Hop {
  const from = hop.target.url;
  const here = from.origin + hop.target.path;
  if (typeof location !== "string" || !URL.canParse(location, here))
    throw fault(endpoint, "redirect", "a redirect without a usable Location");
  const to = new URL(location, here);
  if (to.protocol !== "https:" && to.protocol !== "http:")
    throw fault(endpoint, "redirect", `a redirect to the scheme ${to.protocol}`);
  if (from.protocol === "https:" && to.protocol === "http:")
    throw fault(endpoint, "redirect", "a redirect from https to http");
  const headers = to.host === from.host ? hop.headers : withoutCredentials(hop.headers);
  return { target: { url: to, path: to.pathname + to.search }, headers };
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const secret = /^(authorization|cookie|proxy-authorization)$/i;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !secret.test(name)));
}

function respond(
  endpoint: UpstreamEndpoint,
  exchange: { readonly hop: Hop; readonly answer: Dispatcher.ResponseData; readonly request: UpstreamRequest },
): UpstreamResponse {
  const { hop, answer, request } = exchange;
  const headers = flatten(answer.headers);
  const length = headers["content-length"];
  const limits = {
    upstream: endpoint.name,
    maxBytes: request.maxBytes,
    promised: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    encoding: parseEncoding(headers["content-encoding"], request.maxBytes),
    signal: request.signal,
  };
  // An error page may be long or compressed: its status is an answer all the same.
  const refused = answer.statusCode === 200 ? headerFault(limits) : undefined;
  if (refused !== undefined) {
    drain(answer);
    throw refused;
  }
  let taken = false;
  return {
    status: answer.statusCode,
    headers,
    url: hop.target.url.origin + hop.target.path.replace(/\?.*$/, ""),
    body: {
      [Symbol.asyncIterator]: () => {
        taken = true;
        return readBody(answer.body, limits);
      },
    },
    cancel: () => (taken ? answer.body.destroy() : drain(answer)),
  };
}

function flatten(headers: Dispatcher.ResponseData["headers"]): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}

function drain(answer: Dispatcher.ResponseData): void {
  answer.body.dump({ limit: maxDrainBytes }).catch(() => undefined); // nobody waits for this body
}

function basicAuth(url: URL): string {
  const pair = `${decode(url.username)}:${decode(url.password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone %: the operator meant it literally
  }
}

function fault(endpoint: UpstreamEndpoint, reason: "redirect", message: string): UpstreamFault {
  return new UpstreamFault(endpoint.name, reason, message);
}
