// One question to a host of repositories, asked by us: over verified TLS, through the same dialling rules as git, as
// whom the place says we are. A refusal is taken to the place's GOAUTH command, once.

import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { isIP } from "node:net";
import { getCACertificates, connect as connectTls } from "node:tls";
import type { HeaderLine } from "#protocol/goauth.ts";
import type { DirectDial } from "./direct-dial.ts";
import { portOf } from "./direct-dial.ts";
import type { PlaceCredentials, Refusal } from "./direct-goauth.ts";
import type { Places } from "./direct-places.ts";

/** Of one question and its answer. */
const askMs = 20_000;

export type AskUse = {
  readonly places: Places;
  readonly dial: DirectDial;
  readonly credentials: PlaceCredentials;
};

export type Reading<T> = {
  readonly signal: AbortSignal;
  /** Called with each answer; what it leaves unread is thrown away. */
  readonly read: (answer: IncomingMessage) => Promise<T>;
  /** What was read will do, although the host refuses. */
  readonly isEnough: (value: T) => boolean;
};

/** Throws GoAuthFault, what sockets throw, what `read` throws, and the signal's reason. */
export async function askAsKnown<T>(url: URL, use: AskUse, { signal, read, isEnough }: Reading<T>): Promise<T> {
  const { credentials } = use;
  const ask = async (headers: readonly HeaderLine[]): Promise<{ readonly value: T; readonly refusal?: Refusal }> => {
    const answer = await get(url, use, { headers, signal: AbortSignal.any([signal, AbortSignal.timeout(askMs)]) });
    try {
      const value = await read(answer);
      const refusal = refusalIn(answer);
      return refusal === undefined ? { value } : { value, refusal };
    } finally {
      answer.on("error", () => undefined).destroy();
    }
  };
  const { value, refusal } = await ask(await credentials.of(url, signal));
  if (refusal === undefined || isEnough(value)) return value;
  const headers = await credentials.again(url, refusal, signal);
  return headers === undefined ? value : (await ask(headers)).value;
}

function refusalIn({
  statusCode: status = 0,
  statusMessage: reason = "",
  rawHeaders,
}: IncomingMessage): Refusal | undefined {
  if (status < 400 || status > 499) return undefined;
  const headers: HeaderLine[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) headers.push([rawHeaders[at] ?? "", rawHeaders[at + 1] ?? ""]);
  return { status, reason, headers };
}

type Asking = { readonly headers: readonly HeaderLine[]; readonly signal: AbortSignal };

async function get(url: URL, { places, dial }: AskUse, { headers, signal }: Asking): Promise<IncomingMessage> {
  const protocol = url.protocol === "http:" ? "http:" : "https:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? portOf[protocol] : Number(url.port);
  const raw = await dial({ protocol, host, port }, signal);
  const socket = protocol === "http:" ? raw : await secure(raw, { host, pem: places.pemOf(host), signal });
  return await new Promise((resolve, reject) => {
    const request = httpRequest({
      method: "GET",
      host: url.host,
      path: url.pathname + url.search,
      headers: { "user-agent": "Go-http-client/1.1", host: url.host, connection: "close" },
      createConnection: () => socket,
      signal,
    });
    for (const [name, value] of headers) request.appendHeader(name, value);
    request.once("response", resolve).once("error", (error) => {
      socket.destroy();
      reject(error);
    });
    request.end();
  });
}

type Securing = { readonly host: string; readonly pem: string | undefined; readonly signal: AbortSignal };

function secure(raw: Socket, { host, pem, signal }: Securing): Promise<Socket> {
  const ca = pem === undefined ? {} : { ca: [...getCACertificates("default"), pem] };
  const servername = isIP(host) === 0 ? host : "";
  return new Promise((resolve, reject) => {
    const socket = connectTls({ socket: raw, host, servername, ...ca, ALPNProtocols: ["http/1.1"] });
    const fail = (error?: Error): void => {
      signal.removeEventListener("abort", aborted);
      raw.on("error", () => undefined).destroy();
      socket.on("error", () => undefined).destroy();
      reject(error ?? new Error("the connection closed during the TLS handshake"));
    };
    const aborted = (): void => fail(signal.reason as Error);
    signal.addEventListener("abort", aborted, { once: true });
    socket.once("error", fail).once("close", () => fail());
    socket.once("secureConnect", () => {
      signal.removeEventListener("abort", aborted);
      socket.off("error", fail);
      resolve(socket);
    });
  });
}
