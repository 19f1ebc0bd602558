// Webhooks, refreshes and the index against a running server: what a push makes visible, and what a forgery does not.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { GranaryEvent } from "#services/events/ports.ts";
import { forgeNames } from "#services/sync/hooks.ts";
import { atEnd } from "../support/at-end.ts";
import { fixtureZip } from "../support/fixture-zip.ts";
import { deliveryOf } from "../support/forges.ts";
import type { Delivery } from "../support/forges.ts";
import { runGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";
import { recordModule, startWorld } from "../support/world.ts";
import type { World, WorldOptions } from "../support/world.ts";

const secret = "a secret of the forge";
const path = "git.corp.example/team/x";
const url = `https://${path}.git`;
const old = makeModule({ path, version: "v1.0.0", queries: ["main"] });
const fresh = makeModule({ path, version: "v1.1.0", queries: ["main"] });
const list = `/${path}/@v/list`;
const info = (version: string): string => `/${path}/@v/${version}.info`;

/** A wait that never ends is a failure with a name. */
const limit = { timeout: 120_000 };

type Answer = { readonly status: number; readonly text: string; readonly headers: Headers };

async function ask(where: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(where, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

async function deliver({ granary }: World, sent: Delivery): Promise<Answer> {
  return await ask(granary.url + sent.path, { method: "POST", headers: sent.headers, body: new Uint8Array(sent.body) });
}

const config = `webhooks:
${forgeNames
  .map((forge) => `  our-${forge}: { forge: ${forge}, secret: "env:HOOK", repositories: [git.corp.example/team] }\n`)
  .join("")}`;

async function setUp(t: TestContext, more: { readonly yaml?: string } & Partial<WorldOptions> = {}): Promise<World> {
  const { yaml = config, ...rest } = more;
  const folder = await mkdtemp(join(tmpdir(), "granary-sync-"));
  const file = join(folder, "granary.yaml");
  await writeFile(file, yaml);
  const flags = [`--config=${file}`, ...(rest.flags ?? [])];
  const world = await startWorld({ modules: [old], ...rest, flags, env: { HOOK: secret } });
  atEnd(t, async () => {
    await world.close();
    await rm(folder, { recursive: true, force: true });
  });
  return world;
}

/** A tag is pushed: the upstream and the database know the version from now on. */
async function tag({ stub, database }: World, module = fresh): Promise<void> {
  await recordModule(database, module);
  stub.add(module);
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function eventsOf({ granary }: World): Promise<GranaryEvent[]> {
  const text = await readFile(join(granary.store, "state/events.jsonl"), "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as GranaryEvent]));
}

/** `state detail` of a version, in order. */
async function statesOf(world: World, version: string): Promise<string[]> {
  return (await eventsOf(world)).flatMap((event) =>
    event.name === "sync.state" && event.version === version ? [event.state] : [],
  );
}

async function token({ granary }: World, scope: "read" | "write"): Promise<Record<string, string>> {
  const { stdout } = await runGranary(["token", "add", `--store=${granary.store}`, `--scope=${scope}`, "--json"]);
  return { authorization: `Bearer ${(JSON.parse(stdout) as { token: string }).token}` };
}

const pushes = {
  github: { event: "push", ref: "refs/tags/v1.1.0" },
  gitlab: { event: "tag_push", ref: "refs/tags/v1.1.0" },
  gitea: { event: "create", fields: { ref: "v1.1.0", ref_type: "tag", sha: "0".repeat(40) } },
} as const;

/** Every day with workers, whose owner does what one process does. LONG=1: also with one process. */
const isLong = process.env["LONG"] === "1";

for (const forge of forgeNames)
  for (const workers of forge === "github" ? (isLong ? [0, 2] : [2]) : [0])
    test(`a tag pushed to ${forge} is in list, workers ${workers}`, limit, async (t) => {
      const world = await setUp(t, { flags: [`--workers=${workers}`] });
      const { granary, stub } = world;
      // Everything that could hide the tag is remembered, in every process.
      for (let round = 0; round < 8; round++) {
        assert.equal((await ask(granary.url + list)).text, "v1.0.0\n");
        assert.equal((await ask(granary.url + info("v1.1.0"))).status, 404);
        assert.equal((await ask(`${granary.url}/${path}/@latest`)).status, 200);
      }
      await tag(world);
      const sent = deliveryOf({ forge, secret, url, ...pushes[forge] });
      const started = performance.now();
      const taken = await deliver(world, sent);
      assert.equal(taken.status, 202, taken.text);
      assert.deepEqual(JSON.parse(taken.text), { outcome: "accepted", module: path, versions: [`${path}@v1.1.0`] });
      const answered = Math.round(performance.now() - started);
      // The caches are empty when the delivery is answered: the first question sees the tag.
      assert.equal((await ask(granary.url + list)).text, "v1.0.0\nv1.1.0\n");
      const listed = Math.round(performance.now() - started);
      for (let round = 0; round < 8; round++) {
        assert.equal((await ask(granary.url + list)).text, "v1.0.0\nv1.1.0\n");
        assert.equal((await ask(granary.url + info("v1.1.0"))).status, 200);
      }
      const latest = await ask(`${granary.url}/${path}/@latest`);
      assert.equal((JSON.parse(latest.text) as { Version: string }).Version, "v1.1.0");
      await until(async () => (await statesOf(world, "v1.1.0")).includes("listed"));
      assert.deepEqual(await statesOf(world, "v1.1.0"), ["announced", "fetched", "verified", "kept", "listed"]);
      t.diagnostic(`answered after ${answered} ms, in list after ${listed} ms`);
      // Nobody asked for the zip: it is kept all the same.
      await stub.cut();
      assert.equal((await ask(`${granary.url}/${path}/@v/v1.1.0.zip`)).status, 200);
      assert.match(
        (await ask(`${granary.url}/-/metrics`)).text,
        /granary_sync_delay_seconds_count\{source="webhook"\} 1/,
      );
    });

test("a forged delivery is 403 with one text, a replayed one 200, and neither asks anybody", limit, async (t) => {
  const world = await setUp(t);
  const { stub } = world;
  await tag(world);
  const said = new Set<string>();
  for (const forge of forgeNames) {
    const push = { forge, url, ...pushes[forge] };
    const forged = deliveryOf({ ...push, secret: "a secret of nobody" });
    const unsigned = { ...forged, headers: { "content-type": "application/json" } };
    for (const sent of [forged, unsigned]) {
      const { status, text } = await deliver(world, sent);
      assert.equal(status, 403);
      said.add(text.replace(forge, "FORGE").replace(/granary explain \S+/, ""));
    }
  }
  assert.equal(said.size, 1, [...said].join("\n"));
  assert.deepEqual(stub.requests(/git\.corp/), 0);
  await until(async () => (await eventsOf(world)).filter(({ name }) => name === "webhook.refused").length === 6);

  const good = deliveryOf({ forge: "github", secret, url, ...pushes.github });
  assert.equal((await deliver(world, good)).status, 202);
  await until(async () => (await statesOf(world, "v1.1.0")).includes("listed"));
  const before = stub.requests(/git\.corp/);
  const replays = [good, { ...good, headers: { ...good.headers, "x-github-delivery": "another" } }];
  for (const sent of replays) {
    const { status, text } = await deliver(world, sent);
    assert.deepEqual([status, JSON.parse(text)], [200, { outcome: "replayed" }]);
  }
  assert.equal(stub.requests(/git\.corp/), before);
  const log = world.granary.stderr() + JSON.stringify(await eventsOf(world));
  assert.ok(!log.includes(secret));
});

test(
  "bad deliveries: another method, too long a body, no JSON, a repository that is not the hook's",
  limit,
  async (t) => {
    const world = await setUp(t);
    const { granary, stub } = world;
    const at = `${granary.url}/webhook/github`;
    assert.equal((await ask(at)).status, 405);
    assert.equal((await ask(`${granary.url}/webhook/bitbucket`, { method: "POST" })).status, 405);
    const signed = (body: Uint8Array<ArrayBuffer>): Promise<Answer> => {
      const hmac = createHmac("sha256", secret).update(body).digest("hex");
      const headers = { "x-github-event": "push", "x-hub-signature-256": `sha256=${hmac}` };
      return ask(at, { method: "POST", headers, body });
    };
    const long = await signed(new Uint8Array((4 << 20) + 1)).catch((error: unknown) => error);
    // Its rest is not read: the connection may end before the answer is.
    assert.ok(long instanceof Error || (long as Answer).status === 400);
    for (const text of ["", "payload=%7B%7D", "[1]", '{"ref":1}'])
      assert.equal((await signed(new Uint8Array(Buffer.from(text)))).status, 400, text);
    const foreign = deliveryOf({ forge: "github", secret, url: "https://git.corp.example/other/x", ...pushes.github });
    const ignored = await deliver(world, foreign);
    assert.equal(ignored.status, 200);
    assert.match(ignored.text, /"outcome": "ignored"/);
    assert.equal(stub.requests(/./), 0);
  },
);

test("no webhook is configured: nothing is accepted", limit, async (t) => {
  const world = await setUp(t, { yaml: "" });
  for (const forge of forgeNames) {
    const { status } = await deliver(world, deliveryOf({ forge, secret: "", url, ...pushes[forge] }));
    assert.equal(status, 403);
  }
});

for (const workers of isLong ? [0, 2] : [2])
  test(`POST .info asks upstreams anew, with a write token only, workers ${workers}`, limit, async (t) => {
    const world = await setUp(t, { flags: [`--workers=${workers}`] });
    const { granary, stub } = world;
    const post = (target: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> =>
      ask(granary.url + target, { method: "POST", headers, ...(body !== undefined && { body }) });
    const wanted = JSON.stringify({ module: path });
    assert.equal((await post(info("v1.1.0"))).status, 403);
    assert.equal((await post("/-/api/refresh", {}, wanted)).status, 403);
    const read = await token(world, "read");
    const write = await token(world, "write");
    await until(async () => (await post(info("v1.1.0"))).status === 401);
    for (const headers of [{}, read]) {
      assert.equal((await post(info("v1.1.0"), headers)).status, 401);
      assert.equal((await post("/-/api/refresh", headers, wanted)).status, 401);
    }
    assert.equal(stub.requests(/git\.corp/), 0);

    assert.equal((await ask(granary.url + info("v1.1.0"))).status, 404);
    await tag(world);
    assert.equal((await ask(granary.url + info("v1.1.0"))).status, 404);
    const first = await post(info("v1.1.0"), write);
    assert.equal(first.status, 200, first.text);
    assert.match(first.headers.get("content-type") ?? "", /application\/json/);
    assert.equal((JSON.parse(first.text) as { Version: string }).Version, "v1.1.0");
    const again = await post(info("v1.1.0"), write);
    assert.equal(again.text, first.text);
    assert.equal((await ask(granary.url + info("v1.1.0"))).text, first.text);
    await until(async () => (await statesOf(world, "v1.1.0")).includes("listed"));
    assert.equal((await ask(granary.url + list)).text, "v1.0.0\nv1.1.0\n");

    // The tag was moved: what is kept stays, and it is told.
    const target = `/${path}/@v/v1.1.0.mod`;
    stub.fault(target, { kind: "bytes", body: Buffer.from(`module ${path}\n\ngo 1.99\n`) });
    assert.equal((await post(info("v1.1.0"), write)).text, first.text);
    assert.match((await ask(granary.url + target)).text, /go 1\.19/);
    const compared = async (): Promise<boolean[]> =>
      (await eventsOf(world)).flatMap((event) => (event.name === "upstream.compared" ? [event.same] : []));
    await until(async () => (await compared()).length === 2);
    assert.deepEqual(await compared(), [true, false]);

    const module = await post("/-/api/refresh", write, wanted);
    assert.deepEqual([module.status, JSON.parse(module.text)], [200, { refreshed: path, versions: 2 }]);
    const branch = await post("/-/api/refresh", write, JSON.stringify({ module: path, branch: "main" }));
    assert.equal(branch.status, 200, branch.text);
    assert.match(branch.text, /"Version": "v1\.[01]\.0"/);
    assert.equal((await post(info("main"), write)).status, 200);
    assert.equal((await post(info("nowhere"), write)).status, 404);
    assert.equal((await post("/-/api/refresh", write, "{}")).status, 400);
    assert.equal((await post(`/${path}/@v/v1.1.0.mod`, write)).status, 405);
    assert.equal((await post(`/cached-only${info("v1.1.0")}`, write)).status, 405);
    stub.clearFaults();
    await stub.cut();
    const offline = await post(info("v1.1.0"), write);
    assert.equal(offline.status, 503, "it was asked for, and nobody answered");
    assert.equal((await ask(granary.url + info("v1.1.0"))).text, first.text);
  });

test("a tampered zip ends in quarantine and nowhere else, and the states say so", limit, async (t) => {
  const world = await setUp(t);
  const { granary, stub } = world;
  await tag(world);
  const other = makeModule({
    path,
    version: "v1.1.0",
    files: { "go.mod": `module ${path}\n\ngo 1.19\n`, "evil.go": "package x\n" },
  });
  const zip = `/${path}/@v/v1.1.0.zip`;
  stub.fault(zip, { kind: "bytes", body: fixtureZip(other) });
  assert.equal((await deliver(world, deliveryOf({ forge: "gitea", secret, url, ...pushes.gitea }))).status, 202);
  await until(async () => (await statesOf(world, "v1.1.0")).includes("integrity"));
  const states = await statesOf(world, "v1.1.0");
  assert.deepEqual(states.slice(0, 5), ["announced", "fetched", "failed", "quarantine", "integrity"]);
  assert.ok(!states.includes("kept") && !states.includes("verified"));
  const refused = await ask(granary.url + zip);
  assert.equal(refused.status, 502);
  assert.match(refused.text, /GRANARY_SUMDB_MISMATCH/);
  const listed = await runGranary(["store", "quarantine", "list", `--store=${granary.store}`]);
  assert.match(listed.stdout, /git\.corp\.example\/team\/x@v1\.1\.0/, JSON.stringify(listed));
  const stored = await readFile(join(granary.store, "modules", path, "@v/v1.1.0.zip")).catch(() => undefined);
  assert.equal(stored, undefined);
});

test("an index renews the lists that are known here, goes on where it was, and asks for no other", limit, async (t) => {
  const lines: { readonly path: string; readonly version: string; readonly at: string }[] = [];
  const asked: string[] = [];
  const index = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://index");
    const since = searchParams.get("since") ?? "";
    asked.push(since);
    const found = lines.filter(({ at }) => at >= since);
    const text = found.map(({ path, version, at }) => JSON.stringify({ Path: path, Version: version, Timestamp: at }));
    response.end(`${text.join("\n")}\n`);
  });
  await new Promise<void>((resolve) => index.listen(0, "127.0.0.1", resolve));
  atEnd(t, async () => {
    const closed = new Promise<void>((resolve) => void index.close(() => resolve()));
    index.closeAllConnections();
    await closed;
  });
  const at = `http://127.0.0.1:${(index.address() as AddressInfo).port}/index`;
  const yaml = `sync: { index: "${at}", every: 1s, prefetch: on }\n`;
  const world = await setUp(t, { yaml });
  const { granary, stub } = world;
  assert.equal((await ask(granary.url + list)).text, "v1.0.0\n");
  await until(() => asked.length > 0);
  const other = makeModule({ path: "git.corp.example/team/unknown", version: "v1.0.0" });
  await tag(world);
  await tag(world, other);
  const now = new Date(Date.now() + 60_000).toISOString();
  lines.push({ path, version: "v1.1.0", at: now }, { path: other.path, version: "v1.0.0", at: now });
  await until(async () => (await statesOf(world, "v1.1.0")).includes("listed"));
  assert.equal((await ask(granary.url + list)).text, "v1.0.0\nv1.1.0\n");
  assert.equal(stub.requests(/unknown/), 0);
  const { length } = asked;
  await until(() => asked.length > length + 1);
  assert.equal(asked.at(-1), now);
  const cursor = JSON.parse(await readFile(join(granary.store, "state/sync.json"), "utf8")) as { since: string };
  assert.equal(cursor.since, now);
  assert.match((await ask(`${granary.url}/-/metrics`)).text, /granary_sync_index_lines_total\{outcome="ignored"\} 1/);
});
