// What other tools have gathered becomes a store: a module cache that a real go command filled, the same as goproxy and
// Athens lay it out, and a plain tree. Then everything is cut, and a plain go builds from what was imported.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { asAthens, asGoproxy, filesIn } from "../support/filled-caches.ts";
import { runHere } from "../support/run-here.ts";
import { atEnd } from "../support/at-end.ts";
import { machineGo, newGoClient, skipLoudly } from "../support/go.ts";
import type { GoClient, GoTool } from "../support/go.ts";
import { startGranary } from "../support/granary.ts";
import { fixtureZip } from "../support/fixture-zip.ts";
import { goModOf, makeModule } from "../support/modules.ts";
import { recordModule, startUpstreams } from "../support/world.ts";
import type { Upstreams } from "../support/world.ts";

const wanted = [
  "example.com/hello@v1.0.0",
  "example.com/hello@v1.1.0",
  "example.com/dep@v1.0.0",
  "example.com/Upper/Case@v1.0.0-RC1",
  "example.com/multi/v2@v2.1.0",
  "example.com/old@v2.0.0+incompatible",
  "example.com/tagless@v0.0.0-20230405060708-444444444444",
];
const privateOne = "corp.example/private@v1.0.0";

type ListedVersion = { readonly what: string; readonly why: string; readonly code?: string; readonly reason: string };
type Report = {
  readonly layout: string;
  readonly found: number;
  readonly imported: number;
  readonly kept: number;
  readonly unproven: number;
  readonly rejected: number;
  readonly bytes: number;
  readonly rejectedList: readonly ListedVersion[];
  readonly unprovenList: readonly ListedVersion[];
};

let upstreams: Upstreams;
let folder = "";
let cache = "";
let tool: GoTool | undefined;
let filler: GoClient | undefined;
const at = (name: string): string => join(folder, name);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "granary-import-"));
  upstreams = await startUpstreams();
  tool = await machineGo();
  if (tool === undefined) return;
  filler = await newGoClient(tool, {
    GOPROXY: upstreams.stub.url,
    GOSUMDB: upstreams.database.verifierKey,
    GONOSUMDB: "corp.example",
  });
  await filler.ok(["mod", "download", ...wanted, privateOne]);
  cache = filler.modcache;
});
after(async () => {
  await filler?.remove();
  await upstreams.stub.close();
  await rm(folder, { recursive: true, force: true });
});

/** The flags of a command on a store; `off` keeps it from asking anybody. */
function on(store: string, upstream = upstreams.stub.url): string[] {
  const { verifierKey, name } = upstreams.database;
  const sumdb = upstream === "off" ? verifierKey : `${verifierKey} ${upstream}/sumdb/${name}`;
  return [`--store=${at(store)}`, `--sumdb=${sumdb}`, `--upstream=${upstream}`, "--private=corp.example"];
}

async function importInto(
  store: string,
  dir: string,
  more: { readonly upstream?: string; readonly flags?: readonly string[] } = {},
): Promise<Report & { readonly code: number }> {
  const flags = on(store, more.upstream).concat(more.flags ?? []);
  const { code, stdout, stderr } = await runHere(["store", "import", dir, ...flags, "--json"]);
  assert.ok(stdout.startsWith("{"), stderr);
  return { ...(JSON.parse(stdout) as Report), code };
}

/** A module cache of a new client, filled by it from nothing but `proxy`. */
async function downloadsFrom(proxy: string, versions: readonly string[] = wanted): Promise<void> {
  assert.ok(tool);
  const go = await newGoClient(tool, { GOPROXY: proxy, GOSUMDB: upstreams.database.verifierKey });
  try {
    await go.ok(["mod", "download", ...versions]);
  } finally {
    await go.remove();
  }
}

suite("store import and export, with a real go", () => {
  test("a module cache, proven from what it holds itself and imported beside a server, builds offline", async (t) => {
    if (tool === undefined) {
      skipLoudly(t, "no `go` on PATH");
      return;
    }
    const offline = { upstream: "off" };
    const sumdb = upstreams.database.verifierKey;
    const granary = await startGranary({ store: at("store"), upstream: "off", sumdb, private: "corp.example" });
    atEnd(t, () => granary.stop());
    assert.equal((await fetch(`${granary.url}/example.com/hello/@v/v1.0.0.zip`)).status, 404);
    const dry = await importInto("store", join(cache, "cache/download"), { ...offline, flags: ["--dry-run"] });
    assert.deepEqual([dry.layout, dry.imported, dry.kept], ["gomodcache", dry.found, 0]);
    const first = await importInto("store", cache, offline);
    assert.deepEqual(first.unprovenList, []);
    assert.deepEqual(first.rejectedList, []);
    assert.deepEqual([first.code, first.imported, first.kept], [0, dry.found, 0]);
    const again = await importInto("store", cache, offline);
    assert.deepEqual([again.code, again.imported, again.kept, again.bytes], [0, 0, first.found, 0]);
    await downloadsFrom(pathToFileURL(at("store/modules")).href);
    await downloadsFrom(granary.url);
    await granary.stop();
    const hashes = await runHere(["store", "hashes", "list", `--store=${at("store")}`]);
    assert.ok(hashes.stdout.includes("corp.example/private"), "a private version is pinned when it is first seen");
  });

  test("what is kept goes on as a plain tree with its proofs, and that into another store", async (t) => {
    if (tool === undefined) {
      skipLoudly(t, "no `go` on PATH");
      return;
    }
    const offline = { upstream: "off" };
    const first = await importInto("store", cache, offline);
    const exported = await runHere(["store", "export", at("tree"), ...on("store").slice(0, 2)]);
    assert.equal(exported.code, 0, exported.stdout + exported.stderr);
    assert.deepEqual(
      (await filesIn(at("tree"))).filter((file) => file.includes(".granary") || file.endsWith(".manifest")),
      [],
    );
    await downloadsFrom(pathToFileURL(at("tree")).href);
    const tree = await importInto("from-tree", at("tree"), offline);
    assert.deepEqual([tree.code, tree.layout, tree.imported], [0, "file", first.found]);
    const store = await importInto("from-store", at("store"), offline);
    assert.deepEqual([store.code, store.layout, store.imported], [0, "file", first.found]);
  });

  test("a goproxy's directory and an Athens' one have the same versions in them", async (t) => {
    if (tool === undefined) {
      skipLoudly(t, "no `go` on PATH");
      return;
    }
    const download = join(cache, "cache/download");
    for (const [layout, make] of [
      ["goproxy", asGoproxy],
      ["athens", asAthens],
    ] as const) {
      await make(download, at(layout));
      const report = await importInto(`from-${layout}`, at(layout));
      assert.deepEqual(report.rejectedList, []);
      assert.deepEqual([report.code, report.layout, report.imported], [0, layout, report.found]);
      await downloadsFrom(pathToFileURL(at(`from-${layout}/modules`)).href);
    }
  });

  test("without the database nothing public is kept, and the next import keeps it", async (t) => {
    if (tool === undefined) {
      skipLoudly(t, "no `go` on PATH");
      return;
    }
    const bare = at("bare");
    await asGoproxy(join(cache, "cache/download"), bare);
    const cut = await importInto("late", bare, { upstream: "off" });
    assert.equal(cut.code, 1);
    assert.deepEqual([cut.unproven, cut.rejected], [cut.found - 1, 0], "all but the private version");
    assert.ok(cut.unprovenList.every(({ code }) => code === "GRANARY_SUMDB_UNREACHABLE"));
    const kept = (await filesIn(at("late/modules"))).filter((file) => file.endsWith(".manifest"));
    assert.ok(
      kept.every((file) => file.startsWith("corp.example/")),
      kept.join(),
    );
    const later = await importInto("late", bare);
    assert.deepEqual([later.code, later.imported, later.kept], [0, cut.found - 1, 1]);
  });

  test("a flipped byte, a forged and a torn version, and what is no module are rejected by name", async (t) => {
    if (tool === undefined) {
      skipLoudly(t, "no `go` on PATH");
      return;
    }
    const evil = at("evil");
    await cp(join(cache, "cache/download"), evil, { recursive: true });
    const hello = join(evil, "example.com/hello/@v");
    const zip = await readFile(join(hello, "v1.0.0.zip"));
    const middle = Math.floor(zip.length / 2);
    zip[middle] = (zip[middle] ?? 0) ^ 1;
    await writeFile(join(hello, "v1.0.0.zip"), zip);
    // What was recorded under another name: right in itself, and no bytes of this version.
    for (const ending of ["mod", "info"]) await cp(join(hello, `v1.1.0.${ending}`), join(hello, `v1.9.9.${ending}`));
    await writeFile(join(hello, "v1.9.9.info"), '{"Version":"v1.9.9"}');
    await writeFile(join(evil, "example.com/dep/@v/v1.0.0.mod"), "module example.com/dep\n\ngo 1.18\n");
    await writeFile(join(hello, "v3.0.0+incompatible.info"), '{"Version":"v3.0.0+incompatible"}');
    await writeFile(join(evil, "example.com/README.md"), "not a module");
    const tagless = join(evil, "example.com/tagless/@v/v0.0.0-20230405060708-444444444444.zip");
    await rename(tagless, at("outside.zip"));
    await symlink(at("outside.zip"), tagless);
    await symlink(dirname(evil), join(evil, "example.com/up"));

    const report = await importInto("wary", evil);
    assert.equal(report.code, 1);
    assert.deepEqual(
      report.rejectedList.map(({ what, why, code = "" }) => `${what} ${why} ${code}`.trim()),
      [
        "example.com/README.md foreign",
        "example.com/dep@v1.0.0 failed GRANARY_SUMDB_MISMATCH",
        "example.com/hello@v1.0.0 failed GRANARY_BAD_MODULE",
        "example.com/hello@v1.9.9 failed GRANARY_SUMDB_NO_RECORD",
        "example.com/hello@v3.0.0+incompatible torn",
        "example.com/tagless/@v/v0.0.0-20230405060708-444444444444.zip odd",
        "example.com/up odd",
      ],
    );
    const manifests = (await filesIn(at("wary/modules"))).filter((file) => file.endsWith(".zip.manifest"));
    assert.ok(!manifests.some((file) => /hello\/@v\/v1\.0\.0|v1\.9\.9|dep|tagless/.test(file)), manifests.join());
    // Other bytes than those that are kept are no news but a lie, whatever else is right.
    await importInto("wary", cache);
    const after = await importInto("wary", evil);
    const [dep, broken] = after.rejectedList.filter(({ what }) => /dep@v1\.0\.0|hello@v1\.0\.0/.test(what));
    assert.deepEqual([dep?.why, broken?.why], ["other-mod", "other-zip"]);
  });

  test("a damaged version is left out of an export and named; what is there already is not written again", async (t) => {
    if (tool === undefined) {
      skipLoudly(t, "no `go` on PATH");
      return;
    }
    await importInto("rotten", cache);
    const file = at("rotten/modules/example.com/multi/v2/@v/v2.1.0.zip");
    const bytes = await readFile(file);
    await writeFile(file, Buffer.concat([bytes.subarray(0, -1), Buffer.from([7])]));
    await mkdir(at("part"));
    await writeFile(at("go.sum"), "example.com/hello v1.0.0 h1:x=\nexample.com/dep v1.0.0/go.mod h1:x=\n");
    const run = async (...words: string[]) => {
      const { code, stdout, stderr } = await runHere(
        ["store", "export", at("part"), ...words, "--json"].concat(on("rotten").slice(0, 2)),
      );
      assert.ok(stdout.startsWith("{"), stderr);
      const report = JSON.parse(stdout) as { written: number; leftOut: ListedVersion[]; missing: string[] };
      return { code, ...report };
    };
    assert.equal((await run("--from", at("go.sum"))).code, 0);
    const modules = (await filesIn(at("part"))).filter((name) => !name.startsWith("sumdb/"));
    assert.deepEqual(modules, [
      "example.com/dep/@v/v1.0.0.info",
      "example.com/dep/@v/v1.0.0.mod",
      "example.com/hello/@v/list",
      "example.com/hello/@v/v1.0.0.info",
      "example.com/hello/@v/v1.0.0.mod",
      "example.com/hello/@v/v1.0.0.zip",
    ]);
    const all = await run();
    assert.equal(all.code, 1);
    assert.deepEqual(
      all.leftOut.map(({ what, why }) => `${what} ${why}`),
      ["example.com/multi/v2@v2.1.0 damaged"],
    );
    assert.equal((await run()).written, 0);
    const named = await run("example.com/hello@v1.7.0", "example.com/d*");
    assert.deepEqual([named.code, named.missing], [1, ["example.com/hello@v1.7.0"]]);
    await downloadsFrom(
      pathToFileURL(at("part")).href,
      wanted.filter((what) => !what.includes("multi")),
    );
  });
});

test("an import that was killed goes on where it was, and nothing is torn", async () => {
  const versions = Array.from({ length: 60 }, (_, n) =>
    makeModule({ path: `example.com/many${n % 12}`, version: `v1.0.${n}` }),
  );
  for (const module of versions) {
    await recordModule(upstreams.database, module);
    const stem = join(at("many"), module.path, "@v", module.version);
    await mkdir(dirname(stem), { recursive: true });
    await writeFile(`${stem}.info`, `{"Version":"${module.version}","Time":"${module.time}"}`);
    await writeFile(`${stem}.mod`, goModOf(module));
    await writeFile(`${stem}.zip`, fixtureZip(module));
  }
  const program = join(import.meta.dirname, "../../bin/granary.ts");
  const child = spawn(process.execPath, [program, "store", "import", at("many"), ...on("killed")], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const kept = async (): Promise<number> =>
    (await filesIn(at("killed")).catch(() => [])).filter((file) => file.endsWith(".zip.manifest")).length;
  while (child.exitCode === null && (await kept()) < 5) await new Promise((resolve) => setTimeout(resolve, 10));
  child.kill("SIGKILL");
  await ended;
  const left = await kept();
  assert.ok(left >= 5 && left < versions.length, `${left} of ${versions.length} were kept when it was killed`);
  const report = await importInto("killed", at("many"));
  assert.deepEqual(report.rejectedList, []);
  assert.deepEqual([report.code, report.imported, report.kept], [0, versions.length - left, left]);
  const { code, stdout } = await runHere(["store", "verify", `--store=${at("killed")}`]);
  assert.equal(code, 0, stdout);
});
