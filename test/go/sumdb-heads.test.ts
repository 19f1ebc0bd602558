// Tree heads and settings with the real go: a client that has met a newer head than a server that is cut off; and what
// `granary sumdb explain` says, held against what go does.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { decide } from "#services/sumdb/go-decision.ts";
import type { GoSettings } from "#services/sumdb/go-decision.ts";
import { atEnd } from "../support/at-end.ts";
import { needsGo, newGoClient, skipLoudly } from "../support/go.ts";
import type { GoClient, GoTool } from "../support/go.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";
import { startStubUpstream } from "../support/stub-upstream.ts";
import { fillTo, startSwitchedDatabase } from "../support/switched-database.ts";
import { obtainGo, wantedGoVersions } from "../support/toolchains.ts";
import { recordModule, startUpstreams } from "../support/world.ts";

const path = "example.com/hello";
const early = `${path}@v1.0.0`;
const late = makeModule({ path, version: "v1.9.0" });
const middle = makeModule({ path, version: "v1.5.0" });

async function clientFor(t: TestContext, tool: GoTool, env: { GOPROXY: string; GOSUMDB: string }): Promise<GoClient> {
  const go = await newGoClient(tool, env);
  atEnd(t, () => go.remove());
  return go;
}

async function scenario(t: TestContext, tool: GoTool): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "granary-heads-go-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const { stub, honest, setting } = await startSwitchedDatabase(["v1.0.0"], 300);
  atEnd(t, () => stub.close());
  const store = join(folder, "store");
  const env = { GRANARY_UPSTREAM_CLIENT_RETRY_TIME: "1s" };
  const granary = await startGranary({ upstream: stub.url, sumdb: setting, store, env });
  atEnd(t, () => granary.stop());
  const GOSUMDB = honest.verifierKey;
  const through = { GOPROXY: granary.url, GOSUMDB };
  const past = { GOPROXY: stub.url, GOSUMDB };

  // Through us while the log had 300 records: the record and its proof are kept.
  await (await clientFor(t, tool, through)).ok(["mod", "download", early]);
  await fillTo(honest, 400);
  await recordModule(honest, middle);
  await fillTo(honest, 699);
  await recordModule(honest, late);
  for (const module of [middle, late]) stub.add(module);

  // Two clients meet the newest head elsewhere; one of them has the tile that we shall need.
  const traveller = await clientFor(t, tool, past);
  await traveller.ok(["mod", "download", `${path}@v1.9.0`]);
  const neighbour = await clientFor(t, tool, past);
  await neighbour.ok(["mod", "download", `${path}@v1.5.0`]);
  await stub.cut();

  const { code, output } = await traveller.run(["mod", "download", early], { env: { GOPROXY: granary.url } });
  assert.notEqual(code, 0);
  assert.match(output, /checking tree#300/);
  assert.match(output, /503 Service Unavailable/);
  assert.match(output, /GRANARY_SUMDB_NEWER_HEAD/);
  assert.match(output, /at least \d+ records, the one here 300/);
  assert.match(output, /granary sumdb heads import/);

  const token = join(folder, "token");
  const made = await runGranary(["token", "add", "--scope=write", `--store=${store}`]);
  await writeFile(token, /grn_\w+?_[\w-]+/.exec(made.stdout)?.[0] ?? "");
  const places = [`--store=${store}`, `--sumdb=${setting}`, `--upstream=${stub.url}`];
  const importFrom = async (heads: GoClient, cache?: GoClient) => {
    const more = [`--server=${granary.url}`, `--token=file:${token}`, ...(cache ? [`--cache=${cache.modcache}`] : [])];
    const words = ["sumdb", "heads", "import", join(heads.gopath, "pkg/sumdb"), ...places, ...more];
    for (let tries = 0; ; tries++) {
      const result = await runGranary(words, env);
      // A running server hears of a new token after a moment.
      if (tries === 50 || !result.stderr.includes("GRANARY_SERVER_REFUSED")) return result;
    }
  };
  const bare = await importFrom(traveller, traveller);
  assert.equal(bare.code, 1, bare.stderr);
  assert.match(bare.stdout, /not taken: no route, and no --cache, gives the tiles between 300 and it/);
  const proven = await importFrom(traveller, neighbour);
  assert.equal(proven.code, 0, proven.stdout + proven.stderr);
  assert.match(proven.stdout, /700 .*proven: the newest here now, before it 300/);

  // Still cut off: the same client now builds from what is kept here.
  await traveller.ok(["mod", "download", early], { env: { GOPROXY: granary.url } });
  const latest = await readFile(join(traveller.gopath, "pkg/sumdb", honest.name, "latest"), "utf8");
  assert.equal(latest, await honest.head(700), "its head went nowhere back");
  await (await clientFor(t, tool, through)).ok(["mod", "download", early]);
}

test("a client whose head is newer: refused offline with the remedy, and served after the import", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  await t.test(`go ${tool.version}`, (t) => scenario(t, tool));
  // The oldest has the client of all before the installed one; the rest at full size.
  for (const version of process.env["LONG"] === "1" ? wantedGoVersions : wantedGoVersions.slice(0, 1))
    await t.test(`go ${version}`, async (t) => {
      const other = await obtainGo(version);
      if (typeof other === "string") skipLoudly(t, other);
      else await scenario(t, other);
    });
});

test("a client whose head is newer: online we fetch what proves it", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { stub, honest, setting } = await startSwitchedDatabase(["v1.0.0"], 300);
  atEnd(t, () => stub.close());
  const granary = await startGranary({ upstream: stub.url, sumdb: setting });
  atEnd(t, () => granary.stop());
  const GOSUMDB = honest.verifierKey;
  await (await clientFor(t, tool, { GOPROXY: granary.url, GOSUMDB })).ok(["mod", "download", early]);
  await fillTo(honest, 699);
  await recordModule(honest, late);
  stub.add(late);
  const traveller = await clientFor(t, tool, { GOPROXY: stub.url, GOSUMDB });
  await traveller.ok(["mod", "download", `${path}@v1.9.0`]);
  await traveller.ok(["mod", "download", early], { env: { GOPROXY: granary.url } });
});

test("granary sumdb explain says what go does", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const toolchain = makeModule({
    path: "golang.org/toolchain",
    version: "v0.0.1-go1.99.0.linux-amd64",
    files: { "go.mod": "module golang.org/toolchain\n", "bin/go": "no program\n" },
  });
  const hello = makeModule({ path, version: "v1.0.0" });
  const modules = [hello, toolchain];
  const { stub, database } = await startUpstreams(modules);
  atEnd(t, () => stub.close());
  const plain = await startStubUpstream({ modules });
  atEnd(t, () => plain.close());
  const key = database.verifierKey;
  const both = `${plain.url},${stub.url}`;
  const { path: toolchainPath, version: toolchainVersion } = toolchain;
  const rows: readonly (readonly [what: string, env: Partial<GoSettings>, module?: string])[] = [
    ["the second proxy has the tunnel", { GOSUMDB: key, GOPROXY: both }],
    ["a URL passes by the proxies", { GOSUMDB: `${key} ${stub.url}/sumdb/${database.name}`, GOPROXY: plain.url }],
    ["off", { GOSUMDB: "off", GOPROXY: both }],
    ["GONOSUMDB matches", { GOSUMDB: key, GOPROXY: both, GONOSUMDB: "example.com" }],
    ["GONOSUMDB matches another", { GOSUMDB: key, GOPROXY: both, GONOSUMDB: "corp.example" }],
    ["a pattern with a space never matches", { GOSUMDB: key, GOPROXY: both, GONOSUMDB: "corp.example, example.com" }],
    ["GOPRIVATE behind GONOSUMDB=none", { GOSUMDB: key, GOPROXY: both, GOPRIVATE: "example.com", GONOSUMDB: "none" }],
    ["-insecure in GOFLAGS", { GOSUMDB: key, GOPROXY: both, GOFLAGS: "-insecure -modcacherw" }],
    ["direct is no GOSUMDB", { GOSUMDB: "direct", GOPROXY: both }],
    ["three fields", { GOSUMDB: "a b c", GOPROXY: both }],
    ["a damaged key", { GOSUMDB: `${key.slice(0, -2)}xx`, GOPROXY: both }],
    ["a host and port", { GOSUMDB: "localhost:8081", GOPROXY: both }],
    ["the alias with a URL", { GOSUMDB: "sum.golang.google.cn https://sums.example.test", GOPROXY: both }],
    ["blanks", { GOSUMDB: " ", GOPROXY: both }],
    ["a bad URL", { GOSUMDB: `${key} ::bad`, GOPROXY: both }],
    ["a proxy without a scheme", { GOSUMDB: key, GOPROXY: "goproxy" }],
    ["a toolchain with off", { GOSUMDB: "off", GOPROXY: both }, `${toolchainPath}@${toolchainVersion}`],
  ];
  for (const [what, env, module = early] of rows)
    await t.test(what, async (t) => {
      const settings = { GOSUMDB: "", GOPROXY: "", GONOSUMDB: "", GOPRIVATE: "", GOFLAGS: "-modcacherw", ...env };
      const { outcome } = decide(settings, module.split("@")[0]);
      const go = await newGoClient(tool, { ...settings, GONOPROXY: "none", GOTOOLCHAIN: "local" });
      atEnd(t, () => go.remove());
      database.asked.length = 0;
      const lookups = () => database.asked.filter((asked) => asked.startsWith("/lookup/")).length;
      const { code, output } = await go.run(["mod", "download", module]);
      switch (outcome.kind) {
        case "verified":
          assert.equal(code, 0, output);
          assert.ok(lookups() > 0, "the database was asked");
          assert.ok(outcome.ways.some(({ url }) => url.startsWith(stub.url)));
          break;
        case "unverified":
          assert.equal(code, 0, output);
          assert.deepEqual(database.asked, []);
          break;
        case "refused":
          assert.notEqual(code, 0);
          assert.ok(output.includes(outcome.sentence), `${output}\nwants: ${outcome.sentence}`);
          assert.equal(lookups(), 0);
      }
      const flags = Object.entries(settings).map(([name, value]) => `--env=${name}=${value}`);
      const said = await runGranary(["sumdb", "explain", ...flags, module]);
      assert.equal(said.code, outcome.kind === "verified" ? 0 : 1, said.stderr);
      if (outcome.kind === "refused") assert.ok(said.stdout.includes(outcome.sentence), said.stdout);
    });
  await t.test("what `go env` prints is understood", async (t) => {
    const go = await newGoClient(tool, { GOPROXY: both, GOSUMDB: `${key} ${stub.url}` });
    atEnd(t, () => go.remove());
    const file = join(go.home, "env.txt");
    for (const args of [["env"], ["env", "-json"]]) {
      await writeFile(file, (await go.ok(args)).stdout);
      const said = await runGranary(["sumdb", "explain", "--env", file, early, "--json"]);
      const { settings, outcome } = JSON.parse(said.stdout) as { settings: GoSettings; outcome: { kind: string } };
      assert.deepEqual([settings.GOPROXY, settings.GOSUMDB, outcome.kind], [both, `${key} ${stub.url}`, "verified"]);
    }
  });
  await t.test("go get stops at -insecure", async (t) => {
    const go = await newGoClient(tool, { GOPROXY: both, GOSUMDB: key, GOFLAGS: "-insecure" });
    atEnd(t, () => go.remove());
    await writeFile(join(go.home, "work/go.mod"), "module work.example/app\n");
    assert.match(
      (await go.run(["get", early])).output,
      /-insecure flag is no longer supported; use GOINSECURE instead/,
    );
  });
});
