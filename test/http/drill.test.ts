// A whole drill as an operator runs it: a Granary of its own, upstreams on the loopback, nothing left afterwards.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { runGranary } from "../support/granary.ts";

type Report = {
  readonly reached: boolean;
  readonly upstreams: readonly string[];
  readonly phases: readonly { readonly phase: string; readonly requests: number; readonly failures: number }[];
  readonly switchMs?: number;
  readonly recoveryMs?: number;
};

const drillsLeft = async (): Promise<string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith("granary-drill-"));

for (const [scenario, fault] of [
  ["primary-down", "refused"],
  ["both-down", "reset"],
] as const)
  test(`${scenario}, ${fault}: no client notices, and the primary serves again`, async () => {
    const before = await drillsLeft();
    const argv = ["drill", "upstream", "--scenario", scenario, "--fault", fault, "--requests", "20", "--json"];
    const { stdout, stderr } = await runGranary(argv);
    const report = JSON.parse(stdout) as Report;
    assert.equal(stderr, "");
    assert.deepEqual(
      report.phases.map(({ phase, failures }) => [phase, failures]),
      [
        ["normal", 0],
        ["fault", 0],
        ["recovery", 0],
      ],
    );
    assert.deepEqual([report.phases[0]?.requests, report.phases[1]?.requests], [20, 20]);
    assert.equal(report.upstreams.length, scenario === "primary-down" ? 2 : 3);
    assert.notEqual(report.switchMs, undefined);
    assert.notEqual(report.recoveryMs, undefined);
    assert.deepEqual(await drillsLeft(), before);
  });
