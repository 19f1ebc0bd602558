import assert from "node:assert/strict";
import { test } from "node:test";

import { foldName } from "./fold.ts";

const same = [
  ["README.md", "readme.MD"],
  ["K.go", "\u212a.go"], // Kelvin sign
  ["s.go", "\u017f.go"], // long s
  ["ß", "\u1e9e"], // sharp s and its capital
  ["\u00b5", "\u03bc"], // micro sign and mu
  ["\u00b5", "\u039c"],
  ["\u03c3", "\u03c2"], // sigma and final sigma
  ["\u01c5", "\u01c4"], // title-case DŽ
  ["\u1f80", "\u1f88"],
  ["\u13a0", "\uab70"], // Cherokee
  ["\u10d0", "\u1c90"], // Georgian
  ["\u{10400}", "\u{10428}"], // Deseret, beyond the first plane
  ["\u0398", "\u03f4"],
  ["\u1fd3", "\u0390"],
  ["\ufb05", "\ufb06"],
] as const;

for (const [a, b] of same) {
  test(`foldName() makes ${a} and ${b} one name`, () => {
    assert.equal(foldName(a), foldName(b));
  });
}

const different = [
  ["\u0131", "i"], // dotless i
  ["\u0130", "i"], // dotted capital I
  ["ß", "ss"],
  ["a", "á"],
  ["\ufb01", "fi"],
  ["a.go", "a_go"],
] as const;

for (const [a, b] of different) {
  test(`foldName() keeps ${a} and ${b} apart`, () => {
    assert.notEqual(foldName(a), foldName(b));
  });
}
