import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { HandClock } from "../../../test/support/hand-clock.ts";
import { moduleVersion } from "../../../test/support/manifests.ts";
import { HeldVersions } from "./held.ts";
import { StoreUnavailable, storageKey } from "./ports.ts";

const one = moduleVersion("example.com/m", "v1.0.0");
const two = moduleVersion("example.com/n", "v1.1.0");
const file = storageKey("state/held.json");

test("a held version is known to another process at its next look, and so is its freedom", async () => {
  const storage = new MemoryStorage();
  const [here, there] = [new HeldVersions(storage, new HandClock()), new HeldVersions(storage, new HandClock())];
  assert.equal(await here.hold(one, "stolen key"), true);
  assert.equal(await here.hold(one, "again"), false);
  assert.equal(there.of(one.path, one.version), undefined);
  assert.deepEqual(await there.look(), [one.path]);
  assert.equal(there.of(one.path, one.version)?.reason, "stolen key");
  assert.equal(there.of(one.path, "v1.0.1"), undefined);
  assert.equal(await there.hold(two, ""), true);
  assert.deepEqual(
    (await here.list()).map(({ module }) => module),
    [one.path, two.path],
  );
  assert.equal(await there.free(one), true);
  assert.equal(await there.free(one), false);
  assert.deepEqual(await here.look(), [one.path]);
  assert.deepEqual(await here.look(), []);
  assert.equal(here.of(one.path, one.version), undefined);
});

test("two who hold at once lose neither's word", async () => {
  const storage = new MemoryStorage();
  const both = [one, two].map((id) => new HeldVersions(storage, new HandClock()).hold(id, ""));
  assert.deepEqual(await Promise.all(both), [true, true]);
  assert.equal((await new HeldVersions(storage, new HandClock()).list()).length, 2);
});

test("a file that cannot be read frees nobody, and is told once", async () => {
  const storage = new MemoryStorage();
  const clock = new HandClock();
  const held = new HeldVersions(storage, clock);
  await held.hold(one, "");
  await storage.replace(file, Buffer.from("{"), (await storage.stat(file))?.token);
  await assert.rejects(held.look(), StoreUnavailable);
  assert.ok(held.of(one.path, one.version) !== undefined);
  await assert.rejects(held.free(one), StoreUnavailable);
  const stop = new AbortController();
  const told: string[] = [];
  const running = held.run(stop.signal, { changed: () => Promise.resolve(), unread: (reason) => told.push(reason) });
  for (let n = 0; n < 3; n++) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.pass(2_000);
  }
  stop.abort();
  await clock.pass(2_000);
  await running;
  assert.equal(told.length, 1);
});
