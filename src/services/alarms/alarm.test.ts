import assert from "node:assert/strict";
import { test } from "node:test";
import { Alarm } from "./alarm.ts";

const times = { holdMs: 5_000, calmMs: 10_000 };

/** Feeds a level each second; the seconds at which something changed. */
function changes(alarm: Alarm, levels: readonly (number | undefined)[]): string[] {
  return levels.flatMap((level, second) => {
    const change = alarm.look(level, second * 1_000);
    return change === undefined ? [] : [`${second} ${change}`];
  });
}

const times5 = (level: number | undefined, count: number): (number | undefined)[] =>
  Array.from({ length: count }, () => level);

test("a level beyond the limit raises it after the hold, and one below by the margin clears it after the calm", () => {
  const alarm = new Alarm(times);
  assert.deepEqual(changes(alarm, [...times5(1.2, 10), ...times5(0.5, 20)]), ["5 raised", "20 cleared"]);
  assert.equal(alarm.raisedMs, undefined);
});

test("a peak shorter than the hold raises nothing", () => {
  assert.deepEqual(changes(new Alarm(times), [...times5(9, 5), 0.5, ...times5(9, 5), 0.5]), []);
});

test("the limit itself is not beyond it", () => {
  assert.deepEqual(changes(new Alarm(times), times5(1, 20)), []);
});

test("between the margin and the limit a raised alarm stays, and a quiet one too", () => {
  const alarm = new Alarm(times);
  assert.deepEqual(changes(alarm, [...times5(0.95, 10), ...times5(2, 6), ...times5(0.95, 30)]), ["15 raised"]);
  assert.equal(alarm.raisedMs, 15_000);
});

test("a bad second in the calm begins it anew", () => {
  const levels = [...times5(2, 6), ...times5(0.1, 9), 2, ...times5(0.1, 11)];
  assert.deepEqual(changes(new Alarm(times), levels), ["5 raised", "26 cleared"]);
});

test("what was not measured changes nothing, and does not count as held", () => {
  assert.deepEqual(changes(new Alarm(times), [...times5(2, 4), undefined, ...times5(2, 4)]), []);
  const raised = new Alarm(times);
  assert.deepEqual(changes(raised, [...times5(2, 6), ...times5(undefined, 30)]), ["5 raised"]);
});

test("without times it changes at once", () => {
  assert.deepEqual(changes(new Alarm({ holdMs: 0, calmMs: 0 }), [0, Infinity, 0]), ["1 raised", "2 cleared"]);
});
