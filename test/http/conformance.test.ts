// Granary under its own conformance suite: everything, not only what a proxy must do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { rawHttpTarget } from "#adapters/system/raw-http.ts";
import { runConformance } from "#services/lab/conformance.ts";
import { atEnd } from "../support/at-end.ts";
import { runGranary } from "../support/granary.ts";
import { sampleFixtures } from "../support/sample-fixtures.ts";
import { makeModule, readModuleFixtures } from "../support/modules.ts";
import { startWorld } from "../support/world.ts";

for (const flags of [[], ["--workers=2"]])
  test(`Granary passes every case ${flags.join()}`.trimEnd(), async (t) => {
    const toolchain = makeModule({ path: "golang.org/toolchain", version: "v0.0.1-go1.99.0.linux-amd64", files: {} });
    // More than one full tile, and a partial one beside it.
    const many = Array.from({ length: 300 }, (_, n) =>
      makeModule({ path: `example.com/many/m${n}`, version: "v1.0.0" }),
    );
    const world = await startWorld({ flags, modules: [...readModuleFixtures(), toolchain, ...many] });
    atEnd(t, () => world.close());
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

test("granary conformance says in JSON and by its exit code what a proxy does not do", async (t) => {
  // The public modules that the command counts on are not in this world.
  const world = await startWorld({});
  atEnd(t, () => world.close());
  const { code, stdout } = await runGranary(["conformance", world.granary.url, "--json"]);
  assert.equal(code, 1);
  const report = JSON.parse(stdout) as {
    schema: string;
    counts: { pass: number };
    cases: { id: string; outcome: string }[];
  };
  assert.equal(report.schema, "granary.conformance/1");
  assert.equal(report.cases.find(({ id }) => id === "INFO-STATUS")?.outcome, "fail");
  assert.equal(report.cases.find(({ id }) => id === "HOSTILE-DOTS")?.outcome, "pass");
  await world.granary.stop();
  assert.equal((await runGranary(["conformance", world.granary.url])).code, 3);
});
