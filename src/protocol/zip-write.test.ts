import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";

import { bytesSource } from "./zip-bytes.ts";
import { checkModuleZip } from "./zip-check.ts";
import { openZip } from "./zip.ts";
import { writeModuleZip } from "./zip-write.ts";

const id = { path: "example.com/hello", version: "v1.2.3" };
const goMod = { name: "go.mod", content: Buffer.from("module example.com/hello\n\ngo 1.18\n") };
const code = { name: "x.go", content: Buffer.from("package hello\n") };

test("writeModuleZip() writes what checkModuleZip() takes without a warning", () => {
  const files = [
    code,
    goMod,
    { name: "ü/世界.txt", content: randomBytes(9_000) },
    { name: "empty", content: Buffer.of() },
  ];
  const report = checkModuleZip(bytesSource(writeModuleZip(id, files)), id);
  assert.deepEqual([report.valid, report.warnings, report.files], [true, [], 4]);
});

test("writeModuleZip() writes a zip whose h1 the go command agrees with", () => {
  const report = checkModuleZip(bytesSource(writeModuleZip(id, [goMod, code])), id);
  assert.equal(report.h1, "h1:7j/oy+tJT9HyJfT59wTR69TstbCyNS5tKdi+c9Vh4H8=");
});

test("writeModuleZip() writes the same bytes for the same files in any order", () => {
  assert.deepEqual(writeModuleZip(id, [goMod, code]), writeModuleZip(id, [code, goMod]));
});

test("writeModuleZip() sorts by bytes, not by UTF-16 units", () => {
  const files = ["\uff21", "\u{10400}", "z"].map((name) => ({ name, content: Buffer.of(1) }));
  const zip = writeModuleZip(id, files);
  const written = openZip(bytesSource(zip)).entries.map((entry) => entry.name.split("/")[2]);
  assert.deepEqual(written, ["z", "\uff21", "\u{10400}"]);
});

const refused = [
  ["a name twice", [code, code]],
  ["names equal but for case", [code, { ...code, name: "X.go" }]],
  ["a way out", [{ ...code, name: "../x.go" }]],
  ["a nested go.mod", [{ ...goMod, name: "sub/go.mod" }]],
  ["a directory", [{ ...code, name: "d/" }]],
  ["no name", [{ ...code, name: "" }]],
] as const;

for (const [what, files] of refused) {
  test(`writeModuleZip() refuses ${what}`, () => {
    assert.throws(() => writeModuleZip(id, files), { code: "BAD_ZIP" });
  });
}
