// An upstream of our own: a real HTTP server on loopback that speaks GOPROXY (protocol.md §2.1) from a table of
// module versions, tunnels a checksum database, counts what it is asked and can be made to misbehave.
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { FaultTable, rangeOf, send, sendFaulty, spoilt, textAnswer } from "./faults.ts";
import type { Fault, StubAnswer } from "./faults.ts";
import { ModuleTable } from "./module-table.ts";
import type { ModuleFixture } from "./modules.ts";

/** A checksum database below `/sumdb/<name>`; TestDatabase of services/lab is one. */
export type TunnelledDatabase = {
  readonly name: string;
  /** Answers a path below the database's own root as it is on the wire (`/lookup/…`, `/tile/…`, `/latest`). */
  answer(path: string): Promise<{ readonly status: number; readonly contentType: string; readonly bytes: Uint8Array }>;
};

export type StubOptions = {
  readonly modules: readonly ModuleFixture[];
  readonly database?: TunnelledDatabase;
  /** Told of every request before it is answered; several stubs with one listener make one log. */
  readonly onRequest?: (path: string, request: IncomingMessage) => void;
  /** False: each answer ends its connection, so that no client meets one that died unnoticed. */
  readonly keepAlive?: boolean;
  /** False: a Range header is ignored, as servers may. */
  readonly ranges?: boolean;
};

/** Starts a stub upstream on a free loopback port. */
export async function startStubUpstream(options: StubOptions): Promise<StubUpstream> {
  const stub = new StubUpstream(options);
  await stub.restore();
  return stub;
}

export class StubUpstream {
  readonly #table: ModuleTable;
  readonly #database: TunnelledDatabase | undefined;
  readonly #onRequest: (path: string, request: IncomingMessage) => void;
  readonly #keepAlive: boolean;
  readonly #ranges: boolean;
  readonly #faults = new FaultTable();
  readonly #sockets = new Set<Socket>();
  readonly #counts = new Map<string, number>();
  #inFlight = 0;
  #mostInFlight = 0;
  #sentBytes = 0;
  #server: Server | undefined;
  #port = 0;

  constructor(options: StubOptions) {
    this.#table = new ModuleTable(options.modules);
    this.#database = options.database;
    this.#onRequest = options.onRequest ?? (() => undefined);
    this.#keepAlive = options.keepAlive ?? true;
    this.#ranges = options.ranges ?? true;
  }

  /** `http://127.0.0.1:PORT`; stays the same over cut() and restore(). */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  add(module: ModuleFixture): void {
    this.#table.add(module);
  }

  /** Forgets a version: a deleted tag. */
  remove(path: string, version: string): void {
    this.#table.remove(path, version);
  }

  /** The bytes served for a module's file when nothing misbehaves. */
  bytes(path: string): Uint8Array {
    return this.#moduleAnswer(path).body;
  }

  fault(where: string | RegExp, fault: Fault, times: number = Number.POSITIVE_INFINITY): void {
    this.#faults.add(where, fault, times);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  /** Where a counted fault has not happened yet: a test whose faults never happen proves nothing. */
  get waitingFaults(): readonly (string | RegExp)[] {
    return this.#faults.waiting;
  }

  /** How often a path (or all that match a pattern) was asked. */
  requests(where: string | RegExp): number {
    let total = 0;
    for (const [path, count] of this.#counts) {
      if (typeof where === "string" ? path === where : where.test(path)) total += count;
    }
    return total;
  }

  /** Every path asked so far, with its count. */
  counts(): ReadonlyMap<string, number> {
    return new Map(this.#counts);
  }

  /** The most requests that waited for their answers at one moment. */
  get mostInFlight(): number {
    return this.#mostInFlight;
  }

  /** Bytes of all answers, headers included, as far as they were written. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  resetCounts(): void {
    this.#counts.clear();
    this.#mostInFlight = this.#inFlight;
    this.#sentBytes = 0;
  }

  /** Goes away: live connections break, new ones are refused. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Listens (again) on the same port. */
  async restore(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((request, response) => void this.#handle(request, response));
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      // A client that goes away in the middle is a scenario, not an error.
      socket.on("error", () => undefined);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    // A test that fails before it closes its stub must end all the same.
    server.unref();
  }

  async close(): Promise<void> {
    await this.cut();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodePath(request.url ?? "/");
    this.#counts.set(path, (this.#counts.get(path) ?? 0) + 1);
    this.#onRequest(path, request);
    this.#watch(response, request.socket);
    response.shouldKeepAlive = this.#keepAlive;
    const fault = this.#faults.take(path);
    const whole = refusal(request) ?? (await this.#sumdb(request.url ?? "/")) ?? this.#moduleAnswer(path);
    const answer = rangeOf(spoilt(whole, fault), this.#ranges ? request.headers : {});
    if (fault === undefined) send(response, answer);
    else await sendFaulty(response, answer, fault);
  }

  #watch(response: ServerResponse, socket: Socket): void {
    const writtenBefore = socket.bytesWritten;
    this.#inFlight += 1;
    this.#mostInFlight = Math.max(this.#mostInFlight, this.#inFlight);
    response.once("close", () => {
      this.#inFlight -= 1;
      this.#sentBytes += socket.bytesWritten - writtenBefore;
    });
  }

  #moduleAnswer(path: string): StubAnswer {
    return this.#table.answer(path) ?? textAnswer(404, `not found: ${path}\n`);
  }

  /** The answer below `/sumdb/`; undefined for every other path. */
  async #sumdb(url: string): Promise<StubAnswer | undefined> {
    const [, name, path = ""] = /^\/sumdb\/(.+?)(\/(?:supported|latest|lookup\/.+|tile\/.+))$/.exec(url) ?? [];
    if (name === undefined) return undefined;
    if (this.#database?.name !== name) return textAnswer(404, "not found: unknown database\n");
    if (path === "/supported") return textAnswer(200, "");
    const { status, contentType, bytes } = await this.#database.answer(path);
    return { status, headers: { "content-type": contentType }, body: bytes };
  }
}

function refusal(request: IncomingMessage): StubAnswer | undefined {
  const { method, url = "/" } = request;
  if (method !== "GET" && method !== "HEAD") {
    const refused = textAnswer(405, "only GET and HEAD\n");
    return { ...refused, headers: { ...refused.headers, allow: "GET, HEAD" } };
  }
  return /%(?:2f|5c)/i.test(url) ? textAnswer(400, "bad request target\n") : undefined;
}

/** Paths are counted and faulted in their decoded form, so that `%21` and `!` are one path. */
function decodePath(url: string): string {
  try {
    return decodeURIComponent(url.split("?", 1)[0] ?? "");
  } catch {
    return url;
  }
}
