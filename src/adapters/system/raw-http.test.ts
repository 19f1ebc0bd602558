import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { afterEach, test } from "node:test";
import { rawHttpTarget } from "./raw-http.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server that answers every connection with these bytes, and the base URL of it. */
async function serving(...pieces: string[]): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (chunk) => {
      seen.push(chunk.toString("latin1"));
      for (const piece of pieces) socket.write(Buffer.from(piece, "latin1"));
      if (pieces.at(-1) === "") socket.end();
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const get = (url: string, target = "/x", follow = false): Promise<{ status: number; body: Uint8Array }> =>
  rawHttpTarget(url, { timeoutMs: 500, maxBytes: 10_000 }).send({ method: "GET", target, follow });

test("the target goes out byte for byte, below the base's path", async () => {
  const { url, seen } = await serving("HTTP/1.1 204 No Content\r\n\r\n");
  await get(`${url}/base/`, "/../a\\b/%2e;x?\xff");
  assert.ok(seen[0]?.startsWith("GET /base/../a\\b/%2e;x?\xff HTTP/1.1\r\nHost: 127.0.0.1:"));
});

const bodies = [
  ["a length", ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "llo"]],
  ["chunks", ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r", "\nllo\r\n0\r\n\r", "\n"]],
  ["the end of the connection", ["HTTP/1.1 200 OK\r\n\r\nhel", "lo", ""]],
] as const;
for (const [how, pieces] of bodies) {
  test(`a body that ends with ${how} is read whole`, async () => {
    const { url } = await serving(...pieces);
    assert.equal(String((await get(url)).body), "hello");
  });
}

const broken = [
  ["a short body", ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", ""]],
  ["too many bytes", ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nhello"]],
  ["an unfinished chunk", ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhe", ""]],
  ["a chunk size that is none", ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n\r\n"]],
  ["something that is not HTTP", ["SSH-2.0-x\r\n\r\n"]],
  ["a broken header", ["HTTP/1.1 200 OK\r\nno colon\r\n\r\n"]],
  ["a length that is none", ["HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello"]],
  ["silence", ["HTTP/1.1 200 OK\r\n"]],
  ["more than was allowed", [`HTTP/1.1 200 OK\r\n\r\n${"x".repeat(20_000)}`]],
] as const;
for (const [what, pieces] of broken) {
  test(`${what} is a failed probe`, async () => {
    const { url } = await serving(...pieces);
    await assert.rejects(get(url), { name: "ProbeFailed" });
  });
}

test("redirects are followed when asked for, nine of them and no tenth", async () => {
  const { url: last } = await serving("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const { url } = await serving(`HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ${last}/y?z\r\n\r\n`);
  assert.equal(String((await get(url, "/x", true)).body), "ok");
  assert.equal((await get(url)).status, 302);
  const { url: loop, seen } = await serving("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /again\r\n\r\n");
  await assert.rejects(get(loop, "/x", true), { name: "ProbeFailed" });
  assert.equal(seen.length, 10);
});

test("nobody there is a failed probe", async () => {
  const { url } = await serving("x");
  servers.splice(0).forEach((server) => server.close());
  await assert.rejects(get(url), { name: "ProbeFailed" });
});
