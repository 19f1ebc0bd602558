// A thin proxy that writes down what a client asks, in order and with times, and passes everything on unchanged.
//
//   node bench/tracer.ts --to URL [--log FILE]
//
// One JSON object a line, in the order in which answers end: `n` the order of arrival, `at` and `end` milliseconds
// since the first request, `open` the requests in flight when it came (itself included), status, body bytes.
import { appendFileSync, writeFileSync } from "node:fs";
import { Agent as PlainAgent, createServer, request as plainRequest } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import { parseArgs } from "node:util";

export type Traced = {
  readonly n: number;
  readonly at: number;
  readonly end: number;
  readonly open: number;
  readonly path: string;
  /** 0: no answer came, or it broke. */
  readonly status: number;
  readonly bytes: number;
};

const keepAlive = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };

export class Tracer {
  /** What ended so far. */
  readonly entries: Traced[] = [];
  url = "";
  readonly #to: URL;
  readonly #took: (entry: Traced) => void;
  readonly #plain = new PlainAgent(keepAlive);
  readonly #secure = new SecureAgent(keepAlive);
  readonly #server: Server;
  #began: number | undefined;
  #count = 0;
  #open = 0;

  constructor(to: string, took: (entry: Traced) => void = () => undefined) {
    this.#to = new URL(to);
    this.#took = took;
    this.#server = createServer((request, response) => this.#pass(request, response));
  }

  async open(): Promise<this> {
    const listening = { host: "127.0.0.1", port: 0, backlog: 2048 };
    await new Promise<void>((resolve) => this.#server.listen(listening, resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  /** Starts counting and timing anew. */
  reset(): void {
    this.entries.length = 0;
    this.#began = undefined;
    this.#count = 0;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#plain.destroy();
    this.#secure.destroy();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const now = performance.now();
    const began = (this.#began ??= now);
    this.#open++;
    const mark = { n: this.#count++, at: now - began, open: this.#open, path: request.url ?? "/" };
    const done = (status: number, bytes: number): void => {
      this.#open--;
      const entry = { ...mark, end: performance.now() - began, status, bytes };
      this.entries.push(entry);
      this.#took(entry);
    };
    this.#forward(request, response, done);
  }

  #forward(request: IncomingMessage, response: ServerResponse, done: (status: number, bytes: number) => void): void {
    const secure = this.#to.protocol === "https:";
    const ask = secure ? secureRequest : plainRequest;
    const asked = ask(
      {
        agent: secure ? this.#secure : this.#plain,
        hostname: this.#to.hostname,
        port: this.#to.port,
        path: this.#to.pathname.replace(/\/$/, "") + (request.url ?? "/"),
        method: request.method,
        headers: { ...request.headers, host: this.#to.host },
      },
      (answer) => {
        let bytes = 0;
        if (response.destroyed) {
          // The client has gone.
          answer.destroy();
          done(0, 0);
          return;
        }
        answer.on("data", (chunk: Buffer) => (bytes += chunk.length));
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        pipeline(answer, response, (error) => done(error instanceof Error ? 0 : (answer.statusCode ?? 0), bytes));
      },
    );
    asked.once("error", () => {
      if (response.headersSent) return;
      done(0, 0);
      // The client meets what happened behind us: a connection that broke.
      response.socket?.resetAndDestroy();
    });
    asked.end();
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { to: { type: "string" }, log: { type: "string" } } });
  const { to, log } = values;
  if (to === undefined) throw new Error("--to URL is needed");
  if (log !== undefined) writeFileSync(log, "");
  const took = (entry: Traced): void => {
    if (log !== undefined) appendFileSync(log, `${JSON.stringify(entry)}\n`);
  };
  const tracer = await new Tracer(to, took).open();
  process.stdout.write(`${JSON.stringify({ url: tracer.url, pid: process.pid })}\n`);
}
