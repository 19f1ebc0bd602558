import assert from "node:assert/strict";
import { beforeEach, suite, test } from "node:test";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { parsePath } from "#protocol/path.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import type { Clock } from "./ports.ts";
import { StoreUnavailable, storageKey } from "./ports.ts";
import { Quarantine, quarantinedBytesKey } from "./quarantine.ts";
import type { Refused } from "./quarantine.ts";

let now: number;
const clock: Clock = { now: () => now, sleep: () => Promise.reject(new Error("nobody sleeps here")) };
let disk: MemoryStorage;
let storage: FaultyStorage;
let quarantine: Quarantine;

beforeEach(() => {
  now = Date.UTC(2026, 0, 2);
  disk = new MemoryStorage();
  storage = new FaultyStorage(disk);
  quarantine = newQuarantine();
});

suite("quarantine", () => {
  test("refused bytes are held with what was expected, what was found and who sent them", async () => {
    const id = await quarantine.put(lie(1, 10));
    assert.match(id, /^[0-9a-f]{16}$/);
    const { path, version } = lie(1, 10).id;
    const fact = {
      id,
      path,
      version,
      kind: "mod",
      upstream: "mirror",
      expected: "h1:good",
      found: "h1:bad1",
      size: 10,
    };
    assert.deepEqual(await quarantine.find(id), { ...fact, at: "2026-01-02T00:00:00.000Z" });
    assert.deepEqual(await quarantine.list(), [await quarantine.find(id)]);
    assert.equal((await disk.get(quarantinedBytesKey(id), 100))?.bytes.length, 10);
  });

  test("a sealed stage is taken over", async () => {
    const stage = await storage.stage(10);
    await stage.write(new Uint8Array(10));
    await stage.seal();
    const id = await quarantine.put({ ...lie(1, 0), kind: "zip", bytes: stage });
    await stage.discard();
    assert.equal((await quarantine.find(id))?.size, 10);
    assert.equal((await disk.stat(quarantinedBytesKey(id)))?.size, 10);
  });

  test("the same lie is held once, another one beside it", async () => {
    const id = await quarantine.put(lie(1, 10));
    now += 1000;
    assert.equal(await quarantine.put(lie(1, 10)), id);
    assert.equal((await quarantine.list()).length, 1);
    assert.notEqual(await quarantine.put(lie(2, 10)), id);
    assert.notEqual(await quarantine.put({ ...lie(1, 10), upstream: "other" }), id);
    assert.equal((await quarantine.list()).length, 3);
  });

  test("the list is oldest first", async () => {
    const ids = [];
    for (let n = 0; n < 4; n++) {
      ids.push(await quarantine.put(lie(n, 1)));
      now += 1000;
    }
    assert.deepEqual(
      (await quarantine.list()).map((fact) => fact.id),
      ids,
    );
  });

  test("the oldest leave when the bytes would be too many", async () => {
    const ids = await putMany(3, 40);
    assert.deepEqual(
      (await quarantine.list()).map((fact) => fact.id),
      ids.slice(1),
    );
    assert.equal(await disk.stat(quarantinedBytesKey(ids[0]!)), undefined);
  });

  test("the oldest leave when the pieces would be too many", async () => {
    const ids = await putMany(7, 1);
    assert.deepEqual(
      (await quarantine.list()).map((fact) => fact.id),
      ids.slice(3),
    );
  });

  test("what an earlier process held counts as well", async () => {
    const before = await putMany(2, 40);
    quarantine = newQuarantine();
    const id = await quarantine.put(lie(9, 40));
    assert.deepEqual(
      (await quarantine.list()).map((fact) => fact.id),
      [before[1], id],
    );
  });

  test("32 lies at once stay within the limits", async () => {
    await Promise.all(Array.from({ length: 32 }, (_, n) => quarantine.put(lie(n, 30))));
    assert.equal((await quarantine.list()).length, 3);
    assert.equal((await keys()).length, 6);
  });

  test("remove takes both files; an unknown or a hostile id is nothing", async () => {
    const id = await quarantine.put(lie(1, 10));
    await quarantine.remove("0123456789abcdef");
    await quarantine.remove("../../granary.json");
    assert.equal(await quarantine.find("../x"), undefined);
    await quarantine.remove(id);
    assert.deepEqual(await keys(), []);
    assert.equal(await quarantine.find(id), undefined);
  });

  for (const step of [0, 1, 2, 3])
    for (const when of ["before", "after"] as const)
      test(`a fault ${when} change ${step} is told, and the same lie can be put again`, async () => {
        storage.arm({ on: ["create", "remove"], skip: step, does: { kind: "unavailable", when } });
        await assert.rejects(quarantine.put(lie(1, 10)), StoreUnavailable);
        storage.heal();
        const id = await quarantine.put(lie(1, 10));
        assert.equal((await quarantine.find(id))?.size, 10);
        assert.equal((await disk.stat(quarantinedBytesKey(id)))?.size, 10);
        assert.equal((await keys()).length, 2);
      });

  test("a crash between fact and bytes leaves room for the whole", async () => {
    const id = await quarantine.put(lie(1, 10));
    await disk.remove(quarantinedBytesKey(id));
    assert.equal(await newQuarantine().put(lie(1, 10)), id);
    assert.equal((await disk.stat(quarantinedBytesKey(id)))?.size, 10);
  });

  test("bytes that nothing tells of leave with the first refusal", async () => {
    await disk.create(quarantinedBytesKey("00000000000000aa"), new Uint8Array(5));
    await disk.create(storageKey("state/quarantine/00000000000000bb.json"), Buffer.from("{torn"));
    await disk.create(quarantinedBytesKey("00000000000000bb"), new Uint8Array(5));
    assert.deepEqual(await quarantine.list(), []);
    await quarantine.put(lie(1, 10));
    assert.equal((await keys()).length, 2);
  });

  for (const text of ["null", "[]", '{"id":"00000000000000cc"}', '{"id":"other"}'])
    test(`a fact that holds ${text} is left out`, async () => {
      await disk.create(storageKey("state/quarantine/00000000000000cc.json"), Buffer.from(text));
      assert.equal(await quarantine.find("00000000000000cc"), undefined);
      assert.deepEqual(await quarantine.list(), []);
    });
});

function newQuarantine(): Quarantine {
  return new Quarantine(storage, clock, { maxBytes: 100, maxPieces: 4 });
}

function lie(n: number, size: number): Refused {
  return {
    upstream: "mirror",
    id: checkModuleVersion(parsePath("example.com/Lied"), "v1.0.0"),
    kind: "mod",
    bytes: new Uint8Array(size).fill(n),
    expected: "h1:good",
    found: `h1:bad${n}`,
  };
}

async function putMany(count: number, size: number): Promise<string[]> {
  const ids = [];
  for (let n = 0; n < count; n++) {
    ids.push(await quarantine.put(lie(n, size)));
    now += 1000;
  }
  return ids;
}

async function keys(): Promise<string[]> {
  const found = [];
  for await (const { key } of disk.list("")) found.push(key);
  return found;
}
