import assert from "node:assert/strict";
import test from "node:test";
import { noneMatch, rangeOf } from "./conditional.ts";

const etag = '"abc"';

const conditions = [
  [undefined, false],
  ['"abc"', true],
  ['W/"abc"', true],
  ['"x", "abc"', true],
  ['"x,abc"', false],
  ["*", true],
  ["abc", false],
  ["", false],
] as const;
for (const [header, want] of conditions)
  test(`If-None-Match ${String(header)} ${want ? "matches" : "does not match"}`, () =>
    assert.equal(noneMatch(header, etag), want));

const ranges = [
  ["bytes=0-0", undefined, { start: 0, end: 0 }],
  ["bytes=2-", undefined, { start: 2, end: 9 }],
  ["bytes=-3", undefined, { start: 7, end: 9 }],
  ["bytes=-30", undefined, { start: 0, end: 9 }],
  ["bytes=5-500", undefined, { start: 5, end: 9 }],
  ["bytes=10-", undefined, "unsatisfiable"],
  ["bytes=-0", undefined, "unsatisfiable"],
  ["bytes=5-4", undefined, "whole"],
  ["bytes=0-1,3-4", undefined, "whole"],
  ["bytes=-", undefined, "whole"],
  ["lines=0-1", undefined, "whole"],
  ["bytes=0-1", etag, { start: 0, end: 1 }],
  ["bytes=0-1", `W/${etag}`, "whole"],
  ["bytes=0-1", "Sat, 21 Nov 2026 00:00:00 GMT", "whole"],
  [undefined, etag, "whole"],
] as const;
for (const [range, ifRange, want] of ranges)
  test(`Range ${String(range)} with If-Range ${String(ifRange)}`, () =>
    assert.deepEqual(rangeOf({ range, ifRange }, etag, 10), want));

test("no range of an empty file can be satisfied", () => {
  assert.equal(rangeOf({ range: "bytes=0-", ifRange: undefined }, etag, 0), "unsatisfiable");
});
