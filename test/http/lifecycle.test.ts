// A server's life: what keeps it from starting, what changes while it runs, and how it ends.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { loadConfig } from "#app/config.ts";
import { serve } from "#app/start.ts";
import { atEnd } from "../support/at-end.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import type { RunningGranary } from "../support/granary.ts";
import { someBytes } from "../support/manifests.ts";
import { makeModule } from "../support/modules.ts";
import { startWorld } from "../support/world.ts";

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "granary-life-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  return folder;
}

// ---- what keeps it from starting ----

const serveOff = ["serve", "--upstream=off", "--sumdb=off"];

const wrong: readonly (readonly [string, readonly string[]])[] = [
  ["an unknown flag", ["serve", "--lisen=127.0.0.1:0"]],
  ["a flag without sense", ["serve", "--mode=perhaps"]],
  ["a port out of range", ["serve", "--listen=127.0.0.1:99999"]],
  ["an unknown command", ["sreve"]],
];

for (const [name, args] of wrong) {
  test(`${name} ends with 2 and a sentence, and nothing on stdout`, async () => {
    const { code, stdout, stderr } = await runGranary(args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /GRANARY_/);
  });
}

test("a port that is taken ends with 3 and says which", async (t) => {
  const folder = await folderFor(t);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  atEnd(t, () => other.close());
  const { port } = other.address() as AddressInfo;
  const { code, stderr } = await runGranary([...serveOff, `--listen=127.0.0.1:${port}`, `--store=${folder}`]);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /GRANARY_PORT_TAKEN/);
  assert.match(stderr, new RegExp(String(port)));
});

test("a store that cannot be one ends with 3", async (t) => {
  const folder = await folderFor(t);
  await writeFile(join(folder, "file"), "");
  const { code, stderr } = await runGranary([
    ...serveOff,
    "--listen=127.0.0.1:0",
    `--store=${join(folder, "file/store")}`,
  ]);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /GRANARY_STORE_UNWRITABLE/);
});

test("a store of a newer layout ends with 3 and is left as it is", async (t) => {
  const store = join(await folderFor(t), "store");
  await mkdir(store);
  const first = await startGranary({ upstream: "off", store });
  await first.stop();
  const marker = join(store, "granary.json");
  const layout = JSON.parse(await readFile(marker, "utf8")) as { layout: number };
  await writeFile(marker, JSON.stringify({ ...layout, layout: layout.layout + 1 }));
  const before = (await readdir(store, { recursive: true })).sort();
  const { code, stderr } = await runGranary([...serveOff, "--listen=127.0.0.1:0", `--store=${store}`]);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /GRANARY_STORE_TOO_NEW/);
  assert.deepEqual((await readdir(store, { recursive: true })).sort(), before);
});

test("beyond loopback, private patterns without a token keep it from starting; a token or a word lets it", async (t) => {
  const store = join(await folderFor(t), "store");
  const args = [...serveOff, "--listen=0.0.0.0:0", `--store=${store}`, "--private=corp.example"];
  const refused = await runGranary(args);
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(refused.stderr, /GRANARY_PRIVATE_EXPOSED/);
  const exposed = { upstream: "off", store, private: "corp.example" };
  const anyone = await startGranary({ ...exposed, flags: ["--listen=0.0.0.0:0", "--private-readers=anyone"] });
  await anyone.stop();
  assert.equal((await runGranary(["token", "add", "--scope=read", `--store=${store}`])).code, 0);
  const withToken = await startGranary({ ...exposed, flags: ["--listen=0.0.0.0:0"] });
  await withToken.stop();
});

// ---- how it ends ----

/** A module whose zip is too large for memory and for the sockets between two processes. */
const large = makeModule({
  path: "example.com/large",
  version: "v1.0.0",
  files: {
    "go.mod": "module example.com/large\n",
    "blob.txt": Buffer.from(someBytes(10 << 20, 5)).toString("base64"),
  },
});
const largeZip = "/example.com/large/@v/v1.0.0.zip";

/** Begins the large download and takes nothing but its head. */
async function beginLarge(granary: RunningGranary): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(granary.url + largeZip, resolve).on("error", reject);
  });
  response.pause();
  response.on("error", () => undefined);
  return response;
}

async function lengthOf(response: IncomingMessage): Promise<number> {
  let length = 0;
  for await (const chunk of response) length += (chunk as Buffer).length;
  return length;
}

async function said(granary: RunningGranary, text: string): Promise<void> {
  while (!granary.stderr().includes(text)) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("SIGTERM: a running download comes to its end, new connections are refused, the exit code is 0", async (t) => {
  const world = await startWorld({ modules: [large] });
  atEnd(t, () => world.close());
  const { granary } = world;
  await (await fetch(granary.url + largeZip)).arrayBuffer();
  const response = await beginLarge(granary);
  granary.signal("SIGTERM");
  await said(granary, "drain.started");
  // One that is open is answered once more; fetch keeps it.
  const last = await fetch(`${granary.url}/-/readyz`);
  assert.equal(last.status, 503);
  assert.equal(last.headers.get("connection"), "close");
  await assert.rejects(onNewConnection(granary.url), { code: "ECONNREFUSED" });
  assert.equal(await lengthOf(response), Number(response.headers["content-length"]));
  assert.equal(await granary.ended, 0);
});

test("SIGTERM in the instant of the ready line drains as well", async (t) => {
  const stop = new AbortController();
  const store = join(await folderFor(t), "store");
  const flags = { values: { listen: "127.0.0.1:0", store, upstream: "off", sumdb: "off" } };
  const machine = { env: {}, platform: process.platform, home: store, readFile: () => Promise.resolve(undefined) };
  let [ask, stderr] = [(): void => undefined, ""];
  const code = await serve(await loadConfig({ flags, machine }), {
    // What a supervisor does that reads it, at its fastest.
    stdout: () => ask(),
    stderr: (text) => (stderr += text),
    onStop: (heard) => {
      ask = heard;
      return () => stop.abort();
    },
    verifyEntry: new URL("../../bin/granary.ts", import.meta.url),
  });
  assert.equal(code, 0);
  assert.match(stderr, /drain\.started/);
  assert.ok(stop.signal.aborted);
});

function onNewConnection(url: string, path = "/-/livez"): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(`${url}${path}`, { agent: false }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode));
    }).once("error", reject);
  });
}

test("with limits.leave the port stays open for a while, and readiness says that it will not", async (t) => {
  const world = await startWorld({ env: { GRANARY_LIMITS_LEAVE: "1500ms" } });
  atEnd(t, () => world.close());
  const { granary } = world;
  await (await fetch(`${granary.url}/example.com/hello/@v/list`)).text();
  granary.signal("SIGTERM");
  await said(granary, "drain.started");
  assert.equal(await onNewConnection(granary.url), 200);
  assert.equal(await onNewConnection(granary.url, "/-/readyz"), 503);
  assert.equal(await granary.ended, 0);
  await assert.rejects(onNewConnection(granary.url), { code: "ECONNREFUSED" });
});

test("a second SIGTERM ends it at once: the download breaks, and never looks complete", async (t) => {
  const world = await startWorld({ modules: [large] });
  atEnd(t, () => world.close());
  const { granary } = world;
  await (await fetch(granary.url + largeZip)).arrayBuffer();
  const response = await beginLarge(granary);
  granary.signal("SIGTERM");
  await said(granary, "drain.started");
  granary.signal("SIGTERM");
  assert.notEqual(await granary.ended, 0);
  await assert.rejects(lengthOf(response));
});

test("idle connections do not hold up the end", async (t) => {
  const world = await startWorld({});
  atEnd(t, () => world.close());
  const idle = await fetch(`${world.granary.url}/-/livez`);
  await idle.text();
  assert.equal(await world.granary.stop(), 0);
});

// ---- what changes while it runs ----

test("a changed configuration is applied whole, or refused whole with the reason", async (t) => {
  const config = join(await folderFor(t), "granary.yaml");
  const list = "/example.com/hello/@v/list";
  await writeFile(config, "freshness:\n  list: 60s\n");
  const world = await startWorld({ flags: [`--config=${config}`] });
  atEnd(t, () => world.close());
  const { granary } = world;
  const cacheControl = async () => (await fetch(granary.url + list)).headers.get("cache-control");
  assert.match((await cacheControl()) ?? "", /max-age=60\b/);
  await writeFile(config, "freshness:\n  list: 33s\n  info: 77s\n");
  await said(granary, "config.applied");
  assert.match((await cacheControl()) ?? "", /max-age=33\b/);
  await writeFile(config, "freshness:\n  list: 44s\n  info: perhaps\n");
  await said(granary, "config.refused");
  assert.match(granary.stderr(), /config\.refused .*freshness\.info/);
  assert.match((await cacheControl()) ?? "", /max-age=33\b/);
});

test("without a memory cache the answers are the same", async (t) => {
  const config = join(await folderFor(t), "granary.yaml");
  await writeFile(config, "cache:\n  enabled: off\n");
  const world = await startWorld({ flags: [`--config=${config}`] });
  atEnd(t, () => world.close());
  for (const file of ["v1.0.0.info", "v1.0.0.mod", "v1.0.0.zip", "list"]) {
    const path = `/example.com/hello/@v/${file}`;
    const [first, second] = [await fetch(world.granary.url + path), await fetch(world.granary.url + path)];
    const bodies = [await first.arrayBuffer(), await second.arrayBuffer()].map((body) => Buffer.from(body));
    assert.deepEqual([first.status, second.status], [200, 200]);
    assert.deepEqual(bodies[1], bodies[0]);
    if (file.endsWith(".zip")) assert.deepEqual(bodies[0], Buffer.from(world.stub.bytes(path)));
    assert.equal(second.headers.get("etag"), first.headers.get("etag"));
  }
  const metrics = await (await fetch(`${world.granary.url}/-/metrics`)).text();
  assert.match(metrics, /^granary_\w*hot\w*entries\w* 0$/m);
});
