import assert from "node:assert/strict";
import { test } from "node:test";
import { idOf } from "../../../test/support/proxy-room.ts";
import { followMs, maxFollowers, maxSteps, Trail } from "./trail.ts";
import type { Lesson, Step } from "./trail.ts";

const id = (path: string, version = "v1.0.0") => idOf({ path: `m.test/${path}`, version });
const told = ({ before, after, silentAbout }: Lesson): string =>
  `${before} -> ${after.map(({ step, id: { path, version } }) => `${step} ${path}@${version}`).join(", ")}${
    silentAbout === undefined ? "" : `not ${silentAbout.step} ${silentAbout.id.path}@${silentAbout.id.version}`
  }`.replaceAll("m.test/", "");

type Asked = readonly [Step, string, string?, number?];
function lessons(steps: readonly Asked[], how: { selected?: string; seesAll?: boolean } = {}): string[] {
  const trail = new Trail();
  for (const [step, path, version, atMs = 0] of steps) trail.add(step, id(path, version), atMs);
  const { selected, seesAll = true } = how;
  return trail.lessons({ selected: () => selected, seesAll }).map(told);
}

const cases: readonly {
  about: string;
  steps: readonly Asked[];
  selected?: string;
  seesAll?: boolean;
  taught: string[];
}[] = [
  {
    about: "zips follow one another within the time",
    steps: [
      ["zip", "a"],
      ["zip", "b", "v1.2.0", followMs],
      ["zip", "c", "v1.0.0", followMs + 1],
    ],
    taught: ["zip a -> zip b@v1.2.0", "zip b -> zip c@v1.0.0", "zip c -> "],
  },
  {
    about: "a go.mod is followed by its zip, however late, or by silence about it",
    steps: [
      ["mod", "a"],
      ["mod", "b", "v1.1.0"],
      ["zip", "a", "v1.0.0", 10 * followMs],
    ],
    taught: ["zip a -> ", "mod a -> zip a@v1.0.0", "mod b -> not zip b@v1.1.0"],
  },
  {
    about: "of several go.mod files of a path the highest counts",
    steps: [
      ["mod", "a", "v1.1.0"],
      ["mod", "a", "v1.3.0"],
      ["mod", "a", "v1.2.0"],
      ["zip", "z"],
    ],
    taught: ["zip z -> ", "mod a -> not zip a@v1.3.0"],
  },
  {
    about: "silence says nothing when the selected version's go.mod was not asked for here",
    steps: [
      ["mod", "a", "v1.1.0"],
      ["zip", "z"],
    ],
    selected: "v1.2.0",
    taught: ["zip z -> "],
  },
  {
    about: "nor when others answer some requests",
    steps: [
      ["mod", "a"],
      ["zip", "z"],
    ],
    seesAll: false,
    taught: ["zip z -> "],
  },
  { about: "who asks for no zip at all says nothing about zips", steps: [["mod", "a"]], taught: [] },
  {
    about: "a listing is followed by what was asked of the same path after it",
    steps: [
      ["listing", "a"],
      ["info", "a", "v1.5.0"],
      ["zip", "a", "v1.5.0"],
      ["zip", "b"],
    ],
    taught: ["zip a -> zip b@v1.0.0", "zip b -> ", "listing a -> info a@v1.5.0, zip a@v1.5.0"],
  },
  {
    about: ".info without a listing, and a listing after the zip, teach nothing",
    steps: [
      ["info", "a"],
      ["zip", "b"],
      ["listing", "b", "v1.0.0", 1],
    ],
    taught: ["zip b -> ", "listing b -> "],
  },
];

for (const { about, steps, taught, ...how } of cases) test(about, () => assert.deepEqual(lessons(steps, how), taught));

test("a step counts once, where it was first, and only so many follow", () => {
  const zips: Asked[] = Array.from({ length: 12 }, (_, i) => ["zip", `x${i}`]);
  const [first = "", ...rest] = lessons([...zips, ["zip", "x0"]]);
  assert.equal(first.split(",").length, maxFollowers);
  assert.equal(rest.length, 11);
});

test("a trail is bounded", () => {
  const trail = new Trail();
  for (let i = 0; i < maxSteps + 100; i++) trail.add("mod", id(`x${i}`), 0);
  assert.equal(trail.size, maxSteps);
});
