// A connection as the go command makes one: names resolved, TCP, a tunnel where an egress proxy is set, TLS with ALPN.
// How a proxy is chosen and asked, and how addresses are dialled, is handed in.

import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";
import type { HttpProtocol } from "#services/analysers/http-ports.ts";
import type { Stopwatch } from "./_probe-watch.ts";

export type LineUse = {
  /** The egress proxy for a URL. */
  readonly proxyFor: (url: URL) => URL | undefined;
  readonly dial: (
    addresses: readonly string[],
    options: { readonly port: number; readonly addressTimeoutMs: number; readonly signal: AbortSignal },
  ) => Promise<Socket>;
  /** CONNECT on a socket that leads to the proxy. */
  readonly openTunnel: (
    socket: Duplex,
    request: {
      readonly target: string;
      readonly proxy: URL;
      readonly timeoutMs: number;
      readonly signal: AbortSignal;
      readonly userAgent: string;
    },
  ) => Promise<void>;
  /** PEM texts that are trusted; Node's own without it. */
  readonly ca?: readonly string[] | undefined;
  /** Addresses of a host; the system's resolver without it. */
  readonly lookup?: ((host: string) => Promise<readonly string[]>) | undefined;
};

export type Line = {
  readonly socket: Socket;
  readonly protocol: HttpProtocol;
  readonly address: string | undefined;
  readonly proxy: URL | undefined;
};

/** net.Dialer in http.DefaultTransport gives an address 30 s. */
const addressTimeoutMs = 30_000;
/** http.DefaultTransport has no limit for CONNECT but the TLS handshake's 10 s come next; the same here. */
const tunnelTimeoutMs = 10_000;

type LineAsk = {
  readonly url: URL;
  readonly isDirect: boolean;
  readonly offer: readonly HttpProtocol[];
  readonly watch: Stopwatch;
  readonly signal: AbortSignal;
};

/** Throws what the sockets throw, or the signal's reason. */
export async function openLine({ url, isDirect, offer, watch, signal }: LineAsk, use: LineUse): Promise<Line> {
  const proxy = isDirect ? undefined : use.proxyFor(url);
  const isTLS = url.protocol === "https:";
  let socket: Socket = await dialTo(proxy ?? url, { watch, signal, use });
  const address = socket.remoteAddress;
  try {
    if (proxy !== undefined && (isTLS || proxy.protocol === "https:")) watch.enter("tunnel");
    if (proxy?.protocol === "https:")
      socket = await secure(socket, hostOf(proxy), { offer: ["http/1.1"], use, signal });
    if (!isTLS) return { socket, protocol: "http/1.1", address, proxy };
    if (proxy !== undefined) {
      const target = `${url.hostname}:${url.port || 443}`;
      const userAgent = "Go-http-client/1.1"; // net/http's own name, whatever the request in the tunnel says
      await use.openTunnel(socket, { target, proxy, timeoutMs: tunnelTimeoutMs, signal, userAgent });
    }
    watch.enter("tls");
    const safe = await secure(socket, hostOf(url), { offer, use, signal });
    return { socket: safe, protocol: safe.alpnProtocol === "h2" ? "h2" : "http/1.1", address, proxy };
  } catch (error) {
    socket.on("error", () => undefined).destroy();
    throw error;
  }
}

type Dialling = { readonly watch: Stopwatch; readonly signal: AbortSignal; readonly use: LineUse };

async function dialTo(url: URL, { watch, signal, use }: Dialling): Promise<Socket> {
  const host = hostOf(url);
  const addresses = isIP(host) === 0 ? await resolve(host, { watch, signal, use }) : [host];
  watch.enter("tcp");
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  return await use.dial(addresses, { port, addressTimeoutMs, signal });
}

async function resolve(host: string, { watch, signal, use }: Dialling): Promise<readonly string[]> {
  watch.enter("dns");
  const found = (use.lookup ?? systemAddresses)(host);
  // The system's resolver cannot be stopped; it is left behind.
  found.catch(() => undefined);
  const addresses = await Promise.race([found, aborted(signal)]);
  if (addresses.length > 0) return addresses;
  throw Object.assign(new Error(`no address of ${host}`), { code: "ENOTFOUND" });
}

async function systemAddresses(host: string): Promise<readonly string[]> {
  return (await systemLookup(host, { all: true, order: "verbatim" })).map(({ address }) => address);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/** The host as sockets want it. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

type Securing = { readonly offer: readonly HttpProtocol[]; readonly use: LineUse; readonly signal: AbortSignal };

function secure(socket: Socket, host: string, { offer, use, signal }: Securing): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const tls = connectTls({
      socket,
      host,
      ...(isIP(host) === 0 && { servername: host }),
      ALPNProtocols: [...offer],
      ...(use.ca && { ca: [...use.ca] }),
    });
    const settle = (error?: Error): void => {
      signal.removeEventListener("abort", abort);
      tls.off("error", settle).off("close", closed);
      if (error === undefined) resolve(tls);
      else {
        tls.on("error", () => undefined).destroy();
        reject(error);
      }
    };
    const abort = (): void => settle(signal.reason as Error);
    const closed = (): void =>
      settle(Object.assign(new Error("the connection was closed during the TLS handshake"), { code: "ECONNRESET" }));
    signal.addEventListener("abort", abort, { once: true });
    tls
      .once("secureConnect", () => settle())
      .once("error", settle)
      .once("close", closed);
  });
}
