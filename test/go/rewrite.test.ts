// Rewrite rules with a real go: old.example/x/* is found as corp.example/new/*, in a private upstream, and verified by an
// own database.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { generateKey } from "#protocol/note.ts";
import { atEnd } from "../support/at-end.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoTool } from "../support/go.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import type { RunningGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";
import type { ModuleDraft } from "../support/modules.ts";
import { startStubUpstream } from "../support/stub-upstream.ts";
import type { StubUpstream } from "../support/stub-upstream.ts";

const source = (name: string) => `package ${name}\n\nconst Name = "${name}"\n`;
/** The same files under two names: before the module was renamed its go.mod bore the old one. */
const twice = (draft: Pick<ModuleDraft, "version" | "files">, name: string) =>
  [`corp.example/new/${name}`, `old.example/x/${name}`].map((path) => makeModule({ ...draft, path }));
const foo = twice(
  { version: "v1.0.0", files: { "go.mod": "module old.example/x/foo\n\ngo 1.19\n", "foo.go": source("foo") } },
  "foo",
);
const major = twice(
  { version: "v2.0.0", files: { "go.mod": "module old.example/x/foo/v2\n", "foo.go": source("foo") } },
  "foo/v2",
);
const legacy = twice(
  { version: "v1.0.0", files: { "legacy.go": source("legacy"), "sub/sub.go": source("sub") } },
  "legacy",
);
const renamed = makeModule({
  path: "corp.example/new/foo",
  version: "v1.1.0",
  files: { "go.mod": "module corp.example/new/foo\n", "foo.go": source("foo") },
});
const plain = makeModule({
  path: "corp.example/new/plain",
  version: "v1.0.0",
  files: { "go.mod": "module corp.example/new/plain\n" },
});

type Scene = {
  readonly corp: StubUpstream;
  readonly granary: RunningGranary;
  readonly gosumdb: string;
  readonly genuine: StubUpstream;
};

const rules = `rewrite:\n  - match: old.example/x/*\n    to: corp.example/new/*\n`;

async function scene(t: TestContext, privates: string): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "granary-rewrite-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const all = [...foo, ...major, ...legacy, renamed, plain];
  const corp = await startStubUpstream({ modules: all.filter(({ path }) => path.startsWith("corp.example/")) });
  atEnd(t, () => corp.close());
  const genuine = await startStubUpstream({ modules: all.filter(({ path }) => path.startsWith("old.example/")) });
  atEnd(t, () => genuine.close());
  const { signerKey, verifierKey } = generateKey("sum.corp.example.test", Buffer.alloc(32, 9));
  const keyFile = join(folder, "sumlog.key");
  await writeFile(keyFile, `${signerKey}\n`, { mode: 0o600 });
  const config = join(folder, "granary.yaml");
  await writeFile(config, `${rules}upstreams:\n  corp:\n    url: ${corp.url}\n    private: corp.example/*\n`);
  const granary = await startGranary({
    upstream: corp.url,
    private: privates,
    // One at a time: what a job needs must not wait behind it.
    env: { GRANARY_LIMITS_INGESTS: "1" },
    flags: [`--config=${config}`, `--sumlog-key=${keyFile}`],
  });
  atEnd(t, () => granary.stop());
  return { corp, granary, gosumdb: verifierKey, genuine };
}

async function download(tool: GoTool, env: Record<string, string>, ...ids: string[]) {
  const go = await newGoClient(tool, env);
  try {
    const { code, stdout, output } = await go.run(["mod", "download", "-json", ...ids]);
    return { code, output, sums: [...stdout.matchAll(/"(?:GoMod)?Sum": "(h1:[^"]+)"/g)].map(([, sum = ""]) => sum) };
  } finally {
    await go.remove();
  }
}

test("a module whose go.mod bears the old name is built by that name, with the hashes it always had", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { corp, granary, gosumdb, genuine } = await scene(t, "corp.example/*");
  const ids = ["old.example/x/foo@v1.0.0", "old.example/x/foo/v2@v2.0.0", "old.example/x/legacy@v1.0.0"];
  const got = await download(tool, { GOPROXY: granary.url, GOSUMDB: gosumdb }, ...ids);
  assert.equal(got.code, 0, got.output);
  const want = await download(tool, { GOPROXY: genuine.url }, ...ids);
  assert.equal(want.sums.length, 6);
  assert.deepEqual(got.sums, want.sums);
  assert.equal(corp.requests(/old\.example/), 0, "the old name never leaves");

  const go = await newGoClient(tool, { GOPROXY: granary.url, GOSUMDB: gosumdb });
  atEnd(t, () => go.remove());
  const cwd = join(go.home, "work/app");
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, "go.mod"), "module work.example/app\n\ngo 1.19\n\nrequire old.example/x/foo v1.0.0\n");
  await writeFile(
    join(cwd, "main.go"),
    'package main\n\nimport (\n\t"old.example/x/foo"\n\t"old.example/x/legacy/sub"\n)\n\nfunc main() { println(foo.Name, sub.Name) }\n',
  );
  await go.ok(["mod", "tidy"], { cwd });
  await go.ok(["build", "./..."], { cwd });
  await go.ok(["mod", "verify"], { cwd });
});

test("a go.mod of another name is refused with what to do, and that helps", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { granary, gosumdb } = await scene(t, "corp.example/*");
  const env = { GOPROXY: granary.url, GOSUMDB: gosumdb };
  const refused = await download(tool, env, "old.example/x/foo@v1.1.0");
  assert.notEqual(refused.code, 0);
  assert.match(refused.output, /403 Forbidden/);
  assert.match(refused.output, /GRANARY_REWRITE_CONFLICT/);
  assert.match(refused.output, /go mod edit -replace=old\.example\/x\/foo@v1\.1\.0=corp\.example\/new\/foo@v1\.1\.0/);
  const zip = await fetch(`${granary.url}/old.example/x/foo/@v/v1.1.0.zip`);
  assert.equal(zip.status, 403);
  const list = await (await fetch(`${granary.url}/old.example/x/foo/@v/list`)).text();
  assert.equal(list, "v1.0.0\nv1.1.0\n");
  // Whose go.mod looks like one that go made up, but is the module's own, is told apart by its zip.
  assert.equal((await fetch(`${granary.url}/old.example/x/plain/@v/v1.0.0.mod`)).status, 403);

  const go = await newGoClient(tool, env);
  atEnd(t, () => go.remove());
  const cwd = join(go.home, "work/app");
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, "go.mod"), "module work.example/app\n\ngo 1.19\n\nrequire old.example/x/foo v1.1.0\n");
  await writeFile(
    join(cwd, "main.go"),
    'package main\n\nimport "old.example/x/foo"\n\nfunc main() { println(foo.Name) }\n',
  );
  await go.ok(["mod", "edit", "-replace=old.example/x/foo@v1.1.0=corp.example/new/foo@v1.1.0"], { cwd });
  await go.ok(["mod", "tidy"], { cwd });
  await go.ok(["build", "./..."], { cwd });
});

test("what is found under a private name is private under every name, and many at once do not stand in each other's way", async (t) => {
  const { granary } = await scene(t, "corp.example/*");
  const outside = { headers: { "x-forwarded-for": "192.0.2.1" } };
  for (const ending of ["@v/list", "@v/v1.0.0.info", "@v/v1.0.0.zip"])
    assert.equal((await fetch(`${granary.url}/old.example/x/foo/${ending}`, outside)).status, 401, ending);
  const answers = await Promise.all(
    [...foo, ...major, ...legacy, renamed, plain].flatMap(({ path, version }) => {
      const old = path.replace("corp.example/new/", "old.example/x/");
      return ["mod", "zip"].map(
        async (ending) => (await fetch(`${granary.url}/${old}/@v/${version}.${ending}`)).status,
      );
    }),
  );
  assert.deepEqual([...new Set(answers)].sort(), [200, 403]);
  const again = await fetch(`${granary.url}/old.example/x/foo/@v/v1.0.0.zip`);
  assert.equal(again.headers.get("x-go-proxy-status"), "-|HIT");
});

test("rules that lead on are refused at start", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-rewrite-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const config = join(folder, "granary.yaml");
  const cases = [
    ["rewrite: [a.corp/* => b.corp/*, b.corp/* => a.corp/*]\n", /targets no rule matches again/],
    ["rewrite: [a.corp/x => b.corp/*]\n", /rules such as/],
    ["rewrite:\n  - from: a.corp/x\n    to: b.corp/x\n", /match and to/],
  ] as const;
  for (const [text, want] of cases) {
    await writeFile(config, text);
    const { code, stderr } = await runGranary(["config", "print", `--config=${config}`]);
    assert.equal(code === 0, false, stderr);
    assert.match(stderr, want);
  }
});
