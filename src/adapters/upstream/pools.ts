// Connection pools. A pool reuses connections, so a connection that was allowed for one upstream must never carry a
// request that another one redirected to us: endpoints dial from one pool, redirects from another per set of allowed
// addresses.

import { lookup as systemLookup } from "node:dns";
import type { LookupAddress } from "node:dns";
import type { BlockList, LookupFunction } from "node:net";
import { getCACertificates } from "node:tls";
import { Agent, EnvHttpProxyAgent, buildConnector } from "undici";
import type { Dispatcher } from "undici";
import { mayDial, parseCidrs } from "./address.ts";
import { DialRefused } from "./faults.ts";

/** Values and names of net/http's Transport, as the deployment guides tune it. */
export type PoolOptions = {
  /** Idle connections are closed after this (IdleConnTimeout). */
  readonly keepAliveMs: number;
  /** Connections per host (MaxIdleConnsPerHost). */
  readonly connections: number;
  /** TCP and TLS handshake together (TLSHandshakeTimeout). */
  readonly connectTimeoutMs: number;
  /** From the request to the last response header (ResponseHeaderTimeout). */
  readonly headersTimeoutMs: number;
  /** Longest pause between two pieces of a body. */
  readonly bodyIdleTimeoutMs: number;
};

export const defaultPoolOptions: PoolOptions = {
  keepAliveMs: 90_000,
  connections: 100,
  connectTimeoutMs: 10_000,
  headersTimeoutMs: 30_000,
  bodyIdleTimeoutMs: 30_000,
};

/** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, read by the caller. */
export type EgressProxies = { readonly http?: string; readonly https?: string; readonly no?: string };

/** How all connections of a client are made. */
export type Egress = Partial<PoolOptions> & {
  /** Certificates (PEM) trusted beside the system's. */
  readonly extraCa?: readonly string[];
  /** Name resolution; the system's by default. */
  readonly lookup?: LookupFunction;
  /**
   * Through these, names of redirect targets are resolved by the proxy, which then is the one that must guard
   * addresses; literal addresses are still refused here.
   */
  readonly proxies?: EgressProxies;
};

/** Go never sends loopback targets through a proxy (golang.org/x/net/http/httpproxy). */
const neverProxied = "localhost,127.0.0.1,::1";

export class Pools {
  readonly #egress: Egress;
  readonly #own: Dispatcher;
  readonly #guarded = new Map<string, { readonly allowed: BlockList; readonly dispatcher: Dispatcher }>();

  constructor(egress: Egress) {
    this.#egress = egress;
    this.#own = openPool(egress, egress.lookup);
  }

  /** For hosts the operator configured; they may be private. */
  get own(): Dispatcher {
    return this.#own;
  }

  /** For hosts an upstream redirected to: public addresses, and those of `cidrs`. */
  guarded(cidrs: readonly string[]): { readonly allowed: BlockList; readonly dispatcher: Dispatcher } {
    const key = cidrs.join(",");
    const kept = this.#guarded.get(key);
    if (kept !== undefined) return kept;
    const allowed = parseCidrs(cidrs);
    const made = { allowed, dispatcher: openPool(this.#egress, guardedLookup(this.#egress.lookup, allowed)) };
    this.#guarded.set(key, made);
    return made;
  }

  /** Breaks every connection. */
  async close(): Promise<void> {
    const all = [this.#own, ...[...this.#guarded.values()].map((pool) => pool.dispatcher)];
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  }
}

function openPool(egress: Egress, lookup: LookupFunction | undefined): Dispatcher {
  const pool = { ...defaultPoolOptions, ...egress };
  const ca = egress.extraCa?.length ? { ca: [...getCACertificates("default"), ...egress.extraCa] } : {};
  const connect = buildConnector({ timeout: pool.connectTimeoutMs, allowH2: false, ...ca, ...(lookup && { lookup }) });
  const options = {
    connect,
    allowH2: false,
    connections: pool.connections,
    connectTimeout: pool.connectTimeoutMs,
    keepAliveTimeout: pool.keepAliveMs,
    keepAliveMaxTimeout: pool.keepAliveMs,
    headersTimeout: pool.headersTimeoutMs,
    bodyTimeout: pool.bodyIdleTimeoutMs,
  };
  const { http = "", https = "", no = "" } = egress.proxies ?? {};
  if (http === "" && https === "") return new Agent(options);
  const noProxy = no === "" ? neverProxied : `${no},${neverProxied}`;
  return new EnvHttpProxyAgent({
    ...options,
    httpProxy: http,
    httpsProxy: https,
    noProxy,
    requestTls: ca,
    proxyTls: ca,
  });
}

/** A lookup that forgets the addresses we may not dial, at the moment of dialling: a name cannot change in between. */
function guardedLookup(lookup: LookupFunction | undefined, allowed: BlockList): LookupFunction {
  const resolve = lookup ?? systemLookup;
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      const usable =
        error === null ? (found as LookupAddress[]).filter(({ address }) => mayDial(address, allowed)) : [];
      const [first] = usable;
      if (first === undefined) callback(error ?? new DialRefused(`redirects may not reach ${hostname}`), [], 0);
      else if (options.all === true) callback(null, usable);
      else callback(null, first.address, first.family);
    });
  };
}
