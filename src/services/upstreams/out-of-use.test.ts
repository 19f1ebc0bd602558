import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import type { Storage } from "#services/store/ports.ts";
import { StoreUnavailable, storageKey } from "#services/store/ports.ts";
import { OutOfUse } from "./out-of-use.ts";

const key = storageKey("state/upstreams.json");
const known = (name: string): boolean => name === "corp" || name === "mirror";

async function opened(storage: Storage) {
  const outOfUse = new OutOfUse(storage);
  assert.equal(await outOfUse.load(), undefined);
  return outOfUse;
}

test("what was disabled is still so for the next process, and what was enabled again is not", async () => {
  const storage = new MemoryStorage();
  const first = await opened(storage);
  assert.deepEqual([first.has("corp"), first.has("mirror")], [false, false]);
  assert.equal(await first.set("corp", true, known), true);
  assert.equal(await first.set("corp", true, known), false);
  assert.equal(await first.set("mirror", true, known), true);
  const second = await opened(storage);
  assert.deepEqual([second.has("corp"), second.has("mirror")], [true, true]);
  assert.equal(await second.set("corp", false, known), true);
  const third = await opened(storage);
  assert.deepEqual([third.has("corp"), third.has("mirror")], [false, true]);
});

test("many changes at once are all kept", async () => {
  const storage = new MemoryStorage();
  const first = await opened(storage);
  const names = Array.from({ length: 20 }, (_, n) => `u${n}`);
  await Promise.all(names.map((name) => first.set(name, true, () => true)));
  const second = await opened(storage);
  assert.ok(names.every((name) => second.has(name)));
});

test("names that are configured no more stay, a hundred of them at most; the configured ones always do", async () => {
  const storage = new MemoryStorage();
  const first = await opened(storage);
  await first.set("corp", true, known);
  for (let n = 0; n < 110; n++) await first.set(`gone${n}`, true, (name) => known(name) || name === `gone${n}`);
  await first.set("mirror", true, known);
  const second = await opened(storage);
  assert.deepEqual([second.has("corp"), second.has("mirror")], [true, true]);
  assert.deepEqual([second.has("gone9"), second.has("gone10"), second.has("gone109")], [false, true, true]);
});

for (const [name, text] of [
  ["no JSON", "x"],
  ["null", "null"],
  ["another form", '{"disabled":"corp"}'],
  ["no names", '{"disabled":[1]}'],
] as const)
  test(`a file that is ${name} is told, nobody is out of use, and the next word replaces it`, async () => {
    const storage = new MemoryStorage();
    await storage.create(key, Buffer.from(text));
    const first = new OutOfUse(storage);
    assert.equal((await first.load())?.key, key);
    assert.equal(first.has("corp"), false);
    await first.set("corp", true, known);
    assert.equal((await opened(storage)).has("corp"), true);
  });

test("a word that cannot be written down changes nothing, and the next one can be", async () => {
  const storage = new FaultyStorage(new MemoryStorage());
  const outOfUse = await opened(storage);
  storage.arm({ on: "replace", does: { kind: "unavailable", when: "before" } });
  await assert.rejects(outOfUse.set("corp", true, known), StoreUnavailable);
  assert.equal(outOfUse.has("corp"), false);
  assert.equal(await outOfUse.set("corp", true, known), true);
});
