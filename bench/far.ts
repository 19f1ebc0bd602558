// An upstream some way off: answers GOPROXY requests from a module cache's download folder after a delay, counts
// them, and while it may ("live") fetches what the folder lacks of the checksum database once from the machine's own
// proxy and keeps it. Frozen, it answers from what it has only.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { getBytes } from "./client.ts";

export type FarOptions = {
  /** GOPROXY layout on disk. */
  readonly root: string;
  /** Base URL of a real proxy, for checksum records and tiles that are not in `root`. */
  readonly live: string | undefined;
  /** Serve the checksum database at the root of an https listener too, as Athens wants it. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly database: string };
};

export class FarUpstream {
  delayMs = 0;
  /** No more live requests. */
  frozen = false;
  readonly #options: FarOptions;
  readonly #servers: Server[] = [];
  readonly #counts = new Map<string, number>();
  readonly #running = new Map<string, Promise<Buffer | undefined>>();
  /** Small files are kept in memory, so that the far end costs little of the shared processors. */
  readonly #memory = new Map<string, Buffer>();
  url = "";
  tlsUrl: string | undefined;

  constructor(options: FarOptions) {
    this.#options = options;
  }

  async open(): Promise<this> {
    const plain = createServer((request, response) => void this.#answer(request, response, ""));
    this.url = `http://127.0.0.1:${await listen(plain)}`;
    this.#servers.push(plain);
    const { tls } = this.#options;
    if (tls !== undefined) {
      const prefix = `/sumdb/${tls.database}`;
      const secure = createTlsServer(tls, (request, response) => void this.#answer(request, response, prefix));
      this.tlsUrl = `https://127.0.0.1:${await listen(secure)}`;
      this.#servers.push(secure);
    }
    return this;
  }

  /** How often each path was asked since the last reset. */
  counts(): ReadonlyMap<string, number> {
    return new Map(this.#counts);
  }

  resetCounts(): void {
    this.#counts.clear();
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, prefix: string): Promise<void> {
    const path = prefix + decodeURIComponent((request.url ?? "/").split("?", 1)[0] ?? "/");
    this.#counts.set(path, (this.#counts.get(path) ?? 0) + 1);
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    const body = await this.#find(path);
    const status = body === undefined ? 404 : 200;
    const bytes = body ?? Buffer.from("not found\n");
    response.writeHead(status, { "content-type": typeOf(path), "content-length": bytes.length });
    response.end(request.method === "HEAD" ? undefined : bytes);
  }

  async #find(path: string): Promise<Buffer | undefined> {
    const kept = this.#memory.get(path);
    if (kept !== undefined) return kept;
    // One look per path at a time: a herd must not read a large file a thousand times.
    const running = this.#running.get(path) ?? this.#look(path).finally(() => this.#running.delete(path));
    this.#running.set(path, running);
    return running;
  }

  async #look(path: string): Promise<Buffer | undefined> {
    if (path.endsWith("/supported")) return Buffer.alloc(0);
    const body = path.endsWith("/@latest") ? await this.#latest(path) : await this.#file(path);
    if (body !== undefined && body.length < 1 << 20) this.#memory.set(path, body);
    return body;
  }

  async #file(path: string): Promise<Buffer | undefined> {
    if (path.split("/").includes("..")) return undefined;
    const file = join(this.#options.root, path);
    const kept = await readFile(file).catch(() => undefined);
    const { live } = this.#options;
    if (kept !== undefined || live === undefined || this.frozen || !path.startsWith("/sumdb/")) return kept;
    const fetched = await getBytes(live + path).catch(() => undefined);
    if (fetched === undefined) return undefined;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, fetched);
    return fetched;
  }

  async #latest(path: string): Promise<Buffer | undefined> {
    const module = path.slice(0, -"/@latest".length);
    const list = (await this.#file(`${module}/@v/list`))?.toString() ?? "";
    const versions = list.trim().split("\n");
    // As `go` chooses: a release before anything else.
    const newest = versions.findLast((version) => !version.includes("-")) ?? versions.at(-1) ?? "";
    return newest === "" ? undefined : this.#file(`${module}/@v/${newest}.info`);
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0, backlog: 2048 }, resolve));
  return (server.address() as AddressInfo).port;
}

function typeOf(path: string): string {
  if (path.endsWith(".zip")) return "application/zip";
  if (path.endsWith(".info") || path.endsWith("/@latest")) return "application/json";
  return path.includes("/tile/") ? "application/octet-stream" : "text/plain; charset=utf-8";
}
