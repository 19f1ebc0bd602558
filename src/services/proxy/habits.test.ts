import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { idOf } from "../../../test/support/proxy-room.ts";
import { Habits, maxHabitBytes } from "./habits.ts";
import type { Lesson } from "./trail.ts";
import { maxFollowers, nameOf } from "./trail.ts";

const id = (path: string, version = "v1.0.0") => idOf({ path: `m.test/${path}`, version });
const zip = (path: string, version?: string) => ({ step: "zip" as const, id: id(path, version) });
const before = (step: "zip" | "mod", path: string) => nameOf(step, `m.test/${path}`);
const afterZip = (path: string, ...after: string[]): Lesson => ({
  before: before("zip", path),
  after: after.map((each) => zip(each)),
});
const wanted = (path: string, version?: string): Lesson => ({
  before: before("mod", path),
  after: [zip(path, version)],
});
const unwanted = (path: string, version?: string): Lesson => ({
  before: before("mod", path),
  after: [],
  silentAbout: zip(path, version),
});

function taught(...lessons: readonly (readonly [number, Lesson])[]): Habits {
  const habits = new Habits();
  for (const [times, lesson] of lessons) for (let i = 0; i < times; i++) habits.learn(lesson);
  return habits;
}
const expected = (habits: Habits, path: string): string[] =>
  habits.after(before("zip", path)).map((each) => `${each.id.path.replace("m.test/", "")} ${String(each.steady)}`);

test("eight clients, four fifths of whom went on alike, say what follows", () => {
  const seven = taught([7, afterZip("a", "b")]);
  assert.deepEqual(expected(seven, "a"), []);
  seven.learn(afterZip("a", "b"));
  assert.deepEqual(expected(seven, "a"), ["b true"]);
  assert.deepEqual(expected(taught([8, afterZip("a", "b")], [2, afterZip("a")]), "a"), ["b true"]);
  assert.deepEqual(expected(taught([8, afterZip("a", "b")], [3, afterZip("a")]), "a"), []);
});

test("only eight in a row that took the same version make it the next one's", () => {
  const newer = { ...afterZip("a"), after: [zip("b", "v1.1.0")] };
  assert.deepEqual(expected(taught([8, afterZip("a", "b")], [1, newer]), "a"), ["b false"]);
  const habits = taught([8, afterZip("a", "b")], [8, newer]);
  assert.deepEqual(habits.after(before("zip", "a")), [{ ...zip("b", "v1.1.0"), steady: true }]);
});

test("a zip is hardly wanted below a tenth, seldom below a half, and as usual without evidence", () => {
  const rows = [
    [7, 0, "usual"],
    [8, 0, "hardly"],
    [11, 1, "hardly"],
    [9, 1, "seldom"],
    [5, 4, "seldom"],
    [4, 4, "usual"],
  ] as const;
  for (const [silent, asked, wish] of rows) {
    // Asked for in another version: nobody was given the one that the others are silent about.
    const habits = taught([asked, wanted("a", "v1.0.1")], [silent, unwanted("a")]);
    assert.equal(habits.wish("m.test/a"), wish, `${silent} silent, ${asked} asked`);
  }
});

test("silence about a version that somebody was given is no evidence: it may lie ready-made", () => {
  const habits = taught([1, wanted("a")], [50, unwanted("a")]);
  assert.equal(habits.wish("m.test/a"), "usual");
  for (let i = 0; i < 20; i++) habits.learn(unwanted("a", "v1.0.1"));
  assert.equal(habits.wish("m.test/a"), "hardly");
});

test("what clients do now overcomes what they did", () => {
  const habits = taught([1000, unwanted("a")], [1000, afterZip("a", "b")]);
  for (let i = 0; i < 64; i++) habits.learn(wanted("a", `v1.0.${i}`));
  for (let i = 0; i < 64; i++) habits.learn(afterZip("a", "c"));
  assert.equal(habits.wish("m.test/a"), "usual");
  for (let i = 0; i < 128; i++) habits.learn(afterZip("a", "c"));
  assert.deepEqual(expected(habits, "a"), ["c true"]);
});

test("a regular follower survives any number of passers-by", () => {
  const habits = new Habits();
  for (let i = 0; i < 500; i++) habits.learn(afterZip("a", "b", `x${i}`, `y${i}`));
  assert.deepEqual(expected(habits, "a"), ["b true"]);
});

const path = fc.integer({ min: 0, max: 30 }).map((n) => `${"p".repeat(n * 3 + 1)}${n}`);
const lesson = fc.oneof(
  fc.tuple(path, fc.array(path, { maxLength: 20 })).map(([a, rest]) => afterZip(a, ...new Set(rest))),
  fc.tuple(path, fc.nat(3)).map(([a, n]) => wanted(a, `v1.0.${n}`)),
  fc.tuple(path, fc.nat(3)).map(([a, n]) => unwanted(a, `v1.0.${n}`)),
);

test("whatever it learns, the table keeps to its limit and says no more than was seen", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000 }), fc.array(lesson, { maxLength: 300 }), (limit, lessons) => {
      const habits = new Habits(limit);
      const clients = new Map<string, number>();
      const pairs = new Map<string, number>();
      for (const each of lessons) {
        habits.learn(each);
        assert.ok(habits.bytes <= limit, `${habits.bytes} of ${limit}`);
        clients.set(each.before, (clients.get(each.before) ?? 0) + 1);
        for (const { id: follower } of each.after.slice(0, maxFollowers)) {
          const pair = `${each.before} ${follower.path}`;
          pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
        }
      }
      for (const [name, n] of clients) {
        const following = habits.after(name);
        assert.ok(following.length <= maxFollowers);
        if (n < 8) assert.deepEqual(following, []);
        // Counts start anew when an entry was pushed out, so what is said needs at least eight clients' word.
        for (const each of following) assert.ok((pairs.get(`${name} ${each.id.path}`) ?? 0) >= 6);
      }
    }),
    { numRuns: 200 },
  );
});

test("a flood of names does not take more memory than one limit", () => {
  const habits = new Habits();
  for (let i = 0; i < 30_000; i++) habits.learn(afterZip(`flood${i}`, `a${i}`, `b${i}`));
  assert.ok(habits.bytes <= maxHabitBytes);
  assert.ok(habits.bytes > maxHabitBytes / 2);
});
