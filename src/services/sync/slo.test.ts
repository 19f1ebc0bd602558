import assert from "node:assert/strict";
import { test } from "node:test";
import type { GranaryEvent } from "#services/events/ports.ts";
import { alarmFailureShare, VerificationFailures, windowMs } from "./slo.ts";

const good: GranaryEvent = {
  ...{ module: "a.example/x", version: "v1.0.0", upstream: "a" },
  ...{ name: "module.ingested", stage: "zip", bytes: 1, ms: 1, verifiedBy: "sumdb" },
};
const bad: GranaryEvent = {
  ...{ name: "module.denied", module: "a.example/x", version: "v1.0.0", upstream: "a" },
  code: "GRANARY_SUMDB_MISMATCH",
};

/** Windows of so many good and bad ones each; the last one is over. */
function after(...windows: readonly (readonly [number, number])[]): VerificationFailures {
  let now = 1_000_000 * windowMs;
  const failures = new VerificationFailures(() => now);
  for (const [goods, bads] of windows) {
    for (let n = 0; n < goods; n++) failures.heard(good);
    for (let n = 0; n < bads; n++) failures.heard(bad);
    now += windowMs;
  }
  return failures;
}

const cases = [
  ["nothing", [], 0],
  [
    "three bad windows",
    [
      [998, 2],
      [998, 2],
      [998, 2],
    ],
    0.002,
  ],
  [
    "three windows at the limit itself",
    [
      [999, 1],
      [999, 1],
      [999, 1],
    ],
    alarmFailureShare,
  ],
  [
    "two bad windows",
    [
      [100, 0],
      [0, 5],
      [0, 5],
    ],
    0,
  ],
  [
    "a good one between",
    [
      [0, 5],
      [100, 0],
      [0, 5],
      [0, 5],
    ],
    0,
  ],
  [
    "a quiet one between",
    [
      [0, 5],
      [0, 0],
      [0, 5],
      [0, 5],
    ],
    0,
  ],
  [
    "three bad ones, the mildest counts",
    [
      [0, 5],
      [50, 50],
      [90, 10],
    ],
    0.1,
  ],
  [
    "three bad ones that were over a window ago",
    [
      [0, 5],
      [0, 5],
      [0, 5],
      [100, 0],
    ],
    0,
  ],
  [
    "three bad ones and then silence",
    [
      [0, 5],
      [0, 5],
      [0, 5],
      [0, 0],
    ],
    0,
  ],
] as const;
for (const [name, windows, want] of cases)
  test(`the share that lasts after ${name}`, () => {
    assert.equal(after(...windows).lastingShare, want);
  });

test("the window that runs now does not count", () => {
  const failures = after([0, 5], [0, 5]);
  failures.heard(bad);
  assert.equal(failures.lastingShare, 0);
  assert.equal(failures.lastShare, 1);
});

test("other events count for nothing", () => {
  const failures = after([1, 1]);
  failures.heard({ name: "sync.index-failed", index: "x", reason: "y" });
  assert.equal(failures.lastShare, 0.5);
});
