// `granary drill sumdb` itself, and that it tells a world in which it must fail.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkModuleVersion } from "#protocol/version.ts";
import { drillRedundancy, redundancyScenes } from "#services/lab/redundancy.ts";
import type { Outcome, RedundancyWorld, Voucher } from "#services/lab/redundancy.ts";
import { runGranary } from "../support/granary.ts";

test("official, own, kept: what is left vouches, and with nothing left nothing is served", async () => {
  // What is refused is refused after all patience, and the drill has the operator's.
  const env = { GRANARY_UPSTREAM_CLIENT_RETRY_TIME: "1s" };
  const { code, stdout, stderr } = await runGranary(["drill", "sumdb", "--versions=2", "--json"], env);
  assert.equal(code, 0, stdout + stderr);
  const report = JSON.parse(stdout) as {
    schema: string;
    scenes: { down: Voucher[]; verified: number; refused: number }[];
  };
  assert.equal(report.schema, "granary.drill.sumdb/1");
  assert.deepEqual(
    report.scenes.map(({ down, verified, refused }) => [down.join(), verified, refused]),
    [
      ["", 2, 0],
      ["official", 2, 0],
      ["own", 2, 0],
      ["official,own", 2, 0],
      ["official,own,kept", 0, 2],
    ],
  );
});

type Answer = (down: readonly string[], isKept: boolean) => Outcome;

/** A world that answers every version of a scene alike. */
async function reportOf(answer: Answer) {
  const down = new Set<string>();
  let isKept = false;
  const world: RedundancyWorld = {
    prepare: (count, before) => {
      isKept = before.kept;
      return Promise.resolve(Array.from({ length: count }, (_, n) => checkModuleVersion(`a.test/m${n}`, "v1.0.0")));
    },
    kill: (voucher) => Promise.resolve(void down.add(voucher)),
    revive: (voucher) => Promise.resolve(void down.delete(voucher)),
    build: () => Promise.resolve(answer([...down], isKept)),
  };
  const { signal } = new AbortController();
  return await drillRedundancy({ world, versions: 2, signal, onProgress: () => undefined });
}

const refused: Outcome = { kind: "refused", code: "GRANARY_SUMDB_UNREACHABLE", ms: 1 };

const right: Answer = (down, isKept) => {
  if (down.length === 2 && !isKept) return refused;
  const by = isKept ? "kept" : down.includes("official") ? "own" : "official";
  return { kind: "verified", by, ms: 1 };
};

const cases: readonly (readonly [string, Answer, number])[] = [
  ["all is well", right, 0],
  ["everything is served, whoever vouches", () => ({ kind: "verified", by: undefined, ms: 1 }), 5],
  ["everything is refused", () => refused, 4],
  ["the official one vouches although it is away", () => ({ kind: "verified", by: "official", ms: 1 }), 3],
  ["other bytes are served", () => ({ kind: "wrong", reason: "other bytes", ms: 1 }), 5],
];

for (const [what, answer, failedScenes] of cases)
  test(`the drill's verdict when ${what}`, async () => {
    const { scenes, reached } = await reportOf(answer);
    assert.equal(scenes.filter(({ failed }) => failed > 0).length, failedScenes);
    assert.equal(reached, failedScenes === 0);
    assert.equal(scenes.length, redundancyScenes.length);
  });
