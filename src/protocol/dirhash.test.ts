import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { equalHash, hash1, hashGoMod, parseH1 } from "./dirhash.ts";

const goMod = Buffer.from("module example.com/hello\n\ngo 1.18\n");
const file = (name: string, content: string | Uint8Array): { name: string; sha256: string } => ({
  name,
  sha256: createHash("sha256").update(content).digest("hex"),
});

test("hashGoMod() yields what the go command accepts", () => {
  assert.equal(hashGoMod(Buffer.alloc(0)), "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=");
  assert.equal(hashGoMod(goMod), "h1:650DmeZPfQJ/Go7ryOmtlUer5d3q3P8j9nWVoWgO2VM=");
});

test("hash1() yields what the go command accepts, in whatever order the files come", () => {
  const files = [
    file("example.com/hello@v1.2.3/x.go", "package hello\n"),
    file("example.com/hello@v1.2.3/go.mod", goMod),
  ];
  assert.equal(hash1(files), "h1:7j/oy+tJT9HyJfT59wTR69TstbCyNS5tKdi+c9Vh4H8=");
  assert.equal(hash1(files.toReversed()), hash1(files));
});

test("hash1() sorts names by their UTF-8 bytes", () => {
  const name = fc.string({
    unit: fc.constantFrom("a", "b", "\u{e9}", "\u{ff5e}", "\u{ffff}", "\u{1f600}", "\u{10000}"),
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 8 }), (names) => {
      const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const lines = sorted.map((each) => `${createHash("sha256").update(each).digest("hex")}  ${each}\n`);
      const want = `h1:${createHash("sha256").update(lines.join("")).digest("base64")}`;
      assert.equal(hash1(names.map((each) => file(each, each))), want);
    }),
  );
});

test("hash1() hashes more lines than it holds at a time", () => {
  const files = Array.from({ length: 1_000 }, (_, i) => file(`f${String(i).padStart(4, "0")}`, String(i)));
  const lines = files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join("");
  assert.equal(hash1(files), `h1:${createHash("sha256").update(lines).digest("base64")}`);
});

test("hash1() refuses a name with a newline", () => {
  assert.throws(() => hash1([file("a\nb", "")]), { code: "BAD_HASH" });
});

test("parseH1() takes canonical hashes only", () => {
  const good = hashGoMod(goMod);
  assert.equal(parseH1(good), good);
  const bad = [
    "",
    "h1:",
    good.slice(0, -1),
    `${good}=`,
    ` ${good}`,
    `${good}\n`,
    good.replace("h1", "h2"),
    `${good.slice(0, -2)}N=`,
  ];
  for (const text of bad) assert.throws(() => parseH1(text), { code: "BAD_HASH" }, text);
});

test("equalHash() tells equal hashes from others", () => {
  assert.equal(equalHash("h1:a", "h1:a"), true);
  for (const other of ["h1:b", "h1:aa", "h1:", ""]) assert.equal(equalHash("h1:a", other), false);
});
