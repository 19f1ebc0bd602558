// The documents' flow of a pooled connection, branch by branch, on real sockets.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import type { Socket } from "node:net";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { GranaryEvent } from "#services/events/ports.ts";
import type { UpstreamResponse } from "#services/upstreams/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { blackHole, fakeLookup, listen, makeAuthority } from "../../../test/support/loopback.ts";
import { HttpUpstreamClient } from "./http.ts";
import type { Egress } from "./pools.ts";

const lookup = fakeLookup({ "up.test": ["127.0.0.1"], "other.test": ["127.0.0.1"] });

function clientFor(t: TestContext, options: Egress = {}): HttpUpstreamClient {
  const client = new HttpUpstreamClient({ userAgent: "Granary/0", lookup, ...options });
  atEnd(t, () => client.close());
  return client;
}

function get(client: HttpUpstreamClient, url: string): Promise<UpstreamResponse> {
  const request = { path: "/x", maxBytes: 1 << 20, signal: new AbortController().signal };
  return client.get({ name: "stub", url, redirectCidrs: [] }, request);
}

async function read(client: HttpUpstreamClient, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await get(client, url)).body) chunks.push(chunk);
  await new Promise((done) => setTimeout(done, 5)); // the connection becomes idle after its last byte
  return Buffer.concat(chunks).toString();
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let waited = 0; !isTrue(); waited += 5) {
    assert.ok(waited < 10_000, "it never became true");
    await new Promise((done) => setTimeout(done, 5));
  }
}

test("none idle: a new connection with TLS; idle found: it is used again, and idles once more", async (t) => {
  const authority = makeAuthority(t);
  if (authority === undefined) return;
  let handshakes = 0;
  const server = createTlsServer(authority.issue("up", ["up.test"]), (_request, response) => response.end("ok"));
  server.on("secureConnection", () => handshakes++);
  const url = `https://up.test:${await listen(t, server)}`;
  const client = clientFor(t, { extraCa: [authority.ca] });
  assert.equal(await read(client, url), "ok");
  assert.deepEqual(client.connections, counts({ opened: 1, requests: 1, open: 1, idle: 1 }));
  assert.equal(await read(client, url), "ok");
  assert.deepEqual(client.connections, counts({ opened: 1, requests: 2, reused: 1, open: 1, idle: 1 }));
  assert.equal(handshakes, 1);
});

test("a connection at work is not idle; one that failed is counted", async (t) => {
  let answer: ServerResponse | undefined;
  const port = await listen(
    t,
    createServer((_request, response) => void (answer = response)),
  );
  const client = clientFor(t);
  const running = read(client, `http://up.test:${port}`);
  await until(() => answer !== undefined);
  assert.deepEqual(client.connections, counts({ opened: 1, requests: 1, open: 1, waiting: 1 }));
  answer?.end("ok");
  await running;
  await assert.rejects(read(client, "http://nowhere.test"), UpstreamFault);
  assert.equal(client.connections.failed, 1);
});

test("requests beyond the host's limit wait for a connection, and another host does not", async (t) => {
  const answers: ServerResponse[] = [];
  let connections = 0;
  const server = createServer((_request, response) => void answers.push(response));
  server.on("connection", () => connections++);
  const port = await listen(t, server);
  const client = clientFor(t, { maxIdleConnsPerHost: 2 });
  const waiting = [1, 2, 3, 4].map(() => read(client, `http://up.test:${port}`));
  await until(() => answers.length === 2);
  const other = read(client, `http://other.test:${port}`);
  await until(() => answers.length === 3);
  assert.equal(connections, 3);
  while (answers.length > 0) {
    answers.shift()?.end("ok");
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.deepEqual(await Promise.all([...waiting, other]), ["ok", "ok", "ok", "ok", "ok"]);
  assert.equal(connections, 3);
});

test("an idle connection is closed after IdleConnTimeout", async (t) => {
  const port = await listen(
    t,
    createServer((_request, response) => response.end("ok")),
  );
  const client = clientFor(t, { idleConnTimeoutMs: 50 });
  await read(client, `http://up.test:${port}`);
  await until(() => client.connections.open === 0);
  assert.equal(client.connections.idle, 0);
  await read(client, `http://up.test:${port}`);
  assert.equal(client.connections.opened, 2);
});

test("beyond MaxIdleConns the connection that has been idle for longest is closed", async (t) => {
  const ports = await Promise.all(
    [1, 2, 3].map(() =>
      listen(
        t,
        createServer({ keepAliveTimeout: 600_000 }, (_request, response) => response.end("ok")),
      ),
    ),
  );
  const client = clientFor(t, { maxIdleConns: 2 });
  for (const port of ports) await read(client, `http://up.test:${port}`);
  await until(() => client.connections.open === 2);
  assert.equal(client.connections.idle, 2);
  await read(client, `http://up.test:${ports[2]}`);
  assert.equal(client.connections.reused, 1);
  await read(client, `http://up.test:${ports[0]}`);
  assert.equal(client.connections.opened, 4);
});

/** Speaks HTTP by hand: `second` decides what happens to a connection's second request. */
function onlyOnce(second: (socket: Socket) => void): {
  server: ReturnType<typeof createTcpServer>;
  requests: number[];
} {
  const requests: number[] = [];
  const server = createTcpServer((socket) => {
    const at = requests.push(0) - 1;
    socket.on("data", () => {
      requests[at]!++;
      if (requests[at] === 1) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      else second(socket);
    });
  });
  return { server, requests };
}

for (const [how, end] of [
  ["FIN", (socket: Socket) => socket.end()],
  ["RST", (socket: Socket) => socket.resetAndDestroy()],
] as const)
  test(`a kept connection that the other side closes (${how}): once more, on a fresh one`, async (t) => {
    const { server, requests } = onlyOnce(end);
    const url = `http://up.test:${await listen(t, server)}`;
    const client = clientFor(t);
    // Three kept connections, all of which will die: the retry must not take the second of them.
    await Promise.all([read(client, url), read(client, url), read(client, url)]);
    assert.equal(await read(client, url), "ok");
    assert.deepEqual(requests.toSorted(), [1, 1, 1, 2]);
  });

test("the retry goes to a fresh connection although another kept one, just as dead, is idle", async (t) => {
  const seen = new Map<string, Socket>();
  const carried = new Map<Socket, number>();
  const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
  const server = createTcpServer((socket) => {
    socket.on("data", (bytes: Buffer) => {
      const [, path = ""] = /^GET \/(\w+)/.exec(bytes.toString("latin1")) ?? [];
      const n = (carried.get(socket) ?? 0) + 1;
      carried.set(socket, n);
      if (n === 1 || path === "middle") socket.write(ok);
      if (n === 2) seen.set(path, socket);
      if (n === 3) socket.end();
    });
  });
  const url = `http://up.test:${await listen(t, server)}`;
  const client = clientFor(t);
  await Promise.all(["w", "w", "w"].map((path) => read(client, `${url}/${path}`)));
  const outer = [read(client, `${url}/first`)];
  const middle = read(client, `${url}/middle`);
  outer.push(read(client, `${url}/last`));
  assert.equal(await middle, "ok");
  await until(() => seen.size === 3);
  seen.get("first")?.end();
  seen.get("last")?.end();
  assert.deepEqual(await Promise.all(outer), ["ok", "ok"]);
});

test("a fresh connection that dies before it answers is the upstream's failure, asked once", async (t) => {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    socket.once("data", () => socket.end());
  });
  const url = `http://up.test:${await listen(t, server)}`;
  await assert.rejects(read(clientFor(t), url), { reason: "reset" });
  assert.equal(connections, 1);
});

test("a black hole beside a good address of one name costs no request", async (t) => {
  if (process.platform !== "linux") {
    t.skip("needs a second loopback address");
    return;
  }
  const port = await listen(
    t,
    createServer((_request, response) => response.end("ok")),
  );
  await blackHole(t, { host: "127.0.0.2", port });
  const events: GranaryEvent[] = [];
  const names = fakeLookup({ "up.test": ["127.0.0.2", "127.0.0.1"] });
  const client = clientFor(t, { lookup: names, connectTimeoutMs: 60_000, tell: (event) => events.push(event) });
  assert.equal(await read(client, `http://up.test:${port}`), "ok");
  const [event] = events;
  assert.ok(event?.name === "egress.connected");
  assert.equal(event.address, "127.0.0.1");
});

test("a host that moved is found without a failed request", async (t) => {
  const port = await listen(
    t,
    createServer((_request, response) => response.end("ok")),
  );
  const answers = [["127.0.0.3"], ["127.0.0.1"]];
  const moving = fakeLookup({
    get "up.test"() {
      return answers.length > 1 ? answers.shift()! : answers[0]!;
    },
  });
  const client = clientFor(t, { lookup: moving });
  await assert.rejects(read(client, `http://up.test:${port}`), { reason: "refused" });
  await new Promise((done) => setTimeout(done, 1_050)); // a name is asked again once a second at most
  assert.equal(await read(client, `http://up.test:${port}`), "ok");
});

const none = { open: 0, idle: 0, waiting: 0, opened: 0, failed: 0, requests: 0, reused: 0 };
function counts(some: Partial<typeof none>): typeof none {
  return { ...none, ...some };
}
