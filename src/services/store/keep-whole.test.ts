import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import {
  arrivalFacts,
  keepWhole,
  keepZipBytes,
  moduleVersion,
  someBytes,
  zipBytes,
} from "../../../test/support/manifests.ts";
import { versionKey } from "./layout.ts";
import { ModuleStore } from "./module-store.ts";
import { StoreUnavailable } from "./ports.ts";

const id = moduleVersion("corp.example/m", "v1.0.0");
const info = Buffer.from('{"Version":"v1.0.0"}');
const mod = Buffer.from("module corp.example/m\n");
const bytes = someBytes(70_000, 1);
const whole = { id, info, mod, bytes };

test("a new version is kept and listed; the same again is not new, other content is a conflict", async () => {
  const storage = new MemoryStorage();
  const store = new ModuleStore(storage);
  const first = await keepWhole(store, storage, whole);
  assert.ok("isNew" in first && first.isNew && !first.conflict);
  assert.deepEqual(await store.listKept(id.path), ["v1.0.0"]);
  const again = await keepWhole(store, storage, { ...whole, info: Buffer.from('{"Version":"v1.0.0","Time":"x"}') });
  assert.ok("isNew" in again && !again.isNew && !again.conflict);
  assert.equal((await keepWhole(store, storage, { ...whole, bytes: someBytes(70_000, 2) })).conflict, true);
  const otherMod = Buffer.from("module corp.example/m\n\ngo 1.21\n");
  assert.deepEqual(await keepWhole(store, storage, { ...whole, mod: otherMod }), { conflict: true });
  assert.deepEqual(Buffer.from((await store.findMod(id))!.info), info);
  assert.deepEqual(await zipBytes((await store.findZip(id))!), bytes);
});

test("what was kept in part is completed", async () => {
  const storage = new MemoryStorage();
  const store = new ModuleStore(storage);
  await store.keepMod({ id, info, mod, facts: arrivalFacts });
  const kept = await keepWhole(store, storage, whole);
  assert.ok("isNew" in kept && kept.isNew);
  assert.deepEqual(await zipBytes((await store.findZip(id))!), bytes);
});

test("after a failure between the manifests the zip is there, and nothing is unfinished otherwise", async () => {
  const inner = new MemoryStorage();
  const storage = new FaultyStorage(inner);
  storage.arm({ on: "create", key: /[.]zip[.]manifest$/, does: { kind: "unavailable", when: "before" } });
  const store = new ModuleStore(storage);
  await assert.rejects(keepWhole(store, storage, whole), StoreUnavailable);
  assert.ok((await store.findMod(id)) !== undefined);
  assert.equal(await store.findZip(id), undefined);
  const stage = await store.unfinishedZip(id);
  assert.ok(stage !== undefined && stage.size === bytes.length);
  await stage.discard();
  await inner.remove(versionKey(id, "zip"));
  assert.equal(await store.unfinishedZip(id), undefined);
  const kept = await keepWhole(store, storage, whole);
  assert.ok("isNew" in kept && kept.isNew);
  assert.equal(await store.unfinishedZip(id), undefined);
});

test("a zip that an upstream's commit left behind completes nothing", async () => {
  const storage = new MemoryStorage();
  const store = new ModuleStore(storage);
  await store.keepMod({ id, info, mod, facts: arrivalFacts });
  await keepZipBytes(store, storage, { id, bytes });
  await storage.remove(versionKey(id, "zip.manifest"));
  assert.equal(await new ModuleStore(storage).unfinishedZip(id), undefined);
});
