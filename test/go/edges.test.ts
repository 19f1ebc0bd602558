// Two tiers: an edge Granary whose upstream is an origin Granary, a proxy between them that writes down what passes, and
// a real go with an empty cache behind both.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { startBetween } from "../support/between.ts";
import type { Between } from "../support/between.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoTool } from "../support/go.ts";
import { startGranary } from "../support/granary.ts";
import type { GranaryOptions, RunningGranary } from "../support/granary.ts";
import { ownWorld, secret } from "../support/own-world.ts";
import { startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

const hello = "example.com/hello@v1.0.0";
const stem = "/example.com/hello/@v/v1.0.0";

type Scene = { readonly world: World; readonly between: Between; readonly edge: RunningGranary };

async function startEdge(
  t: TestContext,
  origins: readonly string[],
  options: Partial<GranaryOptions> & { readonly details?: string },
) {
  const folder = await mkdtemp(join(tmpdir(), "granary-edge-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const config = join(folder, "edge.yaml");
  const named = origins.map((url, n) => `  origin${n}:\n    url: ${url}\n    origin: on\n${options.details ?? ""}`);
  await writeFile(config, `prefetch: off\nupstreams:\n${named.join("")}`);
  const { flags = [], private: patterns, env, sumdb } = options;
  const rest = {
    ...(patterns !== undefined && { private: patterns }),
    ...(env && { env }),
    ...(sumdb !== undefined && { sumdb }),
  };
  const edge = await startGranary({ upstream: origins.join(","), ...rest, flags: [`--config=${config}`, ...flags] });
  atEnd(t, () => edge.stop());
  return edge;
}

async function twoTiers(t: TestContext, env: Record<string, string> = {}): Promise<Scene> {
  const world = await startWorld({ env: { GRANARY_PREFETCH: "off", ...env } });
  atEnd(t, () => world.close());
  const between = await startBetween(world.granary.url);
  atEnd(t, () => between.close());
  const sumdb = `${world.database.verifierKey} ${between.url}/sumdb/${world.database.name}`;
  return { world, between, edge: await startEdge(t, [between.url], { sumdb }) };
}

async function status(
  server: { readonly url: string },
  path: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const answer = await fetch(server.url + path, { headers });
  await answer.arrayBuffer();
  return `${answer.status} ${answer.headers.get("x-go-proxy-status") ?? ""}`;
}

async function download(tool: GoTool, env: Record<string, string>, ...ids: string[]) {
  const go = await newGoClient(tool, env);
  try {
    const { code, stdout, output } = await go.run(["mod", "download", "-json", ...ids]);
    return { code, output, sums: [...stdout.matchAll(/"Sum": "(h1:[^"]+)"/g)].map(([, sum = ""]) => sum) };
  } finally {
    await go.remove();
  }
}

/** A line for each request that reached the origin: `304 /…/v1.0.0.mod -|HIT`. */
function traceOf(between: Between): string[] {
  return between.take().map(({ status, path, headers }) => `${status} ${path} ${String(headers["x-go-proxy-status"])}`);
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function eventually(what: () => Promise<boolean> | boolean): Promise<void> {
  for (let n = 0; n < 200; n++) {
    if (await what()) return;
    await sleep(50);
  }
  assert.fail("it never came about");
}

async function events(server: RunningGranary, name: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(server.store, "state/events.jsonl"), "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line.endsWith("}"));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((event) => event["name"] === name);
}

test("the trace of an edge and its origin: who had it, and what reached the origin", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { world, between, edge } = await twoTiers(t);
  assert.equal(await status(edge, `${stem}.info`), "200 MISS|MISS", "neither had it");
  assert.deepEqual(traceOf(between).sort(), [`200 ${stem}.info MISS|MISS`, `200 ${stem}.mod -|HIT`]);
  assert.equal(await status(world.granary, `${stem}.zip`), "200 MISS|MISS");
  assert.equal(await status(edge, `${stem}.zip`), "200 HIT|MISS", "the origin had it");
  for (const ending of ["info", "mod", "zip"]) assert.equal(await status(edge, `${stem}.${ending}`), "200 -|HIT");
  assert.deepEqual(traceOf(between), [`200 ${stem}.zip -|HIT`], "hits never reach the origin");

  const sums = await download(tool, { GOPROXY: edge.url, GOSUMDB: world.gosumdb }, hello);
  assert.equal(sums.code, 0, sums.output);
  const direct = await download(tool, { GOPROXY: world.granary.url, GOSUMDB: world.gosumdb }, hello);
  assert.deepEqual(sums.sums, direct.sums);
});

test("lists and branches keep their own short time, and cost a 304 after it", async (t) => {
  const { between, edge } = await twoTiers(t);
  const again = await startEdge(t, [between.url], { env: { GRANARY_FRESHNESS_LIST: "1s" } });
  const list = "/example.com/hello/@v/list";
  assert.match(await status(edge, list), /^200 (MISS|HIT)\|MISS$/);
  between.take();
  for (const path of [list, "/example.com/hello/@latest"]) {
    assert.match(await status(again, path), /\|MISS$/);
    between.take();
    await sleep(1_100);
    assert.equal(await status(again, path), "200 HIT|EXPIRED");
    const [passed] = between.take();
    assert.equal(passed?.status, 304, path);
    assert.match(passed.condition ?? "", /^"[0-9a-f]{64}"$/);
  }
});

test("an edge obeys the header it got: stale at once and shown once, waited for later, served when the origin is dead", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { world, between, edge } = await twoTiers(t, { GRANARY_FRESHNESS_INFO: "1s", GRANARY_FRESHNESS_SWR: "2s" });
  const url = `${stem}.mod`;
  assert.equal((await download(tool, { GOPROXY: edge.url, GOSUMDB: world.gosumdb }, hello)).code, 0);
  await sleep(1_100);
  between.take();
  const held = Promise.withResolvers<undefined>();
  between.gate = held.promise;
  assert.equal(await status(edge, url), "200 -|STALE");
  assert.equal(await status(edge, url), "200 -|STALE");
  held.resolve(undefined);
  await eventually(async () => (await status(edge, url)) === "200 -|HIT");
  assert.deepEqual(traceOf(between), [`304 ${url} -|HIT`]);

  await sleep(3_100);
  assert.equal(await status(edge, url), "200 HIT|EXPIRED");
  assert.deepEqual(traceOf(between), [`304 ${url} -|HIT`]);
  await sleep(3_100);
  await world.granary.stop();
  assert.equal(await status(edge, url), "200 -|STALE");
  const offline = await download(tool, { GOPROXY: edge.url, GOSUMDB: world.gosumdb }, hello);
  assert.equal(offline.code, 0, offline.output);
});

test("workers of an edge leave what grows old to the owner, and reuse it for as long as that is fresh", async (t) => {
  const { world, between } = await twoTiers(t, { GRANARY_FRESHNESS_INFO: "1s" });
  const sumdb = `${world.database.verifierKey} ${between.url}/sumdb/${world.database.name}`;
  const edge = await startEdge(t, [between.url], { sumdb, flags: ["--workers=2"] });
  const url = `${stem}.mod`;
  assert.equal(await status(edge, url), "200 MISS|MISS");
  for (let n = 0; n < 4; n++) assert.equal(await status(edge, url), "200 -|HIT");
  between.take();
  await sleep(1_100);
  assert.equal(await status(edge, url), "200 -|STALE");
  await eventually(() => between.take().some(({ path, status }) => path === url && status === 304));
});

test("bytes that change on the way to the edge are refused, and what it keeps outlives every lie", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { world, between, edge } = await twoTiers(t, { GRANARY_FRESHNESS_INFO: "1s" });
  const env = { GOPROXY: edge.url, GOSUMDB: world.gosumdb };
  const { stub } = world;
  const other = stub.bytes("/example.com/hello/@v/v1.1.0.zip");
  between.lie = (path, body) => (path === `${stem}.zip` ? Buffer.from(other) : body);
  const refused = await download(tool, env, hello);
  assert.notEqual(refused.code, 0);
  assert.match(refused.output, /GRANARY_(SUMDB_MISMATCH|BAD_MODULE)/);
  await eventually(async () => (await events(edge, "module.denied")).length > 0);
  between.lie = undefined;
  const sound = await download(tool, env, hello);
  assert.equal(sound.code, 0, sound.output);

  between.lie = (path, body) => (path === `${stem}.mod` ? Buffer.from(`${body.toString()}// moved\n`) : body);
  const { headers } = await fetch(`${edge.url}${stem}.mod`);
  // What lies between does not pass on that the origin has nothing new.
  between.take();
  await sleep(1_100);
  await status(edge, `${stem}.mod`);
  await eventually(() => between.take().length > 0);
  const after = await fetch(`${edge.url}${stem}.mod`);
  assert.equal(after.headers.get("etag"), headers.get("etag"));
  assert.deepEqual(await events(edge, "module.disputed"), [], "a 304 carries nothing to lie with");
});

test("an origin that answers a revalidation with other bytes is told of, and changes nothing", async (t) => {
  const world = await startWorld({ env: { GRANARY_PREFETCH: "off" } });
  atEnd(t, () => world.close());
  const { stub, database } = world;
  const sumdb = `${database.verifierKey} ${stub.url}/sumdb/${database.name}`;
  const edge = await startEdge(t, [stub.url], { sumdb, env: { GRANARY_FRESHNESS_INFO: "1s" } });
  const first = await fetch(`${edge.url}${stem}.mod`);
  const bytes = await first.text();
  await sleep(1_100);
  stub.fault(`${stem}.mod`, { kind: "bytes", body: Buffer.from("module example.com/evil\n") });
  assert.equal(await status(edge, `${stem}.mod`), "200 -|STALE");
  await eventually(async () => (await events(edge, "module.disputed")).length === 1);
  const [told] = await events(edge, "module.disputed");
  assert.deepEqual([told?.["module"], told?.["file"], told?.["upstream"]], ["example.com/hello", "mod", "origin0"]);
  assert.equal(await (await fetch(`${edge.url}${stem}.mod`)).text(), bytes);
});

test("private modules through an edge: pinned there, proven by the origin's own database", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const world = await ownWorld();
  atEnd(t, () => world.close());
  const origin = await world.start();
  const details = "    private: corp.example/team/*\n";
  const own = `${world.verifierKey} ${origin.url}/sumdb/${world.verifier.name}`;
  const edge = await startEdge(t, [origin.url], { details, private: "corp.example/team/*", sumdb: own });
  const id = `${secret.path}@${secret.version}`;
  const got = await download(tool, { GOPROXY: edge.url, GOSUMDB: own }, id, hello);
  assert.equal(got.code, 0, got.output);
  assert.equal(got.sums.length, 2);
  const answer = await fetch(`${edge.url}/corp.example/team/secret/@v/v1.0.0.mod`);
  assert.equal(answer.headers.get("cache-control"), "private, no-store");
  assert.equal(answer.headers.get("x-go-proxy-status"), "-|HIT");
  const outside = await fetch(`${edge.url}/corp.example/team/secret/@v/v1.0.0.mod`, {
    headers: { "x-forwarded-for": "192.0.2.1" },
  });
  assert.equal(outside.status, 401);
});

test("of two origins the nearer one is asked, and the other one when it is dead", async (t) => {
  const world = await startWorld({ env: { GRANARY_PREFETCH: "off" } });
  atEnd(t, () => world.close());
  const far = await startBetween(world.granary.url);
  const near = await startBetween(world.granary.url);
  atEnd(t, () => far.close());
  let isNearOpen = true;
  const closeNear = async (): Promise<void> => {
    if (isNearOpen) await near.close();
    isNearOpen = false;
  };
  atEnd(t, closeNear);
  Object.defineProperty(far, "gate", { get: () => sleep(150) });
  const sumdb = `${world.database.verifierKey} ${world.granary.url}/sumdb/${world.database.name}`;
  const edge = await startEdge(t, [far.url, near.url], { sumdb });
  await eventually(async () => {
    const page = await (await fetch(`${edge.url}/-/api/upstreams`)).text();
    return (page.match(/lastProbe/g) ?? []).length === 2;
  });
  assert.match(await status(edge, `${stem}.info`), /^200 /);
  assert.deepEqual([far.take().length, near.take().length > 0], [0, true]);
  await closeNear();
  assert.match(await status(edge, `${stem}.zip`), /^200 /);
  assert.equal(far.take().length, 1);
});
