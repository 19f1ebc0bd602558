import assert from "node:assert/strict";
import { test } from "node:test";
import { parseGoMod } from "#protocol/gomod.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { idOf } from "../../../test/support/proxy-room.ts";
import { AheadSession } from "./ahead-session.ts";

/** `m/a v1.0.0` without its host. */
const version = (text: string): ModuleVersion => {
  const [path = "", number = ""] = text.split(" ");
  return idOf({ path: `m.test/${path}`, version: number });
};
const names = (ids: Iterable<ModuleVersion>) => [...ids].map((id) => formatModuleVersion(id).replace("m.test/", ""));

function goMod(path: string, go: string, ...requires: string[]) {
  const lines = requires.map((each) => `require m.test/${each}\n`);
  return parseGoMod(Buffer.from(`module m.test/${path}\n\n${go === "" ? "" : `go ${go}\n`}${lines.join("")}`), {
    lax: true,
  });
}

test("a module without a pruned graph makes its requirements certain, a pruned one only votes", () => {
  const session = new AheadSession();
  const old = session.heard(version("a v1.0.0"), goMod("a", "1.16", "x v1.0.0", "y v1.0.0"), 2);
  assert.deepEqual([names(old.certain), names(old.likely)], [["x@v1.0.0", "y@v1.0.0"], []]);
  const none = session.heard(version("b v1.0.0"), goMod("b", "", "z v1.0.0"), 2);
  assert.deepEqual(names(none.certain), ["z@v1.0.0"]);
  const pruned = session.heard(version("c v1.0.0"), goMod("c", "1.17", "w v1.0.0"), 2);
  assert.deepEqual([names(pruned.certain), names(pruned.likely)], [[], []]);
});

test("below a module without a pruned graph pruned modules are followed too, also those heard before", () => {
  const session = new AheadSession();
  const hear = (who: string, go: string, ...requires: string[]) => {
    const { certain, likely } = session.heard(version(`${who} v1.0.0`), goMod(who, go, ...requires), 1);
    return [names(certain), names(likely)];
  };
  assert.deepEqual(hear("early", "1.21", "x v1.0.0"), [[], ["x@v1.0.0"]]);
  assert.deepEqual(hear("old", "1.16", "early v1.0.0", "late v1.0.0")[0], ["early@v1.0.0", "late@v1.0.0"]);
  assert.deepEqual(hear("early", "1.21", "x v1.0.0"), [["x@v1.0.0"], []]);
  assert.deepEqual(hear("early", "1.21", "x v1.0.0"), [[], []]);
  assert.deepEqual(hear("late", "1.21", "y v1.0.0"), [["y@v1.0.0"], []]);
  assert.deepEqual(hear("y", "1.21", "z v1.0.0"), [["z@v1.0.0"], []]);
  assert.deepEqual(hear("other", "1.21", "w v1.0.0"), [[], ["w@v1.0.0"]]);
});

test("the highest version of a path is likely once enough go.mod files name it", () => {
  const session = new AheadSession();
  const hear = (who: string, requirement: string, votes: 1 | 2 = 2) =>
    names(session.heard(version(`${who} v1.0.0`), goMod(who, "1.21", requirement), votes).likely);
  assert.deepEqual(hear("a", "x v1.1.0"), []);
  assert.deepEqual(hear("b", "x v1.0.0"), []); // lower: no vote
  assert.deepEqual(hear("c", "x v1.1.0"), ["x@v1.1.0"]);
  assert.deepEqual(hear("d", "x v1.1.0"), []); // told once
  assert.deepEqual(hear("e", "x v1.2.0"), []); // higher: votes begin anew
  assert.deepEqual(hear("f", "x v1.2.0"), ["x@v1.2.0"]);
  assert.deepEqual(hear("g", "y v1.0.0", 1), ["y@v1.0.0"]); // one is enough when the upstream is far
});

test("a go.mod speaks once, and requirements that nobody could ask for say nothing", () => {
  const session = new AheadSession();
  const file = goMod("a", "1.16", "x v1.0.0");
  assert.deepEqual(names(session.heard(version("a v1.0.0"), file, 1).certain), ["x@v1.0.0"]);
  assert.deepEqual(names(session.heard(version("a v1.0.0"), file, 1).certain), []);
  const odd = { ...file, require: [{ ...file.require[0]!, path: "NoDot", version: "v1.0.0" }] };
  assert.deepEqual(names(session.heard(version("b v1.0.0"), odd, 1).certain), []);
});

test("`go mod download`: the first zip makes all zips certain whose .info was asked for, later .info one each", () => {
  const session = new AheadSession();
  for (const each of ["a v1.0.0", "b v1.0.0", "c v1.0.0"])
    assert.deepEqual(names(session.askedInfo(version(each))), []);
  assert.deepEqual(names(session.askedZip(version("a v1.0.0"))), ["b@v1.0.0", "c@v1.0.0"]);
  assert.deepEqual(names(session.askedZip(version("b v1.0.0"))), []);
  assert.deepEqual(names(session.askedInfo(version("d v1.0.0"))), ["d@v1.0.0"]);
  assert.deepEqual(names(session.askedInfo(version("d v1.0.0"))), []);
});

test("`go build` asks for zips whose .info it never wanted: no zip follows", () => {
  const session = new AheadSession();
  session.askedMod(version("a v1.0.0"));
  session.askedMod(version("b v1.0.0"));
  assert.deepEqual(names(session.askedZip(version("a v1.0.0"))), []);
  assert.deepEqual(names(session.askedZip(version("b v1.0.0"))), []);
  assert.deepEqual(names(session.restOfList()), []);
});

test("`go list -m all`: .info of a selected version whose go.mod the graph did not need means the whole list", () => {
  const session = new AheadSession();
  session.askedMod(version("a v1.0.0"));
  session.heard(version("a v1.0.0"), goMod("a", "1.21", "x v1.0.0", "y v1.0.0", "z v1.0.0"), 2);
  session.askedInfo(version("a v1.0.0"));
  assert.deepEqual(names(session.restOfList()), []);
  session.askedMod(version("z v1.0.0"));
  session.askedInfo(version("x v1.0.0"));
  assert.deepEqual(names(session.restOfList()), ["x@v1.0.0", "y@v1.0.0"]);
  assert.deepEqual(names(session.restOfList()), []); // once
});

test(".info of another version than the graph selects, or before any go.mod, says nothing of a list", () => {
  const queried = new AheadSession();
  queried.askedMod(version("a v1.0.0"));
  queried.heard(version("a v1.0.0"), goMod("a", "1.21", "x v1.0.0"), 2);
  queried.askedInfo(version("x v1.9.0"));
  assert.deepEqual(names(queried.restOfList()), []);
  const bare = new AheadSession();
  bare.askedInfo(version("x v1.0.0"));
  assert.deepEqual(names(bare.restOfList()), []);
});

test("what it remembers is bounded, and it says when it is full", () => {
  const session = new AheadSession();
  for (let i = 0; i < 4095; i++) session.askedMod(version(`a v1.0.${i}`));
  assert.equal(session.isFull, false);
  for (let i = 4095; i < 5000; i++) session.askedMod(version(`a v1.0.${i}`));
  assert.equal(session.isFull, true);
  assert.equal(session.wantsMod(version("a v1.0.4095")), true);
  assert.equal(session.wantsMod(version("a v1.0.4096")), false);
});

test("what it was spared it gets when it asks for one of them, once, and is spared nothing more", () => {
  const session = new AheadSession();
  for (const each of ["x v1.0.0", "y v1.0.0", "z v1.0.0"]) assert.equal(session.spare(version(each)), true);
  session.askedZip(version("z v1.0.0"));
  assert.deepEqual(names(session.wantsSpared(version("other v1.0.0"))), []);
  session.askedZip(version("y v1.0.0"));
  assert.deepEqual(names(session.wantsSpared(version("y v1.0.0"))), ["x@v1.0.0"]);
  assert.deepEqual(names(session.wantsSpared(version("x v1.0.0"))), []);
  assert.equal(session.spare(version("w v1.0.0")), false);
});
