import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { loadConfig } from "./config.ts";
import { storeCommands } from "./store-commands.ts";

const flags = { values: {} };

async function withStore(
  work: (dir: string, commands: ReturnType<typeof storeCommands>) => Promise<void>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "granary-store-"));
  try {
    const machine = { env: {}, platform: "linux", home: dir, readFile: () => Promise.resolve(undefined) };
    const load = () => loadConfig({ flags: { values: { store: dir } }, machine });
    await work(dir, storeCommands(load, new URL(import.meta.url)));
  } finally {
    await rm(dir, { recursive: true });
  }
}

suite("commands that look after a store", () => {
  test("a token is shown once, kept as a hash, listed, revoked and told as events", async () => {
    await withStore(async (dir, commands) => {
      const { text, info } = await commands.tokenAdd({ scope: "read", note: "ci" }, flags);
      assert.deepEqual(await commands.tokenList(flags), [info]);
      assert.ok(!(await readFile(join(dir, "state/tokens.json"), "utf8")).includes(text));
      await commands.tokenRevoke(info.id, flags);
      assert.deepEqual(await commands.tokenList(flags), []);
      await assert.rejects(commands.tokenRevoke(info.id, flags), { code: "GRANARY_NO_SUCH_ID" });
      const events = await readFile(join(dir, "state/events.jsonl"), "utf8");
      assert.match(events, /token\.added[^]*token\.revoked/);
      assert.ok(!events.includes(text));
    });
  });

  test("what a running server is writing in tmp/ is left alone", async () => {
    await withStore(async (dir, commands) => {
      await mkdir(join(dir, "tmp"));
      await writeFile(join(dir, "tmp", `${process.ppid}-stage`), "half a zip");
      await commands.tokenList(flags);
      assert.equal(await readFile(join(dir, "tmp", `${process.ppid}-stage`), "utf8"), "half a zip");
    });
  });

  test("stats count versions, zips and records by their names", async () => {
    await withStore(async (dir, commands) => {
      const versions = join(dir, "modules/example.com/m/@v");
      const lookups = join(dir, "modules/sumdb/sum.example/lookup/example.com");
      await Promise.all([mkdir(versions, { recursive: true }), mkdir(lookups, { recursive: true })]);
      const names = ["v1.0.0.mod.manifest", "v1.0.0.zip.manifest", "v1.0.0.zip", "v1.1.0.mod.manifest", "list"];
      const files = [...names.map((name) => join(versions, name)), join(lookups, "m@v1.0.0")];
      await Promise.all(files.map((file) => writeFile(file, "12345")));
      const want = { dir, modules: 1, versions: 2, zips: 1, evicted: 0, bytes: 30, records: 1 };
      assert.deepEqual(await commands.storeStats(flags), want);
    });
  });

  test("what is not there, or cannot be, is said as such", async () => {
    await withStore(async (_dir, commands) => {
      assert.deepEqual(await commands.quarantineList(flags), []);
      assert.deepEqual(await commands.hashesList(flags), []);
      await assert.rejects(commands.quarantineShow("x", flags), { code: "GRANARY_NO_SUCH_ID" });
      await assert.rejects(commands.hashesForget("example.com/m@v1.0.0", flags), { code: "GRANARY_NO_SUCH_ID" });
      await assert.rejects(commands.hashesForget("nonsense", flags), { code: "GRANARY_BAD_USAGE" });
    });
  });
});
