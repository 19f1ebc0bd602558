import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import { HotCache, hotBody } from "./hot.ts";
import type { HotEntry } from "./hot.ts";

/** Every byte value, twice, so that none is taken for text of another encoding. */
const everyByte = Buffer.from(Array.from({ length: 512 }, (_, at) => at % 256));

function entry(body: Buffer | string, path = "example.com/m"): HotEntry {
  return {
    status: 200,
    head: [],
    body,
    etag: undefined,
    untilMs: 0,
    count: { kind: "mod", outcome: "HIT", n: 0 },
    path,
  };
}

for (const bytes of [Buffer.alloc(0), everyByte, Buffer.alloc(100_000, 0xff)])
  test(`a body of ${bytes.length} bytes leaves as it came`, async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, ["Content-Length", String(bytes.length)]).end(hotBody(bytes), "latin1");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), bytes);
    server.close();
  });

test("what the cache holds is bounded in bytes, texts counted like Buffers", () => {
  const cache = new HotCache({ maxBytes: 20_000, maxEntryBytes: 4_096 });
  for (let at = 0; at < 50; at++) cache.set(`/${at}`, entry(at % 2 === 0 ? Buffer.alloc(3_000) : "x".repeat(3_000)));
  assert.ok(cache.bytes <= 20_000);
  assert.equal(cache.size, 4);
});

test("an entry larger than allowed is not kept", () => {
  const cache = new HotCache({ maxBytes: 1 << 20, maxEntryBytes: 4_096 });
  cache.set("/large", entry(Buffer.alloc(5_000)));
  assert.equal(cache.get("/large"), undefined);
});

test("a module's answers are forgotten together, and only they", () => {
  const cache = new HotCache({ maxBytes: 1 << 20, maxEntryBytes: 4_096 });
  cache.set("/a/@v/list", entry("a", "a"));
  cache.set("/a/@latest", entry("a", "a"));
  cache.set("/b/@v/list", entry("b", "b"));
  cache.forget("a");
  assert.equal(cache.get("/a/@v/list"), undefined);
  assert.equal(cache.get("/a/@latest"), undefined);
  assert.notEqual(cache.get("/b/@v/list"), undefined);
});

test("with a module those below it are forgotten, and none whose path only starts alike", () => {
  const cache = new HotCache({ maxBytes: 1 << 20, maxEntryBytes: 4_096 });
  cache.set("/a/sub/@v/list", entry("a", "a/sub"));
  cache.set("/ab/@v/list", entry("b", "ab"));
  cache.set("/x/@v/list", entry("x", "x"));
  cache.set("/y/@v/list", { ...entry("no", "y"), status: 404 });
  for (const path of ["a", "x/sub", "y/sub"]) cache.forget(path);
  assert.equal(cache.get("/a/sub/@v/list"), undefined);
  assert.notEqual(cache.get("/ab/@v/list"), undefined);
  // An ancestor's list stays; that it has none does not.
  assert.notEqual(cache.get("/x/@v/list"), undefined);
  assert.equal(cache.get("/y/@v/list"), undefined);
});
