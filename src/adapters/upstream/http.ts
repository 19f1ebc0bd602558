// One GET (or a POST, to a witness) against one http(s) upstream. Redirects are followed by hand, because each hop is a decision: never from
// https to http, never with credentials to another host, never to a private address the operator did not name.

import type { Dispatcher } from "undici";
import type { UpstreamClient, UpstreamEndpoint, UpstreamRequest, UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { isIP } from "node:net";
import { mayDial } from "./address.ts";
import { RequestRecord } from "./audit.ts";
import { headerFault, parseEncoding, readBody } from "./body.ts";
import { faultOf } from "./faults.ts";
import type { PoolCounts } from "./connections.ts";
import type { Lane, Outgoing } from "./lane.ts";
import { Pools } from "./pools.ts";
import type { Egress } from "./pools.ts";

/** cmd/go web.checkRedirect: the tenth redirect is refused. */
const maxRedirects = 9;

/** A body nobody wants is read up to this, so that its connection lives on; beyond it the connection is closed. */
const maxDrainBytes = 64 * 1024;

/** What goes with a request to whatever host it is redirected to; all else, configured headers first, stays behind. */
const harmless = /^(user-agent|accept|accept-encoding|range|if-range|x-granary-hops)$/i;

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export type HttpUpstreamOptions = Egress & {
  /** For example `Granary/0.1.0 (+module proxy)`. */
  readonly userAgent: string;
};

type Hop = { readonly target: Target; readonly headers: Readonly<Record<string, string>> };

/** Where a request goes. The path keeps the very bytes we were given: a URL object would normalise them. */
type Target = { readonly url: URL; readonly path: string };

type Sent = Pick<Outgoing, "signal"> & Partial<Pick<Outgoing, "method" | "body">>;

type Answered = { readonly answer: Dispatcher.ResponseData; readonly record: RequestRecord | undefined };

export class HttpUpstreamClient implements UpstreamClient {
  readonly #userAgent: string;
  readonly #pools: Pools;
  /** Set when each request is to be told. */
  readonly #tell: Egress["tell"];

  constructor(options: HttpUpstreamOptions) {
    this.#userAgent = options.userAgent;
    this.#pools = new Pools(options);
    this.#tell = options.isAudited === true ? options.tell : undefined;
  }

  async get(endpoint: UpstreamEndpoint, request: UpstreamRequest): Promise<UpstreamResponse> {
    let hop = this.#firstHop(endpoint, request);
    for (let redirects = 0; ; redirects++) {
      const { answer, record } = await this.#send(endpoint, hop, request);
      if (!redirectStatuses.has(answer.statusCode)) return respond(endpoint, { hop, answer, request, record });
      drain(answer);
      record?.end("redirect");
      if (redirects === maxRedirects) throw fault(endpoint, "redirect", `stopped after ${maxRedirects} redirects`);
      hop = nextHop(endpoint, hop, answer.headers["location"]);
    }
  }

  /** Sends one POST. No redirect is followed: its status is the answer. Throws as get() does. */
  async post(
    endpoint: UpstreamEndpoint,
    request: Omit<UpstreamRequest, "method"> & { readonly body: Uint8Array },
  ): Promise<UpstreamResponse> {
    const hop = this.#firstHop(endpoint, request);
    const { answer, record } = await this.#send(endpoint, hop, { ...request, method: "POST" });
    return respond(endpoint, { hop, answer, request, record });
  }

  /** Connections now and so far. */
  get connections(): PoolCounts {
    return this.#pools.counts;
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

  async #send(endpoint: UpstreamEndpoint, hop: Hop, { signal, method = "GET", body }: Sent): Promise<Answered> {
    const lane = this.#laneFor(endpoint, hop.target.url);
    const request = { upstream: endpoint.name, ...hop.target };
    const audited = { ...request, method: method === "POST" ? method : "GET" } as const;
    const record = this.#tell === undefined ? undefined : new RequestRecord(audited, this.#tell);
    try {
      const answer = await lane.request({ ...request, method, headers: hop.headers, signal, ...(body && { body }) });
      record?.answered(answer.statusCode);
      return { answer, record };
    } catch (error) {
      const fault = faultOf(endpoint.name, error, signal);
      record?.failed(fault);
      throw fault;
    }
  }

  #laneFor(endpoint: UpstreamEndpoint, url: URL): Lane {
    if (url.hostname === new URL(endpoint.url).hostname) return this.#pools.own;
    const { allowed, lane } = this.#pools.guarded(endpoint.redirectCidrs);
    const address = url.hostname.replace(/^\[(.*)\]$/, "$1");
    if (isIP(address) !== 0 && !mayDial(address, allowed))
      throw fault(endpoint, "redirect", `a redirect leads to the address ${address}`);
    return lane;
  }
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
  const headers = to.host === from.host ? hop.headers : onlyHarmless(hop.headers);
  return { target: { url: to, path: to.pathname + to.search }, headers };
}

function onlyHarmless(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => harmless.test(name)));
}

function respond(
  endpoint: UpstreamEndpoint,
  exchange: Answered & { readonly hop: Hop; readonly request: UpstreamRequest },
): UpstreamResponse {
  const { hop, answer, request, record } = exchange;
  const headers = flatten(answer.headers);
  const isPart = answer.statusCode === 206;
  const coding = parseEncoding(headers["content-encoding"], request.maxBytes);
  const limits = {
    upstream: endpoint.name,
    maxBytes: request.maxBytes,
    promised: promisedBytes(headers, isPart),
    encoding: isPart && coding === "gzip" ? "refused" : coding, // a part of a gzip is no gzip
    signal: request.signal,
  };
  // An error page may be long or compressed: its status is an answer all the same.
  const refused = answer.statusCode === 200 || isPart ? headerFault(limits) : undefined;
  if (refused !== undefined) {
    drain(answer);
    record?.failed(refused);
    throw refused;
  }
  let taken = false;
  const read = (): AsyncGenerator<Uint8Array> => readBody(answer.body, limits);
  return {
    status: answer.statusCode,
    headers,
    url: hop.target.url.origin + hop.target.path.replace(/\?.*$/, ""),
    body: {
      [Symbol.asyncIterator]: () => {
        taken = true;
        return record === undefined ? read() : record.of({ [Symbol.asyncIterator]: read });
      },
    },
    cancel: () => {
      record?.end("cancelled");
      if (taken) answer.body.destroy();
      else drain(answer);
    },
  };
}

/** What the header promises of the body: the length of the part its Content-Range names, else Content-Length. */
function promisedBytes(headers: Readonly<Record<string, string>>, isPart: boolean): number | undefined {
  const range = isPart ? /^bytes (\d{1,15})-(\d{1,15})\//.exec(headers["content-range"] ?? "") : null;
  const bytes = range === null ? 0 : Number(range[2]) - Number(range[1]) + 1;
  if (bytes > 0) return bytes;
  const length = headers["content-length"];
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
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
