import assert from "node:assert/strict";
import test from "node:test";
import { steadyClock, systemClock } from "./clock.ts";

test("the steady clock begins with the wall clock's time and counts on, whatever becomes of that", (t) => {
  const before = steadyClock.now();
  assert.ok(Math.abs(before - systemClock.now()) < 3_600_000, "the same time, unless somebody has just set the clock");
  t.mock.timers.enable({ apis: ["Date"], now: 0 });
  assert.equal(systemClock.now(), 0);
  assert.ok(steadyClock.now() >= before);
});
