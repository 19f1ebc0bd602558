// How requests leave: through proxies with credentials, with client certificates, on record; and parts of files.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { TLSSocket } from "node:tls";
import { gzipSync } from "node:zlib";
import type { GranaryEvent } from "#services/events/ports.ts";
import type { UpstreamResponse } from "#services/upstreams/ports.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { egressProxy, fakeLookup, listen, makeAuthority } from "../../../test/support/loopback.ts";
import { HttpUpstreamClient } from "./http.ts";
import type { Egress } from "./pools.ts";

const known = ["up.test", "other.test", "proxy.test", "localhost"];
const lookup = fakeLookup(Object.fromEntries(known.map((name) => [name, ["127.0.0.1"]])));

function clientFor(t: TestContext, options: Egress = {}): HttpUpstreamClient {
  const client = new HttpUpstreamClient({ userAgent: "Granary/0", lookup, ...options });
  atEnd(t, () => client.close());
  return client;
}

type More = { headers?: Record<string, string>; maxBytes?: number; path?: string; redirectCidrs?: readonly string[] };

function get(client: HttpUpstreamClient, url: string, more: More = {}): Promise<UpstreamResponse> {
  const { redirectCidrs = [], ...rest } = more;
  const request = { path: "/m/@v/list", maxBytes: 1 << 20, signal: new AbortController().signal, ...rest };
  return client.get({ name: "stub", url, redirectCidrs }, request);
}

async function read(response: Promise<UpstreamResponse>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await response).body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const serve = (t: TestContext, handler: (request: IncomingMessage, response: ServerResponse) => void) =>
  listen(t, createServer(handler));

/** An https upstream `up.test` behind a proxy that wants credentials. */
async function behindProxy(t: TestContext) {
  const authority = makeAuthority(t);
  if (authority === undefined) return undefined;
  const port = await listen(
    t,
    createTlsServer(authority.issue("up", ["up.test"]), (_request, response) => response.end("by tunnel")),
  );
  const proxy = await egressProxy(t, { ports: { "up.test": port }, credentials: "us er:p@ss" });
  const withCredentials = proxy.url.replace("http://", "http://us%20er:p%40ss@");
  return { authority, proxy, withCredentials };
}

test("CONNECT and forwarded requests carry the proxy's credentials", async (t) => {
  const world = await behindProxy(t);
  if (world === undefined) return;
  const proxies = { http: world.withCredentials, https: world.withCredentials };
  const events: GranaryEvent[] = [];
  const client = clientFor(t, { extraCa: [world.authority.ca], proxies, tell: (event) => events.push(event) });
  assert.equal(await read(get(client, "https://up.test")), "by tunnel");
  assert.equal(await read(get(client, "http://up.test:81/base?q=1")), "forwarded for up.test:81");
  assert.deepEqual(world.proxy.seen, ["CONNECT up.test:443", "GET http://up.test:81/base/m/@v/list?q=1"]);
  assert.ok(!JSON.stringify(events).includes("p@ss") && !JSON.stringify(events).includes("p%40ss"));
  const [tunnel] = events;
  assert.ok(tunnel?.name === "egress.connected");
  assert.deepEqual(
    [tunnel.upstream, tunnel.host, tunnel.via],
    ["stub", "up.test:443", world.proxy.url.replace("http://", "")],
  );
});

test("a proxy that wants other credentials, or no tunnel to that host: unreachable, and told without them", async (t) => {
  const world = await behindProxy(t);
  if (world === undefined) return;
  const wrong = world.proxy.url.replace("http://", "http://me:secret@");
  const events: GranaryEvent[] = [];
  const tell = (event: GranaryEvent): void => void events.push(event);
  const client = clientFor(t, { extraCa: [world.authority.ca], proxies: { http: wrong, https: wrong }, tell });
  for (const url of ["https://up.test", "http://up.test"])
    await assert.rejects(get(client, url), (error: Error & { reason?: string }) => {
      assert.equal(error.reason, "unreachable");
      assert.match(error.message, /407/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  const right = clientFor(t, { proxies: { https: world.withCredentials } });
  await assert.rejects(get(right, "https://other.test"), { reason: "unreachable" });
  assert.ok(!JSON.stringify(events).includes("secret"));
  const failed = events.find(({ name }) => name === "egress.failed");
  assert.ok(failed?.name === "egress.failed");
  assert.match(failed.detail, /407/);
});

const badReplies: readonly (readonly [string, string])[] = [
  ["not HTTP", "SSH-2.0-x\r\n\r\n"],
  ["a header without end", `HTTP/1.1 200 OK\r\n${"x".repeat(20_000)}`],
  ["nothing, and closes", ""],
];
for (const [what, reply] of badReplies)
  test(`a proxy that answers CONNECT with ${what}: unreachable`, async (t) => {
    const server = createServer().on("connect", (_request, socket: Socket) => socket.end(reply));
    const proxy = `http://127.0.0.1:${await listen(t, server)}`;
    await assert.rejects(get(clientFor(t, { proxies: { https: proxy } }), "https://up.test"), {
      reason: "unreachable",
    });
  });

test("a proxy that never answers CONNECT: timeout", async (t) => {
  const server = createServer().on("connect", () => undefined);
  const proxy = `http://127.0.0.1:${await listen(t, server)}`;
  const client = clientFor(t, { proxies: { https: proxy }, tlsHandshakeTimeoutMs: 100 });
  await assert.rejects(get(client, "https://up.test"), { reason: "timeout" });
});

test("a proxy may be spoken to with TLS, its own name checked", async (t) => {
  const authority = makeAuthority(t);
  if (authority === undefined) return;
  const port = await listen(
    t,
    createTlsServer(authority.issue("up", ["up.test"]), (_request, response) => response.end("by tunnel")),
  );
  const server = createTlsServer(authority.issue("proxy", ["proxy.test"]));
  server.on("connect", (_request, client: Socket) => {
    const tunnel = connect(port, "127.0.0.1", () => client.write("HTTP/1.1 200 OK\r\n\r\n"));
    tunnel
      .on("error", () => client.destroy())
      .pipe(client)
      .pipe(tunnel);
  });
  const at = await listen(t, server);
  const extraCa = [authority.ca];
  const good = clientFor(t, { extraCa, proxies: { https: `https://proxy.test:${at}` } });
  assert.equal(await read(get(good, "https://up.test")), "by tunnel");
  const misnamed = clientFor(t, { extraCa, proxies: { https: `https://other.test:${at}` } });
  await assert.rejects(get(misnamed, "https://up.test"), { reason: "tls" });
});

test("a redirect through a proxy reaches no private literal address, nor loopback around the proxy", async (t) => {
  const proxy = await egressProxy(t, { ports: {} });
  let location = "";
  const port = await serve(t, (_request, response) => response.writeHead(302, { location }).end());
  const client = clientFor(t, { proxies: { http: proxy.url, https: proxy.url, no: "up.test" } });
  for (location of ["https://10.0.0.1/", "http://192.168.1.1/", `http://localhost:${port}/`, "https://[fd00::1]/"])
    await assert.rejects(get(client, `http://up.test:${port}`), { reason: "redirect" }, location);
  assert.deepEqual(proxy.seen, []);
});

test("hosts and DNS answers widen nothing that a redirect may reach", async (t) => {
  let hits = 0;
  const target = await serve(t, (_request, response) => void (hits++, response.end("secret")));
  const port = await serve(t, (_request, response) =>
    response.writeHead(302, { location: `http://inside.test:${target}/` }).end(),
  );
  const hosts = new Map([["inside.test", ["127.0.0.1"]]]);
  const client = clientFor(t, { hosts });
  // The name is known, and its connection kept, because the operator uses it as an upstream.
  assert.equal(await read(get(client, `http://inside.test:${target}`)), "secret");
  await assert.rejects(get(client, `http://up.test:${port}`), { reason: "redirect" });
  assert.equal(hits, 1);
});

test("the client certificate is shown to the upstream, and to no host it redirects to", async (t) => {
  const authority = makeAuthority(t);
  if (authority === undefined) return;
  const seen: string[] = [];
  let port = 0;
  const options = {
    ...authority.issue("server", ["up.test", "other.test"]),
    ca: authority.ca,
    requestCert: true,
    rejectUnauthorized: false,
  };
  const server = createTlsServer(options, (request, response) => {
    assert.ok(request.socket instanceof TLSSocket);
    const peer: { readonly subject?: { readonly CN?: string | string[] } } = request.socket.getPeerCertificate();
    seen.push(`${request.headers.host?.split(":")[0]} ${String(peer.subject?.CN)}`);
    if (request.url === "/away") response.writeHead(302, { location: `https://other.test:${port}/there` }).end();
    else response.end("ok");
  });
  port = await listen(t, server);
  const client = clientFor(t, { extraCa: [authority.ca], clientPair: authority.issue("granary", []) });
  const at = `https://up.test:${port}`;
  assert.equal(await read(get(client, at)), "ok");
  assert.equal(await read(get(client, at, { path: "/away", redirectCidrs: ["127.0.0.0/8"] })), "ok");
  assert.deepEqual(seen, ["up.test granary", "up.test granary", "other.test undefined"]);
});

test("a server that demands a client certificate we do not have: tls or reset, never an answer", async (t) => {
  const authority = makeAuthority(t);
  if (authority === undefined) return;
  const options = { ...authority.issue("up", ["up.test"]), ca: authority.ca, requestCert: true };
  const port = await listen(
    t,
    createTlsServer(options, (_request, response) => response.end("ok")),
  );
  const client = clientFor(t, { extraCa: [authority.ca] });
  await assert.rejects(get(client, `https://up.test:${port}`), (error: { reason?: string }) =>
    ["tls", "reset"].includes(error.reason ?? ""),
  );
});

test("configured headers of any name stay with the upstream when it redirects", async (t) => {
  const seen: IncomingMessage["headers"][] = [];
  let port = 0;
  port = await serve(t, (request, response) => {
    seen.push(request.headers);
    if (seen.length === 1) response.writeHead(302, { location: `http://other.test:${port}/` }).end();
    else response.end("ok");
  });
  const headers = { "X-Api-Key": "secret", "PRIVATE-TOKEN": "secret", range: "bytes=1-", "if-range": '"e"' };
  await read(get(clientFor(t), `http://up.test:${port}`, { headers, redirectCidrs: ["127.0.0.0/8"] }));
  assert.equal(seen[0]?.["x-api-key"], "secret");
  assert.deepEqual(
    ["x-api-key", "private-token", "range", "if-range", "user-agent"].map((name) => seen[1]?.[name]),
    [undefined, undefined, "bytes=1-", '"e"', "Granary/0"],
  );
});

test("with auditing each request is told once: redirects, failures and what was given up as well", async (t) => {
  const port = await serve(t, (request, response) => {
    if (request.url === "/a/r?token=t") response.writeHead(302, { location: "/end" }).end();
    else if (request.url?.startsWith("/a/cut") === true)
      response.writeHead(200, { "content-length": "9" }).write("cut");
    else response.end("12345");
    if (request.url?.startsWith("/a/cut") === true) setTimeout(() => response.destroy(), 30);
  });
  const told: GranaryEvent[] = [];
  const tell = (event: GranaryEvent): void => void told.push(event);
  const client = clientFor(t, { tell, isAudited: true });
  const url = `http://up.test:${port}/a?token=t`;
  await read(get(client, url, { path: "/r" }));
  await assert.rejects(read(get(client, url, { path: "/cut" })));
  (await get(client, url, { path: "/unread" })).cancel();
  await assert.rejects(get(client, "http://nowhere.test"));
  const requests = told.filter((event) => event.name === "egress.request");
  assert.deepEqual(
    requests.map(({ host, path, status, outcome, bytes }) => [host, path, status, outcome, bytes]),
    [
      [`up.test:${port}`, "/a/r", 302, "redirect", 0],
      [`up.test:${port}`, "/end", 200, "ok", 5],
      [`up.test:${port}`, "/a/cut", 200, "truncated", 3],
      [`up.test:${port}`, "/a/unread", 200, "cancelled", 0],
      ["nowhere.test", "/m/@v/list", 0, "unresolved", 0],
    ],
  );
  assert.ok(!JSON.stringify(told).includes("token"));
});

test("without auditing connections are told and requests are not", async (t) => {
  const port = await serve(t, (_request, response) => response.end("ok"));
  const told: string[] = [];
  const client = clientFor(t, { tell: ({ name }) => told.push(name) });
  await read(get(client, `http://up.test:${port}`));
  await assert.rejects(get(client, "http://nowhere.test"));
  assert.deepEqual(told, ["egress.connected", "egress.failed"]);
});

const part = "HTTP range";
test("a part comes through with its Content-Range, and only its own length counts", async (t) => {
  let range: string | undefined;
  const port = await serve(t, (request, response) => {
    range = request.headers.range;
    response.writeHead(206, { "content-range": "bytes 990-999/1000", etag: '"e"' }).end(part);
  });
  const asked = { headers: { range: "bytes=990-" }, maxBytes: 10 };
  const response = await get(clientFor(t), `http://up.test:${port}`, asked);
  assert.equal(range, "bytes=990-");
  assert.equal(response.status, 206);
  assert.equal(response.headers["content-range"], "bytes 990-999/1000");
  assert.equal(response.headers["etag"], '"e"');
  assert.equal(await read(Promise.resolve(response)), part);
});

test("a part shorter or longer than its Content-Range says: truncated", async (t) => {
  for (const range of ["bytes 0-19/20", "bytes 0-4/20"]) {
    const port = await serve(t, (_request, response) => response.writeHead(206, { "content-range": range }).end(part));
    await assert.rejects(read(get(clientFor(t), `http://up.test:${port}`)), { reason: "truncated" }, range);
  }
});

test("a part above the cap is refused before a byte is read, and so is a part of a gzip", async (t) => {
  const port = await serve(t, (_request, response) =>
    response.writeHead(206, { "content-range": "bytes 0-99/100" }).flushHeaders(),
  );
  await assert.rejects(get(clientFor(t), `http://up.test:${port}`, { maxBytes: 99 }), { reason: "too-large" });
  const coded = await serve(t, (_request, response) =>
    response.writeHead(206, { "content-range": "bytes 0-9/100", "content-encoding": "gzip" }).end(gzipSync("x")),
  );
  await assert.rejects(get(clientFor(t), `http://up.test:${coded}`), { reason: "encoding" });
});
