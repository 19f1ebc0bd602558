// `granary drill upstream`, with a drill that is played.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram } from "./program.ts";
import type { CliServices, DrillRequest, DrillView } from "./services.ts";

const phase = { requests: 200, failures: 0, failureRate: 0, p50Ms: 20, p95Ms: 31, maxMs: 40 };
const reached: DrillView = {
  ...{ scenario: "primary-down", fault: "refused", requests: 200, paceMs: 50, distanceMs: 20 },
  ...{ upstreams: ["primary", "regional"], configured: 2, targetMs: 120, addedMs: 26.1, reached: true, reasons: [] },
  isUnsteady: false,
  ...{ switchMs: 216, avoidedMs: 217, recoveryMs: 213 },
  phases: [
    { phase: "normal", ...phase, averageMs: 25, servedBy: { primary: 200 } },
    { phase: "fault", ...phase, averageMs: 51.1, addedMs: 26.1, servedBy: { regional: 200 } },
    { phase: "recovery", ...phase, requests: 4, averageMs: 24, addedMs: -1, servedBy: { regional: 1, primary: 3 } },
  ],
  settings: { mode: "resilient", silenceMs: 10_000, hedge: true, probeEveryMs: 0 },
};

async function run(argv: readonly string[], view: DrillView | "stopped" = reached, lang: "en" | "zh-CN" = "en") {
  const out = { code: -1, stdout: "", stderr: "", requests: [] as DrillRequest[] };
  const io = {
    stdout: (text: string) => void (out.stdout += text),
    stderr: (text: string) => void (out.stderr += text),
    ...{ lang, isTerminal: false, isUtf8: true, shell: "bash" as const },
  };
  const services: Partial<CliServices> = {
    drillUpstream: (request) => {
      out.requests.push(request);
      return Promise.resolve(view === "stopped" ? undefined : view);
    },
  };
  const mode = { key: "mode", flag: "--mode NAME", about: "", initial: "", isList: false, group: "upstreams" };
  out.code = await runProgram(["drill", "upstream", ...argv], {
    ...{ io, services: services as CliServices, settingFlags: [mode as never], version: "1.2.3" },
  });
  return out;
}

test("the table, the times and the verdict", async () => {
  const { code, stdout, stderr, requests } = await run(["--scenario", "primary-down"]);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  assert.deepEqual(requests, [{ scenario: "primary-down", fault: "refused", requests: 200, distanceMs: 20 }]);
  const rows = stdout.split("\n").map((line) => line.trim().split(/\s{2,}/));
  assert.deepEqual(
    rows.find(([first]) => first === "fault"),
    ["fault", "200", "0", "51 ms", "20 ms", "31 ms", "+26 ms", "regional 200"],
  );
  assert.deepEqual(rows.find(([first]) => first === "recovery")?.slice(-2), ["-1 ms", "regional 1, primary 3"]);
  assert.match(stdout, /switch +216 ms/);
  assert.match(stdout, /no probes/);
  assert.match(stdout, /✓ Reached: \+26 ms on average \(at most \+120 ms\)/);
});

test("a list shorter than the drill is said, and what was missed, in both languages, with exit 1", async () => {
  const missed: DrillView = {
    ...{ ...reached, scenario: "both-down", upstreams: ["primary", "regional", "last"], configured: 1, reached: false },
    reasons: [
      { kind: "failures", failures: 3, requests: 404, first: "503 GRANARY_OFFLINE" },
      { kind: "slow", addedMs: 600, targetMs: 410 },
      { kind: "not-recovered", limitMs: 45_000 },
    ],
  };
  const en = await run(["--scenario", "both-down"], missed);
  assert.equal(en.code, 1);
  assert.match(en.stdout, /Upstreams in your list: 1, in the drill: 3\./);
  assert.match(en.stdout, /3 of 404 requests failed \(first: 503 GRANARY_OFFLINE\); \+600 ms on average/);
  const zh = await run(["--scenario", "both-down"], missed, "zh-CN");
  assert.match(zh.stdout, /404 个请求中有 3 个失败/);
});

test("a machine with other work to do is said, in both languages, whatever the verdict", async () => {
  const busy: DrillView = { ...reached, isUnsteady: true };
  const en = await run(["--scenario", "primary-down"], busy);
  assert.match(en.stdout, /The normal phase was unsteady.*\n\n✓ Reached/);
  assert.equal(en.code, 0);
  assert.match((await run(["--scenario", "primary-down"], busy, "zh-CN")).stdout, /正常阶段耗时起伏过大/);
  assert.doesNotMatch((await run(["--scenario", "primary-down"])).stdout, /unsteady/);
});

test("--json is the whole report", async () => {
  const { stdout } = await run(["--scenario", "primary-down", "--json"]);
  const { schema, ...report } = JSON.parse(stdout) as { schema: string; addedMs: number };
  assert.deepEqual([schema, report.addedMs], ["granary.drill/1", 26.1]);
});

test("told to stop, it says nothing and exits as one does", async () => {
  const { code, stdout } = await run(["--scenario", "primary-down"], "stopped");
  assert.deepEqual([code, stdout], [130, ""]);
});

for (const argv of [
  [],
  ["--scenario", "meteor"],
  ["--scenario", "both-down", "--fault", "slow"],
  ["--scenario", "both-down", "--requests", "9"],
  ["--scenario", "both-down", "--distance", "1001"],
])
  test(`usage: ${argv.join(" ") || "nothing"} is refused before anything is drilled`, async () => {
    const { code, stderr, requests } = await run(argv);
    assert.equal(code, 2);
    assert.match(stderr, /GRANARY_BAD_(USAGE|FLAG)/);
    assert.deepEqual(requests, []);
  });
