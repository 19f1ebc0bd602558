import assert from "node:assert/strict";
import { test } from "node:test";
import { Alarms } from "#services/alarms/alarms.ts";
import type { GranaryEvent } from "#services/events/ports.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import { alarmDelayMs, alarmWindows, normalDelayMs, VerificationFailures, windowMs } from "#services/sync/slo.ts";
import { kept, openSyncRoom } from "../../test/support/sync-room.ts";
import { syncAlarms } from "./sync.ts";

/** `raised sync-delay 301` and the like, in order. */
function told(events: readonly GranaryEvent[]): string[] {
  return events.flatMap((event) =>
    event.name === "alarm.raised" || event.name === "alarm.cleared"
      ? [`${event.name.slice("alarm.".length)} ${event.alarm}`]
      : [],
  );
}

function watched() {
  const room = openSyncRoom();
  const { clock, events, emitted, follower } = room;
  const failures = new VerificationFailures(() => clock.now());
  const alarms = new Alarms({ rules: syncAlarms(failures, () => follower.delayMs), clock, events });
  const stop = new AbortController();
  const running = alarms.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    room.stop.abort();
    await running;
  };
  return { ...room, failures, end, told: () => told(emitted) };
}

test("the numbers are those that were promised", () => {
  assert.deepEqual([normalDelayMs, alarmDelayMs, alarmWindows], [90_000, 300_000, 3]);
  const rules = syncAlarms(new VerificationFailures(() => 0), () => undefined);
  assert.deepEqual(
    rules.map(({ name, measure }) => [name, measure()]),
    [
      ["sync-delay", { value: 0, limit: 300_000 }],
      ["verify-failures", { value: 0, limit: 0.001 }],
    ],
  );
});

test("sync-delay is raised above 300 s and cleared when the version is listed", async () => {
  const { clock, follower, table, told, end } = watched();
  const what = "git.corp.example/x@v1.0.0";
  const candidates = [checkModuleVersion("git.corp.example/x", "v1.0.0")];
  void follower.announce({ candidates, source: "webhook" });
  await clock.pass(300_000);
  assert.deepEqual(told(), []);
  await clock.pass(2_000);
  assert.deepEqual(told(), ["raised sync-delay"]);
  table.set(what, [kept]);
  await clock.pass(90_000);
  assert.deepEqual(told(), ["raised sync-delay", "cleared sync-delay"]);
  await end();
});

test("what no webhook announced is nobody's delay", async () => {
  const { clock, follower, told, end } = watched();
  void follower.announce({ candidates: [checkModuleVersion("a.example/x", "v1.0.0")], source: "index" });
  await clock.pass(600_000);
  assert.deepEqual(told(), []);
  await end();
});

test("verify-failures is raised when the third window above 0.1 % is over, and cleared by a good one", async () => {
  const { clock, failures, told, end } = watched();
  const facts = { module: "a.example/x", version: "v1.0.0", upstream: "a" };
  const good = { name: "module.ingested", ...facts, stage: "zip", bytes: 1, ms: 1, verifiedBy: "sumdb" } as const;
  const bad = { name: "module.denied", ...facts, code: "GRANARY_SUMDB_MISMATCH" } as const;
  await clock.pass(windowMs - (clock.now() % windowMs));
  const window = async (bads: number): Promise<void> => {
    for (let n = 0; n < 998; n++) failures.heard(good);
    for (let n = 0; n < bads; n++) failures.heard(bad);
    await clock.pass(windowMs);
  };
  await window(2);
  await window(2);
  await clock.pass(2_000);
  assert.deepEqual(told(), []);
  await window(2);
  await clock.pass(2_000);
  assert.deepEqual(told(), ["raised verify-failures"]);
  await window(0);
  await clock.pass(2_000);
  assert.deepEqual(told(), ["raised verify-failures", "cleared verify-failures"]);
  await end();
});
