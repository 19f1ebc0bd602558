import assert from "node:assert/strict";
import test from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { storageKey } from "#services/store/ports.ts";
import { TellingStorage } from "./telling-storage.ts";

const key = storageKey("modules/x.io/m/@v/v1.0.0.zip.manifest");

test("what others have copies of is told when it was removed or replaced; nothing else, and not what was not done", async () => {
  const told: string[] = [];
  const storage = new TellingStorage(new MemoryStorage(), (each) => Promise.resolve(void told.push(each)));
  const list = storageKey("modules/x.io/m/@v/list");
  for (const each of [key, list]) assert.equal(await storage.create(each, Buffer.from("1")), "created");
  const token = (await storage.stat(key))?.token;
  assert.equal(await storage.replace(key, Buffer.from("2"), undefined), "conflict");
  assert.equal(await storage.replace(list, Buffer.from("2"), (await storage.stat(list))?.token), "replaced");
  assert.deepEqual(told, []);
  assert.equal(await storage.replace(key, Buffer.from("2"), token), "replaced");
  assert.equal(await storage.remove(key), true);
  assert.equal(await storage.remove(key), false);
  assert.deepEqual(told, [key, key]);
});

test("what a storage can do beside is passed on; what it cannot is absent", async () => {
  const plain = new TellingStorage(new MemoryStorage(), () => Promise.resolve());
  assert.equal(plain.doubt, undefined);
  assert.equal(plain.linkTo, undefined);
  assert.equal(plain.isAway, false);
  const inner = Object.assign(new MemoryStorage(), {
    doubt: () => Promise.resolve(true),
    linkTo: () => Promise.resolve("https://x.io/"),
    isAway: true,
  });
  const storage = new TellingStorage(inner, () => Promise.resolve());
  assert.equal(storage.isAway, true);
  assert.equal(await storage.doubt?.(key), true);
  assert.equal(await storage.linkTo?.(key), "https://x.io/");
});
