// The chain of upstreams as the real go meets it: a dead mirror, a private upstream, a toolchain that must be fetched.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoClient } from "../support/go.ts";
import { makeModule, readModuleFixtures } from "../support/modules.ts";
import { startStubUpstream } from "../support/stub-upstream.ts";
import { recordModule, startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

const secret = makeModule({ path: "corp.example/team/secret", version: "v1.0.0" });

for (const place of ["before", "after"] as const) {
  test(`a dead mirror ${place} the good one does not break go get m/sub/pkg@v`, async (t) => {
    const dead = await startStubUpstream({ modules: [] });
    await dead.close();
    const world = await startWorld({ [place]: dead.url });
    const go = await clientOf(t, world);
    if (go === undefined) return;
    const cwd = await project(go);
    await go.ok(["get", "example.com/hello/sub/pkg@v1.0.0"], { cwd });
    await go.ok(["get", "example.com/hello/sub/pkg@latest"], { cwd });
  });
}

test("a private module comes from its own upstream; no public one hears its name or its ancestors'", async (t) => {
  const corp = await startStubUpstream({ modules: [secret] });
  const folder = await mkdtemp(join(tmpdir(), "granary-chain-"));
  atEnd(t, async () => {
    await corp.close();
    await rm(folder, { recursive: true, force: true });
  });
  const config = join(folder, "granary.yaml");
  await writeFile(config, `upstreams:\n  corp:\n    url: ${corp.url}\n    private: corp.example/team/*\n`);
  const flags = [`--private=corp.example/team/*`, `--config=${config}`];
  const world = await startWorld({ before: corp.url, flags });
  const go = await clientOf(t, world, { GONOSUMDB: "corp.example/team/*" });
  if (go === undefined) return;
  const cwd = await project(go);
  await go.ok(["get", "corp.example/team/secret@latest"], { cwd });
  await go.ok(["mod", "download", "corp.example/team/secret@v1.0.0"]);
  assert.equal(world.stub.requests(/corp\.example/), 0, [...world.stub.counts().keys()].join("\n"));
  assert.ok(corp.requests("/corp.example/team/secret/@v/v1.0.0.zip") === 1);
});

test("a private module whose bytes change is refused: its hashes were pinned on first sight", async (t) => {
  const corp = await startStubUpstream({ modules: [secret] });
  const folder = await mkdtemp(join(tmpdir(), "granary-chain-"));
  atEnd(t, async () => {
    await corp.close();
    await rm(folder, { recursive: true, force: true });
  });
  const config = join(folder, "granary.yaml");
  await writeFile(config, `upstreams:\n  corp:\n    url: ${corp.url}\n    private: corp.example/team/*\n`);
  const store = join(folder, "store");
  const flags = ["--private=corp.example/team/*", `--config=${config}`];
  const world = await startWorld({ before: corp.url, flags, store });
  const first = await clientOf(t, world, { GONOSUMDB: "corp.example/team/*" });
  if (first === undefined) return;
  await first.ok(["mod", "download", "corp.example/team/secret@v1.0.0"]);
  await world.granary.stop();

  // The kept bytes are lost, the tag was moved.
  await rm(join(store, "modules/corp.example"), { recursive: true });
  const files = { "go.mod": `module ${secret.path}\n\ngo 1.19\n`, "moved.go": "package secret\n" };
  corp.add(makeModule({ path: secret.path, version: secret.version, files }));
  const second = await startWorld({ before: corp.url, flags, store });
  const go = await clientOf(t, second, { GONOSUMDB: "corp.example/team/*" });
  const refused = await go?.run(["mod", "download", "corp.example/team/secret@v1.0.0"]);
  assert.notEqual(refused?.code, 0);
  assert.match(refused?.output ?? "", /GRANARY_PIN_MISMATCH/);
  corp.add(secret);
  await go?.ok(["mod", "download", "corp.example/team/secret@v1.0.0"]);
});

test("a go line newer than the client makes it fetch the toolchain through Granary, checked by the database", async (t) => {
  const world = await startWorld({});
  const go = await clientOf(t, world, { GOTOOLCHAIN: "auto" });
  if (go === undefined) return;
  const platform = (await go.ok(["env", "GOOS", "GOARCH"])).stdout.trim().replace("\n", "-");
  const toolchain = makeModule({
    path: "golang.org/toolchain",
    version: `v0.0.1-go1.99.0.${platform}`,
    files: {
      "bin/go": '#!/bin/sh\necho "stand-in toolchain: $*"\n',
      "bin/gofmt": "",
      "lib/wasm/stand-in": "",
      "pkg/tool/stand-in": "",
      VERSION: "go1.99.0\n",
    },
  });
  world.stub.add(toolchain);
  await recordModule(world.database, toolchain);
  const cwd = join(go.home, "work/newer");
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, "go.mod"), "module work.example/newer\n\ngo 1.99.0\n");
  const { stdout } = await go.ok(["list", "-m"], { cwd });
  assert.equal(stdout.trim(), "stand-in toolchain: list -m");
  assert.ok(world.stub.requests(/\/lookup\/golang\.org\/toolchain@/) >= 1);
});

test("in mode go a comma stops at the first broken upstream, as the go command itself does", async (t) => {
  const broken = await startStubUpstream({ modules: readModuleFixtures() });
  broken.fault(/./, { kind: "status", status: 500 });
  atEnd(t, () => broken.close());
  const world = await startWorld({ before: broken.url, flags: ["--mode=go"] });
  const go = await clientOf(t, world);
  if (go === undefined) return;
  const { code, output } = await go.run(["mod", "download", "example.com/hello@v1.0.0"]);
  assert.notEqual(code, 0);
  assert.match(output, /GRANARY_/);
  assert.equal(world.stub.requests(/example\.com\/hello\/@v/), 0);
});

/** A client of the world, both gone when the test ends; undefined when there is no go (said loudly). */
async function clientOf(t: TestContext, world: World, env: Record<string, string> = {}): Promise<GoClient | undefined> {
  atEnd(t, () => world.close());
  const tool = await needsGo(t);
  if (tool === undefined) return undefined;
  const go = await newGoClient(tool, { GOPROXY: world.granary.url, GOSUMDB: world.gosumdb, ...env });
  atEnd(t, () => go.remove());
  return go;
}

async function project(go: GoClient): Promise<string> {
  const cwd = join(go.home, "work/app");
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, "go.mod"), "module work.example/app\n\ngo 1.19\n");
  return cwd;
}
