// What lies between two servers: a proxy on loopback that passes everything on, writes down what passed, and can lie.
import { createServer, request as ask } from "node:http";
import type { IncomingHttpHeaders, Server } from "node:http";
import type { AddressInfo } from "node:net";

export type Passed = {
  readonly path: string;
  readonly status: number;
  /** Of the request: If-None-Match. */
  readonly condition: string | undefined;
  /** Of the answer. */
  readonly headers: IncomingHttpHeaders;
  readonly bytes: number;
};

function without(headers: IncomingHttpHeaders, ...names: readonly string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

export class Between {
  readonly #target: string;
  readonly #server: Server;
  #passed: Passed[] = [];
  /** What becomes of a body on its way; it stays what it is without it. */
  lie: ((path: string, body: Buffer) => Buffer) | undefined;
  /** Each request waits for it. */
  gate: Promise<unknown> = Promise.resolve();

  constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => {
      const path = request.url ?? "";
      void this.gate.then(() => {
        const headers = without(request.headers, "host");
        const onward = ask(this.#target + path, { method: request.method, headers, agent: false }, (answer) => {
          const pieces: Buffer[] = [];
          answer.on("data", (piece: Buffer) => pieces.push(piece));
          answer.on("error", () => response.destroy());
          answer.on("end", () => {
            const whole = Buffer.concat(pieces);
            const body = answer.statusCode === 200 ? (this.lie?.(path, whole) ?? whole) : whole;
            const kept = without(answer.headers, "content-length", "transfer-encoding");
            const { statusCode: status = 0 } = answer;
            this.#passed.push({
              path,
              status,
              condition: request.headers["if-none-match"],
              headers: kept,
              bytes: body.length,
            });
            response.writeHead(status, status === 304 ? kept : { ...kept, "content-length": body.length }).end(body);
          });
        });
        onward.on("error", () => response.destroy());
        onward.end();
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What passed since the last time somebody took it; checksum tunnels and probes aside. */
  take(): Passed[] {
    const taken = this.#passed.filter(({ path }) => path !== "/" && !path.startsWith("/sumdb/"));
    this.#passed = [];
    return taken;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }
}

/** Opens one in front of `target`. */
export async function startBetween(target: string): Promise<Between> {
  return await new Between(target).open();
}
