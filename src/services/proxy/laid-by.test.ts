import assert from "node:assert/strict";
import { test } from "node:test";
import { idOf } from "../../../test/support/proxy-room.ts";
import { LaidBy } from "./laid-by.ts";

const id = (path: string, version = "v1.0.0") => idOf({ path: `m.test/${path}`, version });
const here = () => true;
const gone = () => false;
const seesAll = { seesAll: true };
const zip = (path: string, version?: string, isExpected = gone) => ({
  ...{ id: id(path, version), bytes: 1000, sinceMs: 0, isExpected },
});

test("what lies here counts until it is asked for, or its client has gone, or it is old", () => {
  const laidBy = new LaidBy();
  const isFull = () => laidBy.isFull(3000);
  for (const each of [zip("a"), zip("b", "v1.0.0", here), zip("c", "v1.0.0", here)]) laidBy.add(each);
  assert.equal(isFull(), true);
  assert.deepEqual([laidBy.claim(id("c")), laidBy.claim(id("c")), laidBy.claim(id("d"))], [true, false, false]);
  assert.deepEqual([isFull(), laidBy.isFull(2000)], [false, true]);
  laidBy.forget(600_000, seesAll);
  assert.deepEqual([laidBy.isFull(2000), laidBy.isFull(1000), laidBy.claim(id("a"))], [false, true, false]);
  laidBy.forget(600_001, seesAll);
  assert.deepEqual([laidBy.isFull(1), laidBy.claim(id("b"))], [false, false]);
});

test("fetched for two clients at a time, a zip counts once", () => {
  const laidBy = new LaidBy();
  laidBy.add(zip("a"));
  laidBy.add(zip("a"));
  assert.deepEqual([laidBy.isFull(1001), laidBy.isFull(1000)], [false, true]);
  laidBy.claim(id("a"));
  assert.equal(laidBy.isFull(1), false);
});

test("however small they are, only so many lie here", () => {
  const laidBy = new LaidBy();
  for (let i = 0; i < 8_192; i++) {
    assert.equal(laidBy.isFull(1), false);
    laidBy.add({ ...zip("a", `v1.0.${i}`), bytes: 0 });
  }
  assert.equal(laidBy.isFull(1), true);
});

const guess = (laidBy: LaidBy, patch: number, how = seesAll): void => {
  laidBy.add(zip("a", `v1.0.${patch}`));
  laidBy.forget(0, how);
};

test("three zips of a module in a row that nobody asked for are in vain, until somebody asks for one", () => {
  const laidBy = new LaidBy();
  for (const patch of [0, 1]) guess(laidBy, patch);
  assert.equal(laidBy.isInVain(id("a").path), false);
  guess(laidBy, 2);
  assert.deepEqual([laidBy.isInVain(id("a").path), laidBy.isInVain(id("b").path)], [true, false]);
  laidBy.claim(id("a", "v1.9.0"));
  for (const patch of [3, 4]) guess(laidBy, patch);
  assert.equal(laidBy.isInVain(id("a").path), false);
});

test("nothing is in vain while others answer some of the requests", () => {
  const laidBy = new LaidBy();
  for (const patch of [0, 1, 2, 3, 4]) guess(laidBy, patch, { seesAll: false });
  assert.equal(laidBy.isInVain(id("a").path), false);
});
