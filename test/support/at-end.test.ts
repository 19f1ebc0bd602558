import assert from "node:assert/strict";
import { test } from "node:test";
import { atEnd } from "./at-end.ts";

/** A test that ends when it is told. */
function endingTest() {
  const hooks: (() => unknown)[] = [];
  return {
    t: { after: (hook?: unknown) => void hooks.push(hook as () => unknown) },
    end: async () => {
      for (const hook of hooks) await hook();
    },
  };
}

test("the last thing taken is put away first, each when the one before is done", async () => {
  const { t, end } = endingTest();
  const told: string[] = [];
  atEnd(t, () => told.push("folder"));
  atEnd(t, async () => {
    await Promise.resolve();
    told.push("server");
  });
  await end();
  assert.deepEqual(told, ["server", "folder"]);
});

test("one that fails leaves none of the others, and is told", async () => {
  const { t, end } = endingTest();
  const told: string[] = [];
  atEnd(t, () => told.push("first"));
  atEnd(t, () => Promise.reject(new Error("no")));
  atEnd(t, () => told.push("last"));
  await assert.rejects(end(), /^Error: no$/);
  assert.deepEqual(told, ["last", "first"]);
});

test("several failures are told together", async () => {
  const { t, end } = endingTest();
  atEnd(t, () => Promise.reject(new Error("one")));
  atEnd(t, () => Promise.reject(new Error("two")));
  await assert.rejects(end(), AggregateError);
});
