// Snapshots and restores whose process dies at every call to a storage, before it and after it: nothing is torn, nothing
// half-done is listed, and a second run completes what the first began. And snapshots beside a writer that never rests.
// LONG=1: also after each call that changes nothing, which leaves what dying before the next one leaves.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { storageKey } from "#services/store/ports.ts";
import type { Storage } from "#services/store/ports.ts";
import { snapshotIds } from "#services/store/snapshot-index.ts";
import { listSnapshots, pruneSnapshots } from "#services/store/snapshots.ts";
import { SumLogError } from "#services/sumlog/errors.ts";
import { atEnd } from "../support/at-end.ts";
import { Death, Life } from "../support/mortal-storage.ts";
import {
  appendRecords,
  contents,
  copyOf,
  keepVersion,
  Memory,
  openLog,
  isWhole,
  put,
  restore,
  snapshot,
} from "../support/snapshot-world.ts";

const long = process.env["LONG"] === "1";

/** Little of everything: each call costs two runs. `records` above 256 has full tiles. */
async function smallStore(records: number): Promise<{ store: MemoryStorage; memory: Memory }> {
  const [store, memory] = [new MemoryStorage(), new Memory()];
  await keepVersion(store, { path: "example.com/a", version: "v1.0.0" });
  await keepVersion(store, { path: "corp.example/b", version: "v0.1.0", stage: "mod" });
  await put(store, "modules/sumdb/sum.example/tile/8/0/000", "a tile");
  await put(store, "modules/sumdb/sum.example/latest", "a head");
  await put(store, "modules/sumdb/sum.example/lookup/example.com/a@v1.0.0", "a record");
  await put(store, "state/tokens.json", "hashes of tokens");
  await appendRecords(openLog(store, memory), 0, records);
  return { store, memory };
}

/** One version whose zip goes through a stage, piece by piece. */
async function largeStore(): Promise<MemoryStorage> {
  const store = new MemoryStorage();
  await keepVersion(store, { path: "example.com/large", version: "v1.0.0", zipBytes: 1_100_000 });
  return store;
}

/** Runs `work` in lives that die at each call in turn, until one lives to the end. Returns how many died. */
async function dieEverywhere(
  work: (life: Life, when: string) => Promise<unknown>,
  after: (when: string) => Promise<void>,
): Promise<number> {
  let deaths = 0;
  for (const when of ["before", "after"] as const)
    for (let call = 1; ; call++) {
      const life = new Life({ call, when, counts: when === "before" || long ? "all" : "changes" });
      const name = `${when} call ${call}`;
      const error: unknown = await work(life, name).then(
        () => undefined,
        (failure: unknown) => failure,
      );
      if (!life.isOver) break;
      deaths++;
      assert.ok(error instanceof Death, `${name}: ${String(error)}`);
      await after(name);
    }
  return deaths;
}

suite("a snapshot that dies at every call", () => {
  test("is not listed, harms none that is, and is done by the next run", async (t) => {
    const { store: small, memory } = await smallStore(3);
    const base = new MemoryStorage();
    await snapshot(small, base);
    await keepVersion(small, { path: "example.com/a", version: "v1.1.0", seed: 8 });
    await put(small, "state/tokens.json", "more tokens");
    await appendRecords(openLog(small, memory), 3, 5);
    const scenes = [
      { store: small, begin: base, least: 60 },
      { store: small, begin: new MemoryStorage(), least: 100 },
      { store: await largeStore(), begin: new MemoryStorage(), least: 30 },
    ];
    for (const { store, begin, least } of scenes) {
      const want = await contents(store);
      const known = await snapshotIds(begin);
      let vault = begin;
      const deaths = await dieEverywhere(
        async (life) => {
          vault = await copyOf(begin);
          await snapshot(life.of(store), life.of(vault));
        },
        async (when) => {
          const listed = await listSnapshots(vault);
          assert.ok(
            listed.every((each) => !("problem" in each)),
            when,
          );
          for (const { id } of listed)
            if (!known.includes(id)) {
              const early = new MemoryStorage();
              await restore(vault, early, { id });
              assert.deepEqual(await contents(early), want, when);
            }
          const { found } = await snapshot(store, vault);
          assert.deepEqual(found, [], when);
          const target = new MemoryStorage();
          assert.deepEqual((await restore(vault, target)).found, [], when);
          assert.deepEqual(await contents(target), want, when);
        },
      );
      t.diagnostic(`${deaths} deaths`);
      assert.ok(deaths > least);
    }
  });

  test("in the middle of tidying up leaves every snapshot that stays whole", async (t) => {
    const { store } = await smallStore(3);
    const begin = new MemoryStorage();
    await snapshot(store, begin);
    await put(store, "state/tokens.json", "more tokens");
    await keepVersion(store, { path: "example.com/a", version: "v1.1.0", seed: 8 });
    await snapshot(store, begin);
    for (const end of [".info", ".mod", ".mod.manifest", ".zip", ".zip.manifest"])
      await store.remove(storageKey(`modules/example.com/a/@v/v1.0.0${end}`));
    await store.remove(storageKey("modules/example.com/a/@v/list"));
    await put(store, "modules/example.com/a/@v/list", "v1.1.0\n");
    const last = await snapshot(store, begin);
    const want = await contents(store);
    let vault = begin;
    const deaths = await dieEverywhere(
      async (life) => {
        vault = await copyOf(begin);
        await pruneSnapshots(life.of(vault), 1);
      },
      async (when) => {
        assert.ok((await snapshotIds(vault)).includes(last.id), when);
        const target = new MemoryStorage();
        assert.deepEqual((await restore(vault, target)).found, [], when);
        assert.deepEqual(await contents(target), want, when);
        await pruneSnapshots(vault, 1);
        assert.deepEqual((await restore(vault, new MemoryStorage())).found, [], when);
      },
    );
    t.diagnostic(`${deaths} deaths`);
    assert.ok(deaths > 15);
  });
});

suite("a restore that dies at every call", () => {
  const places: readonly (readonly [string, number, (store: MemoryStorage) => Promise<Storage>])[] = [
    ["into an empty folder", 257, () => Promise.resolve(new MemoryStorage())],
    ["of a large zip", 0, () => Promise.resolve(new MemoryStorage())],
    [
      "of a large zip that rotted",
      0,
      async (store) => {
        const target = await copyOf(store);
        await put(target, "modules/example.com/large/@v/v1.0.0.mod.manifest", "rot");
        await put(target, "modules/example.com/large/@v/v1.0.0.zip", "rot");
        return target;
      },
    ],
    [
      "into a store that lost and damaged some",
      3,
      async (store) => {
        const target = await copyOf(store);
        for (const end of [".zip", ".zip.manifest"])
          await target.remove(storageKey(`modules/example.com/a/@v/v1.0.0${end}`));
        await put(target, "modules/corp.example/b/@v/v0.1.0.info", "rot");
        await target.remove(storageKey("state/sumlog/log.example/commits/0000000000000000"));
        return target;
      },
    ],
  ];
  for (const [name, records, make] of places)
    test(`${name} leaves nothing torn, and the next run completes it`, async (t) => {
      const store = records === 0 ? await largeStore() : (await smallStore(records)).store;
      const vault = new MemoryStorage();
      await snapshot(store, vault);
      const want = await contents(store);
      const begin = await make(store);
      const isEmpty = Object.keys(await contents(begin)).length === 0;
      let target = begin;
      let memory = new Memory();
      const deaths = await dieEverywhere(
        async (life) => {
          target = await copyOf(begin);
          memory = new Memory();
          await restore(life.of(vault), life.of(target), { memory });
        },
        async (when) => {
          if (isEmpty) await isWhole(target, when, "lists apart");
          // A log that is not all there is silent: nobody goes on with less than was signed.
          const remembered = memory.note;
          const size = await openLog(await copyOf(target), memory)
            .head()
            .then(
              (head) => head.size,
              (error: unknown) => {
                assert.ok(error instanceof SumLogError, `${when}: ${String(error)}`);
                return undefined;
              },
            );
          if (remembered !== undefined) assert.ok(size === undefined || size === records, `${when}: ${size}`);
          assert.deepEqual((await restore(vault, target, { memory })).found, [], when);
          assert.deepEqual(await contents(target), want, when);
        },
      );
      t.diagnostic(`${deaths} deaths`);
      assert.ok(deaths > 40);
    });
});

test("snapshots beside a writer have all that was acknowledged before them, whole", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-snapshots-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const store = await openDiskStorage(join(folder, "store"), { fsync: "never" });
  const vault = await openDiskStorage(join(folder, "vault"), { fsync: "never" });
  const acknowledged = { versions: 0, records: 0 };
  const log = openLog(store, new Memory());
  let isOver = false;
  const write = async (step: () => Promise<void>): Promise<void> => {
    while (!isOver) await step();
  };
  const writing = Promise.all([
    write(async () => {
      const n = acknowledged.versions;
      await keepVersion(store, { path: `example.com/m${n % 7}`, version: `v1.${n}.0`, seed: n });
      acknowledged.versions++;
    }),
    // Tiles fill and commits are cleared away all the time.
    write(async () => {
      const n = acknowledged.records;
      await appendRecords(log, n, n + 90);
      acknowledged.records = n + 90;
    }),
    write(() => put(store, "state/tokens.json", String(Math.random()))),
  ]);
  try {
    for (let round = 0; round < 4; round++) {
      while (acknowledged.records < 250 * (round + 1)) await new Promise((later) => setTimeout(later, 1));
      const before = { ...acknowledged };
      const { found } = await snapshot(store, vault);
      assert.deepEqual(found, []);
      const target = new MemoryStorage();
      const restored = await restore(vault, target);
      assert.deepEqual(restored.found, []);
      const records = await isWhole(target, `round ${round}`);
      assert.ok(records >= before.records, `${records} of ${before.records} records`);
      for (let n = 0; n < before.versions; n++)
        assert.ok(await target.stat(storageKey(`modules/example.com/m${n % 7}/@v/v1.${n}.0.zip`)), `v1.${n}.0`);
      t.diagnostic(`${before.versions} versions and ${before.records} records before; ${records} records in it`);
    }
  } finally {
    isOver = true;
    await writing;
  }
});
