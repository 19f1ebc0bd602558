import assert from "node:assert/strict";
import { test } from "node:test";
import { playedUpstream } from "../../../test/support/proxy-room.ts";
import { Unusable, UpstreamStatus } from "./attempt.ts";
import { Ledger } from "./ledger.ts";
import { UpstreamFault } from "./ports.ts";

const [a, b, c] = [playedUpstream("a"), playedUpstream("b"), playedUpstream("c")];
const absent = (text = "") => ({ kind: "absent", status: 404, text }) as const;
const refused = (status: number, text = "") => ({ kind: "refused", status, text }) as const;
const failed = (error: UpstreamFault | UpstreamStatus | Unusable) => ({ kind: "failed", error }) as const;
const timeout = failed(new UpstreamFault("x", "timeout", "silent"));

test("what an upstream said last counts, not what it said before", () => {
  const ledger = new Ledger(() => 7);
  ledger.add(a, timeout);
  ledger.add(b, refused(403));
  ledger.add(a, absent());
  assert.equal(ledger.failureOf("a"), undefined);
  assert.deepEqual(ledger.failures, []);
  assert.ok(ledger.has("absent") && ledger.has("refused") && !ledger.has("failed"));
  ledger.add(a, failed(new UpstreamStatus(503, "")));
  assert.ok(ledger.failureOf("a") instanceof UpstreamStatus);
  assert.ok(!ledger.has("absent"));
});

test("useless answers are counted, other failures between them or not", () => {
  const ledger = new Ledger(() => 0);
  for (const miss of [failed(new Unusable("X", "x")), timeout, failed(new Unusable("X", "x"))]) ledger.add(a, miss);
  assert.deepEqual([ledger.unusableCount("a"), ledger.unusableCount("b")], [2, 0]);
});

test("absence names all who said so and quotes the last who said why", () => {
  const ledger = new Ledger(() => 0);
  ledger.add(a, absent("no such repository"));
  ledger.add(b, absent("gone"));
  ledger.add(c, absent());
  assert.deepEqual(ledger.absent(), { kind: "absent", by: ["a", "b", "c"], text: "gone" });
});

test("refusal quotes the decider first and tells the failures beside it", () => {
  const ledger = new Ledger(() => 0);
  ledger.add(a, refused(403, "no"));
  ledger.add(b, refused(451, "law"));
  ledger.add(c, timeout);
  const { quotes, reasons } = ledger.refused("b");
  assert.deepEqual(
    quotes.map(({ upstream, status, text }) => `${upstream} ${status} ${text}`),
    ["b 451 law", "a 403 no"],
  );
  assert.deepEqual(
    reasons.map(({ upstream }) => upstream),
    ["c"],
  );
  assert.deepEqual(
    ledger.refused().quotes.map(({ upstream }) => upstream),
    ["a", "b"],
  );
});

test("failed says how long it took, and whether it was nothing but silence", () => {
  const ledger = new Ledger(() => 1234);
  assert.equal(ledger.failed().timeout, false);
  ledger.add(a, timeout);
  assert.deepEqual([ledger.failed().timeout, ledger.failed().waitedMs], [true, 1234]);
  ledger.add(b, failed(new UpstreamFault("b", "reset", "reset")));
  assert.equal(ledger.failed().timeout, false);
});

test("the last miss that is not absence is the one that go would report", () => {
  const ledger = new Ledger(() => 0);
  assert.equal(ledger.last, "absent");
  ledger.add(a, refused(403));
  ledger.add(b, absent());
  assert.equal(ledger.last, "refused");
  ledger.add(c, timeout);
  assert.equal(ledger.last, "failed");
});
