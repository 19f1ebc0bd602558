import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isAncestorOfPattern, matchPrefixPatterns } from "./pattern.ts";

const matches = [
  ["*", "any.example/x"],
  ["corp.com", "corp.com"],
  ["corp.com", "corp.com/x/y"],
  ["corp.com/", "corp.com/x"],
  ["*.corp.com", "git.corp.com/x"],
  ["github.com/org", "github.com/org/repo"],
  ["github.com/org/*", "github.com/org/repo/v2"],
  ["github.com/*/secret", "github.com/a/secret/x"],
  [",,a.com,,b.com", "b.com"],
  ["[,b.com", "b.com"],
  ["a.[b-d]om", "a.com"],
  ["a.[^x]om", "a.com"],
  ["a.[\\]c]om", "a.com"],
  ["a\\.com", "a.com"],
  ["?.com", "a.com"],
  ["*a*b", "xaxaxb"],
  ["a*", "a"],
  ["[*]", "*"],
  ["*[^x]*c", "abc"],
] as const;
for (const [globs, path] of matches)
  test(`${globs} covers ${path}`, () => {
    assert.ok(matchPrefixPatterns(globs, path));
  });

const misses = [
  ["", "a.com"],
  [",", "a.com"],
  ["*.corp.com", "corp.com"],
  ["corp.com", "corp.com.evil"],
  ["a.com, b.com", "b.com"],
  ["Corp.com", "corp.com"],
  ["github.com/org/*", "github.com/org"],
  ["https://corp.com", "corp.com"],
  ["a.com//", "a.com"],
  ["a.[^c]om", "a.com"],
  ["?.com", "ab.com"],
  ["a", ""],
  ["*/*", "a"],
  ["a*c", "a/c"],
  // Malformed, though the text before the fault matches.
  ["a[", "a"],
  ["a[]", "a"],
  ["[]a]", "a"],
  ["[a-]", "a"],
  ["[-a]", "a"],
  ["[^]", "a"],
  ["[a", "a"],
  ["a\\", "a"],
  ["b[", "a"],
] as const;
for (const [globs, path] of misses)
  test(`${JSON.stringify(globs)} does not cover ${JSON.stringify(path)}`, () => {
    assert.equal(matchPrefixPatterns(globs, path), false);
  });

test("ancestors of a pattern are the paths on the way to it", () => {
  const globs = "x.example,git.corp/team/*,*.deep/[a-b]/c";
  for (const path of ["git.corp", "git.corp/team", "any.deep", "any.deep/a"])
    assert.ok(isAncestorOfPattern(globs, path), path);
  for (const path of ["x.example", "git.corp/other", "git.corp/team/x", "git.corp/team/x/y", "corp", "any.deep/z"])
    assert.equal(isAncestorOfPattern(globs, path), false, path);
});

test("a malformed pattern has no ancestors", () => {
  assert.equal(isAncestorOfPattern("git.corp/[", "git.corp"), false);
});

const element = fc.string({ unit: fc.constantFrom("a", "b", "-", "."), minLength: 1 });
const path = fc.array(element, { minLength: 1, maxLength: 5 });

test("a plain pattern covers itself and all below it, and has all above it as ancestors", () => {
  fc.assert(
    fc.property(path, path, (above, below) => {
      const glob = above.join("/");
      assert.ok(matchPrefixPatterns(glob, glob));
      assert.ok(matchPrefixPatterns(glob, [...above, ...below].join("/")));
      assert.ok(isAncestorOfPattern([...above, ...below].join("/"), glob));
      assert.equal(isAncestorOfPattern(glob, [...above, ...below].join("/")), false);
    }),
  );
});

test("any pattern gives an answer, and no path is both covered by and ancestor of one glob", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom("*", "?", "[", "]", "^", "-", "\\", "a", "/", "é", "\ud800") }),
  );
  fc.assert(
    fc.property(text, text, (globs, name) => {
      const glob = globs.replaceAll(",", "");
      assert.ok(!(matchPrefixPatterns(glob, name) && isAncestorOfPattern(glob, name)));
    }),
    { numRuns: 3000 },
  );
});

test("many stars do not take many times as long", () => {
  assert.equal(matchPrefixPatterns(`${"*a".repeat(500)}b`, "a".repeat(5000)), false);
});
