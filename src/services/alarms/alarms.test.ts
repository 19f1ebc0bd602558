import assert from "node:assert/strict";
import { test } from "node:test";
import type { GranaryEvent } from "#services/events/ports.ts";
import { HandClock } from "../../../test/support/hand-clock.ts";
import { StandingClock } from "../../../test/support/proxy-room.ts";
import { Alarms } from "./alarms.ts";
import type { AlarmRule, Measured } from "./alarms.ts";

const times = { holdMs: 2_000, calmMs: 2_000 };

function played(rule: Pick<AlarmRule, "name" | "unit">) {
  const clock = new StandingClock();
  const events: GranaryEvent[] = [];
  const now: { measured: Measured | undefined } = { measured: undefined };
  const rules = [{ ...rule, times, measure: () => now.measured }];
  const alarms = new Alarms({ rules, clock, events: { emit: (event) => void events.push(event) } });
  const look = (seconds: number): void => {
    for (let n = 0; n < seconds; n++) {
      alarms.look();
      clock.pass(1_000);
    }
  };
  return { alarms, events, now, look };
}

test("a measure above its limit is told once when it is raised and once when it is cleared", () => {
  const { alarms, events, now, look } = played({ name: "heap", unit: "share" });
  now.measured = { value: 0.91239, limit: 0.85 };
  look(10);
  const facts = { alarm: "heap", unit: "share", limit: 0.85 };
  assert.deepEqual(events, [{ name: "alarm.raised", ...facts, value: 0.912 }]);
  assert.ok(alarms.views[0]?.raisedMs !== undefined);
  now.measured = { value: 0.4, limit: 0.85 };
  look(10);
  assert.deepEqual(events.slice(1), [{ name: "alarm.cleared", ...facts, value: 0.4 }]);
  assert.equal(alarms.views[0].raisedMs, undefined);
});

test("of a floor it is the small values that are bad, and none at all is the worst", () => {
  for (const value of [99, 0]) {
    const { events, now, look } = played({ name: "low-space", unit: "bytes" });
    now.measured = { value: 200, limit: 100, isFloor: true };
    look(5);
    assert.deepEqual(events, []);
    now.measured = { value, limit: 100, isFloor: true };
    look(5);
    assert.deepEqual(events, [{ name: "alarm.raised", alarm: "low-space", unit: "bytes", value, limit: 100 }]);
  }
});

test("a state is told without numbers, with its reason", () => {
  const { events, now, look } = played({ name: "store-closed", unit: "state" });
  now.measured = { value: 1, limit: 0.5, detail: "quota" };
  look(3);
  now.measured = { value: 0, limit: 0.5 };
  look(3);
  assert.deepEqual(events, [
    { name: "alarm.raised", alarm: "store-closed", unit: "state", detail: "quota" },
    { name: "alarm.cleared", alarm: "store-closed", unit: "state" },
  ]);
});

test("run() looks until it is stopped", async () => {
  const clock = new HandClock();
  const events: GranaryEvent[] = [];
  const measure = (): Measured => ({ value: 300, limit: 280 });
  const rules = [{ name: "disk-await", unit: "ms", times, measure } as const];
  const alarms = new Alarms({ rules, clock, events: { emit: (event) => void events.push(event) } });
  const stop = new AbortController();
  const running = alarms.run(stop.signal);
  await clock.pass(5_000);
  stop.abort();
  await running;
  assert.deepEqual(
    events.map(({ name }) => name),
    ["alarm.raised"],
  );
  assert.equal(clock.sleeping, 0);
});
