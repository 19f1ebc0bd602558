// What a node asks of the bucket: one request for each object that another node has put there, none for what is near, and a
// bounded number in every minute in which nobody asks it for anything.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { missingCluster, startCluster, tell } from "../support/cluster-world.ts";
import { startCountingProxy } from "../support/counting-proxy.ts";
import type { RunningGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";

const path = "example.com/cost";
const stem = `/${path}/@v/v1.0.0`;
const files = ["info", "mod", "zip"].map((ending) => `${stem}.${ending}`);
const versions = ["v1.0.0", "v1.1.0"].map((version) => makeModule({ path, version }));
/** How long an idle node is watched. */
const idleMs = process.env["LONG"] === undefined ? 6_000 : 120_000;
/** Requests of an idle node in a minute: what may change is looked at every two seconds, and little else is. */
const mostIdle = 60;

/** Node a has fetched everything; node b has nothing, and its requests are counted. */
async function open(t: TestContext, env: Readonly<Record<string, string>> = {}) {
  const world = await startCluster(t, { modules: versions, env });
  const a = await world.start("a");
  const sumdb = `/sumdb/${world.database.name}/lookup/${path}@v1.0.0`;
  const targets = [...files, `/${path}/@v/list`, `/${path}/@latest`, sumdb];
  for (const target of targets) assert.equal((await tell(a.url + target)).status, 200, target);
  const counting = await startCountingProxy(t, world.s3.endpoint);
  const b = await world.start("b", { GRANARY_S3_ENDPOINT: counting.url });
  return { ...world, a, b, seen: counting.seen, sumdb };
}

/** What was asked of the bucket, by key, since the last time; `GET` and the like left away. */
function take(seen: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of seen.splice(0)) {
    const [, url = ""] = line.split(" ");
    const query = new URLSearchParams(url.split("?", 2)[1] ?? "");
    const prefix = query.get("prefix");
    const key = decodeURIComponent(url.split("?", 1)[0] ?? "").replace(/^\/granary\/?/, "");
    const what = prefix === null ? key : `list of ${prefix}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return counts;
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

function ofModules(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].filter(([what]) => what.replace("list of ", "").startsWith("modules/"));
}

async function must(node: RunningGranary, target: string): Promise<void> {
  const { status, start } = await tell(node.url + target);
  assert.equal(status, 200, `${target}: ${start}`);
}

suite("requests to the bucket", { skip: missingCluster(), timeout: 240_000 }, () => {
  test("what node a has fetched costs node b one request an object, and nothing when it is asked again", async (t) => {
    const { b, seen, stub, sumdb } = await open(t);
    stub.resetCounts();
    take(seen);
    for (const target of files) await must(b, target);
    const cold = ofModules(take(seen));
    t.diagnostic(`cold: ${cold.map(([what, count]) => `${count} × ${what}`).join(", ")}`);
    const ofVersion = cold.filter(([what]) => what.startsWith(`modules${stem}.`) && !what.endsWith(".tombstone"));
    assert.equal(ofVersion.length, 5, "info, mod, zip, two manifests");
    assert.deepEqual([...new Set(cold.map(([, count]) => count))], [1], "no object more than once");
    assert.ok(cold.length <= 6, "and whether it was evicted");
    for (let round = 0; round < 20; round++) for (const target of files) await must(b, target);
    const warm = take(seen);
    assert.deepEqual(ofModules(warm), []);
    t.diagnostic(`warm, ${20 * files.length} answers: 0 requests for modules, ${total(warm)} others`);

    for (const target of [`/${path}/@v/list`, `/${path}/@latest`, sumdb]) {
      take(seen);
      await must(b, target);
      const first = take(seen);
      await must(b, target);
      const again = ofModules(take(seen));
      const words = [...first].map(([what, count]) => `${count} × ${what}`).join(", ");
      t.diagnostic(`${target}: ${total(first)} requests (${words}), then ${again.length}`);
      assert.deepEqual(again, [], target);
    }
    assert.equal(stub.requests(/\.zip$|\.mod$|\.info$/), 0, "upstream was not asked for a file");
  });

  test("an idle node asks the bucket little, with Redis and without", async (t) => {
    const { b, seen, redis } = await open(t);
    for (const target of files) await must(b, target);
    await passed(3_000);
    for (const state of ["with Redis", "Redis dead"]) {
      if (state === "Redis dead") await redis.kill();
      take(seen);
      await passed(idleMs);
      const counts = take(seen);
      const perMinute = Math.round((total(counts) * 60_000) / idleMs);
      const words = [...counts].map(([what, count]) => `${count} × ${what === "" ? "the bucket" : what}`).join(", ");
      t.diagnostic(`idle, ${state}: ${perMinute} requests a minute (in ${idleMs / 1_000} s: ${words})`);
      assert.ok(perMinute <= mostIdle, `${perMinute} a minute`);
      assert.deepEqual(ofModules(counts), []);
    }
  });
});
