import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { StandingClock } from "../../../test/support/proxy-room.ts";
import { storageKey } from "./ports.ts";
import type { Storage } from "./ports.ts";
import { troubleOf } from "./trouble.ts";
import { WatchedStorage } from "./watched-storage.ts";

const key = storageKey("a/b");
const bytes = Buffer.from("hello");

function watched() {
  const clock = new StandingClock();
  const faulty = new FaultyStorage(new MemoryStorage());
  const wrote: number[] = [];
  const failed: unknown[] = [];
  const storage: Storage = new WatchedStorage(faulty, {
    clock,
    watcher: { wrote: (ms) => wrote.push(ms), failed: (error) => failed.push(troubleOf(error)) },
  });
  return { clock, faulty, storage, wrote, failed };
}

test("writes are timed from their begin to their end; what wrote nothing is not", async () => {
  const { clock, faulty, storage, wrote } = watched();
  const slow = Promise.resolve().then(() => clock.pass(40));
  faulty.arm({ on: "create", does: { kind: "delay", until: slow } });
  assert.equal(await storage.create(key, bytes), "created");
  assert.equal(await storage.create(key, bytes), "exists");
  assert.equal(await storage.replace(key, bytes, "another token"), "conflict");
  assert.equal(await storage.replace(key, bytes, (await storage.stat(key))?.token), "replaced");
  assert.deepEqual(wrote, [40, 0]);
});

test("a stage is put in its place and not timed", async () => {
  const { storage, wrote } = watched();
  const stage = await storage.stage(10);
  await stage.write(bytes);
  await stage.seal();
  assert.equal(await storage.create(key, stage), "created");
  assert.deepEqual(wrote, []);
  assert.deepEqual(Buffer.from((await storage.get(key, 10))?.bytes ?? []), bytes);
});

for (const call of ["create", "replace", "remove", "stage"] as const)
  test(`a failing ${call} is told and thrown on`, async () => {
    const { faulty, storage, wrote, failed } = watched();
    faulty.arm({ on: call, does: { kind: "full", when: "before" } });
    const calls = {
      create: () => storage.create(key, bytes),
      replace: () => storage.replace(key, bytes, undefined),
      remove: () => storage.remove(key),
      stage: () => storage.stage(1),
    };
    await assert.rejects(calls[call](), { name: "StoreUnavailable" });
    assert.deepEqual([failed, wrote], [["full"], []]);
  });

test("reads go through as they are", async () => {
  const { storage, failed } = watched();
  await storage.create(key, bytes);
  const object = await storage.open(key);
  assert.equal(object?.size, 5);
  await object.close();
  const names: string[] = [];
  for await (const { key: name } of storage.list("a/")) names.push(name);
  assert.deepEqual([names, storage.lasting, failed], [["a/b"], undefined, []]);
});
