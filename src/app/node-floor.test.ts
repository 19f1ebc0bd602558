import assert from "node:assert/strict";
import test from "node:test";
import { nodeBelowFloor } from "./node-floor.ts";

const cases = [
  ["v26.10.0", "26.12.1"],
  ["v26.12.0", "26.12.1"],
  ["v26.12.1", undefined],
  ["v26.13.0", undefined],
  ["v24.21.0", "24.22.1"],
  ["v24.22.1", undefined],
  ["v27.0.0", undefined],
] as const;
for (const [running, want] of cases)
  test(`Node ${running} ${want === undefined ? "is patched" : `should be ${want}`}`, () =>
    assert.equal(nodeBelowFloor(running), want));
