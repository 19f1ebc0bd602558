import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { ServerSilent } from "#services/prewarm/ports.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { HttpServerClient } from "./server-client.ts";

const never = new AbortController().signal;

async function clientOf(t: TestContext, answer: RequestListener, more: { token?: string; timeoutMs?: number } = {}) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new HttpServerClient(origin, { connections: 2, userAgent: "test", ...more });
  atEnd(t, async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

test("the target goes out byte for byte, with the token and without a redirect being followed", async (t) => {
  const seen: (string | undefined)[] = [];
  const client = await clientOf(
    t,
    (request, response) => {
      seen.push(request.url, request.headers.authorization);
      response.writeHead(302, { location: "http://elsewhere.test/" }).end();
    },
    { token: "grn_x" },
  );
  const { status } = await client.ask({ method: "GET", target: "/a/%21b/@v/v1.mod", keepBytes: 9, signal: never });
  assert.deepEqual([status, ...seen], [302, "/a/%21b/@v/v1.mod", "Bearer grn_x"]);
});

test("a body is cut where it is no longer wanted", async (t) => {
  const client = await clientOf(t, (_, response) => response.end("0123456789"));
  const ask = async (keepBytes: number) => {
    const { body, isWhole } = await client.ask({ method: "GET", target: "/", keepBytes, signal: never });
    return [Buffer.from(body).toString(), isWhole];
  };
  assert.deepEqual(await ask(10), ["0123456789", true]);
  assert.deepEqual(await ask(4), ["0123", false]);
  const { headers } = await client.ask({ method: "HEAD", target: "/", keepBytes: 0, signal: never });
  assert.ok("date" in headers);
});

test("no answer, half an answer and a slow answer are silence; an abort is the caller's reason", async (t) => {
  const request = { method: "GET", target: "/", keepBytes: 100, signal: never } as const;
  const half = await clientOf(t, (_, response) => {
    response.writeHead(200, { "content-length": 10 }).write("half");
    setImmediate(() => response.destroy());
  });
  await assert.rejects(half.ask(request), ServerSilent);
  const slow = await clientOf(t, () => undefined, { timeoutMs: 50 });
  await assert.rejects(slow.ask(request), ServerSilent);
  const nobody = new HttpServerClient("http://127.0.0.1:1", { connections: 1, userAgent: "test" });
  atEnd(t, () => nobody.close());
  await assert.rejects(nobody.ask(request), ServerSilent);
  const reason = new Error("enough");
  const waiting = await clientOf(t, () => undefined);
  await assert.rejects(waiting.ask({ ...request, signal: AbortSignal.abort(reason) }), reason);
});
