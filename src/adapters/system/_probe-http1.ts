// One GET over HTTP/1.1, with the header lines that go sends and no other.

import type { Socket } from "node:net";
import type { HttpAsk } from "#services/analysers/http-ports.ts";
import { Broken } from "./_probe-fault.ts";
import type { Line } from "./_probe-line.ts";
import type { Stopwatch } from "./_probe-watch.ts";
import { bodyEnd, decodeBody, parseHead } from "./_raw-http-parse.ts";
import type { Framing, Head } from "./_raw-http-parse.ts";

/** An answer as it came; `failure`: why there is no more of it. */
export type Answer = {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly failure: unknown;
};

export async function askHttp1(line: Line, ask: HttpAsk, watch: Stopwatch): Promise<Answer> {
  const answer = new Promise<Answer>((resolve) => new Reading(line.socket, { ask, watch, resolve }));
  // Latin-1, as URLs are ASCII by now.
  line.socket.write(requestText(line, ask), "latin1");
  return await answer;
}

/** net/http Request.write: Host, User-Agent, then what is left by name; the transport adds Accept-Encoding last. */
function requestText({ proxy, protocol }: Line, ask: HttpAsk): string {
  const url = new URL(ask.url);
  const isForwarded = proxy !== undefined && url.protocol === "http:";
  const target = isForwarded ? `http://${url.host}${url.pathname}${url.search}` : url.pathname + url.search;
  const own = authorizationOf(ask);
  const forProxy = isForwarded ? basic(proxy) : undefined;
  return [
    `GET ${target} HTTP/1.1`,
    `Host: ${url.host}`,
    `User-Agent: ${ask.userAgent[protocol]}`,
    ...(own === undefined ? [] : [`Authorization: ${own}`]),
    ...(forProxy === undefined ? [] : [`Proxy-Authorization: ${forProxy}`]),
    "Accept-Encoding: gzip",
    "\r\n",
  ].join("\r\n");
}

export function authorizationOf({ url, authorization }: HttpAsk): string | undefined {
  return authorization ?? basic(new URL(url));
}

function basic({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  return `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`;
}

type ReadingUse = {
  readonly ask: HttpAsk;
  readonly watch: Stopwatch;
  readonly resolve: (answer: Answer) => void;
};

/** Longest header, as the parser has it, and what chunks add to a body at most. */
const roomForFraming = 1 << 20;

/** Gathers bytes until the answer is whole, too long, or cut off. */
class Reading {
  readonly #socket: Socket;
  readonly #use: ReadingUse;
  #chunks: Buffer[] = [];
  #size = 0;
  #tail = "";
  #head: Head | undefined;
  #framing: Framing = "close";
  #isDone = false;

  constructor(socket: Socket, use: ReadingUse) {
    this.#socket = socket;
    this.#use = use;
    socket.on("data", (chunk: Buffer) => this.#guarded(() => this.#push(chunk)));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#guarded(() => this.#closed()));
  }

  #guarded(work: () => void): void {
    try {
      if (!this.#isDone) work();
    } catch (error) {
      this.#end(error);
    }
  }

  #push(chunk: Buffer): void {
    if (this.#size === 0) this.#use.watch.enter("body");
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    this.#tail = (this.#tail + chunk.toString("latin1", Math.max(0, chunk.length - 4))).slice(-4);
    if (this.#head === undefined && !this.#readHead()) return;
    const { maxBytes } = this.#use.ask;
    const length = this.#head?.length ?? 0;
    // A body whose length is known is counted; chunks are joined when their end may be here.
    if (typeof this.#framing === "number" && this.#size >= length + this.#framing) this.#finish();
    else if (this.#framing === "chunked" && this.#tail === "\r\n\r\n") this.#finish();
    else if (this.#size - length > maxBytes + (this.#framing === "chunked" ? roomForFraming : 0)) this.#tooLarge();
  }

  #readHead(): boolean {
    this.#head = parseHead(this.#joined());
    if (this.#head === undefined) return false;
    this.#framing = bodyEnd(this.#head, "GET");
    return true;
  }

  #finish(): void {
    const body = decodeBody(this.#bodyBytes(), this.#framing);
    if (body === undefined) return;
    if (body.length > this.#use.ask.maxBytes) this.#tooLarge();
    else this.#end(undefined, body);
  }

  #tooLarge(): void {
    const { maxBytes } = this.#use.ask;
    this.#end(
      new Broken({ kind: "too-large" }, `more than ${maxBytes} bytes`),
      this.#bodyBytes().subarray(0, maxBytes),
    );
  }

  #closed(): void {
    if (this.#head !== undefined && this.#framing === "close") {
      this.#end(undefined, this.#bodyBytes());
      return;
    }
    const got = this.#head === undefined ? 0 : this.#size - this.#head.length;
    const of = typeof this.#framing === "number" ? ` of ${this.#framing}` : "";
    const where = this.#head === undefined ? "before an answer came" : `after ${got}${of} bytes`;
    this.#end(new Broken({ kind: "closed" }, `the connection was closed ${where}`));
  }

  #end(failure: unknown, body?: Uint8Array): void {
    if (this.#isDone) return;
    this.#isDone = true;
    const { status, headers = {} } = this.#head ?? {};
    this.#use.resolve({ status, headers, body: body ?? (this.#head ? this.#bodyBytes() : new Uint8Array()), failure });
    this.#socket.destroy();
  }

  #bodyBytes(): Buffer {
    return this.#joined().subarray(this.#head?.length ?? 0);
  }

  #joined(): Buffer {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}
