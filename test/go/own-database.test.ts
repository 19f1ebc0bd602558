// One database for everything: the real go verifies public and private modules by the own log alone, before and after a
// restart, and with every upstream dead.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { needsGo, newGoClient, skipLoudly } from "../support/go.ts";
import type { GoClient, GoTool } from "../support/go.ts";
import { ownWorld, secret } from "../support/own-world.ts";
import { obtainGo, wantedGoVersions } from "../support/toolchains.ts";

async function withClient(
  tool: GoTool,
  env: { readonly GOPROXY: string; readonly GOSUMDB: string },
  work: (go: GoClient) => Promise<unknown>,
): Promise<void> {
  const go = await newGoClient(tool, env);
  try {
    await work(go);
  } finally {
    await go.remove();
  }
}

/** A program that needs a public module and a private one. */
async function build(go: GoClient): Promise<void> {
  const cwd = join(go.home, "work/app");
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, "go.mod"), "module work.example/app\n\ngo 1.19\n");
  await writeFile(
    join(cwd, "main.go"),
    `package main\n\nimport (\n\t_ "example.com/hello"\n\t_ "${secret.path}"\n)\n\nfunc main() {}\n`,
  );
  await go.ok(["mod", "tidy"], { cwd });
  await go.ok(["build", "./..."], { cwd });
  await go.ok(["mod", "verify"], { cwd });
}

test("public and private modules are verified by the own database, in every life of the server", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const world = await ownWorld();
  atEnd(t, () => world.close());
  const first = await world.start();
  const env = { GOPROXY: first.url, GOSUMDB: world.verifierKey };
  await t.test("a client with nothing", () => withClient(tool, env, build));
  await t.test("no public upstream or database heard of the private module", () => {
    assert.equal(world.stub.requests(/corp\.example/), 0);
    assert.ok(!world.database.asked.some((path) => path.includes("corp.example")));
  });
  for (const version of wantedGoVersions)
    await t.test(`go ${version}`, async (t) => {
      const other = await obtainGo(version);
      if (typeof other === "string") skipLoudly(t, other);
      else
        await withClient(other, env, (go) =>
          go.ok(["mod", "download", `${secret.path}@v1.0.0`, "example.com/hello@v1.0.0"]),
        );
    });
  await t.test("a client that had an older head goes on with a newer one", () =>
    withClient(tool, env, async (go) => {
      await go.ok(["mod", "download", "example.com/hello@v1.0.0"]);
      const more = ["example.com/hello@v1.1.0", "example.com/multi/v2@v2.1.0"];
      await go.ok(["mod", "download", ...more]);
      await go.ok(["mod", "download", `${secret.path}@v1.0.0`]);
    }),
  );
  await first.stop();
  await world.stub.cut();
  await world.corp.cut();
  const second = await world.start();
  await t.test("after a restart, with every upstream and the public database dead", () =>
    withClient(tool, { GOPROXY: second.url, GOSUMDB: world.verifierKey }, build),
  );
  await t.test("the same log through a URL of its own", () =>
    withClient(
      tool,
      { GOPROXY: second.url, GOSUMDB: `${world.verifierKey} ${second.url}/sumdb/${world.verifier.name}` },
      (go) => go.ok(["mod", "download", "example.com/hello@v1.0.0"]),
    ),
  );
});

test("a private module that changed is refused: the first record stays", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const world = await ownWorld();
  atEnd(t, () => world.close());
  const granary = await world.start();
  await withClient(tool, { GOPROXY: granary.url, GOSUMDB: world.verifierKey }, (go) =>
    go.ok(["mod", "download", `${secret.path}@v1.0.0`]),
  );
  // A second proxy that serves other bytes of the version, and relays nothing: its client asks the own database.
  const { makeModule } = await import("../support/modules.ts");
  const { startStubUpstream } = await import("../support/stub-upstream.ts");
  const files = { "go.mod": `module ${secret.path}\n\ngo 1.19\n`, "moved.go": "package secret\n" };
  const liar = await startStubUpstream({ modules: [makeModule({ ...secret, files })] });
  atEnd(t, () => liar.close());
  const GOSUMDB = `${world.verifierKey} ${granary.url}/sumdb/${world.verifier.name}`;
  await withClient(tool, { GOPROXY: liar.url, GOSUMDB }, async (go) => {
    const { code, output } = await go.run(["mod", "download", `${secret.path}@v1.0.0`]);
    assert.notEqual(code, 0);
    assert.match(output, /SECURITY ERROR|checksum mismatch/);
  });
});
