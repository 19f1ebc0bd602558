// The upstream goes away after a warm-up: what was built once builds again, with the checksum database on; and the
// store alone, Granary stopped, is a file:// proxy that the same client verifies against.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoClient, GoTool } from "../support/go.ts";
import { makeModule } from "../support/modules.ts";
import { recordModule, startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

let world: World;
let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "granary-offline-"));
  world = await startWorld({ store: join(folder, "store") });
});
after(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

test("warm, cut, and then from the store alone", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  await t.test("the first client builds while the upstream is there", async () => {
    await withClient(tool, world.granary.url, build);
    // Heads move on between two lookups: the store must not end up with heads whose tiles it lacks.
    for (let n = 0; n < 5; n += 1) {
      const module = makeModule({ path: `example.com/later${n}`, version: "v1.0.0" });
      world.stub.add(module);
      await recordModule(world.database, module);
      await withClient(tool, world.granary.url, (go) => go.ok(["mod", "download", `${module.path}@v1.0.0`]));
    }
  });
  await world.stub.cut();
  await t.test("a second client builds the same without the upstream", () =>
    withClient(tool, world.granary.url, build),
  );
  await t.test("what nobody has seen is refused with the reason, not as absent", () =>
    withClient(tool, world.granary.url, async (go) => {
      const { code, output } = await go.run(["mod", "download", "example.com/multi/v2@v2.1.0"]);
      assert.notEqual(code, 0);
      assert.match(output, /503 Service Unavailable/);
      assert.match(output, /GRANARY_OFFLINE/);
    }),
  );
  await world.granary.stop();
  await t.test("the store alone serves a client as file:// proxy, database included", async () => {
    const proxy = pathToFileURL(join(world.granary.store, "modules")).href;
    await withClient(tool, proxy, async (go) => {
      await build(go);
      for (let n = 4; n >= 0; n -= 1) await go.ok(["mod", "download", `example.com/later${n}@v1.0.0`]);
    });
  });
});

async function withClient(tool: GoTool, proxy: string, work: (go: GoClient) => Promise<unknown>): Promise<void> {
  const go = await newGoClient(tool, { GOPROXY: proxy, GOSUMDB: world.gosumdb });
  try {
    await work(go);
  } finally {
    await go.remove();
  }
}

/** What a project does: resolve, download, verify, install a program. */
async function build(go: GoClient): Promise<void> {
  const cwd = join(go.home, "work/app");
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, "go.mod"), "module work.example/app\n\ngo 1.19\n");
  await writeFile(join(cwd, "main.go"), 'package main\n\nimport _ "example.com/hello"\n\nfunc main() {}\n');
  await go.ok(["mod", "tidy"], { cwd });
  await go.ok(["get", "example.com/hello@v1.0.0"], { cwd });
  await go.ok(["get", "example.com/hello/sub/pkg@v1.1.0"], { cwd });
  await go.ok(["build", "./..."], { cwd });
  const { stdout } = await go.ok(["mod", "verify"], { cwd });
  assert.equal(stdout.trim(), "all modules verified");
  const versions = await go.ok(["list", "-m", "-versions", "example.com/hello"], { cwd });
  assert.match(versions.stdout, /v1\.0\.0 v1\.1\.0/);
  await go.ok(["install", "example.com/hello/cmd/hello@v1.0.0"]);
}
