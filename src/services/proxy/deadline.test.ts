import assert from "node:assert/strict";
import test from "node:test";
import { atEnd } from "../../../test/support/at-end.ts";
import { StandingClock } from "../../../test/support/proxy-room.ts";
import { Deadline } from "./deadline.ts";

function open(ms: number) {
  const clock = new StandingClock();
  const stop = new AbortController();
  return { clock, stop, deadline: new Deadline({ stop: stop.signal, clock, ms }) };
}

test("a flood of jobs makes a handful of signals, however long each may live", () => {
  const { clock, deadline } = open(160_000);
  const signals = new Set<AbortSignal>();
  for (let job = 0; job < 30_000; job++) {
    signals.add(deadline.next());
    clock.pass(1);
  }
  assert.equal(signals.size, 3);
});

test("a stop ends jobs of every age", () => {
  const { clock, stop, deadline } = open(160_000);
  const first = deadline.next();
  clock.pass(20_000);
  const second = deadline.next();
  assert.notEqual(first, second);
  stop.abort();
  assert.ok(first.aborted && second.aborted);
});

test("the time of a job runs out", async (t) => {
  const { deadline } = open(16);
  const signal = deadline.next();
  // Such a timer keeps no process alive.
  const alive = setInterval(() => undefined, 1_000);
  atEnd(t, () => clearInterval(alive));
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  assert.ok(signal.aborted);
});
