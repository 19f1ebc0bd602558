import assert from "node:assert/strict";
import { test } from "node:test";
import { flawsOfGo } from "./go-flaws.ts";

const cases = [
  ["1.19.8", 3, "1.25.13"],
  ["1.24.9", 3, "1.25.13"],
  ["1.25.9", 3, "1.25.13"],
  ["1.25.10", 2, "1.25.13"],
  ["1.25.13", 0, undefined],
  ["1.26.0", 3, "1.26.6"],
  ["1.26rc1", 3, "1.26.6"],
  ["1.26.3", 2, "1.26.6"],
  ["1.26.6", 0, undefined],
  ["1.26.8", 0, undefined],
  ["1.27rc2", 2, "1.27rc3"],
  ["1.27rc3", 0, undefined],
  ["1.27.3", 0, undefined],
  ["1.28.0", 0, undefined],
] as const;
for (const [version, count, release] of cases)
  test(`flawsOfGo(${version})`, () => {
    const flaws = flawsOfGo(version);
    assert.deepEqual([flaws?.ids.length ?? 0, flaws?.release], [count, release]);
  });
