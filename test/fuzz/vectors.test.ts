// Our answers beside golang.org/x/mod's and x/net's: the committed sample always, the full set in long runs where `go` is.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";

import { compareAll, formatReport } from "../../scripts/oracle/compare.ts";
import { buildOracle, OracleUnreachable } from "../../scripts/oracle/run-go.ts";
import type { Oracle } from "../../scripts/oracle/run-go.ts";
import { readSample, sampleFiles } from "../../scripts/oracle/sample.ts";
import { needsGo, skipLoudly } from "../support/go.ts";

/** What the committed sample holds at least, per kind. */
const minimums: Readonly<Record<string, number>> = {
  check: 800,
  compare: 950,
  "format-record": 100,
  gomod: 500,
  "gomod-hash": 50,
  match: 1000,
  "new-tiles": 150,
  "no-proxy": 800,
  note: 250,
  path: 1200,
  pseudo: 400,
  quote: 200,
  record: 250,
  "record-proof": 100,
  stored: 200,
  "tile-data": 387,
  "tile-for-index": 150,
  "tile-path": 300,
  "tile-read": 400,
  tree: 129,
  "tree-proof": 100,
  "tree-text": 250,
  "unescape-path": 800,
  "unescape-version": 800,
  verifier: 250,
  version: 800,
  zip: 60,
};

/** What the full set holds at least: of paths, versions and escapes together, and of zips. */
const fullMinimums = { names: 100_000, zips: 500, all: 350_000 };

test("the sample has a file of every kind and no other", () => {
  assert.deepEqual(
    sampleFiles().sort(),
    Object.keys(minimums)
      .map((kind) => `${kind}.jsonl`)
      .sort(),
  );
});

for (const [kind, minimum] of Object.entries(minimums))
  test(`we answer the sample's questions of kind ${kind} as x/mod does`, async () => {
    const report = await compareAll(readSample(`${kind}.jsonl`));
    assert.equal(report.differences, 0, formatReport(report));
    assert.deepEqual([...report.counts.keys()], [kind]);
    const count = report.counts.get(kind) ?? 0;
    assert.ok(count >= minimum, `${count} of at least ${minimum} cases`);
  });

test("a wrong answer is a difference, in every kind", async () => {
  for (const kind of Object.keys(minimums)) {
    const lines = readSample(`${kind}.jsonl`).slice(0, 40);
    const wrong = lines.map((line) => JSON.stringify({ ...(JSON.parse(line) as object), o: "wrong" }));
    assert.equal((await compareAll(wrong)).differences, wrong.length, kind);
  }
});

test("we answer every question of the full set as x/mod does", async (t) => {
  if (process.env["LONG"] !== "1") {
    t.skip("only with LONG=1");
    return;
  }
  if ((await needsGo(t)) === undefined) return;
  await using oracle = await buildOrSkip(t);
  if (oracle === undefined) return;
  const report = await compareAll(oracle.lines({ seed: 1, sample: false }));
  assert.equal(report.differences, 0, formatReport(report));
  const count = (...kinds: string[]) => kinds.reduce((sum, kind) => sum + (report.counts.get(kind) ?? 0), 0);
  assert.ok(count("path", "version", "unescape-path", "unescape-version") >= fullMinimums.names);
  assert.ok(count("zip") >= fullMinimums.zips);
  assert.ok(count(...report.counts.keys()) >= fullMinimums.all);
});

async function buildOrSkip(t: TestContext): Promise<Oracle | undefined> {
  try {
    return await buildOracle();
  } catch (error) {
    if (!(error instanceof OracleUnreachable)) throw error;
    skipLoudly(t, error.message);
    return undefined;
  }
}
