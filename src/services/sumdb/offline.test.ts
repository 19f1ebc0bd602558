// A plain go command, with nothing but the store, verifies every kept record, in whatever order it asks.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hashGoMod } from "#protocol/dirhash.ts";
import { parseLookup } from "#protocol/record.ts";
import { parseVerifierKey } from "#protocol/note.ts";
import { checkModuleVersion, type ModuleVersion } from "#protocol/version.ts";
import { TestDatabase } from "../lab/sumdb-server.ts";
import { PlainStorage } from "../../../test/support/plain-storage.ts";
import { FileProxyClient } from "../../../test/support/sumdb-client.ts";
import { lookupKey } from "./layout.ts";
import { SumdbMirror } from "./mirror.ts";

const name = "sum.example";
const seed = new Uint8Array(32).fill(5);
const { signal } = new AbortController();
const moduleId = (n: number): ModuleVersion => checkModuleVersion(`example.com/m${n}`, "v1.0.0");
const sumsOf = (n: number) => ({ zip: hashGoMod(Buffer.from(`zip ${n}`)), mod: hashGoMod(Buffer.from(`mod ${n}`)) });

async function grow(database: TestDatabase, size: number): Promise<void> {
  for (let n = database.size; n < size; n++) await database.addModule(moduleId(n), sumsOf(n));
}

function open(database: TestDatabase, storage: PlainStorage): SumdbMirror {
  const route = { name: "direct", knows: true, fetch: (path: string) => database.answer(path) };
  const clock = { now: () => 0, sleep: () => Promise.resolve() };
  return new SumdbMirror({ key: database.verifierKey, routes: [route], storage, clock });
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
function randomness(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

/** Every kept record, by fresh clients in several orders and by one client that has seen another first. */
async function verifyOffline(storage: PlainStorage, kept: readonly number[], random: () => number): Promise<void> {
  const verifier = parseVerifierKey(new TestDatabase({ name, seed }).verifierKey);
  const orders = [kept, kept.toReversed(), shuffled(kept, random), shuffled(kept, random), shuffled(kept, random)];
  for (const order of orders) {
    const client = new FileProxyClient(storage, verifier);
    for (const n of order) assert.deepEqual(await client.lookup(moduleId(n)), sumsOf(n));
  }
  for (const n of kept) {
    const client = new FileProxyClient(storage, verifier);
    await client.lookup(moduleId(n));
    await client.lookup(moduleId(kept[Math.floor(random() * kept.length)] ?? n));
  }
}

function headsOf(storage: PlainStorage, kept: readonly number[]): Set<string> {
  return new Set(
    kept.map((n) => {
      const { bytes } = storage.objects.get(lookupKey(name, moduleId(n)))!;
      return Buffer.from(parseLookup(bytes).checkpointNote).toString();
    }),
  );
}

for (let run = 1; run <= 6; run++)
  test(`a log that grows while it is asked, run ${run}`, async () => {
    const random = randomness(run);
    const database = new TestDatabase({ name, seed });
    const storage = new PlainStorage();
    const kept = new Set<number>();
    let mirror = open(database, storage);
    for (let step = 0; step < 12; step++) {
      await grow(database, database.size + 1 + Math.floor(random() ** 3 * 400));
      // Answers come from caches: with heads of any age.
      for (let asked = 0; asked < 6; asked++) {
        database.headSize = 1 + Math.floor(random() * database.size);
        const n = random() < 0.3 ? database.size - 1 : Math.floor(random() * database.size);
        await mirror.lookup(moduleId(n), { signal });
        kept.add(n);
      }
      if (random() < 0.3) mirror = open(database, storage);
    }
    await verifyOffline(storage, [...kept], random);
    assert.ok(headsOf(storage, [...kept]).size <= kept.size / 2);
  });

for (let run = 1; run <= 6; run++)
  test(`two mirrors over one store and a log that grows, run ${run}: whoever is asked, a client of both verifies all of it`, async () => {
    const random = randomness(100 + run);
    const database = new TestDatabase({ name, seed });
    const storage = new PlainStorage();
    const kept = new Set<number>();
    const mirrors = [open(database, storage), open(database, storage)];
    const verifier = parseVerifierKey(database.verifierKey);
    const client = new FileProxyClient(storage, verifier);
    for (let step = 0; step < 12; step++) {
      await grow(database, database.size + 1 + Math.floor(random() ** 3 * 400));
      const asked = Array.from({ length: 6 }, () =>
        random() < 0.3 ? database.size - 1 : Math.floor(random() * database.size),
      );
      // At once, and with heads of any age.
      await Promise.all(
        asked.map((n) => {
          database.headSize = 1 + Math.floor(random() * database.size);
          return mirrors[random() < 0.5 ? 0 : 1]!.lookup(moduleId(n), { signal });
        }),
      );
      for (const n of asked) {
        kept.add(n);
        assert.deepEqual(await client.lookup(moduleId(n)), sumsOf(n));
      }
      if (random() < 0.2) mirrors[random() < 0.5 ? 0 : 1] = open(database, storage);
    }
    await verifyOffline(storage, [...kept], random);
    assert.ok(headsOf(storage, [...kept]).size <= kept.size / 2);
  });

test("many records asked at once carry one head", async () => {
  const database = new TestDatabase({ name, seed });
  await grow(database, 700);
  const storage = new PlainStorage();
  const mirror = open(database, storage);
  const kept = Array.from({ length: 60 }, (_, i) => i * 11);
  await Promise.all(
    kept.map((n) => {
      database.headSize = Math.min(700, 100 + n);
      return mirror.lookup(moduleId(n), { signal });
    }),
  );
  assert.ok(headsOf(storage, kept).size <= 3);
  await verifyOffline(storage, kept, randomness(1));
});

test("a restart adds no head", async () => {
  const database = new TestDatabase({ name, seed });
  await grow(database, 100);
  const storage = new PlainStorage();
  await open(database, storage).lookup(moduleId(50), { signal });
  for (const n of [1, 2, 3, 4]) {
    await grow(database, database.size + 100);
    await open(database, storage).lookup(moduleId(n), { signal });
  }
  assert.equal(headsOf(storage, [50, 1, 2, 3, 4]).size, 1);
  await open(database, storage).lookup(moduleId(499), { signal });
  await verifyOffline(storage, [50, 1, 2, 3, 4, 499], randomness(3));
});

test("a log beyond two levels of tiles", async () => {
  const database = new TestDatabase({ name, seed });
  const storage = new PlainStorage();
  const kept: number[] = [];
  for (const size of [65_400, 65_536, 65_537, 66_100]) {
    await grow(database, size);
    const mirror = open(database, storage);
    for (const n of [size - 1, size >> 1, 65_399, 3]) {
      await mirror.lookup(moduleId(n), { signal });
      kept.push(n);
    }
  }
  await verifyOffline(storage, [...new Set(kept)], randomness(2));
});

test("whichever write fails, what is kept verifies, and asking again completes it", async () => {
  for (let failing = 1; ; failing++) {
    const database = new TestDatabase({ name, seed });
    const storage = new PlainStorage();
    const random = randomness(failing);
    let writes = 0;
    storage.beforeWrite = () => {
      if (++writes === failing) throw new Error("power cut");
    };
    const asked: number[] = [];
    for (const size of [200, 300, 520]) {
      await grow(database, size);
      const mirror = open(database, storage);
      for (const n of [size - 1, size - 60]) {
        asked.push(n);
        await mirror.lookup(moduleId(n), { signal }).catch(() => undefined);
      }
    }
    const kept = asked.filter((n) => storage.objects.has(lookupKey(name, moduleId(n))));
    if (kept.length > 0) await verifyOffline(storage, kept, random);
    const after = open(database, storage);
    for (const n of asked) assert.deepEqual((await after.lookup(moduleId(n), { signal })).sums, sumsOf(n));
    await verifyOffline(storage, asked, random);
    if (writes < failing) break;
  }
});
