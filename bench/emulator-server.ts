// The emulated upstream: a GOPROXY with latency, a bandwidth per connection, entity tags and ranges, and a bad day of
// chosen badness. It counts what it is asked and what it sends. Everything can be changed while it runs.
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { faultFor } from "./emulator-faults.ts";
import type { Fault, FaultKind } from "./emulator-faults.ts";
import { UpstreamFiles } from "./emulator-files.ts";
import type { FilesOptions } from "./emulator-files.ts";
import { sendContent, sendStatus } from "./emulator-send.ts";

export type Settings = {
  /** Before every answer; stands for both directions. */
  readonly latencyMs: number;
  /** Of each connection; 0: no limit. */
  readonly bytesPerSecond: number;
  /** Probability of a faulty answer, and what decides which. */
  readonly faults: number;
  readonly seed: number;
  /** Empty: all kinds. */
  readonly kinds: readonly FaultKind[];
  /** Answers by no more than what it has. */
  readonly frozen: boolean;
  /** Dead: every connection is reset at its first request. */
  readonly down: boolean;
  readonly stallMs: number;
  readonly dripMs: number;
};

export const calm: Settings = {
  latencyMs: 0,
  bytesPerSecond: 0,
  faults: 0,
  seed: 1,
  kinds: [],
  frozen: false,
  down: false,
  stallMs: 60_000,
  dripMs: 10_000,
};

export type EmulatorOptions = FilesOptions & {
  readonly settings?: Partial<Settings>;
  /** Begin of its entity tags: two mirrors differ. */
  readonly tagPrefix?: string;
  /** False: as some servers, it knows no ranges. */
  readonly ranges?: boolean;
  /** Serves the checksum database at the root of an https listener too, as Athens wants it. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly database: string };
};

export type Counts = {
  readonly requests: number;
  /** Body bytes that went out. */
  readonly bytes: number;
  readonly connections: number;
  /** Paths that were answered 404, some of them. */
  readonly missing: readonly string[];
  readonly paths: Readonly<Record<string, { readonly requests: number; readonly bytes: number }>>;
};

export type Injected = { readonly path: string; readonly nth: number; readonly kind: FaultKind; readonly at: number };

/** Paths told apart; a flood of unique ones counts in the totals only. */
const maxPaths = 200_000;
/** Injected faults kept for reading. */
const maxInjected = 100_000;
const maxMissing = 100;
const maxSettings = 64 << 10;

export class EmulatorServer {
  settings: Settings;
  url = "";
  tlsUrl: string | undefined;
  readonly #options: EmulatorOptions;
  readonly #files: UpstreamFiles;
  readonly #servers: Server[] = [];
  readonly #paths = new Map<string, { requests: number; bytes: number }>();
  /** How often each path was asked since the seed was set: what decides its faults, however the counts are reset. */
  readonly #nth = new Map<string, number>();
  readonly #injected: Injected[] = [];
  readonly #missing = new Set<string>();
  readonly #total = { requests: 0, bytes: 0, connections: 0 };

  constructor(options: EmulatorOptions) {
    this.#options = options;
    this.#files = new UpstreamFiles(options);
    this.settings = { ...calm, ...options.settings };
    this.#files.frozen = this.settings.frozen;
  }

  async open(at: { readonly host: string; readonly port: number } = { host: "127.0.0.1", port: 0 }): Promise<this> {
    const plain = createServer((request, response) => void this.#answer(request, response, ""));
    this.url = `http://${at.host}:${await this.#listen(plain, at)}`;
    const { tls } = this.#options;
    if (tls !== undefined) {
      const prefix = `/sumdb/${tls.database}`;
      const secure = createTlsServer(tls, (request, response) => void this.#answer(request, response, prefix));
      this.tlsUrl = `https://${at.host}:${await this.#listen(secure, { host: at.host, port: 0 })}`;
    }
    return this;
  }

  /** Changes what is given. A new seed, rate or choice of kinds starts the counting behind the faults anew. */
  set(change: Partial<Settings>): void {
    this.settings = { ...this.settings, ...change };
    this.#files.frozen = this.settings.frozen;
    if (change.seed !== undefined || change.faults !== undefined || change.kinds !== undefined) this.#nth.clear();
  }

  counts(): Counts {
    return { ...this.#total, missing: [...this.#missing], paths: Object.fromEntries(this.#paths) };
  }

  resetCounts(): void {
    this.#paths.clear();
    this.#injected.length = 0;
    Object.assign(this.#total, { requests: 0, bytes: 0, connections: 0 });
  }

  /** The faults sent since the last reset. */
  injected(): readonly Injected[] {
    return [...this.#injected];
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    }
  }

  async #listen(server: Server, at: { readonly host: string; readonly port: number }): Promise<number> {
    server.on("connection", (socket) => {
      this.#total.connections++;
      socket.setNoDelay(true);
      // A client that goes away in the middle is its own business.
      socket.on("error", () => undefined);
    });
    server.keepAliveTimeout = 120_000;
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ ...at, backlog: 2048 }, resolve);
    });
    return (server.address() as AddressInfo).port;
  }

  async #answer(request: IncomingMessage, response: ServerResponse, prefix: string): Promise<void> {
    const url = request.url ?? "/";
    if (url.startsWith("/-/")) return this.#control(request, response);
    const path = prefix + decode(url.split("?", 1)[0] ?? "/");
    const count = this.#count(path);
    if (this.settings.down) {
      response.socket?.resetAndDestroy();
      return;
    }
    const { latencyMs } = this.settings;
    if (latencyMs > 0) await sleep(latencyMs);
    try {
      await this.#send(request, response, { path, count });
    } catch (error) {
      process.stderr.write(`emulator: ${path}: ${error instanceof Error ? error.message : String(error)}\n`);
      if (response.headersSent) response.destroy();
      else sendStatus(response, 502, {});
    }
  }

  async #send(
    request: IncomingMessage,
    response: ServerResponse,
    asked: { readonly path: string; readonly count: { bytes: number } },
  ): Promise<void> {
    const { path, count } = asked;
    const content = await this.#files.find(path);
    const fault = this.#fault(path, content?.size ?? 0);
    if (content === undefined && this.#missing.size < maxMissing) this.#missing.add(path);
    if (content === undefined && fault === undefined) {
      sendStatus(response, 404, {});
      return;
    }
    const { bytesPerSecond, stallMs, dripMs } = this.settings;
    await sendContent(request, response, {
      path,
      content: content ?? { size: 0, type: "text/plain", tag: "", body: Buffer.alloc(0) },
      fault,
      bytesPerSecond,
      stallMs,
      dripMs,
      tagPrefix: this.#options.tagPrefix ?? "",
      ranges: this.#options.ranges ?? true,
      sent: (bytes) => {
        count.bytes += bytes;
        this.#total.bytes += bytes;
      },
    });
  }

  #count(path: string): { requests: number; bytes: number } {
    this.#total.requests++;
    const count = this.#paths.get(path) ?? { requests: 0, bytes: 0 };
    count.requests++;
    if (this.#paths.size < maxPaths) this.#paths.set(path, count);
    return count;
  }

  #fault(path: string, size: number): Fault | undefined {
    const { faults, seed, kinds } = this.settings;
    if (faults === 0) return undefined;
    const nth = this.#nth.get(path) ?? 0;
    if (this.#nth.size < maxPaths) this.#nth.set(path, nth + 1);
    const plan = { rate: faults, seed, ...(kinds.length === 0 ? {} : { kinds }) };
    const fault = faultFor(plan, { path, nth }, { size });
    if (fault !== undefined && this.#injected.length < maxInjected)
      this.#injected.push({ path, nth, kind: fault.kind, at: Math.round(performance.now()) });
    return fault;
  }

  /** `GET /-/counts`, `GET /-/faults`, `POST /-/reset`, `GET` and `POST /-/settings`. */
  async #control(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const what = `${request.method ?? ""} ${request.url ?? ""}`;
    if (what === "POST /-/reset") this.resetCounts();
    else if (what === "POST /-/settings") this.set(JSON.parse(await text(request)) as Partial<Settings>);
    const shown = what.includes("/-/faults")
      ? this.injected()
      : what.includes("/-/settings")
        ? this.settings
        : this.counts();
    const body = `${JSON.stringify(shown)}\n`;
    response
      .writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
      .end(body);
  }
}

async function text(request: IncomingMessage): Promise<string> {
  let all = "";
  for await (const piece of request.setEncoding("utf8")) {
    all += String(piece);
    if (all.length > maxSettings) throw new Error("too many settings");
  }
  return all;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
