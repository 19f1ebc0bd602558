import assert from "node:assert/strict";
import { test } from "node:test";
import { lowWaterKind } from "./config-low-water.ts";

const good = [
  ["1GiB,5%", { bytes: 2 ** 30, share: 0.05 }],
  ["1GiB", { bytes: 2 ** 30, share: 1 }],
  ["2.5%", { bytes: Infinity, share: 0.025 }],
  ["50%", { bytes: Infinity, share: 0.5 }],
  ["64 MiB", { bytes: 64 * 2 ** 20, share: 1 }],
  ["0", { bytes: 0, share: 1 }],
] as const;

for (const [text, mark] of good)
  test(`${text} is a mark`, () => {
    assert.deepEqual(lowWaterKind.schema.parse(text), mark);
    assert.deepEqual(lowWaterKind.schema.parse(lowWaterKind.format(mark)), mark);
  });

for (const text of ["", ",", "5%,1GiB", "1GiB,", ",5%", "0%", "51%", "100%", "1GiB 5%", "-1", "much", "1GiB,5%,3"])
  test(`${JSON.stringify(text)} is no mark`, () => {
    assert.equal(lowWaterKind.schema.safeParse(text).success, false);
  });
