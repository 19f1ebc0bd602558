// What every storage promises. Run it for each adapter: storageContract("disk", openOne).

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterEach, suite, test } from "node:test";
import fc from "fast-check";
import type { Stage, Storage, StorageKey } from "#services/store/ports.ts";
import { StageTooLarge, StoreUnavailable, storageKey } from "#services/store/ports.ts";

export type Opened = {
  readonly storage: Storage;
  /** A second storage over what the first one keeps; absent when nothing outlives it. */
  readonly reopen?: () => Promise<Storage>;
  readonly dispose: () => Promise<void>;
};

const KiB = 1024;
const MiB = 1024 * KiB;
const anySize = 64 * MiB;

const hello = bytesOf("hello");
const other = bytesOf("other bytes");
const a = storageKey("modules/example.com/a/@v/v1.0.0.mod");
const b = storageKey("modules/example.com/a/@v/v1.0.1.mod");

/** Names that a module path, a version or a sumdb record can bring. */
const oddKeys = [
  "modules/github.com/!azure/azure-sdk/@v/v1.0.0.zip",
  "modules/example.com/a/@v/v2.0.0+incompatible.info",
  "modules/sumdb/sum.example.com+abc/lookup/example.com/a@v1.0.0",
  "modules/sumdb/sum.example.com/tile/8/0/x001/x234/067.p/12",
  "modules/gopkg.in/yaml.v3/@v/v3.0.1.mod",
  "modules/example.com/~user/a_b-c/@v/v0.0.0-20200101000000-abcdefabcdef.info",
  "state/with space/and 'quotes' \"$HOME\" `x`",
  "state/粮仓/常平",
  "state/e\u0301/not-composed",
  "state/...",
  "state/.hidden",
  "state/-rf",
  "state/CON",
  "x",
] as const;

let opened: Opened | undefined;

async function openTest(open: () => Promise<Opened>): Promise<Opened> {
  opened = await open();
  return opened;
}

/** Registers the whole suite for one adapter. `open` gives an empty storage each time. */
export function storageContract(name: string, open: () => Promise<Opened>): void {
  suite(`storage contract: ${name}`, () => {
    afterEach(async () => {
      await opened?.dispose();
      opened = undefined;
    });
    const check = (title: string, body: (storage: Storage, opened: Opened) => Promise<void>): void => {
      void test(title, async () => {
        const it = await openTest(open);
        await body(it.storage, it);
      });
    };
    absence(check);
    creating(check);
    replacing(check);
    removing(check);
    reading(check);
    listing(check);
    staging(check);
    naming(check);
    lasting(check);
  });
}

type Check = (title: string, body: (storage: Storage, opened: Opened) => Promise<void>) => void;

function absence(check: Check): void {
  check("get of an absent key is undefined", async (storage) => {
    assert.equal(await storage.get(a, 100), undefined);
  });
  check("stat of an absent key is undefined", async (storage) => {
    assert.equal(await storage.stat(a), undefined);
  });
  check("open of an absent key is undefined", async (storage) => {
    assert.equal(await storage.open(a), undefined);
  });
  check("remove of an absent key is false", async (storage) => {
    assert.equal(await storage.remove(a), false);
  });
  check("a folder is no object", async (storage) => {
    await storage.create(a, hello);
    const folder = storageKey("modules/example.com");
    assert.equal(await storage.get(folder, 100), undefined);
    assert.equal(await storage.stat(folder), undefined);
    assert.equal(await storage.open(folder), undefined);
    assert.equal(await storage.remove(folder), false);
    assert.deepEqual(await textOf(storage, a), "hello");
  });
  check("nothing is below an object", async (storage) => {
    await storage.create(a, hello);
    const below = storageKey(`${a}/x`);
    assert.equal(await storage.get(below, 100), undefined);
    assert.equal(await storage.stat(below), undefined);
    assert.equal(await storage.open(below), undefined);
    assert.equal(await storage.remove(below), false);
  });
}

function creating(check: Check): void {
  check("a created object is read back whole", async (storage) => {
    assert.equal(await storage.create(a, hello), "created");
    assert.equal(await textOf(storage, a), "hello");
  });
  check("create never overwrites", async (storage) => {
    await storage.create(a, hello);
    assert.equal(await storage.create(a, other), "exists");
    assert.equal(await textOf(storage, a), "hello");
  });
  check("create that finds the same bytes still says exists", async (storage) => {
    await storage.create(a, hello);
    assert.equal(await storage.create(a, hello), "exists");
  });
  check("a refused create leaves the token", async (storage) => {
    await storage.create(a, hello);
    const before = await storage.stat(a);
    await storage.create(a, other);
    assert.deepEqual(await storage.stat(a), before);
  });
  check("of 32 writers of different bytes exactly one wins, and its bytes stay", async (storage) => {
    const bodies = Array.from({ length: 32 }, (_, n) => bytesOf(`writer ${n} `.repeat(1000)));
    const outcomes = await Promise.all(bodies.map((body) => storage.create(a, body)));
    const winners = outcomes.flatMap((outcome, n) => (outcome === "created" ? [n] : []));
    assert.equal(winners.length, 1);
    assert.deepEqual(Buffer.from((await storage.get(a, anySize))!.bytes), Buffer.from(bodies[winners[0]!]!));
  });
  check("of 32 stages racing for one key exactly one wins", async (storage) => {
    const stages = await Promise.all(Array.from({ length: 32 }, (_, n) => stageOf(storage, bytesOf(`stage ${n}`))));
    const outcomes = await Promise.all(stages.map((stage) => storage.create(a, stage)));
    const winner = outcomes.indexOf("created");
    assert.equal(outcomes.filter((outcome) => outcome === "created").length, 1);
    assert.equal(await textOf(storage, a), `stage ${winner}`);
    await Promise.all(stages.map((stage) => stage.discard()));
    assert.equal(await textOf(storage, a), `stage ${winner}`);
  });
  check("of 4 large stages racing for one key exactly one wins, and its bytes stay", async (storage) => {
    const bodies = [1, 2, 3, 4].map((seed) => pattern(6 * MiB, seed));
    const stages = await Promise.all(bodies.map((body) => stageOf(storage, body)));
    const outcomes = await Promise.all(stages.map((stage) => storage.create(a, stage)));
    assert.equal(outcomes.filter((outcome) => outcome === "created").length, 1);
    const { bytes } = (await storage.get(a, anySize))!;
    assert.equal(sha256(bytes), sha256(bodies[outcomes.indexOf("created")]!));
    await Promise.all(stages.map((stage) => stage.discard()));
  });
  check("200 keys created at once are all there", async (storage) => {
    const keys = Array.from({ length: 200 }, (_, n) => storageKey(`many/${n % 7}/${n}`));
    assert.deepEqual(
      new Set(await Promise.all(keys.map((key) => storage.create(key, bytesOf(key))))),
      new Set(["created"]),
    );
    assert.deepEqual(await Promise.all(keys.map((key) => textOf(storage, key))), keys);
  });
  // Buffer's slice() is a view where Uint8Array's is a copy.
  for (const kind of [Buffer, Uint8Array])
    check(`create takes a copy: the caller's ${kind.name} may change afterwards`, async (storage) => {
      const body = kind.from(hello);
      await storage.create(a, body);
      body.fill(0);
      assert.equal(await textOf(storage, a), "hello");
    });
  check("replace and write take a copy: the caller's Buffer may change afterwards", async (storage) => {
    const body = Buffer.from(hello);
    await storage.replace(a, body, undefined);
    const stage = await storage.stage(100);
    await stage.write(body);
    body.fill(0);
    await stage.seal();
    await storage.create(b, stage);
    assert.deepEqual([await textOf(storage, a), await textOf(storage, b)], ["hello", "hello"]);
  });
  check("an empty object is an object", async (storage) => {
    assert.equal(await storage.create(a, new Uint8Array()), "created");
    assert.equal((await storage.get(a, 0))?.bytes.length, 0);
    assert.equal((await storage.stat(a))?.size, 0);
    assert.equal(await storage.create(a, hello), "exists");
  });
  check("an object of 8 MiB comes back bit for bit", async (storage) => {
    const body = pattern(8 * MiB + 3);
    await storage.create(a, body);
    assert.equal(sha256((await storage.get(a, anySize))!.bytes), sha256(body));
  });
  check("any bytes come back as they went in", async (storage) => {
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (body) => {
        const key = storageKey(`any/${n++}`);
        await storage.create(key, body);
        assert.deepEqual(Uint8Array.from((await storage.get(key, 2000))!.bytes), body);
      }),
      { numRuns: 50 },
    );
  });
  // A disk has files and folders, a bucket only names: some hold `a` and `a/b`, others refuse the second.
  check("an object below another object is refused, or both are whole", async (storage) => {
    await storage.create(storageKey("x/a"), hello);
    for (const name of ["x/a/b", "x/a/b/c"]) {
      const below = storageKey(name);
      const made = await createdOrRefused(storage, below, other);
      assert.equal(await textOf(storage, below), made ? "other bytes" : undefined);
      assert.equal(await textOf(storage, storageKey("x/a")), "hello");
    }
  });
  check("an object with the name of a folder is refused, or both are whole", async (storage) => {
    await storage.create(storageKey("x/a/b"), hello);
    const made = await createdOrRefused(storage, storageKey("x/a"), other);
    assert.equal(await textOf(storage, storageKey("x/a")), made ? "other bytes" : undefined);
    if (!made) await assert.rejects(storage.replace(storageKey("x/a"), other, undefined), StoreUnavailable);
    assert.equal(await textOf(storage, storageKey("x/a/b")), "hello");
  });
  check("a name that was in the way may be used once it is gone", async (storage) => {
    await storage.create(storageKey("x/a"), hello);
    if (await createdOrRefused(storage, storageKey("x/a/b"), other)) await storage.remove(storageKey("x/a/b"));
    await storage.remove(storageKey("x/a"));
    assert.equal(await storage.create(storageKey("x/a/b"), other), "created");
    assert.equal(await textOf(storage, storageKey("x/a/b")), "other bytes");
  });
}

function replacing(check: Check): void {
  check("replace with the token replaces", async (storage) => {
    await storage.create(a, hello);
    assert.equal(await storage.replace(a, other, (await storage.stat(a))!.token), "replaced");
    assert.equal(await textOf(storage, a), "other bytes");
  });
  check("replace with an old token is a conflict and changes nothing", async (storage) => {
    await storage.create(a, hello);
    const { token } = (await storage.stat(a))!;
    await storage.replace(a, other, token);
    assert.equal(await storage.replace(a, bytesOf("third"), token), "conflict");
    assert.equal(await textOf(storage, a), "other bytes");
  });
  check("replace without a token creates", async (storage) => {
    assert.equal(await storage.replace(a, hello, undefined), "replaced");
    assert.equal(await textOf(storage, a), "hello");
  });
  check("replace without a token conflicts with what is there", async (storage) => {
    await storage.create(a, hello);
    assert.equal(await storage.replace(a, other, undefined), "conflict");
    assert.equal(await textOf(storage, a), "hello");
  });
  check("a stage replaces what has the token, and is taken", async (storage) => {
    await storage.create(a, hello);
    const stage = await stageOf(storage, other);
    assert.equal(await storage.replace(a, stage, (await storage.stat(a))!.token), "replaced");
    await stage.discard();
    assert.equal(await textOf(storage, a), "other bytes");
  });
  check("a stage that meets an old token changes nothing, and stays for another try", async (storage) => {
    await storage.create(a, hello);
    const { token } = (await storage.stat(a))!;
    await storage.replace(a, bytesOf("third"), token);
    const stage = await stageOf(storage, other);
    assert.equal(await storage.replace(a, stage, token), "conflict");
    assert.equal(await storage.replace(a, stage, undefined), "conflict");
    assert.equal(await textOf(storage, a), "third");
    await storage.remove(a);
    assert.equal(await storage.replace(a, stage, token), "conflict");
    assert.equal(await storage.replace(a, stage, undefined), "replaced");
    assert.equal(await textOf(storage, a), "other bytes");
  });
  check("of 8 stages with one token exactly one wins, and who has it open reads the old bytes", async (storage) => {
    const body = pattern(3 * MiB);
    await storage.create(a, body);
    const object = await storage.open(a);
    const { token } = (await storage.stat(a))!;
    const stages = await Promise.all(Array.from({ length: 8 }, (_, n) => stageOf(storage, bytesOf(`stage ${n}`))));
    const outcomes = await Promise.all(stages.map((stage) => storage.replace(a, stage, token)));
    assert.equal(outcomes.filter((outcome) => outcome === "replaced").length, 1);
    assert.equal(await textOf(storage, a), `stage ${outcomes.indexOf("replaced")}`);
    const old = new Uint8Array(body.length);
    for (let at = 0; at < old.length;) at += await object!.read(at, old.subarray(at));
    await object!.close();
    assert.equal(sha256(old), sha256(body));
    for (const stage of stages) await stage.discard();
  });
  check("replace with a token of something gone is a conflict", async (storage) => {
    await storage.create(a, hello);
    const { token } = (await storage.stat(a))!;
    await storage.remove(a);
    assert.equal(await storage.replace(a, other, token), "conflict");
    assert.equal(await storage.stat(a), undefined);
  });
  check("of 32 replacers with one token exactly one wins", async (storage) => {
    await storage.create(a, hello);
    const { token } = (await storage.stat(a))!;
    const outcomes = await Promise.all(
      Array.from({ length: 32 }, (_, n) => storage.replace(a, bytesOf(`r${n}`), token)),
    );
    const winner = outcomes.indexOf("replaced");
    assert.equal(outcomes.filter((outcome) => outcome === "replaced").length, 1);
    assert.equal(await textOf(storage, a), `r${winner}`);
  });
  check("of 32 replacers of nothing exactly one wins", async (storage) => {
    const outcomes = await Promise.all(
      Array.from({ length: 32 }, (_, n) => storage.replace(a, bytesOf(`r${n}`), undefined)),
    );
    assert.equal(outcomes.filter((outcome) => outcome === "replaced").length, 1);
    assert.equal(await textOf(storage, a), `r${outcomes.indexOf("replaced")}`);
  });
  check("create and replace of nothing race for one place", async (storage) => {
    const outcomes = await Promise.all([
      ...Array.from({ length: 8 }, (_, n) => storage.create(a, bytesOf(`c${n}`))),
      ...Array.from({ length: 8 }, (_, n) => storage.replace(a, bytesOf(`r${n}`), undefined)),
    ]);
    assert.equal(outcomes.filter((outcome) => outcome === "created" || outcome === "replaced").length, 1);
  });
  check("a counter kept by get and replace loses no step", async (storage) => {
    const step = async (): Promise<void> => {
      for (;;) {
        const stored = await storage.get(a, 100);
        const next = Number(Buffer.from(stored?.bytes ?? []).toString() || "0") + 1;
        if ((await storage.replace(a, bytesOf(String(next)), stored?.token)) === "replaced") return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, step));
    assert.equal(await textOf(storage, a), "20");
  });
  check("a token never comes back while bytes of one size replace each other", async (storage) => {
    await storage.create(a, bytesOf("000"));
    const seen = new Set<string>();
    for (let n = 0; n < 100; n++) {
      const { token } = (await storage.stat(a))!;
      assert.equal(seen.has(token), false, `after ${n} replacements`);
      seen.add(token);
      assert.equal(await storage.replace(a, bytesOf(String(n + 1).padStart(3, "0")), token), "replaced");
    }
  });
  check("a token never comes back after remove and create", async (storage) => {
    const seen = new Set<string>();
    for (let n = 0; n < 50; n++) {
      await storage.create(a, bytesOf(String(n).padStart(3, "0")));
      seen.add((await storage.stat(a))!.token);
      await storage.remove(a);
    }
    assert.equal(seen.size, 50);
  });
  check("the token stays while nothing changes", async (storage) => {
    await storage.create(a, hello);
    const first = await storage.stat(a);
    await storage.get(a, 100);
    await storage.create(b, other);
    assert.deepEqual(await storage.stat(a), first);
  });
  check("get, stat and open agree on token, size and time", async (storage) => {
    await storage.create(a, hello);
    const stat = (await storage.stat(a))!;
    const { bytes, ...fromGet } = (await storage.get(a, 100))!;
    const object = (await storage.open(a))!;
    assert.equal(bytes.length, stat.size);
    assert.deepEqual(fromGet, stat);
    assert.deepEqual({ size: object.size, modifiedMs: object.modifiedMs, token: object.token }, stat);
    await object.close();
  });
  check("a reader during replacements sees one whole version, with its own token", async (storage) => {
    const versions = [pattern(200_000, 1), pattern(200_000, 2)];
    const known = new Set(versions.map(sha256));
    await storage.create(a, versions[0]!);
    let done = false;
    const tokens = new Map<string, string>();
    const readers = Array.from({ length: 4 }, async () => {
      while (!done) {
        const { bytes, token } = (await storage.get(a, anySize))!;
        const hash = sha256(bytes);
        assert.ok(known.has(hash), "a mixture");
        assert.equal(tokens.get(token) ?? hash, hash, "one token, two contents");
        tokens.set(token, hash);
      }
    });
    for (let n = 1; n <= 30; n++) await storage.replace(a, versions[n % 2]!, (await storage.stat(a))!.token);
    done = true;
    await Promise.all(readers);
  });
}

function removing(check: Check): void {
  check("remove makes absent", async (storage) => {
    await storage.create(a, hello);
    assert.equal(await storage.remove(a), true);
    assert.equal(await storage.get(a, 100), undefined);
    assert.equal(await storage.remove(a), false);
  });
  check("what was removed may be created anew, with other bytes", async (storage) => {
    await storage.create(a, hello);
    await storage.remove(a);
    assert.equal(await storage.create(a, other), "created");
    assert.equal(await textOf(storage, a), "other bytes");
  });
  check("remove leaves the neighbours", async (storage) => {
    await storage.create(a, hello);
    await storage.create(b, other);
    await storage.remove(a);
    assert.equal(await textOf(storage, b), "other bytes");
  });
  // Of several processes over one bucket more than one may say so: the protocol does not tell.
  check("of 16 removers of one storage exactly one removed", async (storage) => {
    await storage.create(a, hello);
    const outcomes = await Promise.all(Array.from({ length: 16 }, () => storage.remove(a)));
    assert.equal(outcomes.filter(Boolean).length, 1);
  });
}

function reading(check: Check): void {
  check("get refuses what is larger than asked, and does not cut it", async (storage) => {
    await storage.create(a, hello);
    await assert.rejects(storage.get(a, 4), StoreUnavailable);
    assert.equal((await storage.get(a, 5))?.bytes.length, 5);
  });
  check("the bytes of get are the caller's own", async (storage) => {
    await storage.create(a, Buffer.from(hello));
    (await storage.get(a, 100))!.bytes.fill(0);
    assert.equal(await textOf(storage, a), "hello");
    await storage.create(b, await stageOf(storage, hello));
    (await storage.get(b, 100))!.bytes.fill(0);
    assert.equal(await textOf(storage, b), "hello");
  });
  check("ranges at every boundary are right", async (storage) => {
    const body = pattern(300);
    await storage.create(a, body);
    const object = (await storage.open(a))!;
    const edges = [0, 1, 2, 127, 128, 255, 256, 298, 299, 300];
    for (const from of edges)
      for (const to of edges.filter((edge) => edge >= from)) {
        const into = new Uint8Array(to - from);
        assert.equal(await object.read(from, into), to - from);
        assert.deepEqual(into, body.slice(from, to));
      }
    await object.close();
  });
  check("a read across the end gives what there is and leaves the rest of the buffer", async (storage) => {
    await storage.create(a, hello);
    const object = (await storage.open(a))!;
    const into = new Uint8Array(4).fill(7);
    assert.equal(await object.read(3, into), 2);
    assert.deepEqual([...into], [...bytesOf("lo"), 7, 7]);
    await object.close();
  });
  check("a read at and beyond the end gives nothing", async (storage) => {
    await storage.create(a, hello);
    const object = (await storage.open(a))!;
    assert.equal(await object.read(5, new Uint8Array(4)), 0);
    assert.equal(await object.read(5_000_000, new Uint8Array(4)), 0);
    assert.equal(await object.read(0, new Uint8Array(0)), 0);
    await object.close();
  });
  check("reads go into a part of a larger buffer", async (storage) => {
    await storage.create(a, hello);
    const object = (await storage.open(a))!;
    const whole = new Uint8Array(9).fill(46);
    assert.equal(await object.read(0, whole.subarray(2, 7)), 5);
    assert.equal(Buffer.from(whole).toString(), "..hello..");
    await object.close();
  });
  check("64 reads at once on one handle do not disturb each other", async (storage) => {
    const body = pattern(64 * 4096);
    await storage.create(a, body);
    const object = (await storage.open(a))!;
    await Promise.all(
      Array.from({ length: 64 }, async (_, n) => {
        const into = new Uint8Array(4096);
        assert.equal(await object.read(n * 4096, into), 4096);
        assert.deepEqual(into, body.slice(n * 4096, (n + 1) * 4096));
      }),
    );
    await object.close();
  });
  check("an opened object outlives its replacement", async (storage) => {
    await storage.create(a, hello);
    const object = (await storage.open(a))!;
    await storage.replace(a, other, object.token);
    assert.equal(await readAll(object), "hello");
    await object.close();
  });
  check("an opened object outlives its removal", async (storage) => {
    await storage.create(a, hello);
    const object = (await storage.open(a))!;
    await storage.remove(a);
    assert.equal(await readAll(object), "hello");
    await object.close();
  });
  check("two handles of one object are closed one by one", async (storage) => {
    await storage.create(a, hello);
    const [first, second] = [(await storage.open(a))!, (await storage.open(a))!];
    await first.close();
    assert.equal(await readAll(second), "hello");
    await second.close();
  });
  for (const gone of ["replaced", "removed"] as const)
    check(`a large opened object outlives being ${gone}, also far behind what was read`, async (storage) => {
      const body = pattern(12 * MiB + 1);
      await storage.create(a, await stageOf(storage, body));
      const object = (await storage.open(a))!;
      const first = new Uint8Array(1000);
      assert.equal(await object.read(0, first), 1000);
      await until(async () => (await object.read(body.length - 1, new Uint8Array(1))) === 1);
      if (gone === "removed") await storage.remove(a);
      else await storage.replace(a, other, object.token);
      const into = new Uint8Array(body.length);
      assert.equal(await object.read(0, into), body.length);
      assert.equal(sha256(into), sha256(body));
      await object.close();
    });
  check("a large object is read from its end to its beginning", async (storage) => {
    const body = pattern(20 * MiB);
    await storage.create(a, await stageOf(storage, body));
    const object = (await storage.open(a))!;
    for (let at = 19 * MiB; at >= 0; at -= MiB) {
      const into = new Uint8Array(MiB + 5);
      const got = await object.read(at, into);
      assert.equal(got, Math.min(MiB + 5, body.length - at));
      assert.equal(sha256(into.subarray(0, got)), sha256(body.subarray(at, at + got)));
    }
    await object.close();
  });
  check("a large object that is closed in the middle harms no other", async (storage) => {
    const body = pattern(9 * MiB);
    await storage.create(a, await stageOf(storage, body));
    const [left, kept] = [(await storage.open(a))!, (await storage.open(a))!];
    await left.read(0, new Uint8Array(10));
    await left.close();
    const into = new Uint8Array(body.length);
    assert.equal(await kept.read(0, into), body.length);
    assert.equal(sha256(into), sha256(body));
    await kept.close();
  });
  check("an empty object opens and ends at once", async (storage) => {
    await storage.create(a, new Uint8Array());
    const object = (await storage.open(a))!;
    assert.equal(object.size, 0);
    assert.equal(await object.read(0, new Uint8Array(1)), 0);
    await object.close();
  });
  check("the time of an object is about now, if anybody knows it", async (storage) => {
    const before = Date.now();
    await storage.create(a, hello);
    const { modifiedMs } = (await storage.stat(a))!;
    const isNow = modifiedMs >= before - 1000 && modifiedMs <= Date.now() + 1000;
    assert.ok(isNow || modifiedMs === 0, String(modifiedMs - before));
  });
}

function listing(check: Check): void {
  const fill = async (storage: Storage): Promise<void> => {
    for (const key of ["a/b/1", "a/b/2", "a/bc/3", "a/b.d", "ab/4", "c"])
      await storage.create(storageKey(key), bytesOf(key));
  };
  check("an empty storage lists nothing", async (storage) => {
    assert.deepEqual(await keysOf(storage, ""), []);
  });
  check("the empty prefix lists everything", async (storage) => {
    await fill(storage);
    assert.deepEqual(await keysOf(storage, ""), ["a/b.d", "a/b/1", "a/b/2", "a/bc/3", "ab/4", "c"]);
  });
  check("a prefix lists what is below it and nothing that only begins alike", async (storage) => {
    await fill(storage);
    assert.deepEqual(await keysOf(storage, "a/"), ["a/b.d", "a/b/1", "a/b/2", "a/bc/3"]);
    assert.deepEqual(await keysOf(storage, "a/b/"), ["a/b/1", "a/b/2"]);
  });
  check("a prefix that is not an element's border is refused", async (storage) => {
    await fill(storage);
    await assert.rejects(keysOf(storage, "a"), RangeError);
    await assert.rejects(keysOf(storage, "a/b"), RangeError);
  });
  check("an absent prefix, and one that is an object, list nothing", async (storage) => {
    await fill(storage);
    assert.deepEqual(await keysOf(storage, "zzz/"), []);
    assert.deepEqual(await keysOf(storage, "c/"), []);
  });
  check("list tells size and time as stat does", async (storage) => {
    await fill(storage);
    for await (const { key, size, modifiedMs } of storage.list("")) {
      const stat = (await storage.stat(key))!;
      assert.deepEqual({ size, modifiedMs }, { size: stat.size, modifiedMs: stat.modifiedMs });
    }
  });
  check("stages are in no list", async (storage) => {
    const open = await storage.stage(100);
    await open.write(hello);
    const sealed = await stageOf(storage, hello);
    assert.deepEqual(await keysOf(storage, ""), []);
    await Promise.all([open.discard(), sealed.discard()]);
  });
  check("what is removed while a list runs may be missing, the rest is listed", async (storage) => {
    await fill(storage);
    const seen: string[] = [];
    for await (const { key } of storage.list("a/")) {
      seen.push(key);
      for (const gone of ["a/b/1", "a/b/2"]) await storage.remove(storageKey(gone));
    }
    for (const key of ["a/b.d", "a/bc/3"]) assert.ok(seen.includes(key), key);
  });
  check("a list may be left in the middle", async (storage) => {
    await fill(storage);
    for await (const { key } of storage.list("")) {
      assert.ok(key.length > 0);
      break;
    }
    assert.equal((await keysOf(storage, "")).length, 6);
  });
}

function staging(check: Check): void {
  check("staged bytes are invisible until create takes them", async (storage) => {
    const stage = await stageOf(storage, hello);
    assert.equal(await storage.stat(a), undefined);
    assert.equal(await storage.create(a, stage), "created");
    assert.equal(await textOf(storage, a), "hello");
  });
  check("a stage counts what was written", async (storage) => {
    const stage = await storage.stage(100);
    assert.equal(stage.size, 0);
    await stage.write(hello);
    await stage.write(other);
    assert.equal(stage.size, hello.length + other.length);
    await stage.discard();
  });
  check("chunks arrive in order, and each is a copy", async (storage) => {
    const stage = await storage.stage(MiB);
    const chunk = new Uint8Array(1000);
    for (let n = 0; n < 100; n++) {
      chunk.fill(n);
      await stage.write(chunk);
    }
    await stage.seal();
    await storage.create(a, stage);
    const { bytes } = (await storage.get(a, MiB))!;
    assert.equal(bytes.length, 100_000);
    assert.ok(bytes.every((byte, at) => byte === Math.floor(at / 1000)));
  });
  check("a write beyond the limit throws StageTooLarge, the limit itself does not", async (storage) => {
    const stage = await storage.stage(5);
    await stage.write(hello);
    await assert.rejects(stage.write(bytesOf("!")), StageTooLarge);
    await stage.discard();
    assert.deepEqual(await keysOf(storage, ""), []);
  });
  check("a stage of nothing becomes an empty object", async (storage) => {
    const stage = await stageOf(storage, new Uint8Array());
    assert.equal(await storage.create(a, stage), "created");
    assert.equal((await storage.stat(a))?.size, 0);
  });
  check("a sealed stage takes no more writes", async (storage) => {
    const stage = await stageOf(storage, hello);
    await assert.rejects(stage.write(other));
    assert.equal(stage.size, hello.length);
    await stage.discard();
  });
  check("sealing twice is sealing once", async (storage) => {
    const stage = await stageOf(storage, hello);
    await stage.seal();
    assert.equal(await storage.create(a, stage), "created");
  });
  check("an unsealed stage cannot be created or located", async (storage) => {
    const stage = await storage.stage(100);
    await stage.write(hello);
    assert.throws(() => stage.locate());
    await assert.rejects(storage.create(a, stage));
    assert.equal(await storage.stat(a), undefined);
    await stage.discard();
  });
  check("a located stage shows its bytes", async (storage) => {
    const stage = await stageOf(storage, hello);
    assert.equal(await locatedText(stage), "hello");
    await stage.discard();
  });
  check("a create that finds the key taken leaves the stage usable", async (storage) => {
    await storage.create(a, other);
    const stage = await stageOf(storage, hello);
    assert.equal(await storage.create(a, stage), "exists");
    assert.equal(await locatedText(stage), "hello");
    assert.equal(await storage.create(b, stage), "created");
    assert.equal(await textOf(storage, b), "hello");
    assert.equal(await textOf(storage, a), "other bytes");
  });
  check("a create that something is in the way of leaves the stage usable", async (storage) => {
    await storage.create(storageKey("x/a"), other);
    const stage = await stageOf(storage, hello);
    if (await createdOrRefused(storage, storageKey("x/a/b"), stage)) return;
    assert.equal(await storage.create(a, stage), "created");
    assert.equal(await textOf(storage, a), "hello");
  });
  check("a stage is taken once", async (storage) => {
    const stage = await stageOf(storage, hello);
    await storage.create(a, stage);
    await assert.rejects(storage.create(b, stage));
    assert.equal(await storage.stat(b), undefined);
  });
  check("discard after create leaves the object, and may be repeated", async (storage) => {
    const stage = await stageOf(storage, hello);
    await storage.create(a, stage);
    await stage.discard();
    await stage.discard();
    assert.equal(await textOf(storage, a), "hello");
  });
  check("a discarded stage can be neither written, sealed nor created", async (storage) => {
    const stage = await storage.stage(100);
    await stage.write(hello);
    await stage.discard();
    await stage.discard();
    await assert.rejects(stage.write(hello));
    await assert.rejects(stage.seal());
    await assert.rejects(storage.create(a, stage));
    assert.equal(await storage.stat(a), undefined);
  });
  check("a stage of 8 MiB in odd chunks comes back bit for bit", async (storage) => {
    const body = pattern(8 * MiB);
    const stage = await storage.stage(8 * MiB);
    for (let at = 0; at < body.length; at += 77_777) await stage.write(body.subarray(at, at + 77_777));
    await stage.seal();
    await storage.create(a, stage);
    assert.equal(sha256((await storage.get(a, anySize))!.bytes), sha256(body));
  });
  check("stages of different keys do not mix", async (storage) => {
    const stages = await Promise.all(Array.from({ length: 20 }, () => storage.stage(MiB)));
    for (let round = 0; round < 5; round++) await Promise.all(stages.map((stage, n) => stage.write(bytesOf(`${n};`))));
    await Promise.all(stages.map((stage) => stage.seal()));
    await Promise.all(stages.map((stage, n) => storage.create(storageKey(`s/${n}`), stage)));
    for (let n = 0; n < 20; n++) assert.equal(await textOf(storage, storageKey(`s/${n}`)), `${n};`.repeat(5));
  });
}

function naming(check: Check): void {
  for (const name of oddKeys)
    check(`the key ${JSON.stringify(name)} is kept and listed`, async (storage) => {
      const key = storageKey(name);
      assert.equal(await storage.create(key, hello), "created");
      assert.equal(await textOf(storage, key), "hello");
      assert.deepEqual(await keysOf(storage, ""), [name]);
    });
  check("all odd keys live side by side", async (storage) => {
    for (const name of oddKeys) await storage.create(storageKey(name), bytesOf(name));
    for (const name of oddKeys) assert.equal(await textOf(storage, storageKey(name)), name);
    assert.deepEqual(await keysOf(storage, ""), [...oddKeys].sort());
  });
  check("keys of 1,000 characters are kept", async (storage) => {
    const key = storageKey(`long/${`${"e".repeat(198)}/`.repeat(5)}`.slice(0, 1000).replace(/.$/, "x"));
    assert.equal(key.length, 1000);
    assert.equal(await storage.create(key, hello), "created");
    assert.equal(await textOf(storage, key), "hello");
    assert.deepEqual(await keysOf(storage, ""), [key]);
  });
  check("an element of 400 characters is kept whole or refused, never cut", async (storage) => {
    const key = storageKey(`long/${"n".repeat(400)}`);
    assert.equal(await storage.get(key, 100), undefined);
    try {
      assert.equal(await storage.create(key, hello), "created");
      assert.equal(await textOf(storage, key), "hello");
    } catch (error) {
      assert.ok(error instanceof StoreUnavailable);
      assert.deepEqual(await keysOf(storage, ""), []);
    }
  });
  check("keys differ by case", async (storage) => {
    await storage.create(storageKey("k/A"), bytesOf("upper"));
    assert.equal(await storage.create(storageKey("k/a"), bytesOf("lower")), "created");
    assert.equal(await textOf(storage, storageKey("k/A")), "upper");
  });
}

function lasting(check: Check): void {
  check("what was acknowledged is there for a second storage", async (storage, { reopen }) => {
    if (reopen === undefined) return;
    await storage.create(a, hello);
    await storage.replace(a, other, (await storage.stat(a))!.token);
    const stage = await stageOf(storage, hello);
    await storage.create(b, stage);
    await storage.create(storageKey("gone"), hello);
    await storage.remove(storageKey("gone"));
    const again = await reopen();
    assert.equal(await textOf(again, a), "other bytes");
    assert.equal(await textOf(again, b), "hello");
    assert.deepEqual(await keysOf(again, ""), [a, b].sort());
    assert.deepEqual(await again.stat(a), await storage.stat(a));
  });
  check("two storages over one place agree on who created", async (storage, { reopen }) => {
    if (reopen === undefined) return;
    const again = await reopen();
    const writers = Array.from({ length: 32 }, (_, n) => (n % 2 ? storage : again).create(a, bytesOf(`w${n}`)));
    const outcomes = await Promise.all(writers);
    assert.equal(outcomes.filter((outcome) => outcome === "created").length, 1);
    assert.equal(await textOf(storage, a), `w${outcomes.indexOf("created")}`);
  });
}

/** False when the storage holds no such pair of names. */
async function createdOrRefused(storage: Storage, key: StorageKey, body: Uint8Array | Stage): Promise<boolean> {
  try {
    assert.equal(await storage.create(key, body), "created");
    return true;
  } catch (error) {
    assert.ok(error instanceof StoreUnavailable, String(error));
    return false;
  }
}

export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

export async function textOf(storage: Storage, key: StorageKey): Promise<string | undefined> {
  const stored = await storage.get(key, anySize);
  return stored && Buffer.from(stored.bytes).toString();
}

export async function keysOf(storage: Storage, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list(prefix)) keys.push(key);
  return keys.sort();
}

/** A sealed stage. */
export async function stageOf(storage: Storage, bytes: Uint8Array): Promise<Stage> {
  const stage = await storage.stage(bytes.length);
  await stage.write(bytes);
  await stage.seal();
  return stage;
}

async function locatedText(stage: Stage): Promise<string> {
  const place = stage.locate();
  return "path" in place ? await readFile(place.path, "utf8") : Buffer.from(place.bytes).toString();
}

async function readAll(object: {
  readonly size: number;
  read(offset: number, into: Uint8Array): Promise<number>;
}): Promise<string> {
  const into = new Uint8Array(object.size);
  assert.equal(await object.read(0, into), object.size);
  return Buffer.from(into).toString();
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let n = 0; !(await isSo()); n++) {
    assert.ok(n < 1000, "it never came to be so");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Bytes that differ at every place that matters: no block repeats. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed * 2654435761;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
