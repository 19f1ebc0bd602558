// The rules of the tiers, over a far storage that fails as told and whose calls are counted.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import type { Storage, StorageKey } from "#services/store/ports.ts";
import { StoreAway, StoreFull, StoreUnavailable, storageKey } from "#services/store/ports.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { systemClock } from "../system/clock.ts";
import { openDiskStorage } from "./disk.ts";
import type { DiskStorage } from "./disk.ts";
import { FaultyStorage } from "./faulty.ts";
import type { StorageCall } from "./faulty.ts";
import { MemoryStorage } from "./memory.ts";
import { openTieredStorage } from "./tiered.ts";
import type { TieredStorage, TieredUse } from "./tiered.ts";

const every: readonly StorageCall[] = ["get", "stat", "open", "read", "create", "replace", "remove", "list"];
const version = "modules/example.com/a/@v/v1.0.0";
const info = storageKey(`${version}.info`);
const mod = storageKey(`${version}.mod`);
const modManifest = storageKey(`${version}.mod.manifest`);
const zip = storageKey(`${version}.zip`);
const zipManifest = storageKey(`${version}.zip.manifest`);
const list = storageKey("modules/example.com/a/@v/list");
const tombstone = storageKey(`${version}.tombstone`);

type Room = {
  readonly tiers: TieredStorage;
  readonly near: DiskStorage;
  readonly inner: MemoryStorage;
  readonly far: FaultyStorage;
  /** Another node on the same far storage, or this one after a restart. */
  readonly open: (root?: string, more?: Partial<TieredUse>) => Promise<TieredStorage>;
  /** Calls of the far storage since the last question, stages and probes left out. */
  readonly asked: () => string[];
  readonly away: () => void;
  readonly root: string;
};

async function makeRoom(t: TestContext, more: Partial<TieredUse> = {}): Promise<Room> {
  const root = await mkdtemp(join(tmpdir(), "granary-tiered-"));
  atEnd(t, () => rm(root, { recursive: true, force: true, maxRetries: 3 }));
  const inner = new MemoryStorage();
  const far = new FaultyStorage(inner);
  let last: DiskStorage | undefined;
  const open = async (at = join(root, "near"), and: Partial<TieredUse> = {}): Promise<TieredStorage> => {
    last = await openDiskStorage(at, { fsync: "never" });
    const limits = { nearBytes: 1 << 30, memoryBytes: 1 << 20, queueBytes: 1 << 20 };
    const use = { near: last, far, farTakesStages: false, limits, clock: systemClock, restMs: 20, ...more, ...and };
    const tiers = await openTieredStorage(use);
    atEnd(t, () => tiers.settled());
    return tiers;
  };
  const tiers = await open();
  let told = 0;
  const asked = (): string[] => {
    const calls = far.calls.slice(told).filter((call) => !/^(stage|write|seal|read) /.test(call));
    told = far.calls.length;
    return calls;
  };
  const away = (): void => {
    far.arm({ on: every, times: Infinity, does: { kind: "unavailable", when: "before" } });
  };
  if (last === undefined) throw new Error("nothing was opened");
  return { tiers, near: last, inner, far, open, asked, away, root: join(root, "near") };
}

const bytes = (text: string): Buffer => Buffer.from(text);

async function text(storage: Storage, key: StorageKey): Promise<string | undefined> {
  const stored = await storage.get(key, 1 << 20);
  return stored && Buffer.from(stored.bytes).toString();
}

async function whole(storage: Storage, key: StorageKey): Promise<Buffer> {
  const object = await storage.open(key);
  assert.ok(object, `${key} is not there`);
  const into = Buffer.alloc(object.size);
  for (let at = 0; at < into.length;) {
    const got = await object.read(at, into.subarray(at, at + 100_000));
    assert.ok(got > 0);
    at += got;
  }
  await object.close();
  return into;
}

async function stageOf(storage: Storage, body: Buffer) {
  const stage = await storage.stage(body.length);
  await stage.write(body);
  await stage.seal();
  return stage;
}

const large = Buffer.alloc(3 << 20, "0123456789abcdef");

suite("tiers: reading", () => {
  test("a small object costs one request, also when it is looked at first, and none when warm", async (t) => {
    const { tiers, inner, asked } = await makeRoom(t);
    await inner.create(mod, bytes("module a\n"));
    await tiers.stat(mod);
    assert.equal(await text(tiers, mod), "module a\n");
    await tiers.open(mod);
    assert.deepEqual(asked(), [`get ${mod}`]);
  });

  test("many who ask at once ask once", async (t) => {
    const { tiers, inner, asked } = await makeRoom(t);
    await inner.create(mod, bytes("module a\n"));
    await inner.create(zip, large);
    await Promise.all(Array.from({ length: 20 }, () => Promise.all([text(tiers, mod), whole(tiers, zip)])));
    assert.deepEqual(asked().sort(), [`get ${mod}`, `open ${zip}`]);
  });

  test("a zip that is looked at and then read costs one request, and none when warm or after a restart", async (t) => {
    const { tiers, inner, asked, open } = await makeRoom(t);
    await inner.create(zip, large);
    assert.equal((await tiers.stat(zip))?.size, large.length);
    assert.deepEqual(await whole(tiers, zip), large);
    for (let n = 0; n < 100 && (await tiers.stat(zip))?.token.startsWith("near") !== true; n++) await passed(10);
    assert.deepEqual(await whole(tiers, zip), large);
    assert.deepEqual(await whole(await open(), zip), large);
    assert.deepEqual(asked(), [`open ${zip}`]);
  });

  test("a zip reaches its reader before the whole of it has come", async (t) => {
    const { tiers, inner, far } = await makeRoom(t);
    await inner.create(zip, large);
    let go = (): void => undefined;
    const until = new Promise<void>((resolve) => (go = resolve));
    far.arm({ on: "read", skip: 2, does: { kind: "delay", until } });
    const object = await tiers.open(zip);
    const head = Buffer.alloc(1000);
    assert.equal(await object?.read(0, head), 1000);
    assert.deepEqual(head, large.subarray(0, 1000));
    go();
    await object?.close();
    assert.deepEqual(await whole(tiers, zip), large);
  });

  test("absence is asked for again", async (t) => {
    const { tiers, inner } = await makeRoom(t);
    assert.equal(await tiers.get(mod, 100), undefined);
    await inner.create(mod, bytes("m"));
    assert.equal(await text(tiers, mod), "m");
  });

  test("a rotten copy is dropped by who doubts it, and what is afar comes instead", async (t) => {
    const { tiers, inner, root, open } = await makeRoom(t);
    await inner.create(mod, bytes("right"));
    await tiers.get(mod, 100);
    await writeFile(join(root, mod), "wrong");
    const again = await open();
    assert.equal(await text(again, mod), "wrong");
    assert.equal(await again.doubt(mod), true);
    assert.equal(await text(again, mod), "right");
    assert.equal(await open().then((tiers) => text(tiers, mod)), "right");
  });

  test("a refused create and a lost replace show what is really there", async (t) => {
    const { tiers, inner, root, open } = await makeRoom(t);
    await tiers.create(info, bytes("ours"));
    const before = (await inner.get(info, 100))?.token;
    await inner.replace(info, bytes("theirs"), before);
    assert.equal(await tiers.replace(info, bytes("mine"), (await tiers.stat(info))?.token), "conflict");
    assert.equal(await text(tiers, info), "theirs");
    await writeFile(join(root, info), "old");
    const again = await open();
    assert.equal(await again.create(info, bytes("mine")), "exists");
    assert.equal(await text(again, info), "theirs");
  });

  test("whoever sees a tombstone lets go of the copies of its version", async (t) => {
    const { tiers, inner } = await makeRoom(t);
    await tiers.create(mod, bytes("m"));
    await inner.remove(mod);
    await inner.create(tombstone, bytes("{}"));
    assert.equal(await text(tiers, mod), "m");
    await tiers.get(tombstone, 100);
    assert.equal(await tiers.get(mod, 100), undefined);
  });

  test("a lost near directory is made anew", async (t) => {
    const { tiers, inner, root } = await makeRoom(t, { limits: { nearBytes: 1 << 30, memoryBytes: 0, queueBytes: 0 } });
    await inner.create(mod, bytes("m"));
    await tiers.get(mod, 100);
    await rm(join(root, "modules"), { recursive: true });
    assert.equal(await text(tiers, mod), "m");
    assert.deepEqual(await readdir(join(root, "modules/example.com/a/@v")), ["v1.0.0.mod"]);
  });
});

suite("tiers: room", () => {
  const keyAt = (n: number): StorageKey => storageKey(`modules/example.com/a/@v/v1.0.${n}.mod`);

  test("copies unused longest leave, also those that an earlier process left", async (t) => {
    const limits = { nearBytes: 10_000, memoryBytes: 0, queueBytes: 0 };
    const { tiers, open, root } = await makeRoom(t, { limits });
    for (let n = 0; n < 8; n++) await tiers.create(keyAt(n), Buffer.alloc(1000, n));
    const again = await open();
    const stop = new AbortController();
    const run = again.run(stop.signal);
    await passed(50);
    await again.get(keyAt(0), 2000);
    for (let n = 10; n < 15; n++) await again.create(keyAt(n), Buffer.alloc(1000, n));
    stop.abort();
    await run;
    const names = await readdir(join(root, "modules/example.com/a/@v"));
    assert.ok(names.includes("v1.0.0.mod"), "what was used stays");
    assert.equal(names.length, 10);
    assert.equal(again.view.near.bytes, 10_000);
  });

  test("without room for copies everything is read from afar", async (t) => {
    const { tiers, inner, root } = await makeRoom(t, { limits: { nearBytes: 0, memoryBytes: 0, queueBytes: 0 } });
    await inner.create(zip, large);
    assert.deepEqual(await whole(tiers, zip), large);
    assert.deepEqual(await whole(tiers, zip), large);
    assert.equal((await readdir(root)).includes("modules"), false);
  });

  test("without room for copies nobody fetches a zip to know its size", async (t) => {
    const { tiers, inner, asked } = await makeRoom(t, { limits: { nearBytes: 0, memoryBytes: 0, queueBytes: 0 } });
    await inner.create(zip, large);
    const stat = await tiers.stat(zip);
    const object = await tiers.open(zip);
    assert.deepEqual([stat?.size, stat?.token], [large.length, object?.token]);
    await object?.close();
    assert.deepEqual(asked(), [`stat ${zip}`, `open ${zip}`]);
  });
});

suite("tiers: while the far storage is away", () => {
  test("what lasts is served from here without a call, what changes as it was last seen", async (t) => {
    const { tiers, inner, away, far } = await makeRoom(t);
    await tiers.create(mod, bytes("m"));
    await inner.create(list, bytes("v1.0.0\n"));
    assert.equal(await text(tiers, list), "v1.0.0\n");
    await tiers.settled();
    away();
    assert.equal(await text(tiers, mod), "m");
    assert.equal(await text(tiers, list), "v1.0.0\n");
    await assert.rejects(tiers.replace(list, bytes("x"), (await tiers.stat(list))?.token), StoreAway);
    await assert.rejects(Array.fromAsync(tiers.list("modules/")), StoreAway);
    const before = far.calls.length;
    for (let n = 0; n < 100; n++) await tiers.get(mod, 100);
    assert.equal(far.calls.length, before);
    assert.equal(tiers.isAway, true);
  });

  test("what was removed afar is not what was last seen", async (t) => {
    const { tiers, inner, away } = await makeRoom(t);
    await inner.create(list, bytes("old"));
    await tiers.get(list, 100);
    await inner.remove(list);
    assert.equal(await tiers.get(list, 100), undefined);
    await tiers.settled();
    away();
    await assert.rejects(tiers.get(list, 100), StoreAway);
  });

  test("a silent answer is not waited for where the last one is at hand", async (t) => {
    const { tiers, inner, far } = await makeRoom(t, { patienceMs: 50 });
    await inner.create(list, bytes("seen"));
    await tiers.get(list, 100);
    await tiers.settled();
    let go = (): void => undefined;
    const until = new Promise<void>((resolve) => (go = resolve));
    far.arm({ on: every, times: Infinity, does: { kind: "delay", until } });
    const begun = Date.now();
    assert.equal(await text(tiers, list), "seen");
    for (let n = 0; n < 50; n++) await tiers.get(list, 100);
    assert.ok(Date.now() - begun < 2_000, `${Date.now() - begun} ms`);
    far.heal();
    go();
    await passed(20);
    await tiers.get(list, 100);
    assert.equal(tiers.view.away, undefined);
  });

  test("calls fail at once, and one at a time tries", async (t) => {
    const { tiers, far, away } = await makeRoom(t, { restMs: 10_000 });
    away();
    await assert.rejects(tiers.get(list, 100), StoreAway);
    const before = far.calls.length;
    for (let n = 0; n < 20; n++) await assert.rejects(tiers.get(list, 100), StoreAway);
    assert.equal(far.calls.length, before);
  });

  test("an upload that takes long, as the first call after a rest, keeps nobody else out", async (t) => {
    const { tiers, inner, far, away } = await makeRoom(t, { patienceMs: 50 });
    await inner.create(list, bytes("v1.0.0\n"));
    away();
    await assert.rejects(tiers.stat(list), StoreAway);
    far.heal();
    await passed(30);
    let go = (): void => undefined;
    const until = new Promise<void>((resolve) => (go = resolve));
    far.arm({ on: "create", does: { kind: "delay", until } });
    const writing = tiers.create(storageKey("state/large"), Buffer.alloc(1000));
    await passed(70);
    try {
      assert.equal(await text(tiers, list), "v1.0.0\n");
    } finally {
      go();
      await writing;
    }
  });

  test("a refusal that concerns one object keeps nobody else out", async (t) => {
    const { tiers, inner } = await makeRoom(t);
    await inner.create(list, Buffer.alloc(1000));
    await assert.rejects(
      tiers.get(list, 10),
      (error) => error instanceof StoreUnavailable && !(error instanceof StoreAway),
    );
    assert.equal(tiers.view.away, undefined);
  });
});

suite("tiers: the queue", () => {
  async function keepVersion(tiers: TieredStorage, word = "new"): Promise<void> {
    assert.equal(await tiers.get(modManifest, 1000), undefined);
    await tiers.create(info, bytes(`${word} info`));
    await tiers.create(mod, bytes(`${word} mod`));
    await tiers.create(modManifest, bytes(`${word} mod.manifest`));
    assert.equal(await tiers.create(zip, await stageOf(tiers, large)), "created");
    await tiers.create(zipManifest, bytes(`${word} zip.manifest`));
  }
  const queueing = { limits: { nearBytes: 1 << 30, memoryBytes: 1 << 20, queueBytes: 8 << 20 } };

  test("what is kept meanwhile is served here, and arrives in its order", async (t) => {
    const uploaded: string[] = [];
    const listener = { uploaded: (key: string) => void uploaded.push(key) };
    const { tiers, inner, far, away } = await makeRoom(t, { ...queueing, listener });
    away();
    await keepVersion(tiers);
    assert.deepEqual(await whole(tiers, zip), large);
    assert.equal(tiers.view.queue.objects, 5);
    assert.equal(await tiers.linkTo(zip), undefined);
    far.heal();
    await passed(30);
    await tiers.drain();
    assert.deepEqual(uploaded, [info, mod, modManifest, zip, zipManifest]);
    assert.deepEqual(await whole(inner, zip), large);
    assert.equal(tiers.view.queue.objects, 0);
    assert.deepEqual(await whole(tiers, zip), large);
  });

  test("it outlives the process, and an entry whose object was never written is forgotten", async (t) => {
    const { tiers, inner, far, away, open, near } = await makeRoom(t, queueing);
    away();
    await keepVersion(tiers);
    await near.create(
      storageKey("near-queue/0000000000000900"),
      bytes('{"key":"modules/example.com/b/@v/v1.0.0.mod"}\n'),
    );
    await near.create(storageKey("near-queue/0000000000000901"), bytes("{"));
    const again = await open();
    assert.equal(again.view.queue.objects, 5);
    far.heal();
    await passed(30);
    await again.drain();
    assert.equal(await text(inner, zipManifest), "new zip.manifest");
    assert.deepEqual(await Array.fromAsync(near.list("near-queue/")), []);
  });

  test("a version that began to wait waits as a whole, so that no manifest comes before its files", async (t) => {
    const { tiers, inner, far, away } = await makeRoom(t, queueing);
    away();
    await tiers.create(info, bytes("i"));
    far.heal();
    await passed(30);
    await tiers.create(modManifest, bytes("m"));
    assert.equal(await inner.stat(modManifest), undefined);
    await tiers.drain();
    assert.equal(await text(inner, modManifest), "m");
  });

  test("what others committed meanwhile stays, and ours goes, the whole version", async (t) => {
    const gone: string[] = [];
    const { tiers, inner, far, away } = await makeRoom(t, {
      ...queueing,
      listener: { gaveWay: (group) => void gone.push(group) },
    });
    away();
    await keepVersion(tiers, "ours");
    await inner.create(modManifest, bytes("their mod.manifest"));
    far.heal();
    await passed(30);
    await tiers.drain();
    assert.deepEqual(gone, [version]);
    assert.equal(await inner.stat(info), undefined);
    assert.equal(await text(tiers, modManifest), "their mod.manifest");
    assert.equal(tiers.view.queue.objects, 0);
  });

  test("an upload whose answer was lost is found done", async (t) => {
    const gone: string[] = [];
    const { tiers, inner, far } = await makeRoom(t, {
      ...queueing,
      listener: { gaveWay: (group) => void gone.push(group) },
    });
    far.arm({ on: "create", does: { kind: "unavailable", when: "after" } });
    assert.equal(await tiers.create(info, bytes("i")), "created");
    await passed(30);
    await tiers.drain();
    assert.deepEqual(gone, []);
    assert.equal(tiers.view.queue.objects, 0);
    assert.equal(await text(inner, info), "i");
  });

  test("a zip that waits may be replaced, and the queue knows its size", async (t) => {
    const { tiers, inner, far, away } = await makeRoom(t, queueing);
    away();
    await tiers.create(zip, await stageOf(tiers, large));
    const other = Buffer.alloc(1 << 20, "other");
    assert.equal(await tiers.replace(zip, await stageOf(tiers, other), "of another time"), "conflict");
    assert.equal(await tiers.replace(zip, await stageOf(tiers, other), (await tiers.stat(zip))?.token), "replaced");
    assert.equal(tiers.view.queue.bytes, other.length);
    assert.deepEqual(await whole(tiers, zip), other);
    far.heal();
    await passed(30);
    await tiers.drain();
    assert.deepEqual(await whole(inner, zip), other);
    assert.equal(tiers.view.queue.bytes, 0);
  });

  test("a zip afar is replaced by a stage, and its copy is the new one", async (t) => {
    const { tiers, inner, near } = await makeRoom(t, queueing);
    await tiers.create(zip, await stageOf(tiers, large));
    const other = Buffer.alloc(1 << 20, "other");
    assert.equal(await tiers.replace(zip, await stageOf(tiers, other), (await tiers.stat(zip))?.token), "replaced");
    assert.deepEqual(await whole(inner, zip), other);
    assert.deepEqual(await whole(near, zip), other);
  });

  test("on a disk that is full what waits stays what it is", async (t) => {
    const room = await makeRoom(t, queueing);
    const full = new FaultyStorage(room.near);
    const near = Object.assign(full, { root: room.root, lasting: room.near.lasting }) as unknown as DiskStorage;
    const tiers = await room.open(undefined, { near });
    room.away();
    await tiers.create(info, bytes("first"));
    full.arm({ on: "replace", times: Infinity, does: { kind: "full", when: "before" } });
    // The first finds that it exists.
    full.arm({ on: "create", skip: 1, times: Infinity, does: { kind: "full", when: "before" } });
    const { token } = (await tiers.stat(info)) ?? {};
    await assert.rejects(tiers.replace(info, bytes("second"), token), StoreUnavailable);
    full.heal();
    assert.equal(await text(tiers, info), "first");
    room.far.heal();
    await passed(30);
    await tiers.drain();
    assert.equal(await text(room.inner, info), "first");
  });

  test("on a disk that is full copies make room for what must wait", async (t) => {
    const room = await makeRoom(t, queueing);
    const full = new FaultyStorage(room.near);
    const near = Object.assign(full, { root: room.root, lasting: room.near.lasting }) as unknown as DiskStorage;
    const tiers = await room.open(undefined, { near });
    const copy = storageKey("modules/example.com/b/@v/v1.0.0.mod");
    await tiers.create(copy, bytes("copy"));
    room.away();
    await tiers.create(info, bytes("first"));
    full.arm({ on: "create", key: /[.]mod$/, does: { kind: "full", when: "before" } });
    assert.equal(await tiers.create(mod, bytes("second")), "created");
    assert.equal(await room.near.stat(copy), undefined);
    assert.equal(await text(tiers, info), "first");
    full.arm({ on: "create", key: /[.]zip[.]manifest$/, times: Infinity, does: { kind: "full", when: "before" } });
    await assert.rejects(tiers.create(zipManifest, bytes("third")), StoreFull);
    assert.equal(tiers.view.queue.objects, 2);
  });

  test("what waits and cannot be read for a moment waits on", async (t) => {
    const room = await makeRoom(t, queueing);
    const bad = new FaultyStorage(room.near);
    const near = Object.assign(bad, { root: room.root, lasting: room.near.lasting }) as unknown as DiskStorage;
    const tiers = await room.open(undefined, { near });
    room.away();
    await tiers.create(info, bytes("i"));
    await tiers.create(mod, bytes("m"));
    room.far.heal();
    await passed(30);
    bad.arm({ on: ["open", "get", "stat"], times: Infinity, does: { kind: "unavailable", when: "before" } });
    await tiers.drain();
    assert.equal(tiers.view.queue.objects, 2);
    bad.heal();
    await tiers.drain();
    assert.equal(await text(room.inner, info), "i");
    assert.equal(await text(room.inner, mod), "m");
  });

  test("beyond its bytes nothing is taken, and nothing is called absent", async (t) => {
    const { tiers, away } = await makeRoom(t, { limits: { nearBytes: 1 << 30, memoryBytes: 0, queueBytes: 10 } });
    away();
    await tiers.create(info, bytes("12345678"));
    await assert.rejects(tiers.create(mod, bytes("too much")), StoreUnavailable);
    await tiers.create(mod, bytes("12"));
    await assert.rejects(tiers.get(modManifest, 100), StoreAway);
  });

  test("what waits does not leave, however little room there is", async (t) => {
    const { tiers, away, far, inner } = await makeRoom(t, {
      limits: { nearBytes: 1000, memoryBytes: 0, queueBytes: 1 << 20 },
    });
    away();
    for (let n = 0; n < 5; n++)
      await tiers.create(storageKey(`modules/example.com/a/@v/v1.0.${n}.mod`), Buffer.alloc(900, n));
    far.heal();
    await passed(30);
    await tiers.create(storageKey("modules/example.com/b/@v/v1.0.0.mod"), Buffer.alloc(900));
    await tiers.drain();
    assert.equal((await Array.fromAsync(inner.list(""))).length, 6);
  });
});
