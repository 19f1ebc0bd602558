import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import {
  arrivalFacts as facts,
  keepZipBytes,
  moduleVersion,
  someBytes,
  zipBytes,
} from "../../../test/support/manifests.ts";
import { StoreDamaged } from "./errors.ts";
import { listKey, versionKey } from "./layout.ts";
import { ModuleStore } from "./module-store.ts";
import { StoreUnavailable } from "./ports.ts";
import type { Storage } from "./ports.ts";
import { verifyStore } from "./survey.ts";

const id = moduleVersion("example.com/m", "v1.2.0");
const other = moduleVersion("example.com/m", "v1.3.0");
const info = Buffer.from('{"Version":"v1.2.0"}');
/** The same version as an upstream tells it later. */
const newInfo = Buffer.from('{"Version":"v1.2.0","Origin":{"VCS":"git"}}');
const mod = Buffer.from("module example.com/m\n");
const zip = someBytes(66_000, 3);
const why = { reason: "age", atMs: Date.UTC(2026, 0, 2) } as const;

async function keep(storage: Storage, store: ModuleStore, of: ModuleVersion, told = info): Promise<void> {
  await store.keepMod({ id: of, info: told, mod, facts });
  await keepZipBytes(store, storage, { id: of, bytes: zip });
}

async function kept(storage: Storage = new MemoryStorage()) {
  const store = new ModuleStore(storage);
  await keep(storage, store, id);
  await keep(storage, store, other);
  return { storage, store };
}

const names = async (storage: Storage) =>
  (await Array.fromAsync(storage.list("modules/example.com/m/@v/")))
    .map(({ key }) => key.slice(key.lastIndexOf("/@v/") + 4))
    .filter((name) => name.startsWith(id.version))
    .sort();

const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

async function isAsCommitted(store: ModuleStore): Promise<void> {
  const found = await store.findMod(id);
  assert.deepEqual([text(found?.info), text(found?.mod)], [text(info), text(mod)]);
  const foundZip = await store.findZip(id);
  assert.ok(foundZip !== undefined);
  assert.deepEqual(await zipBytes(foundZip), zip);
}

suite("eviction", () => {
  test("takes the files, leaves manifests and a tombstone, and tells how much it freed", async () => {
    const { storage, store } = await kept();
    assert.equal(await store.evict(id, why), info.length + mod.length + zip.length);
    assert.deepEqual(await names(storage), [
      `${id.version}.mod.manifest`,
      `${id.version}.tombstone`,
      `${id.version}.zip.manifest`,
    ]);
    assert.equal(await store.findMod(id), undefined);
    assert.equal(await store.findZip(id), undefined);
    assert.deepEqual(await store.listKept(id.path), [other.version]);
    assert.deepEqual(await new ModuleStore(storage).listKept(id.path), [other.version]);
    assert.deepEqual((await verifyStore(storage, () => undefined)).findings, []);
  });

  test("what comes back is what was committed, also when upstreams tell `.info` anew", async () => {
    const { storage, store } = await kept();
    await store.evict(id, why);
    await keep(storage, store, id, newInfo);
    await isAsCommitted(store);
    assert.ok(!(await names(storage)).includes(`${id.version}.tombstone`));
    assert.deepEqual((await store.listKept(id.path)).sort(), [id.version, other.version]);
  });

  test("other bytes under the name of an evicted version are a conflict, and nothing is kept of them", async () => {
    const { storage, store } = await kept();
    await store.evict(id, why);
    const forged = Buffer.from("module example.com/m\n\ngo 1.99\n");
    await assert.rejects(store.keepMod({ id, info, mod: forged, facts }), StoreDamaged);
    await store.keepMod({ id, info, mod, facts });
    const keeping = await keepZipBytes(store, storage, { id, bytes: someBytes(66_000, 4) });
    assert.equal(keeping.conflict, true);
    assert.equal(await storage.stat(versionKey(id, "zip")), undefined);
    assert.equal(await store.findZip(id), undefined);
  });

  test("go.mod alone can come back; the zip stays evicted until it comes too", async () => {
    const { storage, store } = await kept();
    await store.evict(id, why);
    await store.keepMod({ id, info: newInfo, mod, facts });
    assert.equal(text((await store.findMod(id))?.info), text(info));
    assert.equal(await store.findZip(id), undefined);
    assert.deepEqual((await verifyStore(storage, () => undefined)).findings, []);
    await keepZipBytes(store, storage, { id, bytes: zip });
    await isAsCommitted(store);
  });

  test("whoever reads a zip reads it to its end", async () => {
    const { store } = await kept();
    const object = await (await store.findZip(id))?.open();
    assert.ok(object !== undefined);
    const bytes = new Uint8Array(zip.length);
    await object.read(0, bytes.subarray(0, 1000));
    await store.evict(id, why);
    for (let at = 1000; at < bytes.length;) at += await object.read(at, bytes.subarray(at));
    await object.close();
    assert.deepEqual(bytes, zip);
    assert.equal(await store.findZip(id), undefined);
  });

  test("a version of which only go.mod is kept is evicted too, and comes back without a tombstone", async () => {
    const storage = new MemoryStorage();
    const store = new ModuleStore(storage);
    await store.keepMod({ id, info, mod, facts });
    assert.equal(await store.evict(id, why), info.length + mod.length);
    assert.equal(await store.findMod(id), undefined);
    await store.keepMod({ id, info: newInfo, mod, facts });
    assert.deepEqual(await names(storage), [`${id.version}.info`, `${id.version}.mod`, `${id.version}.mod.manifest`]);
  });

  test("what was never kept cannot be evicted", async () => {
    const { storage, store } = await kept();
    assert.equal(await store.evict(moduleVersion("example.com/m", "v1.9.0"), why), 0);
    assert.equal(await storage.stat(versionKey(moduleVersion("example.com/m", "v1.9.0"), "tombstone")), undefined);
  });

  test("a tombstone that is not one leaves missing files missing: damage, not absence", async () => {
    const { storage, store } = await kept();
    await store.evict(id, why);
    const key = versionKey(id, "tombstone");
    await storage.replace(key, Buffer.from("{}"), (await storage.stat(key))?.token);
    await assert.rejects(store.findMod(id), StoreDamaged);
    await assert.rejects(store.findZip(id), StoreDamaged);
  });

  for (const when of ["before", "after"] as const)
    test(`stopped ${when} any of its calls, it leaves a version that is found as committed or not at all, and comes back whole`, async () => {
      let calls = 0;
      for (let skip = 0; ; skip++) {
        const inner = new MemoryStorage();
        await kept(inner);
        const faulty = new FaultyStorage(inner);
        faulty.arm({
          on: ["get", "stat", "create", "replace", "remove", "list"],
          skip,
          does: { kind: "unavailable", when },
        });
        const stopped = await new ModuleStore(faulty).evict(id, why).then(
          () => false,
          (error: unknown) => error instanceof StoreUnavailable,
        );
        calls = faulty.calls.length;
        // A new process, as after a crash.
        const store = new ModuleStore(inner);
        const found = await store.findMod(id);
        if (found !== undefined) assert.equal(text(found.info), text(info));
        const foundZip = await store.findZip(id);
        if (foundZip !== undefined) assert.deepEqual(await zipBytes(foundZip), zip);
        await keep(inner, store, id, newInfo);
        await isAsCommitted(store);
        assert.deepEqual((await store.listKept(id.path)).sort(), [id.version, other.version]);
        assert.ok((await inner.stat(listKey(id.path))) !== undefined);
        assert.deepEqual((await verifyStore(inner, () => undefined)).findings, []);
        if (!stopped) break;
      }
      assert.ok(calls > 10, `${calls} calls`);
    });
});
