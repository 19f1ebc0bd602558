// What a person decides at one node is so at the other within five seconds: versions held back and freed, tokens made and
// revoked, pins. With Redis, which tells, and while Redis is dead, when each node looks for itself.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { missingCluster, startCluster, tell, until } from "../support/cluster-world.ts";
import { runGranary } from "../support/granary.ts";
import type { RunningGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";

const path = "example.com/seen";
const zip = `/${path}/@v/v1.0.0.zip`;
/** The longest that a decision may take to be so everywhere. */
const mostMs = 5_000;

async function open(t: TestContext) {
  const world = await startCluster(t, { modules: [makeModule({ path, version: "v1.0.0" })] });
  const [a, b] = await Promise.all([world.start("a"), world.start("b")]);
  for (const node of [a, b]) assert.equal((await tell(node.url + zip)).status, 200);
  /** A command at a node: its directory, its settings. */
  const at = async (node: RunningGranary, ...words: string[]): Promise<string> => {
    const done = await runGranary([...words, `--store=${node.store}`], world.env);
    assert.equal(done.code, 0, done.stderr);
    return done.stdout;
  };
  return { ...world, a, b, at };
}

async function refresh(node: RunningGranary, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${node.url}/-/api/refresh/${path}`, { method: "POST", headers })).status;
}

suite("decisions of people", { skip: missingCluster(), timeout: 240_000 }, () => {
  for (const state of ["with Redis", "Redis dead"])
    test(`made at one node, so at the other within ${mostMs / 1_000} s, ${state}`, async (t) => {
      const { a, b, at, redis } = await open(t);
      if (state === "Redis dead") await redis.kill();
      const took: string[] = [];
      const within = async (what: string, isSo: (node: RunningGranary) => Promise<boolean>): Promise<void> => {
        const times = await Promise.all([a, b].map((node) => until(what, () => isSo(node), mostMs)));
        took.push(`${what}: ${Math.round(Math.max(...times))} ms`);
      };
      await at(a, "store", "quarantine", "hold", `${path}@v1.0.0`, "--reason", "a stolen key");
      await within("held", async (node) => (await tell(node.url + zip)).status === 403);
      await at(a, "store", "quarantine", "free", `${path}@v1.0.0`);
      await within("freed", async (node) => (await tell(node.url + zip)).status === 200);

      const [text = ""] = /grn_\S+/.exec(await at(a, "token", "add", "--scope", "write")) ?? [];
      const [, id = ""] = /^grn_([0-9a-f]+)_/.exec(text) ?? [];
      assert.notEqual(id, "");
      await within("token taken", async (node) => (await refresh(node, text)) === 200);
      await at(a, "token", "revoke", id);
      await within("token refused", async (node) => (await refresh(node, text)) !== 200);

      await at(a, "pin", "add", `${path}@v1.0.0`);
      assert.match(await at(b, "pin", "list"), /example\.com\/seen@v1\.0\.0/);
      t.diagnostic(`after the command ended: ${took.join(", ")}`);
    });
});
