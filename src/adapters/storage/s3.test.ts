// The storage in a bucket over a played service: names, tokens, and what is said after a doubt. test/cluster has real ones.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { suite, test } from "node:test";
import { StoreFull, StoreUnavailable, storageKey } from "#services/store/ports.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { MemoryStorage } from "./memory.ts";
import { S3Names, etagOf, hasVersion, statOf } from "./_s3-facts.ts";
import type { S3Facts } from "./_s3-facts.ts";
import { S3Failure, failureOf, inOurWords } from "./_s3-failure.ts";
import { openSpool, SpoolSpace } from "./_s3-spool.ts";
import type { S3Wire } from "./_s3-wire.ts";
import { openOver } from "./s3.ts";
import type { S3Storage } from "./s3.ts";

const key = storageKey("modules/a");
const hello = Buffer.from("hello");
const facts = { size: 5, modifiedMs: 0, etag: '"e"', version: "", writeId: "w" };

suite("names", () => {
  test("a key lies below the prefix, and comes back", () => {
    for (const [prefix, name] of [
      ["", "modules/a"],
      ["x/y", "x/y/modules/a"],
    ] as const) {
      const names = new S3Names(prefix);
      assert.equal(names.nameOf(key), name);
      assert.equal(names.keyOf(name), key);
    }
  });
  test("what is not the store's has no key", () => {
    const names = new S3Names("x");
    for (const name of ["modules/a", "x", "xy/modules/a", "x/granary.json", "x/tmp/1", "x/a/", "x//a"])
      assert.equal(names.keyOf(name), undefined, name);
  });
  test("1,024 bytes is the longest name, whatever the characters", () => {
    const names = new S3Names("p");
    assert.equal(Buffer.byteLength(names.nameOf(storageKey("a".repeat(1022)))), 1024);
    assert.throws(() => names.nameOf(storageKey("a".repeat(1023))), StoreUnavailable);
    assert.throws(() => names.nameOf(storageKey("粮".repeat(400))), StoreUnavailable);
  });
  test("what is above a name", () => {
    assert.deepEqual(new S3Names("p").namesAbove(storageKey("a/b/c")), ["p/a", "p/a/b"]);
  });
});

test("a token tells apart same bytes of two writes, and gives the ETag back", () => {
  const first = statOf({ ...facts, writeId: "1" }).token;
  const second = statOf({ ...facts, writeId: "2" }).token;
  assert.notEqual(first, second);
  assert.equal(etagOf(first), '"e"');
  assert.equal(hasVersion(first), false);
  assert.equal(hasVersion(statOf({ ...facts, version: "v" }).token), true);
});

suite("failures", () => {
  const said = (status: number | undefined, code: string) => new S3Failure("put", { status, code, message: "m" });
  const table = [
    [undefined, "ECONNREFUSED", { isUndone: true, isPassing: true }],
    [undefined, "ECONNRESET", { isUndone: false, isPassing: true }],
    [undefined, "TimeoutError", { isUndone: false, isPassing: true }],
    [undefined, "DEPTH_ZERO_SELF_SIGNED_CERT", { isUndone: true, isPassing: false }],
    [500, "InternalError", { isUndone: false, isPassing: true }],
    [503, "SlowDown", { isUndone: false, isPassing: true }],
    [503, "RequestTimeout", { isUndone: false, isPassing: true }],
    [400, "RequestTimeout", { isUndone: false, isPassing: true }],
    [409, "ConditionalRequestConflict", { isUndone: true, isPassing: true }],
    [409, "ObjectParentIsFile", { isUndone: true, isPassing: false, isInTheWay: true }],
    [499, "Unknown", { isUndone: false, isPassing: true }],
    [429, "TooManyRequests", { isUndone: true, isPassing: true }],
    [412, "PreconditionFailed", { isUndone: true, isPassing: false, isRefused: true }],
    [404, "NoSuchKey", { isAbsent: true }],
    [404, "NoSuchBucket", { isAbsent: false }],
    [403, "AccessDenied", { isUndone: true, isPassing: false, isAbsent: false }],
  ] as const;
  for (const [status, code, want] of table)
    test(`${status ?? "no answer"} ${code}`, () => {
      const failure = said(status, code);
      for (const [name, value] of Object.entries(want)) assert.equal(failure[name as keyof S3Failure], value, name);
    });
  test("quotas are a full store", () => {
    for (const failure of [
      said(507, "InsufficientStorage"),
      said(403, "QuotaExceeded"),
      said(400, "XMinioStorageFull"),
    ])
      assert.ok(inOurWords("k", failure) instanceof StoreFull);
    assert.ok(!(inOurWords("k", said(503, "SlowDown")) instanceof StoreFull));
  });
  test("a bug of ours is no failure of the service", () => {
    const bug = new TypeError("x is not a function");
    assert.equal(failureOf("get", bug), bug);
    assert.equal(inOurWords("k", bug), bug);
  });
});

/** A service that answers each put as it is told, and has what it is told to have. */
class Played {
  there: S3Facts | undefined;
  readonly puts: ((id: string) => void)[] = [];
  sent: string[] = [];

  storage(): Promise<S3Storage> {
    const layout = { facts: { ...facts, size: 13 }, body: Readable.from([Buffer.from('{"layout":2}\n')]) };
    const wire: Partial<S3Wire> = {
      get: (name) => Promise.resolve(name === "granary.json" ? layout : undefined),
      head: () => Promise.resolve(this.there),
      put: async (_name, _body, { id }) => {
        this.sent.push(id);
        const next = this.puts.shift();
        if (next === undefined) throw new Error("more puts than were played");
        next(id);
        await Promise.resolve();
      },
      versions: () => Promise.resolve([]),
      close: () => undefined,
    };
    return openOver(wire as S3Wire, {
      bucket: "b",
      prefix: "",
      endpoint: "http://127.0.0.1:1",
      region: "r",
      pathStyle: true,
      accessKey: "a",
      secretKey: "s",
      ca: undefined,
      timeoutMs: 1000,
      partBytes: 5 << 20,
      staging: new MemoryStorage(),
    });
  }
}

const fail = (status: number | undefined, code: string) => () => {
  throw new S3Failure("put", { status, code, message: "m" });
};
const refused = fail(412, "PreconditionFailed");
const lost = fail(undefined, "ECONNRESET");

suite("after a doubt", () => {
  test("stored and not heard of, then refused: it was ours", async () => {
    const played = new Played();
    played.puts.push((id) => {
      played.there = { ...facts, writeId: id };
      lost();
    }, refused);
    assert.equal(await (await played.storage()).create(key, hello), "created");
    assert.equal(new Set(played.sent).size, 1, "one write, one id");
  });
  test("lost, and another was quicker: exists", async () => {
    const played = new Played();
    played.puts.push(() => {
      played.there = { ...facts, writeId: "another" };
      lost();
    }, refused);
    assert.equal(await (await played.storage()).create(key, hello), "exists");
  });
  test("lost every time, and it is there: created; it is not: StoreUnavailable", async () => {
    const played = new Played();
    played.puts.push(lost, lost, lost, (id) => {
      played.there = { ...facts, writeId: id };
      lost();
    });
    assert.equal(await (await played.storage()).create(key, hello), "created");
    const empty = new Played();
    empty.puts.push(lost, lost, lost, lost);
    await assert.rejects((await empty.storage()).create(key, hello), StoreUnavailable);
  });
  test("MinIO's 503 to a stalled first writer, after another wrote: exists", async () => {
    const played = new Played();
    played.there = { ...facts, writeId: "another" };
    played.puts.push(fail(503, "RequestTimeout"), refused);
    assert.equal(await (await played.storage()).create(key, hello), "exists");
  });
  test("denied is not tried again, and is no doubt", async () => {
    const played = new Played();
    played.puts.push(fail(403, "AccessDenied"));
    await assert.rejects((await played.storage()).create(key, hello), /AccessDenied \(403\)/);
  });
  test("a replacement: ours, refused, or nobody can say", async () => {
    const token = statOf(facts).token;
    const ours = new Played();
    ours.puts.push((id) => {
      ours.there = { ...facts, etag: '"new"', writeId: id };
      lost();
    }, refused);
    assert.equal(await (await ours.storage()).replace(key, hello, token), "replaced");
    const sure = new Played();
    sure.puts.push(refused);
    assert.equal(await (await sure.storage()).replace(key, hello, token), "conflict");
    const gone = new Played();
    gone.puts.push(fail(404, "NoSuchKey"));
    assert.equal(await (await gone.storage()).replace(key, hello, token), "conflict");
    const unsure = new Played();
    unsure.puts.push(() => {
      unsure.there = { ...facts, etag: '"third"', writeId: "another" };
      lost();
    }, refused);
    await assert.rejects((await unsure.storage()).replace(key, hello, token), /nobody can say/);
  });
  test("refused where there is nothing: tried again, and given up after a few rounds", async () => {
    const played = new Played();
    played.puts.push(refused, () => undefined);
    assert.equal(await (await played.storage()).create(key, hello), "created");
    const never = new Played();
    never.puts.push(...Array.from({ length: 6 }, () => refused));
    await assert.rejects((await never.storage()).create(key, hello), StoreUnavailable);
  });
});

suite("reading what is large", () => {
  const large = Buffer.alloc(3 << 20, "0123456789abcdef!");
  const etag = '"large"';

  /** Serves `large`, whole or in ranges. */
  async function open(spoolDir: string, maxSpoolBytes?: number) {
    const ranges: string[] = [];
    const wire: Partial<S3Wire> = {
      get: (name, range) => {
        if (name === "granary.json") {
          const body = Readable.from([Buffer.from('{"layout":2}\n')]);
          return Promise.resolve({ facts: { ...facts, size: 13 }, body });
        }
        const { from = 0, to = large.length } = range ?? {};
        if (range !== undefined) {
          assert.equal(range.of.etag, etag);
          ranges.push(`${from}-${to}`);
        }
        return Promise.resolve({
          facts: { ...facts, etag, size: to - from },
          body: Readable.from([large.subarray(from, to)]),
        });
      },
      close: () => undefined,
    };
    const storage = await openOver(wire as S3Wire, {
      ...{ bucket: "b", prefix: "", endpoint: "http://127.0.0.1:1", region: "r", pathStyle: true },
      ...{ accessKey: "a", secretKey: "s", ca: undefined, timeoutMs: 1000, partBytes: 5 << 20 },
      ...{ staging: new MemoryStorage(), spoolDir, ...(maxSpoolBytes !== undefined && { maxSpoolBytes }) },
    });
    return { storage, ranges };
  }

  async function whole(storage: S3Storage): Promise<Buffer> {
    const object = await storage.open(key);
    const into = Buffer.alloc(object?.size ?? 0);
    for (let at = 0; at < into.length;) at += (await object?.read(at, into.subarray(at, at + (1 << 20)))) ?? NaN;
    assert.equal(await object?.read(into.length, Buffer.alloc(1)), 0);
    await object?.close();
    return into;
  }

  test("by one request where there is a disk, and part by part where it takes no file, or not so many bytes", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "granary-s3-"));
    atEnd(t, () => rm(folder, { recursive: true, force: true }));
    const good = await open(folder);
    assert.deepEqual(await whole(good.storage), large);
    assert.deepEqual(good.ranges, []);
    assert.deepEqual(await readdir(folder), []);
    await writeFile(join(folder, "file"), "");
    for (const bad of [await open(join(folder, "file")), await open(folder, 1 << 20)]) {
      assert.deepEqual(await whole(bad.storage), large);
      assert.equal(bad.ranges.length, 3);
    }
  });

  test("a disk that takes no more in the middle of it gives what it has, and the rest comes part by part", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "granary-s3-"));
    atEnd(t, () => rm(folder, { recursive: true, force: true }));
    const ranges: string[] = [];
    const wire: Partial<S3Wire> = {
      get: (_name, range) => {
        const { from = 0, to = large.length } = range ?? {};
        ranges.push(`${from}-${to}`);
        return Promise.resolve({
          facts: { ...facts, size: to - from },
          body: Readable.from([large.subarray(from, to)]),
        });
      },
    };
    const space = new SpoolSpace(folder, 1 << 30);
    const full = {
      open: async (...of: Parameters<SpoolSpace["open"]>) => {
        const file = await space.open(...of);
        const write = file.handle.write.bind(file.handle) as (...args: unknown[]) => Promise<unknown>;
        let left = 2;
        const failing = (...args: unknown[]): Promise<unknown> =>
          left-- > 0 ? write(...args) : Promise.reject(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }));
        return Object.assign(file, { handle: Object.assign(file.handle, { write: failing }) });
      },
    } as unknown as SpoolSpace;
    const reading = {
      key,
      name: key,
      wire: wire as S3Wire,
      tries: { forMs: 1000, signal: new AbortController().signal },
    };
    const got = { facts: { ...facts, size: large.length }, body: Readable.from(pieces(large)) };
    const object = await openSpool(reading, got, full);
    const into = Buffer.alloc(large.length);
    for (let at = 0; at < into.length;) at += await object.read(at, into.subarray(at, at + (1 << 20)));
    assert.deepEqual(into, large);
    assert.deepEqual(ranges, [`${2 << 20}-${3 << 20}`]);
    await object.close();
  });

  function* pieces(of: Buffer): Generator<Buffer> {
    for (let at = 0; at < of.length; at += 1 << 20) yield of.subarray(at, at + (1 << 20));
  }
});
