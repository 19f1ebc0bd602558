// Drills of a proxy that is played: what a client notices is counted as it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../../test/support/hand-clock.ts";
import { runDrill } from "./drill.ts";
import type { DrillPlan, DrillUse } from "./drill.ts";
import { percentile, reportDrill } from "./drill-report.ts";
import type { DrillFacts, DrillReport, DrillSample } from "./drill-report.ts";
import { ProbeFailed } from "./ports.ts";

const plan: DrillPlan = {
  ...{ scenario: "primary-down", fault: "refused", requests: 20, paceMs: 50, recoveryPaceMs: 100 },
  ...{ recoveryLimitMs: 5_000, warmUp: 2, strikeAfterMs: 10 },
};

type Played = {
  /** What a request is answered while the primary is down; "hangs" until it is back. */
  readonly whileDown?: "regional" | "503" | "wrong" | "silent";
  readonly tookMs?: number;
  readonly downMs?: number;
  /** The primary serves again so long after its return. */
  readonly returnsAfterMs?: number;
};

/** A proxy in front of two upstreams, the first of which goes away. */
async function drill({ whileDown = "regional", tookMs = 20, downMs = 60, returnsAfterMs = 300 }: Played = {}) {
  const clock = new HandClock();
  const state = { isDown: false, mendedMs: Number.NEGATIVE_INFINITY, sent: 0 };
  const given = { primary: new Set<string>(), regional: new Set<string>() };
  const upstreamOf = (name: "primary" | "regional") => ({
    name,
    gave: (target: string) => given[name].has(target),
    break: () => {
      state.isDown = true;
      return Promise.resolve();
    },
    mend: () => {
      state.isDown = false;
      state.mendedMs = clock.now();
      return Promise.resolve();
    },
  });
  const use: DrillUse = {
    clock,
    upstreams: [upstreamOf("primary"), upstreamOf("regional")],
    modules: {
      next: () => {
        const right = String(state.sent++);
        return Promise.resolve({ target: `/${right}`, isRight: (body) => String(Buffer.from(body)) === right });
      },
    },
    proxy: {
      get: async (target) => {
        const ms = state.isDown ? downMs : tookMs;
        await clock.sleep(ms);
        const by = state.isDown || clock.now() - state.mendedMs < returnsAfterMs ? "regional" : "primary";
        if (state.isDown && whileDown === "silent") throw new ProbeFailed("no answer");
        if (state.isDown && whileDown === "503") return { status: 503, body: Buffer.from("GRANARY_X: no\nmore"), ms };
        given[by].add(target);
        const body = state.isDown && whileDown === "wrong" ? "other" : target.slice(1);
        return { status: 200, body: Buffer.from(body), ms };
      },
      avoids: () => Promise.resolve(state.isDown),
    },
    signal: new AbortController().signal,
  };
  const running: { report?: DrillReport } = {};
  const done = runDrill(plan, use).then((report) => {
    running.report = report;
  });
  for (let passed = 0; running.report === undefined && passed < 60_000; passed += 50) await clock.pass(50);
  await done;
  assert.equal(clock.sleeping, 0);
  assert.ok(running.report !== undefined);
  return running.report;
}

test("a proxy that switches over: what it cost, when it switched, when the primary served again", async () => {
  const report = await drill();
  assert.deepEqual([report.reached, report.reasons], [true, []]);
  const [normal, fault, recovery] = report.phases;
  assert.deepEqual([normal?.requests, normal?.failures, normal?.averageMs], [20, 0, 20]);
  assert.deepEqual(normal?.servedBy, { primary: 20 });
  assert.equal(fault?.requests, 20);
  assert.deepEqual(Object.keys(fault.servedBy), ["regional"]);
  const { addedMs = 0, switchMs = Infinity } = report;
  assert.equal(addedMs, fault.addedMs);
  assert.ok(addedMs > 30 && addedMs <= 40, String(addedMs));
  assert.ok(switchMs < 100, String(switchMs));
  assert.ok((report.recoveryMs ?? 0) >= 300 && (report.recoveryMs ?? 0) < 600);
  assert.ok((recovery?.requests ?? 0) >= 3, "it asks until the primary serves");
});

for (const [whileDown, first] of [
  ["503", "503 GRANARY_X: no"],
  ["wrong", "wrong bytes"],
  ["silent", "no answer"],
] as const)
  test(`a client that gets ${whileDown} is a failure`, async () => {
    const report = await drill({ whileDown });
    assert.equal(report.reached, false);
    const failures = report.phases[1]?.failures ?? 0;
    assert.ok(failures >= 19, String(failures));
    assert.deepEqual(report.reasons[0], {
      kind: "failures",
      failures,
      requests: failures + countOthers(report),
      first,
    });
  });

function countOthers({ phases }: DrillReport): number {
  return phases.reduce((sum, { requests, failures }) => sum + requests - failures, 0);
}

test("too slow is told with the figure, and a primary that never serves again too", async () => {
  const slow = await drill({ downMs: 500 });
  assert.equal(slow.reached, false);
  assert.deepEqual(slow.reasons, [{ kind: "slow", addedMs: slow.addedMs, targetMs: 120 }]);
  const gone = await drill({ returnsAfterMs: 60_000 });
  assert.deepEqual(gone.reasons, [{ kind: "not-recovered", limitMs: 5_000 }]);
});

test("an abort ends it with the reason", async () => {
  const stop = new AbortController();
  const clock = new HandClock();
  const upstream = { name: "a", gave: () => true, break: () => Promise.resolve(), mend: () => Promise.resolve() };
  const running = runDrill(plan, {
    clock,
    upstreams: [upstream],
    modules: { next: () => Promise.resolve({ target: "/m", isRight: () => true }) },
    proxy: {
      get: () => Promise.resolve({ status: 200, body: Buffer.of(), ms: 1 }),
      avoids: () => Promise.resolve(true),
    },
    signal: stop.signal,
  });
  const failed = assert.rejects(running, /enough/);
  await clock.pass(120);
  stop.abort(new Error("enough"));
  await failed;
});

const good = (ms: number): DrillSample => ({ ms, servedBy: "primary" });

test("a normal phase that differs by more than the target makes the figures say little", () => {
  const spread = (ms: number, scenario: DrillFacts["scenario"]) =>
    reportDrill({
      ...{ scenario, fault: "refused", primary: "primary", recoveryLimitMs: 1 },
      ...{ switchMs: 1, avoidedMs: 1, recoveryMs: 1 },
      samples: { normal: [good(20), good(20), good(20 + ms)], fault: [good(20)], recovery: [good(20)] },
    });
  assert.deepEqual([spread(120, "primary-down").isUnsteady, spread(121, "primary-down").isUnsteady], [false, true]);
  assert.deepEqual([spread(410, "both-down").isUnsteady, spread(411, "both-down").isUnsteady], [false, true]);
});

test("figures are of good answers: average, nearest rank, tenths of a millisecond", () => {
  const samples = { normal: [good(10), good(20), { ms: 9_999, failure: "503" }], fault: [good(31.27)], recovery: [] };
  const facts: DrillFacts = {
    ...{ scenario: "both-down", fault: "503", primary: "primary", samples, recoveryLimitMs: 1 },
    ...{ switchMs: undefined, avoidedMs: undefined, recoveryMs: 7 },
  };
  const { phases, addedMs, targetMs, reasons } = reportDrill(facts);
  assert.deepEqual([phases[0]?.averageMs, phases[0]?.p50Ms, phases[0]?.p95Ms, phases[0]?.maxMs], [15, 10, 20, 20]);
  assert.deepEqual([addedMs, targetMs], [16.3, 410]);
  assert.equal(phases[2]?.averageMs, undefined);
  assert.deepEqual(
    reasons.map(({ kind }) => kind),
    ["no-normal", "failures"],
  );
  assert.deepEqual([percentile([1, 2, 3, 4], 0.5), percentile([1, 2, 3, 4], 0.95), percentile([], 0.5)], [2, 4, 0]);
});
