import assert from "node:assert/strict";
import { test } from "node:test";
import { hash1 } from "#protocol/dirhash.ts";
import type { H1 } from "#protocol/dirhash.ts";
import { hash } from "node:crypto";
import { checkModuleVersion } from "#protocol/version.ts";
import { MemoryCache } from "../../../test/support/memory-cache.ts";
import { examineCache } from "./examine.ts";
import { parseDownloads, parseTrace } from "./download.ts";
import { countNuls, readInfo, readZiphash } from "./files.ts";
import { applyGc, planGc, recentMs } from "./gc.ts";
import { indexGoSums, notedOf } from "./known.ts";
import { readName, treePath, unitPath } from "./layout.ts";
import type { LookUpSums } from "./ports.ts";
import { applyRepair, planRepair } from "./repair.ts";
import { survey } from "./survey.ts";
import { hashTree } from "./tree-hash.ts";
import { verifyRest, verifyUnits } from "./verify.ts";

const id = checkModuleVersion("example.com/m", "v1.0.0");
const { signal } = new AbortController();
const content = "package m\n";
/** Of the tree with that one file. */
const h1 = hash1([{ name: "example.com/m@v1.0.0/m.go", sha256: hash("sha256", content) }]);
const hashOf = (name: string): H1 => hash1([{ name, sha256: hash("sha256", name) }]);
const [other, third] = [hashOf("a"), hashOf("b")];

const nobody: LookUpSums = () => Promise.resolve({ kind: "unasked", because: "off" });

type Hashes = { readonly zip?: string; readonly ziphash?: string; readonly file?: string };

function cacheOf({ zip = h1, ziphash = h1, file = content }: Hashes = {}): MemoryCache {
  return new MemoryCache({
    [unitPath(id, "zip")]: zip,
    [unitPath(id, "ziphash")]: ziphash,
    [unitPath(id, "mod")]: "module example.com/m\n",
    [unitPath(id, "info")]: '{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z"}',
    [`${treePath(id)}/m.go`]: file,
  });
}

async function verify(cache: MemoryCache, use: { readonly goSum?: string; readonly lookUp?: LookUpSums } = {}) {
  const goSums = indexGoSums(use.goSum === undefined ? [] : [{ file: "go.sum", text: use.goSum }]);
  const found = await survey(cache, signal);
  const context = { cache, goSums, lookUp: use.lookUp ?? nobody, signal };
  const report = await verifyUnits([...found.units.values()], context);
  return { report, context, found };
}

const goSum = (zip: string) => `example.com/m v1.0.0 ${zip}\n`;
const recorded =
  (zip: H1): LookUpSums =>
  () =>
    Promise.resolve({ kind: "recorded", sums: { zip }, database: "sum", number: 1, route: "r" });

const table: readonly (readonly [
  what: string,
  hashes: Hashes,
  use: Parameters<typeof verify>[1],
  want: readonly (readonly [code: string, ...parts: string[]])[],
])[] = [
  ["all agree", {}, {}, []],
  ["all agree with go.sum", {}, { goSum: goSum(h1) }, []],
  ["the zip differs; the tree tells", { zip: other }, {}, [["CACHE_ZIP_CHANGED", "zip"]]],
  ["the note differs; the tree tells", { ziphash: other }, {}, [["CACHE_ZIPHASH_WRONG", "ziphash"]]],
  [
    "all differ, and nobody tells",
    { zip: other, ziphash: third },
    {},
    [["CACHE_ZIP_CHANGED", "zip", "ziphash", "tree"]],
  ],
  ["the tree differs", { file: "x" }, {}, [["CACHE_TREE_CHANGED", "tree"]]],
  ["the zip differs, go.sum tells", { zip: other }, { goSum: goSum(h1) }, [["CACHE_ZIP_CHANGED", "zip"]]],
  ["the note differs, go.sum tells", { ziphash: other }, { goSum: goSum(h1) }, [["CACHE_ZIPHASH_WRONG", "ziphash"]]],
  [
    "zip and note agree, go.sum differs",
    {},
    { goSum: goSum(other) },
    [["CACHE_GOSUM_MISMATCH", "zip", "ziphash", "tree"]],
  ],
  [
    "the database decides over go.sum",
    {},
    { goSum: goSum(other), lookUp: recorded(h1) },
    [["CACHE_GOSUM_UNLIKE_SUMDB"]],
  ],
  ["the database differs", {}, { lookUp: recorded(other) }, [["CACHE_SUMDB_MISMATCH", "zip", "ziphash", "tree"]]],
  ["a zip that is none", { zip: "PK" }, {}, [["CACHE_ZIP_BROKEN", "zip", "ziphash"]]],
  ["blanks around the note", { ziphash: `${h1}\n` }, {}, [["CACHE_ZIPHASH_FORM"]]],
  ["half a note", { ziphash: h1.slice(0, 20) }, {}, [["CACHE_ZIPHASH_FORM", "ziphash"]]],
];
for (const [what, hashes, use, want] of table)
  test(`judge: ${what}`, async () => {
    const { report } = await verify(cacheOf(hashes), use);
    const found = report.damages.map(({ finding, parts }) => [finding.code, ...parts]);
    assert.deepEqual(found, want);
  });

test("what cannot be read is told, and looks like nothing else", async () => {
  const cache = cacheOf();
  cache.unreadable.add(unitPath(id, "ziphash"));
  const { report } = await verify(cache);
  assert.deepEqual(
    report.damages.map(({ finding }) => finding.code),
    ["CACHE_UNREADABLE"],
  );
});

test("what go works on is no damage, and a repair leaves it alone", async () => {
  const cache = cacheOf({ zip: other });
  cache.files.set(unitPath(id, "partial"), new Uint8Array());
  cache.files.set(`${unitPath(id, "zip")}12.tmp`, Buffer.from("PK"));
  cache.held.add(unitPath(id, "lock"));
  const { report, context, found } = await verify(cache);
  const codes = [...report.damages, ...(await verifyRest(found, cache))].map(({ finding }) => finding.code);
  assert.deepEqual(codes, ["CACHE_ZIP_CHANGED"]);
  const before = cache.files.size;
  const repair = await applyRepair(planRepair(report.damages), { ...context, keeper: cache });
  assert.deepEqual([repair.repaired, repair.left[0]?.finding.code, cache.files.size], [[], "CACHE_BUSY", before]);
  cache.hasLocks = false;
  const without = await applyRepair(planRepair(report.damages), { ...context, keeper: cache });
  assert.deepEqual([without.left[0]?.finding.code, cache.files.size], ["CACHE_NO_LOCKS", before]);
});

test("a repair takes away what is damaged under the lock, not what was damaged before", async () => {
  const cache = cacheOf({ zip: other });
  const { report, context } = await verify(cache);
  cache.files.set(unitPath(id, "zip"), Buffer.from(h1));
  const repair = await applyRepair(planRepair(report.damages), { ...context, keeper: cache });
  assert.deepEqual([repair.repaired, cache.files.has(unitPath(id, "zip"))], [[], true]);
});

test("go.sum says nothing about toolchains, and go's copies of their go.mod are no change", async () => {
  const toolchain = checkModuleVersion("golang.org/toolchain", "v0.0.1-go1.21.0.linux-amd64");
  const line = `golang.org/toolchain v0.0.1-go1.21.0.linux-amd64 ${h1}\n`;
  assert.deepEqual(notedOf(indexGoSums([{ file: "go.sum", text: line }]), toolchain), { zip: [], mod: [] });
  const cache = new MemoryCache({ [`${treePath(toolchain)}/src/_go.mod`]: "module std\n" });
  const plain = await hashTree(cache, toolchain, signal);
  cache.files.set(`${treePath(toolchain)}/src/go.mod`, Buffer.from("module std\n"));
  assert.deepEqual(await hashTree(cache, toolchain, signal), plain);
  cache.files.set(`${treePath(toolchain)}/src/go.mod`, Buffer.from("module other\n"));
  assert.notDeepEqual(await hashTree(cache, toolchain, signal), plain);
});

test("gc: age, size, what is spared, and a version that is used between plan and removal", async () => {
  const now = 100 * recentMs;
  const cache = cacheOf();
  const later = checkModuleVersion("example.com/m", "v1.1.0");
  cache.files.set(unitPath(later, "mod"), Buffer.from("module example.com/m\n"));
  cache.times.set(unitPath(later, "mod"), now - 2 * recentMs);
  const found = await survey(cache, signal);
  const use = { cache, nowMs: now, signal };
  const plan = async (maxBytes?: number, unusedMs?: number, keep: readonly string[] = []) =>
    await planGc(found, { maxBytes, unusedMs, keep: new Set(keep) }, use);
  const leaving = ({ leaving: all }: Awaited<ReturnType<typeof plan>>) =>
    all.map((each) => [each.id.version, each.reason]);
  assert.deepEqual(leaving(await plan(undefined, 50 * recentMs)), [["v1.0.0", "age"]]);
  assert.deepEqual(leaving(await plan(30)), [["v1.0.0", "size"]]);
  assert.deepEqual(leaving(await plan(0)), [
    ["v1.0.0", "size"],
    ["v1.1.0", "size"],
  ]);
  const kept = await plan(0, undefined, ["example.com/m@v1.0.0"]);
  assert.deepEqual([leaving(kept), kept.kept, kept.over > 0], [[["v1.1.0", "size"]], 1, true]);
  const all = await plan(0);
  cache.times.set(unitPath(later, "mod"), now);
  const report = await applyGc(all, { cache, keeper: cache, signal });
  assert.deepEqual([report.removed.length, report.busy.map(({ version }) => version)], [1, ["v1.1.0"]]);
  const left = [...cache.files.keys()].filter((path) => path.includes("v1.0.0"));
  assert.deepEqual(left, []);
  assert.equal(Buffer.from(cache.files.get("cache/download/example.com/m/@v/list") ?? "").toString(), "v1.1.0\n");
});

test("doctor's sample: bounded, in time, and never a throw because time is over", async () => {
  const use = { goSums: indexGoSums([]), lookUp: nobody };
  const cache = cacheOf({ zip: other });
  cache.isReadOnly = true;
  const { findings, examined } = await examineCache({ ...use, cache, signal });
  assert.deepEqual([findings.map(({ code }) => code), examined], [["CACHE_ZIP_CHANGED", "CACHE_READ_ONLY"], 1]);
  const late = AbortSignal.abort(new Error("time is over"));
  assert.deepEqual((await examineCache({ ...use, cache, signal: late })).findings, []);
});

const names = [
  ["v1.0.0.zip", "unit"],
  ["v1.0.0-0.20240102030405-abcdefabcdef.ziphash", "unit"],
  ["list", "list"],
  ["v1.0.0.zip123.tmp", "temp"],
  ["v1.0.0.info4.tmp", "temp"],
  ["list99.tmp", "temp"],
  ["README", "odd"],
  ["v1.0.0.zip~", "odd"],
] as const;
for (const [name, kind] of names) test(`readName(${name})`, () => assert.equal(readName(name).kind, kind));

test("small files", () => {
  assert.deepEqual(readZiphash(Buffer.from(h1)), { kind: "hash", h1, isTrimmed: false });
  assert.equal(readZiphash(new Uint8Array(47)).kind, "malformed");
  assert.equal(readInfo(Buffer.from('{"Version":"v1.0.1"}'), id.version).kind, "malformed");
  assert.equal(readInfo(Buffer.from('{"Version":"v1.0.0"}'), id.version).kind, "info");
  assert.equal(countNuls(Buffer.from("a\0\0")), 2);
});

test("what go prints: modules one after the other, requests with and without an end", () => {
  const stdout =
    '{\n\t"Path": "example.com/m",\n\t"Version": "v1.0.0"\n}\n{\n\t"Path": "a.b/c",\n\t"Version": "v1.0.0",\n\t"Error": "x {\\n"\n}\n{ cut';
  assert.deepEqual(
    parseDownloads(stdout).map(({ id: { path }, error }) => [path, error]),
    [
      ["example.com/m", undefined],
      ["a.b/c", "x {\n"],
    ],
  );
  const url = "https://user:pw@proxy.example/example.com/m/@v/v1.0.0";
  const trace = parseTrace(
    `# get ${url}.info\n# get ${url}.info: 200 OK (0.123s)\n# get ${url}.zip\n# get https://sum.example/lookup/x@v1.0.0: dial tcp: refused\nother\n`,
  );
  assert.deepEqual(
    trace.map(({ kind, answer, ms }) => [kind, answer, ms]),
    [
      ["info", "200 OK", 123],
      ["zip", "", undefined],
      ["sumdb", "dial tcp: refused", undefined],
    ],
  );
  assert.ok(trace.every(({ url: shown }) => !shown.includes("pw")));
});
