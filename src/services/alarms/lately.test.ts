import assert from "node:assert/strict";
import { test } from "node:test";
import { Lately } from "./lately.ts";

const start = Date.parse("2026-01-01T00:00:00Z");

test("the mean of the last 30 seconds; older ones are forgotten", () => {
  const lately = new Lately({ least: 1 });
  lately.add(100, start);
  lately.add(300, start + 10_000);
  assert.equal(lately.mean(start + 10_000), 200);
  assert.equal(lately.mean(start + 29_999), 200);
  assert.equal(lately.mean(start + 30_000), 300);
  assert.equal(lately.mean(start + 40_000), undefined);
});

test("a second that comes round again starts from nothing", () => {
  const lately = new Lately({ least: 1 });
  lately.add(100, start);
  lately.add(500, start + 30_000);
  assert.equal(lately.mean(start + 30_000), 500);
});

test("too few measurements say nothing", () => {
  const lately = new Lately({ least: 3 });
  lately.add(9_000, start);
  lately.add(9_000, start);
  assert.equal(lately.mean(start), undefined);
  lately.add(0, start);
  assert.equal(lately.mean(start), 6_000);
});
