import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { crc32, deflateRawSync } from "node:zlib";

import fc from "fast-check";

import { forgeZip } from "../../test/fixtures/forge-zip.ts";
import { zipCases } from "../../test/fixtures/hostile-zips.ts";
import { bytesSource } from "./zip-bytes.ts";
import { checkModuleZip, maxZipBytes } from "./zip-check.ts";
import type { ZipReport } from "./zip-check.ts";
import { maxZipDirectories } from "./zip-names.ts";
import { openZip } from "./zip.ts";
import { writeModuleZip } from "./zip-write.ts";

const id = { path: "example.com/hello", version: "v1.2.3" };
const prefix = "example.com/hello@v1.2.3/";
const goMod = "module example.com/hello\n\ngo 1.18\n";

function check(bytes: Uint8Array): ZipReport {
  return checkModuleZip(bytesSource(bytes), id);
}

test("checkModuleZip() knows the h1 of a zip that the go command hashed", () => {
  const report = check(
    forgeZip([
      { name: `${prefix}x.go`, content: "package hello\n" },
      { name: `${prefix}go.mod`, content: goMod, method: 0 },
    ]),
  );
  const { goMod: found, ...rest } = report;
  assert.equal(Buffer.from(found!).toString(), goMod);
  assert.deepEqual(rest, {
    valid: true,
    problems: [],
    warnings: [],
    files: 2,
    uncompressedBytes: goMod.length + 14,
    h1: "h1:7j/oy+tJT9HyJfT59wTR69TstbCyNS5tKdi+c9Vh4H8=",
  });
});

for (const { what, rule, make } of zipCases) {
  test(`checkModuleZip() ${rule === undefined ? "takes" : "refuses"} a zip with ${what}`, () => {
    const report = check(make(prefix));
    assert.deepEqual([...new Set(report.problems.map((problem) => problem.rule))], rule === undefined ? [] : [rule]);
    assert.equal(report.valid, rule === undefined);
    assert.equal(report.h1 !== "", rule === undefined);
  });
}

const warnings = [
  ["no files", "empty"],
  ["a symlink mode", "symlink"],
  ["bytes before it", "prepended"],
  ["bytes after it", "trailing"],
  ["directory entries", "directory-entry"],
  ["bytes after a deflate stream", "garbage"],
  ["no checksum", "no-checksum"],
] as const;

for (const [what, warning] of warnings) {
  test(`checkModuleZip() warns of ${what}`, () => {
    const report = check(zipCases.find((one) => one.what === what)!.make(prefix));
    assert.deepEqual(report.warnings, [warning]);
  });
}

test("checkModuleZip() hashes no files to the hash of nothing", () => {
  assert.equal(check(forgeZip([])).h1, "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
});

test("checkModuleZip() has no go.mod when there is none, and an empty one when it is empty", () => {
  assert.equal(check(forgeZip([{ name: `${prefix}a.go` }])).goMod, undefined);
  assert.equal(check(forgeZip([{ name: `${prefix}go.mod` }])).goMod?.length, 0);
});

test("checkModuleZip() refuses a zip above 500 MiB unread", () => {
  const source = { size: maxZipBytes + 1, read: () => assert.fail("was read") };
  assert.equal(checkModuleZip(source, id).problems[0]?.rule, "zip-size");
});

test("checkModuleZip() tells a hundred problems and no more", () => {
  const entries = Array.from({ length: 1_000 }, (_, i) => ({ name: `${prefix}..${i}/../x` }));
  const report = check(forgeZip(entries));
  assert.equal(report.problems.length, 100);
});

test("checkModuleZip() finds a file that overlaps itself a thousand times before inflating any", () => {
  const content = Buffer.alloc(4_000_000);
  const kernel = { name: `${prefix}0`, data: deflateRawSync(content), size: content.length, crc: crc32(content) };
  const copies = Array.from({ length: 1_000 }, (_, i) => ({ ...kernel, name: `${prefix}${i + 1}`, offset: 0 }));
  assert.equal(check(forgeZip([kernel, ...copies])).problems[0]?.rule, "structure");
});

test("checkModuleZip() gives up on names that spell too many directories", () => {
  const levels = 1_000;
  const entries = Array.from({ length: maxZipDirectories / levels + 2 }, (_, i) => ({
    name: `${prefix}${i}/${"d/".repeat(levels)}x`,
    method: 0,
  }));
  assert.equal(check(forgeZip(entries)).problems[0]?.rule, "directories");
});

test("checkModuleZip() refuses names longer than a path can be", () => {
  const report = check(forgeZip([{ name: `${prefix}${"d/".repeat(30_000)}x` }]));
  assert.equal(report.problems[0]?.rule, "name-length");
  assert.ok(report.problems[0].name.length < 1_000);
});

test("checkModuleZip() takes 65,536 files and more", () => {
  const entries = Array.from({ length: 66_000 }, (_, i) => ({ name: `${prefix}f${i}`, method: 0 }));
  const report = check(forgeZip(entries));
  assert.deepEqual([report.valid, report.files], [true, 66_000]);
});

const sample = writeModuleZip(id, [
  { name: "go.mod", content: Buffer.from(goMod) },
  { name: "a.go", content: Buffer.from("package a\n".repeat(50)) },
  { name: "b/c.go", content: randomBytes(300) },
]);

test("checkModuleZip() refuses a zip cut short anywhere", () => {
  for (let length = 0; length < sample.length; length++) {
    assert.equal(check(sample.subarray(0, length)).valid, false, `length ${length}`);
  }
});

test("checkModuleZip() reports on any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, withEnd) => {
      const end = withEnd ? forgeZip([], { directorySize: bytes.length % 90 }) : new Uint8Array();
      assert.equal(typeof check(Buffer.concat([bytes, end])).valid, "boolean");
    }),
    { numRuns: 500 },
  );
});

test("checkModuleZip() takes a changed zip only when the change touched no content", () => {
  const known = check(sample);
  const change = fc.record({ at: fc.nat(sample.length - 1), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const bytes = new Uint8Array(sample);
      for (const { at, value } of changes) bytes[at] = value;
      const report = check(bytes);
      // A changed name may stay valid; the h1 then says so. Content is protected by its CRC-32.
      assert.ok(!report.valid || report.h1 === known.h1 || namesOf(bytes) !== namesOf(sample));
    }),
    { numRuns: 2_000 },
  );
});

function namesOf(zip: Uint8Array): string {
  return openZip(bytesSource(zip))
    .entries.map((entry) => entry.name)
    .join();
}
