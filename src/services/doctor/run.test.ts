import assert from "node:assert/strict";
import { test } from "node:test";
import { found, kind } from "#services/findings/finding.ts";
import type { Severity } from "#services/findings/finding.ts";
import type { Check, CheckId, CheckUse, Examined } from "./check.ts";
import { planFixes } from "./mend.ts";
import { runChecks } from "./run.ts";
import type { RunOptions } from "./run.ts";
import { reportedOf, verdictOf } from "./verdict.ts";

const words = { en: { title: () => "t", why: "Because." }, "zh-CN": { title: () => "题", why: "因为。" } };
const area = {
  DNS_SAMPLE: kind("fail", "doctor.md", words),
  TLS_SAMPLE: kind("fail", "doctor.md", words),
  HTTP_SAMPLE: kind("fail", "doctor.md", words),
  CACHE_SAMPLE: kind("warn", "doctor.md", words),
};

type Made = Partial<Omit<Check, "run">> & { readonly run?: (use: CheckUse) => Promise<Examined> };
const check = (id: CheckId, made: Made = {}): Check => ({
  id,
  group: "network",
  title: { en: id, "zh-CN": id },
  isOnline: false,
  isQuick: true,
  isFull: true,
  run: () => Promise.resolve({ findings: [] }),
  ...made,
});
const finds = (...codes: (keyof typeof area)[]) => ({
  run: () => Promise.resolve({ findings: codes.map((code) => found(area, code, {})) }),
});

/** Time stands still; the budget ends when the test says so. */
const run = (checks: readonly Check[], more: Partial<RunOptions> = {}, budget = new AbortController()) =>
  runChecks({
    checks,
    budgetMs: 1000,
    isOffline: false,
    signal: new AbortController().signal,
    clock: { now: () => 0, after: () => budget.signal },
    ...more,
  });

test("results come in the order of the numbers, whatever ends first", async () => {
  const order: string[] = [];
  const slow = check("goproxy", { run: async () => (await new Promise(setImmediate), { findings: [] }) });
  const done = await run([check("tls"), slow], { onDone: ({ check: { id } }) => order.push(id) });
  assert.deepEqual(order, ["tls", "goproxy"]);
  assert.deepEqual(
    done.map(({ check: { id } }) => id),
    ["goproxy", "tls"],
  );
});

test("never more than four look at once", async () => {
  let now = 0;
  let most = 0;
  const busy = (id: CheckId): Check =>
    check(id, {
      run: async () => {
        most = Math.max(most, ++now);
        await new Promise(setImmediate);
        now--;
        return { findings: [] };
      },
    });
  await run((["goproxy", "chain", "private", "module-mode", "scopes", "requests", "tls", "http2"] as const).map(busy));
  assert.equal(most, 4);
});

test("offline leaves out what asks hosts, and says so", async () => {
  const asks = check("tls", { isOnline: true, run: () => assert.fail("it looked") });
  const done = await run([asks, check("goproxy")], { isOffline: true });
  assert.deepEqual(
    done.map(({ state, skipped }) => [state, skipped]),
    [
      ["ok", undefined],
      ["skip", "offline"],
    ],
  );
});

test("the budget cuts off what looks, even a check that does not listen, and what waits is not begun", async () => {
  const budget = new AbortController();
  const deaf = (id: CheckId): Check => check(id, { run: () => new Promise(() => undefined) });
  const five = (["goproxy", "chain", "private", "module-mode"] as const).map(deaf);
  const running = run([...five, check("tls")], {}, budget);
  await new Promise(setImmediate);
  budget.abort(new Error("time is up"));
  assert.deepEqual(
    (await running).map(({ skipped }) => skipped),
    ["cut", "cut", "cut", "cut", "budget"],
  );
});

test("a check that breaks is told as ours, without credentials, and the others go on", async () => {
  const broken = check("tls", { run: () => Promise.reject(new Error("no https://u:secret@a.example")) });
  const [ok, bad] = await run([broken, check("goproxy")]);
  assert.equal(ok?.state, "ok");
  assert.deepEqual([bad?.state, bad?.skipped, bad?.reason], ["skip", "broken", "no https://***@a.example"]);
});

test("what is announced is kept without credentials", async () => {
  const asks = check("tls", {
    run: ({ announce }) => (announce("GET https://u:p@a.example/"), Promise.resolve({ findings: [] })),
  });
  assert.deepEqual((await run([asks]))[0]?.announced, ["GET https://***@a.example/"]);
});

test("the deepest cause comes first, each finding once", async () => {
  const done = await run([
    check("requests", finds("HTTP_SAMPLE", "CACHE_SAMPLE")),
    check("tls", finds("TLS_SAMPLE")),
    check("dns-views", finds("DNS_SAMPLE", "TLS_SAMPLE")),
  ]);
  assert.deepEqual(
    reportedOf(done).map(({ finding, number }) => [finding.code, number]),
    [
      ["DNS_SAMPLE", 10],
      ["TLS_SAMPLE", 7],
      ["HTTP_SAMPLE", 6],
      ["CACHE_SAMPLE", 6],
    ],
  );
  const { state, cause, failures, warnings } = verdictOf(done);
  assert.deepEqual([state, cause?.finding.code, failures, warnings], ["broken", "DNS_SAMPLE", 3, 1]);
});

test("what a check had found before time was up is told", async () => {
  const budget = new AbortController();
  const deaf = check("tls", {
    run: ({ keep }) => (keep([found(area, "TLS_SAMPLE", {})]), new Promise(() => undefined)),
  });
  const running = run([deaf], {}, budget);
  await new Promise(setImmediate);
  budget.abort(new Error("time is up"));
  assert.deepEqual(
    reportedOf(await running).map(({ finding }) => finding.code),
    ["TLS_SAMPLE"],
  );
});

test("what time was too short for is no health", async () => {
  const budget = new AbortController();
  const deaf = check("tls", { run: () => new Promise(() => undefined) });
  const running = run([check("goproxy"), deaf], {}, budget);
  await new Promise(setImmediate);
  budget.abort(new Error("time is up"));
  assert.equal(verdictOf(await running).state, "unknown");
});

test("the verdict is healthy, shaky, or unknown when nothing was looked at", async () => {
  const stateOf = async (checks: readonly Check[], isOffline = false) =>
    verdictOf(await run(checks, { isOffline })).state;
  assert.equal(await stateOf([check("tls")]), "partly");
  assert.equal(await stateOf([check("tls"), check("requests")]), "healthy");
  assert.equal(await stateOf([check("tls", finds("CACHE_SAMPLE"))]), "shaky");
  assert.equal(await stateOf([check("tls", { isOnline: true })], true), "unknown");
});

test("a plan takes each fix once, the deeper cause's value, and leaves to people what is theirs", () => {
  const report = (
    code: keyof typeof area,
    fix: Parameters<typeof planFixes>[0][0]["finding"]["fixes"][0],
    severity: Severity = "fail",
  ) => ({
    number: 1,
    finding: found(area, code, {}, { fixes: [fix], severity }),
  });
  const steps = planFixes([
    report("DNS_SAMPLE", { kind: "set", values: { GOPROXY: "a" } }),
    report("TLS_SAMPLE", { kind: "set", values: { GOPROXY: "b" } }),
    report("TLS_SAMPLE", { kind: "set", values: { GOPROXY: "a" } }),
    report("HTTP_SAMPLE", { kind: "run", argv: ["resolvectl", "flush-caches"], asRoot: true }),
    report("CACHE_SAMPLE", { kind: "set", values: { GOFLAGS: "" } }, "info"),
  ]);
  assert.deepEqual(
    steps.map(({ code, byHand }) => [code, byHand]),
    [
      ["DNS_SAMPLE", false],
      ["HTTP_SAMPLE", true],
    ],
  );
});
