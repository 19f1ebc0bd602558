import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLifetime } from "./lifetime.ts";

const cases = [
  ["public, max-age=300, stale-while-revalidate=86400", undefined, { freshMs: 300_000, staleMs: 86_400_000 }],
  ["public, max-age=300, stale-while-revalidate=86400", "100", { freshMs: 200_000, staleMs: 86_400_000 }],
  ["public, max-age=300, stale-while-revalidate=86400", "400", { freshMs: 0, staleMs: 86_300_000 }],
  ["MAX-AGE=60", undefined, { freshMs: 60_000, staleMs: 0 }],
  ['max-age="60"', "-1", { freshMs: 60_000, staleMs: 0 }],
  ["s-maxage=5, max-age=99999999999999999999", undefined, { freshMs: 365 * 86_400_000, staleMs: 0 }],
  ["private, no-store", undefined, undefined],
  ["max-age=abc", undefined, undefined],
  ["", undefined, undefined],
] as const;
for (const [cacheControl, age, want] of cases)
  test(`parseLifetime(${cacheControl}${age === undefined ? "" : `; Age: ${age}`})`, () => {
    assert.deepEqual(parseLifetime({ "cache-control": cacheControl, ...(age !== undefined && { age }) }), want);
  });
