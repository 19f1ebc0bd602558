import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { escapeCase, unescapeCase } from "./escape.ts";

test("upper case travels as an exclamation mark and lower case", () => {
  assert.equal(escapeCase("github.com/Azure/SDK"), "github.com/!azure/!s!d!k");
  assert.equal(unescapeCase("github.com/!azure/!s!d!k"), "github.com/Azure/SDK");
});

for (const text of ["a!b", "é", "\u{10400}", "\ud800"])
  test(`escapeCase(${JSON.stringify(text)}) is impossible`, () => {
    assert.equal(escapeCase(text), undefined);
  });

for (const text of ["A", "a!", "!A", "!1", "!!a", "é"])
  test(`unescapeCase(${JSON.stringify(text)}) is impossible`, () => {
    assert.equal(unescapeCase(text), undefined);
  });

test("unescapeCase() inverts escapeCase(), and the other way round", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("!", "a", "A", "z", "Z", "/", "\n", "é") }));
  fc.assert(
    fc.property(text, (s) => {
      const escaped = escapeCase(s);
      if (escaped !== undefined) assert.equal(unescapeCase(escaped), s);
      const plain = unescapeCase(s);
      if (plain !== undefined) assert.equal(escapeCase(plain), s);
    }),
    { numRuns: 2000 },
  );
});
