import assert from "node:assert/strict";
import { hostname } from "node:os";
import { suite, test } from "node:test";
import { steadyClock } from "#adapters/system/clock.ts";
import { CoordinationDown } from "#services/cluster/ports.ts";
import type { GranaryEvent } from "#services/events/ports.ts";
import { atEnd } from "../../test/support/at-end.ts";
import { freePort } from "../../test/support/loopback.ts";
import { loadConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { openCoordination } from "./coordination.ts";
import { nodeName } from "./node-name.ts";

async function configOf(env: Readonly<Record<string, string>>): Promise<Config> {
  const machine = { env, platform: "linux", home: "/nowhere", readFile: () => Promise.resolve(undefined) };
  return await loadConfig({ flags: { values: {} }, machine });
}

const quiet = { events: { emit: () => undefined }, clock: steadyClock };

suite("openCoordination", () => {
  test("without a URL there is none", async () => {
    assert.equal(await openCoordination(await configOf({}), quiet), undefined);
  });

  test("a Redis that is away is told once, without its password", async (t) => {
    const port = await freePort();
    const env = { GRANARY_REDIS_URL: "env:REDIS", REDIS: `redis://user:hunter2@127.0.0.1:${port}/1` };
    const told: GranaryEvent[] = [];
    const made = await openCoordination(await configOf(env), {
      ...quiet,
      events: { emit: (event) => void told.push(event) },
    });
    assert.ok(made !== undefined);
    atEnd(t, () => made.close());
    await assert.rejects(made.turns.take("x"), CoordinationDown);
    assert.deepEqual(
      told.map(({ name }) => name),
      ["coordination.down"],
    );
    assert.match(JSON.stringify(told), /ECONNREFUSED/);
    assert.doesNotMatch(JSON.stringify(told), /hunter2|user/);
  });

  for (const [said, reason] of [
    ["redis://u:hunter2@h/x", "number of a database"],
    ["http://u:hunter2@h", "neither redis:// nor rediss://"],
    ["hunter2", "not a URL"],
    ["redis://u:hunter2@h?x=1", "nothing may follow"],
    ["redis://u:hunter2%@h", "percent-encoded"],
  ] as const)
    test(`${said} is refused for its reason, unquoted`, async () => {
      const config = await configOf({ GRANARY_REDIS_URL: "env:REDIS", REDIS: said });
      await assert.rejects(openCoordination(config, quiet), (error: { code: string; fields: unknown }) => {
        assert.equal(error.code, "GRANARY_BAD_CONFIG");
        assert.match(JSON.stringify(error.fields), new RegExp(reason));
        assert.doesNotMatch(JSON.stringify(error.fields), /hunter2/);
        return true;
      });
    });

  test("nodes of a cluster that do not belong together are refused", async () => {
    for (const two of ["redis://a:x@h1,redis://a:y@h2", "redis://h1,rediss://h2", "redis://h1/1,redis://h2"])
      await assert.rejects(openCoordination(await configOf({ GRANARY_REDIS_URL: two }), quiet), {
        code: "GRANARY_BAD_CONFIG",
      });
  });

  test("a secret or an authority that cannot be read is an error", async () => {
    const lost = await configOf({ GRANARY_REDIS_URL: "env:NOT_THERE" });
    await assert.rejects(openCoordination(lost, quiet), { code: "GRANARY_SECRET_UNREADABLE" });
    const noCa = await configOf({ GRANARY_REDIS_URL: "rediss://127.0.0.1:1", GRANARY_REDIS_CA: "/nowhere/ca.pem" });
    await assert.rejects(openCoordination(noCa, quiet), { code: "GRANARY_CONFIG_UNREADABLE" });
  });

  test("a node is named after its host, or as it is told", async () => {
    assert.equal(nodeName(await configOf({})), hostname());
    assert.equal(nodeName(await configOf({ GRANARY_CLUSTER_NODE: "east-1" })), "east-1");
  });
});
