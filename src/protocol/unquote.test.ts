import assert from "node:assert/strict";
import { test } from "node:test";

import { isPrint, unquote } from "./unquote.ts";

const literals = [
  ['""', ""],
  ['"a b"', "a b"],
  ['"\\a\\b\\t\\n\\v\\f\\r\\\\\\""', '\x07\b\t\n\v\f\r\\"'],
  ['"\\x41\\101\\u00e9\\U0001f600"', "AAé😀"],
  ['"\\xc3\\xa9"', "é"],
  ["`a\\n\r`", "a\\n"],
] as const;
for (const [literal, want] of literals)
  test(`unquote() reads ${JSON.stringify(literal)}`, () => {
    assert.equal(unquote(literal), want);
  });

const noLiterals = [
  "",
  '"',
  "a",
  "'a'",
  '"a',
  '"a"b"',
  '"a\nb"',
  "`a`b`",
  '"\\',
  '"\\"',
  '"\\q"',
  '"\\\'"',
  '"\\x4"',
  '"\\400"',
  '"\\ud800"',
  '"\\U00110000"',
];
for (const literal of noLiterals)
  test(`unquote() refuses ${JSON.stringify(literal)}`, () => {
    assert.equal(unquote(literal), undefined);
  });

test("isPrint() knows what Go prints", () => {
  assert.deepEqual(["a", " ", "漢", "\u0301", "\u00a0", "\u200b", "\n", "\ufeff"].map(isPrint), [
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
