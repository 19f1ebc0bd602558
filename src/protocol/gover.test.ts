import assert from "node:assert/strict";
import { test } from "node:test";
import { compareGoVersions, isGoRelease, prunesGraph, toolchainVersion } from "./gover.ts";

/** In order; the cases of internal/gover gover_test.go. */
const ordered = [
  "nonsense",
  "1",
  "1.5",
  "1.9.2",
  "1.19rc1",
  "1.19",
  "1.19.1",
  "1.20",
  "1.21",
  "1.21alpha1",
  "1.21rc1",
  "1.21.0",
  "1.21.3",
  "1.100",
  "2",
];

for (const [at, version] of ordered.entries())
  test(`${version} is older than all after it`, () => {
    assert.equal(compareGoVersions(version, version), 0);
    for (const later of ordered.slice(at + 1)) {
      assert.equal(compareGoVersions(version, later), -1, later);
      assert.equal(compareGoVersions(later, version), 1, later);
    }
  });

test("missing numbers are zeros only before 1.21", () => {
  assert.equal(compareGoVersions("1", "1.0.0"), 0);
  assert.equal(compareGoVersions("1.20", "1.20.0"), 0);
  assert.equal(compareGoVersions("1.21", "1.21.0"), -1);
});

test("a graph is pruned from go 1.17 on", () => {
  for (const go of ["1.17", "1.17.3", "1.21", "1.26.0"]) assert.equal(prunesGraph(go), true, go);
  for (const go of [undefined, "1.9", "1.16", "1.17rc1"]) assert.equal(prunesGraph(go), false, go);
});

test("a toolchain's name holds a version, a suffix after a dash does not count", () => {
  assert.equal(toolchainVersion("go1.22.3"), "1.22.3");
  assert.equal(toolchainVersion("go1.22.3-bigcorp"), "1.22.3");
  for (const name of ["default", "1.22.3", "go", "gox", "go1.22.3/x", "go01.2"])
    assert.equal(toolchainVersion(name), undefined, name);
});

test("a language version from 1.21 on is no release", () => {
  for (const version of ["1.21.0", "1.22rc1", "1.20"]) assert.equal(isGoRelease(version), true, version);
  for (const version of ["1.21", "1.26", "x"]) assert.equal(isGoRelease(version), false, version);
});
