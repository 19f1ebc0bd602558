import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Nearness } from "./nearness.ts";

const orderOf = (nearness: Nearness, ...names: string[]): string =>
  [...names].sort((a, b) => nearness.rank(a) - nearness.rank(b)).join("");

test("the nearest comes first, who was not measured last", () => {
  const nearness = new Nearness();
  assert.equal(orderOf(nearness, "a", "b", "c"), "abc");
  nearness.measured("b", 20);
  nearness.measured("c", 5);
  assert.equal(orderOf(nearness, "a", "b", "c"), "cba");
  nearness.measured("a", 1);
  assert.equal(orderOf(nearness, "a", "b", "c"), "acb");
});

test("one slow probe says nothing, and two that are alike do not take turns", () => {
  const nearness = new Nearness();
  nearness.measured("a", 10);
  nearness.measured("b", 30);
  nearness.measured("a", 900);
  assert.equal(orderOf(nearness, "a", "b"), "ab");
  nearness.measured("b", 9);
  assert.equal(orderOf(nearness, "a", "b"), "ab", "9 ms is not clearly nearer than 10 ms");
  nearness.measured("b", 7);
  assert.equal(orderOf(nearness, "a", "b"), "ba");
});

test("an origin that has become far loses its place once eight probes agree", () => {
  const nearness = new Nearness();
  nearness.measured("a", 1);
  nearness.measured("b", 5);
  for (let n = 0; n < 7; n++) nearness.measured("a", 50);
  assert.equal(orderOf(nearness, "a", "b"), "ab");
  nearness.measured("a", 50);
  assert.equal(orderOf(nearness, "a", "b"), "ba");
});

test("whatever was measured, nobody stands before one that is clearly nearer", () => {
  const probe = fc.record({
    name: fc.constantFrom("a", "b", "c", "d"),
    ms: fc.double({ min: 0.1, max: 1e4, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(probe, { maxLength: 60 }), (probes) => {
      const nearness = new Nearness();
      for (const { name, ms } of probes) nearness.measured(name, ms);
      const order = ["a", "b", "c", "d"].filter((name) => nearness.of(name) !== undefined);
      order.sort((x, y) => nearness.rank(x) - nearness.rank(y));
      assert.equal(new Set(order.map((name) => nearness.rank(name))).size, order.length);
      for (let at = 1; at < order.length; at++)
        assert.ok((nearness.of(order[at] ?? "") ?? 0) >= 0.8 * (nearness.of(order[at - 1] ?? "") ?? 0));
    }),
  );
});
