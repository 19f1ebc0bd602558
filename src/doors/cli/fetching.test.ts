// What plan and prewarm say and how they end, whatever the services found.
import assert from "node:assert/strict";
import { test } from "node:test";
import { messageTables } from "#services/errors/say.ts";
import { langs } from "#services/errors/sentences.ts";
import type { Lang } from "#services/errors/sentences.ts";
import { runProgram } from "./program.ts";
import type { CliServices, PlanRequest, PlanView, PrewarmRequest, PrewarmView } from "./services.ts";
import { columnsOf, terminalColumns } from "./text.ts";

const failure = {
  what: "example.com/b@v1.0.0",
  kind: "zip",
  code: "GRANARY_SUMDB_MISMATCH",
  said: "not as recorded",
} as const;

const plan: PlanView = {
  names: ["example.com/shop"],
  goMods: { read: 1_204, kept: 1_000, bytes: 912_000 },
  zips: [
    { module: "example.com/a", version: "v1.0.0", kept: true, bytes: 5_000_000 },
    { module: "example.com/b", version: "v1.0.0", kept: false, bytes: 3_100_000 },
    { module: "example.com/c", version: "v1.0.0", kept: false },
  ],
  directories: ["example.com/d@v1.0.0"],
  failures: [],
  unreadable: [],
  isCutShort: false,
  server: "http://127.0.0.1:8080",
  mode: "resilient",
  upstreams: ["official", "goproxy.cn"],
};

const report: PrewarmView = {
  files: 12,
  bytes: 8_100_000,
  ms: 3_200,
  before: { answers: 12, hits: 3, p95Ms: 410.4 },
  after: { answers: 12, hits: 12, p95Ms: 0.4 },
  failures: [],
  unreadable: [],
  isCutShort: false,
  wasInterrupted: false,
  server: "http://127.0.0.1:8080",
  mode: "resilient",
  upstreams: ["official"],
};

type More = { readonly lang?: Lang; readonly isTerminal?: boolean };

async function run(argv: readonly string[], own: Partial<CliServices>, { lang = "en", isTerminal = false }: More = {}) {
  const out = { code: -1, stdout: "", stderr: "" };
  out.code = await runProgram(argv, {
    io: {
      stdout: (text) => (out.stdout += text),
      stderr: (text) => (out.stderr += text),
      lang,
      isTerminal,
      isUtf8: true,
      shell: "bash",
    },
    services: own as CliServices,
    settingFlags: [],
    version: "1.2.3",
  });
  return out;
}

const planned = (found: PlanView | undefined): Partial<CliServices> => ({ plan: () => Promise.resolve(found) });
const prewarmed = (found: PrewarmView): Partial<CliServices> => ({ prewarm: () => Promise.resolve(found) });

test("plan hands over what was typed; without --from it is the go.mod here", async () => {
  let seen: PlanRequest | undefined;
  const own: Partial<CliServices> = {
    plan: (request) => {
      seen = request;
      return Promise.resolve(plan);
    },
  };
  await run(["plan"], own);
  const at = { server: undefined, token: undefined };
  assert.deepEqual(seen, { from: "go.mod", all: false, sizes: false, jobs: 16, at });
  await run(["plan", "--from=x/go.work", "--all", "--sizes", "--jobs=4", "--server=http://h", "--token=env:T"], own);
  assert.deepEqual(seen, {
    from: "x/go.work",
    all: true,
    sizes: true,
    jobs: 4,
    at: { server: "http://h", token: "env:T" },
  });
});

test("prewarm hands over what was typed, platforms several times", async () => {
  const all: PrewarmRequest[] = [];
  const own: Partial<CliServices> = {
    prewarm: (request) => {
      all.push(request);
      return Promise.resolve(report);
    },
  };
  await run(["prewarm", "--from=go.mod", "--platform=linux/amd64", "--platform", "darwin/arm64"], own);
  assert.deepEqual(all.at(-1)?.platforms, ["linux/amd64", "darwin/arm64"]);
  await run(["prewarm", "--from=top:9", "--of=http://other"], own);
  assert.deepEqual([all.at(-1)?.from, all.at(-1)?.of, all.at(-1)?.platforms], ["top:9", "http://other", []]);
});

const ends = [
  ["all well", {}, 0],
  ["a failure", { failures: [failure] }, 1],
  ["a go.mod at which go stops", { unreadable: ["example.com/x@v1.0.0"] }, 1],
  ["a graph larger than is read", { isCutShort: true }, 1],
] as const;
for (const [what, more, code] of ends)
  test(`exit ${code} of plan and prewarm: ${what}`, async () => {
    assert.equal((await run(["plan"], planned({ ...plan, ...more }))).code, code);
    assert.equal((await run(["prewarm", "--from=x"], prewarmed({ ...report, ...more }))).code, code);
  });

test("what Ctrl-C ended is exit 130", async () => {
  assert.equal((await run(["plan"], planned(undefined))).code, 130);
  const stopped = { ...report, wasInterrupted: true, failures: [failure] };
  assert.equal((await run(["prewarm", "--from=x"], prewarmed(stopped))).code, 130);
});

for (const lang of langs)
  test(`in ${lang}: few lines, failures with their codes, sizes that nobody told are said to be unknown`, async () => {
    const { stdout } = await run(["plan"], planned({ ...plan, failures: [failure] }), { lang });
    for (const told of ["example.com/shop", "1,204", "3.1 MB", "official → goproxy.cn", failure.what, failure.code])
      assert.ok(stdout.includes(told), `${told} in\n${stdout}`);
    assert.ok(stdout.split("\n").length <= 9);
    const warm = await run(["prewarm", "--from=x"], prewarmed({ ...report, failures: [failure] }), { lang });
    for (const told of ["8.1 MB", "3.2 s", "25 %", "100 %", "410 ms", "<1 ms", failure.code])
      assert.ok(warm.stdout.includes(told), `${told} in\n${warm.stdout}`);
    const unknown = messageTables[lang]["plan.missing"]({ zips: "3", bytes: "0 B", unknown: "3" });
    assert.ok(!unknown.includes("0 B"));
  });

test("a name that holds an escape sequence reaches no terminal", async () => {
  const odd = { ...plan, names: ["\u001b[31mred"], failures: [{ ...failure, said: "\u001b]0;title\u0007" }] };
  assert.doesNotMatch((await run(["plan"], planned(odd))).stdout, /[\u001b\u0007]/);
});

test("progress goes to a terminal only, and Ctrl-C is mentioned once", async () => {
  const own: Partial<CliServices> = {
    prewarm: (_, __, progress) => {
      for (const phase of ["graph", "files", "sample"] as const)
        progress({ phase, done: 5, total: 10, bytes: 5_000_000, ms: 1_000 });
      return Promise.resolve(report);
    },
  };
  assert.equal((await run(["prewarm", "--from=x"], own)).stderr, "");
  for (const lang of langs) {
    const { stderr } = await run(["prewarm", "--from=x"], own, { lang, isTerminal: true });
    assert.equal(stderr.split("Ctrl-C").length, 2);
    for (const line of stderr.split(/[\r\n]/)) assert.ok(columnsOf(line) < terminalColumns, line);
    assert.match(stderr, /5 MB\/s/);
  }
});

test("--json is one document with its schema", async () => {
  const shown = JSON.parse((await run(["plan", "--json"], planned(plan))).stdout) as { schema: string };
  assert.equal(shown.schema, "granary.plan/1");
  const warm = JSON.parse((await run(["prewarm", "--from=x", "--json"], prewarmed(report))).stdout) as PrewarmView;
  assert.deepEqual(warm.after, report.after);
});
