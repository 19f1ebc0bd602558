import assert from "node:assert/strict";
import { test } from "node:test";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { KeptMod, KeptZip } from "#services/store/module-store.ts";
import { settle } from "../../../test/support/hand-clock.ts";
import { idOf, StandingClock } from "../../../test/support/proxy-room.ts";
import { Ahead } from "./ahead.ts";
import type { AheadLimits } from "./ahead.ts";
import { privacyOf } from "./privacy.ts";

type World = {
  /** `a v1.0.0`: its `go` line and what it requires. */
  readonly mods?: Readonly<Record<string, { readonly go: string; readonly requires?: readonly string[] }>>;
  readonly limits?: Partial<AheadLimits>;
  readonly private?: string;
  /** Private patterns that change while it runs. */
  readonly patterns?: { now: string };
  readonly distanceMs?: number;
  readonly zipBytes?: number;
  /** Names that cannot be fetched. */
  readonly broken?: readonly string[];
  /** Fetches wait until a test lets them go on. */
  readonly held?: boolean;
  readonly seesAll?: boolean;
};

const version = (text: string): ModuleVersion => {
  const [path = "", number = ""] = text.split(" ");
  return idOf({ path: path.includes(".") ? path : `m.test/${path}`, version: number });
};
const nameOf = (id: ModuleVersion): string => formatModuleVersion(id).replace("m.test/", "").replace("@", " ");

const patternsOf = (world: World): string => world.patterns?.now ?? world.private ?? "";

function open(world: World = {}) {
  const clock = new StandingClock();
  const fetched: string[] = [];
  const met: string[] = [];
  const waiting: (() => void)[] = [];
  const kept = { mod: new Map<string, KeptMod>(), zip: new Map<string, KeptZip>() };
  const limits = { isOn: true, mods: 32, zips: 8, bytes: 1 << 30, ...world.limits };
  const running = { mod: 0, zip: 0, most: { mod: 0, zip: 0 } };
  const stop = new AbortController();

  const modOf = (id: ModuleVersion): KeptMod => {
    const { go, requires = [] } = world.mods?.[nameOf(id)] ?? { go: "1.21" };
    const lines = requires.map((each) => `require ${version(each).path} ${version(each).version}\n`);
    return { id, mod: Buffer.from(`module ${id.path}\n\ngo ${go}\n${lines.join("")}`) } as unknown as KeptMod;
  };
  const fetch = async (kind: "mod" | "zip", id: ModuleVersion): Promise<void> => {
    fetched.push(`${nameOf(id)}.${kind}`);
    running[kind]++;
    running.most[kind] = Math.max(running.most[kind], running[kind]);
    if (world.held === true) await new Promise<void>((resolve) => waiting.push(resolve));
    else await Promise.resolve();
    running[kind]--;
    if (world.broken?.includes(nameOf(id)) === true) throw new Error("cannot be had");
  };
  const provenance = { upstream: "-", here: "MISS" } as const;
  const ahead = new Ahead({
    jobs: {
      fetchMod: async (id, asking) => {
        assert.deepEqual([asking.ahead, asking.hops], [true, ""]);
        await fetch("mod", id);
        const mod = modOf(id);
        kept.mod.set(nameOf(id), mod);
        return { kept: mod, provenance };
      },
      fetchZip: async (id, asking) => {
        assert.equal(asking.ahead, true);
        await fetch("zip", id);
        const zip = { id, manifest: { zip: { size: world.zipBytes ?? 1000 } } } as unknown as KeptZip;
        kept.zip.set(nameOf(id), zip);
        return { kept: zip, provenance };
      },
    },
    store: {
      findMod: (id) => Promise.resolve(kept.mod.get(nameOf(id))),
      findZip: (id) => Promise.resolve(kept.zip.get(nameOf(id))),
    },
    privacy: {
      patterns: "",
      isPrivate: (path) => privacyOf(patternsOf(world)).isPrivate(path),
      mustNotTravel: (path) => privacyOf(patternsOf(world)).mustNotTravel(path),
    },
    clock,
    meter: { ahead: (kind, what) => void met.push(`${kind} ${what}`) },
    limits: () => limits,
    distanceMs: () => world.distanceMs,
    seesAll: () => world.seesAll !== false,
    stop: stop.signal,
  });
  let caller = "192.0.2.1";
  let clients = 0;
  return {
    ...{ ahead, clock, fetched, met, kept, limits, running, stop, waiting },
    /** The client asks for go.mod files and gets them. */
    mods: async (...list: string[]): Promise<void> => {
      for (const each of list) {
        ahead.asked("mod", version(each), caller);
        ahead.answered(modOf(version(each)), caller);
      }
      await settle();
    },
    asks: async (kind: "info" | "zip", ...list: string[]): Promise<void> => {
      for (const each of list) ahead.asked(kind, version(each), caller);
      await settle();
    },
    /** The client asks for a list whose newest version this is. */
    listed: async (newest: string): Promise<void> => {
      const { path, version: last } = version(newest);
      ahead.listed({ kind: "list", path, bytes: Buffer.from(`v0.1.0\n${last}\n`) }, caller);
      await settle();
    },
    /** Everybody so far has gone, and somebody else comes. What is kept is forgotten, so that all can be seen again. */
    nextClient: (): void => {
      clock.pass(60_001);
      caller = `198.51.100.${clients++}`;
      for (const files of Object.values(kept)) files.clear();
      fetched.length = 0;
    },
    /** Lets everything that waits go on until nothing waits. */
    release: async (): Promise<void> => {
      for (let i = 0; i < 1000 && waiting.length > 0; i++) {
        for (const go of waiting.splice(0)) go();
        await settle();
      }
    },
  };
}

const old = { go: "1.16" };

test("an old module's requirements are fetched ahead, however deep, each once, round a cycle too", async () => {
  const world = open({
    mods: {
      "a v1.0.0": { ...old, requires: ["b v1.0.0", "c v1.0.0"] },
      "b v1.0.0": { ...old, requires: ["d v1.0.0"] },
      "c v1.0.0": { ...old, requires: ["d v1.0.0", "a v1.0.0"] },
      "d v1.0.0": { ...old, requires: ["b v1.0.0", "d v1.0.0", "a v1.0.0"] },
    },
  });
  await world.mods("a v1.0.0");
  assert.deepEqual([...new Set(world.fetched)].sort(), [
    "a v1.0.0.mod",
    "b v1.0.0.mod",
    "c v1.0.0.mod",
    "d v1.0.0.mod",
  ]);
  assert.equal(world.fetched.length, 4);
  assert.equal(world.ahead.size, 0);
});

test("a pruned module's requirements are guesses: two must agree, one is enough when the upstream is far", async () => {
  const mods = {
    "a v1.0.0": { go: "1.21", requires: ["x v1.0.0", "y v1.0.0"] },
    "b v1.0.0": { go: "1.21", requires: ["x v1.0.0"] },
  };
  const near = open({ mods, distanceMs: 40 });
  await near.mods("a v1.0.0");
  assert.deepEqual(near.fetched, []);
  await near.mods("b v1.0.0");
  assert.deepEqual(near.fetched, ["x v1.0.0.mod"]);
  const far = open({ mods, distanceMs: 41 });
  await far.mods("a v1.0.0");
  assert.deepEqual(far.fetched, ["x v1.0.0.mod", "y v1.0.0.mod"]);
});

test("what a wrong guess requires is not followed, unless the client asks for it after all", async () => {
  const mods = {
    "a v1.0.0": { go: "1.21", requires: ["x v1.0.0"] },
    "x v1.0.0": { ...old, requires: ["deep v1.0.0"] },
  };
  const world = open({ mods, distanceMs: 100 });
  await world.mods("a v1.0.0");
  assert.deepEqual(world.fetched, ["x v1.0.0.mod"]);
  await world.mods("x v1.0.0");
  assert.deepEqual(world.fetched, ["x v1.0.0.mod", "deep v1.0.0.mod"]);
});

test("`go mod download`: after the first zip the others come ahead, in the order of their .info, and none else", async () => {
  const world = open();
  await world.mods("a v1.0.0", "b v1.0.0", "c v1.0.0", "never v1.0.0");
  await world.asks("info", "b v1.0.0", "a v1.0.0", "c v1.0.0");
  assert.deepEqual(world.fetched, []);
  await world.asks("zip", "b v1.0.0");
  assert.deepEqual(world.fetched, ["a v1.0.0.zip", "c v1.0.0.zip"]);
  await world.asks("info", "d v1.0.0");
  assert.deepEqual(world.fetched.slice(2), ["d v1.0.0.zip"]);
  await world.asks("zip", "a v1.0.0", "c v1.0.0", "d v1.0.0");
  assert.deepEqual(world.met.filter((line) => line === "zip used").length, 3);
});

test("`go build` and `go list -m all` get no zip ahead", async () => {
  const build = open();
  await build.mods("a v1.0.0", "b v1.0.0");
  await build.asks("zip", "a v1.0.0", "b v1.0.0");
  assert.deepEqual(build.fetched, []);
  const list = open({ mods: { "a v1.0.0": { go: "1.21", requires: ["x v1.0.0", "y v1.0.0"] } } });
  await list.mods("a v1.0.0");
  await list.asks("info", "a v1.0.0", "x v1.0.0");
  assert.deepEqual(list.fetched, ["x v1.0.0.mod", "y v1.0.0.mod"]);
});

test("another client's requests say nothing about this one's", async () => {
  const world = open();
  for (const each of ["a v1.0.0", "b v1.0.0"]) world.ahead.asked("info", version(each), "192.0.2.9");
  await world.asks("zip", "a v1.0.0");
  assert.deepEqual(world.fetched, []);
});

test("private names, their ancestors and toolchains are never fetched ahead, and their files tell nothing", async () => {
  const world = open({
    private: "corp.test/team/*",
    distanceMs: 100,
    mods: {
      "a v1.0.0": {
        ...old,
        requires: [
          "corp.test/team/x v1.0.0",
          "corp.test/team v1.0.0",
          "golang.org/toolchain v0.0.1-go1.22.0",
          "b v1.0.0",
        ],
      },
      "corp.test/team/y v1.0.0": { ...old, requires: ["secret v1.0.0"] },
    },
  });
  await world.mods("a v1.0.0", "corp.test/team/y v1.0.0");
  assert.deepEqual(world.fetched, ["b v1.0.0.mod"]);
  const hidden = ["corp.test/team/x v1.0.0", "corp.test/team/y v1.0.0", "golang.org/toolchain v0.0.1-go1.22.0"];
  await world.asks("info", "c v1.0.0", ...hidden);
  await world.asks("zip", "c v1.0.0", ...hidden);
  assert.deepEqual(world.fetched, ["b v1.0.0.mod"]);
});

const many = Array.from({ length: 20 }, (_, i) => `x${i} v1.0.0`);

test("so many go.mod files and zips are fetched at a time, and the rest in their turn", async () => {
  const world = open({ held: true, limits: { mods: 3, zips: 2 }, mods: { "a v1.0.0": { ...old, requires: many } } });
  await world.mods("a v1.0.0");
  await world.asks("info", ...many);
  await world.asks("zip", many[0] ?? "");
  assert.deepEqual([world.running.mod, world.running.zip], [3, 2]);
  await world.release();
  assert.deepEqual(world.running.most, { mod: 3, zip: 2 });
  assert.deepEqual([world.fetched.length, world.ahead.size], [20 + 19, 0]);
});

test("zips that nobody has asked for yet stop further ones at the limit, until some are asked for", async () => {
  const world = open({ limits: { zips: 1, bytes: 3000 }, zipBytes: 1000 });
  await world.asks("info", ...many);
  await world.asks("zip", many[0] ?? "");
  assert.equal(world.fetched.length, 3);
  await world.asks("zip", many[1] ?? "", many[2] ?? "");
  assert.equal(world.fetched.length, 5);
});

test("what lies fetched for a client that has gone does not stop those that come later", async () => {
  const world = open({ limits: { zips: 1, bytes: 3000 }, zipBytes: 1000 });
  await world.asks("info", ...many);
  await world.asks("zip", many[0] ?? "");
  world.clock.pass(60_001);
  world.fetched.length = 0;
  await world.asks("info", "p v1.0.0", "q v1.0.0");
  await world.asks("zip", "p v1.0.0");
  assert.deepEqual(world.fetched, ["q v1.0.0.zip"]);
});

test("nor does a wrong guess of a client that never rests, for ever", async () => {
  const world = open({ limits: { zips: 1, bytes: 3000 }, zipBytes: 1000 });
  await world.asks("info", ...many.slice(0, 4));
  await world.asks("zip", many[0] ?? "");
  assert.equal(world.fetched.length, 3);
  for (let minute = 0; minute < 11; minute++) {
    world.clock.pass(59_000);
    await world.asks("info", "other v1.0.0");
  }
  world.fetched.length = 0;
  await world.asks("info", "p v1.0.0");
  await world.asks("info", "p v1.0.1");
  assert.deepEqual(world.fetched, ["p v1.0.0.zip", "p v1.0.1.zip"]);
});

test("a client that has said nothing for a minute wants nothing any more, and begins anew", async () => {
  const world = open({ held: true, limits: { mods: 1 }, mods: { "a v1.0.0": { ...old, requires: many } } });
  await world.mods("a v1.0.0");
  assert.deepEqual(world.fetched, ["x0 v1.0.0.mod"]);
  world.clock.pass(60_001);
  await world.release();
  assert.equal(world.fetched.length, 1);
  await world.asks("info", "p v1.0.0");
  world.clock.pass(60_001);
  await world.asks("zip", "p v1.0.0");
  await world.asks("info", "q v1.0.0");
  await world.release();
  assert.equal(world.fetched.length, 1);
});

test("what cannot be had is counted, harms nothing and holds up nobody", async () => {
  const requires = ["b v1.0.0", "c v1.0.0", "d v1.0.0"];
  const world = open({ limits: { mods: 1 }, broken: ["b v1.0.0"], mods: { "a v1.0.0": { ...old, requires } } });
  await world.mods("a v1.0.0");
  assert.deepEqual(world.fetched, ["b v1.0.0.mod", "c v1.0.0.mod", "d v1.0.0.mod"]);
  assert.deepEqual(world.met, ["mod failed", "mod fetched", "mod fetched"]);
  assert.equal(world.ahead.size, 0);
});

test("what is kept already is not fetched again, and what it requires is followed", async () => {
  const mods = { "a v1.0.0": { ...old, requires: ["b v1.0.0"] }, "b v1.0.0": { ...old, requires: ["c v1.0.0"] } };
  const first = open({ mods });
  await first.mods("a v1.0.0");
  const world = open({ mods });
  world.kept.mod.set("b v1.0.0", first.kept.mod.get("b v1.0.0") ?? assert.fail());
  await world.mods("a v1.0.0");
  assert.deepEqual(world.fetched, ["c v1.0.0.mod"]);
});

test("switched off it does nothing, and forgets what was to be done", async () => {
  const off = open({ limits: { isOn: false }, mods: { "a v1.0.0": { ...old, requires: many } } });
  await off.mods("a v1.0.0");
  assert.deepEqual(off.fetched, []);
  const world = open({ held: true, limits: { mods: 1 }, mods: { "a v1.0.0": { ...old, requires: many } } });
  await world.mods("a v1.0.0");
  world.limits.isOn = false;
  await world.release();
  assert.deepEqual([world.fetched.length, world.ahead.size], [1, 0]);
});

test("when the server stops nothing more is begun", async () => {
  const world = open({ held: true, limits: { mods: 1 }, mods: { "a v1.0.0": { ...old, requires: many } } });
  await world.mods("a v1.0.0");
  world.stop.abort(new Error("the server stops"));
  await world.release();
  assert.equal(world.fetched.length, 1);
});

test("an address behind which many clients ask without rest is remembered anew when its memory is full", async () => {
  const world = open();
  await world.asks("info", ...Array.from({ length: 8192 }, (_, i) => `busy v1.0.${i}`));
  await world.asks("info", "p v1.0.0", "q v1.0.0");
  await world.asks("zip", "p v1.0.0");
  assert.deepEqual(world.fetched, ["q v1.0.0.zip"]);
});

/** `times` clients that each do the same, and one more that has done nothing yet. */
async function habit(world: ReturnType<typeof open>, times: number, client: () => Promise<void>): Promise<void> {
  for (let i = 0; i < times; i++) {
    world.nextClient();
    await client();
  }
  world.nextClient();
}

test("names longer than any that people give are not remembered", async () => {
  const long = `${"x".repeat(300)} v1.0.0`;
  const world = open({ mods: { "a v1.0.0": { ...old, requires: [long, "b v1.0.0"] } } });
  await world.mods("a v1.0.0");
  assert.deepEqual(world.fetched, ["b v1.0.0.mod"]);
  await world.asks("info", "p v1.0.0", long);
  await world.asks("zip", "p v1.0.0");
  assert.deepEqual(world.fetched, ["b v1.0.0.mod"]);
});

const builds = { "main v1.0.0": { go: "1.21", requires: ["a v1.0.0", "b v1.1.0"] } };

test("`go build`: what eight clients asked for after a zip comes ahead, in the version that this client selects", async () => {
  for (const clients of [7, 8]) {
    const world = open({ mods: builds });
    await habit(world, clients, () => world.asks("zip", "a v1.0.0", "b v1.0.0"));
    await world.mods("main v1.0.0");
    await world.asks("zip", "a v1.0.0");
    assert.deepEqual(world.fetched, clients === 8 ? ["b v1.1.0.zip"] : []);
  }
});

test("a habit is not followed to what this client's go.mod files do not name, nor to an older version than others took", async () => {
  const world = open({ mods: builds });
  await habit(world, 8, () => world.asks("zip", "a v1.0.0", "b v1.2.0"));
  await world.asks("zip", "a v1.0.0");
  world.nextClient();
  await world.mods("main v1.0.0");
  await world.asks("zip", "a v1.0.0");
  assert.deepEqual(world.fetched, []);
});

test("the order in which `go mod download` goes through its list teaches nothing", async () => {
  const world = open({ mods: builds });
  await habit(world, 20, async () => {
    await world.asks("info", "a v1.0.0", "b v1.1.0");
    await world.asks("zip", "a v1.0.0", "b v1.1.0");
  });
  await world.mods("main v1.0.0");
  await world.asks("zip", "a v1.0.0");
  assert.deepEqual(world.fetched, []);
});

test("nor do habits add anything to that list", async () => {
  const world = open({ mods: builds });
  await habit(world, 8, () => world.asks("zip", "a v1.0.0", "b v1.1.0"));
  await world.mods("main v1.0.0");
  await world.asks("info", "a v1.0.0", "c v1.0.0");
  await world.asks("zip", "a v1.0.0");
  assert.deepEqual(
    world.fetched.filter((name) => name.endsWith(".zip")),
    ["c v1.0.0.zip"],
  );
});

test("`go get m@latest`: when eight clients asked for the zip after a listing, it comes ahead as the listing is answered", async () => {
  const world = open();
  const get = async (): Promise<void> => {
    await world.listed("a v1.0.0");
    await world.asks("info", "a v1.0.0");
    await world.asks("zip", "a v1.0.0");
  };
  await habit(world, 7, get);
  await world.listed("a v1.1.0");
  assert.deepEqual(world.fetched, []);
  await world.asks("zip", "a v1.1.0");
  world.nextClient();
  await world.listed("a v1.2.0");
  assert.deepEqual(world.fetched, ["a v1.2.0.zip"]);
});

test("nothing is learned from what was fetched ahead", async () => {
  const world = open();
  for (let i = 0; i < 20; i++) {
    world.nextClient();
    await world.listed(`a v1.${i}.0`);
    if (i < 8) await world.asks("zip", `a v1.${i}.0`);
  }
  assert.deepEqual(world.fetched, []); // eight of nineteen asked for it
});

/** Clients that ask for `.info` of a and x, and for a's zip, which says that they go through their list, but never for x's. */
async function neverX(world: ReturnType<typeof open>, clients: number): Promise<void> {
  for (let i = 0; i < clients; i++) {
    world.nextClient();
    await world.asks("info", "a v1.0.0", `x v1.0.${i}`, `y v1.0.${i}`);
    await world.asks("zip", "a v1.0.0");
  }
  world.nextClient();
}

test("a module whose zips lay here in vain three times is spared, until the client wants one that was spared", async () => {
  const world = open();
  await neverX(world, 3);
  await world.asks("info", "a v2.0.0+incompatible", "x v2.0.0+incompatible", "b v1.0.0", "y v2.0.0+incompatible");
  await world.asks("zip", "a v2.0.0+incompatible");
  assert.deepEqual(world.fetched, ["b v1.0.0.zip"]);
  assert.equal(world.met.filter((line) => line === "zip spared").length, 2);
  await world.asks("zip", "x v2.0.0+incompatible");
  assert.deepEqual(world.fetched, ["b v1.0.0.zip", "y v2.0.0+incompatible.zip"]);
  await world.asks("info", "y v2.0.1+incompatible");
  assert.deepEqual(world.fetched.slice(2), ["y v2.0.1+incompatible.zip"]);
});

test("silence is no evidence while workers answer some of the requests", async () => {
  const world = open({ seesAll: false });
  await neverX(world, 20);
  await world.asks("info", "a v1.0.0", "x v1.1.0");
  await world.asks("zip", "a v1.0.0");
  assert.deepEqual(world.fetched, ["x v1.1.0.zip"]);
});

test("a habit is not followed to a name that has become private, and none is learned of private ones", async () => {
  const patterns = { now: "" };
  const mods = { "main v1.0.0": { go: "1.21", requires: ["corp.test/b v1.0.0", "corp.test/d v1.0.0"] } };
  const world = open({ patterns, mods });
  await habit(world, 8, () => world.asks("zip", "a v1.0.0", "corp.test/b v1.0.0"));
  patterns.now = "corp.test/*";
  await world.mods("main v1.0.0");
  await world.asks("zip", "a v1.0.0");
  assert.deepEqual(world.fetched, []);
  const before = world.ahead.habitBytes;
  await habit(world, 20, async () => {
    await world.listed("corp.test/d v1.0.0");
    await world.asks("zip", "corp.test/c v1.0.0", "corp.test/d v1.0.0");
  });
  assert.equal(world.ahead.habitBytes, before);
});

test("a habit is neither learned nor followed while it is switched off", async () => {
  const world = open({ mods: builds });
  const build = () => world.asks("zip", "a v1.0.0", "b v1.0.0");
  world.limits.isOn = false;
  await habit(world, 8, build);
  assert.equal(world.ahead.habitBytes, 0);
  world.limits.isOn = true;
  await habit(world, 8, build);
  world.limits.isOn = false;
  await world.mods("main v1.0.0");
  await world.asks("zip", "a v1.0.0");
  assert.deepEqual(world.fetched, []);
});
