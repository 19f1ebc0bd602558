// Granary under its own conformance suite: everything, not only what a proxy must do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { rawHttpTarget } from "#adapters/system/raw-http.ts";
import { runConformance } from "#services/lab/conformance.ts";
import { sampleFixtures } from "../support/sample-fixtures.ts";
import { makeModule, readModuleFixtures } from "../support/modules.ts";
import { startWorld } from "../support/world.ts";

test("Granary passes every case", async (t) => {
  const toolchain = makeModule({ path: "golang.org/toolchain", version: "v0.0.1-go1.99.0.linux-amd64", files: {} });
  // More than one full tile, and a partial one beside it.
  const many = Array.from({ length: 300 }, (_, n) => makeModule({ path: `example.com/many/m${n}`, version: "v1.0.0" }));
  const world = await startWorld({ modules: [...readModuleFixtures(), toolchain, ...many] });
  t.after(() => world.close());
  const fixtures = { ...sampleFixtures, database: { name: world.database.name, key: world.gosumdb } };
  const wrong: string[] = [];
  let passed = 0;
  for await (const { id, outcome, why } of runConformance(rawHttpTarget(world.granary.url), fixtures)) {
    if (outcome === "pass") passed += 1;
    else wrong.push(`${outcome} ${id}: ${why}`);
  }
  assert.deepEqual(wrong, []);
  assert.ok(passed >= 80);
});
