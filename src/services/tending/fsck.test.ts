import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { listKey, versionKey } from "#services/store/layout.ts";
import type { VersionFile } from "#services/store/layout.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import type { Storage, StorageKey } from "#services/store/ports.ts";
import { HandClock } from "../../../test/support/hand-clock.ts";
import {
  arrivalFacts as facts,
  keepWhole,
  keepZipBytes,
  moduleVersion,
  someBytes,
  zipBytes,
} from "../../../test/support/manifests.ts";
import { fsck } from "./fsck.ts";
import type { FsckReport, FsckUse } from "./fsck.ts";

const id = moduleVersion("example.com/m", "v1.2.0");
const other = moduleVersion("example.com/m", "v1.3.0");
const modOnly = moduleVersion("example.com/n", "v1.0.0");
const info = Buffer.from('{"Version":"v1.2.0"}');
const mod = Buffer.from("module example.com/m\n");
const zip = someBytes(70_000, 3);
const evictedAt = { reason: "age", atMs: Date.UTC(2026, 0, 1) } as const;

async function keep(storage: Storage, of: ModuleVersion): Promise<void> {
  const store = new ModuleStore(storage);
  await store.keepMod({ id: of, info, mod, facts });
  await keepZipBytes(store, storage, { id: of, bytes: zip });
}

async function filled(): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  await keep(storage, id);
  await keep(storage, other);
  await new ModuleStore(storage).keepMod({ id: modOnly, info, mod, facts });
  return storage;
}

/** Looks after everything is a day old. */
async function look(storage: Storage, how: Partial<FsckUse> = {}): Promise<FsckReport> {
  const clock = new HandClock();
  clock.now = () => Date.now() + 86_400_000;
  const signal = new AbortController().signal;
  return await fsck({ storage, store: new ModuleStore(storage), clock, isDeep: true, repairs: false, signal, ...how });
}

const kindsOf = (report: FsckReport) => report.findings.map(({ key, kind }) => `${kind} ${key.replace(/.*@v./, "")}`);

async function put(storage: Storage, key: StorageKey, bytes: Uint8Array): Promise<void> {
  assert.equal(await storage.replace(key, bytes, (await storage.stat(key))?.token), "replaced");
}

async function allKeys(storage: Storage): Promise<StorageKey[]> {
  return (await Array.fromAsync(storage.list("modules/"))).map(({ key }) => key);
}

suite("fsck", () => {
  test("a sound store has no findings, evicted versions and all", async () => {
    const storage = await filled();
    await new ModuleStore(storage).evict(other, evictedAt);
    const report = await look(storage);
    assert.deepEqual([report.findings, report.versions, report.evicted], [[], 3, 1]);
    assert.equal(report.bytes, 2 * (info.length + mod.length) + zip.length);
    assert.equal((await look(storage, { isDeep: false })).bytes, 0);
  });

  for (const [file, kind] of [
    ["info", "damaged"],
    ["mod", "damaged"],
    ["zip", "damaged"],
  ] as const)
    test(`a changed ${file} is found and taken away; the committed bytes come back with the next keep`, async () => {
      const storage = await filled();
      const key = versionKey(id, file);
      const bytes = Uint8Array.from((await storage.get(key, 1 << 20))?.bytes ?? []);
      bytes[3] = (bytes[3] ?? 0) ^ 1;
      await put(storage, key, bytes);
      assert.deepEqual(kindsOf(await look(storage)), [`${kind} v1.2.0.${file}`]);
      assert.deepEqual(kindsOf(await look(storage, { isDeep: false })), [], "only reading tells");
      const repaired = await look(storage, { repairs: true });
      assert.ok(repaired.findings.every(({ isMended }) => isMended));
      assert.equal(await storage.stat(key), undefined);
      assert.deepEqual(kindsOf(await look(storage)), []);
      const store = new ModuleStore(storage);
      if (file !== "zip") assert.equal(await store.findMod(id), undefined, "a miss, no damage: it can be fetched");
      else assert.equal(await store.findZip(id), undefined);
      await keep(storage, id);
      const found = await new ModuleStore(storage).findZip(id);
      assert.deepEqual(found && (await zipBytes(found)), zip);
      assert.deepEqual(kindsOf(await look(storage)), []);
    });

  test("what nobody else may have is left to a person", async () => {
    const storage = new MemoryStorage();
    const store = new ModuleStore(storage);
    await store.keepMod({ id, info, mod, facts: { ...facts, verifiedBy: "pin" } });
    await put(storage, versionKey(id, "mod"), Buffer.from("module evil\n"));
    const { findings } = await look(storage, { repairs: true });
    assert.deepEqual(
      findings.map(({ isMended }) => isMended),
      [false],
    );
    assert.ok((await storage.stat(versionKey(id, "mod"))) !== undefined);
  });

  test("a published zip whose process died before its manifest is no leftover: it completes its version", async () => {
    const storage = await filled();
    const published = moduleVersion("corp.example/p", "v1.0.0");
    const store = new ModuleStore(storage);
    await keepWhole(store, storage, { id: published, info, mod, bytes: zip });
    await storage.remove(versionKey(published, "zip.manifest"));
    assert.deepEqual(kindsOf(await look(storage, { repairs: true })), []);
    assert.ok((await store.unfinishedZip(published)) !== undefined);
  });

  test("leftovers are found once they are old, and removed", async () => {
    const storage = await filled();
    const stray = moduleVersion("example.com/m", "v1.9.0");
    for (const file of ["info", "mod", "zip"] as const) await storage.create(versionKey(stray, file), mod);
    await storage.create(versionKey(modOnly, "zip"), zip);
    const young = new HandClock();
    young.now = () => Date.now();
    assert.deepEqual(kindsOf(await look(storage, { clock: young, repairs: true })), []);
    const wanted = ["leftover v1.0.0.zip", "leftover v1.9.0.info", "leftover v1.9.0.mod", "leftover v1.9.0.zip"];
    assert.deepEqual(kindsOf(await look(storage, { repairs: true })).sort(), wanted);
    assert.deepEqual(kindsOf(await look(storage)), []);
  });

  test("lists and tombstones are put right", async () => {
    const storage = await filled();
    await put(storage, listKey(id.path), Buffer.from("v1.3.0\nv7.7.7\n"));
    const tombstone = versionKey(other, "tombstone");
    await storage.create(tombstone, Buffer.from("{}"));
    await storage.create(versionKey(moduleVersion("example.com/m", "v1.9.0"), "tombstone"), Buffer.from("{}"));
    const found = await look(storage, { repairs: true });
    assert.deepEqual(kindsOf(found).sort(), ["list list", "tombstone v1.3.0.tombstone", "tombstone v1.9.0.tombstone"]);
    assert.deepEqual(kindsOf(await look(storage)), []);
    assert.deepEqual(await new ModuleStore(storage).listKept(id.path), ["v1.2.0", "v1.3.0"]);
  });

  test("a damaged manifest is named, and nothing of its version is touched", async () => {
    const storage = await filled();
    await put(storage, versionKey(id, "mod.manifest"), Buffer.from("{"));
    const before = await allKeys(storage);
    const report = await look(storage, { repairs: true });
    assert.deepEqual(kindsOf(report), ["manifest v1.2.0.mod.manifest", "manifest v1.2.0.mod.manifest"]);
    assert.ok(report.findings.every(({ isMended }) => !isMended));
    assert.deepEqual(await allKeys(storage), before);
  });

  test("whichever file is gone or spoilt, one repair leaves nothing to repair, and nothing wrong to find", async () => {
    const files = (await allKeys(await filled())).length;
    for (let n = 0; n < files; n++)
      for (const spoil of [undefined, (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1)]) {
        const storage = await filled();
        const key = (await allKeys(storage))[n];
        assert.ok(key !== undefined);
        const bytes = Uint8Array.from((await storage.get(key, 1 << 20))?.bytes ?? []);
        await storage.remove(key);
        if (spoil !== undefined) await storage.create(key, spoil(bytes));
        await look(storage, { repairs: true });
        const second = await look(storage, { repairs: true });
        assert.deepEqual(
          second.findings.filter(({ isMended }) => isMended),
          [],
          key,
        );
        const store = new ModuleStore(storage);
        for (const one of [id, other]) {
          const found = await store.findZip(one).catch(() => undefined);
          if (found !== undefined) assert.deepEqual(await zipBytes(found), zip);
        }
      }
  });

  test("what cannot be read is a finding, and the rest is looked at", async () => {
    const faulty = new FaultyStorage(await filled());
    const file: VersionFile = "zip";
    faulty.arm({ on: "open", key: new RegExp(`v1.2.0.${file}$`), does: { kind: "unavailable", when: "before" } });
    assert.deepEqual(kindsOf(await look(faulty)), ["unreadable v1.2.0.zip.manifest"]);
  });
});
