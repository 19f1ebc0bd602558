import assert from "node:assert/strict";
import { test } from "node:test";
import { RetryBudget } from "./budget.ts";

function stage() {
  const clock = { ms: 1_000_000, now: () => clock.ms };
  const state = { open: false };
  const budget = new RetryBudget({ clock, anyOpen: () => state.open });
  const ask = (count: number): void => {
    for (let n = 0; n < count; n++) budget.asked();
  };
  /** How many retries in a row are allowed, up to `most`. */
  const allowed = (most: number): number => {
    let n = 0;
    while (n < most && budget.mayRetry()) n++;
    return n;
  };
  return { clock, state, ask, allowed };
}

test("while every breaker is closed nobody counts", () => {
  const { ask, allowed } = stage();
  ask(10);
  assert.equal(allowed(1_000), 1_000);
});

test("while one is open a tenth of all requests may be retries", () => {
  const { state, ask, allowed } = stage();
  state.open = true;
  ask(9_000);
  // Retries are requests too: 1,000 of 10,000 in all.
  assert.equal(allowed(5_000), 1_000);
});

test("fifty are always allowed, and anew when ten seconds have passed", () => {
  const { clock, state, ask, allowed } = stage();
  state.open = true;
  ask(20);
  assert.equal(allowed(100), 50);
  clock.ms += 5_000;
  assert.equal(allowed(100), 0);
  clock.ms += 6_000;
  assert.equal(allowed(100), 50);
});

test("retries of a calm time count when a breaker opens", () => {
  const { state, allowed } = stage();
  allowed(60);
  state.open = true;
  assert.equal(allowed(10), 0);
});
