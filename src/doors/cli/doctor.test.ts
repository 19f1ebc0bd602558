import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Check, CheckId, Checked } from "#services/doctor/check.ts";
import type { Step } from "#services/doctor/mend.ts";
import { checkList } from "#services/doctor/steps.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { found, kind } from "#services/findings/finding.ts";
import type { Finding } from "#services/findings/finding.ts";
import { runProgram } from "./program.ts";
import type { CliContext } from "./services.ts";

const area = {
  SAMPLE_FAIL: kind<{ what: string }>("fail", "doctor.md", {
    en: { title: ({ what }) => `${what} is broken`, why: "It broke.", advice: "Mend it." },
    "zh-CN": { title: ({ what }) => `${what} 坏了`, why: "它坏了。", advice: "修好它。" },
  }),
  SAMPLE_WARN: kind<{ what: string }>("warn", "doctor.md", {
    en: { title: ({ what }) => `${what} is odd`, why: "It is odd." },
    "zh-CN": { title: ({ what }) => `${what} 有点怪`, why: "有点怪。" },
  }),
};
const fail = found(
  area,
  "SAMPLE_FAIL",
  { what: "proxy.corp.example" },
  {
    evidence: [{ kind: "place", text: "/home/li/.bashrc:3" }],
    fixes: [{ kind: "set", values: { GOPROXY: "https://a.example|direct" } }],
  },
);
const warn = found(area, "SAMPLE_WARN", { what: "it" }, { fixes: [{ kind: "export", values: { GOFLAGS: "" } }] });

const check = (id: CheckId, findings: readonly Finding[], state: Checked["state"]): Checked => ({
  check: { ...(checkList.find((each) => each.id === id) as Check), run: () => assert.fail() },
  state,
  examined: { findings, ...(id === "goproxy" && { summary: "https://proxy.corp.example (default)" }) },
  announced: id === "requests" ? ["GET https://proxy.corp.example/x"] : [],
  ms: 12,
});

type Options = { readonly lang?: Lang; readonly checks?: readonly Checked[]; readonly says?: boolean };

async function run(argv: readonly string[], { lang = "en", checks, says = true }: Options = {}) {
  const out = { stdout: "", stderr: "", code: -1, asked: [] as string[], mended: [] as Step[], ran: [] as string[] };
  const all = checks ?? [check("goproxy", [fail], "fail"), check("requests", [warn], "warn"), check("tls", [], "ok")];
  const desk = {
    checks: () => checkList,
    examine: (
      request: { checks: readonly { id: string }[] },
      watch: { onFacts: (...facts: unknown[]) => void; onDone: (one: Checked) => void },
    ) => {
      out.ran = request.checks.map(({ id }) => id);
      const secrets = [
        { text: "/home/li", instead: "~" },
        { text: "proxy.corp.example", instead: "HOST-1" },
      ];
      const facts = { go: "1.26.8", platform: "linux/amd64", module: "github.com/acme/shop" };
      watch.onFacts(facts, secrets);
      for (const one of all.toReversed()) if (out.ran.includes(one.check.id)) watch.onDone(one);
      return Promise.resolve({ facts, checks: all, ms: 2_400, secrets });
    },
    confirm: (question: string) => (out.asked.push(question), Promise.resolve(says)),
    mend: (steps: readonly Step[]) => {
      out.mended = [...steps];
      return Promise.resolve(steps.map((step) => ({ step, outcome: { kind: "done", backup: "/b" } })));
    },
  };
  const context = {
    io: {
      stdout: (text: string) => (out.stdout += text),
      stderr: (text: string) => (out.stderr += text),
      ...({ lang, isTerminal: false, isUtf8: true, shell: "bash" } as const),
    },
    services: { doctor: () => Promise.resolve(desk) },
    settingFlags: [],
    version: "0",
  };
  out.code = await runProgram(["doctor", ...argv], context as unknown as CliContext);
  return out;
}

const three = ["goproxy", "requests", "tls"];

test("lines come in the order of the numbers, problems unfold, the verdict is last", async () => {
  const { stdout, code } = await run(three);
  assert.equal(code, 1);
  assert.equal(
    stdout,
    `Go 1.26.8 linux/amd64 · module github.com/acme/shop · 3 checks

✗  1 GOPROXY                https://proxy.corp.example (default)
     ✗ proxy.corp.example is broken
         where   /home/li/.bashrc:3
         why     It broke.
         do      Mend it.
         fix     go env -w 'GOPROXY=https://a.example|direct'
         more    docs/doctor.md · granary explain SAMPLE_FAIL
!  6 requests
     ! it is odd
         why     It is odd.
         fix     unset GOFLAGS
         more    docs/doctor.md · granary explain SAMPLE_WARN
✓  7 TLS

1 failure, 1 warning in 2.4 s. The cause is in check 1: proxy.corp.example is
broken. granary doctor --fix shows the repairs: 2.
`,
  );
});

test("in Chinese, with the same codes", async () => {
  const { stdout } = await run(three, { lang: "zh-CN" });
  assert.match(stdout, /proxy\.corp\.example 坏了/);
  assert.match(stdout, /1 个故障、1 个警告，用时 2\.4 s。原因在第 1 项：/);
  assert.match(stdout, /granary explain SAMPLE_FAIL/);
});

test("-v shows what was asked", async () => {
  const { stdout, stderr } = await run([...three, "-v"]);
  assert.match(stdout, /asked {2}GET https:\/\/proxy\.corp\.example\/x/, stderr);
});

test("--share leaves out what is the user's own, in every form", async () => {
  for (const form of [[], ["--json"], ["--format=sarif"], ["--format=junit"], ["--format=github"]]) {
    const { stdout } = await run([...three, "--share", ...form]);
    assert.doesNotMatch(stdout, /\/home\/li|proxy\.corp\.example/, form.join());
    assert.match(stdout, /HOST-1/);
  }
});

test("--json is JSON alone, the cause first", async () => {
  const { stdout } = await run([...three, "--json"]);
  const report = JSON.parse(stdout) as Record<string, never> & { findings: { code: string; check: number }[] };
  assert.equal(report["schema"], "granary.doctor/1");
  assert.deepEqual(
    report.findings.map(({ code, check: number }) => [code, number]),
    [
      ["SAMPLE_FAIL", 1],
      ["SAMPLE_WARN", 6],
    ],
  );
});

test("--format sarif has a rule and a place for each finding", async () => {
  const { stdout } = await run([...three, "--format", "sarif"]);
  const [{ tool, results }] = (JSON.parse(stdout) as { runs: [{ tool: never; results: unknown[] }] }).runs;
  assert.deepEqual(
    (tool as { driver: { rules: { id: string }[] } }).driver.rules.map(({ id }) => id),
    ["SAMPLE_FAIL", "SAMPLE_WARN"],
  );
  assert.deepEqual((results[0] as { locations: unknown }).locations, [
    { physicalLocation: { artifactLocation: { uri: "/home/li/.bashrc" }, region: { startLine: 3 } } },
  ]);
});

test("--format junit and github", async () => {
  const { stdout: xml } = await run([...three, "--format", "junit"]);
  assert.match(xml, /<testsuite name="granary doctor" tests="3" failures="1" skipped="0">/);
  assert.match(xml, /<failure type="SAMPLE_FAIL" message="proxy\.corp\.example is broken">/);
  const { stdout: lines } = await run([...three, "--format", "github"]);
  assert.match(lines, /^::error title=SAMPLE_FAIL::proxy\.corp\.example is broken%0A/m);
  assert.match(lines, /^::warning title=SAMPLE_WARN::/m);
});

suite("exit codes", () => {
  const warned = { checks: [check("goproxy", [warn], "warn")] };
  test("warnings are allowed", async () => assert.equal((await run(["goproxy"], warned)).code, 0));
  test("unless --fail-on warn", async () => assert.equal((await run(["goproxy", "--fail-on=warn"], warned)).code, 1));
  test("never", async () => assert.equal((await run([...three, "--fail-on=never"])).code, 0));
  test("nothing looked at", async () => {
    const skipped = { ...check("tls", [], "skip"), skipped: "offline" } as const;
    assert.equal((await run(["tls"], { checks: [skipped] })).code, 3);
  });
  for (const bad of [["--format=xml"], ["--fail-on=info"], ["nonsense"], ["--skip=nonsense"], ["--timeout=soon"]])
    test(`${bad.join()} is a usage error`, async () => assert.equal((await run(bad)).code, 2));
});

suite("which checks", () => {
  const ran = async (...argv: string[]) => (await run(argv)).ran;
  test("all but the build list", async () =>
    assert.deepEqual(
      await ran(),
      checkList.filter(({ id }) => id !== "build-list").map(({ id }) => id),
    ));
  test("--quick has six and the build list", async () =>
    assert.deepEqual(await ran("--quick"), [
      "goproxy",
      "private",
      "requests",
      "tls",
      "dns-cache",
      "modcache",
      "build-list",
    ]));
  test("by name, number and group", async () =>
    assert.deepEqual(await ran("7", "goproxy", "cache"), ["goproxy", "tls", "modcache", "build-list"]));
  test("--skip", async () =>
    assert.ok(!(await ran("--skip", "network", "--skip=2")).some((id) => id === "tls" || id === "chain")));
  test("--list-checks names them all", async () => {
    const { stdout, ran: none } = await run(["--list-checks"]);
    assert.equal(stdout.split("\n").length, checkList.length + 1);
    assert.deepEqual(none, []);
  });
});

suite("--fix", () => {
  test("shows, asks, and changes what is not for people to do", async () => {
    const { stdout, asked, mended } = await run([...three, "--fix"]);
    assert.match(stdout, /go env -w 'GOPROXY=https:\/\/a\.example\|direct' {4}# SAMPLE_FAIL/);
    assert.match(stdout, /This is for you to do:\n {2}unset GOFLAGS/);
    assert.equal(asked.length, 1);
    assert.deepEqual(
      mended.map(({ code }) => code),
      ["SAMPLE_FAIL"],
    );
    assert.match(stdout, /done: SAMPLE_FAIL \/b/);
  });
  test("changes nothing without a yes", async () => {
    const { stdout, mended } = await run([...three, "--fix"], { says: false });
    assert.deepEqual(mended, []);
    assert.match(stdout, /Nothing was changed\./);
  });
  test("--yes asks nobody", async () => assert.deepEqual((await run([...three, "--fix", "--yes"])).asked, []));
});
