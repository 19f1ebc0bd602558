import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { arrivalFacts as facts, moduleVersion, someBytes, zipFacts } from "../../../test/support/manifests.ts";
import { listKey, versionKey } from "./layout.ts";
import type { VersionFile } from "./layout.ts";
import { ModuleStore } from "./module-store.ts";
import type { StorageKey } from "./ports.ts";
import { storageKey } from "./ports.ts";
import { storeStats, verifyStore } from "./survey.ts";

const one = moduleVersion("example.com/One", "v1.0.0");
const two = moduleVersion("example.com/two", "v1.2.0-RC1");
const pseudo = moduleVersion("example.com/two", "v0.0.0-20240102030405-0123456789ab");
const zip = someBytes(150_000, 3);

/** Three versions whole, one of which no list names, and one with its go.mod only. */
async function filled(): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const store = new ModuleStore(storage);
  for (const id of [one, two, pseudo]) {
    await store.keepMod({ id, info: Buffer.from("{}"), mod: Buffer.from(`module ${id.path}\n`), facts });
    const stage = await storage.stage(zip.length);
    await stage.write(zip);
    await stage.seal();
    await store.keepZip({ id, stage, zip: zipFacts(zip), facts });
  }
  const modOnly = moduleVersion("example.com/two", "v1.3.0");
  await store.keepMod({ id: modOnly, info: Buffer.from("{}"), mod: Buffer.from("module example.com/two\n"), facts });
  return storage;
}

async function put(storage: MemoryStorage, key: StorageKey, bytes: Uint8Array): Promise<void> {
  assert.equal(await storage.replace(key, bytes, (await storage.stat(key))?.token), "replaced");
}

async function findings(storage: MemoryStorage | FaultyStorage): Promise<string[]> {
  const survey = await verifyStore(storage, () => undefined);
  return survey.findings.map(({ key }) => key).sort();
}

suite("store stats", () => {
  test("an empty store is all noughts", async () => {
    const nothing = { modules: 0, versions: 0, zips: 0, evicted: 0, bytes: 0, records: 0 };
    assert.deepEqual(await storeStats(new MemoryStorage()), nothing);
  });

  test("versions are counted by their manifests, bytes by what lies there", async () => {
    const storage = await filled();
    const listed = await Array.fromAsync(storage.list("modules/"));
    const bytes = listed.reduce((sum, { size }) => sum + size, 0);
    assert.deepEqual(await storeStats(storage), { modules: 2, versions: 4, zips: 3, evicted: 0, bytes, records: 0 });
  });

  test("records are counted, tiles are not, neither is a module", async () => {
    const storage = new MemoryStorage();
    await storage.create(storageKey("modules/sumdb/sum.example/lookup/example.com/m@v1.0.0-x.mod.manifest"), zip);
    await storage.create(storageKey("modules/sumdb/sum.example/tile/8/0/000"), zip);
    const want = { modules: 0, versions: 0, zips: 0, evicted: 0, bytes: 2 * zip.length, records: 1 };
    assert.deepEqual(await storeStats(storage), want);
  });
});

suite("verifying a store", () => {
  test("a sound store has no findings, and every byte was read", async () => {
    const storage = await filled();
    const seen: number[] = [];
    const survey = await verifyStore(storage, (checked) => seen.push(checked));
    assert.deepEqual(survey.findings, []);
    assert.equal(survey.checked, 7);
    assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7]);
    assert.ok(survey.bytes >= 3 * zip.length);
  });

  for (const file of ["info", "mod", "zip"] as const) {
    test(`a changed ${file} is found`, async () => {
      const storage = await filled();
      const key = versionKey(one, file);
      const bytes = Uint8Array.from((await storage.get(key, 1 << 20))!.bytes);
      bytes[bytes.length - 1]! ^= 1;
      await put(storage, key, bytes);
      assert.deepEqual(await findings(storage), [key]);
    });

    test(`a ${file} that is gone is found`, async () => {
      const storage = await filled();
      await storage.remove(versionKey(one, file));
      assert.deepEqual(await findings(storage), [versionKey(one, file)]);
    });
  }

  test("all that is wrong with one version is found at once", async () => {
    const storage = await filled();
    const files: readonly VersionFile[] = ["info", "mod", "zip"];
    for (const file of files) await put(storage, versionKey(two, file), Buffer.from("?"));
    await storage.remove(listKey(two.path));
    const want = [listKey(two.path), ...files.map((file) => versionKey(two, file))];
    assert.deepEqual(await findings(storage), want.sort());
  });

  for (const [how, bytes] of [
    ["torn", Buffer.from("{")],
    ["huge", new Uint8Array(2 << 20)],
  ] as const)
    test(`a ${how} manifest is found, at itself and at the one that names it`, async () => {
      const storage = await filled();
      const key = versionKey(one, "mod.manifest");
      await put(storage, key, bytes);
      assert.deepEqual(await findings(storage), [key, key]);
    });

  test("manifests swapped between two versions are found", async () => {
    const storage = await filled();
    const [a, b] = [versionKey(one, "zip.manifest"), versionKey(two, "zip.manifest")];
    const [ofA, ofB] = [await storage.get(a, 1 << 20), await storage.get(b, 1 << 20)];
    await put(storage, a, ofB!.bytes);
    await put(storage, b, ofA!.bytes);
    assert.deepEqual(await findings(storage), [a, b].sort());
  });

  test("a complete version that its list does not name is found; a pseudo-version need not be named", async () => {
    const storage = await filled();
    await storage.remove(listKey(one.path));
    assert.deepEqual(await findings(storage), [listKey(one.path)]);
  });

  test("leftovers and checksum records are no findings", async () => {
    const storage = await filled();
    await storage.create(versionKey(moduleVersion("example.com/left", "v1.0.0"), "zip"), zip);
    await storage.create(storageKey("modules/sumdb/sum.example/lookup/example.com/m@v1.0.0-x.mod.manifest"), zip);
    assert.deepEqual(await findings(storage), []);
  });

  test("what cannot be read is a finding, and the rest is looked over", async () => {
    const storage = await filled();
    const faulty = new FaultyStorage(storage);
    await storage.remove(versionKey(two, "info"));
    faulty.arm({ on: "read", key: /!one.*zip$/, does: { kind: "unavailable", when: "before" } });
    assert.deepEqual(await findings(faulty), [versionKey(one, "zip.manifest"), versionKey(two, "info")].sort());
  });

  test("one flipped bit on its way from the disk is found", async () => {
    const faulty = new FaultyStorage(await filled());
    faulty.arm({ on: "read", key: /two.*zip$/, does: { kind: "flip", at: 70_000 } });
    assert.equal((await findings(faulty)).length, 1);
  });
});
