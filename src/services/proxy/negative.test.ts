import assert from "node:assert/strict";
import test from "node:test";
import { NegativeCache } from "./negative.ts";

const said = { reason: "not found: unknown revision", by: "official" };

test("a hundred thousand absences leave the newest `maxEntries`, and no more", () => {
  const cache = new NegativeCache({ maxEntries: 1_000, ttlMs: 60_000 });
  for (let n = 0; n < 100_000; n++) {
    cache.add(`example.com/m${n}`, said, 0);
    assert.ok(cache.size <= 1_000);
  }
  assert.equal(cache.remembered("example.com/m98999"), undefined);
  assert.notEqual(cache.remembered("example.com/m99000"), undefined);
});

test("an absence heard again moves to the end of the line", () => {
  const cache = new NegativeCache({ maxEntries: 2, ttlMs: 1 });
  for (const key of ["a", "b", "a", "c"]) cache.add(key, said, 0);
  assert.equal(cache.remembered("b"), undefined);
  assert.notEqual(cache.remembered("a"), undefined);
});

test("without room nothing is remembered", () => {
  const cache = new NegativeCache({ maxEntries: 0, ttlMs: 60_000 });
  cache.add("a", said, 0);
  assert.equal(cache.size, 0);
});

test("keys and reasons are bounded, so that entries cannot be made large", () => {
  const cache = new NegativeCache({ maxEntries: 10, ttlMs: 60_000 });
  cache.add("x".repeat(401), said, 0);
  assert.equal(cache.size, 0);
  cache.add("x".repeat(400), { by: "official", reason: "r".repeat(100_000) }, 0);
  assert.ok((cache.remembered("x".repeat(400))?.reason.length ?? Infinity) <= 200);
});

test("an absence is fresh for its time and remembered after it", () => {
  const cache = new NegativeCache({ maxEntries: 10, ttlMs: 60_000 });
  cache.add("a", said, 1_000);
  assert.equal(cache.fresh("a", 60_999)?.by, "official");
  assert.equal(cache.fresh("a", 61_000), undefined);
  assert.equal(cache.remembered("a")?.reason, said.reason);
});

test("forget() forgets a module, those below it and its ancestors, and no module whose path only starts alike", () => {
  const cache = new NegativeCache({ maxEntries: 10, ttlMs: 60_000 });
  const kept = ["example.com/mm", "example.com/n/v2", "example.com/mm@v1.0.0", "example.co"];
  const of = ["example.com/m", "example.com/m@v1.0.0", "example.com/m@main", "example.com/m/v2@v2.0.0", "example.com"];
  for (const key of [...of, ...kept]) cache.add(key, said, 0);
  cache.forget("example.com/m");
  assert.equal(cache.size, kept.length);
  for (const key of kept) assert.notEqual(cache.remembered(key), undefined, key);
});
