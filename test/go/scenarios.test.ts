// The daily commands of the real go, with the checksum database on, through Granary: the machine's Go and four
// older and newer ones.
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { capture, machineGo, newGoClient, skipLoudly } from "../support/go.ts";
import type { GoClient, GoTool } from "../support/go.ts";
import { obtainGo, wantedGoVersions } from "../support/toolchains.ts";
import { startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

let world: World;
before(async () => {
  world = await startWorld({});
});
after(() => world.close());

const pseudo = "v1.1.1-0.20240203040506-333333333333";

for (const wanted of ["machine", ...wantedGoVersions] as const) {
  describe(`go ${wanted}`, () => {
    let client: GoClient | undefined;
    let missing = "";
    before(async () => {
      const tool = await find(wanted);
      if (typeof tool === "string") missing = tool;
      else client = await newGoClient(tool, { GOPROXY: world.granary.url, GOSUMDB: world.gosumdb });
    });
    after(() => client?.remove());

    const scenario = (name: string, run: (client: GoClient) => Promise<void>): void => {
      test(name, async (t: TestContext) => {
        if (client === undefined) skipLoudly(t, missing);
        else await run(client);
      });
    };

    scenario("go mod download names the sums on record", async (go) => {
      const { stdout } = await go.ok(["mod", "download", "-json", "example.com/hello@v1.0.0"]);
      const { Sum, GoModSum, Version } = JSON.parse(stdout) as { Sum: string; GoModSum: string; Version: string };
      assert.equal(Version, "v1.0.0");
      assert.match(Sum, /^h1:/);
      assert.match(GoModSum, /^h1:/);
    });

    scenario("go list -m -versions lists releases and pre-releases", async (go) => {
      const { stdout } = await go.ok(["list", "-m", "-versions", "example.com/hello"]);
      assert.equal(stdout.trim(), "example.com/hello v1.0.0 v1.1.0 v1.2.0-rc.1");
    });

    scenario("go get @version, @latest, @branch, @upgrade, @none", async (go) => {
      const cwd = await project(go, "get");
      await go.ok(["get", "example.com/hello@v1.0.0"], { cwd });
      assert.equal(await required(cwd), "v1.0.0");
      await go.ok(["get", "example.com/hello@upgrade"], { cwd });
      assert.equal(await required(cwd), "v1.1.0");
      await go.ok(["get", "example.com/hello@main"], { cwd });
      assert.equal(await required(cwd), pseudo);
      await go.ok(["get", "example.com/hello@v1.0"], { cwd });
      assert.equal(await required(cwd), "v1.0.0");
      await go.ok(["get", "example.com/hello@latest"], { cwd });
      assert.equal(await required(cwd), "v1.1.0");
      await go.ok(["get", "example.com/hello@none"], { cwd });
      assert.equal(await required(cwd), undefined);
    });

    scenario("go get of a package finds its module", async (go) => {
      const cwd = await project(go, "package");
      await go.ok(["get", "example.com/hello/sub/pkg@v1.0.0"], { cwd });
      assert.equal(await required(cwd), "v1.0.0");
    });

    scenario("go get takes upper case, +incompatible, /v2 and modules without tags", async (go) => {
      const cwd = await project(go, "odd");
      const wants = [
        "example.com/Upper/Case@v1.0.0-RC1",
        "example.com/old@v2.0.0+incompatible",
        "example.com/multi/v2@latest",
      ];
      await go.ok(["get", ...wants, "example.com/tagless@latest"], { cwd });
      const { stdout } = await go.ok(["list", "-m", "all"], { cwd });
      for (const want of [
        "Case v1.0.0-RC1",
        "old v2.0.0+incompatible",
        "v2 v2.1.0",
        "tagless v0.0.0-20230405060708-",
      ]) {
        assert.ok(stdout.includes(want), `${want} in\n${stdout}`);
      }
    });

    scenario("go get warns of a retracted version", async (go) => {
      const cwd = await project(go, "retracted");
      const { output } = await go.ok(["get", "example.com/retracted@v1.0.0"], { cwd });
      assert.match(output, /retracted by module author: deletes things/);
    });

    scenario("go mod tidy finds the module of an import, go mod verify is clean, the program runs", async (go) => {
      const cwd = await project(go, "tidy");
      const main = 'package main\n\nimport "example.com/hello"\n\nfunc main() { println(hello.Hello()) }\n';
      await writeFile(join(cwd, "main.go"), main);
      await go.ok(["mod", "tidy"], { cwd });
      assert.equal(await required(cwd), "v1.1.0");
      const { stdout } = await go.ok(["mod", "verify"], { cwd });
      assert.equal(stdout.trim(), "all modules verified");
      const { stderr } = await go.ok(["run", "."], { cwd });
      assert.equal(stderr.trim(), "hello v1.0.0, wide world");
    });

    scenario("go install m/cmd/x@v installs a program", async (go) => {
      await go.ok(["install", "example.com/hello/cmd/hello@v1.0.0"]);
      const program = join(go.gopath, "bin/hello");
      const ran = await capture(program, [], { cwd: go.home, env: {}, timeoutMs: 10_000 });
      assert.equal(ran.stderr.trim(), "hello v1.0.0, world");
    });

    scenario("what does not exist says so in Granary's words", async (go) => {
      const { code, output } = await go.run(["mod", "download", "example.com/hello@v9.9.9"]);
      assert.notEqual(code, 0);
      assert.match(output, /404 Not Found/);
      assert.match(output, /GRANARY_NOT_FOUND/);
    });
  });
}

async function find(wanted: "machine" | (typeof wantedGoVersions)[number]): Promise<GoTool | string> {
  if (wanted !== "machine") return obtainGo(wanted);
  return (await machineGo()) ?? "no `go` on PATH";
}

/** An empty module of its own. */
async function project(go: GoClient, name: string): Promise<string> {
  const cwd = join(go.home, "work", name);
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, "go.mod"), `module work.example/${name}\n\ngo 1.19\n`);
  return cwd;
}

/** The version of example.com/hello that go.mod requires. */
async function required(cwd: string): Promise<string | undefined> {
  return /example\.com\/hello (v\S+)/.exec(await readFile(join(cwd, "go.mod"), "utf8"))?.[1];
}
