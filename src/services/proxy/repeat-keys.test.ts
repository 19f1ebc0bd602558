import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { storageKey } from "#services/store/ports.ts";
import { RepeatKeys } from "./repeat-keys.ts";
import type { Claim } from "./repeat-keys.ts";

const day = 24 * 3_600_000;
const one: Claim = { by: "t1", what: "corp.example/m@v1.0.0", sha256: "aa", isMissing: true };

function room() {
  const wall = { now: () => Date.now() + wall.aheadMs, aheadMs: 0 };
  const storage = new MemoryStorage();
  return { wall, storage, keys: new RepeatKeys(storage, wall) };
}

test("the first claim is news, the same again gets the answer of the first time, by a later process too", async () => {
  const { storage, wall, keys } = room();
  assert.equal(await keys.claim("k", one), undefined);
  assert.equal(await keys.claim("k", { ...one, isMissing: false }), true);
  assert.equal(await new RepeatKeys(storage, wall).claim("k", { ...one, isMissing: false }), true);
  assert.equal(await keys.claim("other", { ...one, isMissing: false }), undefined);
  assert.equal(await keys.claim("other", one), false);
});

test("no key claims nothing", async () => {
  const { storage, keys } = room();
  for (let n = 0; n < 2; n++) assert.equal(await keys.claim(undefined, one), undefined);
  assert.deepEqual(await Array.fromAsync(storage.list("")), []);
});

test("a key stands for one version and one content, of one token", async () => {
  const { keys } = room();
  await keys.claim("k", one);
  for (const other of [
    { ...one, what: "corp.example/m@v1.0.1" },
    { ...one, sha256: "bb" },
  ])
    await assert.rejects(keys.claim("k", other), { code: "GRANARY_PUBLISH_KEY" });
  assert.equal(await keys.claim("k", { ...one, by: "t2", sha256: "bb" }), undefined);
});

test("after a day a key is free, and forgotten", async () => {
  const { keys, wall, storage } = room();
  await keys.claim("k", one);
  await keys.claim("left", one);
  wall.aheadMs = day - 60_000;
  assert.equal(await keys.claim("k", one), true);
  // Beyond the hour after which it looks again.
  wall.aheadMs = day + 7_200_000;
  assert.equal(await keys.claim("k", { ...one, sha256: "bb" }), undefined);
  assert.equal((await Array.fromAsync(storage.list("state/publish-keys/"))).length, 1);
});

test("two claims at once: one of them is first", async () => {
  const { keys } = room();
  const both = await Promise.all([keys.claim("k", one), keys.claim("k", one)]);
  assert.deepEqual(both.sort(), [true, undefined]);
});

test("a damaged entry stands for nothing", async () => {
  const { keys, storage } = room();
  await keys.claim("k", one);
  const [entry] = await Array.fromAsync(storage.list("state/publish-keys/"));
  const key = storageKey(entry!.key);
  await storage.replace(key, Buffer.from("{"), (await storage.stat(key))?.token);
  assert.equal(await keys.claim("k", { ...one, sha256: "bb" }), undefined);
});
