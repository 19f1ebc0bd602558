// `granary doctor` beside the real go command: what it calls broken does not build, what it mends does.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { codesOf, openDoctorRoom } from "../support/doctor-room.ts";
import { capture, needsGo } from "../support/go.ts";
import { runGranary } from "../support/granary.ts";
import { startHttpWorld } from "../support/http-world.ts";

async function open(t: TestContext) {
  const tool = await needsGo(t);
  if (tool === undefined) return undefined;
  const [room, world] = [await openDoctorRoom(t), await startHttpWorld(t)];
  await room.write({
    "app/go.mod": "module example.com/app\n\ngo 1.21\n\nrequire example.com/hello v1.0.0\n",
    "app/app.go": 'package app\n\nimport _ "example.com/hello"\n',
  });
  const path = `${tool.goroot}/bin:/usr/bin:/bin`;
  const go = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    await capture(join(tool.goroot, "bin/go"), args, {
      cwd: join(room.home, "app"),
      env: { HOME: room.home, PATH: path, GOTOOLCHAIN: "local", GOFLAGS: "-modcacherw", ...env },
      timeoutMs: 120_000,
    });
  return { room, world, go, env: { GOSUMDB: world.database.verifierKey, GOFLAGS: "-modcacherw" } };
}

test("--fix sets what the go env file has wrong, keeps a copy, and go builds", async (t) => {
  const scene = await open(t);
  if (scene === undefined) return;
  const { room, world, go, env } = scene;
  const { url } = await world.proxy();
  const wrong = `GOPROXY=${url};direct\nGOSUMDB=${env.GOSUMDB}\n`;
  await room.write({ ".config/go/env": wrong });
  assert.notEqual((await go(["mod", "tidy"])).code, 0);

  const { code, report } = await room.doctor({ GOFLAGS: "-modcacherw" }, ["--offline"]);
  assert.deepEqual([code, report.findings[0]?.code], [1, "CHAIN_JOINED"]);
  const told = await room.mend({ GOFLAGS: "-modcacherw" });
  assert.match(told, /done: CHAIN_JOINED/);
  const folder = join(room.home, ".config/go");
  const [copy = ""] = (await readdir(folder)).filter((name) => name.startsWith("env.granary-"));
  assert.equal(await readFile(join(folder, copy), "utf8"), wrong);
  const tidied = await go(["mod", "tidy", "-x"]);
  assert.equal(tidied.code, 0, tidied.output);
  const after = await room.doctor({ GOFLAGS: "-modcacherw" }, ["--quick"]);
  assert.deepEqual(
    codesOf(after).filter((each) => each.startsWith("fail")),
    [],
    after.text,
  );
});

test("--quick runs go list -m all, and says what go's words mean", async (t) => {
  const scene = await open(t);
  if (scene === undefined) return;
  const { room, world, env } = scene;
  const { url } = await world.proxy();
  const told = await room.doctor({ ...env, GOPROXY: url }, ["--quick"]);
  assert.equal(told.report.findings[0]?.code, "GO_SUM_MISSING", codesOf(told).join("\n"));
  const list = told.report.checks.find(({ id }) => id === "build-list");
  assert.equal(list?.state, "fail");
});

test("a module cache that was tampered with is found, and a go build trusts it", async (t) => {
  const scene = await open(t);
  if (scene === undefined) return;
  const { room, world, go, env } = scene;
  const { url } = await world.proxy();
  const set = { ...env, GOPROXY: url };
  assert.equal((await go(["mod", "tidy"], set)).code, 0);
  // A program of its own: the thread that reads zips starts where this process was started.
  const look = async () => await runGranary(["doctor", "modcache", "--json"], { ...set, HOME: room.home });
  const codes = (text: string) =>
    (JSON.parse(text) as { findings: { code: string; severity: string }[] }).findings
      .filter(({ severity }) => severity !== "info")
      .map(({ code }) => code);
  const healthy = await look();
  assert.deepEqual([healthy.code, codes(healthy.stdout)], [0, []], healthy.stdout);
  await room.write({ "go/pkg/mod/example.com/hello@v1.0.0/hello.go": "package hello // other\n" });
  assert.equal((await go(["build", "./..."], set)).code, 0);
  const told = await look();
  assert.deepEqual([told.code, codes(told.stdout)], [1, ["CACHE_TREE_CHANGED"]], told.stdout);
  assert.equal((await go(["mod", "verify"], set)).code, 1);
});
