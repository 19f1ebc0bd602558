// A module cache that a real go has filled, broken by hand in every way of protocol.md §9: what is said of it, what go
// itself says of it, and whether go goes on with what a repair leaves.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, chmod, cp, mkdir, readFile, rm, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { loadConfig } from "../../src/app/config.ts";
import { modcacheServices } from "../../src/app/modcache.ts";
import { toFlags } from "../../src/app/setting-flags.ts";
import type { ModcacheServices, VerifyView } from "../../src/doors/cli/modcache-services.ts";
import { DiskCacheKeeper } from "../../src/adapters/system/module-cache-keeper.ts";
import { atEnd } from "../support/at-end.ts";
import { fixtureZip } from "../support/fixture-zip.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoClient } from "../support/go.ts";
import { runGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";
import { startUpstreams } from "../support/world.ts";
import type { Upstreams } from "../support/world.ts";

const hello = "example.com/hello@v1.0.0";
const wanted = [hello, "example.com/multi/v2@v2.1.0", "example.com/dep@v1.0.0", "example.com/old@v2.0.0+incompatible"];
const download = "cache/download/example.com/hello/@v/v1.0.0";
const quiet = { progress: () => undefined, plan: () => undefined };

type Scene = Upstreams & {
  readonly go: GoClient;
  /** With go.mod and go.sum. */
  readonly main: string;
  /** GOMODCACHE; each test has its own. */
  readonly cache: string;
  readonly env: Readonly<Record<string, string>>;
  readonly services: ModcacheServices;
  readonly ask: { readonly cache: string; readonly goSums: readonly string[]; readonly isOffline: boolean };
};

/** What one go has downloaded and extracted, as a user's cache is: read-only trees. */
async function filled(t: TestContext): Promise<Scene | undefined> {
  const tool = await needsGo(t);
  if (tool === undefined) return undefined;
  const upstreams = await startUpstreams();
  atEnd(t, () => upstreams.stub.close());
  const { stub, database } = upstreams;
  const GOSUMDB = `${database.verifierKey} ${stub.url}/sumdb/${database.name}`;
  const go = await newGoClient(tool, { GOPROXY: stub.url, GOSUMDB, GOFLAGS: "" });
  atEnd(t, () => go.remove());
  atEnd(t, () => new DiskCacheKeeper(go.gopath).removeTree("pkg"));
  const main = join(go.home, "main");
  await mkdir(main);
  await writeFile(join(main, "go.mod"), "module main.test/m\n\ngo 1.21\n");
  await go.ok(["mod", "edit", ...wanted.map((what) => `-require=${what}`)], { cwd: main });
  await go.ok(["mod", "download", ...wanted], { cwd: main });
  const env = { GOPROXY: stub.url, GOSUMDB, GOMODCACHE: go.modcache, GOPATH: go.gopath };
  const ask = { cache: go.modcache, goSums: [join(main, "go.sum")], isOffline: false };
  return { ...upstreams, go, main, cache: go.modcache, env, ask, services: servicesOf(go, env) };
}

function servicesOf(go: GoClient, env: Readonly<Record<string, string>>): ModcacheServices {
  const machine = {
    env: { PATH: process.env["PATH"], HOME: go.home, GOENV: "off", GOTOOLCHAIN: "local", ...env },
    platform: process.platform,
    home: go.home,
    readFile: () => Promise.resolve(undefined),
  };
  return modcacheServices({
    load: (flags) => loadConfig({ flags: toFlags(flags), machine }),
    machine,
    verifyEntry: pathToFileURL(resolve(import.meta.dirname, "../../bin/granary.ts")),
    onStop: () => () => undefined,
  });
}

const codesOf = ({ damages }: VerifyView): string[] => damages.map(({ finding }) => finding.code);

/** Other bytes under the same names: a zip that go would take. */
function otherZip(): Uint8Array {
  const files = { "go.mod": "module example.com/hello\n\ngo 1.21\n", "hello.go": "package hello // another\n" };
  return fixtureZip(makeModule({ path: "example.com/hello", version: "v1.0.0", files }));
}

async function replace(file: string, bytes: Uint8Array | string): Promise<void> {
  await chmod(file, 0o644).catch(() => undefined);
  await writeFile(file, bytes);
}

async function writableTree({ cache }: Scene): Promise<string> {
  const tree = join(cache, hello);
  await chmod(tree, 0o755);
  return tree;
}

type Case = {
  readonly name: string;
  readonly break: (scene: Scene) => Promise<unknown>;
  readonly codes: readonly string[];
  /** What `go mod verify` says; undefined for `all modules verified`. */
  readonly go?: RegExp;
  /** What --fix takes away of hello. */
  readonly parts?: readonly string[];
};

const at = (end: string) => (scene: Scene) => join(scene.cache, `${download}.${end}`);

const cases: readonly Case[] = [
  {
    name: "a zip that was cut off",
    break: async (s) => await replace(at("zip")(s), (await readFile(at("zip")(s))).subarray(0, 200)),
    codes: ["CACHE_ZIP_BROKEN"],
    go: /example\.com\/hello v1\.0\.0: /,
    parts: ["zip", "ziphash"],
  },
  {
    name: "a zip with other files",
    break: async (s) => await replace(at("zip")(s), otherZip()),
    codes: ["CACHE_ZIP_CHANGED"],
    go: /zip has been modified/,
    parts: ["zip"],
  },
  {
    name: "a ziphash of something else",
    break: async (s) => await replace(at("ziphash")(s), "h1:7j/oy+tJT9HyJfT59wTR69TstbCyNS5tKdi+c9Vh4H8="),
    codes: ["CACHE_ZIPHASH_WRONG"],
    go: /has been modified/,
    parts: ["ziphash"],
  },
  {
    name: "a ziphash of NULs",
    break: async (s) => await replace(at("ziphash")(s), new Uint8Array(47)),
    codes: ["CACHE_ZIPHASH_FORM"],
    go: /has been modified/,
    parts: ["ziphash"],
  },
  {
    name: "a ziphash with a newline, which go takes",
    break: async (s) => await appendFile(at("ziphash")(s), "\n"),
    codes: ["CACHE_ZIPHASH_FORM"],
    parts: [],
  },
  {
    name: "an edited file",
    break: async (s) => await replace(join(s.cache, hello, "hello.go"), "package hello // edited\n"),
    codes: ["CACHE_TREE_CHANGED"],
    go: /dir has been modified/,
    parts: ["tree"],
  },
  {
    name: "a file too many",
    break: async (s) => await writeFile(join(await writableTree(s), "extra.go"), "package hello\n"),
    codes: ["CACHE_TREE_CHANGED", "CACHE_TREES_WRITABLE"],
    go: /dir has been modified/,
    parts: ["tree"],
  },
  {
    name: "a file too few",
    break: async (s) => await unlink(join(await writableTree(s), "hello.go")),
    codes: ["CACHE_TREE_CHANGED", "CACHE_TREES_WRITABLE"],
    go: /dir has been modified/,
    parts: ["tree"],
  },
  {
    name: "another go.mod, which go passes by in silence",
    break: async (s) => await replace(at("mod")(s), "module example.com/hello\n\ngo 1.20\n"),
    codes: ["CACHE_MOD_CHANGED"],
    go: /go\.mod: checksum mismatch/,
    parts: ["mod"],
  },
  {
    name: "an info that is none",
    break: async (s) => await replace(at("info")(s), '{"Version":"v1.'),
    codes: ["CACHE_INFO_BROKEN"],
    parts: ["info"],
  },
  {
    name: "an info of another version",
    break: async (s) => await replace(at("info")(s), '{"Version":"v1.0.1","Time":"2024-01-01T00:00:00Z"}'),
    codes: ["CACHE_INFO_BROKEN"],
    parts: ["info"],
  },
  {
    name: "a list with NULs",
    break: async (s) => await replace(join(s.cache, download, "../list"), "v1.0.0\n\0\0\0\0"),
    codes: ["CACHE_LIST_DAMAGED"],
    parts: [],
  },
  {
    name: "a tree that was extracted half-way",
    break: async (s) => await writeFile(at("partial")(s), ""),
    codes: ["CACHE_PARTIAL"],
    parts: ["partial"],
  },
  {
    name: "a temporary file",
    break: async (s) => await writeFile(`${at("zip")(s)}123456.tmp`, "PK"),
    codes: ["CACHE_TEMPS"],
    parts: [],
  },
];

test("each damage has its code, go's own verdict beside it, and a repair that go goes on with", async (t) => {
  const scene = await filled(t);
  if (scene === undefined) return;
  const { go, services, main, ask } = scene;
  const request = { ...ask, versions: [], fixes: false };
  const healthy = await services.verify(request, quiet);
  assert.deepEqual(codesOf(healthy), []);
  assert.deepEqual(healthy.vouched, { database: healthy.versions, goSum: 0, nobody: 0 });
  assert.ok(healthy.versions >= wanted.length);
  const pristine = join(go.home, "pristine");
  await cp(scene.cache, pristine, { recursive: true, preserveTimestamps: true });
  for (const each of cases)
    await t.test(each.name, async () => {
      await new DiskCacheKeeper(go.gopath).removeTree("pkg/mod");
      await cp(pristine, scene.cache, { recursive: true, preserveTimestamps: true });
      await each.break(scene);
      const verified = await go.run(["mod", "verify"], { cwd: main, env: { GOPROXY: "off" } });
      if (each.go === undefined) assert.match(verified.output, /all modules verified|disabled by GOPROXY=off/);
      else assert.match(verified.output, each.go);
      const found = await services.verify(request, quiet);
      assert.deepEqual(codesOf(found), each.codes);
      const fixed = await services.verify({ ...request, fixes: true }, quiet);
      const repaired = fixed.repair?.repaired ?? [];
      assert.deepEqual(
        repaired.flatMap(({ parts }) => parts),
        each.parts ?? [],
      );
      assert.ok(repaired.every(({ id }) => `${id.path}@${id.version}` === hello));
      assert.deepEqual(fixed.repair?.left ?? [], []);
      // go makes anew what is missing, and only that.
      await go.ok(["mod", "download", ...wanted], { cwd: main });
      const after = await services.verify(request, quiet);
      const rest = codesOf(after).filter((code) => code !== "CACHE_ZIPHASH_FORM");
      assert.deepEqual(rest, []);
      assert.match((await go.ok(["mod", "verify"], { cwd: main })).output, /all modules verified/);
    });
});

test("a poisoned version that agrees with itself: only go.sum or the database can tell", async (t) => {
  const scene = await filled(t);
  if (scene === undefined) return;
  const { go, cache, services, ask, env, main } = scene;
  // As a proxy that lies gave it, and go with its eyes shut took it.
  const liar = await startUpstreams();
  atEnd(t, () => liar.stub.close());
  liar.stub.remove("example.com/hello", "v1.0.0");
  const files = { "go.mod": "module example.com/hello\n\ngo 1.21\n", "hello.go": "package hello // another\n" };
  liar.stub.add(makeModule({ path: "example.com/hello", version: "v1.0.0", files }));
  const blind = { GOPROXY: liar.stub.url, GOSUMDB: "off", GOFLAGS: "-mod=mod" };
  await new DiskCacheKeeper(cache).removeTree(hello);
  for (const end of ["zip", "ziphash", "info", "mod"]) await rm(join(cache, `${download}.${end}`));
  await go.ok(["mod", "download", hello], { env: blind });

  const alone = servicesOf(go, { ...env, GOSUMDB: "off" });
  const request = { ...ask, versions: [hello], fixes: false };
  const trusting = await alone.verify({ ...request, goSums: [await emptyGoSum(go)] }, quiet);
  assert.deepEqual([codesOf(trusting), trusting.vouched], [[], { database: 0, goSum: 0, nobody: 1 }]);
  const bySum = codesOf(await alone.verify(request, quiet));
  assert.equal(bySum[0], "CACHE_GOSUM_MISMATCH");
  const byDatabase = await services.verify({ ...request, goSums: [await emptyGoSum(go)] }, quiet);
  assert.equal(codesOf(byDatabase)[0], "CACHE_SUMDB_MISMATCH");
  // Contrary to what the reference manual says, go mod verify looks into no go.sum.
  const said = await go.run(["mod", "verify"], { cwd: main, env: { GOFLAGS: "-mod=mod", GOPROXY: "off" } });
  assert.doesNotMatch(said.output, /has been modified/);

  const fixed = await services.verify({ ...request, fixes: true }, quiet);
  assert.deepEqual(fixed.repair?.repaired[0]?.parts.slice(0, 2), ["zip", "ziphash"]);
  await go.ok(["mod", "download", ...wanted], { cwd: main });
  assert.deepEqual(codesOf(await services.verify(request, quiet)), []);
});

async function emptyGoSum(go: GoClient): Promise<string> {
  const file = join(go.home, "empty.sum");
  await writeFile(file, "");
  return file;
}

test("offline, the records that go keeps prove the cache; a go.sum that the database contradicts is named", async (t) => {
  const scene = await filled(t);
  if (scene === undefined) return;
  const { services, ask, stub, main, go } = scene;
  await stub.cut();
  const offline = { ...ask, isOffline: true, versions: [], fixes: false };
  const kept = await services.verify({ ...offline, goSums: [await emptyGoSum(go)] }, quiet);
  assert.deepEqual([codesOf(kept), kept.vouched.database], [[], kept.versions]);
  const goSum = join(main, "wrong.sum");
  const wrong = "h1:7j/oy+tJT9HyJfT59wTR69TstbCyNS5tKdi+c9Vh4H8=";
  await writeFile(goSum, `example.com/hello v1.0.0 ${wrong}\n`);
  const found = await services.verify({ ...offline, goSums: [goSum], versions: [hello] }, quiet);
  assert.deepEqual(codesOf(found), ["CACHE_GOSUM_UNLIKE_SUMDB"]);
  const one = await services.module(hello, { ...ask, isOffline: true });
  assert.equal(one.verdict, "proven");
  assert.deepEqual(new Set(one.questions.map(({ route }) => route)), new Set(["GOMODCACHE"]));
});

test("what a go command holds the lock of is left alone", async (t) => {
  const scene = await filled(t);
  if (scene === undefined) return;
  const { services, ask, cache } = scene;
  await replace(join(cache, `${download}.info`), "{");
  const lock = join(cache, `${download}.lock`);
  const holder = spawn("flock", [lock, "sh", "-c", "echo held; exec sleep 600"], { detached: true });
  atEnd(t, async () => {
    const closed = once(holder, "close");
    process.kill(-(holder.pid ?? 0), "SIGKILL");
    await closed;
  });
  await once(holder.stdout, "data");
  const fixed = await services.verify({ ...ask, versions: [hello], fixes: true }, quiet);
  assert.deepEqual(
    fixed.repair?.left.map(({ finding }) => finding.code),
    ["CACHE_BUSY"],
  );
  assert.equal(await readFile(join(cache, `${download}.info`), "utf8"), "{");
  const gc = await services.gc({ cache, maxBytes: 0, unusedMs: 0, keep: [], isDryRun: false }, () => undefined);
  assert.deepEqual(
    gc.report?.busy.map(({ path }) => path),
    ["example.com/hello"],
  );
  assert.ok((await stat(join(cache, hello, "hello.go"))).isFile());
});

test("gc takes whole versions, the longest unused first, and keeps what a go.sum needs", async (t) => {
  const scene = await filled(t);
  if (scene === undefined) return;
  const { services, cache, go, main } = scene;
  const long = new Date("2020-01-01T00:00:00Z");
  for (const end of ["info", "mod", "zip", "ziphash"]) await utimes(join(cache, `${download}.${end}`), long, long);
  await utimes(join(cache, hello), long, long);
  const request = { cache, maxBytes: undefined, unusedMs: 30 * 86_400_000, keep: [], isDryRun: true };
  const planned = await services.gc(request, () => undefined);
  assert.deepEqual(
    planned.plan.leaving.map(({ id, reason }) => [id.path, reason]),
    [["example.com/hello", "age"]],
  );
  assert.ok((await stat(join(cache, hello))).isDirectory());
  const spared = await services.gc({ ...request, keep: [join(main, "go.sum")], isDryRun: false }, () => undefined);
  assert.deepEqual([spared.plan.kept, spared.plan.leaving], [1, []]);

  const done = await services.gc({ ...request, isDryRun: false }, () => undefined);
  assert.equal(done.report?.removed.length, 1);
  for (const end of ["info", "mod", "zip", "ziphash", "lock", "partial"])
    await assert.rejects(stat(join(cache, `${download}.${end}`)), { code: "ENOENT" });
  await assert.rejects(stat(join(cache, hello)), { code: "ENOENT" });
  assert.equal(await readFile(join(cache, download, "../list"), "utf8"), "");
  // Used moments ago: a size alone takes none of them.
  const bySize = await services.gc({ ...request, unusedMs: undefined, maxBytes: 0 }, () => undefined);
  assert.deepEqual([bySize.plan.leaving, bySize.plan.recent > 0, bySize.plan.over > 0], [[], true, true]);
  await go.ok(["mod", "download", ...wanted], { cwd: main });
  await go.ok(["mod", "verify"], { cwd: main });
});

test("a go that downloads while gc takes away ends well, at the latest when it is run once more", async (t) => {
  const scene = await filled(t);
  if (scene === undefined) return;
  const { services, cache, go, main } = scene;
  const long = new Date("2020-01-01T00:00:00Z");
  const over = new AbortController();
  let removed = 0;
  const collecting = (async () => {
    while (!over.signal.aborted) {
      for (const end of ["info", "mod", "zip", "ziphash"])
        await utimes(join(cache, `${download}.${end}`), long, long).catch(() => undefined);
      await utimes(join(cache, hello), long, long).catch(() => undefined);
      const request = { cache, maxBytes: undefined, unusedMs: 86_400_000, keep: [], isDryRun: false };
      removed += (await services.gc(request, () => undefined)).report?.removed.length ?? 0;
    }
  })();
  // go holds no lock between its look at a zip and its use (docs/modcache.md). What it has just fetched is young, and safe by
  // that; here it is made old in the same moment.
  const downloadTwice = async (): Promise<void> => {
    const { code, output } = await go.run(["mod", "download", ...wanted], { cwd: main });
    if (code === 0) return;
    assert.match(output, /no such file or directory/);
    await go.ok(["mod", "download", ...wanted], { cwd: main });
  };
  // Rounds end in pauses: what go has just used gc leaves alone.
  const rounds = process.env["LONG"] === undefined ? 8 : 100;
  try {
    for (let round = 0; round < rounds || (removed < 3 && round < 20 * rounds); round++) {
      await Promise.all([1, 2].map(downloadTwice));
      await sleep(round % 50);
    }
  } finally {
    over.abort();
  }
  await collecting;
  assert.ok(removed > 0, "nothing was taken away");
  await go.ok(["mod", "download", ...wanted], { cwd: main });
  await go.ok(["mod", "verify"], { cwd: main });
});

test("refresh downloads anew, puts right what differs, and leaves the rest untouched", async (t) => {
  const scene = await filled(t);
  if (scene === undefined) return;
  const { services, cache, main } = scene;
  await replace(join(cache, `${download}.zip`), otherZip());
  await replace(join(cache, hello, "hello.go"), "package hello // edited\n");
  const other = join(cache, "cache/download/example.com/dep/@v/v1.0.0.zip");
  const before = (await stat(other)).mtimeMs;
  const report = await services.refresh({ cache, versions: wanted }, () => undefined);
  assert.deepEqual(report.failures, []);
  const found = report.versions.map(({ id, verdict, parts }) => [id.path, verdict, ...parts]);
  assert.deepEqual(
    found.filter(([, verdict]) => verdict !== "same"),
    [["example.com/hello", "replaced", "zip", "tree"]],
  );
  assert.ok(report.bytes > 0 && report.versions.length === wanted.length);
  assert.equal((await stat(other)).mtimeMs, before);
  await scene.go.ok(["mod", "download", ...wanted], { cwd: main });
  await scene.go.ok(["mod", "verify"], { cwd: main });
  const absent = await services.refresh({ cache, versions: ["example.com/nothing@v1.0.0"] }, () => undefined);
  assert.equal(absent.failures[0]?.what, "example.com/nothing@v1.0.0");
});

test("verify m@v sets everything side by side; a smoke test is one real download that leaves nothing", async (t) => {
  const scene = await filled(t);
  if (scene === undefined) return;
  const { services, ask, go, main, stub } = scene;
  const view = await services.module(hello, ask);
  const goSum = await readFile(join(main, "go.sum"), "utf8");
  const [, h1] = /^example\.com\/hello v1\.0\.0 (h1:\S+)$/m.exec(goSum) ?? [];
  assert.deepEqual([view.verdict, view.damages], ["proven", []]);
  for (const hash of [view.zip, view.ziphash, view.files, view.goSum.zip[0]?.hash]) assert.equal(hash, h1);
  assert.ok(view.recorded.kind === "recorded" && view.recorded.sums.zip === h1);
  assert.equal(view.life.newest, "v1.0.0");
  const retracted = "example.com/retracted@v1.0.0";
  await go.ok(["mod", "download", retracted, "example.com/retracted@v1.1.0"]);
  const back = await services.module(retracted, ask);
  assert.deepEqual(
    back.damages.map(({ finding }) => finding.code),
    ["CACHE_RETRACTED"],
  );
  assert.equal((await services.module("example.com/hello@v1.1.0", ask)).verdict, "absent");

  const smoke = await services.smoke(hello, 120_000);
  assert.deepEqual(smoke.findings, []);
  assert.ok(smoke.bytes > 0 && smoke.requests.some(({ kind, ms }) => kind === "zip" && ms !== undefined));
  stub.fault("/example.com/hello/@v/v1.0.0.info", { kind: "stall" });
  const stuck = await services.smoke(hello, 4_000);
  assert.deepEqual(
    stuck.findings.map(({ code }) => code),
    ["CACHE_DOWNLOAD_FAILED"],
  );
});

test("info counts what is there", async (t) => {
  const scene = await filled(t);
  if (scene === undefined) return;
  const { services, cache } = scene;
  const info = await services.info(undefined);
  assert.deepEqual([info.root, info.origin, info.isReadOnly], [cache, "go", false]);
  assert.ok(info.versions >= wanted.length && info.zips.count >= wanted.length);
  assert.equal(info.trees.count, wanted.length);
  assert.equal(info.sumdb[0]?.database, scene.database.name);
  assert.ok((info.heads[0]?.treeSize ?? 0) > 0);
  const absent = await services.info(join(tmpdir(), "granary-no-such-cache"));
  assert.deepEqual([absent.isThere, absent.versions], [false, 0]);
});

test("the commands: what they print, and how they end", async (t) => {
  const scene = await filled(t);
  if (scene === undefined) return;
  const { cache, main, env, go } = scene;
  const goSum = join(main, "go.sum");
  const run = (...args: readonly string[]) => runGranary([...args, "--cache", cache], { ...env, HOME: go.home });
  await replace(join(cache, `${download}.ziphash`), new Uint8Array(47));
  const found = await run("modcache", "verify", "--sum", goSum, "--json");
  const report = JSON.parse(found.stdout) as {
    schema: string;
    findings: { code: string }[];
    removes: { units: unknown };
  };
  assert.deepEqual([found.code, report.schema], [1, "granary.modcache.verify/1"]);
  assert.deepEqual(
    report.findings.map(({ code }) => code),
    ["CACHE_ZIPHASH_FORM"],
  );
  assert.deepEqual(report.removes.units, [{ what: hello, parts: ["ziphash"] }]);
  const fixed = await run("modcache", "verify", "--sum", goSum, "--fix", "--lang", "zh-CN");
  assert.deepEqual(
    [fixed.code, /将删除：\n {2}example\.com\/hello@v1\.0\.0 {2}ziphash/.test(fixed.stdout)],
    [0, true],
    fixed.stdout,
  );
  const one = await run("verify", hello, "--sum", goSum, "--trace");
  assert.equal(one.code, 0, one.stdout + one.stderr);
  assert.match(one.stdout, /record\s+\/lookup\/example\.com\/hello@v1\.0\.0/);
  assert.ok(
    one.stdout.split("\n").every((line) => line.length <= 80 || line.includes("/tile/")),
    one.stdout,
  );
  assert.equal((await run("modcache", "gc")).code, 2);
  assert.equal((await run("verify")).code, 2);
  assert.equal((await run("verify", "no version")).code, 2);
  const gc = await run("modcache", "gc", "--older-than", "30d", "--dry-run", "--json");
  assert.equal((JSON.parse(gc.stdout) as { plan: { versions: number } }).plan.versions >= wanted.length, true);
  assert.equal((await run("modcache", "info")).code, 0);
});
