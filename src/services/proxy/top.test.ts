import assert from "node:assert/strict";
import { test } from "node:test";
import { maxTopListed, Top } from "./top.ts";

test("the most asked come first, equals by name", () => {
  const top = new Top();
  for (const what of ["example.com/b@v1.0.0", "example.com/a@v1.0.0", "example.com/c@v2.0.0", "example.com/c@v2.0.0"])
    top.asked(what);
  assert.deepEqual(top.list(2), [
    { module: "example.com/c", version: "v2.0.0", count: 2 },
    { module: "example.com/a", version: "v1.0.0", count: 1 },
  ]);
});

test("a flood of names asked once does not push out what is asked often, and the table stays bounded", () => {
  const top = new Top(100);
  for (let round = 0; round < 50; round++) {
    for (let ask = 0; ask < 100; ask++) top.asked(`example.com/hot${ask % 20}@v1.0.0`);
    for (let cold = 0; cold < 90; cold++) top.asked(`example.com/cold${round}-${cold}@v1.0.0`);
  }
  const listed = top.list(1_000);
  assert.ok(listed.length <= 100);
  const hot = listed.slice(0, 20).map(({ module }) => module);
  assert.equal(new Set(hot.filter((module) => module.startsWith("example.com/hot"))).size, 20, hot.join(" "));
});

test("a count is never too low", () => {
  const top = new Top(10);
  for (let n = 0; n < 200; n++) top.asked(`example.com/m${n % 40}@v1.0.0`);
  for (const { count } of top.list(10)) assert.ok(count >= 5);
});

test("nobody is given more than the longest list", () => {
  const top = new Top();
  for (let n = 0; n < maxTopListed + 10; n++) top.asked(`example.com/m${n}@v1.0.0`);
  assert.equal(top.list(1e9).length, maxTopListed);
});
