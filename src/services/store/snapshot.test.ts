import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import {
  appendRecords,
  contents,
  damage,
  fillStore,
  isWhole,
  keepVersion,
  Memory,
  openLog,
  put,
  restore,
  snapshot,
  textOf,
} from "../../../test/support/snapshot-world.ts";
import { storageKey } from "./ports.ts";
import { nextSnapshotId, objectKey, SnapshotIndex, snapshotIds } from "./snapshot-index.ts";
import { listSnapshots, pruneSnapshots } from "./snapshots.ts";

async function filled(records?: number): Promise<{ store: MemoryStorage; vault: MemoryStorage; memory: Memory }> {
  const [store, vault, memory] = [new MemoryStorage(), new MemoryStorage(), new Memory()];
  await fillStore(store, memory, records);
  return { store, vault, memory };
}

const upper = "modules/example.com/!upper/@v/v1.0.0";

suite("a snapshot", () => {
  test("brings everything back but caches, byte for byte", async () => {
    const { store, vault } = await filled(300);
    const taken = await snapshot(store, vault);
    assert.deepEqual(taken.found, []);
    assert.equal(taken.versions, 3);
    assert.deepEqual(taken.logs, [{ name: "log.example", size: 300 }]);
    const target = new MemoryStorage();
    const restored = await restore(vault, target);
    assert.deepEqual(restored.found, []);
    assert.deepEqual(await contents(target), await contents(store));
    assert.equal(await isWhole(target), 300);
    assert.equal(await textOf(target, "state/index.sqlite"), undefined);
  });

  test("of an unchanged store reads and writes nothing", async () => {
    const inner = await filled(300);
    const [store, vault] = [new FaultyStorage(inner.store), new FaultyStorage(inner.vault)];
    const first = await snapshot(store, vault);
    assert.equal(first.counts.unchanged, 0);
    assert.ok(first.counts.writtenFiles > 20);
    store.calls.length = 0;
    vault.calls.length = 0;
    const second = await snapshot(store, vault);
    assert.equal(second.counts.unchanged, second.files);
    assert.deepEqual([second.files, second.bytes], [first.files, first.bytes]);
    assert.deepEqual([second.counts.readFiles, second.counts.writtenFiles], [0, 0]);
    // The log's plan looks at the commits after the last full tile; nothing else of the store is read.
    const read = store.calls.filter((call) => /^(get|read) /.test(call) && !call.includes("/commits/"));
    assert.deepEqual(read, []);
    const touched = vault.calls.filter((call) => !call.startsWith("stat objects/") && call.includes("objects/"));
    assert.deepEqual(touched, []);
    assert.equal(
      vault.calls.filter((call) => call.startsWith("create ")).join(),
      `create snapshots/${second.id}.jsonl`,
    );
  });

  test("takes one more version, one more record and a changed file, and nothing else", async () => {
    const { store, vault, memory } = await filled();
    await snapshot(store, vault);
    await keepVersion(store, { path: "example.com/Upper", version: "v1.2.0", seed: 9 });
    await appendRecords(openLog(store, memory), 3, 4);
    await put(store, "state/tokens.json", "another token");
    const { counts, versions, logs } = await snapshot(store, vault);
    // .info, go.mod, two manifests, zip; a commit and a head; tokens.json
    assert.deepEqual([counts.readFiles, counts.writtenFiles], [8, 8]);
    assert.equal(versions, 4);
    assert.deepEqual(logs, [{ name: "log.example", size: 4 }]);
  });

  test("adds the zip of a version that had none", async () => {
    const { store, vault } = await filled();
    await snapshot(store, vault);
    await keepVersion(store, { path: "corp.example/secret", version: "v0.1.0", seed: 3 });
    const { counts } = await snapshot(store, vault);
    assert.equal(counts.writtenFiles, 2);
    const target = new MemoryStorage();
    await restore(vault, target);
    assert.equal(await textOf(target, "modules/corp.example/secret/@v/list"), "v0.1.0\n");
  });

  test("writes equal bytes once", async () => {
    const { store, vault } = await filled();
    await put(store, "state/jobs/a.json", "the same");
    await put(store, "state/jobs/b.json", "the same");
    const { counts } = await snapshot(store, vault);
    assert.equal(counts.readFiles - counts.writtenFiles, 1);
  });

  test("goes through a stage for a large zip, and checks it on the way", async () => {
    const { store, vault } = await filled();
    await keepVersion(store, { path: "example.com/large", version: "v1.0.0", zipBytes: 5_000_000 });
    await keepVersion(store, { path: "example.com/rotten", version: "v1.0.0", zipBytes: 5_000_000, seed: 4 });
    await damage(store, "modules/example.com/rotten/@v/v1.0.0.zip");
    const { found } = await snapshot(store, vault);
    assert.deepEqual(
      found.map(({ what, is }) => [what, is]),
      [["modules/example.com/rotten/@v/v1.0.0", "missing"]],
    );
    const target = new MemoryStorage();
    await restore(vault, target);
    await isWhole(target);
    assert.equal((await target.stat(storageKey("modules/example.com/large/@v/v1.0.0.zip")))?.size, 5_000_000);
    assert.equal(await target.stat(storageKey("modules/example.com/rotten/@v/v1.0.0.mod.manifest")), undefined);
  });

  test("leaves leftovers of commits out", async () => {
    const { store, vault } = await filled();
    const { files } = await snapshot(store, vault);
    await put(store, "modules/example.com/!upper/@v/v9.0.0.zip", "half a commit");
    assert.equal((await snapshot(store, vault)).files, files);
  });

  for (const [end, what] of [
    [".info", "a file"],
    [".mod.manifest", "a manifest"],
    [".zip.manifest", "the zip's manifest"],
    [".zip", "the zip"],
  ] as const) {
    test(`leaves a version out when ${what} is damaged, and says so`, async () => {
      const { store, vault } = await filled();
      await damage(store, `${upper}${end}`);
      const { found, versions, findings } = await snapshot(store, vault);
      assert.deepEqual([found.map(({ what, is }) => [what, is]), versions, findings], [[[upper, "missing"]], 2, 1]);
    });

    test(`keeps a version as the snapshot before had it when ${what} is damaged since`, async () => {
      const { store, vault } = await filled();
      await snapshot(store, vault);
      const sound = await contents(store);
      await damage(store, `${upper}${end}`);
      const { found, versions } = await snapshot(store, vault);
      assert.deepEqual([found.map(({ what, is }) => [what, is]), versions], [[[upper, "asBefore"]], 3]);
      await pruneSnapshots(vault, 1);
      const target = new MemoryStorage();
      await restore(vault, target);
      assert.deepEqual(await contents(target), sound);
    });

    test(`leaves a version out when ${what} is lost`, async () => {
      const { store, vault } = await filled();
      await store.remove(storageKey(`${upper}${end}`));
      const { found } = await snapshot(store, vault);
      // Without its second manifest it is a version without a zip.
      assert.deepEqual(
        found.map(({ what, is }) => [what, is]),
        end === ".zip.manifest" ? [] : [[upper, "missing"]],
      );
    });

    test(`keeps a version as the snapshot before had it when ${what} is lost since`, async () => {
      const { store, vault } = await filled();
      await snapshot(store, vault);
      const sound = await contents(store);
      await store.remove(storageKey(`${upper}${end}`));
      const { found } = await snapshot(store, vault);
      assert.deepEqual(
        found.map(({ what, is }) => [what, is]),
        [[upper, "asBefore"]],
      );
      const target = new MemoryStorage();
      await restore(vault, target);
      assert.deepEqual(await contents(target), sound);
    });
  }

  test("has a trimmed version's manifests and its tombstone", async () => {
    const { store, vault } = await filled();
    await put(store, `${upper}.tombstone`, "trimmed");
    for (const end of [".info", ".mod", ".zip"]) await store.remove(storageKey(`${upper}${end}`));
    assert.deepEqual((await snapshot(store, vault)).found, []);
    const target = new MemoryStorage();
    assert.deepEqual((await restore(vault, target)).found, []);
    for (const end of [".tombstone", ".mod.manifest", ".zip.manifest"])
      assert.equal(await textOf(target, `${upper}${end}`), await textOf(store, `${upper}${end}`));
    assert.equal(await textOf(target, "modules/example.com/!upper/@v/list"), "v1.1.0\n", "as far as it can be had");
  });

  test("goes on when a file cannot be read, and says which", async () => {
    const { store: inner, vault } = await filled();
    const store = new FaultyStorage(inner);
    const does = { kind: "unavailable", when: "before" } as const;
    store.arm(
      { on: "open", key: /tokens/, times: Infinity, does },
      { on: "open", key: /!upper.*zip$/, times: Infinity, does },
      { on: "read", key: /lookup/, times: Infinity, does },
    );
    const { found } = await snapshot(store, vault);
    assert.deepEqual(found.map(({ what, is }) => `${is} ${what}`).sort(), [
      "missing modules/example.com/!upper/@v/v1.0.0",
      "missing modules/example.com/!upper/@v/v1.1.0",
      "missing modules/sumdb/sum.example/lookup/example.com/!upper@v1.0.0",
      "missing state/tokens.json",
    ]);
  });

  test("a version that is mended while it is looked at is no finding", async () => {
    const { store: inner, vault } = await filled();
    const store = new FaultyStorage(inner);
    store.arm({ on: "read", key: /v1[.]0[.]0[.]zip$/, does: { kind: "flip", at: 5 } });
    assert.deepEqual((await snapshot(store, vault)).found, []);
  });

  test("a damaged own log is left out; one that was sound before stays as it was", async () => {
    const { store, vault, memory } = await filled(300);
    const before = await snapshot(store, vault);
    await appendRecords(openLog(store, memory), 300, 600);
    await damage(store, "state/sumlog/log.example/tile/8/data/001");
    const after = await snapshot(store, vault);
    assert.deepEqual(
      after.found.map(({ what, is }) => [what, is]),
      [["log.example", "asBefore"]],
    );
    assert.deepEqual(after.logs, before.logs);
    const target = new MemoryStorage();
    assert.deepEqual((await restore(vault, target)).logs[0]?.verdict.is, "restore");
    assert.equal(await isWhole(target), 300);
    const fresh = await snapshot(store, new MemoryStorage());
    assert.deepEqual([fresh.logs, fresh.found.map(({ is }) => is)], [[], ["missing"]]);
  });

  test("--deep finds what was changed behind everybody's back, and heals the folder", async () => {
    const { store, vault } = await filled();
    await snapshot(store, vault);
    const index = await SnapshotIndex.open(vault, (await snapshotIds(vault))[0] ?? "");
    const sha256 = (await index.find(upper))?.files.find(({ key }) => key.endsWith(".zip"))?.sha256 ?? "";
    await index.close();
    await damage(vault, objectKey(sha256));
    assert.equal((await snapshot(store, vault)).counts.readFiles, 0);
    const deep = await snapshot(store, vault, { isDeep: true });
    assert.equal(deep.counts.readFiles, deep.files);
    assert.equal(deep.counts.writtenFiles, 1);
    const target = new MemoryStorage();
    assert.deepEqual((await restore(vault, target)).found, []);
    await isWhole(target);
  });

  test("an object that was lost is copied again", async () => {
    const { store, vault } = await filled();
    await snapshot(store, vault);
    for await (const { key } of vault.list("objects/")) {
      await vault.remove(key);
      break;
    }
    assert.equal((await snapshot(store, vault)).counts.writtenFiles, 1);
    assert.deepEqual((await restore(vault, new MemoryStorage())).found, []);
  });

  test("the folder failing ends it, and nothing is listed", async () => {
    const { store, vault: inner } = await filled();
    const vault = new FaultyStorage(inner);
    vault.arm({ on: "create", skip: 5, does: { kind: "full", when: "before" } });
    await assert.rejects(snapshot(store, vault), { name: "StoreUnavailable", message: /no space left/ });
    assert.deepEqual(await listSnapshots(inner), []);
    assert.deepEqual((await snapshot(store, inner)).found, []);
  });
});

suite("a folder of snapshots", () => {
  test("lists them newest first, and a damaged one as such", async () => {
    const { store, vault } = await filled();
    const first = await snapshot(store, vault);
    const second = await snapshot(store, vault);
    const third = await snapshot(store, vault);
    await damage(vault, `snapshots/${second.id}.jsonl`);
    const listed = await listSnapshots(vault);
    assert.deepEqual(
      listed.map(({ id }) => id),
      [third.id, second.id, first.id],
    );
    assert.deepEqual(
      listed.map((each) => "problem" in each),
      [false, true, false],
    );
  });

  test("a damaged newest one is passed over, and told", async () => {
    const { store, vault } = await filled();
    await snapshot(store, vault);
    const second = await snapshot(store, vault);
    await damage(vault, `snapshots/${second.id}.jsonl`);
    const { found, counts, files } = await snapshot(store, vault);
    assert.deepEqual(
      found.map(({ what, is }) => [what, is]),
      [[second.id, "index"]],
    );
    assert.equal(counts.unchanged, files);
  });

  test("keeps as many as asked, and no object that none of them needs", async () => {
    const { store, vault } = await filled();
    await snapshot(store, vault);
    await put(store, "state/tokens.json", "second");
    await snapshot(store, vault);
    await put(store, "state/tokens.json", "third");
    const third = await snapshot(store, vault);
    const pruned = await pruneSnapshots(vault, 1);
    assert.deepEqual([pruned.snapshots.length, pruned.objects, pruned.problem], [2, 2, undefined]);
    assert.deepEqual(await snapshotIds(vault), [third.id]);
    const target = new MemoryStorage();
    await restore(vault, target);
    assert.deepEqual(await contents(target), await contents(store));
    assert.deepEqual((await pruneSnapshots(vault, 5)).snapshots, []);
  });

  test("removes no object while a snapshot that stays cannot be read", async () => {
    const { store, vault } = await filled();
    const first = await snapshot(store, vault);
    await put(store, "state/tokens.json", "second");
    const second = await snapshot(store, vault);
    await damage(vault, `snapshots/${first.id}.jsonl`);
    const pruned = await pruneSnapshots(vault, 2);
    assert.equal(pruned.objects, 0);
    assert.match(pruned.problem ?? "", /not as it was written/);
    assert.deepEqual(await snapshotIds(vault), [first.id, second.id]);
    // Not kept, it is in nobody's way.
    assert.deepEqual([(await pruneSnapshots(vault, 1)).problem], [undefined]);
  });

  test("ids go up, whatever the clock says", () => {
    const noon = Date.parse("2026-11-28T12:00:00.417Z");
    assert.equal(nextSnapshotId(noon, undefined), "20261128T120000417Z");
    assert.equal(nextSnapshotId(noon - 1e9, "20261128T120000417Z"), "20261128T120000418Z");
    assert.equal(nextSnapshotId(noon + 5, "20261128T120000417Z"), "20261128T120000422Z");
  });

  test("every cut and every flipped bit of an index is found", async () => {
    const { store, vault } = await filled();
    const { id } = await snapshot(store, vault);
    const key = storageKey(`snapshots/${id}.jsonl`);
    const whole = (await vault.get(key, 1 << 24))?.bytes ?? new Uint8Array();
    assert.ok(whole.length > 1_000);
    for (let at = 0; at < whole.length; at += 41) {
      for (const spoilt of [whole.slice(0, at), Uint8Array.from(whole, (byte, i) => (i === at ? byte ^ 1 : byte))]) {
        const bad = new MemoryStorage();
        await bad.create(key, spoilt);
        await assert.rejects(SnapshotIndex.open(bad, id), { name: "SnapshotDamaged" }, `at ${at}`);
      }
    }
  });
});
