// A made-up environment and the world around it: three fake proxies on loopback that know a module, do not, or fail; a
// checksum database; and a recorder in the place of HTTPS_PROXY that sees every connection that would leave the machine.
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Happening, Operation } from "#services/environment/happenings.ts";
import type { TestDatabase } from "#services/lab/sumdb-server.ts";
import { makeModule } from "./modules.ts";
import { startStubUpstream } from "./stub-upstream.ts";
import type { StubUpstream } from "./stub-upstream.ts";
import { startUpstreams } from "./world.ts";

/** How one fake proxy meets one module. */
export const attitudes = ["knows", 404, 410, 403, 429, 500, 503, "reset", "html", "badjson"] as const;
export type Attitude = (typeof attitudes)[number];

/** `A` to `C`: fake proxies. `out`: a connection to somewhere else, as HTTPS_PROXY saw it. */
export type SeenRequest = { readonly to: string; readonly path: string };

export const hopNames = ["A", "B", "C"] as const;
export type HopName = (typeof hopNames)[number];

/** Nobody listens there. */
export const deadProxy = "http://127.0.0.1:1";

export class EnvWorld {
  readonly #stubs: Readonly<Record<HopName, StubUpstream>>;
  readonly #recorder: Server;
  readonly #seen: SeenRequest[];
  readonly database: TestDatabase;

  private constructor(of: {
    stubs: Readonly<Record<HopName, StubUpstream>>;
    recorder: Server;
    seen: SeenRequest[];
    database: TestDatabase;
  }) {
    this.#stubs = of.stubs;
    this.#recorder = of.recorder;
    this.#seen = of.seen;
    this.database = of.database;
  }

  /** @param modules paths, each with one version v1.0.0, all known to everybody as long as no attitude says otherwise */
  static async start(modules: readonly string[]): Promise<EnvWorld> {
    const seen: SeenRequest[] = [];
    const fixtures = modules.map((path) => makeModule({ path, version: "v1.0.0" }));
    const note = (to: string) => (path: string) => void seen.push({ to, path });
    const first = await startUpstreams(fixtures, { onRequest: note("A"), keepAlive: false });
    const start = (to: HopName): Promise<StubUpstream> =>
      startStubUpstream({ modules: fixtures, onRequest: note(to), keepAlive: false, database: first.database });
    const recorder = await startRecorder(seen);
    const stubs = { A: first.stub, B: await start("B"), C: await start("C") };
    return new EnvWorld({ stubs, recorder, seen, database: first.database });
  }

  url(name: HopName): string {
    return this.#stubs[name].url;
  }

  get outside(): string {
    return `http://127.0.0.1:${(this.#recorder.address() as AddressInfo).port}`;
  }

  /** From now on the proxy meets everything of the module in this way. */
  meet(name: HopName, module: string, attitude: Attitude): void {
    if (attitude === "knows") return;
    const fault =
      typeof attitude === "number"
        ? ({ kind: "status", status: attitude } as const)
        : attitude === "badjson"
          ? ({ kind: "bytes", body: "{" } as const)
          : ({ kind: attitude } as const);
    this.#stubs[name].fault(new RegExp(`^/${module.replaceAll(".", "\\.")}/@`), fault);
  }

  /** From now on the proxy answers so when it is asked whether it relays the database. */
  relay(name: HopName, status: number): void {
    if (status !== 200) this.#stubs[name].fault(/^\/sumdb\/.*\/supported$/, { kind: "status", status });
  }

  /** All know everything again. */
  calm(): void {
    for (const stub of Object.values(this.#stubs)) stub.clearFaults();
  }

  /** What was asked since the last time, in order. */
  take(): readonly SeenRequest[] {
    return this.#seen.splice(0);
  }

  async close(): Promise<void> {
    this.#recorder.closeAllConnections();
    await new Promise((resolve) => this.#recorder.close(resolve));
    for (const stub of Object.values(this.#stubs)) await stub.close();
  }
}

/** What the model is told of an attitude. */
export function happeningOf(attitude: Attitude, operation: Operation): Happening {
  if (attitude === "knows") return 200;
  return typeof attitude === "number" ? attitude : operation === "info" || attitude !== "badjson" ? attitude : "html";
}

/** An HTTP proxy that lets nothing through and remembers where people wanted to go. */
async function startRecorder(seen: SeenRequest[]): Promise<Server> {
  const server = createServer((request, response) => {
    seen.push({ to: "out", path: request.url ?? "" });
    response.writeHead(502).end();
  });
  server.on("connect", (request, socket) => {
    seen.push({ to: "out", path: request.url ?? "" });
    socket.on("error", () => undefined);
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return server;
}
