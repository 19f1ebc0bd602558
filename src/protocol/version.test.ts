import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import * as v from "./version.ts";

/** Ascending; each with its canonical form. From the precedence rules of semver.org §11. */
const ascending = [
  ["v1.0.0-alpha", "v1.0.0-alpha"],
  ["v1.0.0-alpha.1", "v1.0.0-alpha.1"],
  ["v1.0.0-alpha.beta", "v1.0.0-alpha.beta"],
  ["v1.0.0-beta", "v1.0.0-beta"],
  ["v1.0.0-beta.2+meta", "v1.0.0-beta.2"],
  ["v1.0.0-beta.11", "v1.0.0-beta.11"],
  ["v1.0.0-rc.1", "v1.0.0-rc.1"],
  ["v1", "v1.0.0"],
  ["v1.2", "v1.2.0"],
  ["v1.2.3+meta.01", "v1.2.3"],
  ["v1.10.0", "v1.10.0"],
  ["v2.0.0+incompatible", "v2.0.0"],
  ["v10.0.0", "v10.0.0"],
  ["v123456789012345678901234567890.0.0", "v123456789012345678901234567890.0.0"],
] as const;

const invalid = [
  "",
  "v",
  "1.2.3",
  "V1.2.3",
  "v01.2.3",
  "v1.02.3",
  "v1.2.03",
  "v1.2.3-",
  "v1.2.3-01",
  "v1.2.3-a..b",
  "v1.2.3+",
  "v1.2.3+a..b",
  "v1-pre",
  "v1.2+meta",
  "v1.2.3.4",
  "v1.2.3\n",
  " v1.2.3",
  "v1.2.3-é",
  "v1.2.3+a+b",
];

suite("semver", () => {
  for (const [text, want] of ascending)
    test(`${text} is valid, canonically ${want}`, () => {
      assert.ok(v.isValidVersion(text));
      assert.equal(v.canonical(text), want);
    });

  for (const text of invalid)
    test(`${JSON.stringify(text)} is no version`, () => {
      assert.equal(v.isValidVersion(text), false);
      const parts = [v.canonical, v.canonicalVersion, v.major, v.majorMinor, v.prerelease, v.build].map((f) => f(text));
      assert.deepEqual(parts, ["", "", "", "", "", ""]);
      assert.throws(() => v.parseVersion(text), { code: "BAD_VERSION" });
    });

  test("the order is total over the table", () => {
    for (const [i, [a]] of ascending.entries())
      for (const [j, [b]] of ascending.entries()) assert.equal(v.compareVersions(a, b), Math.sign(i - j), `${a} ${b}`);
  });

  test("what is no version comes before all versions, and equals its like", () => {
    assert.equal(v.compareVersions("x", "v0.0.0-0"), -1);
    assert.equal(v.compareVersions("v0.0.0-0", "x"), 1);
    assert.equal(v.compareVersions("x", "y"), 0);
  });

  test("sorting is by precedence, then by text, on a copy", () => {
    const given = ["v1.0.0+b", "v1.0.0", "v1.0.0+a", "v0.9.0", "v1.0.0-rc.1"];
    assert.deepEqual(v.sortVersions(given), ["v0.9.0", "v1.0.0-rc.1", "v1.0.0", "v1.0.0+a", "v1.0.0+b"]);
    assert.equal(given[0], "v1.0.0+b");
  });

  test("the parts of a version", () => {
    const text = "v2.3.4-pre.1+meta.5";
    const parts = [v.major(text), v.majorMinor(text), v.prerelease(text), v.build(text)];
    assert.deepEqual(parts, ["v2", "v2.3", "-pre.1", "+meta.5"]);
    assert.equal(v.majorMinor("v2"), "v2.0");
  });
});

test("only canonical versions parse; +incompatible is canonical", () => {
  assert.equal(v.parseVersion("v1.2.3-pre.0"), "v1.2.3-pre.0");
  assert.equal(v.parseVersion("v2.0.0+incompatible"), "v2.0.0+incompatible");
  assert.equal(v.canonicalVersion("v2+incompatible"), "");
  for (const text of ["v1", "v1.2", "v1.2.3+meta", "v1.2.3+incompatible.1"])
    assert.throws(() => v.parseVersion(text), { code: "BAD_VERSION" });
});

suite("escaping versions", () => {
  const escapes = [
    ["v1.0.0-RC1", "v1.0.0-!r!c1"],
    ["master", "master"],
    ["feat#1", "feat#1"],
    ["fix(a)", "fix(a)"],
    ["rel 2", "rel 2"],
    ["a%41", "a%41"],
    ["v2.0.0+incompatible", "v2.0.0+incompatible"],
  ] as const;
  for (const [text, escaped] of escapes)
    test(`${text} is escaped as ${escaped}`, () => {
      assert.equal(v.escapeVersion(text), escaped);
      assert.equal(v.unescapeVersion(escaped), text);
    });

  for (const text of ["", "a/b", "a!b", "..", "a.", "a\\b", "é", "con", "a:b", "a*b", "\n"])
    test(`${JSON.stringify(text)} cannot be asked for`, () => {
      assert.throws(() => v.escapeVersion(text), { code: "BAD_VERSION" });
    });

  test("a raw upper-case letter is no escape", () => {
    assert.throws(() => v.unescapeVersion("v1.0.0-RC1"), { code: "BAD_ESCAPE" });
    assert.throws(() => v.unescapeVersion("a/b"), { code: "BAD_VERSION" });
  });
});

suite("path and version agree", () => {
  const agree = [
    ["v0.1.0", ""],
    ["v1.2.3", ""],
    ["v2.0.0+incompatible", ""],
    ["v2.0.0", "/v2"],
    ["v2.1.0-pre", ".v2"],
    ["v0.0.0-20161208181325-20d25e280405", ".v1"],
    ["v3.0.0", ".v3-unstable"],
  ] as const;
  for (const [version, pathMajor] of agree)
    test(`${version} under ${JSON.stringify(pathMajor)}`, () => {
      assert.doesNotThrow(() => v.checkPathMajor(version, pathMajor));
    });

  const differ = [
    ["v2.0.0", "", "v0 or v1, not v2"],
    ["v1.0.0", "/v2", "v2, not v1"],
    ["v0.0.0-20161208181325-20d25e280405", "/v2", "v2, not v0"],
    ["v2.0.0+incompatible", "/v3", "v3, not v2"],
    ["x", "", "v0 or v1, not "],
  ] as const;
  for (const [version, pathMajor, words] of differ)
    test(`${version} not under ${JSON.stringify(pathMajor)}`, () => {
      const message = `version ${JSON.stringify(version)} invalid: should be ${words}`;
      assert.throws(() => v.checkPathMajor(version, pathMajor), { code: "BAD_VERSION", message });
    });

  test("a module version is checked as a whole", () => {
    assert.equal(v.formatModuleVersion(v.checkModuleVersion("rsc.io/quote/v3", "v3.1.0")), "rsc.io/quote/v3@v3.1.0");
    assert.throws(() => v.checkModuleVersion("rsc.io/quote/v3", "v2.0.0"), { code: "BAD_VERSION" });
    assert.throws(() => v.checkModuleVersion("rsc.io/quote", "v1"), { code: "BAD_VERSION" });
    assert.throws(() => v.checkModuleVersion("quote", "v1.0.0"), { code: "BAD_PATH" });
  });
});

const nearVersion = fc
  .array(fc.constantFrom("v", "0", "1", "12", ".", "-", "+", "a", "Z", "!z", "incompatible", "v1.2.3", "é"))
  .map((parts) => parts.join(""));

test("any string is a version or a ProtocolError, and escapes come back", () => {
  fc.assert(
    fc.property(fc.oneof(nearVersion, fc.string({ unit: "binary" })), (text) => {
      for (const parse of [v.parseVersion, v.unescapeVersion, (t: string) => v.unescapeVersion(v.escapeVersion(t))]) {
        try {
          const version = parse(text);
          if (!version.includes("!")) assert.equal(v.unescapeVersion(v.escapeVersion(version)), version);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test("comparing is antisymmetric and transitive on any strings", () => {
  fc.assert(
    fc.property(nearVersion, nearVersion, nearVersion, (a, b, c) => {
      assert.equal(v.compareVersions(a, b) + v.compareVersions(b, a), 0);
      const [x, y, z] = v.sortVersions([a, b, c]);
      assert.ok(v.compareVersions(x!, y!) <= 0 && v.compareVersions(y!, z!) <= 0 && v.compareVersions(x!, z!) <= 0);
    }),
    { numRuns: 2000 },
  );
});
