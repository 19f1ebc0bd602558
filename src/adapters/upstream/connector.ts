// How one connection of a pool comes to be: addresses, TCP, perhaps a tunnel through an egress proxy, TLS. Every one of
// them is told (`egress.connected`, `egress.failed`): what leaves the house is on record.

import { isIP } from "node:net";
import type { BlockList, Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions, SecureContext, TLSSocket } from "node:tls";
import type { buildConnector } from "undici";
import type { GranaryEvent } from "#services/events/ports.ts";
import { mayDial } from "./address.ts";
import { dial } from "./dial.ts";
import { DialRefused, reasonOfError } from "./faults.ts";
import type { Names } from "./names.ts";
import type { ProxyRule } from "./no-proxy.ts";
import { openTunnel } from "./tunnel.ts";

/** Idle connections are asked for a sign of life after this. */
const keepAliveProbeMs = 60_000;
/** TLS sessions kept for resumption, one per host. */
const maxSessions = 100;

export type ConnectorOptions = {
  readonly names: Names;
  /** With it only public addresses and these are dialled: the pool serves redirects. */
  readonly allowed?: BlockList | undefined;
  readonly proxyFor: ProxyRule;
  /**
   * Certificates that are trusted and, for the upstream's own host, a client certificate. Made once: to read the
   * system's hundred and fifty roots anew costs more than the handshake.
   */
  readonly trust: SecureContext;
  /** The same without a client certificate, for proxies. */
  readonly proxyTrust: SecureContext;
  readonly addressTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly tell: (event: GranaryEvent) => void;
  readonly signal: AbortSignal;
};

type Params = Pick<buildConnector.Options, "hostname" | "port" | "protocol" | "servername">;

/** A function that connects to what undici asks for, on behalf of `upstream`. Throws what sockets and TLS throw. */
export type Connector = (params: Params, upstream: string) => Promise<Socket | TLSSocket>;

export function makeConnector(options: ConnectorOptions): Connector {
  const sessions = new Map<string, Buffer>();
  return async (params, upstream) => {
    const isSecure = params.protocol === "https:";
    const port = params.port === "" ? (isSecure ? "443" : "80") : params.port;
    const authority = isIP(params.hostname) === 6 ? `[${params.hostname}]:${port}` : `${params.hostname}:${port}`;
    const proxy = options.proxyFor(new URL(`${params.protocol}//${authority}/`));
    const via = proxy === undefined ? "direct" : `${proxy.hostname}:${portOf(proxy)}`;
    const began = performance.now();
    const ms = (): number => Math.round(performance.now() - began);
    try {
      const raw =
        proxy === undefined ? await reach(params.hostname, port, options) : await through(proxy, authority, options);
      const servername = isIP(params.hostname) === 0 ? (params.servername ?? params.hostname) : "";
      const secured = {
        host: params.hostname,
        servername,
        secureContext: options.trust,
        ALPNProtocols: ["http/1.1"],
      };
      const socket = isSecure ? await secure(raw, secured, { sessions, key: authority, options }) : raw;
      socket.setNoDelay(true).setKeepAlive(true, keepAliveProbeMs);
      const address = proxy === undefined ? { address: raw.remoteAddress ?? "" } : {};
      options.tell({ name: "egress.connected", upstream, host: authority, via, ...address, ms: ms() });
      return socket;
    } catch (error) {
      const failure = firstOf(error);
      if (!options.signal.aborted) {
        const reason = reasonOfError(failure) ?? "unknown";
        options.tell({ name: "egress.failed", upstream, host: authority, via, reason, ms: ms() });
      }
      throw failure;
    }
  };
}

function portOf(proxy: URL): string {
  return proxy.port === "" ? (proxy.protocol === "https:" ? "443" : "80") : proxy.port;
}

/** TCP to a host: what the resolver remembers first, then, when none of that answers, what it says now. */
async function reach(hostname: string, port: string, options: ConnectorOptions): Promise<Socket> {
  const { names, addressTimeoutMs, signal } = options;
  const to = { port: Number(port), addressTimeoutMs, signal };
  const addresses = await names.resolve(hostname);
  try {
    return await dial(permitted(hostname, addresses, options), to);
  } catch (error) {
    if (error instanceof DialRefused || signal.aborted || isIP(hostname) !== 0) throw error;
    const fresh = await names.resolveAgain(hostname, addresses);
    if (fresh === undefined) throw error;
    return await dial(permitted(hostname, fresh, options), to);
  }
}

/** The addresses a pool may dial, judged at the moment of dialling: a name cannot change in between. */
function permitted(
  hostname: string,
  addresses: readonly string[],
  { allowed }: Pick<ConnectorOptions, "allowed">,
): readonly string[] {
  if (allowed === undefined) return addresses;
  const usable = addresses.filter((address) => mayDial(address, allowed));
  if (usable.length === 0) throw new DialRefused(`redirects may not reach ${hostname}`);
  return usable;
}

/** A tunnel to `authority` through a proxy. The operator chose the proxy: its address may be private. */
async function through(proxy: URL, authority: string, options: ConnectorOptions): Promise<Socket> {
  const { handshakeTimeoutMs: timeoutMs, signal } = options;
  const hostname = proxy.hostname.replace(/^\[(.*)\]$/, "$1");
  const raw = await reach(hostname, portOf(proxy), { ...options, allowed: undefined });
  const servername = isIP(hostname) === 0 ? hostname : "";
  const socket =
    proxy.protocol === "https:"
      ? await secure(
          raw,
          { host: hostname, servername, secureContext: options.proxyTrust },
          { key: `proxy ${proxy.host}`, options },
        )
      : raw;
  try {
    await openTunnel(socket, { target: authority, proxy, timeoutMs, signal });
    return socket;
  } catch (error) {
    socket.on("error", () => undefined).destroy();
    throw error;
  }
}

type Securing = { readonly sessions?: Map<string, Buffer>; readonly key: string; readonly options: ConnectorOptions };

/** TLS on top of a connection. */
function secure(raw: Socket, tls: ConnectionOptions, { sessions, key, options }: Securing): Promise<TLSSocket> {
  const { handshakeTimeoutMs, signal } = options;
  const session = sessions?.get(key);
  return new Promise((resolve, reject) => {
    const socket = connectTls({ socket: raw, ...tls, ...(session && { session }) });
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      socket.off("error", settle).off("close", closed);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      socket.on("error", () => undefined).destroy();
      raw.on("error", () => undefined).destroy();
      reject(error);
    };
    const late = `no TLS handshake within ${handshakeTimeoutMs} ms`;
    const timer = setTimeout(() => settle(coded("ETIMEDOUT", late)), handshakeTimeoutMs);
    const aborted = (): void => settle(signal.reason as Error);
    const closed = (): void => settle(coded("ECONNRESET", "the connection closed during the TLS handshake"));
    signal.addEventListener("abort", aborted, { once: true });
    socket
      .once("secureConnect", () => settle())
      .once("error", settle)
      .once("close", closed);
    if (sessions !== undefined) socket.on("session", (next: Buffer) => remember(sessions, key, next));
  });
}

function remember(sessions: Map<string, Buffer>, key: string, session: Buffer): void {
  sessions.delete(key);
  sessions.set(key, session);
  const [oldest] = sessions.keys();
  if (sessions.size > maxSessions && oldest !== undefined) sessions.delete(oldest);
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** Of many addresses' failures the first: the resolver's favourite. */
function firstOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? (error.errors[0] as unknown) : error;
}
