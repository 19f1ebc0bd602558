import assert from "node:assert/strict";
import { test } from "node:test";
import { langs } from "#services/errors/sentences.ts";
import type { RefusalReason, RoomView } from "#services/store/room.ts";
import { alarmLines, degradedLines } from "./condition-texts.ts";

const space = { freeBytes: 12_300_000, totalBytes: 64_000_000, freeInodes: 10, totalInodes: 20 };
const sinceMs = Date.parse("2026-11-28T12:00:00Z");
const reasons: readonly RefusalReason[] = ["low-space", "low-inodes", "full", "quota", "read-only", "io", "files"];

for (const lang of langs)
  for (const reason of reasons)
    test(`${lang}: ${reason} is a line with reason and time`, () => {
      const view: RoomView = { space, markBytes: 16_000_000, refusal: { reason, sinceMs } };
      const [line = "", ...more] = degradedLines(view, lang);
      assert.deepEqual(more, []);
      assert.ok(line.includes(reason) && line.includes("2026-11-28T12:00:00Z") && !line.includes("\n"), line);
      assert.equal(line.includes("12.3 MB"), reason === "low-space" || reason === "full");
    });

test("nothing is degraded while everything is taken", () => {
  assert.deepEqual(degradedLines({ space, markBytes: 1, refusal: undefined }, "en"), []);
});

test("only raised alarms have a line, with measure and limit in their unit", () => {
  const raisedMs = sinceMs;
  const lines = alarmLines(
    [
      { name: "heap", unit: "share", measured: { value: 0.913, limit: 0.85 }, raisedMs },
      { name: "disk-await", unit: "ms", measured: { value: 412.4, limit: 280 }, raisedMs },
      { name: "low-space", unit: "bytes", measured: { value: 1, limit: 2 }, raisedMs: undefined },
      // It has lines of its own.
      { name: "store-closed", unit: "state", measured: { value: 1, limit: 0.5 }, raisedMs },
    ],
    "en",
  );
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /^heap since 2026-11-28T12:00:00Z: .* \(91 %, limit 85 %\)$/);
  assert.match(lines[1] ?? "", /^disk-await since .* \(412 ms, limit 280 ms\)$/);
});
