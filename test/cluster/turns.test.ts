// Nodes as processes over one bucket and one Redis: who fetches, who waits, what the others hear, and what each loss costs.
import assert from "node:assert/strict";
import { Agent, get } from "node:http";
import { suite, test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import type { RunningGranary } from "../support/granary.ts";
import { makeBucket } from "../support/s3-store.ts";
import { missingRedis, startRedis } from "../support/servers/redis.ts";
import { missingS3, startS3 } from "../support/servers/s3.ts";
import { startUpstreams } from "../support/world.ts";

const skip = missingRedis() ?? missingS3("versitygw") ?? false;
const stem = "/example.com/hello/@v/v1.0.0";
const files = ["info", "mod", "zip"].map((ending) => `${stem}.${ending}`);
const clients = 1_000;

type Got = { readonly status: number; readonly etag: string; readonly body: string };

function ask(url: string, agent?: Agent): Promise<Got> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: agent ?? false }, (response) => {
      let body = "";
      response.setEncoding("latin1").on("data", (piece: string) => (body += piece));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, etag: response.headers.etag ?? "", body }));
    });
    request.on("error", reject);
  });
}

async function metric(node: RunningGranary, name: string): Promise<number> {
  const { body } = await ask(`${node.url}/-/metrics`);
  const samples = body.split("\n").filter((line) => new RegExp(`^${name}[ {]`).test(line));
  return samples.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** An upstream, a Redis, a bucket, and `names` as nodes over them. */
async function openCluster(t: TestContext, names: readonly string[] = ["a", "b"]) {
  const { stub, database } = await startUpstreams();
  atEnd(t, () => stub.close());
  const redis = await startRedis(t);
  const s3 = await startS3(t, "versitygw");
  await makeBucket(s3, "granary");
  const shared = {
    GRANARY_S3_BUCKET: "granary",
    GRANARY_S3_ENDPOINT: s3.endpoint,
    GRANARY_S3_ACCESS_KEY: s3.accessKey,
    GRANARY_S3_SECRET_KEY: s3.secretKey,
    GRANARY_REDIS_URL: redis.url,
    GRANARY_CLUSTER_LEASE: "3s",
    // An upstream that is silent for long is asked again, and on a slow machine a thousand clients take long.
    GRANARY_UPSTREAM_CLIENT_SILENCE: "60s",
    // All these clients are of one address, and come at once.
    GRANARY_LIMITS_CONNECTIONS_PER_IP: "4000",
  };
  const sumdb = `${database.verifierKey} ${stub.url}/sumdb/${database.name}`;
  const start = async (node: string): Promise<RunningGranary> => {
    const granary = await startGranary({ upstream: stub.url, sumdb, env: { ...shared, GRANARY_CLUSTER_NODE: node } });
    atEnd(t, () => granary.stop());
    return granary;
  };
  const nodes = await Promise.all(names.map(start));
  const [a, b] = nodes as [RunningGranary, RunningGranary];
  return { stub, redis, s3, nodes, a, b, start, shared };
}

/** So many clients, in turn at each node, for one version's files. */
async function herd(t: TestContext, nodes: readonly RunningGranary[], count = clients): Promise<Got[]> {
  const agent = new Agent({ maxSockets: count });
  atEnd(t, () => agent.destroy());
  const urls = nodes.flatMap(({ url }) => files.map((file) => url + file));
  return await Promise.all(Array.from({ length: count }, (_, n) => ask(urls[n % urls.length] ?? "", agent)));
}

function assertSame(answers: readonly Got[]): void {
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(new Set(answers.map(({ etag }) => etag)).size, files.length);
}

/** A machine so busy that Redis was not heard within 100 ms has nodes that go on by themselves. */
async function isOnceUnlessRedisWasSlow(nodes: readonly RunningGranary[], requests: number): Promise<void> {
  if (requests === 1) return;
  let alone = 0;
  for (const node of nodes) alone += await metric(node, 'granary_turns_total{outcome="alone"}');
  assert.ok(requests === 2 && alone > 0, `${requests} requests, ${alone} times alone`);
}

suite("turns", { skip, timeout: 240_000 }, () => {
  test("a thousand clients of each of two nodes, one cold version: one upstream fetch of each file", async (t) => {
    const { stub, a, b } = await openCluster(t);
    for (const file of files) stub.fault(file, { kind: "delay", ms: 300 });
    assertSame(await herd(t, [a, b], 2 * clients));
    const alone = 'granary_turns_total{outcome="alone"}';
    // A machine so busy that Redis was not heard within 100 ms has nodes that go on by themselves, and say so.
    const most = (await metric(a, alone)) + (await metric(b, alone)) === 0 ? 1 : 2;
    for (const file of files) assert.ok(stub.requests(file) >= 1 && stub.requests(file) <= most, file);
    assert.ok((await metric(a, "granary_turns_total")) + (await metric(b, "granary_turns_total")) > 0);
  });

  test("with Redis dead at most one fetch for each node, and every node is ready", async (t) => {
    const { stub, redis, a, b } = await openCluster(t);
    await redis.kill();
    for (const file of files) stub.fault(file, { kind: "delay", ms: 300 });
    assertSame(await herd(t, [a, b]));
    for (const file of files) assert.ok(stub.requests(file) <= 2, file);
    assert.equal((await ask(`${a.url}/-/readyz`)).status, 200);
    await until(async () => (await metric(a, "granary_coordination_up")) === 0);
    await redis.start();
    await until(async () => (await metric(a, "granary_coordination_up")) === 1);
  });

  test("the node that fetches is killed: the other one answers all its clients within a lease and a little", async (t) => {
    const { stub, a, b } = await openCluster(t);
    stub.fault(`${stem}.info`, { kind: "delay", ms: 60_000 });
    const lost = ask(a.url + (files[0] ?? "")).catch(() => undefined);
    await until(() => Promise.resolve(stub.requests(files[0] ?? "") === 1));
    const waiting = herd(t, [b], 60);
    await until(async () => (await metric(b, 'granary_turns_total{outcome="waited"}').catch(() => 0)) > 0);
    stub.fault(`${stem}.info`, { kind: "delay", ms: 10 });
    const since = performance.now();
    a.signal("SIGKILL");
    await lost;
    assertSame(await waiting);
    assert.ok(performance.now() - since < 10_000, `${performance.now() - since} ms`);
  });

  test("an absence is asked for once; a hold is seen everywhere in five seconds; nodes know of each other", async (t) => {
    const { stub, a, b, shared } = await openCluster(t);
    const absent = "/example.com/hello/@v/v9.9.9.info";
    for (const { url } of [a, b]) {
      assert.equal((await ask(url + absent)).status, 404);
      await passed(300); // until it is told
    }
    await isOnceUnlessRedisWasSlow([a, b], stub.requests(absent));
    for (const { url } of [a, b]) assert.equal((await ask(url + (files[2] ?? ""))).status, 200);
    const hold = ["store", "quarantine", "hold", "example.com/hello@v1.0.0", "--reason", "test"];
    const held = await runGranary([...hold, `--store=${a.store}`], shared);
    assert.equal(held.code, 0, held.stderr);
    const since = performance.now();
    for (const { url } of [a, b]) await until(async () => (await ask(url + (files[2] ?? ""))).status !== 200);
    assert.ok(performance.now() - since < 5_000);
    for (const node of [a, b]) await until(async () => (await metric(node, "granary_cluster_nodes")) === 2);
    const { cluster } = JSON.parse((await ask(`${a.url}/-/api/status`)).body) as {
      readonly cluster: { readonly up: boolean; readonly nodes: readonly { readonly node: string }[] };
    };
    assert.equal(cluster.up, true);
    assert.deepEqual(
      cluster.nodes.map(({ node }) => node),
      ["a", "b"],
    );
    assert.match((await ask(`${b.url}/-/`)).body, /<th align="left">Nodes<td>a \(/);
  });

  test("what one node forgets at an operator's word the other forgets too", async (t) => {
    const { stub, a, b, shared } = await openCluster(t);
    const list = "/example.com/hello/@v/list";
    const absent = "/example.com/hello/@v/v9.9.9.info";
    const asked = (): readonly number[] => [list, absent].map((path) => stub.requests(path));
    const askBoth = async (): Promise<void> => {
      for (const path of [list, absent])
        for (const { url } of [a, b]) {
          await ask(url + path);
          await passed(300); // until it is told
        }
    };
    await askBoth();
    await askBoth();
    const [lists = 0, absences = 0] = asked();
    assert.equal(lists, 2, "each has its list");
    await isOnceUnlessRedisWasSlow([a, b], absences);
    const made = await runGranary(["token", "add", "--scope=write", `--store=${a.store}`], shared);
    const [token = ""] = /grn_\S+/.exec(made.stdout) ?? [];
    const headers = { authorization: `Bearer ${token}` };
    const refreshed = await fetch(`${a.url}/-/api/refresh/example.com/hello`, { method: "POST", headers });
    assert.equal(refreshed.status, 200);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await ask(b.url + list);
    await ask(b.url + absent);
    assert.deepEqual(asked(), [lists + 1, absences + 1]);
  });
});
