import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Operation } from "#services/events/ports.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import type { Handler } from "./client-certificate.ts";
import { withOperations } from "./operations.ts";

type Logged = { readonly url: string; readonly port: number; readonly next: () => Promise<Operation> };

async function startLogged(t: TestContext, handler: Handler): Promise<Logged> {
  const seen: Operation[] = [];
  const waiting: ((operation: Operation) => void)[] = [];
  const log = {
    operation: (operation: Operation) => {
      const first = waiting.shift();
      if (first === undefined) seen.push(operation);
      else first(operation);
    },
  };
  const clock = { now: () => Date.UTC(2026, 10, 21) };
  const server = createServer(withOperations(handler, { log, clock })).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  atEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const next = (): Promise<Operation> =>
    new Promise((resolve) => {
      const first = seen.shift();
      if (first === undefined) waiting.push(resolve);
      else resolve(first);
    });
  return { url: `http://127.0.0.1:${port}`, port, next };
}

const hello: Handler = (_, response) => {
  response.writeHead(200, ["Content-Type", "text/plain"]);
  response.write("häl", "utf8");
  response.end(Buffer.from("lo"));
};

test("what was asked, what was answered, how many bytes of it", async (t) => {
  const { url, next } = await startLogged(t, hello);
  await (await fetch(`${url}/lookup/x`)).text();
  const { ms, ...operation } = await next();
  assert.ok(ms >= 0);
  assert.deepEqual(operation, {
    time: "2026-11-21T00:00:00.000Z",
    client: "127.0.0.1",
    method: "GET",
    path: "/lookup/x",
    status: 200,
    bytes: 6,
  });
  await (await fetch(`${url}/lookup/x`, { method: "HEAD" })).text();
  assert.equal((await next()).bytes, 0);
});

test("no secrets: neither queries, nor userinfo, nor tokens, nor headers", async (t) => {
  const { url, port, next } = await startLogged(t, hello);
  const secret = "grn_0123abcd_S3cretS3cret";
  const headers = { authorization: `Bearer ${secret}` };
  await (await fetch(`${url}/latest?token=${secret}`, { headers })).text();
  await (await fetch(`${url}/-/explain/${secret}/x`, { headers })).text();
  const raw = connect(port, "127.0.0.1");
  raw.end(`GET http://me:${secret}@proxy.example/latest HTTP/1.1\r\nHost: proxy.example\r\nConnection: close\r\n\r\n`);
  raw.resume();
  const all = [await next(), await next(), await next()];
  assert.deepEqual(all.map(({ path }) => path).sort(), ["", "/-/explain/grn_xxxxx/x", "/latest"]);
  assert.ok(!JSON.stringify(all).includes("S3cret"));
});

test("a client that leaves is told apart; a long path is cut", async (t) => {
  const { port, next } = await startLogged(t, (_, response) => {
    response.writeHead(200);
    response.write("begun");
  });
  const raw = connect(port, "127.0.0.1");
  raw.write(`GET /${"x".repeat(5000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  raw.once("data", () => raw.destroy());
  const { cut, path, bytes } = await next();
  assert.deepEqual({ cut, length: path.length, bytes }, { cut: true, length: 1024, bytes: 5 });
});
