// One TLS handshake, seen from outside: for `services/analysers`. Nothing is trusted here and nothing is decided: with no
// authorities at all Node shows the chain as the server sent it, and with some it tells OpenSSL's verdict and goes on.

import { connect } from "node:net";
import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";
import type {
  TlsAttempt,
  TlsFailed,
  TlsFailure,
  TlsPlace,
  TlsProber,
  TlsRequest,
  TlsShaken,
} from "#services/analysers/ports.ts";
import { openTunnel } from "./tunnel.ts";

/** The head of an answer, and the beginning of what follows: no more of a stranger's page is looked at. */
const maxAnswerBytes = 16 * 1024;
/** A chain is two to five certificates; more are not looked at. */
const maxChain = 20;

export function tlsProber(): TlsProber {
  return { attempt: handshake, plainHttp };
}

async function handshake(request: TlsRequest, signal: AbortSignal): Promise<TlsAttempt> {
  const began = performance.now();
  const dialled = await dial(request, signal);
  const tcpMs = performance.now() - began;
  if ("kind" in dialled) return { tcpMs, outcome: dialled };
  const start = performance.now();
  try {
    const socket = overTls(dialled, request);
    const shaken = await settled(socket, request, signal);
    const tlsMs = performance.now() - start;
    if (shaken !== undefined) return { tcpMs, tlsMs, outcome: { kind: "failed", stage: "tls", ...shaken } };
    const seen = describe(socket);
    return { tcpMs, tlsMs, outcome: request.asks ? { ...seen, ...(await ask(socket, request, signal)) } : seen };
  } catch (error) {
    signal.throwIfAborted();
    return { tcpMs, outcome: { kind: "failed", stage: "tls", ...reasonOf(error) } };
  } finally {
    dialled.destroy();
  }
}

function overTls(socket: Socket, { servername, alpn, minVersion, roots }: TlsRequest): TLSSocket {
  const isOld = minVersion === "TLSv1" || minVersion === "TLSv1.1";
  return connectTls({
    socket,
    // An empty name sends no SNI; without one Node would take the host's.
    servername: servername ?? "",
    ALPNProtocols: [...alpn],
    minVersion,
    // OpenSSL 3 speaks the old versions only at level 0: this is to see them, never to use them.
    ...(isOld && { ciphers: "DEFAULT@SECLEVEL=0" }),
    ca: [...roots],
    rejectUnauthorized: false,
  });
}

/** Waits until the handshake is done; resolves to why it was not. */
function settled(
  socket: TLSSocket,
  { timeoutMs }: TlsRequest,
  signal: AbortSignal,
): Promise<Omit<TlsFailed, "kind" | "stage"> | undefined> {
  return new Promise((resolve, reject) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const stop = (): void => {
      socket.destroy();
      if (signal.aborted) reject(signal.reason as Error);
      else resolve({ reason: "timeout", text: `no answer in ${timeoutMs} ms` });
    };
    limit.addEventListener("abort", stop, { once: true });
    const done = (result: Parameters<typeof resolve>[0]): void => {
      limit.removeEventListener("abort", stop);
      resolve(result);
    };
    socket.once("secureConnect", () => done(undefined));
    socket.on("error", (error) => {
      const hasShown = socket.getProtocol() !== null && socket.getPeerX509Certificate() !== undefined;
      done({ ...reasonOf(error), hasShown });
    });
    socket.once("close", () => done({ reason: "closed", text: "closed without an answer" }));
  });
}

function describe(socket: TLSSocket): TlsShaken {
  const chain: Uint8Array[] = [];
  for (let at = socket.getPeerX509Certificate(); at !== undefined && chain.length < maxChain; at = at.issuerCertificate)
    chain.push(at.raw);
  // Node gives the code of OpenSSL's verdict as the error's message or as the error itself, by version.
  const verdict = socket.authorizationError as Error | string | undefined | null;
  const code = verdict instanceof Error ? ((verdict as NodeJS.ErrnoException).code ?? verdict.message) : verdict;
  return {
    kind: "shaken",
    chain,
    protocol: socket.getProtocol() ?? "",
    cipher: socket.getCipher().name,
    alpn: typeof socket.alpnProtocol === "string" && socket.alpnProtocol !== "" ? socket.alpnProtocol : undefined,
    openssl: code ?? undefined,
  };
}

/** `GET /`, its head, and what ends the connection instead. */
async function ask(
  socket: TLSSocket,
  { host, port, servername, timeoutMs }: TlsRequest,
  signal: AbortSignal,
): Promise<Pick<TlsShaken, "http" | "late">> {
  const { text, error } = await exchange(socket, { host: servername ?? host, port, timeoutMs }, signal);
  if (text.startsWith("HTTP/")) {
    const [status = ""] = text.split("\r\n", 1);
    const [head = ""] = text.split("\r\n\r\n", 1);
    const date = /^date:[ \t]*(.*?)[ \t]*\r?$/im.exec(head)?.[1];
    return { http: { status: status.slice(0, 100), date, start: text.slice(0, 2_000) } };
  }
  if (error === undefined) return {};
  const { alert, text: said } = reasonOf(error);
  return { late: { ...(alert !== undefined && { alert }), text: said } };
}

async function plainHttp(
  place: TlsPlace & { readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<string | undefined> {
  const socket = await dial(place, signal);
  if ("kind" in socket) return undefined;
  const { text } = await exchange(socket, place, signal);
  socket.destroy();
  return text.startsWith("HTTP/") ? text.split("\r\n", 1)[0]?.slice(0, 100) : undefined;
}

/** The answer's beginning: until its head is whole and a little follows, the connection ends, or time is up. */
function exchange(
  socket: Socket,
  { host, port, timeoutMs }: { readonly host: string; readonly port: number; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly error?: Error }> {
  return new Promise((resolve, reject) => {
    let text = "";
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const done = (error?: Error): void => {
      limit.removeEventListener("abort", stop);
      resolve({ text, ...(error && { error }) });
    };
    const stop = (): void => {
      if (signal.aborted) reject(signal.reason as Error);
      else done(new Error(`no answer in ${timeoutMs} ms`));
    };
    limit.addEventListener("abort", stop, { once: true });
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text.length > maxAnswerBytes) {
        text = text.slice(0, maxAnswerBytes);
        done();
      }
    });
    socket.on("error", done);
    socket.on("end", () => done(text === "" ? new Error("closed without an answer") : undefined));
    socket.on("close", () => done());
    const name = host.includes(":") ? `[${host}]` : host;
    socket.write(`GET / HTTP/1.1\r\nHost: ${name}:${port}\r\nUser-Agent: granary-tls\r\nConnection: close\r\n\r\n`);
  });
}

/** A connection to the place, or why there is none. */
async function dial(
  place: TlsPlace & { readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<Socket | TlsFailed> {
  if (place.proxy !== undefined) return await openTunnel({ ...place, proxy: place.proxy }, signal);
  const { address, port, timeoutMs } = place;
  return await new Promise<Socket | TlsFailed>((resolve, reject) => {
    const socket = connect({ host: address, port });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const done = (result: Socket | TlsFailed): void => {
      limit.removeEventListener("abort", stop);
      resolve(result);
    };
    const stop = (): void => {
      socket.destroy();
      if (signal.aborted) reject(signal.reason as Error);
      else done({ kind: "failed", stage: "tcp", reason: "timeout", text: `no connection in ${timeoutMs} ms` });
    };
    limit.addEventListener("abort", stop, { once: true });
    socket.once("connect", () => done(socket));
    socket.on("error", (error) => done({ kind: "failed", stage: "tcp", ...reasonOf(error) }));
  });
}

const reasons: Readonly<Record<string, TlsFailure>> = {
  ECONNREFUSED: "refused",
  ENETUNREACH: "unreachable",
  EHOSTUNREACH: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  ETIMEDOUT: "timeout",
  ECONNRESET: "reset",
  EPIPE: "reset",
  ERR_SSL_WRONG_VERSION_NUMBER: "not-tls",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "not-tls",
  ERR_SSL_HTTP_REQUEST: "not-tls",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "old-version",
};

/** What a failure of a socket means; the number of an alert stands only in OpenSSL's text. */
export function reasonOf(error: unknown): Pick<TlsFailed, "reason" | "alert" | "text"> {
  const { code = "", message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) };
  // Node says ECONNRESET for a connection that only ended.
  if (/disconnected before secure TLS|closed without/.test(message))
    return { reason: "closed", text: "closed without an answer" };
  const text = (/SSL routines:[^:]*:(.*?)(?::|\n|$)/.exec(message)?.[1] ?? message.split("\n", 1)[0] ?? "").slice(
    0,
    200,
  );
  const alert = /SSL alert number (\d+)/.exec(message)?.[1];
  if (alert !== undefined) return { reason: "alert", alert: Number(alert), text: `${text} (alert ${alert})` };
  return { reason: reasons[code] ?? "other", text: code === "" || text.includes(code) ? text : `${text} (${code})` };
}
