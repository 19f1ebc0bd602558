// What documents claim of the checksum database and of go.sum, tried with the real go (src/services/myths).
import assert from "node:assert/strict";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { makeModule } from "../support/modules.ts";
import { anotherUpstream, goVersions, hello, helloV1, mythRoom, startInternet } from "../support/myth-room.ts";
import type { StubUpstream } from "../support/stub-upstream.ts";
import { fixtureZip } from "../support/fixture-zip.ts";

const evil = fixtureZip(
  makeModule({ path: hello, version: "v1.0.0", files: { "go.mod": `module ${hello}\n`, "a.go": "package hello\n" } }),
);
const download = ["mod", "download", helloV1];

/** Serves a zip of other content than the one on record. */
function lie(stub: StubUpstream): void {
  stub.fault(/\.zip$/, { kind: "bytes", body: evil });
}

suite("myths of the checksum database", { concurrency: 4 }, () => {
  test("GONOPROXY keeps no module from the checksum database, GONOSUMDB and GOPRIVATE do", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, stub, database, gosumdb } = room;
    const internet = await startInternet(t, { [hello]: stub.url });
    const direct = { ...internet.env, GOPROXY: "off", GOINSECURE: hello, GOSUMDB: gosumdb };
    await go.ok(download, { env: { ...direct, GONOPROXY: "*" } });
    assert.ok(
      database.asked.some((path) => path === `/lookup/${helloV1}`),
      database.asked.join(" "),
    );
    const proxied = { GOPROXY: stub.url, GOSUMDB: gosumdb };
    for (const [n, env] of [
      { ...proxied, GONOSUMDB: hello },
      { ...direct, GOPRIVATE: hello },
    ].entries()) {
      database.asked.length = 0;
      await go.ok(download, { env: { ...env, GOMODCACHE: join(go.home, String(n)) } });
      assert.deepEqual(database.asked, []);
    }
  });

  test("what GOSUMDB is not: every value that documents invent is refused", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, gosumdb } = room;
    const malformed = [
      "sum.golang.org+insecure",
      "https://proxy.example/sumdb",
      "proxy.example/sumdb",
      "sum.golang.google.cn https://gocenter.example/sumdb",
      "private-sumdb@https://sumdb.corp.example",
      "direct",
      "localhost:8081",
      "http://localhost:8081",
    ];
    for (const GOSUMDB of malformed) {
      const { code, output } = await go.run(download, { env: { GOSUMDB, GOMODCACHE: join(go.home, "malformed") } });
      assert.notEqual(code, 0);
      assert.match(output, /invalid GOSUMDB: malformed verifier id/, GOSUMDB);
    }
    const two = await go.run(download, { env: { GOSUMDB: `${gosumdb} ${gosumdb}` } });
    assert.match(two.output, /invalid GOSUMDB: too many fields/);
    await go.ok(download, { env: { GOSUMDB: gosumdb, GOMODCACHE: join(go.home, "right") } });
  });

  test("go asks one database for /supported, lookups and tiles, never for /latest, and keeps what it proved", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, stub, seen, database } = room;
    const internet = await startInternet(t);
    const env = { ...internet.env, GOSUMDB: database.verifierKey };
    await go.ok(download, { env });
    await go.ok(["mod", "download", `${hello}@v1.1.0`], { env });
    const base = `/sumdb/${database.name}`;
    const asked = seen.map(({ url }) => url).filter((url) => url.startsWith("/sumdb/"));
    assert.equal(asked[0], `${base}/supported`);
    assert.ok(asked.includes(`${base}/lookup/${helloV1}`));
    const known = /\/(?:supported|lookup\/[^/]+\/[^/]+@[^/]+|tile\/8\/\d\/\d{3}(?:\.p\/\d+)?)$/;
    assert.deepEqual(
      asked.filter((url) => !known.test(url)),
      [],
    );
    assert.deepEqual(internet.asked, [], "nobody but the proxy was asked");
    const head = join(go.gopath, "pkg/sumdb", database.name, "latest");
    assert.match(await readFile(head, "utf8"), /^go\.sum database tree\n2\n/);
    const kept = await readdir(join(go.modcache, "cache/download/sumdb", database.name));
    assert.deepEqual(kept.sort(), ["lookup", "tile"]);
    // A head that another key signed is no head.
    database.tamper = (path, answer) => {
      const text = Buffer.from(answer.bytes)
        .toString()
        .replace(/^(— \S+ )(.)/m, (_all, name: string) => `${name}B`);
      return path.startsWith("/lookup/") ? { ...answer, bytes: Buffer.from(text) } : answer;
    };
    const forged = await go.run(download, { env: { ...env, GOMODCACHE: join(go.home, "forged") } });
    assert.match(forged.output, /invalid signature|no verifiable signatures/);
    assert.equal(stub.requests(`${base}/latest`), 0);
  });

  test("a module that GONOSUMDB matches is still held against go.sum", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, stub, gosumdb, database } = room;
    const cwd = join(go.home, "main");
    await mkdir(cwd);
    await writeFile(join(cwd, "go.mod"), `module main.test/m\n\ngo 1.19\n\nrequire ${hello} v1.0.0\n`);
    const env = { GOSUMDB: gosumdb, GONOSUMDB: "*" };
    await go.ok(download, { cwd, env });
    lie(stub);
    const mismatch = await go.run(download, { cwd, env: { ...env, GOMODCACHE: join(go.home, "fresh") } });
    assert.match(mismatch.output, /checksum mismatch[^]*go\.sum:[^]*SECURITY ERROR/);
    assert.deepEqual(database.asked, []);
  });

  test("a mismatch ends it: no other proxy is asked, nothing is kept, and no file takes the record's place", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, stub, gosumdb } = room;
    const honest = await anotherUpstream(t);
    lie(stub);
    await writeFile(join(go.home, "integrity.txt"), "anything\n");
    for (const separator of [",", "|"]) {
      const env = { GOPROXY: stub.url + separator + honest.url, GOSUMDB: gosumdb };
      const { code, output } = await go.run(download, { cwd: go.home, env });
      assert.notEqual(code, 0);
      assert.match(output, /verifying module: checksum mismatch[^]*SECURITY ERROR/);
    }
    assert.equal(honest.requests(/\.zip$/), 0);
    const kept = await readdir(join(go.modcache, "cache/download", hello, "@v"));
    assert.deepEqual(
      kept.filter((name) => name.endsWith(".zip") || name.endsWith(".ziphash")),
      [],
    );
  });

  test("-x prints requests and nothing of verification", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { output } = await room.go.ok(["mod", "download", "-x", helloV1], { env: { GOSUMDB: room.gosumdb } });
    const lines = output.trim().split("\n");
    assert.ok(lines.length >= 8, output);
    assert.deepEqual(
      lines.filter((line) => !line.startsWith("# get http://127.0.0.1:")),
      [],
    );
    assert.doesNotMatch(output, /verifying|sum\.db/);
  });

  test("a database that fails is an error that names what was being verified, and the way to it never changes", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, database, stub } = room;
    const internet = await startInternet(t);
    for (const status of [404, 500]) {
      database.tamper = (path, answer) => (path.startsWith("/lookup/") ? { ...answer, status } : answer);
      const env = { ...internet.env, GOPROXY: `${stub.url},direct`, GOSUMDB: database.verifierKey };
      const { code, output } = await go.run(download, { env });
      assert.notEqual(code, 0);
      assert.match(output, new RegExp(`verifying (?:go\\.mod|module): [^]*reading ${stub.url}/sumdb/[^]*${status}`));
      assert.doesNotMatch(output, /failed to fetch sum/);
    }
    assert.deepEqual(internet.asked, [], "after /supported nobody else is asked");
    stub.fault(/\/supported$/, { kind: "status", status: 404 });
    await go.run(download, { env: { ...internet.env, GOSUMDB: database.verifierKey } });
    assert.deepEqual([...new Set(internet.asked)], [`CONNECT ${database.name}:443`]);
  });

  test("off builds nothing new, a folder with the database's files does so offline and verified", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, stub, database } = room;
    const internet = await startInternet(t);
    await go.ok(download, { env: { GOSUMDB: database.verifierKey } });
    const folder = join(go.home, "carried");
    await cp(join(go.modcache, "cache/download"), folder, { recursive: true });
    await writeFile(join(folder, "sumdb", database.name, "supported"), "");
    await stub.cut();
    const fresh = { ...internet.env, GOSUMDB: database.verifierKey, GOMODCACHE: join(go.home, "fresh") };
    const off = await go.run(download, { env: { ...fresh, GOPROXY: "off" } });
    assert.match(off.output, /module lookup disabled by GOPROXY=off/);
    await go.ok(download, { env: { ...fresh, GOPROXY: `file://${folder}` } });
    await rm(join(folder, "sumdb"), { recursive: true });
    const unproven = { ...fresh, GOPROXY: `file://${folder}`, GOMODCACHE: join(go.home, "unproven") };
    assert.notEqual((await go.run(download, { env: unproven })).code, 0);
  });

  test("what comes directly is held against the database too", async (t) => {
    const room = await mythRoom(t);
    if (room === undefined) return;
    const { go, gosumdb, stub } = room;
    lie(stub);
    const internet = await startInternet(t, { [hello]: stub.url });
    const env = { ...internet.env, GOPROXY: "direct", GOINSECURE: hello, GOSUMDB: gosumdb };
    assert.match((await go.run(download, { env })).output, /checksum mismatch[^]*SECURITY ERROR/);
  });

  test("nobody needs to set GOSUMDB: sum.golang.org is what it is", async (t) => {
    for (const tool of await goVersions(t, ["1.19.13", "1.27.3"])) {
      const room = await mythRoom(t, { tool });
      const asked = await room?.go.ok(["env", "GOSUMDB"], { env: { GOSUMDB: "" } });
      assert.equal(asked?.stdout.trim(), "sum.golang.org");
    }
  });
});
