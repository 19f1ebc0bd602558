import assert from "node:assert/strict";
import { test } from "node:test";
import { playedUpstream } from "../../../test/support/proxy-room.ts";
import type { Upstream } from "./chain.ts";
import { drawOf, orderFor } from "./order.ts";

const none: ReadonlyMap<string, number> = new Map();
const up = (name: string, more: Partial<Upstream> = {}): Upstream => ({ ...playedUpstream(name), ...more });
const modules = Array.from({ length: 5_000 }, (_, n) => `example.com/m${n}`);
const names = (upstreams: readonly Upstream[]): string => upstreams.map(({ name }) => name).join("");

/** Share of modules whose first upstream is this one. */
function firstShare(name: string, upstreams: readonly Upstream[], weights = none): number {
  return modules.filter((module) => orderFor(upstreams, module, weights)[0]?.name === name).length / modules.length;
}

function assertNear(found: number, want: number): void {
  assert.ok(Math.abs(found - want) < 0.03, `${found} is not about ${want}`);
}

test("without weights the configured order stands, level by level", () => {
  const upstreams = [up("a", { priority: 2 }), up("b", { priority: 1 }), up("c", { priority: 2 })];
  for (const module of modules.slice(0, 50)) assert.equal(names(orderFor(upstreams, module, none)), "bac");
  assert.equal(names(orderFor(upstreams, undefined, none)), "bac");
});

test("weights share out the modules of a level; a module's order is always the same", () => {
  const upstreams = [up("a", { weight: 1 }), up("b", { weight: 3 })];
  assertNear(firstShare("b", upstreams), 0.75);
  const module = "example.com/always";
  assert.equal(new Set(Array.from({ length: 20 }, () => names(orderFor(upstreams, module, none)))).size, 1);
});

test("a weight never lifts one over a lower level", () => {
  const upstreams = [up("a", { weight: 1, priority: 1 }), up("b", { weight: 1_000, priority: 2 })];
  assert.equal(firstShare("a", upstreams), 1);
});

test("a region multiplies the weights of its upstreams", () => {
  const upstreams = [up("a", { region: "cn" }), up("b", { region: "global" })];
  assertNear(
    firstShare(
      "a",
      upstreams,
      new Map([
        ["cn", 3],
        ["global", 1],
      ]),
    ),
    0.75,
  );
  const weighted = [up("a", { region: "cn", weight: 1 }), up("b", { region: "global", weight: 3 })];
  assertNear(
    firstShare(
      "a",
      weighted,
      new Map([
        ["cn", 3],
        ["global", 1],
      ]),
    ),
    0.5,
  );
});

test("a canary comes first for its share of modules, and last for all others", () => {
  const upstreams = [up("a"), up("b", { priority: 9 }), up("c", { canary: 0.1 })];
  assertNear(firstShare("c", upstreams), 0.1);
  const others = modules.map((module) => names(orderFor(upstreams, module, none)));
  assert.deepEqual(new Set(others), new Set(["cab", "abc"]));
});

test("draws lie between 0 and 1, and spread evenly", () => {
  const draws = modules.map(drawOf);
  assert.ok(draws.every((draw) => draw > 0 && draw < 1));
  for (let tenth = 0; tenth < 10; tenth++)
    assertNear(draws.filter((draw) => Math.floor(draw * 10) === tenth).length / draws.length, 0.1);
});

test("origins of a level come nearest first, in each other's places; a weight or a level is stronger", () => {
  const places = new Map([
    ["c", 0],
    ["a", 1],
  ]);
  const nearness = { rank: (name: string) => places.get(name) ?? 2 };
  const order = (...upstreams: readonly Upstream[]): string =>
    names(orderFor(upstreams, "example.com/m", none, nearness));
  const origin = (name: string, more: Partial<Upstream> = {}): Upstream => up(name, { isOrigin: true, ...more });
  assert.equal(order(origin("a"), up("p"), origin("b"), origin("c")), "cpab");
  assert.equal(order(origin("a"), origin("c", { priority: 2 }), origin("b")), "abc");
  assert.equal(order(origin("a"), origin("c", { weight: 1 })), "ac", "who has a weight comes after those without");
  assert.equal(order(up("a"), up("c")), "ac", "only origins are measured");
});
