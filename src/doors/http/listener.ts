// Opening the port: limits on connections, headers and time; TLS with certificates that may be exchanged while
// the server runs; drain and stop.

import { createServer as createHttpServer } from "node:http";
import type { Server } from "node:http";
import { createSecureServer } from "node:http2";
import type {
  Http2SecureServer,
  Http2ServerRequest,
  Http2ServerResponse,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { Server as HttpsServer } from "node:https";
import { Server as NetServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { clientContextOptions, clientTlsOptions } from "./client-certificate.ts";
import type { ClientContextOptions, ClientTrust } from "./client-certificate.ts";
import { refuser } from "./refuse.ts";
import type { Request, Response } from "./send.ts";

export type Limits = {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  readonly headerBytes: number;
  /** Time to send the request line and all headers. */
  readonly headersTimeoutMs: number;
  /** Time to send the whole request: `proxy.timeout.read`. */
  readonly requestTimeoutMs: number;
  /** How long an idle connection is kept: longer than the go command's 90 s, so that the client closes first. */
  readonly keepAliveMs: number;
};

export type Tls = {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** `hardened`: TLS 1.3 only; `compat`: 1.2 and 1.3. */
  readonly profile: "hardened" | "compat";
  readonly http2: boolean;
  /** Whose clients are answered; undefined: everybody's. The handler must be guarded as well (client-certificate.ts). */
  readonly clients?: ClientTrust | undefined;
};

export type Listener = {
  /** `HOST:PORT` with the real port. */
  readonly address: string;
  readonly port: number;
  /** Exchanges the certificate for new connections. Throws when key and certificate do not fit. */
  renew(tls: Tls): void;
  /**
   * Refuses new connections, answers what is asked on open ones and closes each with its answer, closes idle ones a little
   * later; resolves when all are closed or `deadlineMs` passed.
   */
  drain(deadlineMs: number): Promise<void>;
  /** Ends everything at once. */
  stop(): void;
  readonly connections: () => number;
};

type AnyServer = Server | HttpsServer | Http2SecureServer;

/** How often the server looks for requests that take too long (Node's default of 30 s would triple the limit). */
const checkingIntervalMs = 1_000;

/** Streams of one HTTP/2 connection; the go command opens as many as it has downloads. */
const maxStreams = 250;

/**
 * How long a connection that nobody uses stays open once the server drains. A request may be on its way on it: closed
 * under it, the client would not know whether it was heard.
 */
const lingerMs = 1_000;

export async function listen(
  at: { readonly host: string; readonly port: number },
  use: {
    readonly handler: (request: Request, response: Response) => void;
    readonly limits: Limits;
    readonly tls: Tls | undefined;
    /** Told of handshakes that ended because of the client's certificate. */
    readonly onRefused?: ((address: string, reason: string) => void) | undefined;
  },
): Promise<Listener> {
  const { limits, tls } = use;
  const going = new Going();
  const server = makeServer({ ...use, handler: going.watching(use.handler), going });
  server.on("clientError", refuser());
  const { onRefused } = use;
  if (onRefused !== undefined) tellRefused(server, onRefused);
  const sockets = new Set<Socket>();
  guardConnections(server, { sockets, limits });
  await opened(server, at);
  const { port } = server.address() as AddressInfo;
  return {
    address: `${at.host.includes(":") ? `[${at.host}]` : at.host}:${port}`,
    port,
    renew: (next) => {
      if (tls !== undefined) (server as HttpsServer).setSecureContext(contextOf(next));
    },
    drain: (deadlineMs) => drain(server, { sockets, deadlineMs, going }),
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
    connections: () => sockets.size,
  };
}

/** What is under way, and whether the server is about to go. */
class Going {
  readonly #answers = new Set<Response>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #hasBegun = false;

  /** `handler`, seen from outside: which answers are not finished. */
  watching(handler: (request: Request, response: Response) => void): (request: Request, response: Response) => void {
    return (request, response) => {
      if (this.#hasBegun) closeWith(response);
      else {
        this.#answers.add(response);
        response.once("close", () => this.#answers.delete(response));
      }
      handler(request, response);
    };
  }

  took(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.once("close", () => this.#sessions.delete(session));
    if (this.#hasBegun) session.close();
  }

  begin(): void {
    this.#hasBegun = true;
    for (const response of this.#answers) closeWith(response);
    this.#answers.clear();
    // GOAWAY: streams that are open end in peace, others were not begun, which the client knows.
    for (const session of this.#sessions) session.close();
  }
}

/** Its head will say `Connection: close`, unless it has left. A stream of HTTP/2 has no such line. */
function closeWith(response: Response): void {
  if (!response.headersSent) response.shouldKeepAlive = false;
}

function makeServer(use: Parameters<typeof listen>[1] & { readonly going: Going }): AnyServer {
  const { handler, limits, tls, going } = use;
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: checkingIntervalMs,
    // A request without Host is 400 by Node itself; two of them are refused by the handler.
    requireHostHeader: true,
    insecureHTTPParser: false,
    noDelay: true,
  };
  if (tls === undefined) return createHttpServer(options, handler);
  // A client that connects and then keeps still has sent no headers either.
  const asking = tls.clients === undefined ? {} : clientTlsOptions(tls.clients);
  const secure = { ...contextOf(tls), ...asking, handshakeTimeout: limits.headersTimeoutMs };
  if (!tls.http2) return createHttpsServer({ ...options, ...secure }, handler);
  // node:http2's compatibility objects answer to the same calls as node:http's.
  const compatible = handler as unknown as (request: Http2ServerRequest, response: Http2ServerResponse) => void;
  const settings = { maxConcurrentStreams: maxStreams };
  const server = createSecureServer({ ...secure, allowHTTP1: true, settings, ...http1(options) }, compatible);
  server.on("session", (session) => {
    boundSession(session, limits);
    going.took(session);
  });
  return server;
}

/** HTTP/2 has no time limits of its own in Node: a session must ask for something soon, and may not idle for ever. */
function boundSession(session: ServerHttp2Session, limits: Limits): void {
  let open = 0;
  const unasked = setTimeout(() => session.destroy(), limits.headersTimeoutMs).unref();
  session.once("close", () => clearTimeout(unasked));
  session.on("stream", (stream: ServerHttp2Stream) => {
    clearTimeout(unasked);
    open++;
    stream.once("close", () => open--);
  });
  // A request that waits for an upstream is silence as well, and no idleness.
  session.setTimeout(limits.keepAliveMs);
  session.on("timeout", () => {
    if (open === 0) session.destroy();
  });
}

/** Node's HTTP/2 types do not name the HTTP/1 options that its allowHTTP1 server takes. */
function http1(options: object): object {
  return options;
}

type Context = { cert: Buffer; key: Buffer; minVersion: "TLSv1.2" | "TLSv1.3" } & Partial<ClientContextOptions>;

function contextOf({ cert, key, profile, clients }: Tls): Context {
  const trust = clients === undefined ? {} : clientContextOptions(clients);
  return { cert, key, minVersion: profile === "hardened" ? "TLSv1.3" : "TLSv1.2", ...trust };
}

/** A certificate that is not good ends the handshake without an error of its own; one that is missing has a code. */
function tellRefused(server: AnyServer, onRefused: (address: string, reason: string) => void): void {
  server.on("tlsClientError", (error: Error & { readonly code?: string }, socket: TLSSocket) => {
    const missing = error.code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE" ? "no certificate" : undefined;
    const reason = missing ?? (socket.authorizationError as unknown as string | null | undefined);
    if (reason !== undefined && reason !== null) onRefused(socket.remoteAddress ?? "", reason);
  });
}

/** Closes connections over the limits at once, before they cost anything. */
function guardConnections(server: AnyServer, use: { readonly sockets: Set<Socket>; readonly limits: Limits }): void {
  const { sockets, limits } = use;
  const perAddress = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const already = perAddress.get(address) ?? 0;
    if (sockets.size >= limits.connections || already >= limits.connectionsPerAddress) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    perAddress.set(address, already + 1);
    socket.once("close", () => {
      sockets.delete(socket);
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left <= 0) perAddress.delete(address);
      else perAddress.set(address, left);
    });
  });
}

function opened(server: AnyServer, at: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // A deep backlog: a herd of clients arrives in one moment.
    server.listen({ ...at, backlog: 2048 }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function drain(
  server: AnyServer,
  use: { readonly sockets: Set<Socket>; readonly deadlineMs: number; readonly going: Going },
): Promise<void> {
  const { sockets, deadlineMs, going } = use;
  // What has connected and was not taken yet would be reset with the port: this turn of the loop takes it first.
  await new Promise((resolve) => setImmediate(resolve));
  // Not before the port closes: who is told to come back would come back here.
  going.begin();
  // Those whose head had left already end without a word: from now on Node closes them when they were idle for so long.
  if ("keepAliveTimeout" in server) server.keepAliveTimeout = lingerMs;
  // Node's own close() for HTTP ends idle connections at once.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  const closeIdle = setTimeout(
    () => {
      if ("closeIdleConnections" in server) server.closeIdleConnections();
    },
    Math.min(lingerMs, deadlineMs),
  );
  const deadline = new Promise<void>((resolve) => setTimeout(resolve, deadlineMs).unref());
  await Promise.race([closed, deadline]);
  clearTimeout(closeIdle);
  for (const socket of sockets) socket.destroy();
  // Its timer that looks for slow requests would hold the process.
  server.close();
}
