// A store is lost, and a snapshot brings it back: the real go builds from it by file://, and through a server whose upstreams
// are gone, with the public database and with the own one.
import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { atEnd } from "../support/at-end.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoClient, GoTool } from "../support/go.ts";
import { runGranary } from "../support/granary.ts";
import { ownWorld, secret } from "../support/own-world.ts";

async function withClient(
  tool: GoTool,
  env: Readonly<Record<string, string>>,
  work: (go: GoClient) => Promise<unknown>,
): Promise<void> {
  const go = await newGoClient(tool, env);
  try {
    await work(go);
  } finally {
    await go.remove();
  }
}

async function build(go: GoClient, imports: readonly string[]): Promise<void> {
  const cwd = join(go.home, "work/app");
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, "go.mod"), "module work.example/app\n\ngo 1.19\n");
  const lines = imports.map((path) => `\t_ "${path}"\n`).join("");
  await writeFile(join(cwd, "main.go"), `package main\n\nimport (\n${lines})\n\nfunc main() {}\n`);
  await go.ok(["mod", "tidy"], { cwd });
  await go.ok(["build", "./..."], { cwd });
  await go.ok(["mod", "verify"], { cwd });
}

test("serve, snapshot, lose the store, restore, build", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const world = await ownWorld();
  atEnd(t, () => world.close());
  const { store, keyFile, folder, database } = world;
  const vault = join(folder, "snapshots");
  const run = (...args: readonly string[]) => runGranary(["store", ...args, `--store=${store}`]);
  const both = ["example.com/hello", secret.path];
  const publicGo = { GOSUMDB: database.verifierKey };

  const first = await world.start();
  await withClient(tool, { GOPROXY: first.url, GOSUMDB: world.verifierKey }, (go) => build(go, both));
  await withClient(tool, { GOPROXY: first.url, ...publicGo }, (go) => build(go, ["example.com/hello"]));

  await t.test("a snapshot beside the running server", async () => {
    const taken = await run("snapshot", vault, "--json");
    assert.equal(taken.code, 0, taken.stderr + taken.stdout);
    const report = JSON.parse(taken.stdout) as { versions: number; logs: { name: string; size: number }[] };
    assert.ok(report.versions >= 3);
    assert.deepEqual(
      report.logs.map(({ name }) => name),
      [world.verifier.name],
    );
  });
  await t.test("nothing is restored while the server has the store", async () => {
    const refused = await run("restore", vault);
    assert.equal(refused.code, 3);
    assert.match(refused.stderr, /GRANARY_STORE_LOCKED/);
  });

  await first.stop();
  await world.stub.cut();
  await world.corp.cut();
  await rm(store, { recursive: true });

  await t.test("it comes back sound", async () => {
    const restored = await run("restore", vault, `--sumlog-key=${keyFile}`);
    assert.equal(restored.code, 0, restored.stderr + restored.stdout);
    const verified = await run("verify");
    assert.equal(verified.code, 0, verified.stdout);
  });
  await t.test("go builds from the folder alone, verified by the public database", () =>
    withClient(tool, { GOPROXY: pathToFileURL(join(store, "modules")).href, ...publicGo }, async (go) => {
      await build(go, ["example.com/hello"]);
    }),
  );
  const second = await world.start();
  await t.test("and through a server without any upstream, verified by the own database, private module included", () =>
    withClient(tool, { GOPROXY: second.url, GOSUMDB: world.verifierKey }, async (go) => {
      await build(go, both);
    }),
  );
});
