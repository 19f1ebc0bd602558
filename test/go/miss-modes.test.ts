// `onMiss: redirect` and `build-redirect`: what a client is told that asks for what is not kept, and that a real go gets
// through with checksums on.
import assert from "node:assert/strict";
import { get } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoTool } from "../support/go.ts";
import type { GranaryOptions } from "../support/granary.ts";
import { startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

const stem = "/example.com/hello/@v/v1.0.0";
const hello = "example.com/hello@v1.0.0";

async function worldOf(t: TestContext, onMiss: string, options: Partial<GranaryOptions> = {}): Promise<World> {
  const world = await startWorld({ ...options, env: { GRANARY_PREFETCH: "off", GRANARY_ON_MISS: onMiss } });
  atEnd(t, () => world.close());
  return world;
}

/** One request, no redirect followed. */
function ask(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }),
      );
    }).on("error", reject);
  });
}

async function download(tool: GoTool, env: Record<string, string>) {
  const go = await newGoClient(tool, env);
  try {
    return await go.run(["mod", "download", "-json", hello]);
  } finally {
    await go.remove();
  }
}

async function eventually(what: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 200; n++) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("it never came about");
}

test("redirect: 302 to the upstream, said to be unverified, and 200 from here once it is kept", async (t) => {
  const { granary, stub } = await worldOf(t, "redirect");
  const url = `${granary.url}${stem}.zip`;
  const first = await ask(url);
  assert.equal(first.status, 302);
  assert.equal(first.headers.location, `${stub.url}${stem}.zip`);
  assert.equal(first.headers["x-go-proxy-cache"], "MISS");
  assert.equal(first.headers["x-go-proxy-status"], "-|MISS");
  assert.equal(first.headers["cache-control"], "no-store");
  assert.match(String(first.headers["x-granary-unverified"]), /^127\.0\.0\.1:\d+$/);
  await Promise.all(Array.from({ length: 20 }, () => ask(url)));
  await eventually(async () => (await ask(url)).status === 200);
  const second = await ask(url);
  assert.deepEqual([second.headers["x-go-proxy-cache"], second.headers["x-granary-unverified"]], ["HIT", undefined]);
  assert.equal(stub.requests(`${stem}.zip`), 1, "clients ask the upstream themselves, we ask once");
});

test("redirect: a real go verifies what it gets from the upstream, and a lie that was found out is refused here", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const world = await worldOf(t, "redirect");
  const env = { GOPROXY: world.granary.url, GOSUMDB: world.gosumdb };
  const sound = await download(tool, env);
  assert.equal(sound.code, 0, sound.output);
  const { stub } = world;
  const other = "/example.com/hello/@v/v1.1.0";
  stub.fault(`${other}.mod`, { kind: "bytes", body: Buffer.from("module example.com/hello // evil\n") });
  assert.equal((await ask(`${world.granary.url}${other}.mod`)).status, 302);
  await eventually(async () => (await ask(`${world.granary.url}${other}.mod`)).status === 502);
});

for (const workers of [0, 2])
  test(`build-redirect with ${workers} workers: sent to wait while the upstream is silent, then the file itself`, async (t) => {
    const { granary, stub } = await worldOf(t, "build-redirect", { flags: [`--workers=${workers}`] });
    stub.fault(/hello/, { kind: "stall" });
    const url = `${granary.url}${stem}.mod`;
    const first = await ask(url);
    assert.equal(first.status, 302, "while nobody upstream has said a word");
    assert.equal(first.headers["x-granary-unverified"], undefined);
    const { location = "" } = first.headers;
    assert.match(location, /^\.\.\/\.\.\/\.\.\/_build\/[0-9a-f]{32}-1\/example\.com\/hello\/@v\/v1\.0\.0\.mod$/);
    stub.clearFaults();
    const waited = await ask(new URL(location, url).href);
    assert.equal(waited.status, 200);
    const kept = await ask(url);
    assert.deepEqual([kept.status, kept.body], [200, waited.body]);
    assert.equal(kept.headers.etag, waited.headers.etag);
    const absent = await ask(`${granary.url}/example.com/hello/@v/v1.9.9.mod`);
    assert.equal(absent.status, 302);
    const gone = await ask(
      new URL(String(absent.headers.location), `${granary.url}/example.com/hello/@v/v1.9.9.mod`).href,
    );
    assert.equal(gone.status, 404);
    const wrong = await ask(new URL(location, url).href.replace(/[0-9a-f]{32}/, "0".repeat(32)));
    assert.equal(wrong.status, 400);
  });

test("build-redirect: a real go builds its cache through it, checksums on", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const world = await worldOf(t, "build-redirect");
  const got = await download(tool, { GOPROXY: world.granary.url, GOSUMDB: world.gosumdb });
  assert.equal(got.code, 0, got.output);
  assert.match(got.stdout, /"Sum": "h1:/);
});

test("private modules are never sent anywhere", async (t) => {
  for (const onMiss of ["redirect", "build-redirect"]) {
    const { granary } = await worldOf(t, onMiss, { private: "corp.example/*" });
    const { status, headers } = await ask(`${granary.url}/corp.example/private/@v/v1.0.0.zip`);
    assert.deepEqual([status, headers.location], [404, undefined]);
  }
});
