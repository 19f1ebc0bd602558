// An upstream on the loopback of this machine that goes away and comes back when it is told to.

import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { DrilledUpstream, DrillFault } from "#services/lab/ports.ts";

export type UpstreamAnswer = { readonly status: number; readonly contentType: string; readonly bytes: Uint8Array };

export type LoopbackUpstreamOptions = {
  readonly name: string;
  /** Answers a request target as it is on the wire. */
  readonly answer: (target: string) => Promise<UpstreamAnswer>;
  /** Each answer is so late: how far away it plays to be, in milliseconds. */
  readonly distanceMs: number;
};

/** While it is down another program may be given its port, seldom and hardly for long. */
const listenTries = 50;
const listenEveryMs = 100;

export class LoopbackUpstream implements DrilledUpstream {
  readonly name: string;
  readonly #options: LoopbackUpstreamOptions;
  readonly #sockets = new Set<Socket>();
  /** One entry for each file of a drill, some thousand at most. */
  readonly #given = new Set<string>();
  #server: Server | undefined;
  #port = 0;
  #fault: DrillFault | undefined;

  private constructor(options: LoopbackUpstreamOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Listens on a free port. */
  static async start(options: LoopbackUpstreamOptions): Promise<LoopbackUpstream> {
    const upstream = new LoopbackUpstream(options);
    await upstream.#listen();
    return upstream;
  }

  /** `127.0.0.1:PORT`, the same all the time. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get isDown(): boolean {
    return this.#fault !== undefined;
  }

  gave(target: string): boolean {
    return this.#given.has(target);
  }

  async break(fault: DrillFault): Promise<void> {
    this.#fault = fault;
    if (fault === "refused") await this.close();
    // What it was about to answer is lost as well; a silent one just never says it.
    if (fault === "reset") for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async mend(): Promise<void> {
    this.#fault = undefined;
    for (let tries = 1; this.#server === undefined; tries++) {
      try {
        await this.#listen();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || tries >= listenTries) throw error;
        await sleep(listenEveryMs);
      }
    }
  }

  /** Connections break, new ones are refused. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #listen(): Promise<void> {
    const server = createServer((request, response) => void this.#handle(request, response));
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      // Whoever asks may go away at any time.
      socket.on("error", () => undefined);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#fault === "reset") {
      request.socket.resetAndDestroy();
      return;
    }
    const { distanceMs, answer } = this.#options;
    const target = request.url ?? "/";
    const [{ status, contentType, bytes }] = await Promise.all([answer(target), sleep(distanceMs)]);
    if (this.#fault === "silent" || response.destroyed) return;
    const isBroken = this.#fault === "503";
    if (!isBroken && status === 200) this.#given.add(target);
    const body = isBroken ? Buffer.from("out of order\n") : bytes;
    response.writeHead(isBroken ? 503 : status, { "content-type": contentType, "content-length": body.length });
    response.end(body);
  }
}
