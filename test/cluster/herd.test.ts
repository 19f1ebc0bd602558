// N8: everybody wants one version that nobody has, at two nodes at once. Upstream is asked once, whatever happens to Redis or
// to the node that fetches: at most once a node.
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { missingCluster, startCluster, tell, until } from "../support/cluster-world.ts";
import type { ClusterWorld, Told } from "../support/cluster-world.ts";
import type { RunningGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";

/** Clients of each node. Each has one connection, and has all three files on its mind at once. */
const clients = process.env["LONG"] === undefined ? 200 : 1_000;
const path = "example.com/herd";
const stem = `/${path}/@v/v1.0.0`;
const files = ["info", "mod", "zip"].map((ending) => `${stem}.${ending}`);
/** How long upstream takes for the zip; the herd meets in the middle of it. */
const zipMs = 1_000;

function theModule() {
  const large = Array.from({ length: 2_000 }, (_, n) => `// line ${n} of ${Math.sin(n)}`).join("\n");
  const texts = { "go.mod": `module ${path}\n\ngo 1.19\n`, "herd.go": `package herd\n${large}\n` };
  return makeModule({ path, version: "v1.0.0", files: texts });
}

async function open(t: TestContext, env: Readonly<Record<string, string>> = {}) {
  const world = await startCluster(t, { modules: [theModule()], env });
  world.stub.fault(`${stem}.zip`, { kind: "delay", ms: zipMs });
  return world;
}

type Herd = { readonly answers: readonly (Told & { readonly file: string })[]; readonly failed: readonly string[] };

/** All clients at once; what breaks is told, not thrown. */
async function herd(t: TestContext, nodes: readonly RunningGranary[], wanted = files): Promise<Herd> {
  const failed: string[] = [];
  const answers: (Told & { readonly file: string })[] = [];
  const client = async (url: string): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    atEnd(t, () => agent.destroy());
    const asks = wanted.map(async (file) => {
      try {
        answers.push({ ...(await tell(url + file, agent)), file });
      } catch (error) {
        failed.push(`${file}: ${String(error)}`);
      }
    });
    await Promise.all(asks);
  };
  const each = Array.from({ length: clients }, () => nodes.map(({ url }) => url)).flat();
  await Promise.all(each.map((url) => client(url)));
  return { answers, failed };
}

function assertAllTheSame({ answers, failed }: Herd, count: number): void {
  assert.deepEqual(failed.slice(0, 3), [], `${failed.length} broke`);
  const bad = answers.filter(({ status }) => status !== 200);
  assert.deepEqual(bad.slice(0, 3), [], `${bad.length} of ${answers.length}`);
  assert.equal(answers.length, count * clients * files.length);
  for (const file of files) {
    const ofFile = answers.filter((each) => each.file === file);
    assert.equal(ofFile.length, count * clients);
    assert.equal(new Set(ofFile.map(({ sha256 }) => sha256)).size, 1, `bytes of ${file}`);
    assert.equal(new Set(ofFile.map(({ etag }) => etag)).size, 1, `ETag of ${file}`);
    assert.notEqual(ofFile[0]?.etag, "");
  }
}

/** Of each file, and of everything else that upstream was asked for. */
function counts({ stub }: ClusterWorld): string {
  return [...stub.counts()].map(([asked, count]) => `${count} × ${asked}`).join(", ");
}

function assertAskedAtMost(world: ClusterWorld, most: number): void {
  for (const file of files) {
    const asked = world.stub.requests(file);
    assert.ok(asked >= 1 && asked <= most, `${asked} × ${file}: ${counts(world)}`);
  }
}

function slowest({ answers }: Herd): number {
  return Math.round(Math.max(...answers.map(({ ms }) => ms)));
}

async function pair(world: ClusterWorld): Promise<[RunningGranary, RunningGranary]> {
  return await Promise.all([world.start("a"), world.start("b")]);
}

suite("a herd before two nodes", { skip: missingCluster(), timeout: 300_000 }, () => {
  test(`${clients} clients of each of two nodes, one cold version: each file is fetched once`, async (t) => {
    const world = await open(t);
    const nodes = await pair(world);
    world.stub.resetCounts();
    const done = await herd(t, nodes);
    assertAllTheSame(done, 2);
    assertAskedAtMost(world, 1);
    assert.equal(world.stub.requests(new RegExp(`/lookup/${path}@`)), 1, counts(world));
    assert.equal(world.stub.requests(`/${path}/@v/list`), 0, "nobody asked for it");
    t.diagnostic(`${done.answers.length} answers, the slowest after ${slowest(done)} ms; upstream: ${counts(world)}`);
  });

  test("Redis is dead from the start: at most once a node", async (t) => {
    const world = await open(t);
    await world.redis.kill();
    const nodes = await pair(world);
    world.stub.resetCounts();
    const done = await herd(t, nodes);
    assertAllTheSame(done, 2);
    assertAskedAtMost(world, 2);
    t.diagnostic(`the slowest after ${slowest(done)} ms; upstream: ${counts(world)}`);
  });

  test("Redis is killed in the middle of the herd: at most once a node", async (t) => {
    const world = await open(t);
    const nodes = await pair(world);
    world.stub.resetCounts();
    const asking = herd(t, nodes);
    await until("the zip is asked for", () => Promise.resolve(world.stub.requests(`${stem}.zip`) > 0));
    await world.redis.kill();
    const done = await asking;
    assertAllTheSame(done, 2);
    assertAskedAtMost(world, 2);
    t.diagnostic(`the slowest after ${slowest(done)} ms; upstream: ${counts(world)}`);
  });

  test("Redis is paused in the middle: at most once a node, and nobody waits for it", async (t) => {
    const world = await open(t);
    const nodes = await pair(world);
    world.stub.resetCounts();
    const asking = herd(t, nodes);
    await until("the zip is asked for", () => Promise.resolve(world.stub.requests(`${stem}.zip`) > 0));
    world.redis.pause();
    const done = await asking.finally(() => world.redis.resume());
    assertAllTheSame(done, 2);
    assertAskedAtMost(world, 2);
    t.diagnostic(`the slowest after ${slowest(done)} ms; upstream: ${counts(world)}`);
  });

  test("Redis is paused before the herd comes: at most once a node, and nobody waits for it", async (t) => {
    const world = await open(t);
    const nodes = await pair(world);
    world.stub.resetCounts();
    world.redis.pause();
    const done = await herd(t, nodes).finally(() => world.redis.resume());
    assertAllTheSame(done, 2);
    assertAskedAtMost(world, 2);
    t.diagnostic(`the slowest after ${slowest(done)} ms; upstream: ${counts(world)}`);
  });

  test("the node that fetches is killed: the other one goes on within the lease, and none of its clients fails", async (t) => {
    const world = await open(t);
    const [a, b] = await pair(world);
    for (const file of files) assert.equal(world.stub.requests(file), 0);
    world.stub.resetCounts();
    // Node a begins alone, so that it is the one who fetches when b's clients come.
    const lost = tell(`${a.url}${stem}.zip`).catch(() => undefined);
    await until("a asks for the zip", () => Promise.resolve(world.stub.requests(`${stem}.zip`) === 1));
    const waiting = herd(t, [b]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const since = performance.now();
    a.signal("SIGKILL");
    await Promise.all([a.ended, lost]);
    const done = await waiting;
    const tookMs = Math.round(performance.now() - since);
    assertAllTheSame(done, 1);
    assertAskedAtMost(world, 2);
    t.diagnostic(`all answered ${tookMs} ms after the kill, of which 2 s are the lease; upstream: ${counts(world)}`);
  });

  test("a version that is nowhere: upstream is asked at most once a node, everybody hears 404", async (t) => {
    const world = await open(t);
    const nodes = await pair(world);
    world.stub.resetCounts();
    const absent = `/${path}/@v/v9.9.9.info`;
    const { answers, failed } = await herd(t, nodes, [absent]);
    assert.deepEqual(failed.slice(0, 3), []);
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [404]);
    assert.ok(world.stub.requests(absent) <= 2, counts(world));
    t.diagnostic(`upstream: ${counts(world)}`);
  });
});
