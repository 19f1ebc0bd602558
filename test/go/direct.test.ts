// A private repository with a password, behind TLS of a company's own authority: a plain go builds it through Granary
// from an empty cache, with GOSUMDB set to Granary's own database.
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { corpHost, directWorld, plantedSecret } from "../support/direct-world.ts";
import type { DirectWorld } from "../support/direct-world.ts";
import { makeRepository } from "../support/git-repository.ts";
import type { GitCommit } from "../support/git-repository.ts";
import { needsGo, newGoClient, skipLoudly } from "../support/go.ts";
import type { GoClient, GoTool } from "../support/go.ts";

const hello = `${corpHost}/team/hello`;
const goMod = (path: string): string => `module ${path}\n\ngo 1.19\n`;
const helloCommits: readonly GitCommit[] = [
  { files: { "go.mod": goMod(hello), "hello.go": "package hello\n\nconst Word = 1\n", LICENSE: "free\n" }, tags: ["v1.0.0"] },
  { files: { "hello.go": "package hello\n\nconst Word = 2\n" }, annotated: ["v1.1.0"] },
  { files: { "v2/go.mod": goMod(`${hello}/v2`), "v2/hello.go": "package hello\n" }, tags: ["v2.0.0"] },
  { files: { "sub/go.mod": goMod(`${hello}/sub`), "sub/sub.go": "package sub\n" }, tags: ["sub/v0.1.0"] },
  { files: { "hello.go": "package hello\n\nconst Word = 3\n" } },
];

async function scene(t: TestContext): Promise<{ tool: GoTool; world: DirectWorld } | undefined> {
  const tool = await needsGo(t);
  if (tool === undefined) return undefined;
  const world = await directWorld();
  if (world === undefined) return void skipLoudly(t, "no `openssl` on PATH");
  atEnd(t, () => world.close());
  await makeRepository(join(world.repositories, "team/hello"), helloCommits);
  return { tool, world };
}

async function withClient<T>(tool: GoTool, env: Record<string, string>, work: (go: GoClient) => Promise<T>): Promise<T> {
  const go = await newGoClient(tool, env);
  try {
    return await work(go);
  } finally {
    await go.remove();
  }
}

test("a private repository with a password builds from an empty cache, verified by the own database", async (t) => {
  const found = await scene(t);
  if (found === undefined) return;
  const { tool, world } = found;
  const granary = await world.start();
  const env = { GOPROXY: granary.url, GOSUMDB: world.verifierKey };
  await withClient(tool, env, async (go) => {
    const cwd = join(go.home, "work/app");
    await mkdir(cwd, { recursive: true });
    await writeFile(join(cwd, "go.mod"), goMod("work.example/app"));
    await writeFile(
      join(cwd, "main.go"),
      `package main\n\nimport (\n\t_ "${hello}"\n\t_ "${hello}/v2"\n\t_ "${hello}/sub"\n)\n\nfunc main() {}\n`,
    );
    await go.ok(["mod", "tidy"], { cwd });
    await go.ok(["build", "./..."], { cwd });
    await go.ok(["mod", "verify"], { cwd });
    assert.match(await readFile(join(cwd, "go.mod"), "utf8"), /team\/hello v1\.1\.0\n.*team\/hello\/sub v0\.1\.0\n.*team\/hello\/v2 v2\.0\.0\n/s);
  });
  const { stdout } = await withClient(tool, env, (go) => go.ok(["list", "-m", "-versions", `${hello}@latest`]));
  assert.equal(stdout.trim(), `${hello} v1.0.0 v1.1.0`);
  const branch = await withClient(tool, env, (go) => go.ok(["mod", "download", "-json", `${hello}@main`]));
  assert.match(branch.stdout, /"Version": "v1\.1\.1-0\.20240101\d{6}-[0-9a-f]{12}"/);
  const gone = await withClient(tool, env, (go) => go.run(["mod", "download", `${hello}@v9.9.9`]));
  assert.match(gone.output, /404 Not Found/);
  assert.match(gone.output, /unknown revision v9\.9\.9/);
  assert.deepEqual((await readdir(join(world.folder, "runs"))).filter((name) => !name.startsWith("granary-direct-")), []);
  await isNowhere(world, plantedSecret, granary.stdout() + granary.stderr() + gone.output);
});

/** A secret stands in no file of store and logs, and in nothing that was said. */
async function isNowhere(world: DirectWorld, secret: string, said: string): Promise<void> {
  const forms = [secret, Buffer.from(`builder:${secret}`).toString("base64")];
  for (const form of forms) assert.ok(!said.includes(form), said);
  for (const folder of [world.store, join(world.folder, "logs"), join(world.folder, "runs")])
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
      if (!entry.isFile()) continue;
      const text = await readFile(join(entry.parentPath, entry.name), "latin1");
      for (const form of forms) assert.ok(!text.includes(form), `${entry.parentPath}/${entry.name} holds the secret`);
    }
}
