import assert from "node:assert/strict";
import { test } from "node:test";
import { Latency } from "./latency.ts";

function stage() {
  const clock = { ms: 1_000_000, now: () => clock.ms };
  const latency = new Latency(clock);
  const add = (count: number, ms: number): void => {
    for (let n = 0; n < count; n++) latency.add("a", ms);
  };
  return { clock, latency, add };
}

test("with fewer than twenty answers nothing is usual, and a second is late", () => {
  const { latency, add } = stage();
  add(19, 10);
  assert.equal(latency.of("a"), undefined);
  assert.equal(latency.lateMs("a"), 1_000);
  assert.equal(latency.lateMs("never asked"), 1_000);
  add(1, 10);
  assert.deepEqual(latency.of("a"), { p50: 10, p95: 10 });
});

test("late is what nineteen of twenty are not, between 50 ms and two seconds", () => {
  const { latency, add } = stage();
  add(76, 100);
  add(4, 900);
  assert.deepEqual(latency.of("a"), { p50: 100, p95: 100 });
  assert.equal(latency.lateMs("a"), 100);
  const quick = stage();
  quick.add(20, 3);
  assert.equal(quick.latency.lateMs("a"), 50);
  const slow = stage();
  slow.add(20, 30_000);
  assert.equal(slow.latency.lateMs("a"), 2_000);
});

test("what was long ago does not count, and only the newest 256 are remembered", () => {
  const { clock, latency, add } = stage();
  add(256, 500);
  add(256, 20);
  assert.deepEqual(latency.of("a"), { p50: 20, p95: 20 });
  clock.ms += 10 * 60_000 + 1;
  add(19, 300);
  assert.equal(latency.of("a"), undefined, "nineteen are too few again");
  add(16, 300);
  assert.equal(latency.of("a")?.p50, 300);
});

test("a fifth of the last minute's requests may be second ones, no more", () => {
  const { clock, latency, add } = stage();
  add(80, 100);
  for (let n = 0; n < 20; n++) {
    assert.equal(latency.hedgeMs("a"), 100, `after ${n}`);
    latency.hedged();
  }
  assert.equal(latency.hedgeMs("a"), undefined);
  clock.ms += 62_000;
  assert.equal(latency.hedgeMs("a"), 100);
});
