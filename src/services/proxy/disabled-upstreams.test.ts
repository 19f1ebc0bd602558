import assert from "node:assert/strict";
import { test } from "node:test";
import { StoreUnavailable, storageKey } from "#services/store/ports.ts";
import { PlainStorage } from "../../../test/support/plain-storage.ts";
import { DisabledUpstreams } from "./disabled-upstreams.ts";

test("what was disabled is so after a restart, and what was enabled is not", async () => {
  const storage = new PlainStorage();
  const first = new DisabledUpstreams(storage);
  await first.load();
  assert.deepEqual([first.has("a"), first.set("a", false).changed], [false, false]);
  for (const name of ["a", "b"]) await first.set(name, true).kept;
  assert.equal(first.set("a", true).changed, false);
  await first.set("b", false).kept;
  const second = new DisabledUpstreams(storage);
  await second.load();
  assert.deepEqual([second.has("a"), second.has("b")], [true, false]);
});

test("it holds at once, whatever the disk says", async () => {
  const storage = new PlainStorage();
  storage.replace = () => Promise.reject(new StoreUnavailable("full", "no space"));
  const disabled = new DisabledUpstreams(storage);
  const { changed, kept } = disabled.set("a", true);
  assert.deepEqual([changed, disabled.has("a")], [true, true]);
  await assert.rejects(kept, StoreUnavailable);
});

test("two changes at once are both written down", async () => {
  const storage = new PlainStorage();
  const disabled = new DisabledUpstreams(storage);
  await Promise.all([disabled.set("a", true).kept, disabled.set("b", true).kept]);
  const again = new DisabledUpstreams(storage);
  await again.load();
  assert.deepEqual([again.has("a"), again.has("b")], [true, true]);
});

for (const text of ["", "{", "null", "[]", '{"disabled":{"a":true}}', '{"disabled":[1,null]}'])
  test(`a file that is none of ours says nothing: ${text}`, async () => {
    const storage = new PlainStorage();
    await storage.create(storageKey("state/upstreams.json"), Buffer.from(text));
    const disabled = new DisabledUpstreams(storage);
    await disabled.load();
    assert.equal(disabled.has("a"), false);
    await disabled.set("a", true).kept;
  });
