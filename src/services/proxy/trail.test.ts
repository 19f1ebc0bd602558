import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePath } from "#protocol/path.ts";
import { followMs, maxBack, Trail } from "./trail.ts";

const path = (name: string) => parsePath(`m.test/${name}`);

test("a zip follows the last few zips, within the time, and none of long ago", () => {
  const trail = new Trail();
  assert.deepEqual(trail.zip(path("a"), 0), []);
  assert.deepEqual(trail.zip(path("b"), followMs), [path("a")]);
  assert.deepEqual(trail.zip(path("c"), followMs + 1), [path("b")]);
  for (let i = 0; i < 10; i++) trail.zip(path(`x${i}`), followMs + 1);
  assert.deepEqual(
    trail.zip(path("y"), followMs + 1),
    ["x6", "x7", "x8", "x9"].map((name) => path(name)),
  );
  assert.equal(maxBack, 4);
});

test("a zip that is asked for again, in this version or another, follows nothing", () => {
  const trail = new Trail();
  trail.zip(path("a"), 0);
  trail.zip(path("b"), 0);
  assert.equal(trail.zip(path("a"), 0), undefined);
  assert.deepEqual(trail.zip(path("c"), 0), [path("a"), path("b")]);
});

test("a zip follows a listing of its module once, within the time", () => {
  const trail = new Trail();
  assert.equal(trail.wasListed(path("a"), 0), false);
  assert.equal(trail.listed(path("a"), 0), true);
  assert.equal(trail.listed(path("a"), 1), false);
  assert.equal(trail.wasListed(path("b"), 1), false);
  assert.equal(trail.wasListed(path("a"), followMs), true);
  assert.equal(trail.wasListed(path("a"), followMs), false);
  trail.listed(path("a"), followMs);
  assert.equal(trail.wasListed(path("a"), 2 * followMs + 1), false);
});

test("a listing of long ago counts anew", () => {
  const trail = new Trail();
  trail.listed(path("a"), 0);
  assert.equal(trail.listed(path("a"), followMs + 1), true);
  assert.equal(trail.wasListed(path("a"), followMs + 2), true);
});

test("a client's listings are bounded: beyond the bound further ones are not noted", () => {
  const trail = new Trail();
  for (let i = 0; i < 4_096; i++) assert.equal(trail.listed(path(`x${i}`), 0), true);
  assert.equal(trail.listed(path("one-more"), 0), false);
  assert.equal(trail.wasListed(path("one-more"), 0), false);
  trail.wasListed(path("x0"), 0);
  assert.equal(trail.listed(path("one-more"), 0), true);
});
