import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hashGoMod } from "./dirhash.ts";
import { ProtocolError } from "./errors.ts";
import { findSums, formatDataTile, formatRecord, parseDataTile, parseLookup, parseRecord } from "./record.ts";

const zip = hashGoMod(Buffer.from("zip"));
const mod = hashGoMod(Buffer.from("mod"));
const text = `example.com/m v1.0.0 ${zip}\nexample.com/m v1.0.0/go.mod ${mod}\n`;

test("parseLookup() splits a record from what follows it", () => {
  const lookup = parseLookup(Buffer.from(`12\n${text}\nhead\n\nsignature\n`));
  assert.equal(lookup.id, 12);
  assert.equal(lookup.text, text);
  assert.equal(Buffer.from(lookup.checkpointNote).toString(), "head\n\nsignature\n");
});

test("parseRecord() inverts formatRecord()", () => {
  const line = fc.string({ unit: fc.constantFrom("a", " ", "é", "\u{1f600}", "\ufeff", "\u2028"), minLength: 1 });
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.array(line, { minLength: 1 }), (id, lines) => {
      const record = { id, text: lines.map((each) => `${each}\n`).join("") };
      const parsed = parseRecord(Buffer.concat([formatRecord(record), Buffer.from("rest")]));
      assert.deepEqual({ id: parsed.id, text: parsed.text }, record);
      assert.equal(Buffer.from(parsed.rest).toString(), "rest");
    }),
  );
});

const bad = [
  "",
  "1",
  "1\n",
  "1\ntext\n",
  "\ntext\n\n",
  "x\ntext\n\n",
  "-1\nt\n\n",
  "01\nt\n\n",
  "9007199254740992\nt\n\n",
  "1\nt\tt\n\n",
  "1\r\nt\n\n",
  " 1\nt\n\n",
  "1\n\ud800\0\n\n",
];
for (const record of bad)
  test(`parseRecord(${JSON.stringify(record)}) refuses`, () => {
    assert.throws(() => parseRecord(Buffer.from(record)), { code: "BAD_RECORD" });
  });

test("formatRecord() refuses what parseRecord() would not read back", () => {
  for (const each of ["", "x", "a\n\nb\n", "a\tb\n", "\ud800\n"]) {
    assert.throws(() => formatRecord({ id: 1, text: each }), { code: "BAD_RECORD" });
  }
});

test("any bytes parse or are refused with a ProtocolError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        parseRecord(bytes);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
  );
});

test("data tiles hold texts one after the other and nothing more", () => {
  const tile = formatDataTile([text, "b\n"]);
  assert.deepEqual(parseDataTile(tile, 2), [text, "b\n"]);
  assert.throws(() => parseDataTile(tile, 1), { code: "BAD_RECORD" });
  assert.throws(() => parseDataTile(tile, 3), { code: "BAD_RECORD" });
});

test("findSums() reads both hashes of the version and of no other", () => {
  assert.deepEqual(findSums(text, "example.com/m", "v1.0.0"), { zip, mod });
  assert.deepEqual(findSums(`${text}example.com/m v1.0.1 ${mod}\n`, "example.com/m", "v1.0.0"), { zip, mod });
  assert.deepEqual(findSums(text.slice(text.indexOf("\n") + 1), "example.com/m", "v1.0.0"), { mod });
});

test("findSums() refuses a text without the version's own line (GO-2026-4984)", () => {
  for (const [path, version] of [
    ["example.com/m", "v1.0.1"],
    ["example.com/m/v2", "v1.0.0"],
    ["example.com", "m v1.0.0"],
    ["m", "v1.0.0"],
  ] as const) {
    assert.throws(() => findSums(text, path, version), { code: "BAD_RECORD" });
  }
  assert.throws(() => findSums(" " + text.replaceAll("\n", "\n "), "example.com/m", "v1.0.0"), { code: "BAD_RECORD" });
});

test("findSums() refuses two hashes for one file and hashes that are none", () => {
  assert.throws(() => findSums(`${text}example.com/m v1.0.0 ${mod}\n`, "example.com/m", "v1.0.0"), {
    code: "BAD_RECORD",
  });
  assert.throws(() => findSums("example.com/m v1.0.0 h1:x\n", "example.com/m", "v1.0.0"), { code: "BAD_RECORD" });
  assert.throws(() => findSums("example.com/m v1.0.0 h2:x\n", "example.com/m", "v1.0.0"), { code: "BAD_RECORD" });
});
