import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatModuleVersion } from "#protocol/version.ts";
import { idOf } from "../../../test/support/proxy-room.ts";
import { Habits, maxFollowers, maxHabitBytes, stepOf } from "./habits.ts";

const id = (path: string, version = "v1.0.0") => idOf({ path: `m.test/${path}`, version });
const step = (path: string) => stepOf("zip", id(path).path);

/** One client that asks for a's zip, and then for those of others: `b`, or `b v1.1.0`. */
function client(habits: Habits, first: string, ...then: readonly string[]): void {
  habits.taken(step(first));
  for (const each of then) habits.followed(step(first), id(...(each.split(" ") as [string, string?])));
}
function taught(...clients: readonly (readonly [times: number, first: string, ...then: string[]])[]): Habits {
  const habits = new Habits();
  for (const [times, ...asked] of clients) for (let i = 0; i < times; i++) client(habits, ...asked);
  return habits;
}
const after = (habits: Habits, path: string): string[] =>
  habits.after(step(path)).map((each) => formatModuleVersion(each).replace("m.test/", ""));

test("eight clients, four fifths of whom went on alike, say what follows", () => {
  const habits = taught([7, "a", "b"]);
  assert.deepEqual(after(habits, "a"), []);
  client(habits, "a", "b");
  assert.deepEqual(after(habits, "a"), ["b@v1.0.0"]);
  assert.deepEqual(after(taught([8, "a", "b"], [2, "a"]), "a"), ["b@v1.0.0"]);
  assert.deepEqual(after(taught([8, "a", "b"], [3, "a"]), "a"), []);
});

test("the highest version that was taken is told, whichever came last", () => {
  assert.deepEqual(after(taught([8, "a", "b v1.1.0"], [1, "a", "b v1.10.0"], [1, "a", "b v1.2.0"]), "a"), [
    "b@v1.10.0",
  ]);
});

test("a listing and a zip of one module are different steps", () => {
  const habits = taught([8, "a", "b"]);
  assert.deepEqual(habits.after(stepOf("listing", id("a").path)), []);
});

test("what clients do now overcomes what they did", () => {
  const habits = taught([1000, "a", "b"], [200, "a", "c"]);
  assert.deepEqual(after(habits, "a"), ["c@v1.0.0"]);
});

test("a regular follower survives any number of passers-by", () => {
  const habits = new Habits();
  for (let i = 0; i < 500; i++) client(habits, "a", `x${i}`, "b", `y${i}`);
  assert.deepEqual(after(habits, "a"), ["b@v1.0.0"]);
});

test("what follows a step that nobody took, or that was pushed out, is not noted", () => {
  const habits = new Habits();
  for (let i = 0; i < 20; i++) habits.followed(step("a"), id("b"));
  assert.deepEqual([after(habits, "a"), habits.bytes], [[], 0]);
});

const path = fc.integer({ min: 0, max: 30 }).map((n) => `${"p".repeat(n * 3 + 1)}${n}`);
const asked = fc.tuple(path, fc.uniqueArray(path, { maxLength: 8 }));

test("whatever it learns, the table keeps to its limit and says no more than was seen", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000 }), fc.array(asked, { maxLength: 300 }), (limit, clients) => {
      const habits = new Habits(limit);
      const times = new Map<string, number>();
      const count = (name: string): void => void times.set(name, (times.get(name) ?? 0) + 1);
      for (const [first, then] of clients) {
        client(habits, first, ...then);
        for (const each of ["", ...then]) count(`${first} ${each}`);
        assert.ok(habits.bytes <= limit, `${habits.bytes} of ${limit}`);
      }
      for (const [first] of clients) {
        const following = after(habits, first);
        assert.ok(following.length <= maxFollowers);
        if ((times.get(`${first} `) ?? 0) < 8) assert.deepEqual(following, []);
        for (const each of following) assert.ok((times.get(`${first} ${each.split("@")[0] ?? ""}`) ?? 0) >= 7);
      }
    }),
    { numRuns: 200 },
  );
});

test("a flood of names takes no more memory than the limit, and the newest stay", () => {
  const habits = new Habits();
  for (let i = 0; i < 30_000; i++) client(habits, `flood${i}`, `a${i}`, `b${i}`);
  for (let i = 0; i < 8; i++) client(habits, "a", "b");
  assert.ok(habits.bytes <= maxHabitBytes);
  assert.ok(habits.bytes > maxHabitBytes / 2);
  assert.deepEqual(after(habits, "a"), ["b@v1.0.0"]);
});
