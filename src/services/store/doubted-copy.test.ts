// A storage with copies in front of the objects: a rotten copy is dropped and read once more, and is no damage of the store.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import {
  arrivalFacts as facts,
  keepZipBytes,
  moduleVersion,
  someBytes,
  zipBytes,
} from "../../../test/support/manifests.ts";
import { StoreDamaged } from "./errors.ts";
import { versionKey } from "./layout.ts";
import type { VersionFile } from "./layout.ts";
import { ModuleStore } from "./module-store.ts";
import type { StorageKey } from "./ports.ts";

const id = moduleVersion("example.com/copied", "v1.0.0");
const zip = someBytes(200_000, 3);

/** Answers reads from copies where it has some. */
class Copied extends MemoryStorage {
  readonly copies = new MemoryStorage();
  doubts = 0;
  override async get(key: StorageKey, maxBytes: number) {
    return (await this.copies.get(key, maxBytes)) ?? (await super.get(key, maxBytes));
  }
  override async open(key: StorageKey) {
    return (await this.copies.open(key)) ?? (await super.open(key));
  }
  async doubt(key: StorageKey): Promise<boolean> {
    this.doubts++;
    return await this.copies.remove(key);
  }
}

async function kept(): Promise<Copied> {
  const storage = new Copied();
  const store = new ModuleStore(storage);
  await store.keepMod({
    id,
    info: Buffer.from('{"Version":"v1.0.0"}'),
    mod: Buffer.from(`module ${id.path}\n`),
    facts,
  });
  await keepZipBytes(store, storage, { id, bytes: zip });
  return storage;
}

async function readsAll(storage: Copied): Promise<void> {
  const store = new ModuleStore(storage);
  assert.equal(Buffer.from((await store.findMod(id))!.info).toString(), '{"Version":"v1.0.0"}');
  assert.deepEqual(await zipBytes((await store.findZip(id))!), zip);
  assert.deepEqual(await zipBytes((await store.findZip(id))!), zip);
}

const files: readonly VersionFile[] = ["info", "mod", "zip", "mod.manifest", "zip.manifest"];
for (const file of files)
  for (const [how, spoil] of [
    ["changed", (bytes: Uint8Array) => Uint8Array.from(bytes).fill(65, 3, 9)],
    ["cut", (bytes: Uint8Array) => bytes.subarray(0, 7)],
  ] as const)
    test(`a copy of ${file} that was ${how} is read once more`, async () => {
      const storage = await kept();
      const sound = await storage.get(versionKey(id, file), 1 << 20);
      await storage.copies.create(versionKey(id, file), spoil(sound!.bytes));
      await readsAll(storage);
      assert.equal(storage.doubts, 1);
    });

test("what is wrong with the object itself is damage all the same", async () => {
  for (const file of files) {
    const storage = await kept();
    const key = versionKey(id, file);
    const token = (await storage.stat(key))!.token;
    const { bytes } = (await storage.get(key, 1 << 20))!;
    await storage.replace(key, Uint8Array.from(bytes).fill(65, 3, 9), token);
    await assert.rejects(readsAll(storage), StoreDamaged, file);
  }
});
