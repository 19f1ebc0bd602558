// sumweb and the agent with the real go: a folder served without any network; a certificate that go itself cannot show.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { systemClock } from "#adapters/system/clock.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { TestDatabase } from "#services/lab/sumdb-server.ts";
import { databaseFolder, markFolder } from "#services/sumdb/folder.ts";
import { SumdbMirror } from "#services/sumdb/mirror.ts";
import { atEnd } from "../support/at-end.ts";
import { makeCorp, operationsIn } from "../support/corp.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoClient, GoTool } from "../support/go.ts";
import { startCommand } from "../support/granary.ts";
import { makeModule, readModuleFixtures } from "../support/modules.ts";
import { startStubUpstream } from "../support/stub-upstream.ts";
import { startUpstreams, startWorld } from "../support/world.ts";

const hello = "example.com/hello@v1.0.0";

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

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "granary-sumweb-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Fills `dir` with the records of the fixtures and their proofs, as a mirror keeps them. */
async function fillFolder(dir: string, database: TestDatabase): Promise<void> {
  const storage = await openDiskStorage(dir);
  await markFolder(storage, database.verifierKey);
  const route = { name: "direct", knows: true, fetch: (path: string) => database.answer(path) };
  const folder = databaseFolder(storage, database.name);
  const mirror = new SumdbMirror({ key: database.verifierKey, routes: [route], storage: folder, clock: systemClock });
  const { signal } = new AbortController();
  for (const { path, version } of readModuleFixtures())
    if (!path.startsWith("corp.example/")) await mirror.lookup(checkModuleVersion(path, version), { signal });
  mirror.close();
}

async function filesIn(dir: string): Promise<string[]> {
  return (await readdir(dir, { recursive: true })).sort();
}

test("sumweb -db: a folder alone verifies for a plain go, and nothing in it changes", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { stub, database } = await startUpstreams();
  atEnd(t, () => stub.close());
  const dir = join(await newFolder(t), "sumdb");
  await fillFolder(dir, database);
  const before = await filesIn(dir);
  for (const name of ["index", "tree", "latest"]) assert.ok(before.includes(name), name);
  database.asked.length = 0;
  const sumweb = await startCommand(["sumweb", "-db", dir, "-addr", "127.0.0.1:0"]);
  atEnd(t, () => sumweb.stop());

  await t.test("by a URL in GOSUMDB", () =>
    withClient(tool, { GOPROXY: stub.url, GOSUMDB: `${database.verifierKey} ${sumweb.url}` }, (go) =>
      go.ok(["mod", "download", hello, "example.com/hello@v1.1.0", "example.com/multi/v2@v2.1.0"]),
    ),
  );
  await t.test("as the first entry of GOPROXY, which passes lookups on and has no modules", () =>
    withClient(tool, { GOPROXY: `${sumweb.url},${stub.url}`, GOSUMDB: database.verifierKey }, (go) =>
      go.ok(["mod", "download", hello]),
    ),
  );
  await t.test("other bytes are refused", async (t) => {
    const files = { "go.mod": "module example.com/hello\n", "moved.go": "package hello\n" };
    const liar = await startStubUpstream({
      modules: [makeModule({ path: "example.com/hello", version: "v1.0.0", files })],
    });
    atEnd(t, () => liar.close());
    await withClient(tool, { GOPROXY: liar.url, GOSUMDB: `${database.verifierKey} ${sumweb.url}` }, async (go) => {
      const { code, output } = await go.run(["mod", "download", hello]);
      assert.notEqual(code, 0);
      assert.match(output, /SECURITY ERROR/);
    });
  });
  await t.test("what the folder lacks is refused with the reason", async (t) => {
    const unknown = makeModule({ path: "example.com/unknown", version: "v1.0.0" });
    const other = await startStubUpstream({ modules: [unknown] });
    atEnd(t, () => other.close());
    await withClient(tool, { GOPROXY: other.url, GOSUMDB: `${database.verifierKey} ${sumweb.url}` }, async (go) => {
      const { code, output } = await go.run(["mod", "download", "example.com/unknown@v1.0.0"]);
      assert.notEqual(code, 0);
      assert.match(output, /GRANARY_SUMDB_NOT_FOUND/);
    });
  });
  assert.deepEqual(database.asked, [], "nobody asked the database itself");
  assert.deepEqual(await filesIn(dir), before);
});

test("go, the agent with a certificate, and a server that answers nobody without one", async (t) => {
  const tool = await needsGo(t);
  const corp = tool && (await makeCorp(t));
  if (tool === undefined || corp === undefined) return;
  const logs = join(corp.folder, "logs");
  const world = await startWorld({ flags: [...corp.flags, `--logdir=${logs}`] });
  atEnd(t, () => world.close());
  const url = world.granary.url.replace("127.0.0.1", "localhost");
  const agentWith = async (...flags: readonly string[]) => {
    const agent = await startCommand(["agent", "--listen=127.0.0.1:0", "--url", url, "--ca", corp.caFile, ...flags]);
    atEnd(t, () => agent.stop());
    return agent;
  };

  await t.test("modules and their proofs come through, GOSUMDB on", async () => {
    const agent = await agentWith("--cert", corp.alice.certFile, "--key", corp.alice.keyFile);
    await withClient(tool, { GOPROXY: agent.url, GOSUMDB: world.gosumdb }, async (go) => {
      await go.ok(["mod", "download", hello, "example.com/multi/v2@v2.1.0"]);
      await go.ok(["list", "-m", "-versions", "example.com/hello"]);
      const { code, output } = await go.run(["mod", "download", "example.com/hello@v9.9.9"]);
      assert.notEqual(code, 0);
      assert.match(output, /404 Not Found[^]*GRANARY_NOT_FOUND/);
    });
    // Written a little later, and in no promised order: without either line this never ends.
    const operations = await operationsIn(
      logs,
      8,
      (all) =>
        all.some(({ path }) => String(path).includes("/lookup/example.com/hello@v1.0.0")) &&
        all.some(({ path, status }) => String(path).endsWith("hello/@v/v1.0.0.zip") && status === 200),
    );
    assert.ok(operations.every(({ subject }) => subject === "CN=alice"));
  });
  for (const [what, flags, why] of [
    ["without a certificate", [], /GRANARY_CLIENT_CERTIFICATE: [^]*none was shown/],
    ["with a stranger's certificate", ["--cert", corp.eve.certFile, "--key", corp.eve.keyFile], /not accepted here/],
  ] as const)
    await t.test(`${what}: 403, and the reason on go's screen`, async () => {
      const agent = await agentWith(...flags);
      await withClient(tool, { GOPROXY: agent.url, GOSUMDB: world.gosumdb }, async (go) => {
        const { code, output } = await go.run(["mod", "download", hello]);
        assert.notEqual(code, 0);
        assert.match(output, /403 Forbidden/);
        assert.match(output, why);
      });
    });
});

test("strict: no handshake for strangers; the agent says what may be wrong", async (t) => {
  const tool = await needsGo(t);
  const corp = tool && (await makeCorp(t));
  if (tool === undefined || corp === undefined) return;
  const { stub, database } = await startUpstreams();
  atEnd(t, () => stub.close());
  const logs = join(corp.folder, "logs");
  const { server, caFile } = corp;
  // The guides' own flags: a mirror of one database behind certificates.
  const sumdb = `${database.verifierKey} ${stub.url}/sumdb/${database.name}`;
  const words = ["sumweb", "-http", "127.0.0.1:0", "-sumdb", sumdb, "-key", server.keyFile, "-cert", server.certFile];
  const more = ["-client-ca", caFile, "-client-auth", "strict", "-logdir", logs, "-store", join(corp.folder, "store")];
  const sumweb = await startCommand([...words, ...more]);
  atEnd(t, () => sumweb.stop());
  const url = sumweb.url.replace("127.0.0.1", "localhost");
  const base = ["agent", "--listen=127.0.0.1:0", "--url", url, "--ca", caFile];
  const download = async (flags: readonly string[]): ReturnType<GoClient["run"]> => {
    const agent = await startCommand([...base, ...flags]);
    try {
      const go = await newGoClient(tool, {
        GOPROXY: stub.url,
        GOSUMDB: `${database.verifierKey} ${agent.url}/sumdb/${database.name}`,
      });
      const result = await go.run(["mod", "download", hello]);
      await go.remove();
      return result;
    } finally {
      await agent.stop();
    }
  };
  const good = await download(["--cert", corp.alice.certFile, "--key", corp.alice.keyFile]);
  assert.equal(good.code, 0, good.output);
  for (const flags of [[], ["--cert", corp.eve.certFile, "--key", corp.eve.keyFile]]) {
    const { code, output } = await download(flags);
    assert.notEqual(code, 0);
    assert.match(output, /502 Bad Gateway[^]*GRANARY_AGENT_FAILED[^]*--cert/);
  }
  const operations = await operationsIn(logs, 4);
  assert.ok(operations.some(({ refused }) => refused === "no certificate"));
  assert.ok(operations.some(({ refused }) => typeof refused === "string" && refused !== "no certificate"));
  assert.ok(operations.some(({ subject, status }) => subject === "CN=alice" && status === 200));
});
