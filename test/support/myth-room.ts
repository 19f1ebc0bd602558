// What a claim about go is tried in: a go client of its own, a recording upstream, a checksum database that has recorded
// what the upstream serves, and an "internet" of one machine for what go fetches directly.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { TestDatabase } from "#services/lab/sumdb-server.ts";
import { atEnd } from "./at-end.ts";
import { machineGo, newGoClient, needsGo, skipLoudly } from "./go.ts";
import type { GoClient, GoTool } from "./go.ts";
import { makeModule } from "./modules.ts";
import type { ModuleFixture } from "./modules.ts";
import { startStubUpstream } from "./stub-upstream.ts";
import type { StubUpstream } from "./stub-upstream.ts";
import { obtainGo } from "./toolchains.ts";
import { startUpstreams } from "./world.ts";

export type SeenRequest = {
  readonly method: string;
  readonly url: string;
  /** Names of its headers, sorted. */
  readonly headers: readonly string[];
};

export type MythRoom = {
  readonly go: GoClient;
  readonly stub: StubUpstream;
  readonly database: TestDatabase;
  /** GOSUMDB with the database at a URL of its own, so that no list decides whether it is asked. */
  readonly gosumdb: string;
  /** Every request of the stub, its database's too. */
  readonly seen: SeenRequest[];
};

export const hello = "example.com/hello";
export const helloV1 = `${hello}@v1.0.0`;

const usual: readonly ModuleFixture[] = ["v1.0.0", "v1.1.0"].map((version) => makeModule({ path: hello, version }));

export type RoomOptions = {
  readonly modules?: readonly ModuleFixture[];
  /** Beside GOPROXY, which is the stub, and GOSUMDB, which is off. */
  readonly env?: Readonly<Record<string, string>>;
  /** Another go than the machine's. */
  readonly tool?: GoTool;
};

/** A room, or undefined and a loud skip where there is no go. */
export async function mythRoom(
  t: TestContext,
  { modules = usual, env, tool }: RoomOptions = {},
): Promise<MythRoom | undefined> {
  const used = tool ?? (await needsGo(t));
  if (used === undefined) return undefined;
  const seen: SeenRequest[] = [];
  const { stub, database } = await startUpstreams(modules, {
    onRequest: (_path, { method = "", url = "", headers }) =>
      void seen.push({ method, url, headers: Object.keys(headers).sort() }),
  });
  atEnd(t, () => stub.close());
  const go = await newGoClient(used, { GOPROXY: stub.url, ...env });
  atEnd(t, () => go.remove());
  return { go, stub, database, seen, gosumdb: `${database.verifierKey} ${stub.url}/sumdb/${database.name}` };
}

/** One more upstream. */
export async function anotherUpstream(
  t: TestContext,
  modules: readonly ModuleFixture[] = usual,
): Promise<StubUpstream> {
  const stub = await startStubUpstream({ modules });
  atEnd(t, () => stub.close());
  return stub;
}

export type Internet = {
  /** For HTTP_PROXY and HTTPS_PROXY. */
  readonly url: string;
  /** `GET http://…` and `CONNECT host:443`, in order. */
  readonly asked: readonly string[];
  /** Variables with which go reaches it, and nothing else but loopback. */
  readonly env: Readonly<Record<string, string>>;
};

/**
 * An HTTP proxy that stands for the internet. A page with `?go-get=1` names `vanity` as where the module of that name
 * is; every other page is 404, and there is no https anywhere.
 */
export async function startInternet(t: TestContext, vanity: Readonly<Record<string, string>> = {}): Promise<Internet> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { url = "" } = request;
    asked.push(`${request.method} ${url}`);
    const name = /^http:\/\/([^?]+)\?go-get=1$/.exec(url)?.[1] ?? "";
    const base = vanity[name];
    const tag = `<html><head><meta name="go-import" content="${name} mod ${base}"></head></html>`;
    if (base === undefined) response.writeHead(404).end("no such page\n");
    else response.writeHead(200, { "content-type": "text/html" }).end(tag);
  });
  server.on("connect", ({ url = "" }, socket) => {
    asked.push(`CONNECT ${url}`);
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, asked, env: { HTTP_PROXY: url, HTTPS_PROXY: url, NO_PROXY: "" } };
}

const isLong = process.env["LONG"] === "1";

/** The machine's go, and with LONG=1 `others` too; each that cannot be had is said loudly. */
export async function goVersions(t: TestContext, others: readonly string[]): Promise<readonly GoTool[]> {
  const host = await machineGo();
  const obtained = await Promise.all((isLong ? others : []).map(obtainGo));
  for (const missing of obtained.filter((tool) => typeof tool === "string")) skipLoudly(t, missing);
  if (host === undefined) skipLoudly(t, "no `go` on PATH");
  const had = obtained.filter((tool) => typeof tool !== "string");
  return host === undefined ? had : [host, ...had];
}
