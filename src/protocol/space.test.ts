import assert from "node:assert/strict";
import { test } from "node:test";
import { fields, trimSpace } from "./space.ts";

test("white space is Go's, not JavaScript's", () => {
  assert.equal(trimSpace("\u0085\u00a0\t a b\r\n\u3000"), "a b");
  assert.equal(trimSpace("\ufeffa"), "\ufeffa");
  assert.equal(trimSpace(" \n"), "");
  assert.deepEqual(fields(" a\u0085b\u2028 c\t"), ["a", "b", "c"]);
  assert.deepEqual(fields("\ufeff"), ["\ufeff"]);
  assert.deepEqual(fields(" "), []);
});
