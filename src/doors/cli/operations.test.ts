// The commands that ask a running server, with a server that is played.
import assert from "node:assert/strict";
import { test } from "node:test";
import { GranaryError } from "#services/errors/granary-error.ts";
import { langs } from "#services/errors/sentences.ts";
import type { JobView } from "#services/proxy/retry-queue.ts";
import type { UpstreamView } from "#services/upstreams/desk.ts";
import { runProgram } from "./program.ts";
import type { CliServices } from "./services.ts";
import { columnsOf } from "./text.ts";

async function run(argv: readonly string[], services: Partial<CliServices> = {}, lang: "en" | "zh-CN" = "en") {
  const out = { code: -1, stdout: "", stderr: "" };
  const io = {
    stdout: (text: string) => void (out.stdout += text),
    stderr: (text: string) => void (out.stderr += text),
    lang,
    isTerminal: false,
    isUtf8: true,
    shell: "bash" as const,
  };
  const listen = { key: "listen", flag: "--listen HOST:PORT", about: "", initial: "", isList: false, group: "server" };
  out.code = await runProgram(argv, {
    io,
    services: services as CliServices,
    settingFlags: [listen as never],
    version: "1.2.3",
  });
  return out;
}

const official: UpstreamView = {
  name: "official",
  url: "https://proxy.example",
  condition: "closed",
  priority: 1,
  errorRate: 0.0041,
  p50Ms: 212,
  p95Ms: 3_200,
  lastProbe: { at: 1, ok: true, ms: 31 },
};
const mirror: UpstreamView = {
  name: "goproxy.cn",
  url: "https://goproxy.cn",
  condition: "open",
  priority: 2,
  lastProbe: { at: 1, ok: false, ms: 10_000, reason: "timeout" },
};
const status = (upstreams: readonly UpstreamView[]) => ({ upstreamStatus: () => Promise.resolve(upstreams) });

/** The cells of the row that starts with a name. */
function cellsOf(stdout: string, name: string): readonly string[] {
  const line = stdout.split("\n").find((row) => row.split(/\s+/).includes(name)) ?? "";
  return line.trim().split(/\s{2,}/);
}

test("status: a row says condition, level, times, errors and probe; what nobody measured is a dash", async () => {
  const { code, stdout } = await run(["upstream", "status"], status([official, mirror]));
  assert.equal(code, 0);
  assert.deepEqual(cellsOf(stdout, "official"), [
    "✓ official",
    "closed",
    "1 active",
    "212 ms",
    "3.2 s",
    "0.4 %",
    "answered in 31 ms",
  ]);
  assert.deepEqual(cellsOf(stdout, "goproxy.cn"), ["✗ goproxy.cn", "open", "2", "-", "-", "-", "timeout"]);
});

const actives: readonly (readonly [string, readonly UpstreamView[], string | undefined])[] = [
  ["the lowest level", [mirror, { ...mirror, name: "b", condition: "closed" }, official], "official"],
  [
    "the next one when the first is disabled",
    [
      { ...official, condition: "disabled" },
      { ...mirror, condition: "trial" },
    ],
    "goproxy.cn",
  ],
  [
    "never a shadow",
    [
      { ...official, role: "shadow" },
      { ...mirror, condition: "closed" },
    ],
    "goproxy.cn",
  ],
  [
    "a canary only when nobody else is left",
    [
      { ...official, role: "canary" },
      { ...mirror, condition: "closed" },
    ],
    "goproxy.cn",
  ],
  ["nobody when none may be asked", [{ ...official, condition: "held" }, mirror], undefined],
];
for (const [name, upstreams, active] of actives)
  test(`status: active is ${name}`, async () => {
    const { code, stdout } = await run(["upstream", "status"], status(upstreams));
    const marked = stdout.split("\n").filter((line) => line.includes(" active "));
    assert.deepEqual(
      marked.map((line) => line.trim().split(/\s+/)[1]),
      active === undefined ? [] : [active],
    );
    assert.equal(code, active === undefined ? 1 : 0);
    const verdict = stdout.trimEnd().split("\n").at(-1) ?? "";
    if (active !== undefined) assert.ok(verdict.includes(active), verdict);
  });

test("status: a shadow and a canary are told from those that have a level", async () => {
  const shadow = { ...mirror, role: "shadow" } as const;
  const { stdout } = await run(["upstream", "status"], status([official, { ...shadow, condition: "closed" }]));
  assert.equal(cellsOf(stdout, "goproxy.cn")[2], "shadow");
  const canary = await run(["upstream", "status"], status([{ ...official, role: "canary" }, mirror]), "zh-CN");
  assert.match(cellsOf(canary.stdout, "official")[2] ?? "", /灰度/);
});

for (const lang of langs)
  test(`status and jobs in ${lang} fit a terminal, and say something different in each language`, async () => {
    const shown = await run(["upstream", "status"], status([official, mirror]), lang);
    for (const line of shown.stdout.split("\n")) assert.ok(columnsOf(line) <= 80, line);
    const other = await run(["upstream", "status"], status([official, mirror]), lang === "en" ? "zh-CN" : "en");
    assert.notEqual(shown.stdout.split("\n").at(-2), other.stdout.split("\n").at(-2));
    assert.notEqual((await run(["jobs"], jobs([]), lang)).stdout, "");
  });

test("an upstream's name obeys no terminal", async () => {
  const { stdout } = await run(["upstream", "status"], status([{ ...official, name: "a\u001b[31mb" }]));
  assert.ok(!stdout.includes("\u001b"));
});

test("no upstream at all is no failure", async () => {
  const { code, stdout } = await run(["upstream", "status"], status([]));
  assert.deepEqual([code, stdout.trim().split("\n").length], [0, 1]);
});

test("--json is the server's own words", async () => {
  const { stdout } = await run(["upstream", "status", "--json"], status([official]));
  assert.deepEqual(JSON.parse(stdout), { schema: "granary.upstreams/1", upstreams: [official] });
});

test("probe ends with 1 when somebody did not answer", async () => {
  const probes = [
    { name: "official", at: 1, ok: true, ms: 31 },
    { name: "goproxy.cn", at: 1, ok: false, ms: 5, reason: "refused" },
  ];
  const answered = await run(["upstream", "probe"], { upstreamProbe: () => Promise.resolve(probes) });
  assert.equal(answered.code, 1);
  assert.match(answered.stdout, /goproxy\.cn {2}refused/);
  const all = await run(["upstream", "probe"], { upstreamProbe: () => Promise.resolve(probes.slice(0, 1)) });
  assert.equal(all.code, 0);
});

for (const [argv, want] of [
  [["upstream", "disable", "goproxy.cn"], "disable goproxy.cn"],
  [["upstream", "enable", "goproxy.cn"], "enable goproxy.cn"],
  [["jobs", "retry", "0123456789abcdef"], "retry 0123456789abcdef"],
  [["jobs", "drop", "0123456789abcdef"], "drop 0123456789abcdef"],
] as const)
  test(`${argv.join(" ")} hands over the name, the server and the token`, async () => {
    const seen: unknown[] = [];
    const turn = (name: string, verb: string, use: unknown) => Promise.resolve(void seen.push(`${verb} ${name}`, use));
    const flags = ["--server", "http://127.0.0.1:1", "--token", "env:T", "--listen", "127.0.0.1:2"];
    const { code, stderr } = await run([...argv, ...flags], { upstreamTurn: turn, jobsTurn: turn });
    assert.equal(code, 0, stderr);
    const at = { server: "http://127.0.0.1:1", token: "env:T" };
    const settings = { values: { listen: "127.0.0.1:2" }, config: undefined, profile: undefined };
    assert.deepEqual(seen, [want, { at, flags: settings }]);
  });

test("an unknown name ends with 2 and the nearest spelling", async () => {
  const error = new GranaryError("GRANARY_NO_SUCH_ID", { kind: "upstream", id: "oficial", nearest: "official" });
  const { code, stderr } = await run(["upstream", "disable", "oficial"], { upstreamTurn: () => Promise.reject(error) });
  assert.equal(code, 2);
  assert.match(stderr, /official/);
  assert.match(stderr, /GRANARY_NO_SUCH_ID/);
});

// ---- jobs ----

const waiting: JobView = {
  id: "0123456789abcdef",
  kind: "zip",
  module: "example.com/m",
  version: "v1.0.0",
  state: "waiting",
  tries: 1,
  reason: "GRANARY_OFFLINE: official (refused)",
  since: "2026-01-01T00:00:00.000Z",
  next: "2026-01-01T00:00:06.000Z",
};
const dead: JobView = { ...waiting, id: "fedcba9876543210", state: "dead", tries: 3, died: "2026-01-01T00:00:14.000Z" };
const jobs = (list: readonly JobView[]) => ({ jobsList: () => Promise.resolve(list) });

test("jobs and jobs list are one command; with dead letters it ends with 1", async () => {
  const bare = await run(["jobs"], jobs([waiting, dead]));
  const listed = await run(["jobs", "list"], jobs([waiting, dead]));
  assert.deepEqual(bare, listed);
  assert.equal(bare.code, 1);
  assert.match(
    bare.stdout,
    /^fedcba9876543210 {2}dead +3 +2026-01-01T00:00:14Z {2}zip example\.com\/m@v1\.0\.0\n {2}GRANARY_OFFLINE.*refused/m,
  );
  assert.match(bare.stdout, /^0123456789abcdef {2}waiting {2}1 .*00:00:06Z/m);
  for (const line of bare.stdout.split("\n")) assert.ok(columnsOf(line) <= 80, line);
  assert.equal((await run(["jobs"], jobs([waiting]))).code, 0);
  assert.equal((await run(["jobs"], jobs([]))).code, 0);
});

test("jobs takes its flags before and after list", async () => {
  const seen: unknown[] = [];
  const jobsList = (at: unknown) => Promise.resolve((seen.push(at), []));
  for (const argv of [
    ["jobs", "--token", "env:T", "--json"],
    ["jobs", "list", "--token", "env:T", "--json"],
  ]) {
    const { stdout } = await run(argv, { jobsList });
    assert.deepEqual(JSON.parse(stdout), { schema: "granary.jobs/1", jobs: [] });
  }
  assert.deepEqual(seen, [
    { server: undefined, token: "env:T" },
    { server: undefined, token: "env:T" },
  ]);
});

test("a misspelt subcommand of jobs is one, and not a longer jobs", async () => {
  const { code, stderr } = await run(["jobs", "lst"], jobs([]));
  assert.equal(code, 2);
  assert.match(stderr, /GRANARY_UNKNOWN_COMMAND/);
  assert.match(stderr, /list/);
});
