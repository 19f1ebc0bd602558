import assert from "node:assert/strict";
import test from "node:test";
import { HandClock, settle } from "../../../test/support/hand-clock.ts";
import { PlayedHub } from "../../../test/support/played-hub.ts";
import { KnownAbsences } from "./known-absences.ts";

const ttlMs = 60_000;
const said = { reason: "unknown revision", by: "official" };

function open() {
  const wall = new HandClock();
  const hub = new PlayedHub(wall);
  const [a, b] = ["a", "b"].map((name) => new KnownAbsences({ absences: hub.node(name).absences, clock: wall, ttlMs }));
  assert.ok(a && b);
  return { wall, hub, a, b };
}

test("one node's absence is another's, with its age and what is left of it", async () => {
  const { a, b, wall } = open();
  a.add("example.com/m@v9.0.0", said);
  await wall.pass(20_000);
  assert.deepEqual(await b.find("example.com/m", "example.com/m@v9.0.0"), { ...said, ageMs: 20_000, leftMs: 40_000 });
  await wall.pass(40_000);
  assert.equal(await b.find("example.com/m", "example.com/m@v9.0.0"), undefined);
});

test("forgotten is what was said of a module, of those below it and of those above it; nothing else", async () => {
  const { a, b } = open();
  const paths = ["h.io", "h.io/a", "h.io/a/b", "h.io/a/b/c", "h.io/a/other", "h.io/ab"];
  for (const path of paths) a.add(`${path}@v1.0.0`, said);
  await settle();
  await a.forget("h.io/a/b");
  const believed: string[] = [];
  for (const path of paths) if ((await b.find(path, `${path}@v1.0.0`)) !== undefined) believed.push(path);
  assert.deepEqual(believed, ["h.io/a/other", "h.io/ab"]);
});

test("an answer that was on its way when its module was forgotten is not believed; a later one is", async () => {
  const { a, b, wall } = open();
  await a.forget("example.com/m");
  await wall.pass(30_000);
  b.add("example.com/m", said);
  await settle();
  for (let n = 0; n < 6; n++) {
    assert.equal(await a.find("example.com/m", "example.com/m"), undefined);
    await wall.pass(10_000);
  }
  await wall.pass(ttlMs);
  b.add("example.com/m", said);
  await settle();
  assert.notEqual(await a.find("example.com/m", "example.com/m"), undefined);
});

test("a node whose clock is wrong makes no absence last longer than one of ours, and none older than now", async () => {
  const { a, hub, wall } = open();
  const { absences } = hub.node("c");
  const now = wall.now();
  await absences.add("x.io/m", { ...said, sinceMs: now + 3_600_000, untilMs: now + 7_200_000 });
  assert.deepEqual(await a.find("x.io/m", "x.io/m"), { ...said, ageMs: 0, leftMs: ttlMs });
});

test("without coordination nothing is known, nothing is told, and nothing fails", async () => {
  const { a, hub } = open();
  a.add("x.io/m", said);
  await settle();
  hub.die();
  assert.equal(await a.find("x.io/m", "x.io/m"), undefined);
  a.add("x.io/m", said);
  await a.forget("x.io/m");
  await settle();
});

test("texts are bounded on the way out and on the way in; long keys and deep paths cost no question", async () => {
  const { a, hub, wall } = open();
  const { absences } = hub.node("c");
  const reason = "r".repeat(10_000);
  await absences.add("x.io/m", { reason, by: reason, sinceMs: wall.now(), untilMs: wall.now() + 1_000 });
  const found = await a.find("x.io/m", "x.io/m");
  assert.equal(found?.reason.length, 200);
  assert.equal(found.by.length, 200);
  const calls = hub.calls;
  assert.equal(await a.find("x.io/m", `x.io/m@${"v".repeat(400)}`), undefined);
  a.add(`x.io/m@${"v".repeat(400)}`, said);
  assert.equal(await a.find("a/".repeat(40), "k"), undefined);
  assert.equal(hub.calls, calls);
});

test("what a node with a longer memory told is believed for as long as here: what was forgotten does not come back", async () => {
  const { b, hub, wall } = open();
  const long = new KnownAbsences({ absences: hub.node("c").absences, clock: wall, ttlMs: 10 * ttlMs });
  long.add("x.io/m", said);
  await settle();
  await b.forget("x.io/m");
  await wall.pass(3 * ttlMs);
  assert.equal(await b.find("x.io/m", "x.io/m"), undefined);
});
