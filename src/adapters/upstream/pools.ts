// Connection pools. A pool reuses connections, so a connection that was allowed for one upstream must never carry a
// request that another one redirected to us: endpoints dial from one pool, redirects from another per set of allowed
// addresses. A client certificate is shown to endpoints only.

import type { BlockList } from "node:net";
import { createSecureContext, getCACertificates } from "node:tls";
import type { SecureContext } from "node:tls";
import { Agent, Pool } from "undici";
import type { Dispatcher } from "undici";
import type { GranaryEvent } from "#services/events/ports.ts";
import { parseCidrs } from "./address.ts";
import { Connection, Connections } from "./connections.ts";
import type { PoolCounts } from "./connections.ts";
import { makeConnector } from "./connector.ts";
import { DialAborted } from "./faults.ts";
import { Lane } from "./lane.ts";
import { Names } from "./names.ts";
import type { NamesOptions } from "./names.ts";
import { proxyRule } from "./no-proxy.ts";
import type { EgressProxies, ProxyRule } from "./no-proxy.ts";

/** Values and names of net/http's Transport, as the deployment guides tune it. */
export type PoolOptions = {
  /** IdleConnTimeout. */
  readonly idleConnTimeoutMs: number;
  /** MaxIdleConns: idle connections of all hosts together. */
  readonly maxIdleConns: number;
  /** MaxIdleConnsPerHost; nothing lives beside the pool, so it bounds all connections of a host. */
  readonly maxIdleConnsPerHost: number;
  /** TLSHandshakeTimeout, and an egress proxy's time to open a tunnel. */
  readonly tlsHandshakeTimeoutMs: number;
  /** TCP, for one address; the next one is tried beside it. */
  readonly connectTimeoutMs: number;
  /** ResponseHeaderTimeout. */
  readonly responseHeaderTimeoutMs: number;
  /** Longest pause between two pieces of a body. */
  readonly bodyIdleTimeoutMs: number;
};

export const defaultPoolOptions: PoolOptions = {
  idleConnTimeoutMs: 90_000,
  maxIdleConns: 100,
  maxIdleConnsPerHost: 100,
  tlsHandshakeTimeoutMs: 10_000,
  connectTimeoutMs: 3_000,
  responseHeaderTimeoutMs: 30_000,
  bodyIdleTimeoutMs: 30_000,
};

/** How all connections of a client are made. */
export type Egress = Partial<PoolOptions> &
  Pick<NamesOptions, "lookup" | "hosts"> & {
    /** Certificates (PEM) trusted beside the system's. */
    readonly extraCa?: readonly string[];
    /** Shown to endpoints that ask for it, never to a host they redirect to. PEM. */
    readonly clientPair?: { readonly cert: string; readonly key: string };
    /**
     * Through these, names of redirect targets are resolved by the proxy, which then is the one that must guard
     * addresses; literal addresses are still refused here.
     */
    readonly proxies?: EgressProxies;
    /** Names shared with other clients; they close them. */
    readonly names?: Names;
    /** Is told of each connection, and with `isAudited` of each request. */
    readonly tell?: (event: GranaryEvent) => void;
    readonly isAudited?: boolean;
  };

export class Pools {
  readonly #egress: Egress;
  readonly #options: PoolOptions;
  readonly #proxyFor: ProxyRule;
  readonly #names: Names;
  readonly #table: Connections;
  readonly #trust: SecureContext;
  readonly #ownTrust: SecureContext;
  readonly #own: Lane;
  readonly #guarded = new Map<string, { readonly allowed: BlockList; readonly lane: Lane }>();
  readonly #agents: Dispatcher[] = [];
  readonly #closing = new AbortController();

  /** Throws RangeError when a proxy cannot be used. */
  constructor(egress: Egress) {
    this.#egress = egress;
    this.#options = { ...defaultPoolOptions, ...egress };
    this.#proxyFor = proxyRule(egress.proxies ?? {});
    this.#names = egress.names ?? new Names(egress);
    this.#table = new Connections(this.#options.maxIdleConns);
    const { extraCa = [], clientPair } = egress;
    const ca = extraCa.length === 0 ? {} : { ca: [...getCACertificates("default"), ...extraCa] };
    this.#trust = createSecureContext(ca);
    this.#ownTrust = clientPair === undefined ? this.#trust : createSecureContext({ ...ca, ...clientPair });
    this.#own = this.#openLane(undefined);
  }

  /** For hosts the operator configured; they may be private. */
  get own(): Lane {
    return this.#own;
  }

  get counts(): PoolCounts {
    return this.#table.counts;
  }

  /** For hosts an upstream redirected to: public addresses, and those of `cidrs`. */
  guarded(cidrs: readonly string[]): { readonly allowed: BlockList; readonly lane: Lane } {
    const key = cidrs.join(",");
    const kept = this.#guarded.get(key);
    if (kept !== undefined) return kept;
    const allowed = parseCidrs(cidrs);
    const made = { allowed, lane: this.#openLane(allowed) };
    this.#guarded.set(key, made);
    return made;
  }

  /** Breaks every connection. */
  async close(): Promise<void> {
    this.#closing.abort(new DialAborted("the client was closed"));
    if (this.#egress.names === undefined) this.#names.close();
    await Promise.all(this.#agents.map((agent) => agent.destroy()));
  }

  #openLane(allowed: BlockList | undefined): Lane {
    return new Lane({
      proxyFor: this.#proxyFor,
      table: this.#table,
      pooled: this.#openAgent({ allowed, proxyFor: this.#proxyFor }),
      fresh: this.#openAgent({ allowed, proxyFor: this.#proxyFor }),
      // Requests for http URLs go to the proxy itself; the operator chose its address.
      forward: this.#openAgent({ allowed: undefined, proxyFor: () => undefined }),
    });
  }

  #openAgent(way: { allowed: BlockList | undefined; proxyFor: ProxyRule }): Agent {
    const { tell = () => undefined } = this.#egress;
    const { idleConnTimeoutMs, ...options } = this.#options;
    const connector = makeConnector({
      names: this.#names,
      allowed: way.allowed,
      proxyFor: way.proxyFor,
      trust: way.allowed === undefined ? this.#ownTrust : this.#trust,
      proxyTrust: this.#trust,
      addressTimeoutMs: options.connectTimeoutMs,
      handshakeTimeoutMs: options.tlsHandshakeTimeoutMs,
      tell,
      signal: this.#closing.signal,
    });
    const table = this.#table;
    const ofClient = {
      allowH2: false,
      keepAliveTimeout: idleConnTimeoutMs,
      keepAliveMaxTimeout: idleConnTimeoutMs,
      headersTimeout: options.responseHeaderTimeoutMs,
      bodyTimeout: options.bodyIdleTimeoutMs,
    };
    const ofPool = {
      connections: options.maxIdleConnsPerHost,
      allowH2: false,
      factory: (origin: URL) => new Connection(origin, { ...ofClient, connector, table }),
    };
    // HTTP/1.1 only. Over HTTP/2 300 small files came twice as fast in a cold start, but large ones share one
    // connection, and upstreams limit the rate of each: 2 MB files took twice as long at 50 ms, and of 30 at once an
    // upstream (node:http2) reset 25.
    const agent = new Agent({ allowH2: false, factory: (origin) => new Pool(origin, ofPool) });
    this.#agents.push(agent);
    return agent;
  }
}
