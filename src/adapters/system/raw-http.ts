// HTTP/1.1 by hand, one connection per request. The conformance suite must send what URL parsers would repair
// (`/../`, `\`, two Host headers) and see what libraries would hide, so nothing here normalises anything.
import { connect } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ProbeFailed } from "#services/lab/ports.ts";
import type { ProbeRequest, ProbeResponse, ProxyUnderTest } from "#services/lab/ports.ts";
import { bodyEnd, decodeBody, parseHead } from "./_raw-http-parse.ts";
import type { Head } from "./_raw-http-parse.ts";

export type RawHttpOptions = {
  /** Gives up on one exchange after this long. */
  readonly timeoutMs?: number;
  /** Refuses a longer answer. */
  readonly maxBytes?: number;
};

/** Long enough for a proxy that fetches a module on a slow link before it answers. */
const defaultTimeoutMs = 60_000;
/** x/mod/zip MaxZipFile, and room for a header. */
const defaultMaxBytes = 500 * 1024 * 1024 + 64 * 1024;
/** `go` follows nine and refuses the tenth (cmd/go web checkRedirect). */
const maxRedirects = 9;

/** A proxy at `baseUrl` (http or https, a path prefix is kept), asked byte for byte. */
export function rawHttpTarget(baseUrl: string, options: RawHttpOptions = {}): ProxyUnderTest {
  const base = new URL(baseUrl);
  const prefix = base.pathname.replace(/\/+$/, "");
  return {
    send: async (request) => {
      let place = { url: base, target: prefix + request.target };
      for (let hops = 0; ; hops += 1) {
        const response = await exchange(place, request, options);
        const next = request.follow === true ? redirectOf(response, place.url) : undefined;
        if (next === undefined) return response;
        if (hops === maxRedirects) throw new ProbeFailed(`more than ${maxRedirects} redirects`);
        place = { url: next, target: next.pathname + next.search };
      }
    },
  };
}

type Place = { readonly url: URL; readonly target: string };

function redirectOf(response: ProbeResponse, from: URL): URL | undefined {
  const location = response.headers["location"];
  if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) return undefined;
  if (!URL.canParse(location, from.href)) throw new ProbeFailed(`redirect to ${JSON.stringify(location)}`);
  const to = new URL(location, from.href);
  if (from.protocol === "https:" && to.protocol !== "https:") throw new ProbeFailed("redirect from https to http");
  return to;
}

async function exchange(place: Place, request: ProbeRequest, options: RawHttpOptions): Promise<ProbeResponse> {
  const socket = dial(place.url);
  try {
    const answer = readAnswer(socket, request.method, options);
    // Latin-1 keeps every byte a test wants to send as it is.
    socket.write(Buffer.from(requestText(place, request), "latin1"));
    return await answer;
  } finally {
    socket.destroy();
  }
}

function dial(url: URL): Socket {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (url.protocol === "http:") return connect({ host, port: Number(url.port || 80) });
  if (url.protocol !== "https:") throw new ProbeFailed(`cannot speak ${url.protocol}`);
  return connectTls({ host, port: Number(url.port || 443), servername: host, ALPNProtocols: ["http/1.1"] });
}

function requestText(place: Place, request: ProbeRequest): string {
  const body = request.body ?? "";
  if (request.raw !== undefined) return request.raw + body;
  const lines = [`${request.method} ${place.target} HTTP/1.1`, `Host: ${place.url.host}`];
  const credentials = decodeURIComponent(`${place.url.username}:${place.url.password}`);
  if (credentials !== ":") lines.push(`Authorization: Basic ${Buffer.from(credentials).toString("base64")}`);
  for (const [name, value] of request.headers ?? []) lines.push(`${name}: ${value}`);
  return `${lines.join("\r\n")}\r\nConnection: close\r\n\r\n${body}`;
}

function readAnswer(socket: Socket, method: string, options: RawHttpOptions): Promise<ProbeResponse> {
  const { timeoutMs = defaultTimeoutMs, maxBytes = defaultMaxBytes } = options;
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new ProbeFailed(why));
    const timer = setTimeout(() => {
      fail(`no complete answer in ${timeoutMs} ms`);
      socket.destroy();
    }, timeoutMs);
    const reader = new AnswerReader(method, maxBytes);
    const settle = (closed: boolean): void => {
      try {
        const answer = reader.answer(closed);
        if (answer !== undefined) resolve(answer);
        else if (closed) fail("the connection closed before the answer was complete");
      } catch (error) {
        reject(error instanceof ProbeFailed ? error : new ProbeFailed(String(error), { cause: error }));
      }
    };
    socket.on("data", (chunk: Buffer) => {
      reader.push(chunk);
      settle(false);
    });
    socket.on("error", (error) => fail(error.message));
    socket.on("close", () => {
      clearTimeout(timer);
      settle(true);
    });
  });
}

/** Gathers bytes until the answer is whole; looks at the head once. */
class AnswerReader {
  readonly #method: string;
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #size = 0;
  #tail = "";
  #head: Head | undefined;

  constructor(method: string, maxBytes: number) {
    this.#method = method;
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    this.#tail = (this.#tail + chunk.toString("latin1", Math.max(0, chunk.length - 4))).slice(-4);
  }

  answer(closed: boolean): ProbeResponse | undefined {
    if (this.#size > this.#maxBytes) throw new ProbeFailed(`answer longer than ${this.#maxBytes} bytes`);
    this.#head ??= parseHead(this.#joined());
    const head = this.#head;
    if (head === undefined) return undefined;
    const framing = bodyEnd(head, this.#method);
    // A known length needs no look at the bytes until they are all here.
    if (typeof framing === "number" && this.#size < head.length + framing) return undefined;
    if (framing === "close" && !closed) return undefined;
    // Chunked answers end in an empty line; joining the pieces before that would be quadratic work.
    if (framing === "chunked" && !closed && this.#tail !== "\r\n\r\n") return undefined;
    const body = decodeBody(this.#joined().subarray(head.length), framing);
    return body === undefined ? undefined : { status: head.status, headers: head.headers, body };
  }

  #joined(): Buffer {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}
