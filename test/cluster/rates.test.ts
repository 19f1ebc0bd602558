// One client's rate over two nodes, each with a store and a worker of its own and one Redis between them.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { startGranary } from "../support/granary.ts";
import type { RunningGranary } from "../support/granary.ts";
import { missingRedis, startRedis } from "../support/servers/redis.ts";
import { startUpstreams } from "../support/world.ts";

const target = "/example.com/hello/@v/v1.0.0.mod";

suite("shared rates", { skip: missingRedis() ?? false, timeout: 120_000 }, () => {
  test("nodes with stores and workers of their own count a client together; without Redis each alone", async (t) => {
    const { stub } = await startUpstreams();
    atEnd(t, () => stub.close());
    const redis = await startRedis(t);
    const start = async (node: string): Promise<RunningGranary> => {
      const env = { GRANARY_REDIS_URL: redis.url, GRANARY_CLUSTER_NODE: node, GRANARY_LIMITER_PROFILE: "official" };
      const granary = await startGranary({ upstream: stub.url, env, flags: ["--workers=1"] });
      atEnd(t, () => granary.stop());
      return granary;
    };
    const nodes = [await start("a"), await start("b")];
    const statuses: number[] = [];
    for (let n = 0; n < 7; n++) statuses.push(await ask(nodes[n % 2]));
    // Five a second over both; a machine so slow that they were more than a second apart proves nothing.
    assert.deepEqual(statuses.slice(0, 5), [200, 200, 200, 200, 200]);
    assert.deepEqual(statuses.slice(5), [429, 429]);
    await redis.kill();
    for (const node of nodes) assert.equal(await ask(node), 200);
  });
});

async function ask(node: RunningGranary | undefined): Promise<number> {
  const response = await fetch(`${node?.url ?? ""}${target}`);
  await response.arrayBuffer();
  return response.status;
}
