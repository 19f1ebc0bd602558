// The commands about tree heads, with services that are played: what is printed, and what the shell is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { langs } from "#services/errors/sentences.ts";
import type { OfferReport } from "#services/sumdb/offered.ts";
import type { PinView } from "#services/sumdb/trusted.ts";
import { runProgram } from "./program.ts";
import type { CliServices, SumdbExplanation, SumdbStatus } from "./services.ts";

async function run(argv: readonly string[], services: Partial<CliServices>, lang: "en" | "zh-CN" = "en") {
  const out = { code: -1, stdout: "", stderr: "" };
  const io = {
    stdout: (text: string) => void (out.stdout += text),
    stderr: (text: string) => void (out.stderr += text),
    lang,
    isTerminal: false,
    isUtf8: true,
    shell: "bash" as const,
  };
  const context = { io, services: services as CliServices, settingFlags: [], version: "1.2.3" };
  out.code = await runProgram(["sumdb", ...argv], context);
  return out;
}

const offers: Readonly<Record<OfferReport["verdict"], RegExp>> = {
  newest: /the newest here now, before it 1,000/,
  agrees: /on the history that is kept here/,
  forked: /FORK: another history.*granary sumdb alarms.*because/,
  unproven: /between 1,000 and it \(because\)/,
  refused: /refused: because/,
};
for (const [verdict, said] of Object.entries(offers))
  test(`heads import: ${verdict}`, async () => {
    const item = { database: "sum.example", from: "a", treeSize: 2_000, ourSize: 1_000, reason: "because" };
    const sumdbHeadsImport = () => Promise.resolve([{ ...item, verdict: verdict as OfferReport["verdict"] }]);
    const { code, stdout } = await run(["heads", "import", "x"], { sumdbHeadsImport });
    assert.match(stdout, said);
    assert.equal(code, verdict === "newest" || verdict === "agrees" ? 0 : 1);
    const chinese = await run(["heads", "import", "x"], { sumdbHeadsImport }, "zh-CN");
    assert.match(chinese.stdout, /\p{Script=Han}/u);
    const json = await run(["heads", "import", "x", "--json"], { sumdbHeadsImport });
    assert.equal((JSON.parse(json.stdout) as { schema: string }).schema, "granary.sumdb.heads/1");
  });

test("heads import: where nothing is kept, the sentence says why nothing proves a head", async () => {
  const item = { database: "sum.example", from: "a", treeSize: 5, verdict: "unproven" } as const;
  const { stdout } = await run(["heads", "import", "-"], { sumdbHeadsImport: () => Promise.resolve([item]) });
  assert.match(stdout, /nothing is kept of this database yet, so nothing can prove a head/);
});

const pins: Readonly<Record<PinView["verdict"], boolean>> = {
  agrees: true,
  ahead: true,
  "rolled-back": false,
  forked: false,
  unproven: false,
  unsigned: false,
  "other-key": false,
  unknown: false,
};
test("verify: every verdict has a sentence in both languages, and only good ones end with 0", async () => {
  for (const lang of langs) {
    const sentences = new Set<string>();
    for (const [verdict, isGood] of Object.entries(pins)) {
      const view = { database: "sum.example", verdict: verdict as PinView["verdict"], pinned: 9, ours: 8 };
      const sumdbVerifyTrusted = () => Promise.resolve([view]);
      const { code, stdout } = await run(["verify", "--trusted", "f"], { sumdbVerifyTrusted }, lang);
      assert.equal(code, isGood ? 0 : 1, verdict);
      sentences.add(stdout);
    }
    assert.equal(sentences.size, Object.keys(pins).length);
  }
  const { code, stderr } = await run(["verify"], {});
  assert.equal(code, 2);
  assert.match(stderr, /granary sumdb verify --trusted FILE/);
});

test("pin: what has no head is named beside the file, and nothing at all is a finding", async () => {
  const pin = { key: "k", database: "sum.example", note: "n", treeSize: 1 };
  const some = () => Promise.resolve({ text: "the file\n", pins: [pin], without: ["other.example"] });
  const none = () => Promise.resolve({ text: "the file\n", pins: [], without: ["other.example"] });
  assert.deepEqual(await run(["pin"], { sumdbPin: some }), {
    code: 0,
    stdout: "the file\n",
    stderr: "No tree head is kept of: other.example\n",
  });
  assert.deepEqual(
    [(await run(["pin"], { sumdbPin: none })).code, (await run(["pin"], { sumdbPin: none })).stdout],
    [1, ""],
  );
});

const database: SumdbStatus["databases"][number] = {
  name: "sum.example",
  keyId: "033de0ae",
  newest: { size: 12_345, atMs: 0 },
  serving: 12_000,
  records: 7,
  tiles: 9,
  tileBytes: 80_000,
  alarms: [],
  routes: [
    { route: "a.test", verdict: "agrees", treeSize: 12_345, atMs: 30_000, condition: "closed" },
    { route: "b.test", verdict: "silent", reason: "timeout", atMs: 30_000, condition: "open" },
    { route: "sum.example", verdict: "unasked" },
  ],
};

test("status: sizes, ages, routes; an open alarm is a finding and says what it means", async () => {
  const of = (change: Partial<typeof database>) => () =>
    Promise.resolve({ nowMs: 60_000, isRunning: true, databases: [{ ...database, ...change }] });
  const calm = await run(["status"], { sumdbStatus: of({}) });
  assert.equal(calm.code, 0);
  for (const said of [/key 033de0ae/, /12,345 records, proven 60 s ago/, /serving head {2}12,000/, /9 tiles \(80 kB\)/])
    assert.match(calm.stdout, said);
  assert.match(calm.stdout, /✓ {2}a\.test +closed {2}agrees: 12,345 records, 30\.?0? s ago/);
  assert.match(calm.stdout, /! {2}b\.test +open +gave no head .*: timeout/);
  const halted = await run(["status"], { sumdbStatus: of({ alarms: ["a".repeat(64)] }) });
  assert.equal(halted.code, 1);
  assert.match(halted.stdout, /alarms +aaaaaaaaaaaa: nothing new is taken/);
  const empty = await run(["status"], { sumdbStatus: of({ newest: undefined, serving: undefined, routes: [] }) });
  assert.match(empty.stdout, /newest head {3}none yet/);
});

const explained: SumdbExplanation = {
  module: "example.com/m",
  settings: { GOSUMDB: "direct", GOPROXY: "https://a.test", GONOSUMDB: "", GOPRIVATE: "", GOFLAGS: "" },
  origin: "given",
  ignored: ["GONOSUMCHECK"],
  steps: [
    { question: "off", answer: false, value: "direct" },
    { question: "form", answer: false, value: "direct" },
  ],
  outcome: { kind: "refused", of: "GOSUMDB", sentence: "invalid GOSUMDB: malformed verifier id" },
};

test("explain: go's own sentence and the right form, in both languages", async () => {
  const sumdbExplain = () => Promise.resolve(explained);
  const { code, stdout } = await run(["explain", "example.com/m"], { sumdbExplain });
  assert.equal(code, 1);
  assert.match(stdout, /^go stops: example\.com\/m: invalid GOSUMDB: malformed verifier id$/m);
  assert.match(stdout, /The right form: sum\.golang\.org, or NAME\+HASH\+KEY/);
  assert.match(stdout, /without a say in this: GONOSUMCHECK/);
  const chinese = await run(["explain"], { sumdbExplain }, "zh-CN");
  assert.match(chinese.stdout, /go 停止：example\.com\/m：invalid GOSUMDB: malformed verifier id/);
  assert.match(chinese.stdout, /正确写法：sum\.golang\.org，或 NAME\+HASH\+KEY/);
});

test("explain: ways in their order; the module may be left out, two are too many", async () => {
  const outcome: SumdbExplanation["outcome"] = {
    kind: "verified",
    database: "sum.example",
    key: "k",
    ways: [
      { via: "proxy", url: "https://a.test/sumdb/sum.example", next: "failure" },
      { via: "direct", url: "https://sum.example", next: "never" },
    ],
  };
  const asked: unknown[] = [];
  const sumdbExplain: CliServices["sumdbExplain"] = (request) => {
    asked.push(request);
    return Promise.resolve({ ...explained, outcome });
  };
  const { code, stdout } = await run(["explain", "--env", "GOSUMDB=x", "--env=f"], { sumdbExplain });
  assert.equal(code, 0);
  assert.ok(stdout.indexOf("1. https://a.test") < stdout.indexOf("2. https://sum.example"));
  assert.deepEqual(asked, [{ env: ["GOSUMDB=x", "f"], module: undefined }]);
  assert.equal((await run(["explain", "a", "b"], { sumdbExplain })).code, 2);
  assert.match((await run(["explain", "--help"], {})).stdout, /granary sumdb explain \[M@V\] \[flags\]/);
});
