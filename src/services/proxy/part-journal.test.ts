import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import fc from "fast-check";
import type { LastingStage, LeftStage } from "#services/store/ports.ts";
import { maxJournalBytes } from "#services/store/ports.ts";
import { parseJournal, PartJournal, soundChunks } from "./part-journal.ts";

const mib = 1 << 20;
const what = "example.com/m@v1.0.0";
const total = 12 * mib;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
/** Each chunk another one. */
const zip = Buffer.concat(Array.from({ length: 4 }, (_, n) => Buffer.alloc(mib, n + 1)));

/** A stage of which only the journal matters, and the bytes for reading back. */
function paper(journal = "", bytes: Buffer = zip) {
  const written = { text: journal, fails: false };
  const stage = {
    note: (text: string) => {
      if (written.fails) return Promise.reject(new Error("disk full"));
      written.text += text;
      return Promise.resolve();
    },
  } as LastingStage;
  const read = (offset: number, into: Uint8Array) => Promise.resolve(bytes.copy(into, 0, offset, offset + into.length));
  const left: LeftStage = { stage, journal, read, cut: () => Promise.resolve() };
  return { written, stage, left };
}

async function journalOf(bytes: Buffer, piece: number): Promise<string> {
  const { written, stage } = paper();
  const journal = await PartJournal.begin(stage, { what, total });
  await journal.from({ upstream: "a", etag: '"v1"' });
  for (let at = 0; at < bytes.length; at += piece) await journal.add(bytes.subarray(at, at + piece));
  assert.equal(journal.chunks, Math.floor(bytes.length / mib));
  return written.text;
}

test("however the bytes come, the journal has the hash of each whole chunk", async () => {
  for (const piece of [64_000, mib - 1, mib, mib + 1, 5 * mib]) {
    const journalled = parseJournal(await journalOf(zip.subarray(0, 3.5 * mib), piece), what);
    const chunks = [0, 1, 2].map((n) => sha256(zip.subarray(n * mib, (n + 1) * mib)));
    assert.deepEqual(journalled, { what, total, sources: [{ upstream: "a", etag: '"v1"' }], chunks });
  }
});

test("a journal of another version, another chunk size or an impossible length is none", async () => {
  const text = await journalOf(zip, mib);
  assert.ok(parseJournal(text, what));
  assert.equal(parseJournal(text, "example.com/m@v1.0.1"), undefined);
  for (const [from, to] of [
    [`"chunkBytes":${mib}`, '"chunkBytes":65536'],
    [`"total":${total}`, '"total":0'],
    [`"total":${total}`, '"total":1e99'],
    [`"total":${total}`, '"total":"1"'],
    ['"journal":1', '"journal":2'],
  ] as const) {
    assert.ok(text.includes(from));
    assert.equal(parseJournal(text.replace(from, to), what), undefined, to);
  }
  for (const junk of ["", "\n", "null", "[]", "{", "\0\0\0"]) assert.equal(parseJournal(junk, what), undefined);
});

test("an entity tag that promises nothing is not taken from a journal", async () => {
  const text = (await journalOf(zip, mib)).replace('"\\"v1\\""', '"W/\\"v1\\""');
  assert.deepEqual(parseJournal(text, what)?.sources, []);
});

test("chunks are sound up to the first that is damaged, short or not there", async () => {
  const text = await journalOf(zip, mib);
  const sound = async (bytes: Buffer) => await soundChunks(paper(text, bytes).left, parseJournal(text, what)!);
  assert.equal(await sound(zip), 4);
  const damaged = Buffer.from(zip);
  damaged[2 * mib + 5] = 0;
  assert.equal(await sound(damaged), 2);
  assert.equal(await sound(zip.subarray(0, 4 * mib - 1)), 3);
  assert.equal(await sound(Buffer.alloc(0)), 0);
});

test("wherever crashes cut the journal, what it calls sound is sound, and what came after a crash counts", async () => {
  const whole = await journalOf(zip, mib);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length), async (at) => {
      const first = whole.slice(0, at);
      const journalled = parseJournal(first, what);
      if (journalled === undefined) return;
      const { left, written } = paper(first);
      const chunks = await soundChunks(left, journalled);
      assert.equal(chunks, journalled.chunks.length);
      const next = await PartJournal.goOn(left, chunks);
      await next.add(zip.subarray(chunks * mib));
      const last = parseJournal(written.text, what);
      assert.ok(last);
      assert.equal(await soundChunks(left, last), 4, JSON.stringify(written.text));
    }),
    { numRuns: 60 },
  );
});

test("a journal that cannot be written, or grows too long, ends, and what it says stays true", async () => {
  const { written, stage, left } = paper();
  const journal = await PartJournal.begin(stage, { what, total });
  await journal.add(zip.subarray(0, mib));
  written.fails = true;
  await journal.add(zip.subarray(mib, 2 * mib));
  written.fails = false;
  await journal.add(zip.subarray(2 * mib, 3 * mib));
  assert.equal(await soundChunks(left, parseJournal(written.text, what)!), 1);

  const long = paper();
  const talkative = await PartJournal.begin(long.stage, { what, total });
  for (let n = 0; n < 10_000; n++) await talkative.from({ upstream: "a".repeat(100) });
  assert.ok(long.written.text.length <= maxJournalBytes / 2);
});
