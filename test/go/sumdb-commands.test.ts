// The commands around checksum databases, and a real go that builds on what they left behind.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoClient, GoTool } from "../support/go.ts";
import { runGranary, startCommand, startGranary } from "../support/granary.ts";
import { readModuleFixtures } from "../support/modules.ts";
import { startStubUpstream } from "../support/stub-upstream.ts";
import { startUpstreams } from "../support/world.ts";
import type { Upstreams } from "../support/world.ts";

const hello = "example.com/hello@v1.0.0";
const multi = "example.com/multi/v2@v2.1.0";

type Scene = Upstreams & { readonly folder: string; readonly flags: readonly string[] };

async function sceneFor(t: TestContext): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "granary-sumdb-commands-"));
  const upstreams = await startUpstreams();
  atEnd(t, async () => {
    await upstreams.stub.close();
    await rm(folder, { recursive: true, force: true });
  });
  const { stub, database } = upstreams;
  // At its own URL: what a tunnel does not have, the database may have all the same.
  const sumdb = `${database.verifierKey} ${stub.url}/sumdb/${database.name}`;
  return { ...upstreams, folder, flags: [`--upstream=${stub.url}`, `--sumdb=${sumdb}`] };
}

async function withGo<T>(
  tool: GoTool,
  env: Readonly<Record<string, string>>,
  work: (go: GoClient) => Promise<T>,
): Promise<T> {
  const go = await newGoClient(tool, env);
  try {
    return await work(go);
  } finally {
    await go.remove();
  }
}

/** A go.sum as go itself writes it, for a module that requires what is named. */
async function goSumOf(tool: GoTool, { stub, database }: Scene, ...wanted: readonly string[]): Promise<string> {
  return await withGo(
    tool,
    { GOPROXY: stub.url, GOSUMDB: `${database.verifierKey} ${stub.url}/sumdb/${database.name}` },
    async (go) => {
      const work = join(go.home, "main");
      await mkdir(work);
      await writeFile(join(work, "go.mod"), "module main.test/m\n\ngo 1.21\n");
      await go.ok(["mod", "edit", ...wanted.map((what) => `-require=${what}`)], { cwd: work });
      await go.ok(["mod", "download", ...wanted], { cwd: work });
      return await readFile(join(work, "go.sum"), "utf8");
    },
  );
}

test("preload, then nobody to ask: a plain go verifies from the store, and from a folder", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const scene = await sceneFor(t);
  const { stub, database, folder, flags } = scene;
  const goSum = join(folder, "go.sum");
  await writeFile(goSum, await goSumOf(tool, scene, hello, multi));
  const [store, db] = [join(folder, "store"), join(folder, "db")];

  const filled = await runGranary(["sumdb", "preload", "--from", goSum, `--store=${store}`, ...flags, "--json"]);
  assert.equal(filled.code, 0, filled.stdout + filled.stderr);
  const report = JSON.parse(filled.stdout) as Record<string, unknown>;
  assert.deepEqual([report["schema"], report["failures"], report["kept"]], ["granary.sumdb.preload/1", [], 0]);
  assert.equal(report["fetched"], report["wanted"]);
  // As the guides write it, by the name that they give the command.
  const link = join(folder, "sumdb");
  await symlink(resolve(import.meta.dirname, "../../bin/granary.ts"), link);
  const mirror = `${stub.url}/sumdb/${database.name}`;
  const guide = ["-db", db, "-mirror", mirror, "-range", "example.com/hello@v1.0.0:latest", "-range", multi];
  const byName = await runGranary([...guide, ...flags], {}, { program: link });
  assert.equal(byName.code, 0, byName.stdout + byName.stderr);

  // From now on nobody tunnels the database; the modules themselves come from elsewhere.
  const modules = await startStubUpstream({ modules: readModuleFixtures() });
  atEnd(t, () => modules.close());
  await stub.cut();
  database.asked.length = 0;
  const granary = await startGranary({ upstream: "off", sumdb: database.verifierKey, store });
  atEnd(t, () => granary.stop());
  await withGo(tool, { GOPROXY: `${granary.url},${modules.url}`, GOSUMDB: database.verifierKey }, (go) =>
    go.ok(["mod", "download", hello, multi]),
  );
  const sumweb = await startCommand(["sumweb", "-db", db, "-addr", "127.0.0.1:0"]);
  atEnd(t, () => sumweb.stop());
  await withGo(tool, { GOPROXY: modules.url, GOSUMDB: `${database.verifierKey} ${sumweb.url}` }, (go) =>
    go.ok(["mod", "download", hello, multi]),
  );
  assert.deepEqual(database.asked, []);
});

test("preload by go.mod keeps what a build asks for; again it asks for nothing", async (t) => {
  const { folder, flags, database } = await sceneFor(t);
  const goMod = join(folder, "go.mod");
  await writeFile(goMod, "module main.test/m\n\ngo 1.21\n\nrequire example.com/hello v1.0.0\n");
  const args = ["sumdb", "preload", "--from", goMod, `--store=${join(folder, "store")}`, ...flags];
  const first = await runGranary(args);
  assert.equal(first.code, 0, first.stdout + first.stderr);
  assert.match(first.stdout, /: [1-9]\d* proven and kept now, 0 kept before/);
  database.asked.length = 0;
  const second = await runGranary(args);
  assert.match(second.stdout, /: 0 proven and kept now, [1-9]/);
  assert.deepEqual(
    database.asked.filter((path) => path.startsWith("/lookup/")),
    [],
  );
});

test("what cannot be preloaded is named, with an exit code", async (t) => {
  const { folder, flags } = await sceneFor(t);
  const args = ["--range", "example.com/none@v1.0.0", "--range", hello, `--store=${join(folder, "store")}`, ...flags];
  const { code, stdout } = await runGranary(["sumdb", "preload", ...args]);
  assert.equal(code, 1);
  assert.match(stdout, /named 2: 1 proven/);
  assert.match(stdout, /example\.com\/none@v1\.0\.0 +SUMDB_ABSENT/);
  const bad = await runGranary(["sumdb", "preload", "--range", "example.com/hello@1.0", ...flags]);
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /--range[^]*PATH@v1\.8\.0:latest/);
  const chinese = await runGranary(["sumdb", "preload", "--lang", "zh-CN"]);
  assert.equal(chinese.code, 2);
  assert.match(chinese.stderr, /\p{Script=Han}/u);
});

test("lookup --verify shows each part of the proof, and which one fails", async (t) => {
  const { folder, flags, database } = await sceneFor(t);
  const args = ["sumdb", "lookup", hello, "--verify", `--store=${join(folder, "store")}`, ...flags];
  const sound = await runGranary(args);
  assert.equal(sound.code, 0, sound.stderr);
  assert.match(sound.stdout, /^sum\.example\.test, record \d+ in a tree of \d+/);
  for (const part of ["record", "signature", "inclusion", "consistency"])
    assert.match(sound.stdout, new RegExp(`^✓ +${part} `, "m"));
  database.tamper = (path, answer) =>
    path.startsWith("/lookup/")
      ? { ...answer, bytes: Buffer.from(Buffer.from(answer.bytes).toString().replace(/h1:\w/, "h1:0")) }
      : answer;
  const lie = await runGranary(args);
  assert.equal(lie.code, 1);
  assert.match(lie.stdout, /^✓ +signature /m);
  assert.match(lie.stdout, /^✗ +inclusion +record \d+ of the log is another one/m);
  const nobody = await runGranary([
    "sumdb",
    "lookup",
    hello,
    "--offline",
    `--store=${join(folder, "other")}`,
    ...flags,
  ]);
  assert.equal(nobody.code, 3, nobody.stdout);
});

test("sumverify: what go wrote holds; a changed hash, an unknown version and silence are three different things", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const scene = await sceneFor(t);
  const { folder, flags } = scene;
  const repository = join(folder, "repo");
  await mkdir(join(repository, "sub/testdata"), { recursive: true });
  const text = await goSumOf(tool, scene, hello, multi);
  await writeFile(join(repository, "go.sum"), text);
  await writeFile(join(repository, "sub/go.work.sum"), text);
  await writeFile(join(repository, "sub/testdata/go.sum"), "not a line of go.sum at all\n");
  const store = `--store=${join(folder, "store")}`;
  const run = (...args: readonly string[]) => runGranary(["sumverify", ...args, store, ...flags]);

  const all = await run("--all", repository);
  assert.equal(all.code, 0, all.stdout + all.stderr);
  const lines = text.trim().split("\n").length;
  assert.match(all.stdout, new RegExp(`^files 2, lines ${2 * lines}: ${2 * lines} verified, 0 wrong`));
  // Everything is kept by now: the same again with nobody to ask.
  const offline = await run("--all", repository, "--offline");
  assert.equal(offline.code, 0, offline.stdout);

  const changed = join(folder, "go.sum");
  const [first = "", ...rest] = text.split("\n");
  await writeFile(
    changed,
    [first.replace(/h1:./, (start) => (start === "h1:A" ? "h1:B" : "h1:A")), ...rest].join("\n"),
  );
  const junit = join(folder, "junit.xml");
  const mismatch = await run(changed, "--junit", junit);
  assert.equal(mismatch.code, 1);
  assert.match(
    mismatch.stdout,
    /go\.sum:1: MISMATCH: example\.com\/hello v1\.0\.0\n +here +h1:[^]*recorded .*record \d+\) h1:/,
  );
  assert.match(await readFile(junit, "utf8"), /failures="1"[^]*<failure type="mismatch"/);
  const json = await run(changed, "--json");
  assert.equal((JSON.parse(json.stdout) as { lines: { verdict: string }[] }).lines[0]?.verdict, "mismatch");

  await writeFile(changed, `example.com/none v1.0.0 h1:${Buffer.alloc(32).toString("base64")}\n`);
  const unknown = await run(changed);
  assert.deepEqual([unknown.code, /not in the database/.test(unknown.stdout)], [1, true]);
  const silence = await run(changed, "--offline");
  assert.deepEqual([silence.code, /not verified/.test(silence.stdout)], [3, true]);
  const secret = await run(changed, "--private=example.com/none");
  assert.deepEqual([secret.code, /1 private/.test(secret.stdout)], [0, true]);
  const nothing = await run();
  assert.equal(nothing.code, 2);
});

test("sumgopher: rounds until it is stopped; new versions are there before anybody asks", async (t) => {
  const { folder, flags, database } = await sceneFor(t);
  const list = join(folder, "list.txt");
  await writeFile(list, `${hello}\n`);
  const args = ["--from", list, `--store=${join(folder, "store")}`, ...flags];
  const once = await runGranary(["sumgopher", "--once", ...args, "--json"]);
  assert.equal(once.code, 0, once.stderr);
  const round = JSON.parse(once.stdout) as { fetched: number; heads: { database: string; treeSize: number }[] };
  assert.deepEqual(round.heads, [{ database: database.name, treeSize: database.size, troubles: [] }]);
  // The version that is followed, and the module's newest.
  assert.equal(round.fetched, 2);
  const bad = await runGranary(["sumgopher", "-every", "1s", ...args]);
  assert.equal(bad.code, 2);
});
