// What a store holds of a database, handed on: whatever was kept in whatever order under whatever heads, a mirror that
// knows only the store proves all of it, and a plain go command verifies it from what that mirror kept.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { hashGoMod } from "#protocol/dirhash.ts";
import { parseVerifierKey } from "#protocol/note.ts";
import { checkModuleVersion, type ModuleVersion } from "#protocol/version.ts";
import { TestDatabase } from "../lab/sumdb-server.ts";
import { MemoryTree } from "../../../test/support/memory-tree.ts";
import { PlainStorage } from "../../../test/support/plain-storage.ts";
import { FileProxyClient } from "../../../test/support/sumdb-client.ts";
import { keptRoute } from "./kept-route.ts";
import { lookupKey, tileKey } from "./layout.ts";
import { SumdbMirror } from "./mirror.ts";
import type { SumdbRoute } from "./ports.ts";
import { newestHeadIn } from "./source-head.ts";

const name = "sum.example";
const seed = new Uint8Array(32).fill(5);
const { signal } = new AbortController();
const clock = { now: () => 0, sleep: () => Promise.resolve() };
const moduleId = (n: number): ModuleVersion => checkModuleVersion(`example.com/m${n}`, "v1.0.0");
const sumsOf = (n: number) => ({ zip: hashGoMod(Buffer.from(`zip ${n}`)), mod: hashGoMod(Buffer.from(`mod ${n}`)) });

async function grow(database: TestDatabase, size: number): Promise<void> {
  for (let n = database.size; n < size; n++) await database.addModule(moduleId(n), sumsOf(n));
}

function open(route: SumdbRoute, storage: PlainStorage): SumdbMirror {
  return new SumdbMirror({ key: new TestDatabase({ name, seed }).verifierKey, routes: [route], storage, clock });
}

/** A store that kept some records while the database grew, over several starts. */
async function filled(): Promise<{ storage: PlainStorage; kept: number[] }> {
  const database = new TestDatabase({ name, seed });
  const storage = new PlainStorage();
  const kept: number[] = [];
  for (const [size, wanted] of [
    [3, [2]],
    [257, [256, 1]],
    [300, [299, 40]],
    [1_025, [1_024, 0]],
    [1_300, [1_100]],
  ] as const) {
    await grow(database, size);
    const mirror = open({ name: "direct", knows: true, fetch: (path) => database.answer(path) }, storage);
    for (const n of wanted) await mirror.lookup(moduleId(n), { signal });
    kept.push(...wanted);
  }
  return { storage, kept };
}

suite("a store as the way to a database", () => {
  test("all that was kept is proven from it, and verified by a go from what that proof was kept in", async () => {
    const { storage, kept } = await filled();
    const verifier = parseVerifierKey(new TestDatabase({ name, seed }).verifierKey);
    for (const order of [kept, kept.toReversed()]) {
      const tree = new PlainStorage();
      const mirror = open(keptRoute(storage, name), tree);
      for (const n of order) await mirror.lookup(moduleId(n), { signal });
      for (const asked of [kept, kept.toReversed()]) {
        const client = new FileProxyClient(tree, verifier);
        for (const n of asked) assert.deepEqual(await client.lookup(moduleId(n)), sumsOf(n));
      }
    }
  });

  test("only what the records need is handed on", async () => {
    const { storage, kept } = await filled();
    const tree = new PlainStorage();
    await open(keptRoute(storage, name), tree).lookup(moduleId(kept[0] ?? 0), { signal });
    const lookups = [...tree.objects.keys()].filter((key) => key.includes("/lookup/"));
    assert.deepEqual(lookups, [lookupKey(name, moduleId(kept[0] ?? 0))]);
    assert.ok(tree.objects.size < storage.objects.size);
  });

  test("a damaged tile or record is not handed on", async () => {
    for (const key of [tileKey(name, { height: 8, level: 0, index: 0, width: 256 }), lookupKey(name, moduleId(1))]) {
      const { storage } = await filled();
      const object = storage.objects.get(key);
      assert.ok(object !== undefined, key);
      object.bytes[40] = (object.bytes[40] ?? 0) ^ 1;
      const tree = new PlainStorage();
      await assert.rejects(open(keptRoute(storage, name), tree).lookup(moduleId(1), { signal }), {
        name: "SumdbError",
      });
      assert.deepEqual(
        [...tree.objects.keys()].filter((each) => each.includes("/lookup/")),
        [],
      );
    }
  });

  test("what was never kept is not there, and nobody says that it does not exist", async () => {
    const { storage } = await filled();
    const lookup = open(keptRoute(storage, name), new PlainStorage()).lookup(moduleId(7), { signal });
    await assert.rejects(lookup, { code: "SUMDB_UNREACHABLE" });
  });
});

suite("the newest head of a foreign directory", () => {
  const database = new TestDatabase({ name, seed });
  const other = new TestDatabase({ name, seed: new Uint8Array(32).fill(6) });
  const verifier = parseVerifierKey(database.verifierKey);
  const lookupOf = async (of: TestDatabase, n: number): Promise<Uint8Array> =>
    (await of.answer(`/lookup/${moduleId(n).path}@v1.0.0`)).bytes;

  test("is the largest that the key has signed, wherever it lies", async () => {
    await grow(database, 3);
    const early = await lookupOf(database, 0);
    const latest = (await database.answer("/latest")).bytes;
    await grow(database, 9);
    await grow(other, 50);
    const tree = new MemoryTree({
      "s/lookup/example.com/m0@v1.0.0": early,
      "s/lookup/example.com/m5@v1.0.0": await lookupOf(database, 5),
      "s/lookup/example.com/forged@v1.0.0": await lookupOf(other, 40),
      "s/lookup/example.com/torn@v1.0.0": early.subarray(0, 60),
      "s/latest": latest,
    });
    const newest = await newestHeadIn(tree, "s", { verifier, atHand: [undefined, latest] });
    assert.match(Buffer.from(newest ?? []).toString(), /\n9\n/);
    await grow(database, 12);
    const atHand = [(await database.answer("/latest")).bytes];
    assert.match(Buffer.from((await newestHeadIn(tree, "s", { verifier, atHand })) ?? []).toString(), /\n12\n/);
  });

  test("is none where there is none, or where nothing can be read", async () => {
    const use = { verifier, atHand: [] };
    assert.equal(await newestHeadIn(new MemoryTree(), "s", use), undefined);
    const locked = new MemoryTree({ "s/lookup/a@v1.0.0": "x", "s/latest": "x" });
    locked.locked.add("s/latest").add("s/lookup");
    assert.equal(await newestHeadIn(locked, "s", use), undefined);
  });
});
