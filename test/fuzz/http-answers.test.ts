// Whatever a server sends, the prober answers with an exchange: it neither throws nor hangs, and keeps within its bound.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { machineProber } from "../../src/app/http-analysers.ts";
import { machineOf } from "../support/http-world.ts";
import { listen } from "../support/loopback.ts";

const runs = process.env["LONG"] === "1" ? 20_000 : 300;
const maxBytes = 4096;

const line = fc.constantFrom(
  "HTTP/1.1 200 OK",
  "HTTP/1.0 404 Not Found",
  "HTTP/1.1 302 Found",
  "HTTP/2 200",
  "Content-Length: 5",
  "Content-Length: 99999999999999999999",
  "Content-Length: -1",
  "Transfer-Encoding: chunked",
  "Content-Encoding: gzip",
  "Location: //[",
  "Location: /x",
  ": x",
  "",
  "5\r\nhello\r\n0\r\n",
  "ffffffff",
  "\u0000\u001f\u008b",
);
const answer = fc.oneof(
  fc.array(line, { maxLength: 12 }).map((lines) => Buffer.from(lines.join("\r\n"), "latin1")),
  fc.uint8Array({ maxLength: 8192 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(fc.array(line, { maxLength: 6 }), fc.uint8Array({ maxLength: 8192 }))
    .map(([lines, bytes]) => Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${lines.join("\r\n")}\r\n\r\n`), bytes])),
);

test("any bytes make an exchange", async (t) => {
  let next = Buffer.alloc(0);
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(next));
  });
  const url = `http://127.0.0.1:${await listen(t, server)}/`;
  const prober = await machineProber(machineOf());
  const userAgent = { "http/1.1": "x", h2: "x" };
  const signal = new AbortController().signal;
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(answer, async (bytes) => {
      next = bytes;
      const exchange = await prober.get({ url, userAgent, route: "direct", maxBytes, timeoutMs: 30_000, signal });
      assert.ok(exchange.body.length <= maxBytes);
      assert.notEqual(exchange.fault?.kind, "timeout");
      assert.ok(exchange.status !== undefined || exchange.fault !== undefined);
      if (exchange.fault === undefined) answered++;
    }),
    { numRuns: runs, seed: 20_261_129 },
  );
  assert.ok(answered > 0, "some of it must be an answer");
});
