import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request as send } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../../../test/support/at-end.ts";
import { addressOf, callerOf } from "./caller.ts";
import { Counters } from "./counters.ts";
import { HotCache } from "./hot.ts";
import { openRelayDoor } from "./relay-door.ts";
import { formatClient, formatReuse, parseClient, parseReuse, relayHeader, reuseHeader } from "./relay-wire.ts";
import { Relay } from "./relay.ts";
import type { Request, Response } from "./send.ts";

const key = "0123456789abcdef";
const now = 1_000_000;

type World = {
  readonly path: string;
  readonly port: number;
  readonly hot: HotCache;
  readonly absent: HotCache;
  readonly relay: Relay;
};

/** An owner that answers as told, and a server that passes everything on to it. */
async function startRelay(
  t: TestContext,
  owner: (request: Request, response: Response) => void,
  said = key,
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "granary-relay-"));
  const path =
    process.platform === "win32" ? `\\\\.\\pipe\\granary-${randomBytes(8).toString("hex")}` : join(folder, "s");
  const door = await openRelayDoor({ path, key }, { handler: owner, headerBytes: 16_384 });
  const hot = new HotCache({ maxBytes: 1 << 20, maxEntryBytes: 1000 });
  const absent = new HotCache({ maxBytes: 1 << 20, maxEntryBytes: 1000 });
  const clock = { now: () => now, sleep: () => Promise.resolve() };
  const relay = new Relay({ path, key: said, hot, absent, counters: new Counters(), clock });
  const server = createServer((request, response) => relay.forward(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(t, () => {
    server.close();
    server.closeAllConnections();
    relay.close();
    door.close();
    rmSync(folder, { recursive: true });
  });
  return { path, port: (server.address() as AddressInfo).port, hot, absent, relay };
}

type Got = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };

function ask(
  port: number,
  options: { path?: string; method?: string; headers?: string[]; body?: string } = {},
): Promise<Got> {
  const { path = "/x", method = "GET", headers = ["Host", "h"], body } = options;
  return new Promise((resolve, reject) => {
    const request = send({ port, host: "127.0.0.1", path, method, headers, agent: false }, (response) => {
      let text = "";
      response.on("data", (piece: Buffer) => (text += piece.toString("latin1")));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

test("method, target and header lines arrive as they were sent, those of the connection do not", async (t) => {
  let seen: { method: string | undefined; url: string | undefined; raw: string[] } | undefined;
  const { port } = await startRelay(t, (request, response) => {
    seen = { method: request.method, url: request.url, raw: request.rawHeaders };
    response.end();
  });
  const headers = ["Host", "a.example", "X-Twice", "1", "x-twice", "2", "Connection", "close", "TE", "x"];
  await ask(port, { method: "DELETE", path: "/m/@v/feat%231.info", headers });
  assert.equal(seen?.method, "DELETE");
  assert.equal(seen.url, "/m/@v/feat%231.info");
  assert.deepEqual(seen.raw.slice(0, 6), ["Host", "a.example", "X-Twice", "1", "x-twice", "2"]);
  const connection = seen.raw.findIndex((name) => name.toLowerCase() === "connection");
  assert.equal(seen.raw[connection + 1], "keep-alive");
  assert.ok(!seen.raw.some((name) => name.toLowerCase() === "te"), seen.raw.join());
});

test("the owner sees the worker's client; what a client says of itself is dropped", async (t) => {
  const callers: unknown[] = [];
  const { port } = await startRelay(t, (request, response) => {
    callers.push({ address: addressOf(request), loopback: callerOf(request).loopback });
    response.end();
  });
  const forged = formatClient(key, { address: "192.0.2.1", secure: true });
  await ask(port, { headers: ["Host", "127.0.0.1", relayHeader, forged] });
  assert.deepEqual(callers, [{ address: "127.0.0.1", loopback: true }]);
});

test("a client cannot take away what tells of a proxy before it", async (t) => {
  const callers: boolean[] = [];
  const { port } = await startRelay(t, (request, response) => {
    callers.push(callerOf(request).loopback);
    response.end();
  });
  const headers = ["Host", "127.0.0.1", "X-Forwarded-For", "192.0.2.1", "Connection", "close, X-Forwarded-For"];
  await ask(port, { headers });
  assert.deepEqual(callers, [false]);
});

test("a client from elsewhere is not loopback because its worker is", async (t) => {
  const callers: unknown[] = [];
  const { path } = await startRelay(t, (request, response) => {
    callers.push(callerOf(request));
    response.end();
  });
  for (const secure of [true, false]) {
    const client = formatClient(key, { address: "192.0.2.1", secure });
    await new Promise((resolve, reject) => {
      const request = send({ socketPath: path, path: "/", headers: { [relayHeader]: client } }, resolve);
      request.on("error", reject).end();
    });
  }
  const caller = { loopback: false, authorization: undefined };
  assert.deepEqual(callers, [
    { ...caller, secure: true },
    { ...caller, secure: false },
  ]);
});

test("an ordinary connection's facts are its own, whatever headers it sends", async (t) => {
  const callers: unknown[] = [];
  const server = createServer((request, response) => {
    callers.push(addressOf(request));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(t, () => server.close());
  const client = formatClient(key, { address: "192.0.2.1", secure: true });
  await ask((server.address() as AddressInfo).port, { headers: ["Host", "h", relayHeader, client] });
  assert.deepEqual(callers, ["127.0.0.1"]);
});

test("without the key nobody is answered at the private door", async (t) => {
  let answered = 0;
  const { port } = await startRelay(t, () => answered++, "another key");
  await assert.rejects(ask(port));
  assert.equal(answered, 0);
});

test("an answer comes back as it is: status, head, a large body, and the end of a connection", async (t) => {
  const body = "x".repeat(3 << 20);
  const { port } = await startRelay(t, (request, response) => {
    if (request.url === "/bad") response.writeHead(400, ["Connection", "close", "Content-Length", "0"]).end();
    else response.writeHead(206, ["ETag", '"e"', "Set-Cookie", "a", "Set-Cookie", "b"]).end(body);
  });
  const got = await ask(port);
  assert.equal(got.status, 206);
  assert.equal(got.headers.etag, '"e"');
  assert.deepEqual(got.headers["set-cookie"], ["a", "b"]);
  assert.ok(got.body === body);
  assert.equal((await ask(port, { path: "/bad" })).headers.connection, "close");
});

test("a request's body is passed on", async (t) => {
  const { port } = await startRelay(t, (request, response) => void request.pipe(response));
  const headers = ["Host", "h", "Content-Length", "5"];
  assert.equal((await ask(port, { method: "POST", headers, body: "hello" })).body, "hello");
});

test("an answer that breaks off breaks off at the client", async (t) => {
  const { port } = await startRelay(t, (_, response) => {
    response.writeHead(200, ["Content-Length", "100"]).write("half");
    setTimeout(() => response.destroy(), 20);
  });
  await assert.rejects(ask(port), { code: "ECONNRESET" });
});

test("a client that leaves ends the relay: the owner sees it go", async (t) => {
  const gone = Promise.withResolvers<boolean>();
  const arrived = Promise.withResolvers<undefined>();
  const { port } = await startRelay(t, (_, response) => {
    response.once("close", () => gone.resolve(response.writableFinished));
    arrived.resolve(undefined);
  });
  const socket = connect(port, "127.0.0.1");
  socket.write("GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  await arrived.promise;
  socket.destroy();
  assert.equal(await gone.promise, false);
});

const reusable = (reuse: string) => (_: Request, response: Response) => {
  response.writeHead(200, ["Content-Length", "2", "ETag", '"e"', reuseHeader, reuse]).end("ok");
};

test("an answer the owner has ready is kept for as long as it says, and the word stays inside", async (t) => {
  const { port, hot, absent } = await startRelay(t, reusable("5000 list HIT example.com/m"));
  assert.equal((await ask(port)).headers[reuseHeader], undefined);
  const entry = hot.get("/x");
  assert.equal(entry?.untilMs, now + 5000);
  assert.equal(entry.path, "example.com/m");
  assert.deepEqual(entry.head, ["Content-Length", "2", "ETag", '"e"']);
  assert.equal(entry.body, "ok");
  assert.equal(entry.etag, '"e"');
  assert.equal(absent.size, 0);
});

test("errors are kept apart, and HEAD, large bodies and silence keep nothing", async (t) => {
  const errors = await startRelay(t, reusable("5000 error GRANARY_NOT_FOUND "));
  await ask(errors.port);
  assert.deepEqual([errors.hot.size, errors.absent.size], [0, 1]);
  const head = await startRelay(t, reusable("5000 list HIT m"));
  await ask(head.port, { method: "HEAD" });
  const large = await startRelay(t, (_, response) => {
    response.writeHead(200, ["Content-Length", "2000", reuseHeader, "5000 zip HIT m"]).end("x".repeat(2000));
  });
  assert.equal((await ask(large.port)).body.length, 2000);
  const silent = await startRelay(t, (_, response) => void response.end("ok"));
  await ask(silent.port);
  assert.deepEqual([head.hot.size, large.hot.size, silent.hot.size], [0, 0, 0]);
});

test("an answer made before a refresh is passed on but not kept", async (t) => {
  const world = await startRelay(t, (request, response) => {
    world.relay.forgotten();
    reusable("5000 list HIT m")(request, response);
  });
  assert.equal((await ask(world.port)).body, "ok");
  assert.equal(world.hot.size, 0);
});

test("what is told of clients and reuse reads back as it was", () => {
  for (const client of [
    { address: "::1", secure: true },
    { address: "", secure: false },
  ])
    assert.deepEqual(parseClient(formatClient(key, client), key), client);
  for (const text of [undefined, "", key, `${key} ::1`, `${key} ::1 maybe`, `x ::1 tls`])
    assert.equal(parseClient(text, key), undefined, text);
  const count = new Counters().named("mod", "HIT");
  const entry = { status: 200, head: [], body: "", etag: undefined, untilMs: now + 7, count, path: "m" };
  assert.deepEqual(parseReuse(formatReuse(entry, now)), { ms: 7, kind: "mod", outcome: "HIT", path: "m" });
  const lasting = parseReuse(formatReuse({ ...entry, untilMs: Number.MAX_SAFE_INTEGER }, now));
  assert.equal(lasting?.ms, Number.MAX_SAFE_INTEGER);
  for (const text of ["", "x list HIT m", "-5 list HIT m", "5 list"]) assert.equal(parseReuse(text), undefined, text);
});
