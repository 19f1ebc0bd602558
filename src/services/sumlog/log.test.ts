import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyStorage, changes } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { openCheckpoint, type Checkpoint } from "#protocol/checkpoint.ts";
import { generateKey, parseSignerKey } from "#protocol/note.ts";
import { tileWidth } from "#protocol/tile.ts";
import { checkTree, isEqualHash, recordHash, storedHashes, treeHash, type Hash } from "#protocol/tlog.ts";
import { storageKey, type Storage } from "#services/store/ports.ts";
import { SumLog } from "./log.ts";
import type { HeadMemory } from "./ports.ts";

const signer = parseSignerKey(generateKey("log.example", Buffer.alloc(32, 7)).signerKey);
const key = (n: number): string => `example.com/m${n}@v1.0.0`;
const text = (n: number): string => `example.com/m${n} v1.0.0 h1:${Buffer.alloc(32, n % 251).toString("base64")}\n`;
const folder = "state/sumlog/log.example";

function open(storage: Storage, memory?: HeadMemory): SumLog {
  return new SumLog({ signer, storage, ...(memory && { memory }) });
}

async function appendAll(log: SumLog, from: number, to: number): Promise<number[]> {
  return await Promise.all(Array.from({ length: to - from }, (_, i) => log.append(key(from + i), text(from + i))));
}

/** The tree of these records, made the long way. */
async function rootOf(texts: readonly string[]): Promise<Hash> {
  const hashes: Hash[] = [];
  const reader = (indexes: readonly number[]) => Promise.resolve(indexes.map((index) => hashes[index]!));
  for (const [n, each] of texts.entries()) hashes.push(...(await storedHashes(n, each, reader)));
  return await treeHash(texts.length, reader);
}

/** Everything that the log holds, read the way an auditor does, and held against its head. */
async function audit(log: SumLog): Promise<string[]> {
  const head = await log.head();
  const texts: string[] = [];
  for (let index = 0; texts.length < head.size; index++) {
    const tile = { height: 8, level: -1, index };
    texts.push(...((await log.records({ ...tile, width: tileWidth(tile, head.size) })) ?? []));
  }
  assert.ok(isEqualHash(await rootOf(texts), head.root), "the head is not that of the records");
  return texts;
}

async function keysBelow(storage: Storage, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key: each } of storage.list(`${prefix}/`)) keys.push(each.slice(prefix.length + 1));
  return keys.sort();
}

test("records are numbered as they arrive, each once, and covered when acknowledged", async () => {
  const log = open(new MemoryStorage());
  assert.equal((await log.head()).size, 0);
  assert.deepEqual(await appendAll(log, 0, 3), [0, 1, 2]);
  assert.deepEqual(await Promise.all([log.append(key(1), text(1)), log.append(key(9), text(9))]), [1, 3]);
  assert.deepEqual(await Promise.all([log.append(key(5), text(5)), log.append(key(5), text(5))]), [4, 4]);
  assert.equal((await log.head()).size, 5);
  assert.deepEqual(await audit(log), [0, 1, 2, 9, 5].map(text));
  assert.deepEqual(await log.find(key(9)), { id: 3, text: text(9) });
  assert.equal(await log.find(key(4)), undefined);
});

test("a log opened again is the same log, at sizes around full tiles", async () => {
  const storage = new MemoryStorage();
  let size = 0;
  for (const next of [1, 255, 256, 257, 512, 700, 1024]) {
    const log = open(storage);
    await appendAll(log, size, next);
    size = next;
    const again = open(storage);
    assert.equal((await again.head()).size, size);
    assert.deepEqual(
      await audit(again),
      Array.from({ length: size }, (_, n) => text(n)),
      `${size}`,
    );
    assert.deepEqual(await again.find(key(size - 1)), { id: size - 1, text: text(size - 1) });
  }
  assert.deepEqual(await keysBelow(storage, `${folder}/commits`), [], "commits in full tiles are gone");
  const heads = await keysBelow(storage, `${folder}/heads`);
  assert.equal(heads.at(-1), "0000000000001024");
  assert.ok(heads.length <= 8);
});

test("hash tiles are those of the tree, of any width that a head has had", async () => {
  const log = open(new MemoryStorage());
  await appendAll(log, 0, 700);
  const hashes: Hash[] = [];
  const reader = (indexes: readonly number[]) => Promise.resolve(indexes.map((index) => hashes[index]!));
  for (let n = 0; n < 700; n++) hashes.push(...(await storedHashes(n, text(n), reader)));
  const leaves = (from: number, to: number) =>
    Buffer.concat(Array.from({ length: to - from }, (_, i) => recordHash(text(from + i))));
  const served = async (index: number, width: number) =>
    Buffer.from((await log.hashTile({ height: 8, level: 0, index, width })) ?? []);
  assert.deepEqual(await served(0, 256), leaves(0, 256));
  assert.deepEqual(await served(0, 10), leaves(0, 10));
  assert.deepEqual(await served(2, 188), leaves(512, 700));
  assert.equal(await log.hashTile({ height: 8, level: 0, index: 2, width: 189 }), undefined);
  assert.equal((await log.hashTile({ height: 8, level: 1, index: 0, width: 2 }))?.length, 64);
  assert.equal(await log.hashTile({ height: 8, level: 1, index: 0, width: 3 }), undefined);
  assert.deepEqual(await log.records({ height: 8, level: -1, index: 2, width: 2 }), [text(512), text(513)]);
  assert.equal(await log.records({ height: 8, level: -1, index: 2, width: 189 }), undefined);
});

test("any head is proven to be the beginning of a newer one", async () => {
  const log = open(new MemoryStorage());
  await appendAll(log, 0, 300);
  const old = await log.head();
  await appendAll(log, 300, 900);
  const { head, proof } = await log.prove(old.size);
  checkTree(proof, head, old);
  assert.deepEqual((await log.prove(0)).proof, []);
});

/** Stops every change after some of them, before or after its effect: what a killed process leaves. */
class Dying implements Storage {
  readonly #inner: Storage;
  readonly #when: "before" | "after";
  left: number;
  constructor(inner: Storage, left: number, when: "before" | "after") {
    this.#inner = inner;
    this.left = left;
    this.#when = when;
  }
  get = (...args: Parameters<Storage["get"]>) => this.#inner.get(...args);
  stat = (...args: Parameters<Storage["stat"]>) => this.#inner.stat(...args);
  open = (...args: Parameters<Storage["open"]>) => this.#inner.open(...args);
  list = (prefix: string) => this.#inner.list(prefix);
  stage = (maxBytes: number) => this.#inner.stage(maxBytes);
  create = (...args: Parameters<Storage["create"]>) => this.#change(() => this.#inner.create(...args));
  replace = (...args: Parameters<Storage["replace"]>) => this.#change(() => this.#inner.replace(...args));
  remove = (...args: Parameters<Storage["remove"]>) => this.#change(() => this.#inner.remove(...args));
  async #change<T>(change: () => Promise<T>): Promise<T> {
    if (this.left > 0) {
      this.left--;
      return await change();
    }
    if (this.left === 0 && this.#when === "after") await change();
    this.left = -1;
    throw new Error("killed");
  }
}

test("killed at any change: nothing acknowledged is lost, no two heads disagree", async () => {
  for (const when of ["before", "after"] as const) {
    for (let survive = 0; survive < 60; survive++) {
      const storage = new MemoryStorage();
      await appendAll(open(storage), 0, 250);
      const dying = new Dying(storage, survive, when);
      const log = open(dying);
      const acknowledged: number[] = [];
      const seen: Checkpoint[] = [];
      for (let n = 250; n < 262; n += 2) {
        const done = await Promise.allSettled([log.append(key(n), text(n)), log.append(key(n + 1), text(n + 1))]);
        done.forEach((one, i) => one.status === "fulfilled" && acknowledged.push(n + i));
        seen.push(
          ...(await log.head().then(
            (head) => [head],
            () => [],
          )),
        );
      }
      const again = open(storage);
      await appendAll(again, 250, 262);
      const texts = await audit(again);
      for (const n of acknowledged) assert.ok(texts.includes(text(n)), `${when} ${survive}: lost ${n}`);
      assert.equal(new Set(texts).size, texts.length, "a record twice");
      assert.equal(texts.length, 262);
      for (const head of seen) {
        const { head: newest, proof } = await again.prove(head.size);
        if (head.size === newest.size) assert.ok(isEqualHash(head.root, newest.root));
        else checkTree(proof, newest, head);
      }
    }
  }
});

test("two writers: one history, every acknowledgement true", async () => {
  const storage = new MemoryStorage();
  const writers = [open(storage), open(storage)];
  const numbers = new Map<string, number>();
  for (let round = 0; round < 60; round++) {
    await Promise.all(
      writers.map(async (log, w) => {
        for (let i = 0; i < 5; i++) {
          const n = round * 10 + w * 5 + i;
          numbers.set(key(n), await log.append(key(n), text(n)));
        }
      }),
    );
  }
  for (const log of writers) await log.refresh();
  const [a, b] = await Promise.all(writers.map((log) => log.head()));
  assert.deepEqual(Buffer.from(a!.bytes), Buffer.from(b!.bytes));
  const texts = await audit(writers[0]!);
  assert.equal(texts.length, 600);
  for (const [each, number] of numbers) assert.equal((await writers[1]!.find(each))?.id, number);
  for (let n = 0; n < 600; n++) assert.equal(texts[numbers.get(key(n))!], text(n));
});

test("a writer that was asleep while its commit was cleared away cannot fork the log", async () => {
  const storage = new MemoryStorage();
  const asleep = open(storage);
  await appendAll(asleep, 0, 3);
  const other = open(storage);
  for (let n = 3; n < 600; n += 3) await appendAll(other, n, n + 3);
  assert.equal(await storage.stat(storageKey(`${folder}/commits/0000000000000003`)), undefined, "still there");
  assert.equal(await asleep.append(key(1000), text(1000)), 600);
  const texts = await audit(asleep);
  assert.equal(texts.length, 601);
  await other.refresh();
  assert.deepEqual(Buffer.from((await other.head()).bytes), Buffer.from((await asleep.head()).bytes));
  assert.deepEqual(
    await keysBelow(storage, `${folder}/commits`).then((keys) => keys.includes("0000000000000003")),
    false,
  );
});

test("a commit that somebody else has signed a head over, before its writer looks again, stays in the log", async () => {
  const storage = new MemoryStorage();
  const other = open(storage);
  await appendAll(other, 0, 3);
  let isFirst = true;
  const create: MemoryStorage["create"] = async (name, bytes) => {
    const created = await storage.create(name, bytes);
    if (isFirst && name.includes("/commit")) {
      isFirst = false;
      await other.append(key(50), text(50));
    }
    return created;
  };
  const slow = new Proxy(storage, {
    get: (target, name) => {
      const value: unknown = name === "create" ? create : Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const mine = open(slow);
  assert.equal(await mine.append(key(40), text(40)), 3);
  assert.equal(isFirst, false);
  assert.equal((await audit(open(storage))).length, 5);
});

for (const [before, count, more] of [
  [250, 10, 3],
  [250, 10, 300],
  [256, 10, 3],
  [250, 6, 3],
  [250, 300, 3],
] as const)
  test(`so does one of ${count} records after ${before}, which others have followed by ${more}`, async () => {
    const storage = new MemoryStorage();
    const other = open(storage);
    await appendAll(other, 0, before);
    let isFirst = true;
    const create: MemoryStorage["create"] = async (name, bytes) => {
      const created = await storage.create(name, bytes);
      if (isFirst && name.includes("/commit")) {
        isFirst = false;
        await appendAll(other, 2_000, 2_000 + more);
      }
      return created;
    };
    const slow = new Proxy(storage, {
      get: (target, name) => {
        const value: unknown = name === "create" ? create : Reflect.get(target, name);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const numbers = await appendAll(open(slow), before, before + count);
    assert.equal(isFirst, false);
    assert.deepEqual(
      numbers,
      Array.from({ length: count }, (_, n) => before + n),
    );
    assert.equal((await audit(open(storage))).length, before + count + more);
  });

test("a void commit that a killed writer left behind is never read, and is cleared away", async () => {
  const size = 512; // no commit is left at the end of a full tile: nothing but the head tells that a commit is void
  for (const records of [2, 600])
    for (const more of [0, 1, 300]) {
      const inner = new MemoryStorage();
      const storage = new FaultyStorage(inner);
      const asleep = open(storage);
      await appendAll(asleep, 0, 3);
      // It falls asleep about to create its commit, and dies before it finds that the log has gone on meanwhile.
      let wake: () => void = () => undefined;
      const until = new Promise<void>((resolve) => (wake = resolve));
      storage.arm({ on: "create", key: /commits/, does: { kind: "delay", until } });
      const lost = Promise.allSettled(
        Array.from({ length: records }, (_, n) => asleep.append(key(5000 + n), text(5000 + n))),
      );
      while (!storage.calls.includes(`create ${folder}/commits/0000000000000003`)) await new Promise(setImmediate);
      await appendAll(open(inner), 3, size);
      storage.arm({ on: ["list", "remove"], times: 1000, does: { kind: "unavailable", when: "before" } });
      wake();
      assert.ok((await lost).every((one) => one.status === "rejected"));
      const left = storageKey(`${folder}/commits/0000000000000003`);
      assert.ok(await inner.stat(left), "no void commit");
      if (more > 0) await appendAll(open(inner), size, size + more);
      const again = open(inner);
      const expected = Array.from({ length: size + more }, (_, n) => text(n));
      assert.deepEqual(await audit(again), expected, `${records} ${more}`);
      assert.equal(await again.append(key(9000), text(9000)), size + more);
      assert.equal(await inner.stat(left), undefined, "it is still there");
      storage.heal();
      assert.equal(await asleep.append(key(5000), text(5000)), size + more + 1);
      assert.deepEqual(await audit(asleep), [...expected, text(9000), text(5000)]);
    }
});

test("a record is in the signed head that anybody reads before it is acknowledged, and remembered by then", async () => {
  const storage = new MemoryStorage();
  let remembered = 0;
  const memory: HeadMemory = {
    recall: () => Promise.resolve(undefined),
    remember: (note) => Promise.resolve(void (remembered = openCheckpoint(note, signer.verifier).size)),
  };
  const log = open(storage, memory);
  const heads = async () => (await keysBelow(storage, `${folder}/heads`)).map(Number);
  let newest = 0;
  const acks = Array.from({ length: 300 }, async (_, n) => {
    if (n % 3 === 0) await new Promise((later) => setImmediate(later));
    const number = await log.append(key(n), text(n));
    // No turn of the event loop between the acknowledgement and this look.
    newest = Math.max(newest, log.size ?? 0);
    assert.ok(number < (log.size ?? 0), `${number} is acknowledged and the head is ${log.size}`);
    assert.ok(number < remembered, `${number} is acknowledged and ${remembered} are remembered`);
    assert.ok(number < Math.max(...(await heads())), `${number} is acknowledged and no head of it is kept`);
  });
  await Promise.all(acks);
  assert.equal(newest, 300);
});

test("a head that was signed and not remembered is remembered before anybody sees it", async () => {
  const storage = new MemoryStorage();
  await appendAll(open(storage), 0, 10);
  let note: Uint8Array | undefined;
  const memory: HeadMemory = {
    recall: () => Promise.resolve(note),
    remember: (bytes) => Promise.resolve(void (note = bytes)),
  };
  await open(storage, memory).head();
  assert.equal(openCheckpoint(note!, signer.verifier).size, 10);
});

test("a bad disk makes the log silent, not wrong; it goes on when the disk is well", async () => {
  const inner = new MemoryStorage();
  const storage = new FaultyStorage(inner);
  const log = open(storage);
  await appendAll(log, 0, 300);
  storage.arm({ on: changes, times: 1, does: { kind: "full", when: "before" } });
  await assert.rejects(log.append(key(300), text(300)), /no space left/);
  assert.equal(await log.append(key(301), text(301)), 300);
  storage.arm({ on: "get", key: /tile\/8\/0\/000$/, does: { kind: "flip", at: 40 }, times: 1 });
  const reader = open(storage);
  await assert.rejects(reader.head(), { code: "SUMLOG_DAMAGED" });
  assert.equal((await reader.head()).size, 301);
});

test("damage is found wherever it is", async () => {
  const good = new MemoryStorage();
  await appendAll(open(good), 0, 600);
  for (const each of ["tile/8/data/001", "tile/8/0/001", "commits/0000000000000000", "heads/0000000000000600"]) {
    const storage = new FaultyStorage(good);
    storage.arm({ on: "get", key: new RegExp(`${each}$`), does: { kind: "flip", at: 50 }, times: 1000 });
    const log = open(storage);
    await assert.rejects(
      async () => {
        await log.head();
        await audit(log);
      },
      { code: "SUMLOG_DAMAGED" },
      each,
    );
  }
});

test("a log that was set back, or made anew under the same key, does not start", async () => {
  let note: Uint8Array | undefined;
  const memory: HeadMemory = {
    recall: () => Promise.resolve(note),
    remember: (bytes) => Promise.resolve(void (note = bytes)),
  };
  const storage = new MemoryStorage();
  await appendAll(open(storage, memory), 0, 10);
  assert.equal(openCheckpoint(note!, signer.verifier).size, 10);
  assert.equal((await open(storage, memory).head()).size, 10);
  await assert.rejects(open(new MemoryStorage(), memory).head(), { code: "SUMLOG_RESET", message: /has signed 10/ });
  const other = new MemoryStorage();
  await appendAll(open(other), 5, 30);
  await assert.rejects(open(other, memory).append(key(1), text(1)), { code: "SUMLOG_RESET", message: /not those/ });
});

test("more appends than may wait are refused, and the others arrive", async () => {
  const log = open(new MemoryStorage());
  const all = await Promise.allSettled(Array.from({ length: 20_010 }, (_, n) => log.append(key(n), text(n))));
  const refused = all.filter((one) => one.status === "rejected");
  assert.ok(refused.length > 0 && refused.length <= 10, `${refused.length}`);
  assert.equal((await log.head()).size, 20_010 - refused.length);
});
