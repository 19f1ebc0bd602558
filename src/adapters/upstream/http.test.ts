import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, LookupFunction, Server, Socket } from "node:net";
import { connect, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import type { FaultReason, UpstreamEndpoint, UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { HttpUpstreamClient } from "./http.ts";
import type { HttpUpstreamOptions } from "./http.ts";

const userAgent = "Granary/0 (+module proxy)";
const names = ["up.test", "public.test", "other.test"];

/** Every name of the tests is at loopback; nothing else resolves. */
const lookup: LookupFunction = (hostname, options, callback) => {
  const error = Object.assign(new Error(`no ${hostname}`), { code: "ENOTFOUND" });
  if (!names.includes(hostname)) callback(error, [], 0);
  else if (options.all === true) callback(null, [{ address: "127.0.0.1", family: 4 }]);
  else callback(null, "127.0.0.1", 4);
};

function clientFor(t: TestContext, options: Partial<HttpUpstreamOptions> = {}): HttpUpstreamClient {
  const client = new HttpUpstreamClient({ userAgent, lookup, ...options });
  atEnd(t, () => client.close());
  return client;
}

async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  atEnd(t, () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
const serve = (t: TestContext, handler: Handler): Promise<number> => listen(t, createServer(handler));

/** A server that says these raw bytes and then does `after` to the socket. */
function speak(t: TestContext, bytes: string, after: (socket: Socket) => void = (s) => s.end()): Promise<number> {
  return listen(
    t,
    createTcpServer((socket) => {
      socket.once("data", () => socket.write(bytes, () => after(socket)));
    }),
  );
}

function endpoint(url: string, redirectCidrs: readonly string[] = []): UpstreamEndpoint {
  return { name: "stub", url, redirectCidrs };
}

function get(
  client: HttpUpstreamClient,
  at: UpstreamEndpoint,
  more: { maxBytes?: number; path?: string; signal?: AbortSignal; headers?: Record<string, string> } = {},
): Promise<UpstreamResponse> {
  return client.get(at, { path: "/m/@v/list", maxBytes: 1 << 20, signal: new AbortController().signal, ...more });
}

async function text(response: UpstreamResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function reasonOf(work: Promise<unknown>): Promise<FaultReason> {
  const error = await work.then(
    () => assert.fail("no fault"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof UpstreamFault)) throw error;
  assert.equal(error.upstream, "stub");
  return error.reason;
}

test("a request keeps the path's bytes, the base path and the base's query, and names itself", async (t) => {
  let seen: IncomingMessage | undefined;
  const port = await serve(t, (request, response) => {
    seen = request;
    response.end("v1.0.0\n");
  });
  const response = await get(clientFor(t), endpoint(`http://127.0.0.1:${port}/base?key=1`), {
    path: "/!azure/%21x/@v/feat%231.info",
    headers: { "x-granary-hops": "1" },
  });
  assert.equal(response.status, 200);
  assert.equal(await text(response), "v1.0.0\n");
  assert.equal(seen?.url, "/base/!azure/%21x/@v/feat%231.info?key=1");
  assert.equal(seen.headers["user-agent"], userAgent);
  assert.equal(seen.headers["accept-encoding"], "identity");
  assert.equal(seen.headers["x-granary-hops"], "1");
  assert.equal(seen.headers.authorization, undefined);
  assert.equal(response.url, `http://127.0.0.1:${port}/base/!azure/%21x/@v/feat%231.info`);
});

test("every status is an answer, HTML too", async (t) => {
  const port = await serve(t, (request, response) => {
    response.writeHead(Number(request.url?.slice(1)), { "content-type": "text/html" }).end();
  });
  const client = clientFor(t);
  for (const status of [200, 204, 206, 304, 400, 404, 410, 429, 451, 500, 503]) {
    const response = await get(client, endpoint(`http://127.0.0.1:${port}`), { path: `/${status}` });
    assert.equal(response.status, status);
    assert.equal(response.headers["content-type"], "text/html");
    response.cancel();
  }
});

test("connections are kept and used again, also after a cancelled small body", async (t) => {
  const server = createServer((_request, response) => response.end("x"));
  let connections = 0;
  server.on("connection", () => connections++);
  const at = endpoint(`http://127.0.0.1:${await listen(t, server)}`);
  const client = clientFor(t);
  for (let request = 0; request < 20; request++) {
    const response = await get(client, at);
    if (request % 2 === 0) await text(response);
    else response.cancel();
    await new Promise((done) => setImmediate(done));
  }
  // A request may find the last connection not yet free; but most do not need a new one.
  assert.ok(connections <= 5, `${connections} connections`);
});

test("a kept connection that dies before it answers is not the upstream's failure", async (t) => {
  const port = await listen(
    t,
    createTcpServer((socket) => {
      let requests = 0;
      socket.on("data", () => {
        if (requests++ > 0) socket.end();
        else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      });
    }),
  );
  const client = clientFor(t);
  assert.equal(await text(await get(client, endpoint(`http://127.0.0.1:${port}`))), "ok");
  assert.equal(await text(await get(client, endpoint(`http://127.0.0.1:${port}`))), "ok");
});

test("nobody listens: refused", async (t) => {
  const server = createTcpServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  assert.equal(await reasonOf(get(clientFor(t), endpoint(`http://127.0.0.1:${port}`))), "refused");
});

test("an unknown name: unresolved", async (t) => {
  assert.equal(await reasonOf(get(clientFor(t), endpoint("http://nowhere.invalid"))), "unresolved");
});

const beforeHeaders: readonly (readonly [string, (socket: Socket) => void])[] = [
  ["RST", (socket) => socket.resetAndDestroy()],
  ["FIN", (socket) => socket.end()],
];
for (const [how, end] of beforeHeaders)
  test(`${how} before the headers: reset`, async (t) => {
    const port = await listen(
      t,
      createTcpServer((socket) => socket.once("data", () => end(socket))),
    );
    assert.equal(await reasonOf(get(clientFor(t), endpoint(`http://127.0.0.1:${port}`))), "reset");
  });

test("RST in the body: reset", async (t) => {
  const head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome";
  const port = await speak(t, head, (socket) => setTimeout(() => socket.resetAndDestroy(), 20));
  const response = await get(clientFor(t), endpoint(`http://127.0.0.1:${port}`));
  assert.equal(await reasonOf(text(response)), "reset");
});

const truncations = {
  "content-length": "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome",
  chunked: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nsome\r\n",
};
for (const [framing, bytes] of Object.entries(truncations))
  test(`a body that ends early (${framing}): truncated`, async (t) => {
    const port = await speak(t, bytes);
    const work = get(clientFor(t), endpoint(`http://127.0.0.1:${port}`)).then(text);
    assert.equal(await reasonOf(work), "truncated");
  });

test("silence instead of headers: timeout", async (t) => {
  const port = await serve(t, () => undefined);
  const client = clientFor(t, { responseHeaderTimeoutMs: 100 });
  assert.equal(await reasonOf(get(client, endpoint(`http://127.0.0.1:${port}`))), "timeout");
});

test("a body that stalls: timeout", async (t) => {
  const port = await serve(t, (_request, response) => response.writeHead(200, { "content-length": "9" }).write("x"));
  const client = clientFor(t, { bodyIdleTimeoutMs: 100 });
  assert.equal(await reasonOf(text(await get(client, endpoint(`http://127.0.0.1:${port}`)))), "timeout");
});

test("a TLS handshake that never ends: timeout", async (t) => {
  const port = await listen(
    t,
    createTcpServer(() => undefined),
  );
  const client = clientFor(t, { tlsHandshakeTimeoutMs: 100 });
  assert.equal(await reasonOf(get(client, endpoint(`https://127.0.0.1:${port}`))), "timeout");
});

test("TLS to a server that does not speak it: tls", async (t) => {
  const port = await speak(t, "HTTP/1.1 400 Bad Request\r\n\r\n");
  assert.equal(await reasonOf(get(clientFor(t), endpoint(`https://127.0.0.1:${port}`))), "tls");
});

test("what is not HTTP: malformed", async (t) => {
  const port = await speak(t, "SSH-2.0-OpenSSH_9.9\r\n");
  assert.equal(await reasonOf(get(clientFor(t), endpoint(`http://127.0.0.1:${port}`))), "malformed");
});

test("headers without end: malformed", async (t) => {
  const port = await speak(t, `HTTP/1.1 302 Found\r\nlocation: /${"x".repeat(1 << 20)}\r\n\r\n`);
  assert.equal(await reasonOf(get(clientFor(t), endpoint(`http://127.0.0.1:${port}`))), "malformed");
});

test("Content-Length above the cap: too-large before a byte is read", async (t) => {
  const port = await serve(t, (_request, response) =>
    response.writeHead(200, { "content-length": "11" }).flushHeaders(),
  );
  const work = get(clientFor(t), endpoint(`http://127.0.0.1:${port}`), { maxBytes: 10 });
  assert.equal(await reasonOf(work), "too-large");
});

test("a body longer than the cap: too-large", async (t) => {
  const port = await serve(t, (_request, response) => {
    response.write("0123456789");
    response.end("x");
  });
  const response = await get(clientFor(t), endpoint(`http://127.0.0.1:${port}`), { maxBytes: 10 });
  assert.equal(await reasonOf(text(response)), "too-large");
});

test("an error page above the cap is an answer; only its body is refused", async (t) => {
  const port = await serve(t, (_request, response) => response.writeHead(404).end("x".repeat(100)));
  const response = await get(clientFor(t), endpoint(`http://127.0.0.1:${port}`), { maxBytes: 10 });
  assert.equal(response.status, 404);
  assert.equal(await reasonOf(text(response)), "too-large");
});

function serveCoded(t: TestContext, coding: string | string[], body: Uint8Array): Promise<number> {
  return serve(t, (_request, response) => response.setHeader("content-encoding", coding).end(body));
}

test("one gzip of a small file is decoded", async (t) => {
  const port = await serveCoded(t, "gzip", gzipSync("v1.0.0\n"));
  assert.equal(await text(await get(clientFor(t), endpoint(`http://127.0.0.1:${port}`))), "v1.0.0\n");
});

test("a gzip bomb stops at the cap", async (t) => {
  const port = await serveCoded(t, "gzip", gzipSync(Buffer.alloc(1 << 24)));
  const response = await get(clientFor(t), endpoint(`http://127.0.0.1:${port}`), { maxBytes: 1 << 20 });
  let read = 0;
  const work = (async () => {
    for await (const chunk of response.body) read += chunk.length;
  })();
  assert.equal(await reasonOf(work), "too-large");
  assert.ok(read <= 1 << 20);
});

test("half a gzip: truncated; no gzip at all: malformed", async (t) => {
  const whole = gzipSync("v1.0.0\nv1.1.0\n");
  const cases = [
    [whole.subarray(0, whole.length - 9), "truncated"],
    [Buffer.from("v1.0.0\n"), "malformed"],
  ] as const;
  for (const [bytes, want] of cases) {
    const port = await serveCoded(t, "gzip", bytes);
    assert.equal(await reasonOf(get(clientFor(t), endpoint(`http://127.0.0.1:${port}`)).then(text)), want);
  }
});

const codings: readonly (readonly [string, string | string[], number])[] = [
  ["br", "br", 1 << 20],
  ["gzip of a gzip", "gzip, gzip", 1 << 20],
  ["two headers", ["gzip", "gzip"], 1 << 20],
  ["1,000 gzips", Array.from({ length: 1000 }, () => "gzip").join(","), 1 << 20],
  ["gzip of a zip", "gzip", 500 << 20],
];
for (const [name, coding, maxBytes] of codings)
  test(`Content-Encoding ${name}: encoding`, async (t) => {
    const port = await serveCoded(t, coding, gzipSync("x"));
    assert.equal(await reasonOf(get(clientFor(t), endpoint(`http://127.0.0.1:${port}`), { maxBytes })), "encoding");
  });

test("nine redirects are followed, the tenth is not", async (t) => {
  const port = await serve(t, (request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.end("there");
    else response.writeHead(302, { location: `/${left - 1}` }).end();
  });
  const at = endpoint(`http://127.0.0.1:${port}`);
  const client = clientFor(t);
  const response = await get(client, at, { path: "/9" });
  assert.equal(await text(response), "there");
  assert.equal(response.url, `http://127.0.0.1:${port}/0`);
  assert.equal(await reasonOf(get(client, at, { path: "/10" })), "redirect");
});

for (const location of [undefined, "http://[", "gopher://127.0.0.1/x", "file:///etc/passwd"])
  test(`a redirect to ${location ?? "nowhere"}: redirect`, async (t) => {
    const port = await serve(t, (_request, response) =>
      response.writeHead(302, location === undefined ? {} : { location }).end(),
    );
    assert.equal(await reasonOf(get(clientFor(t), endpoint(`http://127.0.0.1:${port}`))), "redirect");
  });

/** A server nobody may reach; counts who does. */
async function canary(t: TestContext): Promise<{ readonly port: number; connections: number }> {
  const server = createServer((_request, response) => response.end("secret"));
  const seen = { port: await listen(t, server), connections: 0 };
  server.on("connection", () => seen.connections++);
  return seen;
}

const hiding = [
  "127.0.0.1",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "0x7f.1",
  "2130706433",
  "0.0.0.0",
  "other.test",
  "localhost",
];
for (const host of hiding)
  test(`an upstream cannot redirect us to ${host}`, async (t) => {
    const target = await canary(t);
    const port = await serve(t, (_request, response) =>
      response.writeHead(302, { location: `http://${host}:${target.port}/` }).end(),
    );
    const resolveAll: LookupFunction = (name, options, callback) =>
      lookup(name === "localhost" ? "up.test" : name, options, callback);
    const client = clientFor(t, { lookup: resolveAll });
    assert.equal(await reasonOf(get(client, endpoint(`http://public.test:${port}`))), "redirect");
    assert.equal(target.connections, 0);
  });

test("a connection allowed for one upstream carries no other upstream's redirect", async (t) => {
  const target = await canary(t);
  const port = await serve(t, (_request, response) =>
    response.writeHead(302, { location: `http://other.test:${target.port}/` }).end(),
  );
  const client = clientFor(t);
  assert.equal(await text(await get(client, endpoint(`http://other.test:${target.port}`))), "secret");
  assert.equal(await reasonOf(get(client, endpoint(`http://public.test:${port}`))), "redirect");
  assert.equal(await text(await get(client, endpoint(`http://public.test:${port}`, ["127.0.0.0/8"]))), "secret");
  assert.equal(await reasonOf(get(client, endpoint(`http://public.test:${port}`, ["10.0.0.0/8"]))), "redirect");
});

test("credentials go to the configured host and are gone for good at the first other one", async (t) => {
  const seen: (readonly [string | undefined, string | undefined, string | undefined])[] = [];
  let port = 0;
  const hops: Record<string, string> = { "/m/@v/list": "/same", "/same": "other.test", "/away": "up.test" };
  port = await serve(t, (request, response) => {
    seen.push([request.headers.host?.replace(/:.*/, ""), request.url, request.headers.authorization]);
    const next = hops[request.url ?? ""];
    if (next === undefined) response.end("ok");
    else if (next === "/same") response.writeHead(307, { location: next }).end();
    else
      response
        .writeHead(307, { location: `http://x:y@${next}:${port}/${next === "other.test" ? "away" : "back"}` })
        .end();
  });
  const at = endpoint(`http://me:p%40ss@up.test:${port}`, ["127.0.0.1"]);
  const response = await get(clientFor(t), at);
  const basic = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;
  assert.deepEqual(seen, [
    ["up.test", "/m/@v/list", basic],
    ["up.test", "/same", basic],
    ["other.test", "/away", undefined],
    ["up.test", "/back", undefined],
  ]);
  assert.equal(response.url, `http://up.test:${port}/back`);
  response.cancel();
});

test("our own abort, before the answer and in the body: aborted", async (t) => {
  const port = await serve(t, (request, response) => {
    if (request.url === "/body") response.writeHead(200, { "content-length": "9" }).write("x");
  });
  const client = clientFor(t);
  const at = endpoint(`http://127.0.0.1:${port}`);
  const first = new AbortController();
  const waiting = get(client, at, { signal: first.signal });
  setTimeout(() => first.abort(), 20);
  assert.equal(await reasonOf(waiting), "aborted");
  const second = new AbortController();
  const response = await get(client, at, { signal: second.signal, path: "/body" });
  setTimeout(() => second.abort(), 20);
  assert.equal(await reasonOf(text(response)), "aborted");
  assert.equal(await reasonOf(get(client, at, { signal: AbortSignal.abort() })), "aborted");
});

/** A self-signed pair for `up.test` made by openssl, or undefined where there is none. */
function certificate(t: TestContext): { readonly cert: string; readonly key: string } | undefined {
  const dir = mkdtempSync(join(tmpdir(), "granary-cert-"));
  atEnd(t, () => rmSync(dir, { recursive: true }));
  const [cert, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=up.test";
  const names = ["-addext", "subjectAltName=DNS:up.test,DNS:other.test", "-keyout", key, "-out", cert];
  try {
    execFileSync("openssl", [...request.split(" "), ...names], { stdio: "ignore" });
  } catch {
    t.skip("LOUD: no openssl here, the TLS cases did not run");
    return undefined;
  }
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}

test("an unknown certificate: tls; with its CA it is trusted; https never becomes http", async (t) => {
  const pair = certificate(t);
  if (pair === undefined) return;
  const plain = await canary(t);
  const port = await listen(
    t,
    createTlsServer(pair, (request, response) => {
      if (request.url === "/down") response.writeHead(302, { location: `http://up.test:${plain.port}/` }).end();
      else response.end("safe");
    }),
  );
  const at = endpoint(`https://up.test:${port}`);
  assert.equal(await reasonOf(get(clientFor(t), at)), "tls");
  const trusting = clientFor(t, { extraCa: [pair.cert] });
  assert.equal(await text(await get(trusting, at)), "safe");
  assert.equal(await reasonOf(get(trusting, endpoint(`https://public.test:${port}`))), "tls");
  assert.equal(await reasonOf(get(trusting, at, { path: "/down" })), "redirect");
  assert.equal(plain.connections, 0);
});

/** An egress proxy: forwards absolute requests, tunnels CONNECT to `port` whatever the name. */
async function egress(t: TestContext, port: number): Promise<{ readonly url: string; readonly seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.end("by proxy");
  });
  server.on("connect", (request: IncomingMessage, client: Socket) => {
    seen.push(`CONNECT ${request.url}`);
    if (request.url?.startsWith("other.test") === true) {
      client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    const tunnel = connect(port, "127.0.0.1", () => client.write("HTTP/1.1 200 OK\r\n\r\n"));
    tunnel.on("error", () => client.destroy());
    tunnel.pipe(client).pipe(tunnel);
  });
  return { url: `http://127.0.0.1:${await listen(t, server)}`, seen };
}

test("egress proxies are used but for NO_PROXY and loopback", async (t) => {
  const pair = certificate(t);
  if (pair === undefined) return;
  const secure = await listen(
    t,
    createTlsServer(pair, (_request, response) => response.end("by tunnel")),
  );
  const plain = await serve(t, (_request, response) => response.end("direct"));
  const proxy = await egress(t, secure);
  const client = clientFor(t, {
    extraCa: [pair.cert],
    proxies: { http: proxy.url, https: proxy.url, no: "public.test" },
  });
  assert.equal(await text(await get(client, endpoint("https://up.test"))), "by tunnel");
  assert.equal(await text(await get(client, endpoint("http://up.test"))), "by proxy");
  assert.equal(await text(await get(client, endpoint(`http://public.test:${plain}`))), "direct");
  assert.equal(await text(await get(client, endpoint(`http://127.0.0.1:${plain}`))), "direct");
  assert.equal(await reasonOf(get(client, endpoint("https://other.test"))), "unreachable");
  assert.deepEqual(proxy.seen, ["CONNECT up.test:443", "GET http://up.test/m/@v/list", "CONNECT other.test:443"]);
});

test("a closed client gives up what runs and takes nothing new", async (t) => {
  const port = await serve(t, () => undefined);
  const client = clientFor(t);
  const running = reasonOf(get(client, endpoint(`http://127.0.0.1:${port}`)));
  await new Promise((done) => setTimeout(done, 20));
  await client.close();
  assert.equal(await running, "aborted");
  assert.equal(await reasonOf(get(client, endpoint(`http://127.0.0.1:${port}`))), "aborted");
});
