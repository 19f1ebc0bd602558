import assert from "node:assert/strict";
import test from "node:test";
import { isToolchain, privacyOf } from "./privacy.ts";

test("without patterns nothing is private", () => {
  const privacy = privacyOf("");
  for (const path of ["example.com/m", "", "golang.org/toolchain"])
    assert.deepEqual([privacy.isPrivate(path), privacy.mustNotTravel(path)], [false, false]);
});

// path, is private, must not travel
const cases: readonly (readonly [string, boolean, boolean])[] = [
  ["corp.example/team/secret", true, true],
  ["corp.example/team/secret/sub/v2", true, true],
  // Ancestors: `go get` probes them, and they give the name away.
  ["corp.example/team", false, true],
  ["corp.example", false, true],
  // Neighbours are neither.
  ["corp.example/teams/secret", false, false],
  ["corp.example/other", false, false],
  ["corp.example.com/team/secret", false, false],
  ["git.example/x", true, true],
  ["git.example", true, true],
];

for (const [path, isPrivate, mustNotTravel] of cases) {
  test(`${path}: private ${isPrivate}, kept in ${mustNotTravel}`, () => {
    const privacy = privacyOf("corp.example/team/*,git.example");
    assert.deepEqual([privacy.isPrivate(path), privacy.mustNotTravel(path)], [isPrivate, mustNotTravel]);
  });
}

test("only golang.org/toolchain is the toolchain", () => {
  assert.equal(isToolchain("golang.org/toolchain"), true);
  for (const path of ["golang.org/toolchain/x", "golang.org/Toolchain", "golang.org/x/toolchain", ""])
    assert.equal(isToolchain(path), false, path);
});
