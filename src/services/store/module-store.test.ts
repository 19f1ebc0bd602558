import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { changes, FaultyStorage } from "#adapters/storage/faulty.ts";
import type { Mischief, StorageCall } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { arrivalFacts as facts, moduleVersion, someBytes, zipFacts } from "../../../test/support/manifests.ts";
import { StoreDamaged } from "./errors.ts";
import { listKey, versionKey } from "./layout.ts";
import type { VersionFile } from "./layout.ts";
import { formatManifest, parseModManifest } from "./manifest.ts";
import { ModuleStore } from "./module-store.ts";
import type { KeptZip, Keeping } from "./module-store.ts";
import { StoreUnavailable } from "./ports.ts";
import type { Storage } from "./ports.ts";

const id = moduleVersion("example.com/Upper/m", "v1.0.0-RC1");
const other = moduleVersion("example.com/other", "v1.0.0");
const info = textBytes('{"Version":"v1.0.0-RC1"}');
const mod = textBytes("module example.com/Upper/m\n");
const zip = someBytes(200_000, 5);
const arrival = { id, info, mod, facts };

function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function keepZipOf(
  store: ModuleStore,
  storage: Storage,
  what: { id: ModuleVersion; bytes: Uint8Array },
): Promise<Keeping<KeptZip>> {
  const stage = await storage.stage(1 << 20);
  try {
    await stage.write(what.bytes);
    await stage.seal();
    return await store.keepZip({ id: what.id, stage, zip: zipFacts(what.bytes), facts });
  } finally {
    await stage.discard();
  }
}

async function bytesOf(kept: KeptZip | undefined): Promise<Uint8Array> {
  assert.ok(kept !== undefined);
  const object = await kept.open();
  try {
    const bytes = new Uint8Array(object.size);
    assert.equal(await object.read(0, bytes), object.size);
    return bytes;
  } finally {
    await object.close();
  }
}

/** A store with one whole version. */
async function kept(): Promise<{ storage: MemoryStorage; store: ModuleStore }> {
  const storage = new MemoryStorage();
  const store = new ModuleStore(storage);
  await store.keepMod(arrival);
  await keepZipOf(store, storage, { id, bytes: zip });
  return { storage, store };
}

async function put(storage: Storage, key: ReturnType<typeof versionKey>, bytes: Uint8Array): Promise<void> {
  assert.equal(await storage.replace(key, bytes, (await storage.stat(key))?.token), "replaced");
}

async function get(storage: Storage, file: VersionFile, of = id): Promise<Uint8Array> {
  const stored = await storage.get(versionKey(of, file), 1 << 24);
  assert.ok(stored !== undefined);
  return Uint8Array.from(stored.bytes);
}

suite("the module store: keep and find", () => {
  test("nothing kept is nothing found", async () => {
    const store = new ModuleStore(new MemoryStorage());
    assert.equal(await store.findMod(id), undefined);
    assert.equal(await store.findZip(id), undefined);
    assert.deepEqual(await store.listKept(id.path), []);
  });

  test("`.info` and go.mod come back as they were kept, with their facts", async () => {
    const { store } = await kept();
    const found = await store.findMod(id);
    assert.deepEqual(found?.info, info);
    assert.deepEqual(found.mod, mod);
    assert.deepEqual(found.manifest.records, facts.records);
    assert.equal(found.since.toISOString(), facts.firstSeen);
  });

  test("the zip comes back as it was kept, also to a new process", async () => {
    const { storage, store } = await kept();
    assert.deepEqual(await bytesOf(await store.findZip(id)), zip);
    assert.deepEqual(await bytesOf(await new ModuleStore(storage).findZip(id)), zip);
  });

  test("the zip manifest names the mod manifest's sha256", async () => {
    const { storage, store } = await kept();
    const manifest = (await store.findZip(id))?.manifest;
    assert.equal(manifest?.modManifest, zipFacts(await get(storage, "mod.manifest")).sha256);
  });

  test("stage mod alone is no zip, and in no list", async () => {
    const storage = new MemoryStorage();
    const store = new ModuleStore(storage);
    await store.keepMod(arrival);
    assert.equal(await store.findZip(id), undefined);
    assert.deepEqual(await store.listKept(id.path), []);
  });

  test("a zip before its go.mod is refused as a bug", async () => {
    const storage = new MemoryStorage();
    await assert.rejects(keepZipOf(new ModuleStore(storage), storage, { id, bytes: zip }), /before keepMod/);
    assert.equal(await storage.stat(versionKey(id, "zip")), undefined);
  });

  test("files lie where a go command looks for them", async () => {
    const { storage } = await kept();
    const keys = (await Array.fromAsync(storage.list("modules/"))).map(({ key }) => key).sort();
    const stem = "modules/example.com/!upper/m/@v/v1.0.0-!r!c1";
    const files = [".info", ".mod", ".mod.manifest", ".zip", ".zip.manifest"].map((end) => stem + end);
    assert.deepEqual(keys, ["modules/example.com/!upper/m/@v/list", ...files]);
  });

  test("the first go.mod stays, another is a conflict", async () => {
    const { storage, store } = await kept();
    const keeping = await store.keepMod({ ...arrival, mod: Buffer.from("module evil\n") });
    assert.equal(keeping.conflict, true);
    assert.deepEqual(keeping.kept.mod, mod);
    assert.deepEqual(await get(storage, "mod"), mod);
  });

  test("the first `.info` stays, and another with the same go.mod is no conflict", async () => {
    const { store } = await kept();
    const keeping = await store.keepMod({ ...arrival, info: Buffer.from("{}") });
    assert.equal(keeping.conflict, false);
    assert.deepEqual(keeping.kept.info, info);
  });

  test("the first zip stays, another is a conflict", async () => {
    const { storage, store } = await kept();
    const keeping = await keepZipOf(store, storage, { id, bytes: someBytes(200_000, 6) });
    assert.equal(keeping.conflict, true);
    assert.deepEqual(await bytesOf(keeping.kept), zip);
    assert.deepEqual(await bytesOf(await store.findZip(id)), zip);
  });

  test("the same bytes again are no conflict and change nothing", async () => {
    const { storage, store } = await kept();
    const before = await Array.fromAsync(storage.list(""), async ({ key }) => (await storage.stat(key))?.token);
    assert.equal((await store.keepMod(arrival)).conflict, false);
    assert.equal((await keepZipOf(store, storage, { id, bytes: zip })).conflict, false);
    const after = await Array.fromAsync(storage.list(""), async ({ key }) => (await storage.stat(key))?.token);
    assert.deepEqual(after, before);
  });

  test("of 20 who keep different go.mods at once one wins, whole", async () => {
    const storage = new MemoryStorage();
    const store = new ModuleStore(storage);
    const arrivals = Array.from({ length: 20 }, (_, n) => ({
      id,
      facts,
      info: textBytes(`{"n":${n}}`),
      mod: textBytes(`module m${n}\n`),
    }));
    const keepings = await Promise.all(arrivals.map((each) => store.keepMod(each)));
    const winners = keepings.filter(({ conflict }) => !conflict);
    assert.equal(winners.length, 1);
    const found = await new ModuleStore(storage).findMod(id);
    assert.equal(
      arrivals.filter((each) => isDeepStrictEqual([each.info, each.mod], [found!.info, found!.mod])).length,
      1,
    );
    for (const { kept: each } of keepings) assert.deepEqual(each.mod, found?.mod);
  });

  test("of 20 who keep different zips at once one wins, whole", async () => {
    const storage = new MemoryStorage();
    const store = new ModuleStore(storage);
    await store.keepMod(arrival);
    const zips = Array.from({ length: 20 }, (_, n) => someBytes(1_000, n));
    const keepings = await Promise.all(zips.map((bytes) => keepZipOf(store, storage, { id, bytes })));
    assert.equal(keepings.filter(({ conflict }) => !conflict).length, 1);
    const found = await bytesOf(await new ModuleStore(storage).findZip(id));
    for (const keeping of keepings) assert.deepEqual(await bytesOf(keeping.kept), found);
  });
});

suite("the module store: lists", () => {
  const path = moduleVersion("example.com/listed", "v1.0.0").path;
  async function keepWhole(store: ModuleStore, storage: Storage, version: string): Promise<void> {
    const each = moduleVersion(path, version);
    await store.keepMod({ ...arrival, id: each });
    await keepZipOf(store, storage, { id: each, bytes: someBytes(100, 1) });
  }

  test("20 zips kept at once all end in the list, in Go's order", async () => {
    const storage = new MemoryStorage();
    const store = new ModuleStore(storage);
    const versions = Array.from({ length: 20 }, (_, n) => `v1.${n}.0`);
    await Promise.all(versions.toReversed().map((version) => keepWhole(store, storage, version)));
    assert.deepEqual(await store.listKept(path), versions);
  });

  test("20 zips kept at once by 20 who do not know each other all end in the list", async () => {
    const storage = new MemoryStorage();
    const versions = Array.from({ length: 20 }, (_, n) => `v1.${n}.0`);
    await Promise.all(versions.map((version) => keepWhole(new ModuleStore(storage), storage, version)));
    assert.deepEqual(await new ModuleStore(storage).listKept(path), versions);
  });

  test("pseudo-versions are kept and not listed", async () => {
    const storage = new MemoryStorage();
    const store = new ModuleStore(storage);
    const pseudo = "v0.0.0-20240102030405-0123456789ab";
    await keepWhole(store, storage, pseudo);
    assert.deepEqual(await store.listKept(path), []);
    assert.ok((await store.findZip(moduleVersion(path, pseudo))) !== undefined);
  });

  test("a list that lost versions is made whole by the next keep of a new process", async () => {
    const storage = new MemoryStorage();
    const store = new ModuleStore(storage);
    for (const version of ["v1.0.0", "v1.1.0-RC1", "v1.2.0"]) await keepWhole(store, storage, version);
    await put(storage, listKey(path), Buffer.from("v1.2.0\ngarbage\nv9.9.9\n"));
    await keepWhole(new ModuleStore(storage), storage, "v1.3.0");
    assert.deepEqual(await store.listKept(path), ["v1.0.0", "v1.1.0-RC1", "v1.2.0", "v1.3.0"]);
  });

  test("a flipped bit in a list names nothing, in the process that wrote it and in the next", async () => {
    const storage = new MemoryStorage();
    const store = new ModuleStore(storage);
    await keepWhole(store, storage, "v1.0.0");
    assert.deepEqual(await store.listKept(path), ["v1.0.0"]);
    for (const reader of [store, new ModuleStore(storage)]) {
      await put(storage, listKey(path), Buffer.from("v1.0.1\n"));
      assert.deepEqual(await reader.listKept(path), ["v1.0.0"]);
      assert.deepEqual(await new ModuleStore(storage).listKept(path), ["v1.0.0"]);
    }
  });

  test("files that are not ours in a module's folder are in no list", async () => {
    const storage = new MemoryStorage();
    const stem = "modules/example.com/listed/@v/";
    for (const name of ["x.zip.manifest", "V1.zip.manifest", "a/v1.0.0.zip.manifest", ".zip.manifest"])
      await storage.create(`${stem}${name}` as Parameters<Storage["create"]>[0], Buffer.from("?"));
    const store = new ModuleStore(storage);
    await keepWhole(store, storage, "v1.0.0");
    assert.deepEqual(await store.listKept(path), ["v1.0.0"]);
  });
});

suite("the module store: damage", () => {
  for (const file of ["info", "mod"] as const)
    for (const [how, spoil] of [
      ["changed", (bytes: Uint8Array) => Uint8Array.from(bytes).fill(65, 3, 4)],
      ["emptied", () => new Uint8Array()],
      ["grown", (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc(20 << 20)])],
      ["removed", undefined],
    ] as const)
      test(`a ${file} that was ${how} is damage, and the same bytes restore it`, async () => {
        const { storage, store } = await kept();
        const key = versionKey(id, file);
        const bytes = await get(storage, file);
        if (spoil === undefined) await storage.remove(key);
        else await put(storage, key, spoil(bytes));
        await assert.rejects(store.findMod(id), { name: "StoreDamaged", key });
        const keeping = await store.keepMod(arrival);
        assert.equal(keeping.conflict, false);
        assert.deepEqual(await get(storage, file), bytes);
        assert.deepEqual(Uint8Array.from((await store.findMod(id))![file]), bytes);
      });

  test("a damaged go.mod is not restored by other bytes", async () => {
    const { storage, store } = await kept();
    await put(storage, versionKey(id, "mod"), Buffer.from("x"));
    await assert.rejects(store.keepMod({ ...arrival, mod: Buffer.from("module evil\n") }), StoreDamaged);
    assert.deepEqual(await get(storage, "mod"), textBytes("x"));
  });

  test("a damaged go.mod is restored although the `.info` that comes with it is another", async () => {
    const { storage, store } = await kept();
    await put(storage, versionKey(id, "mod"), Buffer.from("x"));
    const keeping = await store.keepMod({ ...arrival, info: Buffer.from("{}") });
    assert.deepEqual([keeping.kept.mod, keeping.kept.info], [mod, info]);
  });

  for (const [how, spoil] of [
    ["changed", () => Uint8Array.from(zip).fill(7, 70_000, 70_001)],
    ["cut", () => zip.subarray(0, 100_000)],
    ["removed", undefined],
  ] as const)
    test(`a zip that was ${how} is damage when it is read, then when it is found, and the same bytes restore it`, async () => {
      const { storage, store } = await kept();
      const key = versionKey(id, "zip");
      if (spoil === undefined) await storage.remove(key);
      else await put(storage, key, spoil());
      const found = await store.findZip(id);
      await assert.rejects(bytesOf(found), StoreDamaged);
      await assert.rejects(store.findZip(id), { name: "StoreDamaged", key });
      await assert.rejects(store.findZip(id), StoreDamaged);
      const keeping = await keepZipOf(store, storage, { id, bytes: zip });
      assert.equal(keeping.conflict, false);
      assert.deepEqual(await bytesOf(keeping.kept), zip);
      assert.deepEqual(await bytesOf(await store.findZip(id)), zip);
    });

  test("a damaged zip is not restored by other bytes", async () => {
    const { storage, store } = await kept();
    await storage.remove(versionKey(id, "zip"));
    const keeping = await keepZipOf(store, storage, { id, bytes: someBytes(200_000, 9) });
    assert.equal(keeping.conflict, true);
    await assert.rejects(bytesOf(keeping.kept), StoreDamaged);
    assert.equal(await storage.stat(versionKey(id, "zip")), undefined);
  });

  test("a zip found damaged is found again once somebody put the right file back", async () => {
    const { storage, store } = await kept();
    await put(storage, versionKey(id, "zip"), new Uint8Array(200_000));
    await assert.rejects(bytesOf(await store.findZip(id)), StoreDamaged);
    await put(storage, versionKey(id, "zip"), zip);
    assert.deepEqual(await bytesOf(await store.findZip(id)), zip);
  });

  for (const file of ["mod.manifest", "zip.manifest"] as const)
    for (const [how, bytes] of [
      ["torn", Buffer.from('{"manifest":1,')],
      ["empty", new Uint8Array()],
      ["huge", new Uint8Array(2 << 20)],
    ] as const)
      test(`a ${file} that is ${how} is damage for ever: nothing is found, kept or overwritten`, async () => {
        const { storage } = await kept();
        await put(storage, versionKey(id, file), bytes);
        const store = new ModuleStore(storage);
        await assert.rejects(file === "mod.manifest" ? store.findMod(id) : store.findZip(id), StoreDamaged);
        if (file === "mod.manifest") await assert.rejects(store.keepMod(arrival), StoreDamaged);
        await assert.rejects(keepZipOf(store, storage, { id, bytes: zip }), StoreDamaged);
        assert.deepEqual(await get(storage, file), Uint8Array.from(bytes));
        assert.deepEqual(await get(storage, "zip"), zip);
      });

  test("manifests swapped between two modules are damage at both", async () => {
    const { storage, store } = await kept();
    await store.keepMod({ ...arrival, id: other });
    await keepZipOf(store, storage, { id: other, bytes: zip });
    for (const file of ["mod.manifest", "zip.manifest"] as const) {
      const [mine, theirs] = [await get(storage, file), await get(storage, file, other)];
      await put(storage, versionKey(id, file), theirs);
      await put(storage, versionKey(other, file), mine);
    }
    for (const each of [id, other]) {
      await assert.rejects(store.findMod(each), StoreDamaged);
      await assert.rejects(store.findZip(each), StoreDamaged);
      await assert.rejects(store.keepMod({ ...arrival, id: each }), StoreDamaged);
    }
  });

  test("a mod manifest that is not the one the zip manifest names is damage of the zip", async () => {
    const { storage } = await kept();
    const manifest = parseModManifest("k", await get(storage, "mod.manifest"));
    await put(storage, versionKey(id, "mod.manifest"), formatManifest({ ...manifest, verifiedBy: "off" }));
    const store = new ModuleStore(storage);
    await assert.rejects(store.findZip(id), StoreDamaged);
    assert.ok((await store.findMod(id)) !== undefined);
  });

  test("leftovers without a manifest are not found, and are replaced", async () => {
    const storage = new MemoryStorage();
    for (const file of ["info", "mod", "zip"] as const) await storage.create(versionKey(id, file), Buffer.from("left"));
    const store = new ModuleStore(storage);
    assert.equal(await store.findMod(id), undefined);
    assert.equal(await store.findZip(id), undefined);
    await store.keepMod(arrival);
    await keepZipOf(store, storage, { id, bytes: zip });
    assert.deepEqual((await store.findMod(id))?.mod, mod);
    assert.deepEqual(await bytesOf(await store.findZip(id)), zip);
  });

  test("a storage that cannot answer is neither absence nor damage", async () => {
    const { storage } = await kept();
    const faulty = new FaultyStorage(storage);
    const store = new ModuleStore(faulty);
    faulty.arm({ on: ["get", "stat"], times: Infinity, does: { kind: "unavailable", when: "before" } });
    await assert.rejects(store.findMod(id), StoreUnavailable);
    await assert.rejects(store.findZip(id), StoreUnavailable);
    await assert.rejects(store.listKept(id.path), StoreUnavailable);
    faulty.heal();
    assert.deepEqual((await store.findMod(id))?.mod, mod);
  });
});

suite("the module store: commits torn at every operation", () => {
  const every: readonly StorageCall[] = [...changes, "get", "stat", "open", "read", "list"];
  const mischiefs: readonly (readonly [string, Mischief])[] = [
    ["fails before", { kind: "unavailable", when: "before" }],
    ["fails after", { kind: "unavailable", when: "after" }],
    ["is full before", { kind: "full", when: "before" }],
  ];

  async function keepAll(store: ModuleStore, storage: Storage): Promise<void> {
    await store.keepMod(arrival);
    await keepZipOf(store, storage, { id, bytes: zip });
  }

  /** Absent or whole, for this process and for the next; then the next keep succeeds. */
  async function checkAfter(store: ModuleStore, storage: Storage): Promise<void> {
    for (const each of [store, new ModuleStore(storage)]) {
      const foundMod = await each.findMod(id);
      if (foundMod !== undefined) assert.deepEqual([foundMod.info, foundMod.mod], [info, mod]);
      const foundZip = await each.findZip(id);
      if (foundZip !== undefined) assert.deepEqual(await bytesOf(foundZip), zip);
      assert.ok(foundZip === undefined || foundMod !== undefined);
      for (const version of await each.listKept(id.path)) assert.ok(version === id.version && foundZip !== undefined);
    }
    await keepAll(store, storage);
    assert.deepEqual(await bytesOf(await store.findZip(id)), zip);
    assert.deepEqual((await store.findMod(id))!.mod, mod);
    assert.deepEqual(await store.listKept(id.path), [id.version]);
  }

  for (const [how, does] of mischiefs)
    for (const start of ["nothing", "leftovers"] as const)
      test(`from ${start}, when any one operation ${how}`, async () => {
        for (let skip = 0; ; skip++) {
          const inner = new MemoryStorage();
          if (start === "leftovers")
            for (const file of ["info", "mod", "zip"] as const)
              await inner.create(versionKey(id, file), Buffer.from("left"));
          const faulty = new FaultyStorage(inner);
          const store = new ModuleStore(faulty);
          faulty.arm({ on: every, skip, does });
          const outcome = await keepAll(store, faulty).then(
            () => "kept",
            (error: unknown) => {
              assert.ok(error instanceof StoreUnavailable, String(error));
              return "failed";
            },
          );
          const isPast = faulty.calls.length <= skip;
          faulty.heal();
          await checkAfter(store, faulty);
          if (!isPast) continue;
          assert.equal(outcome, "kept");
          assert.ok(skip > 10, `only ${skip} operations`);
          return;
        }
      });

  test("a process that dies between any two operations leaves a store the next one can use", async () => {
    for (let skip = 0; ; skip++) {
      const inner = new MemoryStorage();
      const faulty = new FaultyStorage(inner);
      faulty.arm({ on: every, skip, times: Infinity, does: { kind: "unavailable", when: "before" } });
      const died = await keepAll(new ModuleStore(faulty), faulty).then(
        () => false,
        () => true,
      );
      await checkAfter(new ModuleStore(inner), inner);
      if (!died) return;
    }
  });
});
