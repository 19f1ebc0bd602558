import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { createInflate, createInflateRaw, deflateRawSync } from "node:zlib";

import { forgeZip } from "../../test/fixtures/forge-zip.ts";
import type { ForgedEnd, ForgedEntry } from "../../test/fixtures/forge-zip.ts";
import { documentedInflater, handleInflater } from "./inflate.ts";
import type { Inflater } from "./inflate.ts";
import { bytesSource } from "./zip-bytes.ts";
import type { ZipWarning } from "./zip-bytes.ts";
import { readEntry } from "./zip-entry.ts";
import { openZip } from "./zip.ts";

const files: readonly ForgedEntry[] = [
  { name: "m@v1.0.0/a.go", content: "package a\n" },
  { name: "m@v1.0.0/b.txt", content: "b".repeat(1000) },
];

function open(entries: readonly ForgedEntry[], end?: ForgedEnd): ReturnType<typeof openZip> {
  return openZip(bytesSource(forgeZip(entries, end)));
}

function contentOf(bytes: Uint8Array, inflater: Inflater): { text: string; warnings: ZipWarning[] } {
  const source = bytesSource(bytes);
  const entry = openZip(source).entries[0]!;
  const chunks: Uint8Array[] = [];
  const warnings = new Set<ZipWarning>();
  readEntry(source, entry, { take: (chunk) => chunks.push(new Uint8Array(chunk)), warnings, inflater });
  return { text: Buffer.concat(chunks).toString("latin1"), warnings: [...warnings] };
}

const inflaters: readonly [string, Inflater][] = [
  ["by the handle", handleInflater()!],
  ["by documented means", documentedInflater],
];

test("openZip() tells names, sizes and methods in the directory's order", () => {
  const { entries, warnings } = open([...files, { name: "m@v1.0.0/é.txt", content: "x", method: 0 }]);
  assert.deepEqual(
    entries.map(({ name, size, method }) => [name, size, method]),
    [
      ["m@v1.0.0/a.go", 10, 8],
      ["m@v1.0.0/b.txt", 1000, 8],
      ["m@v1.0.0/é.txt", 1, 0],
    ],
  );
  assert.deepEqual(warnings, []);
});

test("openZip() marks a name that is not UTF-8", () => {
  const [entry] = open([{ name: Uint8Array.of(0x61, 0xff) }]).entries;
  assert.equal(entry?.validName, false);
});

test("openZip() keeps a byte order mark in a name", () => {
  assert.equal(open([{ name: "\ufeffa" }]).entries[0]?.name, "\ufeffa");
});

const honest: readonly [string, readonly ForgedEntry[], ForgedEnd, readonly ZipWarning[]][] = [
  ["no entries", [], {}, []],
  ["data descriptors", files.map((file) => ({ ...file, descriptor: "honest" as const })), {}, []],
  ["64-bit data descriptors", files.map((file) => ({ ...file, descriptor: "honest64" as const })), {}, []],
  ["a ZIP64 end", files, { zip64: {} }, []],
  ["a comment", files, { comment: "hello" }, ["comment"]],
  ["bytes before it", files, { prepend: Buffer.from("#!/bin/sh\n") }, ["prepended"]],
  ["bytes after it", files, { append: Buffer.from("<html>") }, ["trailing"]],
  ["bytes between", files, { gap: Buffer.alloc(10) }, ["gap"]],
  ["a symlink mode", [{ ...files[0]!, mode: 0o120777 }], {}, ["symlink"]],
];

for (const [what, entries, end, warnings] of honest) {
  test(`openZip() reads a zip with ${what}`, () => {
    const opened = open(entries, end);
    assert.equal(opened.entries.length, entries.length);
    assert.deepEqual(opened.warnings, warnings);
  });
}

test("openZip() looks past a ZIP64 end that is not needed", () => {
  const plain = forgeZip(files);
  const start = new DataView(plain.buffer).getUint32(plain.length - 6, true);
  const size = new DataView(plain.buffer).getUint32(plain.length - 10, true);
  // The directory ends where the ZIP64 record starts, so for a reader that ignores it there are bytes before the zip.
  const zip = forgeZip(files, { zip64: { records: 7 }, records: 2, directorySize: size, directoryStart: start });
  const opened = openZip(bytesSource(zip));
  assert.equal(opened.entries.length, 2);
  assert.ok(opened.warnings.includes("zip64"));
});

const wide = Buffer.alloc(12);
wide.writeUInt16LE(1, 0);
wide.writeUInt16LE(8, 2);
wide.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 4);

const lies: readonly [string, readonly ForgedEntry[], ForgedEnd?][] = [
  ["another name in the local header", [{ ...files[0]!, local: { name: "m@v1.0.0/b.go" } }]],
  ["a longer name in the local header", [{ ...files[0]!, local: { name: "m@v1.0.0/aa.go" } }]],
  ["another method in the local header", [{ ...files[0]!, local: { method: 0 } }]],
  ["another size in the local header", [{ ...files[0]!, local: { size: 9 } }]],
  ["another compressed size in the local header", [{ ...files[0]!, local: { compressedSize: 3 } }]],
  ["another checksum in the local header", [{ ...files[0]!, local: { crc: 3 } }]],
  ["a descriptor flag in one header only", [{ ...files[0]!, local: { flags: 8 } }]],
  ["an encrypted entry", [{ ...files[0]!, flags: 1 }]],
  ["an entry encrypted by its local header only", [{ ...files[0]!, local: { flags: 1 } }]],
  ["an unknown method", [{ ...files[0]!, method: 93 }]],
  ["a stored entry with two sizes", [{ name: "a", method: 0, content: "abc", size: 2 }]],
  ["two entries at one place", [files[0]!, { ...files[0]!, offset: 0 }]],
  [
    "an entry inside another",
    [
      { ...files[0]!, data: Buffer.alloc(100) },
      { ...files[0]!, offset: 20 },
    ],
  ],
  ["an entry in the directory", [files[0]!, { ...files[1]!, offset: 55 }]],
  ["an entry beyond the end", [files[0]!, { ...files[1]!, offset: 1_000_000 }]],
  ["data beyond the directory", [{ ...files[0]!, compressedSize: 1_000, local: { compressedSize: 1_000 } }]],
  ["a promise deflate cannot keep", [{ ...files[0]!, size: 1e9, local: { size: 1e9 } }]],
  ["a descriptor with another checksum", [{ ...files[0]!, descriptor: Buffer.from("PK\x07\x08".padEnd(16, "x")) }]],
  ["a descriptor cut short", [{ ...files[0]!, descriptor: Buffer.alloc(4) }]],
  ["fewer entries than announced", files, { records: 3 }],
  ["more entries than announced", files, { records: 1 }],
  ["a directory size that is too small", files, { directorySize: 58 }],
  ["a directory size that is too large", files, { directorySize: 500 }],
  ["a directory start beyond the end", files, { directoryStart: 1e6 }],
  ["a directory of 4 GiB", files, { directorySize: 0xffff_fffe }],
  ["ZIP64 records that lie", files, { zip64: { records: 65_538 } }],
  ["a ZIP64 directory of 8 EiB", files, { zip64: { size: 2 ** 53 - 1 } }],
  ["a ZIP64 start that lies", files, { zip64: { start: 2 ** 53 - 1 } }],
  ["a ZIP64 size of 16 EiB", [{ ...files[0]!, size: 0xffff_ffff, extra: wide }]],
  ["a ZIP64 field cut short", [{ ...files[0]!, size: 0xffff_ffff, extra: Uint8Array.of(1, 0, 4, 0, 1, 2, 3, 4) }]],
  ["two ZIP64 fields", [{ ...files[0]!, extra: Buffer.concat([wide, wide]) }]],
  ["a comment cut short", files, { append: Buffer.from("PK\x05\x06".padEnd(21, "\0") + "\x05") }],
];

for (const [what, entries, end] of lies) {
  test(`openZip() refuses ${what}`, () => {
    assert.throws(() => open(entries, end), { code: "BAD_ZIP" });
  });
}

test("openZip() refuses bytes that are no zip", () => {
  for (const bytes of [new Uint8Array(), Buffer.from("<html></html>"), Buffer.alloc(100_000)]) {
    assert.throws(() => openZip(bytesSource(bytes)), { code: "BAD_ZIP" });
  }
});

test("openZip() refuses a zip cut short anywhere", () => {
  const zip = forgeZip(files);
  for (let length = 0; length < zip.length; length++) {
    assert.throws(() => openZip(bytesSource(zip.subarray(0, length))), { code: "BAD_ZIP" }, `length ${length}`);
  }
});

test("openZip() counts at most the entries it is allowed", () => {
  const zip = bytesSource(forgeZip(files));
  assert.throws(() => openZip(zip, { maxEntries: 1, maxDirectoryBytes: 1000 }), { code: "BAD_ZIP" });
  assert.throws(() => openZip(zip, { maxEntries: 2, maxDirectoryBytes: 100 }), { code: "BAD_ZIP" });
  assert.equal(openZip(zip, { maxEntries: 2, maxDirectoryBytes: 1000 }).entries.length, 2);
});

test("openZip() reads 70,000 entries whose count does not fit into 16 bits", () => {
  const entries = Array.from({ length: 70_000 }, (_, i) => ({ name: `f${i}`, method: 0 }));
  const { entries: found, warnings } = open(entries);
  assert.equal(found.length, 70_000);
  assert.deepEqual(warnings, ["count"]);
});

const large = "0123456789abcdef".repeat(400_000);
const noise = randomBytes(3_000_000).toString("latin1");
const exact = "x".repeat(256 * 1024);
const contents: readonly [string, ForgedEntry, string, ZipWarning[]?][] = [
  ["a deflated entry", { name: "a", content: "hello" }, "hello"],
  ["a stored entry", { name: "a", content: "hello", method: 0 }, "hello"],
  ["an empty entry", { name: "a" }, ""],
  ["an empty stored entry", { name: "a", method: 0 }, ""],
  ["a large deflated entry", { name: "a", content: large }, large],
  ["a large stored entry", { name: "a", content: large, method: 0 }, large],
  ["noise, deflated", { name: "a", content: Buffer.from(noise, "latin1") }, noise],
  ["an entry that fills a piece", { name: "a", content: exact }, exact],
  ["an entry that fills a piece, and one byte", { name: "a", content: `${exact}x` }, `${exact}x`],
  ["an entry with bytes after its deflate stream", withGarbage("hello"), "hello", ["garbage"]],
  ["a large entry with bytes after its deflate stream", withGarbage(large), large, ["garbage"]],
  ["an entry that tells no checksum", { name: "a", content: "hello", crc: 0 }, "hello", ["no-checksum"]],
];

function withGarbage(content: string): ForgedEntry {
  return { name: "a", content, data: Buffer.concat([deflateRawSync(content), Buffer.alloc(700_000, 1)]) };
}

for (const [how, inflater] of inflaters)
  for (const [what, entry, text, warnings = []] of contents)
    test(`readEntry() yields the bytes of ${what}, ${how}`, () => {
      const found = contentOf(forgeZip([entry]), inflater);
      assert.ok(found.text === text);
      assert.deepEqual(found.warnings, warnings);
    });

const broken: readonly [string, ForgedEntry][] = [
  ["larger than declared", { name: "a", content: "hello", size: 4 }],
  ["smaller than declared", { name: "a", content: "hello", size: 6 }],
  ["larger than declared, streamed", { name: "a", content: large, size: large.length - 1 }],
  ["smaller than declared, streamed", { name: "a", content: large, size: large.length + 1 }],
  ["not empty but declared so", { name: "a", content: "hello", size: 0 }],
  ["of another checksum", { name: "a", content: "hello", crc: 7 }],
  ["of another checksum, streamed", { name: "a", content: large, crc: 7 }],
  ["without a checksum but with a descriptor", { name: "a", content: "hello", crc: 0, descriptor: "honest" }],
  ["no deflate stream", { name: "a", content: "hello", data: Buffer.alloc(20, 0xff) }],
  ["no deflate stream, streamed", { name: "a", content: large, data: Buffer.alloc(50_000, 0xff) }],
  ["cut short", { name: "a", content: "hello", data: deflateRawSync("hello").subarray(0, 4) }],
  ["cut short, streamed", { name: "a", content: large, data: deflateRawSync(large).subarray(0, -2) }],
  ["empty where a deflate stream should be", { name: "a", data: new Uint8Array() }],
];

for (const [how, inflater] of inflaters) {
  for (const [what, entry] of broken)
    test(`readEntry() refuses an entry that is ${what}, ${how}, and reads the next one`, () => {
      assert.throws(() => contentOf(forgeZip([entry]), inflater), { code: "BAD_ZIP" });
      assert.equal(contentOf(forgeZip([{ name: "a", content: "hello" }]), inflater).text, "hello");
    });

  test(`readEntry() lets a failing source and a failing taker through, ${how}`, () => {
    for (const method of [0, 8]) {
      const whole = bytesSource(forgeZip([{ name: "a", content: Buffer.from(large), method }]));
      const [entry] = openZip(whole).entries;
      const fails = () => {
        throw new TypeError("disk on fire");
      };
      assert.throws(() => readEntry({ size: whole.size, read: fails }, entry!, { take: () => 0, inflater }), TypeError);
      assert.throws(() => readEntry(whole, entry!, { take: fails, inflater }), TypeError);
      assert.equal(contentOf(forgeZip([{ name: "a", content: "hello" }]), inflater).text, "hello");
    }
  });
}

test("readEntry() stops a bomb a piece after what it declares", () => {
  const bomb = forgeZip([{ name: "a", data: deflateRawSync(Buffer.alloc(50_000_000)), size: 1_000_000 }]);
  let taken = 0;
  const source = bytesSource(bomb);
  const take = (chunk: Uint8Array) => (taken += chunk.length);
  assert.throws(() => readEntry(source, openZip(source).entries[0]!, { take }), { code: "BAD_ZIP" });
  assert.ok(taken <= 1_000_000, `${taken} bytes were taken`);
});

const unknownEngines: readonly [string, () => unknown][] = [
  ["no handle", () => ({})],
  ["a handle of another make", () => ({ _handle: { writeSync: () => undefined, reset: () => undefined } })],
  ["state of another make", () => ({ ...partsOf(createInflateRaw()), _writeState: [0, 0] })],
  ["another format", () => createInflate()],
  ["a handle that does nothing", () => ({ ...idle(), _writeState: new Uint32Array(2) })],
];

function partsOf(engine: unknown): { _handle: unknown; _writeState: unknown } {
  const { _handle, _writeState } = engine as { _handle: unknown; _writeState: unknown };
  return { _handle, _writeState };
}

function idle(): { _handle: unknown } {
  return { _handle: { writeSync: () => undefined, reset: () => undefined } };
}

for (const [what, make] of unknownEngines)
  test(`handleInflater() does not trust an engine with ${what}`, () => {
    assert.equal(handleInflater(make()), undefined);
  });
