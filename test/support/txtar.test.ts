import assert from "node:assert/strict";
import { test } from "node:test";
import { parseModuleFixture, readModuleFixtures } from "./modules.ts";
import { parseTxtar } from "./txtar.ts";

test("an archive is its comment and its files, each ending in a newline", () => {
  const { comment, files } = parseTxtar("about\n-- a.txt --\none\n\n-- b/c.go --\n-- not --x\n");
  assert.equal(comment, "about");
  assert.deepEqual(
    [...files],
    [
      ["a.txt", "one\n\n"],
      ["b/c.go", "-- not --x\n"],
    ],
  );
});

test("a file that is there twice is a mistake", () => {
  assert.throws(() => parseTxtar("-- a --\n-- a --\n"), /twice/);
});

test("a module archive says what it is in its comment", () => {
  const text =
    "example.com/m@v1.0.0\ntime 2024-01-01T00:00:00Z\norigin VCS git\nquery main\n-- go.mod --\nmodule example.com/m\n";
  const { path, version, origin, queries, files } = parseModuleFixture(text, "m.txtar");
  assert.deepEqual([path, version, origin, queries], ["example.com/m", "v1.0.0", { VCS: "git" }, ["main"]]);
  assert.equal(files.get("go.mod"), "module example.com/m\n");
  assert.throws(() => parseModuleFixture("no version\n", "x.txtar"), /path@version/);
  assert.throws(() => parseModuleFixture("a.b/c@v1.0.0\ntiem x\n", "x.txtar"), /unknown setting/);
});

test("the fixtures hold what the suites count on", () => {
  const ids = readModuleFixtures().map(({ path, version }) => `${path}@${version}`);
  for (const id of [
    "example.com/hello@v1.0.0",
    "example.com/Upper/Case@v1.0.0-RC1",
    "example.com/old@v2.0.0+incompatible",
  ]) {
    assert.ok(ids.includes(id), id);
  }
});
