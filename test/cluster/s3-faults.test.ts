// What a bad network and a bad service do to the storage in a bucket, on real services.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Options } from "#adapters/storage/s3.ts";
import { StoreTooNew, StoreUnwritable } from "#services/store/errors.ts";
import { StoreUnavailable, storageKey } from "#services/store/ports.ts";
import { bytesOf, keysOf, pattern, stageOf, textOf } from "../contract/storage.ts";
import { startBetween } from "../support/between-http.ts";
import { makeBucket, s3Client, s3StorageOf } from "../support/s3-store.ts";
import { missingS3, s3Kinds, startS3 } from "../support/servers/s3.ts";
import type { S3Server } from "../support/servers/s3.ts";

const a = storageKey("modules/example.com/a/@v/v1.0.0.zip");
const hello = bytesOf("hello");
const MiB = 1 << 20;
const isPut = ({ method, url }: { method: string; url: string }) => method === "PUT" && url.includes("/modules/");
const isGet = ({ method, url }: { method: string; url: string }) => method === "GET" && url.includes("/modules/");
const slowDown = "<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>slow down</Message></Error>";

for (const kind of s3Kinds)
  suite(`s3 faults: ${kind}`, { skip: missingS3(kind) ?? false }, () => {
    let server: S3Server;
    let folder: string;
    const ends: (() => unknown)[] = [];
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "granary-s3-faults-"));
      server = await startS3({ after: (work) => void ends.push(work as () => unknown) }, kind);
      await makeBucket(server, "bucket");
      await makeBucket(server, "versioned", { isVersioned: true });
    });
    after(async () => {
      for (const end of ends.reverse()) await end();
      await rm(folder, { recursive: true, force: true });
    });
    let count = 0;
    const newPrefix = () => `p${count++}`;
    const open = (options: Partial<S3Options> = {}) =>
      s3StorageOf(server, { bucket: "bucket", prefix: newPrefix(), folder: join(folder, `s${count}`), ...options });

    test("a create whose answer is lost was ours", async (t) => {
      const between = await startBetween(t, server.endpoint);
      const storage = await open({ endpoint: between.endpoint });
      between.spoil(isPut, { kind: "lose-answer" }, 1);
      assert.equal(await storage.create(a, hello), "created");
      assert.equal(await textOf(storage, a), "hello");
      // Sent twice: the second was refused because of the first.
      assert.equal(between.seen.filter((line) => /^PUT .*modules/.test(line)).length, 2);
      await storage.close();
    });

    test("a replacement whose answer is lost was ours", async (t) => {
      const between = await startBetween(t, server.endpoint);
      const storage = await open({ endpoint: between.endpoint });
      await storage.create(a, hello);
      const { token } = (await storage.stat(a))!;
      between.spoil(isPut, { kind: "lose-answer" }, 1);
      assert.equal(await storage.replace(a, bytesOf("new"), token), "replaced");
      assert.equal(await textOf(storage, a), "new");
      await storage.close();
    });

    test("a create that was answered by 503 and done by another is not ours", async (t) => {
      const between = await startBetween(t, server.endpoint);
      const prefix = newPrefix();
      const [storage, other] = [await open({ endpoint: between.endpoint, prefix }), await open({ prefix })];
      between.spoil(isPut, { kind: "say", status: 503, body: slowDown }, 1);
      const creating = storage.create(a, hello);
      const outcomes = [await other.create(a, bytesOf("other")), await creating].sort();
      assert.deepEqual(outcomes, ["created", "exists"]);
      await Promise.all([storage.close(), other.close()]);
    });

    test("SlowDown twice, then well: nobody hears of it", async (t) => {
      const between = await startBetween(t, server.endpoint);
      const storage = await open({ endpoint: between.endpoint });
      for (const each of [isPut, isGet]) between.spoil(each, { kind: "say", status: 503, body: slowDown }, 2);
      assert.equal(await storage.create(a, hello), "created");
      assert.equal(await textOf(storage, a), "hello");
      await storage.close();
    });

    test("SlowDown for ever is StoreUnavailable that says so, and never absence", async (t) => {
      const between = await startBetween(t, server.endpoint);
      const storage = await open({ endpoint: between.endpoint });
      await storage.create(a, hello);
      between.spoil(isGet, { kind: "say", status: 503, body: slowDown }, 100);
      await assert.rejects(
        storage.get(a, 100),
        (error) => error instanceof StoreUnavailable && /get: SlowDown \(503\)/.test(error.message),
      );
      await assert.rejects(storage.open(a), StoreUnavailable);
      await storage.close();
    });

    test("a body that is cut once is read again, one that is always cut is StoreUnavailable", async (t) => {
      const between = await startBetween(t, server.endpoint);
      const storage = await open({ endpoint: between.endpoint });
      const body = pattern(200_000);
      await storage.create(a, body);
      between.spoil(isGet, { kind: "cut", after: 1000 }, 1);
      assert.equal(sha256((await storage.get(a, MiB))!.bytes), sha256(body));
      between.spoil(isGet, { kind: "cut", after: 1000 }, 100);
      await assert.rejects(storage.get(a, MiB), StoreUnavailable);
      await assert.rejects(storage.open(a), StoreUnavailable);
      await storage.close();
    });

    test("a large object whose answer breaks off is gone on with; for ever, it is no short read", async (t) => {
      const between = await startBetween(t, server.endpoint);
      const storage = await open({ endpoint: between.endpoint });
      const body = pattern(3 * MiB);
      await storage.create(a, await stageOf(storage, body));
      between.spoil(isGet, { kind: "cut", after: MiB }, 2);
      const object = (await storage.open(a))!;
      const into = new Uint8Array(body.length);
      assert.equal(await object.read(0, into), body.length);
      assert.equal(sha256(into), sha256(body));
      await object.close();
      between.spoil(isGet, { kind: "cut", after: 1000 }, 100);
      const broken = (await storage.open(a))!;
      await assert.rejects(broken.read(0, into), StoreUnavailable);
      await assert.rejects(broken.read(2 * MiB, new Uint8Array(10)), StoreUnavailable);
      await broken.close();
      await storage.close();
    });

    test("a part that fails is sent again, alone", async (t) => {
      const between = await startBetween(t, server.endpoint);
      const storage = await open({ endpoint: between.endpoint, partBytes: 5 * MiB });
      const body = pattern(11 * MiB);
      between.spoil(({ method, url }) => method === "PUT" && url.includes("partNumber=2"), { kind: "lose-answer" }, 2);
      assert.equal(await storage.create(a, await stageOf(storage, body)), "created");
      assert.equal(sha256((await storage.get(a, 64 * MiB))!.bytes), sha256(body));
      const parts = between.seen.flatMap((line) => /partNumber=(\d)/.exec(line)?.[1] ?? []).sort();
      assert.deepEqual(parts, ["1", "2", "2", "2", "3"]);
      await storage.close();
    });

    test("the completion of parts whose answer is lost was ours", async (t) => {
      const between = await startBetween(t, server.endpoint);
      const storage = await open({ endpoint: between.endpoint, partBytes: 5 * MiB });
      const body = pattern(6 * MiB);
      const isEnd = ({ method, url }: { method: string; url: string }) =>
        method === "POST" && /[?&]uploadId=/.test(url);
      between.spoil(isEnd, { kind: "lose-answer" }, 1);
      assert.equal(await storage.create(a, await stageOf(storage, body)), "created");
      assert.equal(sha256((await storage.get(a, 64 * MiB))!.bytes), sha256(body));
      await storage.close();
    });

    test("parts that never come through leave no object and no upload, and the stage stays", async (t) => {
      const between = await startBetween(t, server.endpoint);
      const storage = await open({ endpoint: between.endpoint, partBytes: 5 * MiB });
      const stage = await stageOf(storage, pattern(6 * MiB));
      between.spoil(({ url }) => url.includes("partNumber=1"), { kind: "say", status: 500, body: "" }, 4);
      await assert.rejects(storage.create(a, stage), StoreUnavailable);
      assert.equal(await storage.stat(a), undefined);
      assert.ok(between.seen.some((line) => line.startsWith("DELETE ") && line.includes("uploadId=")));
      assert.equal(await storage.create(a, stage), "created");
      await storage.close();
    });

    test("a service that is silent is given up, and the stalled request ends nothing else", async (t) => {
      const between = await startBetween(t, server.endpoint);
      const storage = await open({ endpoint: between.endpoint, timeoutMs: 500 });
      between.spoil(isGet, { kind: "silent" }, 100);
      const start = performance.now();
      await assert.rejects(storage.get(a, 100), StoreUnavailable);
      assert.ok(performance.now() - start < 5_000);
      assert.equal(await storage.create(a, hello), "created");
      await storage.close();
    });

    test("close() ends what waits", async (t) => {
      const between = await startBetween(t, server.endpoint);
      const storage = await open({ endpoint: between.endpoint });
      between.spoil(isGet, { kind: "silent" }, 100);
      const waiting = assert.rejects(storage.get(a, 100), StoreUnavailable);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await storage.close();
      await waiting;
      await assert.rejects(storage.stat(a), StoreUnavailable);
    });

    test("a server that is killed is StoreUnavailable at once, and is used again when it is back", async () => {
      const storage = await open();
      await storage.create(a, hello);
      await server.kill();
      const start = performance.now();
      await assert.rejects(storage.get(a, 100), StoreUnavailable);
      await assert.rejects(storage.create(storageKey("modules/x"), hello), StoreUnavailable);
      await assert.rejects(open(), StoreUnavailable);
      assert.ok(performance.now() - start < 10_000);
      await server.start();
      assert.equal(await textOf(storage, a), "hello");
      assert.equal(await storage.create(storageKey("modules/x"), hello), "created");
      await storage.close();
    });

    test("20 writers × 16 keys through two storages: one winner each", async () => {
      const prefix = newPrefix();
      const two = [await open({ prefix }), await open({ prefix })] as const;
      const keys = Array.from({ length: 16 }, (_, n) => storageKey(`modules/race/${n}`));
      await Promise.all(
        keys.map(async (key) => {
          const bodies = Array.from({ length: 20 }, (_, n) => bytesOf(`${key} by ${n}`));
          const outcomes = await Promise.all(bodies.map((body, n) => two[n % 2 === 0 ? 0 : 1].create(key, body)));
          assert.equal(outcomes.filter((outcome) => outcome === "created").length, 1, key);
          assert.equal(await textOf(two[0], key), `${key} by ${outcomes.indexOf("created")}`);
        }),
      );
      await Promise.all(two.map((storage) => storage.close()));
    });

    // VersityGW refuses the first when its body is whole. MinIO lets the second wait until the first is given up, after
    // 30 s, with a 503; then the two race.
    test(
      "a first writer that stalls and a quick second one: one is told that the other was there",
      { timeout: 90_000 },
      async (t) => {
        const between = await startBetween(t, server.endpoint);
        const prefix = newPrefix();
        const [first, second] = [
          await open({ prefix, endpoint: between.endpoint, timeoutMs: 60_000 }),
          await open({ prefix, timeoutMs: 60_000 }),
        ];
        let letGo = (): void => undefined;
        const until = new Promise<void>((resolve) => (letGo = resolve));
        between.spoil(isPut, { kind: "stall", after: 1000, until }, 1);
        const body = pattern(100_000);
        const stage = await stageOf(first, body);
        const slow = first.create(a, stage);
        await new Promise((resolve) => setTimeout(resolve, 300));
        const quick = second.create(a, hello).finally(letGo);
        const outcomes = await Promise.all([slow, quick]);
        if (kind === "versitygw") assert.deepEqual(outcomes, ["exists", "created"]);
        assert.deepEqual(outcomes.toSorted(), ["created", "exists"]);
        const { bytes } = (await first.get(a, MiB))!;
        assert.equal(sha256(bytes), sha256(outcomes[0] === "created" ? body : hello));
        if (outcomes[0] === "exists") assert.equal(await first.create(storageKey("modules/b"), stage), "created");
        await Promise.all([first.close(), second.close()]);
      },
    );

    test("what was evicted from a bucket with versions comes anew, and its older versions are gone or hidden", async () => {
      const storage = await open({ bucket: "versioned" });
      for (let n = 0; n < 3; n++) {
        assert.equal(await storage.create(a, bytesOf(`round ${n}`)), "created");
        assert.equal(await storage.create(a, hello), "exists");
        assert.equal(await textOf(storage, a), `round ${n}`);
        assert.equal(await storage.remove(a), true);
        assert.equal(await storage.get(a, 100), undefined);
      }
      await storage.close();
    });

    test("a signed link is read by anybody, and there is none of nothing", async () => {
      const storage = await open({ linkMs: 60_000 });
      await storage.create(a, hello);
      const url = (await storage.linkTo(a))!;
      assert.equal(await (await fetch(url)).text(), "hello");
      assert.match(url, /X-Amz-Expires=60/);
      assert.equal((await fetch(url.replace(/\?.*/, ""))).status, 403);
      assert.equal(await storage.linkTo(storageKey("modules/none")), undefined);
      await storage.close();
    });

    test("more keys than a page has are all listed", async () => {
      const prefix = newPrefix();
      const storage = await open({ prefix });
      const names = Array.from({ length: 1003 }, (_, n) => `many/${n % 10}/${n}`);
      await Promise.all(names.map((name) => storage.create(storageKey(name), hello)));
      assert.deepEqual(await keysOf(storage, ""), names.sort());
      await storage.close();
    });

    test("a store says its layout; a newer one and a damaged one are refused", async () => {
      const prefix = newPrefix();
      const storage = await open({ prefix });
      assert.equal(await storage.layout(), 2);
      await storage.raiseLayout();
      assert.equal(await storage.layout(), 2);
      const client = s3Client(server);
      const place = { Bucket: "bucket", Key: `${prefix}/granary.json` };
      const body = await (await client.send(new GetObjectCommand(place))).Body?.transformToString();
      assert.equal(body, '{"layout":2}\n');
      assert.deepEqual(await keysOf(storage, ""), []);
      for (const [text, kind] of [
        ['{"layout":3}\n', StoreTooNew],
        ["layout", StoreUnwritable],
      ] as const) {
        await client.send(new PutObjectCommand({ ...place, Body: text }));
        await assert.rejects(open({ prefix }), (error) => error instanceof kind);
      }
      client.destroy();
      await storage.close();
    });

    for (const [what, options] of [
      ["a bucket that is not there", { bucket: "none-such" }],
      ["a secret that is wrong", { secretKey: "wrong" }],
      ["an access key that nobody knows", { accessKey: "nobody" }],
    ] as const)
      test(`${what} is refused when the store is opened`, async () => {
        await assert.rejects(
          open(options),
          (error) => error instanceof StoreUnwritable && /granary store check/.test(error.message),
        );
      });

    test("keys longer than the protocol's are refused in our words, ours are reserved", async () => {
      const storage = await open();
      const long = storageKey(`${"e".repeat(200)}/`.repeat(6) + "x");
      await assert.rejects(storage.create(long, hello), StoreUnavailable);
      await assert.rejects(storage.get(long, 100), StoreUnavailable);
      for (const name of ["granary.json", "tmp/x"])
        await assert.rejects(storage.get(storageKey(name), 100), RangeError);
      await assert.rejects(keysOf(storage, "tmp/"), RangeError);
      await storage.close();
    });

    test("nothing of what is read stays on the disk", async () => {
      const spoolDir = join(folder, `spool-${randomBytes(4).toString("hex")}`);
      const storage = await open({ spoolDir, maxSpoolBytes: 5 * MiB });
      await storage.create(a, await stageOf(storage, pattern(3 * MiB)));
      const first = (await storage.open(a))!;
      // There is no room for two: this one is read part by part.
      const second = (await storage.open(a))!;
      const into = Buffer.alloc(3 * MiB);
      for (let at = 0; at < into.length;) at += await second.read(at, into.subarray(at, at + MiB));
      assert.equal(sha256(into), sha256(pattern(3 * MiB)));
      await second.close();
      await first.close();
      const third = (await storage.open(a))!;
      await third.close();
      assert.deepEqual(await readdir(spoolDir), []);
      await storage.close();
    });
  });

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
