import assert from "node:assert/strict";
import { test } from "node:test";
import { StandingClock } from "../../../test/support/proxy-room.ts";
import { Listening } from "./listening.ts";

const kib = 1024;

test("silence begins when it is the upstream's turn and ends with its word", () => {
  const clock = new StandingClock();
  const listening = new Listening(clock);
  assert.equal(listening.silentSinceMs, undefined);
  clock.pass(5);
  listening.wait();
  const since = clock.now();
  clock.pass(1000);
  assert.equal(listening.silentSinceMs, since);
  listening.heard(0);
  assert.equal(listening.silentSinceMs, undefined);
});

/** Has bytes come every second for so many seconds; says after how many it counted as too slow. */
function trickle(bytesPerSecond: number, seconds: number, ourMs = 0): number | undefined {
  const clock = new StandingClock();
  const listening = new Listening(clock);
  listening.startWindow();
  for (let second = 1; second <= seconds; second++) {
    listening.wait();
    clock.pass(1000);
    listening.heard(bytesPerSecond);
    clock.pass(ourMs);
    if (listening.isTooSlow()) return second;
  }
  return undefined;
}

test("less than 16 KiB a second over 20 seconds of waiting is too slow, 16 KiB is not", () => {
  assert.equal(trickle(16 * kib - 1, 60), 20);
  assert.equal(trickle(16 * kib, 60), undefined);
});

test("the time we take ourselves is not waiting", () => {
  assert.equal(trickle(16 * kib, 60, 60_000), undefined);
  assert.equal(trickle(1, 19, 60_000), undefined);
});

test("a quick beginning does not excuse a slow rest for long, nor a slow header a quick body", () => {
  const clock = new StandingClock();
  const listening = new Listening(clock);
  listening.wait();
  clock.pass(29_000);
  listening.heard(0);
  listening.startWindow();
  listening.wait();
  clock.pass(1000);
  listening.heard(10 * 1024 * kib);
  assert.equal(listening.isTooSlow(), false);
  let seconds = 1;
  for (; seconds < 60 && !listening.isTooSlow(); seconds++) {
    listening.wait();
    clock.pass(1000);
    listening.heard(1);
  }
  assert.equal(seconds, 40);
});
