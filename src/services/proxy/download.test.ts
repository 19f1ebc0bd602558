import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import type { DiskStorage } from "#adapters/storage/disk.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import type { Stage } from "#services/store/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import type { FaultReason } from "#services/upstreams/ports.ts";
import { Unusable } from "#services/upstreams/walk.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { playedUpstream, StandingClock } from "../../../test/support/proxy-room.ts";
import { ZipDownload } from "./download.ts";

const kib = 1024;
const zip = Buffer.from(Array.from({ length: 300 * kib }, (_, i) => (i * 7 + (i >> 8)) % 251));
const what = "example.com/m@v1.0.0";
const [a, b] = [playedUpstream("a"), playedUpstream("b")];

/** Storage that remembers the stages it opened, and which of them are gone. */
class CountedStorage extends MemoryStorage {
  readonly stages = new Set<Stage>();
  override async stage(maxBytes: number): Promise<Stage> {
    const stage = await super.stage(maxBytes);
    const discard = stage.discard.bind(stage);
    this.stages.add(stage);
    stage.discard = async () => {
      this.stages.delete(stage);
      await discard();
    };
    return stage;
  }
}

function begin() {
  const [clock, storage] = [new StandingClock(), new CountedStorage()];
  return { clock, storage, download: new ZipDownload({ storage, clock, what }) };
}

type Answer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly from?: number;
  /** The body breaks before this byte of the zip. */
  readonly to?: number;
  readonly bytes?: Buffer;
  readonly breaks?: FaultReason;
};

/** The zip from `from` to `to`, in chunks. */
function answer({ status = 200, headers = {}, from = 0, bytes = zip, to = bytes.length, breaks }: Answer) {
  const length = { "content-length": String(bytes.length - from) };
  const range = { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  return {
    status,
    headers: { ...(status === 200 ? length : range), ...headers },
    url: "https://a.test/zip",
    cancel: () => undefined,
    body: (async function* () {
      for (let at = from; at < to; at += 40_000) {
        await Promise.resolve();
        yield bytes.subarray(at, Math.min(at + 40_000, to));
      }
      if (breaks !== undefined) throw new UpstreamFault("a", breaks, breaks);
    })(),
  };
}

const bytesOf = (stage: Stage): Buffer => {
  const where = stage.locate();
  assert.ok("bytes" in where);
  return Buffer.from(where.bytes);
};

const cut = 200_000;
/** Has `a` break off after 200,000 bytes. */
async function broken(headers: Readonly<Record<string, string>> = {}) {
  const begun = begin();
  await assert.rejects(begun.download.read(answer({ to: cut, breaks: "reset", headers }), a), { reason: "reset" });
  return begun;
}

test("a whole answer is sealed as it came, and asked for without a range", async () => {
  const { download, storage } = begin();
  assert.deepEqual(download.headers(a), {});
  const stage = await download.read(answer({}), a);
  assert.deepEqual(bytesOf(stage), zip);
  assert.equal(download.isSpliced, false);
  await download.end();
  assert.equal(storage.stages.size, 0);
});

test("what broke off goes on at the same mirror, under its own strong entity tag", async () => {
  const { download, storage } = await broken({ etag: '"v1"' });
  assert.deepEqual(download.headers(a), { range: `bytes=${cut}-`, "if-range": '"v1"' });
  const stage = await download.read(answer({ status: 206, from: cut }), a);
  assert.deepEqual(bytesOf(stage), zip);
  assert.equal(download.isSpliced, true);
  assert.equal(storage.stages.size, 1);
});

for (const etag of ['W/"v1"', "v1", '"v"1"', `"${"x".repeat(300)}"`, '"a b"'])
  test(`the entity tag ${etag.slice(0, 12)} promises nothing: a plain range`, async () => {
    const { download } = await broken({ etag });
    assert.deepEqual(download.headers(a), { range: `bytes=${cut}-` });
  });

test("another mirror is asked for a plain range: an entity tag is its giver's own", async () => {
  const { download } = await broken({ etag: '"v1"' });
  assert.deepEqual(download.headers(b), { range: `bytes=${cut}-` });
  assert.deepEqual(bytesOf(await download.read(answer({ status: 206, from: cut }), b)), zip);
});

test("a part that begins earlier is taken from where ours ends", async () => {
  for (const from of [0, 1, cut - 1, cut - 40_000, 100_000]) {
    const { download } = await broken();
    assert.deepEqual(bytesOf(await download.read(answer({ status: 206, from }), b)), zip);
  }
});

const misfits: readonly (readonly [string, Answer])[] = [
  ["leaves a gap", { status: 206, from: cut + 1 }],
  ["is of another length", { status: 206, from: cut, bytes: zip.subarray(0, zip.length - 1) }],
  ["ends early", { status: 206, headers: { "content-range": `bytes ${cut}-${zip.length - 2}/${zip.length}` } }],
  ["has an unknown length", { status: 206, headers: { "content-range": `bytes ${cut}-${zip.length - 1}/*` } }],
  ["says no range", { status: 206, headers: { "content-range": "" } }],
  ["says many ranges", { status: 206, headers: { "content-type": "multipart/byteranges", "content-range": "" } }],
  ["does not exist", { status: 416, headers: { "content-range": `bytes */${zip.length}` } }],
];
for (const [name, misfit] of misfits)
  test(`a part that ${name} is of no use, and the next request asks for the whole`, async () => {
    const { download, storage } = await broken({ etag: '"v1"' });
    await assert.rejects(
      download.read(answer(misfit), b),
      (error) => error instanceof Unusable && error.code === "RANGE",
    );
    assert.equal(storage.stages.size, 0);
    assert.deepEqual(download.headers(a), {});
    assert.deepEqual(bytesOf(await download.read(answer({}), a)), zip);
  });

test("a part that nobody asked for is of no use", async () => {
  const { download } = begin();
  await assert.rejects(download.read(answer({ status: 206 }), a), Unusable);
});

test("a whole answer to a range starts again, whatever was there", async () => {
  const { download, storage } = await broken();
  const other = Buffer.from(zip).fill(1, 0, 10);
  assert.deepEqual(bytesOf(await download.read(answer({ bytes: other }), b)), other);
  assert.equal(download.isSpliced, false);
  assert.equal(storage.stages.size, 1);
});

test("little is asked for again whole, and so is what had no length", async () => {
  const little = begin();
  await assert.rejects(little.download.read(answer({ to: 64 * kib - 1, breaks: "reset" }), a));
  assert.deepEqual(little.download.headers(a), {});
  const endless = begin();
  await assert.rejects(
    endless.download.read(answer({ to: cut, breaks: "reset", headers: { "content-length": "" } }), a),
  );
  assert.deepEqual(endless.download.headers(a), {});
});

test("fewer bytes than promised are a broken body that may go on", async () => {
  const { download } = begin();
  await assert.rejects(download.read(answer({ to: cut }), a), { reason: "truncated" });
  assert.deepEqual(download.headers(a), { range: `bytes=${cut}-` });
});

test("more bytes than promised are a broken answer, nothing of which stays", async () => {
  const { download, storage } = await broken();
  const range = { "content-range": `bytes ${cut}-${zip.length - 1}/${zip.length}` };
  const more = Buffer.concat([zip, Buffer.alloc(10)]);
  const long = answer({ status: 206, from: cut, to: more.length, bytes: more, headers: range });
  await assert.rejects(download.read(long, b), { reason: "malformed" });
  assert.deepEqual(download.headers(a), {});
  assert.equal(storage.stages.size, 0);
});

test("after parts that did not fit only one mirror's own tagged parts are joined, and those accuse it", async () => {
  const { download } = await broken({ etag: '"v1"' });
  await download.read(answer({ status: 206, from: cut }), b);
  assert.equal(download.isSpliced, true);
  await download.restart({ wholeOnly: true });
  assert.deepEqual(download.headers(a), {});
  await assert.rejects(download.read(answer({ to: cut, breaks: "reset", headers: { etag: '"v1"' } }), a));
  assert.deepEqual(download.headers(b), {});
  assert.deepEqual(download.headers(a), { range: `bytes=${cut}-`, "if-range": '"v1"' });
  await download.read(answer({ status: 206, from: cut, headers: { etag: '"v1"' } }), a);
  assert.equal(download.isSpliced, false);
});

test("after parts that did not fit an untagged mirror is asked for the whole", async () => {
  const { download } = begin();
  await download.restart({ wholeOnly: true });
  await assert.rejects(download.read(answer({ to: cut, breaks: "reset" }), a));
  assert.deepEqual(download.headers(a), {});
});

test("it tells when the last bytes came", async () => {
  const { download, clock } = begin();
  const started = clock.now();
  assert.equal(download.progressedMs, started);
  clock.pass(5000);
  assert.equal(download.progressedMs, started);
  await assert.rejects(download.read(answer({ to: 40_000, breaks: "reset" }), a));
  clock.pass(5000);
  assert.equal(download.progressedMs, started + 5000);
});

test("what is still on its way in when it is given up leaves nothing behind", async () => {
  const { download, storage } = begin();
  const reading = download.read(answer({}), a);
  await download.end();
  await assert.rejects(reading);
  assert.equal(storage.stages.size, 0);
});

// ---- what a large zip leaves for the next job ----

const mib = 1 << 20;
const large = Buffer.alloc(9 * mib + 100, "large zips do not all compress ");

/** Storage on disk, and one download of the large zip that breaks off at `a` and ends. */
async function leftOnDisk(t: TestContext, broke: Answer): Promise<DiskStorage> {
  const root = await mkdtemp(join(tmpdir(), "granary-download-"));
  atEnd(t, () => rm(root, { recursive: true, force: true }));
  const storage = await openDiskStorage(root, { fsync: "never" });
  const download = new ZipDownload({ storage, clock: new StandingClock(), what });
  await assert.rejects(download.read(answer({ bytes: large, breaks: "reset", ...broke }), a));
  await download.end();
  return storage;
}

async function resumed(storage: DiskStorage) {
  const download = new ZipDownload({ storage, clock: new StandingClock(), what });
  return { download, had: await download.resume() };
}

for (const [etag, condition] of [
  ['"v1"', { "if-range": '"v1"' }],
  ['W/"v1"', {}],
  [undefined, {}],
] as const)
  test(`the next job goes on after the last whole chunk: entity tag ${etag ?? "none"}`, async (t) => {
    const storage = await leftOnDisk(t, { to: 5.5 * mib, ...(etag !== undefined && { headers: { etag } }) });
    const { download, had } = await resumed(storage);
    const range = `bytes=${5 * mib}-`;
    assert.equal(had, 5 * mib);
    assert.deepEqual(download.headers(a), { range, ...condition });
    assert.deepEqual(download.headers(b), { range }, "an entity tag is its giver's own");
    const stage = await download.read(answer({ bytes: large, status: 206, from: 5 * mib }), b);
    assert.equal(download.isSpliced, true);
    const where = stage.locate();
    assert.ok("path" in where && (await readFile(where.path)).equals(large));
    await download.end();
    assert.deepEqual(await readdir(join(storage.root, "tmp")), []);
  });

test("bytes that all came are asked for again from the last whole chunk that is not the end", async (t) => {
  const storage = await leftOnDisk(t, { to: large.length, breaks: "reset" });
  const { download } = await resumed(storage);
  assert.deepEqual(download.headers(a), { range: `bytes=${9 * mib}-` });
  await download.end();
});

for (const [why, broke] of [
  ["no whole chunk came", { to: mib - 1 }],
  ["it is not that large", { bytes: large.subarray(0, 8 * mib - 1), to: 7 * mib }],
  ["its length is unknown", { to: 7 * mib, headers: { "content-length": "" } }],
] as const)
  test(`nothing is left when ${why}`, async (t) => {
    const storage = await leftOnDisk(t, broke);
    assert.deepEqual(await readdir(join(storage.root, "tmp")), []);
    const { download, had } = await resumed(storage);
    assert.equal(had, 0);
    assert.deepEqual(download.headers(a), {});
  });

test("parts that did not fit leave nothing: the whole is asked for, now and later", async (t) => {
  const storage = await leftOnDisk(t, { to: 5.5 * mib });
  const { download } = await resumed(storage);
  const longer = answer({ bytes: Buffer.concat([large, large]), status: 206, from: 5 * mib });
  await assert.rejects(download.read(longer, a), { code: "RANGE" });
  assert.deepEqual(download.headers(a), {});
  await download.end();
  assert.equal((await resumed(storage)).had, 0);
});

test("what was left and is not what came is thrown away", async (t) => {
  const storage = await leftOnDisk(t, { to: 5.5 * mib });
  const names = await readdir(join(storage.root, "tmp"));
  const bytes = names.find((name) => !name.endsWith(".journal"));
  await writeFile(join(storage.root, "tmp", bytes!), "x");
  assert.equal((await resumed(storage)).had, 0);
  assert.deepEqual(await readdir(join(storage.root, "tmp")), []);
});
