import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { SqliteIndex } from "#adapters/database/sqlite-index.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { GranaryEvent } from "#services/events/ports.ts";
import { versionKey } from "#services/store/layout.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import { HandClock } from "../../../test/support/hand-clock.ts";
import { arrivalFacts as facts, keepZipBytes, moduleVersion, someBytes } from "../../../test/support/manifests.ts";
import { factsOf, rebuildIndex } from "./facts.ts";
import { PinDamaged, Retained } from "./retained.ts";
import { scrub } from "./scrub.ts";
import { Tending } from "./tending.ts";
import type { TendingRules, TendingUse } from "./tending.ts";
import { Uses } from "./uses.ts";

const info = Buffer.from("{}");
const mod = Buffer.from("module example.com/m\n");
const zip = someBytes(1_000, 3);
const versions = Array.from({ length: 5 }, (_, n) => moduleVersion("example.com/m", `v1.${n}.0`));
const signal = new AbortController().signal;

async function keep(storage: MemoryStorage, ids: readonly ModuleVersion[]): Promise<ModuleStore> {
  const store = new ModuleStore(storage);
  for (const id of ids) {
    await store.keepMod({ id, info, mod, facts });
    await keepZipBytes(store, storage, { id, bytes: zip });
  }
  return store;
}

const still: TendingRules = { gc: undefined, gcEveryMs: 0, scrubEveryMs: 0, scrubBytesPerSecond: 0 };

async function room(more: Partial<TendingUse> = {}, ids = versions) {
  const storage = new MemoryStorage();
  const store = await keep(storage, ids);
  const clock = new HandClock();
  const index = new SqliteIndex(":memory:");
  const told: GranaryEvent[] = [];
  const stop = new AbortController();
  const uses = new Uses();
  const retained = new Retained(storage, clock);
  const events = { emit: (event: GranaryEvent) => void told.push(event) };
  const use: TendingUse = {
    storage,
    store,
    index,
    retained,
    uses,
    clock,
    events,
    rules: () => still,
    mayEvict: () => Promise.resolve(true),
    fetch: () => Promise.reject(new Error("nobody has it")),
    stop: stop.signal,
    ...more,
  };
  const tending = new Tending(use);
  const end = async () => {
    stop.abort(new Error("over"));
    await tending.close();
  };
  return { ...use, tending, told, end, storage, clock };
}

/** Until `is` holds: work that only waits for its turn is done within a few. */
async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (await is()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail("it never happened");
}

suite("tending", () => {
  test("an index is made of the manifests, evicted versions and all", async () => {
    const { storage, store, index, clock } = await room();
    await store.evict(versions[0] as ModuleVersion, { reason: "age", atMs: 0 });
    assert.deepEqual(await rebuildIndex({ storage, index, clock, signal }), { versions: 5, damaged: [] });
    const bytes = 4 * (info.length + mod.length + zip.length);
    assert.deepEqual(await index.totals(), { versions: 4, zips: 4, bytes, evicted: 1, smallBytes: bytes });
    const evicted = await index.find({ path: "example.com/m", version: "v1.0.0" });
    assert.deepEqual([evicted?.isEvicted, evicted?.sha256?.length], [true, 64], "every zip ever kept is known");
    assert.equal(await factsOf(storage, moduleVersion("example.com/m", "v1.99.0")), undefined);
  });

  test("a server's start makes the index whole, beside clients; arrivals and uses follow", async () => {
    const { tending, index, told, uses, storage, clock, end } = await room();
    tending.start();
    await until(() => told.some(({ name }) => name === "index.rebuilt"));
    assert.equal((await index.totals()).versions, 5);
    const late = moduleVersion("example.com/m", "v1.77.0");
    await keep(storage, [late]);
    tending.arrived(late);
    uses.asked("example.com/m@v1.2.0", 3, 1);
    await clock.pass(2_000);
    await until(async () => (await index.totals()).versions === 6);
    await until(async () => (await index.find({ path: "example.com/m", version: "v1.2.0" }))?.uses === 3);
    await end();
  });

  test("a version that was used and never told of is taken in", async () => {
    const { tending, index, uses } = await room();
    uses.asked("example.com/m@v1.2.0", 1, 0);
    uses.asked("example.com/m@v1.99.0", 1, 0);
    await tending.flush();
    assert.equal((await index.find({ path: "example.com/m", version: "v1.2.0" }))?.uses, 1);
    assert.equal((await index.totals()).versions, 1);
  });

  test("gc runs by its rule, spares what is pinned, and never under a layout that knows no tombstones", async () => {
    const gc = { maxBytes: 1_100, unusedMs: undefined, order: "lru", takesPrivate: false } as const;
    let isNew = false;
    const { tending, index, told, clock, retained, store, end } = await room({
      rules: () => ({ ...still, gc, gcEveryMs: 3_600_000 }),
      mayEvict: () => Promise.resolve(isNew),
    });
    await retained.add({ from: "v1.0.0", versions: ["example.com/m@v1.0.0"], patterns: [] });
    tending.start();
    await until(() => told.some(({ name }) => name === "index.rebuilt"));
    await clock.pass(60_000);
    await until(() => clock.sleeping === 4);
    assert.equal((await index.totals()).versions, 5);
    isNew = true;
    await clock.pass(60_000);
    await until(() => told.some(({ name }) => name === "gc.done"));
    assert.equal((await index.totals()).versions, 1);
    assert.ok((await store.findZip(versions[0] as ModuleVersion)) !== undefined);
    await end();
  });

  test("a pin that cannot be read stops gc, and says so", async () => {
    const gc = { maxBytes: 0, unusedMs: undefined, order: "lru", takesPrivate: false } as const;
    const { tending, index, told, storage, clock, end } = await room({ rules: () => ({ ...still, gc, gcEveryMs: 0 }) });
    await storage.create("state/retained/00000000.json" as never, Buffer.from("{}"));
    tending.start();
    await until(() => told.some(({ name }) => name === "index.rebuilt"));
    await clock.pass(60_000);
    await until(() => told.some(({ name }) => name === "tending.failed"));
    assert.equal((await index.totals()).versions, 5);
    await end();
  });

  test("scrubbing finds what rotted unread, and mends what can be fetched", async () => {
    const fetched: string[] = [];
    const found = await room({ rules: () => ({ ...still, scrubEveryMs: 1_000 }) });
    const { storage, index, clock } = found;
    const [rotten, lost] = [versions[1] as ModuleVersion, versions[3] as ModuleVersion];
    for (const id of [rotten, lost]) {
      const key = versionKey(id, "zip");
      await storage.replace(key, Uint8Array.from(zip).fill(1, 3, 9), (await storage.stat(key))?.token);
    }
    await rebuildIndex({ storage, index, clock, signal });
    const told: [string, boolean][] = [];
    const report = await scrub(clock.now(), {
      index,
      store: found.store,
      clock,
      bytesPerSecond: () => 0,
      mend: async (id) => {
        fetched.push(id.version);
        if (id.version === lost.version) return false;
        await keepZipBytes(found.store, storage, { id, bytes: zip });
        await found.store.check(id);
        return true;
      },
      onDamage: ({ key }, isMended) => told.push([key.slice(-10), isMended]),
      signal,
    });
    assert.deepEqual([report.versions, report.damaged, report.mended], [5, 2, 1]);
    assert.deepEqual(told.sort(), [
      ["v1.1.0.zip", true],
      ["v1.3.0.zip", false],
    ]);
    const again = await scrub(clock.now() - 1, {
      ...found,
      bytesPerSecond: () => 0,
      mend: undefined,
      onDamage: () => assert.fail(),
      signal,
    });
    assert.equal(again.versions, 0, "each is read once");
  });

  test("scrubbing keeps to its rate", async () => {
    const { storage, index, store, clock } = await room();
    await rebuildIndex({ storage, index, clock, signal });
    let asleep = 0;
    const slow = Object.assign(new HandClock(), { sleep: (ms: number) => Promise.resolve(void (asleep += ms)) });
    const report = await scrub(slow.now(), {
      index,
      store,
      clock: slow,
      bytesPerSecond: () => 1_000,
      mend: undefined,
      onDamage: () => assert.fail(),
      signal,
    });
    assert.ok(Math.abs(asleep - report.bytes) < 100, `${report.bytes} bytes at 1,000 a second took ${asleep} ms`);
  });
});

suite("pins", () => {
  test("what a file names is one pin, and the same file again replaces it", async () => {
    const pins = new Retained(new MemoryStorage(), new HandClock());
    const first = await pins.add({ from: "/src/go.sum", versions: ["example.com/m@v1.0.0"], patterns: [] });
    await pins.add({ from: "example.org/*", versions: [], patterns: ["example.org/*"] });
    const second = await pins.add({ from: "/src/go.sum", versions: ["example.com/m@v1.1.0"], patterns: [] });
    assert.equal(first.id, second.id);
    assert.equal((await pins.list()).length, 2);
    const isPinned = await pins.asked();
    assert.deepEqual(
      [
        isPinned("example.com/m", "v1.0.0"),
        isPinned("example.com/m", "v1.1.0"),
        isPinned("example.org/x/y", "v0.1.0"),
        isPinned("example.org", "v1.0.0"),
      ],
      [false, true, true, false],
    );
    assert.deepEqual(
      [await pins.remove(first.id), await pins.remove(first.id), await pins.remove("../x")],
      [true, false, false],
    );
    assert.equal((await pins.asked())("example.com/m", "v1.1.0"), false);
  });

  test("a pin that is none of ours is an error: then nobody knows what must stay", async () => {
    const storage = new MemoryStorage();
    const pins = new Retained(storage, new HandClock());
    const { id } = await pins.add({ from: "a", versions: [], patterns: ["a.example"] });
    const key = `state/retained/${id}.json` as never;
    await storage.replace(key, Buffer.from('{"retained":2}'), (await storage.stat(key))?.token);
    await assert.rejects(pins.asked(), PinDamaged);
  });
});

suite("uses", () => {
  test("are gathered per version, taken once, and bounded", () => {
    const uses = new Uses(2);
    for (const what of ["a.b/c@v1.0.0", "a.b/c@v1.0.0", "a.b/d@v1.0.0", "a.b/e@v1.0.0", "a.b/d@v1.0.0"])
      uses.asked(what, 1, 2);
    assert.deepEqual(uses.take(1), [{ path: "a.b/c", version: "v1.0.0", zips: 2, mods: 4 }]);
    assert.deepEqual(uses.take(), [{ path: "a.b/d", version: "v1.0.0", zips: 2, mods: 4 }]);
    assert.deepEqual(uses.take(), []);
  });
});
