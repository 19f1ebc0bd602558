// What documents claim of the module cache, of vendor folders and of fetching without a proxy, tried with the real go
// (src/services/myths).
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { hello, helloV1, mythRoom, startInternet } from "../support/myth-room.ts";

const download = ["mod", "download", helloV1];

suite("myths of the module cache", { concurrency: 4 }, () => {
  test("what is deleted of the cache comes again: a zip from the proxy, the rest from the zip", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, seen } = room;
    await go.ok(download);
    const file = (ext: string): string => join(go.modcache, "cache/download", hello, "@v", `v1.0.0.${ext}`);
    const tree = join(go.modcache, helloV1);
    seen.length = 0;
    await rm(file("ziphash"));
    await rm(tree, { recursive: true });
    await go.ok(download, { env: { GOPROXY: "off" } });
    assert.deepEqual([existsSync(file("ziphash")), existsSync(tree), seen], [true, true, []]);
    // A zip alone leaves its hash and its tree behind; the next download fetches it again.
    await rm(file("zip"));
    assert.deepEqual([existsSync(file("ziphash")), existsSync(tree)], [true, true]);
    await go.ok(download);
    assert.deepEqual(
      seen.map(({ url }) => url),
      [`/${hello}/@v/v1.0.0.zip`],
    );
    // A zip that is damaged under a hash that still lies there is not noticed by a download, but by go mod verify.
    const cwd = join(go.home, "main");
    await mkdir(cwd);
    await writeFile(join(cwd, "go.mod"), `module main.test/m\n\ngo 1.19\n\nrequire ${hello} v1.0.0\n`);
    await go.ok(download, { cwd });
    await writeFile(file("zip"), "torn");
    await go.ok(download, { cwd, env: { GOPROXY: "off" } });
    const verified = await go.run(["mod", "verify"], { cwd });
    assert.match(verified.output, /zip: not a valid zip file/);
    assert.notEqual(verified.code, 0);
  });

  test("go clean -modcache leaves what was learnt of the checksum database", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, database } = room;
    await go.ok(download, { env: { GOSUMDB: room.gosumdb } });
    const head = join(go.gopath, "pkg/sumdb", database.name, "latest");
    const before = await readFile(head, "utf8");
    await go.ok(["clean", "-modcache"]);
    assert.ok(!existsSync(join(go.modcache, "cache/download", hello)));
    assert.equal(await readFile(head, "utf8"), before);
  });

  test("a build from vendor verifies nothing and asks nobody", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, seen, gosumdb, database } = room;
    const cwd = join(go.home, "main");
    await mkdir(cwd);
    await writeFile(join(cwd, "go.mod"), `module main.test/m\n\ngo 1.19\n\nrequire ${hello} v1.0.0\n`);
    await writeFile(join(cwd, "m.go"), `package m\n\nimport _ "${hello}"\n`);
    const env = { GOSUMDB: gosumdb };
    await go.ok(["mod", "tidy"], { cwd, env });
    await go.ok(["mod", "vendor"], { cwd, env });
    const vendored = join(cwd, "vendor", hello, "doc.go");
    await chmod(vendored, 0o644);
    await writeFile(vendored, "package hello\n\nconst Changed = true\n");
    seen.length = 0;
    database.asked.length = 0;
    await go.ok(["build", "./..."], { cwd, env });
    assert.deepEqual([seen, database.asked], [[], []]);
  });

  test("direct runs git, and sends no Range and no module request", async (t) => {
    const room = await mythRoom(t, { modules: [] });
    if (room === undefined || process.platform === "win32") return;
    const { go, seen } = room;
    const bin = join(go.home, "bin");
    const log = join(go.home, "git.log");
    await mkdir(bin);
    await writeFile(join(bin, "git"), `#!/bin/sh\necho "$@" >> ${log}\nexit 1\n`);
    await chmod(join(bin, "git"), 0o755);
    const internet = await startInternet(t);
    const env = { ...internet.env, GOPROXY: "direct", GOVCS: "*:all", PATH: `${bin}:/usr/bin:/bin` };
    const { code } = await go.run(["mod", "download", "github.com/example/m@v1.0.0"], { env });
    assert.notEqual(code, 0);
    assert.match(await readFile(log, "utf8"), /ls-remote|init|fetch|config/);
    assert.deepEqual([seen, internet.asked], [[], []]);
  });

  test("what a database refuses is not in the cache: it is filled after the check", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, database, gosumdb } = room;
    database.tamper = (path, answer) => (path.startsWith("/lookup/") ? { ...answer, status: 404 } : answer);
    assert.notEqual((await go.run(download, { env: { GOSUMDB: gosumdb } })).code, 0);
    const at = join(go.modcache, "cache/download", hello, "@v");
    for (const ext of ["zip", "ziphash", "mod"]) assert.ok(!existsSync(join(at, `v1.0.0.${ext}`)), ext);
    database.tamper = undefined;
    await go.ok(download, { env: { GOSUMDB: gosumdb } });
    assert.ok(existsSync(join(at, "v1.0.0.zip")) && existsSync(join(at, "v1.0.0.ziphash")));
  });
});
