import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CallWindow } from "./call-window.ts";

test("calls and failures of the span count, older ones do not", () => {
  const window = new CallWindow(60_000);
  const start = 1_000_000;
  window.add(start, true);
  window.add(start + 9_000, false);
  assert.deepEqual([window.calls(start + 9_000, 10_000), window.share(start + 9_000, 10_000)], [2, 0.5]);
  assert.deepEqual([window.calls(start + 10_000, 10_000), window.share(start + 10_000, 10_000)], [1, 0]);
  assert.equal(window.calls(start + 10_000, 60_000), 2);
  assert.equal(window.calls(start + 120_000, 60_000), 0);
  assert.equal(window.share(start + 120_000, 60_000), 0);
});

test("a window of no length remembers nothing", () => {
  const window = new CallWindow(0);
  window.add(1000, true);
  assert.equal(window.calls(1000, 1000), 0);
});

test("it counts to the second what a list of all calls would", () => {
  const call = fc.record({ afterMs: fc.integer({ min: 0, max: 30_000 }), failed: fc.boolean() });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 60 }), fc.constantFrom(10_000, 60_000), (calls, spanMs) => {
      const window = new CallWindow(60_000);
      let now = 1_700_000_000_123;
      const all: { second: number; failed: boolean }[] = [];
      for (const { afterMs, failed } of calls) {
        now += afterMs;
        window.add(now, failed);
        all.push({ second: Math.floor(now / 1000), failed });
      }
      const inside = all.filter(({ second }) => second > Math.floor(now / 1000) - spanMs / 1000);
      assert.equal(window.calls(now, spanMs), inside.length);
      const failures = inside.filter(({ failed }) => failed).length;
      assert.equal(window.share(now, spanMs), inside.length === 0 ? 0 : failures / inside.length);
    }),
  );
});
