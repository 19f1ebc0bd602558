import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import {
  appendRecords,
  contents,
  copyOf,
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
import { parseZipManifest } from "./manifest.ts";
import { storageKey } from "./ports.ts";
import { objectKey, SnapshotIndex, snapshotIds } from "./snapshot-index.ts";

async function taken(records?: number) {
  const [store, vault, memory] = [new MemoryStorage(), new MemoryStorage(), new Memory()];
  await fillStore(store, memory, records);
  await snapshot(store, vault);
  return { store, vault, memory };
}

const upper = "modules/example.com/!upper/@v/v1.0.0";

async function hashInSnapshot(vault: MemoryStorage, key: string): Promise<string> {
  const index = await SnapshotIndex.open(vault, (await snapshotIds(vault)).at(-1) ?? "");
  try {
    for await (const { files } of index.units("version", "state", "tile", "log"))
      for (const file of files) if (file.key === key) return file.sha256;
    throw new Error(`no ${key}`);
  } finally {
    await index.close();
  }
}

suite("a restore", () => {
  test("again finds everything there, and writes nothing", async () => {
    const { vault, memory } = await taken(300);
    const inner = new MemoryStorage();
    await restore(vault, inner, { memory });
    const target = new FaultyStorage(inner);
    const again = await restore(vault, target, { memory });
    assert.deepEqual([again.counts.restoredFiles, again.counts.same], [0, again.snapshot.files]);
    assert.deepEqual(
      target.calls.filter((call) => /^(create|replace|remove|stage) /.test(call)),
      [],
    );
  });

  test("when it is dry says the same and changes nothing", async () => {
    const { store, vault, memory } = await taken(300);
    for (const key of [`${upper}.zip`, "state/tokens.json", "state/sumlog/log.example/tile/8/0/000"])
      await store.remove(storageKey(key));
    await damage(store, `${upper}.info`);
    const [before, note] = [await contents(store), memory.note];
    const dry = await restore(vault, store, { isDry: true, memory });
    assert.deepEqual([await contents(store), memory.note], [before, note]);
    const real = await restore(vault, store, { memory });
    assert.equal(real.counts.restoredFiles, 4);
    assert.deepEqual(dry.counts, real.counts);
    const empty = new MemoryStorage();
    const all = await restore(vault, empty, { isDry: true });
    assert.deepEqual(await contents(empty), {});
    assert.equal(all.counts.restoredFiles, all.snapshot.files);
  });

  test("mends what rotted, the manifests too", async () => {
    const { store, vault, memory } = await taken();
    const sound = await contents(store);
    for (const end of [".info", ".mod", ".zip", ".mod.manifest", ".zip.manifest"])
      await damage(store, `${upper}${end}`);
    const { counts, found } = await restore(vault, store, { memory });
    assert.deepEqual([found, counts.restoredFiles], [[], 5]);
    assert.deepEqual(await contents(store), sound);
  });

  test("leaves what the store has since, and puts the missing beside it", async () => {
    const { store, vault, memory } = await taken();
    await keepVersion(store, { path: "example.com/Upper", version: "v1.2.0", seed: 5 });
    await put(store, "modules/sumdb/sum.example/latest", "a newer head");
    for (const end of [".zip", ".zip.manifest"]) await store.remove(storageKey(`${upper}${end}`));
    await restore(vault, store, { memory });
    await isWhole(store);
    assert.equal(await textOf(store, "modules/example.com/!upper/@v/list"), "v1.0.0\nv1.1.0\nv1.2.0\n");
    assert.equal(await textOf(store, "modules/sumdb/sum.example/latest"), "a newer head");
  });

  test("does not touch a version that is committed with other bytes, and lists it", async () => {
    const { vault } = await taken();
    const target = new MemoryStorage();
    await keepVersion(target, { path: "example.com/Upper", version: "v1.0.0", seed: 77 });
    await keepVersion(target, { path: "corp.example/secret", version: "v0.1.0", seed: 78, stage: "mod" });
    const theirs = await contents(target);
    const { found } = await restore(vault, target);
    assert.deepEqual(found.map(({ what, is }) => `${is} ${what}`).sort(), [
      "otherBytes modules/corp.example/secret/@v/v0.1.0",
      `otherBytes ${upper}`,
    ]);
    const now = await contents(target);
    for (const [key, hash] of Object.entries(theirs)) if (!key.endsWith("/list")) assert.equal(now[key], hash, key);
    await isWhole(target);
    assert.equal(await textOf(target, "modules/example.com/!upper/@v/list"), "v1.0.0\nv1.1.0\n");
  });

  test("of the zip alone clashing leaves the whole version", async () => {
    const { vault, store } = await taken();
    const target = new MemoryStorage();
    for (const end of [".info", ".mod", ".mod.manifest"])
      await put(target, `${upper}${end}`, (await textOf(store, `${upper}${end}`)) ?? "");
    const zipManifest = JSON.parse((await textOf(store, `${upper}.zip.manifest`)) ?? "") as { zip: object };
    const other = { ...zipManifest, zip: { ...zipManifest.zip, sha256: "0".repeat(64) } };
    await put(target, `${upper}.zip.manifest`, JSON.stringify(other));
    const { found } = await restore(vault, target);
    assert.deepEqual(
      found.map(({ what, is }) => [what, is]),
      [[upper, "otherBytes"]],
    );
    assert.equal(await textOf(target, `${upper}.zip`), undefined);
  });

  test("adds a zip to go.mod files that the store fetched anew", async () => {
    const { vault, store } = await taken();
    const target = new MemoryStorage();
    await keepVersion(target, {
      path: "example.com/Upper",
      version: "v1.0.0",
      stage: "mod",
      firstSeen: "2026-11-28T00:00:00.000Z",
    });
    const theirs = await textOf(target, `${upper}.mod.manifest`);
    for (let time = 0; time < 2; time++) {
      const { found } = await restore(vault, target);
      assert.deepEqual(found, []);
      await isWhole(target);
      assert.equal(await textOf(target, `${upper}.mod.manifest`), theirs);
      assert.equal(await textOf(target, `${upper}.zip`), await textOf(store, `${upper}.zip`));
    }
    const key = storageKey(`${upper}.zip.manifest`);
    const facts = parseZipManifest(key, (await target.get(key, 1 << 20))?.bytes ?? new Uint8Array());
    assert.equal(facts.firstSeen, "2024-01-02T03:04:05.000Z");
  });

  test("brings the files of a trimmed version back, and takes its tombstone away", async () => {
    const { vault, store, memory } = await taken();
    const sound = await contents(store);
    await put(store, `${upper}.tombstone`, "trimmed");
    for (const end of [".info", ".mod", ".zip"]) await store.remove(storageKey(`${upper}${end}`));
    await restore(vault, store, { memory });
    assert.deepEqual(await contents(store), sound);
  });

  for (const end of [".info", ".mod.manifest", ".zip", ".zip.manifest"])
    for (const harm of ["damaged", "lost"] as const)
      test(`lists a version whose ${end} is ${harm} in the snapshot, and tears nothing`, async () => {
        const { vault } = await taken();
        const key = objectKey(await hashInSnapshot(vault, `${upper}${end}`));
        if (harm === "lost") await vault.remove(key);
        else await damage(vault, key);
        const target = new MemoryStorage();
        const { found } = await restore(vault, target);
        assert.deepEqual(
          found.map(({ what, is }) => [what, is]),
          [[upper, "damaged"]],
        );
        await isWhole(target);
        assert.equal(await textOf(target, "modules/example.com/!upper/@v/list"), "v1.1.0\n");
      });

  test("checks a large zip while it is written, and gives it no name when it is wrong", async () => {
    const [store, vault] = [new MemoryStorage(), new MemoryStorage()];
    await keepVersion(store, { path: "example.com/large", version: "v1.0.0", zipBytes: 3_000_000 });
    await snapshot(store, vault);
    const zip = "modules/example.com/large/@v/v1.0.0.zip";
    const sound = await copyOf(vault);
    await damage(vault, objectKey(await hashInSnapshot(vault, zip)));
    const target = new MemoryStorage();
    assert.equal((await restore(vault, target)).found.length, 1);
    assert.equal(await textOf(target, zip), undefined);
    assert.equal((await restore(sound, target)).found.length, 0);
    await isWhole(target);
  });

  test("puts state files only where there are none, unless it is told to replace them", async () => {
    const { vault, store, memory } = await taken();
    await put(store, "state/events.jsonl", "what happened");
    await snapshot(store, vault);
    await put(store, "state/tokens.json", "newer tokens");
    await put(store, "state/events.jsonl", "what happened since");
    await put(store, "state/sumdb/sum.example/heads.json", "newer heads");
    await store.remove(storageKey("state/pins/corp.example/secret/@v/v0.1.0.json"));
    await restore(vault, store, { memory });
    assert.equal(await textOf(store, "state/tokens.json"), "newer tokens");
    assert.equal(await textOf(store, "state/pins/corp.example/secret/@v/v0.1.0.json"), "a pin");
    await restore(vault, store, { memory, replacesState: true });
    assert.equal(await textOf(store, "state/tokens.json"), "hashes of tokens");
    // Neither the story nor what was accepted goes back.
    assert.equal(await textOf(store, "state/events.jsonl"), "what happened since");
    assert.equal(await textOf(store, "state/sumdb/sum.example/heads.json"), "newer heads");
  });

  test("of an older snapshot brings that one back", async () => {
    const { vault, store } = await taken();
    const [first] = await snapshotIds(vault);
    await keepVersion(store, { path: "example.com/Upper", version: "v1.2.0", seed: 5 });
    await snapshot(store, vault);
    const target = new MemoryStorage();
    await restore(vault, target, { id: first ?? "" });
    assert.equal(await textOf(target, "modules/example.com/!upper/@v/list"), "v1.0.0\nv1.1.0\n");
  });

  test("the store failing ends it", async () => {
    const { vault } = await taken();
    const target = new FaultyStorage(new MemoryStorage());
    target.arm({ on: "create", skip: 4, does: { kind: "full", when: "before" } });
    await assert.rejects(restore(vault, target), /no space left/);
  });
});

suite("the own log in a restore", () => {
  const verdicts = (report: Awaited<ReturnType<typeof restore>>) => report.logs.map(({ verdict }) => verdict.is);

  test("comes back and goes on", async () => {
    const { vault, memory } = await taken(300);
    const target = new MemoryStorage();
    const report = await restore(vault, target, { memory });
    assert.deepEqual([verdicts(report), report.logs[0]?.isForgotten], [["restore"], false]);
    const log = openLog(target, memory);
    await appendRecords(log, 0, 301);
    assert.equal((await log.head()).size, 301);
  });

  test("is remembered beside the key before any of it is written, and it is said when nobody remembered", async () => {
    const { vault } = await taken(300);
    const memory = new Memory();
    const target = new FaultyStorage(new MemoryStorage());
    target.arm({ on: "create", key: /sumlog/, does: { kind: "unavailable", when: "before" } });
    await assert.rejects(restore(vault, target, { memory }));
    await assert.rejects(openLog(target, memory).head(), { code: "SUMLOG_RESET" });
    assert.deepEqual((await restore(vault, target, { memory })).logs[0]?.isForgotten, false);
    assert.equal((await openLog(target, memory).head()).size, 300);
    assert.deepEqual((await restore(vault, new MemoryStorage())).logs[0]?.isForgotten, true);
  });

  test("that is older than what the key has signed stays away", async () => {
    for (const more of [301, 600]) {
      const { vault, store, memory } = await taken(300);
      await appendRecords(openLog(store, memory), 300, more);
      const target = new MemoryStorage();
      const report = await restore(vault, target, { memory });
      assert.deepEqual(report.logs[0]?.verdict, { is: "behind", size: 300, signed: more });
      for await (const { key } of target.list("state/sumlog/")) assert.fail(key);
      assert.equal(await textOf(target, "state/tokens.json"), "hashes of tokens");
    }
  });

  test("that is longer in the store stays as it is", async () => {
    for (const more of [301, 600]) {
      const { vault, store, memory } = await taken(300);
      await appendRecords(openLog(store, memory), 300, more);
      const before = await contents(store);
      const report = await restore(vault, store, { memory });
      assert.deepEqual(report.logs[0]?.verdict, { is: "kept", size: 300, kept: more });
      assert.deepEqual(await contents(store), before);
    }
  });

  test("that is longer in the snapshot goes on in the store", async () => {
    const { vault, store, memory } = await taken(300);
    const old = await copyOf(store);
    await appendRecords(openLog(store, memory), 300, 700);
    await snapshot(store, vault);
    assert.deepEqual(verdicts(await restore(vault, old, { memory })), ["restore"]);
    assert.equal(await isWhole(old), 700);
    assert.equal((await openLog(old, memory).head()).size, 700);
  });

  test("is refused when it forks from the store's, in whichever direction", async () => {
    for (const theirs of [200, 300, 600]) {
      const { vault } = await taken(300);
      const target = new MemoryStorage();
      // The same key, begun anew: other records.
      await appendRecords(openLog(target), 1_000, 1_000 + theirs);
      const before = await contents(target);
      const report = await restore(vault, target);
      assert.deepEqual(verdicts(report), ["fork"], `${theirs} records`);
      for (const [key, hash] of Object.entries(await contents(target)))
        if (key.startsWith("state/sumlog/")) assert.equal(before[key], hash, key);
    }
  });

  test("is refused when it is not what the key has signed", async () => {
    const { vault } = await taken(300);
    const memory = new Memory();
    await appendRecords(openLog(new MemoryStorage(), memory), 1_000, 1_100);
    assert.deepEqual(verdicts(await restore(vault, new MemoryStorage(), { memory })), ["fork"]);
  });

  test("needs the key", async () => {
    const { vault } = await taken(3);
    const target = new MemoryStorage();
    assert.deepEqual(verdicts(await restore(vault, target, { keyless: true })), ["keyless"]);
    for await (const { key } of target.list("state/sumlog/")) assert.fail(key);
  });

  test("is not begun when part of it is lost in the snapshot", async () => {
    for (const key of ["tile/8/0/000", "tile/8/data/000", "heads/0000000000000300"]) {
      const { vault } = await taken(300);
      await vault.remove(objectKey(await hashInSnapshot(vault, `state/sumlog/log.example/${key}`)));
      const [target, memory] = [new MemoryStorage(), new Memory()];
      assert.deepEqual(verdicts(await restore(vault, target, { memory })), ["unsound"], key);
      assert.equal(memory.note, undefined);
      for await (const found of target.list("state/sumlog/")) assert.fail(found.key);
    }
  });

  test("mends a store's that lost a tile or its head", async () => {
    for (const key of ["tile/8/0/000", "tile/8/data/000", "heads/0000000000000300"])
      for (const harm of ["damaged", "lost"] as const) {
        const { vault, store, memory } = await taken(300);
        const at = `state/sumlog/log.example/${key}`;
        if (harm === "damaged") await damage(store, at);
        else await store.remove(storageKey(at));
        assert.deepEqual(verdicts(await restore(vault, store, { memory })), ["restore"], `${harm} ${key}`);
        assert.equal(await isWhole(store), 300);
      }
  });
});
