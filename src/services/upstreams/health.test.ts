import assert from "node:assert/strict";
import { test } from "node:test";
import { Health, parseRetryAfter } from "./health.ts";
import type { FaultReason } from "./ports.ts";

function stage() {
  const clock = { ms: 1000, now: () => clock.ms };
  const changes: string[] = [];
  const health = new Health({
    clock,
    listener: (upstream, change, reason) => changes.push(`${upstream} ${change} ${reason}`),
  });
  const fail = (reason: FaultReason) => health.permit("a").failed(reason);
  return { clock, changes, health, fail };
}

test("three transport faults in a row open a breaker, an answer in between starts the count anew", () => {
  const { health, fail, changes } = stage();
  fail("refused");
  fail("timeout");
  health.permit("a").answered();
  fail("reset");
  fail("tls");
  assert.equal(health.condition("a"), "closed");
  fail("unresolved");
  assert.equal(health.condition("a"), "open");
  assert.deepEqual(changes, ["a opened unresolved"]);
  assert.equal(health.condition("b"), "closed");
});

test("wrong answers and our own aborts are no transport faults", () => {
  const { health, fail } = stage();
  for (const reason of ["truncated", "too-large", "encoding", "redirect", "malformed", "aborted"] as const)
    fail(reason);
  for (let i = 0; i < 5; i++) health.permit("a").abandoned();
  assert.equal(health.condition("a"), "closed");
});

test("after the pause one request tries: a failure opens again, an answer closes", () => {
  const { health, fail, clock, changes } = stage();
  for (let i = 0; i < 3; i++) fail("refused");
  clock.ms += 29_999;
  assert.equal(health.condition("a"), "open");
  clock.ms += 1;
  assert.equal(health.condition("a"), "trial");
  const trial = health.permit("a");
  assert.equal(health.condition("a"), "open");
  trial.failed("refused");
  trial.answered();
  assert.equal(health.condition("a"), "open");
  clock.ms += 30_000;
  health.permit("a").abandoned();
  assert.equal(health.condition("a"), "trial");
  health.permit("a").answered();
  assert.equal(health.condition("a"), "closed");
  assert.deepEqual(changes, ["a opened refused", "a closed answered"]);
  fail("refused");
  assert.equal(health.condition("a"), "closed");
});

test("a hold ends by itself, is never longer than the cap, and never shortened", () => {
  const { health, clock } = stage();
  health.hold("a", 10_000);
  health.hold("a", 1);
  assert.equal(health.condition("a"), "held");
  clock.ms += 10_000;
  assert.equal(health.condition("a"), "closed");
  health.hold("a", 1e12);
  clock.ms += 5 * 60_000;
  assert.equal(health.condition("a"), "closed");
});

test("the snapshot says what is known", () => {
  const { health, fail } = stage();
  for (let i = 0; i < 3; i++) fail("tls");
  health.hold("b", 5);
  health.permit("c").answered();
  assert.deepEqual(health.snapshot(), [
    { upstream: "a", condition: "open", failures: 3, until: 31_000, lastFault: "tls" },
    { upstream: "b", condition: "held", failures: 0, until: 1005 },
    { upstream: "c", condition: "closed", failures: 0 },
  ]);
});

const now = Date.parse("Sat, 21 Nov 2026 10:00:00 GMT");
const retryAfter = [
  ["120", 120_000],
  ["0", 0],
  ["Sat, 21 Nov 2026 10:00:30 GMT", 30_000],
  ["Sat, 21 Nov 2026 09:00:00 GMT", 0],
  ["soon", undefined],
  ["-1", undefined],
  ["1e3", undefined],
  ["99999999999999999999", undefined],
  [undefined, undefined],
] as const;
for (const [text, want] of retryAfter)
  test(`Retry-After ${text ?? "(none)"}`, () => assert.equal(parseRetryAfter(text, now), want));
