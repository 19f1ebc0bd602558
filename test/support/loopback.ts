// Servers on loopback for tests of sockets: they end with their test.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, LookupFunction, Server, Socket } from "node:net";
import { connect, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import { atEnd } from "./at-end.ts";

/** Listens on a free port; connections are broken when the test ends. */
export async function listen(
  t: TestContext,
  server: Server,
  at: { host?: string; port?: number } = {},
): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((done, failed) => {
    server.once("error", failed).listen(at.port ?? 0, at.host ?? "127.0.0.1", done);
  });
  atEnd(t, () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A port that nobody listens on now, for programs that cannot be told to take any. */
export async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done()));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** A resolver that knows these names and no other. */
export function fakeLookup(names: Readonly<Record<string, readonly string[]>>): LookupFunction {
  return (hostname, options, callback) => {
    const addresses = (names[hostname] ?? []).map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    const [first] = addresses;
    if (first === undefined) callback(Object.assign(new Error(`no ${hostname}`), { code: "ENOTFOUND" }), [], 0);
    else if (options.all === true) callback(null, addresses);
    else callback(null, first.address, first.family);
  };
}

export type Authority = {
  readonly ca: string;
  /** A certificate for these DNS names, or for a client. */
  issue(subject: string, names: readonly string[]): { readonly cert: string; readonly key: string };
};

/** A certificate authority made by openssl; undefined, with a loud skip, where there is none. */
export function makeAuthority(t: TestContext): Authority | undefined {
  const dir = mkdtempSync(join(tmpdir(), "granary-ca-"));
  atEnd(t, () => rmSync(dir, { recursive: true }));
  const file = (name: string): string => join(dir, name);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { stdio: "ignore" });
  try {
    openssl("req", "-x509", ...newKey, "-subj", "/CN=Test CA", "-keyout", file("ca.key"), "-out", file("ca.pem"));
  } catch {
    t.skip("LOUD: no openssl here, the TLS cases did not run");
    return undefined;
  }
  const issue: Authority["issue"] = (subject, names) => {
    const [cert, key] = [file(`${subject}.pem`), file(`${subject}.key`)];
    const signed = ["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-addext", "basicConstraints=CA:FALSE"];
    const alternative =
      names.length === 0 ? [] : ["-addext", `subjectAltName=${names.map((n) => `DNS:${n}`).join(",")}`];
    openssl(
      "req",
      "-x509",
      ...newKey,
      ...signed,
      "-subj",
      `/CN=${subject}`,
      ...alternative,
      "-keyout",
      key,
      "-out",
      cert,
    );
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  };
  return { ca: readFileSync(file("ca.pem"), "utf8"), issue };
}

export type TestProxy = { readonly url: string; readonly seen: string[] };

/**
 * An egress proxy: tunnels CONNECT to `ports[host]` and forwards absolute http URLs there, for those who send
 * `credentials` (`user:pass`) when it wants some. It writes down what it was asked.
 */
export async function egressProxy(
  t: TestContext,
  options: { readonly ports: Readonly<Record<string, number>>; readonly credentials?: string },
): Promise<TestProxy> {
  const seen: string[] = [];
  const wanted = options.credentials && `Basic ${Buffer.from(options.credentials).toString("base64")}`;
  const isWelcome = ({ headers }: IncomingMessage): boolean =>
    wanted === undefined || headers["proxy-authorization"] === wanted;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    seen.push(`${request.method} ${request.url}`);
    response.writeHead(isWelcome(request) ? 200 : 407).end(`forwarded for ${request.headers.host}`);
  });
  server.on("connect", (request: IncomingMessage, client: Socket) => {
    seen.push(`CONNECT ${request.url}`);
    const port = options.ports[request.url?.replace(/:\d+$/, "") ?? ""];
    if (!isWelcome(request)) return void client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    if (port === undefined) return void client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const tunnel = connect(port, "127.0.0.1", () => client.write("HTTP/1.1 200 Connection established\r\n\r\n"));
    tunnel.on("error", () => client.destroy());
    tunnel.pipe(client).pipe(tunnel);
  });
  return { url: `http://127.0.0.1:${await listen(t, server)}`, seen };
}

const hole = `
  const { parentPort, workerData } = require("node:worker_threads");
  const server = require("node:net").createServer().listen({ ...workerData, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 20);
  });`;

/** An address that takes a connection's SYN and says nothing: a server that never accepts, its queue full. */
export async function blackHole(t: TestContext, at: { readonly host: string; readonly port: number }): Promise<void> {
  const worker = new Worker(hole, { eval: true, workerData: at });
  const fillers: Socket[] = [];
  atEnd(t, async () => {
    for (const socket of fillers) socket.destroy();
    await worker.terminate();
  });
  await new Promise((done, failed) => worker.once("message", done).once("error", failed));
  await new Promise((done) => setTimeout(done, 100));
  for (let tries = 0; tries < 16; tries++) {
    const filler = connect(at.port, at.host).on("error", () => undefined);
    fillers.push(filler);
    const connected = await new Promise((done) => {
      filler.once("connect", () => done(true));
      setTimeout(() => done(false), 300);
    });
    if (connected === false) return;
  }
  throw new Error(`${at.host} still accepts connections`);
}
