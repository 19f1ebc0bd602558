import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { rawHttpTarget } from "#adapters/system/raw-http.ts";
import { makeModule } from "./modules.ts";
import { startStubUpstream } from "./stub-upstream.ts";
import type { StubUpstream } from "./stub-upstream.ts";

let stub: StubUpstream;
const zip = "/example.com/m/@v/v1.0.0.zip";
const get = (target: string): Promise<{ status: number; body: Uint8Array }> =>
  rawHttpTarget(stub.url, { timeoutMs: 1000 }).send({ method: "GET", target });

before(async () => {
  const pseudo = makeModule({
    path: "example.com/m",
    version: "v1.0.1-0.20240101000000-abcdefabcdef",
    queries: ["main"],
  });
  stub = await startStubUpstream({ modules: [makeModule({ path: "example.com/m", version: "v1.0.0" }), pseudo] });
});
afterEach(() => stub.clearFaults());
after(() => stub.close());

test("it answers, counts, and counts %21 and ! as one", async () => {
  stub.add(makeModule({ path: "example.com/Up", version: "v1.0.0" }));
  stub.resetCounts();
  assert.equal((await get("/example.com/%21up/@v/v1.0.0.mod")).status, 200);
  assert.equal((await get("/example.com/!up/@v/v1.0.0.mod")).status, 200);
  assert.equal(stub.requests("/example.com/!up/@v/v1.0.0.mod"), 2);
  assert.equal(stub.requests(/[.]mod$/), 2);
  assert.equal(stub.requests(/[.]zip$/), 0);
});

test("branches resolve and pseudo-versions stay out of the list", async () => {
  assert.match(String((await get("/example.com/m/@v/main.info")).body), /v1\.0\.1-0\.2024/);
  assert.equal(String((await get("/example.com/m/@v/list")).body), "v1.0.0\n");
  assert.match(String((await get("/example.com/m/@latest")).body), /"v1\.0\.0"/);
});

test("a fault with a count is over after that many requests", async () => {
  stub.fault(zip, { kind: "status", status: 503 }, 2);
  assert.deepEqual([(await get(zip)).status, (await get(zip)).status, (await get(zip)).status], [503, 503, 200]);
});

for (const kind of ["reset", "truncate", "stall"] as const) {
  test(`${kind} leaves the client without a whole answer`, async () => {
    stub.fault(zip, { kind, after: 10 });
    await assert.rejects(get(zip), { name: "ProbeFailed" });
  });
}

test("wrong bytes, a page and an edit come with status 200", async () => {
  const whole = (await get(zip)).body;
  stub.fault(zip, { kind: "edit", edit: (body) => body.subarray(1) }, 1);
  assert.equal((await get(zip)).body.length, whole.length - 1);
  stub.fault(zip, { kind: "bytes", body: "no zip" }, 1);
  assert.equal(String((await get(zip)).body), "no zip");
  stub.fault(zip, { kind: "html" }, 1);
  assert.match(String((await get(zip)).body), /^<!DOCTYPE/);
});

test("cut() refuses connections, restore() takes them on the same port", async () => {
  const { url } = stub;
  await stub.cut();
  await assert.rejects(get(zip), { name: "ProbeFailed" });
  await stub.restore();
  assert.equal(stub.url, url);
  assert.equal((await get(zip)).status, 200);
});
