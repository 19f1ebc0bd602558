// GETs over one HTTP/2 connection: RST_STREAM and GOAWAY are told by their codes.

import { connect } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders, IncomingHttpStatusHeader } from "node:http2";
import type { HttpAsk } from "#services/analysers/http-ports.ts";
import { h2CodeName } from "#protocol/h2-codes.ts";
import { Broken } from "./_probe-fault.ts";
import { authorizationOf } from "./_probe-http1.ts";
import type { Answer } from "./_probe-http1.ts";
import type { Line } from "./_probe-line.ts";
import type { Stopwatch } from "./_probe-watch.ts";

/** One session on a line; it must be closed. */
export class Http2Line {
  readonly #session: ClientHttp2Session;
  #goneWith: number | undefined;
  #failure: Error | undefined;

  constructor({ socket }: Line, ask: HttpAsk) {
    this.#session = connect(new URL(ask.url).origin, {
      createConnection: () => socket,
      settings: { enablePush: false },
    });
    this.#session.on("goaway", (code: number) => {
      this.#goneWith ??= code;
    });
    this.#session.on("error", (error: Error) => (this.#failure ??= error));
  }

  ask(ask: HttpAsk, watch: Stopwatch): Promise<Answer> {
    const { pathname, search } = new URL(ask.url);
    const authorization = authorizationOf(ask);
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let head: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
      let size = 0;
      let failure: unknown;
      let isWhole = false;
      const stream = this.#session.request({
        ":path": pathname + search,
        "user-agent": ask.userAgent.h2,
        ...(authorization !== undefined && { authorization }),
        "accept-encoding": "gzip",
      });
      stream.on("response", (headers) => {
        watch.enter("body");
        head = headers;
      });
      stream.on("data", (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size <= ask.maxBytes) return;
        failure = new Broken({ kind: "too-large" }, `more than ${ask.maxBytes} bytes`);
        stream.close();
      });
      stream.on("end", () => (isWhole = head[":status"] !== undefined));
      stream.on("error", (error: Error) => {
        failure ??= error;
      });
      stream.on("close", () => {
        const isBroken = !isWhole || stream.rstCode !== 0;
        if (failure === undefined || !(failure instanceof Broken))
          failure = isBroken ? this.#reason(stream.rstCode, failure) : undefined;
        const body = Buffer.concat(chunks).subarray(0, ask.maxBytes);
        resolve({ status: head[":status"], headers: plain(head), body, failure });
      });
    });
  }

  close(): void {
    this.#session.destroy();
  }

  #reason(code: number, failure: unknown): unknown {
    const goneWith = this.#goneWith;
    if (goneWith !== undefined)
      return new Broken({ kind: "going-away", h2Code: h2CodeName(goneWith) }, `GOAWAY ${h2CodeName(goneWith)}`);
    const socketCode = (this.#failure as NodeJS.ErrnoException | undefined)?.code ?? "";
    if (/^E[A-Z]+$/.test(socketCode)) return this.#failure;
    const isOurs = (failure as NodeJS.ErrnoException | undefined)?.code === "ERR_HTTP2_SESSION_ERROR";
    if (isOurs || code === cancelled) return new Broken({ kind: "closed" }, "the connection was closed before the end");
    return new Broken({ kind: "stream-reset", h2Code: h2CodeName(code) }, `RST_STREAM ${h2CodeName(code)}`);
  }
}

/** What node says of streams whose connection is gone. */
const cancelled = 8;

function plain(headers: IncomingHttpHeaders): Record<string, string> {
  const lines = Object.entries(headers).filter(([name]) => !name.startsWith(":"));
  return Object.fromEntries(lines.map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : `${value}`]));
}
