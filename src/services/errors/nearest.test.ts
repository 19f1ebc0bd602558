import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { nearest } from "./nearest.ts";

suite("nearest()", () => {
  const words = ["listen", "store", "upstream", "log.level"];
  const cases = [
    ["lisen", "listen"],
    ["lsiten", "listen"],
    ["Upstreem", "upstream"],
    ["log.levle", "log.level"],
    ["entirely-else", undefined],
    ["x".repeat(10_000), undefined],
  ] as const;
  for (const [word, want] of cases)
    test(`${word.slice(0, 20)} means ${want ?? "nothing"}`, () => assert.equal(nearest(word, words), want));
});
