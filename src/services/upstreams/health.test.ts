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

test("three connections in a row that fail open a breaker, an answer in between starts the count anew", () => {
  const { health, fail, changes } = stage();
  fail("refused");
  fail("unreachable");
  health.permit("a").answered(404);
  fail("tls");
  fail("refused");
  assert.equal(health.condition("a"), "closed");
  fail("unresolved");
  assert.equal(health.condition("a"), "open");
  assert.deepEqual(changes, ["a opened unresolved"]);
  assert.equal(health.condition("b"), "closed");
});

test("five timeouts in a row open it only when more than 15 % of the last minute failed", () => {
  const { health, fail } = stage();
  for (let i = 0; i < 29; i++) health.permit("a").answered(200);
  for (let i = 0; i < 4; i++) fail("timeout");
  assert.equal(health.condition("a"), "closed");
  fail("timeout"); // 5 of 34: 14.7 %
  assert.equal(health.condition("a"), "closed");
  fail("timeout"); // 6 of 35: 17.1 %
  assert.equal(health.condition("a"), "open");

  const other = stage();
  for (let i = 0; i < 4; i++) other.fail("timeout");
  other.health.permit("a").answered(200);
  for (let i = 0; i < 4; i++) other.fail("timeout");
  assert.equal(other.health.condition("a"), "closed", "eight of nine, but not five in a row");
});

test("half of at least twenty within ten seconds open it, whatever the failures are", () => {
  const { health, fail } = stage();
  for (let i = 0; i < 10; i++) health.permit("a").answered(200);
  for (let i = 0; i < 5; i++) health.permit("a").answered(503);
  for (let i = 0; i < 4; i++) fail("truncated");
  assert.equal(health.condition("a"), "closed", "9 of 19");
  fail("reset");
  assert.equal(health.condition("a"), "open", "10 of 20");

  const slow = stage();
  for (let i = 0; i < 40; i++) {
    slow.health.permit("a").answered(502);
    slow.clock.ms += 1000;
  }
  assert.equal(slow.health.condition("a"), "closed", "never twenty within ten seconds");
});

test("a busy upstream that does nothing but fail is found out in a second; one that fails at one moment is not", () => {
  const { health, clock, changes } = stage();
  const answer = (count: number, status: number) => {
    for (let i = 0; i < count; i++) health.permit("a").answered(status);
  };
  answer(600, 200);
  answer(100, 503);
  assert.equal(health.condition("a"), "closed", "all at once: a connection that broke takes many with it");
  clock.ms += 1000;
  answer(1, 200);
  answer(19, 503);
  clock.ms += 1000;
  assert.equal(health.condition("a"), "closed", "an answer in between starts the count anew");
  answer(1, 503);
  assert.equal(health.condition("a"), "open", "twenty in a row, for a second");
  assert.deepEqual(changes, ["a opened answered 503"]);
});

test("dynamic thresholds: a busy upstream needs more calls to be judged, a calm one fewer", () => {
  const clock = { ms: 1_000_000, now: () => clock.ms };
  const health = new Health({ clock, options: { dynamic: true } });
  // Fifty calls a second for a minute, a fifth of them failures: usual for this one.
  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < 50; i++) health.permit("a").answered(i % 5 === 0 ? 502 : 200);
    clock.ms += 1000;
  }
  for (let i = 0; i < 200; i++) health.permit("a").answered(502);
  assert.equal(health.condition("a"), "closed", "the share over ten seconds is still below what is unusual here");
  for (let i = 0; i < 4000; i++) health.permit("a").answered(502);
  assert.equal(health.condition("a"), "open");

  const calm = new Health({ clock, options: { dynamic: true } });
  for (let i = 0; i < 7; i++) calm.permit("a").answered(200);
  for (let i = 0; i < 3; i++) calm.permit("a").answered(502);
  assert.equal(calm.condition("a"), "open", "ten calls and three failures are enough for one that never fails");
});

test("answers below 500 and what is our own doing are no failures", () => {
  const { health, fail } = stage();
  for (let i = 0; i < 30; i++) {
    for (const reason of ["too-large", "encoding", "redirect", "aborted"] as const) fail(reason);
    for (const status of [404, 403, 429, 304]) health.permit("a").answered(status);
    health.permit("a").abandoned();
  }
  assert.equal(health.condition("a"), "closed");
  assert.equal(health.snapshotOf("a").failures, 0);
});

test("a probe that finds it alive lets one request try at once; three that do not open it", () => {
  const { health, fail, changes } = stage();
  for (let i = 0; i < 3; i++) fail("refused");
  assert.equal(health.condition("a"), "open");
  health.seenAlive("a");
  assert.equal(health.condition("a"), "trial");
  health.permit("a").answered(200);
  for (let i = 0; i < 3; i++) health.seenDead("a", "unreachable");
  assert.equal(health.condition("a"), "open");
  assert.deepEqual(changes, ["a opened refused", "a closed answered", "a opened unreachable"]);
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
  trial.answered(200);
  assert.equal(health.condition("a"), "open");
  clock.ms += 30_000;
  health.permit("a").abandoned();
  assert.equal(health.condition("a"), "trial");
  health.permit("a").answered(503);
  assert.equal(health.condition("a"), "open", "an error is no sign of life");
  clock.ms += 30_000;
  health.permit("a").answered(200);
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
  health.hold("a", Infinity);
  clock.ms += 5 * 60_000;
  assert.equal(health.condition("a"), "closed");
});

test("the snapshot says what is known", () => {
  const { health, fail } = stage();
  for (let i = 0; i < 3; i++) fail("tls");
  health.hold("b", 5);
  health.permit("c").answered(200);
  assert.deepEqual(health.snapshot(), [
    { upstream: "a", condition: "open", requests: 3, failures: 3, errorRate: 1, until: 31_000, lastFault: "tls" },
    { upstream: "b", condition: "held", requests: 0, failures: 0, errorRate: 0, until: 1005 },
    { upstream: "c", condition: "closed", requests: 1, failures: 0, errorRate: 0 },
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
  ["99999999999999999999", 99999999999999999999 * 1000],
  ["9".repeat(400), Infinity],
  [undefined, undefined],
] as const;
for (const [text, want] of retryAfter)
  test(`Retry-After ${text ?? "(none)"}`, () => assert.equal(parseRetryAfter(text, now), want));

test("silent to everybody: five late requests, and no word for a while", () => {
  const { clock, health } = stage();
  for (let n = 0; n < 5; n++) health.late("a", clock.ms - 350);
  assert.equal(health.isMute("a"), false);
  clock.ms += 50;
  assert.equal(health.isMute("a"), true);
  assert.equal(health.condition("a"), "closed", "lateness alone opens no breaker");
  health.heard("a");
  assert.equal(health.isMute("a"), false);
});

test("whose request set out before the last word is late with that request only", () => {
  const { clock, health } = stage();
  health.heard("a");
  clock.ms += 5_000;
  for (let n = 0; n < 9; n++) health.late("a", clock.ms - 6_000);
  clock.ms += 5_000;
  assert.equal(health.isMute("a"), false);
});

test("four late requests, however late, are too few to speak of everybody", () => {
  const { clock, health } = stage();
  for (let n = 0; n < 4; n++) health.late("a", clock.ms);
  clock.ms += 60_000;
  assert.equal(health.isMute("a"), false);
});

test("an outage lasts from the breaker's opening to the answer that closes it, however many trials fail", () => {
  const clock = { ms: 1_000, now: () => clock.ms };
  const health = new Health({ clock });
  const fail = (): void => health.permit("a").failed("refused");
  fail();
  assert.equal(health.outageMs("a"), 0);
  fail();
  fail();
  clock.ms += 40_000;
  assert.equal(health.condition("a"), "trial");
  fail();
  clock.ms += 1_000;
  assert.equal(health.outageMs("a"), 41_000);
  health.permit("a").answered(200);
  assert.equal(health.outageMs("a"), 0);
});
