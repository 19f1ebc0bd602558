// The real go command before a cluster: it builds through the first node, then, with upstream away, a second developer builds
// the same through the second node. Both verify everything with the checksum database, and get equal bytes.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { missingCluster, startCluster } from "../support/cluster-world.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoClient } from "../support/go.ts";
import { makeModule } from "../support/modules.ts";

const lib = makeModule({
  path: "example.com/lib",
  version: "v1.2.0",
  files: {
    "go.mod": "module example.com/lib\n\ngo 1.19\n\nrequire example.com/base v1.0.0\n",
    "lib.go": 'package lib\n\nimport "example.com/base"\n\nfunc Word() string { return base.Word() }\n',
  },
});
const base = makeModule({
  path: "example.com/base",
  version: "v1.0.0",
  files: {
    "go.mod": "module example.com/base\n\ngo 1.19\n",
    "base.go": 'package base\n\nfunc Word() string { return "rice" }\n',
  },
});

suite("go before a cluster", { skip: missingCluster(), timeout: 400_000 }, () => {
  test("a build through node a, then with upstream away the same build through node b", async (t) => {
    const go = await needsGo(t);
    if (go === undefined) return;
    const world = await startCluster(t, { modules: [lib, base] });
    const [a, b] = await Promise.all([world.start("a"), world.start("b")]);
    const build = async (url: string): Promise<Map<string, string>> => {
      const client = await newGoClient(go, { GOPROXY: url, GOSUMDB: world.gosumdb });
      atEnd(t, () => client.remove());
      return await buildWith(client);
    };
    const first = await build(a.url);
    await world.stub.cut();
    const second = await build(b.url);
    assert.ok([...first.keys()].some((name) => name.endsWith("lib/@v/v1.2.0.zip")), [...first.keys()].join(" "));
    assert.deepEqual(second, first);
    const third = await world.start("c");
    assert.deepEqual(await build(third.url), first);
    t.diagnostic(`${first.size} files equal: go.sum, .info, .mod, .zip, .ziphash of both modules`);
  });
});

/** Builds and runs a program that needs both modules. Returns the hashes of what go downloaded, and of its go.sum. */
async function buildWith(client: GoClient): Promise<Map<string, string>> {
  const cwd = join(client.home, "main");
  await mkdir(cwd);
  await writeFile(join(cwd, "go.mod"), "module example.com/main\n\ngo 1.19\n");
  const main = 'package main\n\nimport (\n\t"fmt"\n\n\t"example.com/lib"\n)\n\nfunc main() { fmt.Println(lib.Word()) }\n';
  await writeFile(join(cwd, "main.go"), main);
  await client.ok(["get", "example.com/lib@latest"], { cwd });
  const ran = await client.ok(["run", "."], { cwd });
  assert.equal(ran.stdout.trim(), "rice");
  const hashes = new Map<string, string>();
  const take = async (name: string, file: string): Promise<void> => {
    hashes.set(name, createHash("sha256").update(await readFile(file)).digest("hex"));
  };
  await take("go.sum", join(cwd, "go.sum"));
  const cache = join(client.modcache, "cache/download/example.com");
  for (const name of (await readdir(cache, { recursive: true })).sort())
    if (/\.(info|mod|zip|ziphash)$/.test(name)) await take(name, join(cache, name));
  return hashes;
}
