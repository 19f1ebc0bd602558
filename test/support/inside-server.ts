// A Granary inside this process: the whole product but for its command line, on a loopback port, over a store of the
// caller's. For tests that open hundreds of stores, or that must see what a server does to its disk.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { makeLog } from "#adapters/telemetry/log.ts";
import { loadConfig } from "#app/config.ts";
import type { Flags } from "#app/config.ts";
import { wire } from "#app/wire.ts";

export type Place = {
  /** The store. */
  readonly root: string;
  /** GOPROXY and GOSUMDB syntax. */
  readonly upstream: string;
  readonly sumdb: string;
};

export type Answer = {
  readonly status: number;
  readonly body: Buffer;
};

export type InsideServer = {
  readonly url: string;
  /** The whole answer; undefined when it broke off. Rejects when the server says nothing for long: it hangs. */
  get(path: string): Promise<Answer | undefined>;
  close(): Promise<void>;
};

/** Far above what any request here takes on a busy machine: past this it is a hang. */
const hangMs = 30_000;

/** @param more settings, as on the command line */
export async function openInside(place: Place, verifyEntry: URL, more: Flags["values"] = {}): Promise<InsideServer> {
  const { root: store, upstream, sumdb } = place;
  const config = await loadConfig({
    // Nothing fetched ahead: what a test asks for is what happens.
    flags: { values: { store, upstream, sumdb: [sumdb], prefetch: "off", ...more } },
    machine: { env: { GOENV: "off" }, platform: "linux", home: "/nowhere", readFile: () => Promise.resolve(undefined) },
  });
  const log = makeLog({ format: "text", level: "silent", write: () => undefined });
  const server = await wire({ config, log, verifyEntry });
  const http = createServer(server.handler);
  // A test may hold up this thread for longer than the usual five seconds; a client must not find its connection gone.
  http.keepAliveTimeout = 2 * hangMs;
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return {
    url,
    get: (path) => getWhole(url + path),
    close: async () => {
      http.closeAllConnections();
      http.close();
      await server.close();
    },
  };
}

/** The whole answer to one request; undefined when it broke off. */
export async function getWhole(url: string): Promise<Answer | undefined> {
  const signal = AbortSignal.timeout(hangMs);
  try {
    const response = await fetch(url, { signal });
    return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
  } catch (error) {
    if (signal.aborted) throw new Error(`${url} hangs`, { cause: error });
    return undefined;
  }
}
