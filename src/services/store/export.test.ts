import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { arrivalFacts as facts, moduleVersion, someBytes, zipFacts } from "../../../test/support/manifests.ts";
import { keysOf } from "../../../test/support/proxy-room.ts";
import { exportVersions } from "./export.ts";
import type { ExportReport, ExportUse } from "./export.ts";
import { Selection } from "./export-selection.ts";
import { listKey, versionKey } from "./layout.ts";
import type { VersionFile } from "./layout.ts";
import { ModuleStore } from "./module-store.ts";

const one = moduleVersion("example.com/One", "v1.0.0");
const two = moduleVersion("example.com/One", "v1.1.0");
const modOnly = moduleVersion("example.com/two", "v1.0.0");
const pseudo = moduleVersion("example.com/two", "v0.0.0-20240102030405-0123456789ab");

async function filled(): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const store = new ModuleStore(storage);
  for (const [n, id] of [one, two, modOnly, pseudo].entries()) {
    await store.keepMod({ id, info: Buffer.from("{}"), mod: Buffer.from(`module ${id.path}\n`), facts });
    if (id === modOnly) continue;
    const zip = someBytes(70_000, n);
    const stage = await storage.stage(zip.length);
    await stage.write(zip);
    await stage.seal();
    await store.keepZip({ id, stage, zip: zipFacts(zip), facts });
  }
  return storage;
}

async function run(from: MemoryStorage, to: MemoryStorage, more: Partial<ExportUse> = {}): Promise<ExportReport> {
  return await exportVersions({
    from,
    to,
    selection: new Selection(),
    prove: () => Promise.resolve(undefined),
    jobs: 2,
    signal: new AbortController().signal,
    progress: () => undefined,
    ...more,
  });
}

async function damage(storage: MemoryStorage, id: typeof one, file: VersionFile): Promise<void> {
  const key = versionKey(id, file);
  const bytes = (await storage.get(key, 1 << 20))?.bytes ?? new Uint8Array();
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await storage.replace(key, bytes, (await storage.stat(key))?.token);
}

const picked = (...texts: string[]): Selection => {
  const selection = new Selection();
  for (const text of texts) selection.add(text);
  return selection;
};

suite("an export", () => {
  test("has every kept version, lists of the complete ones, and no manifest", async () => {
    const [from, to] = [await filled(), new MemoryStorage()];
    const report = await run(from, to);
    assert.deepEqual([report.versions, report.zips, report.written, report.leftOut], [4, 3, 12, []]);
    const keys = await keysOf(to, "modules/");
    assert.ok(!keys.some((key) => key.endsWith(".manifest")) && keys.length === 12);
    assert.equal(Buffer.from((await to.get(listKey(one.path), 100))?.bytes ?? []).toString(), "v1.0.0\nv1.1.0\n");
    assert.equal((await to.stat(listKey(two.path))) === undefined, false);
    assert.equal(await to.stat(versionKey(modOnly, "zip")), undefined);
  });

  test("writes nothing again that is the same, and mends what is not", async () => {
    const [from, to] = [await filled(), new MemoryStorage()];
    await run(from, to);
    const again = await run(from, to);
    assert.deepEqual([again.written, again.bytes, again.same], [0, 0, 11]);
    await damage(to, one, "zip");
    const mended = await run(from, to);
    assert.deepEqual([mended.written, mended.bytes], [1, 70_000]);
    assert.deepEqual(
      (await to.get(versionKey(one, "zip"), 1 << 20))?.bytes,
      (await from.get(versionKey(one, "zip"), 1 << 20))?.bytes,
    );
  });

  for (const file of ["info", "mod", "zip", "mod.manifest", "zip.manifest"] as const)
    test(`leaves out a version whose ${file} is damaged, and says so`, async () => {
      const [from, to] = [await filled(), new MemoryStorage()];
      await damage(from, one, file);
      const report = await run(from, to);
      assert.deepEqual(
        report.leftOut.map(({ why }) => why),
        ["damaged"],
      );
      assert.match(
        report.leftOut[0]?.what ?? "",
        /^example[.]com\/(One@v1[.]0[.]0|!one\/@v\/v1[.]0[.]0[.]mod[.]manifest)$/,
      );
      assert.equal(report.versions, 3);
      assert.equal(Buffer.from((await to.get(listKey(one.path), 100))?.bytes ?? []).toString(), "v1.1.0\n");
      assert.equal(await to.stat(versionKey(one, "info")), undefined, "no client learns of it");
    });

  test("copies nothing of a version that cannot be proven", async () => {
    const [from, to] = [await filled(), new MemoryStorage()];
    const prove: ExportUse["prove"] = (id) =>
      Promise.resolve(id === one || id.version === one.version ? "no tile" : undefined);
    const report = await run(from, to, { prove });
    assert.deepEqual(
      report.leftOut.map(({ what, why, reason }) => `${what} ${why} ${reason}`),
      ["example.com/One@v1.0.0 unproven no tile", "example.com/two@v1.0.0 unproven no tile"],
    );
    assert.equal(await to.stat(versionKey(one, "zip")), undefined);
  });

  test("keeps what an earlier one named", async () => {
    const [from, to] = [await filled(), new MemoryStorage()];
    await run(from, to, { selection: picked("example.com/One@v1.0.0") });
    assert.equal(Buffer.from((await to.get(listKey(one.path), 100))?.bytes ?? []).toString(), "v1.0.0\n");
    await run(from, to, { selection: picked("example.com/One@v1.1.0") });
    assert.equal(Buffer.from((await to.get(listKey(one.path), 100))?.bytes ?? []).toString(), "v1.0.0\nv1.1.0\n");
  });
});

suite("what is exported", () => {
  const cases: readonly (readonly [string, Selection, readonly string[], readonly string[]])[] = [
    ["a version by name", picked("example.com/One@v1.1.0"), ["example.com/One@v1.1.0 zip"], []],
    [
      "modules by pattern",
      picked("example.com/t*"),
      ["example.com/two@v0.0.0-20240102030405-0123456789ab zip", "example.com/two@v1.0.0 mod"],
      [],
    ],
    ["modules by path", picked("example.com/One"), ["example.com/One@v1.0.0 zip", "example.com/One@v1.1.0 zip"], []],
    [
      "what is not there is said",
      picked("example.com/One@v1.5.0", "example.com/two@v1.0.0"),
      ["example.com/two@v1.0.0 mod"],
      ["example.com/One@v1.5.0", "example.com/two@v1.0.0"],
    ],
  ];
  for (const [title, selection, want, missing] of cases)
    test(title, async () => {
      const to = new MemoryStorage();
      const report = await run(await filled(), to, { selection });
      const found: string[] = [];
      for (const id of [one, two, pseudo, modOnly])
        if ((await to.stat(versionKey(id, "mod"))) !== undefined)
          found.push(
            `${id.path}@${id.version} ${(await to.stat(versionKey(id, "zip"))) === undefined ? "mod" : "zip"}`,
          );
      assert.deepEqual([found.sort(), report.missing], [want, missing]);
    });

  test("what a go.sum names: the zip only where it has a line", async () => {
    const selection = new Selection();
    const lines = [
      "example.com/One v1.0.0/go.mod h1:x=",
      "example.com/One v1.1.0 h1:x=",
      "example.com/One v1.1.0/go.mod h1:x=",
    ];
    assert.deepEqual(selection.addGoSum(`${lines.join("\n")}\n`), []);
    assert.equal(selection.addGoSum("nonsense\n").length, 1);
    const to = new MemoryStorage();
    const report = await run(await filled(), to, { selection });
    assert.deepEqual([report.versions, report.zips, report.missing], [2, 1, []]);
    assert.equal(await to.stat(versionKey(one, "zip")), undefined);
  });

  test("a name that is neither version nor path nor pattern is a mistake", () => {
    for (const text of ["example.com/a@v1", "nodot", "example.com/a@v2.0.0"])
      assert.throws(() => new Selection().add(text), { name: "ProtocolError" }, text);
  });
});
