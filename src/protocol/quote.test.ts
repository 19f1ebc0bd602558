import assert from "node:assert/strict";
import { test } from "node:test";
import { quote, quoteChar } from "./quote.ts";

const texts = [
  ["a", '"a"'],
  ['a"\\', '"a\\"\\\\"'],
  ["\n\t\v\x07\x1b\x7f", '"\\n\\t\\v\\a\\x1b\\x7f"'],
  ["é漢\u2028\u0085", '"é漢\\u2028\\u0085"'],
] as const;
for (const [text, want] of texts)
  test(`quote() prints ${want}`, () => {
    assert.equal(quote(text), want);
  });

test("quoteChar() prints a rune", () => {
  assert.deepEqual(["a", "'", '"', "\\", "\n"].map(quoteChar), ["'a'", "'\\''", "'\"'", "'\\\\'", "'\\n'"]);
});
