import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import { checkFilePath, escapePath, parsePath, splitPathVersion, unescapePath } from "./path.ts";

const goodPaths = [
  "example.com",
  "github.com/Azure/go-autorest/v14",
  "a.b/c~x/_y/Z",
  "a.b/x~1y",
  "gopkg.in/yaml.v3",
  "gopkg.in/check.v1",
  "gopkg.in/x.v0",
  "gopkg.in/x.v2-unstable",
  "example.com/v2",
  "example.com/m/v10",
  "example.com/v",
  "golang.org/x/con1",
  "golang.org/toolchain",
];

const badPaths = [
  ["", "empty string"],
  ["example", "missing dot in first path element"],
  ["Example.com/x", "invalid char 'E' in first path element"],
  ["a_b.com/x", "invalid char '_' in first path element"],
  ["-a.com", "leading dash"],
  ["/a.com", "empty path element"],
  ["a.com/", "trailing slash"],
  ["a.com//b", "double slash"],
  ["a.com/.b", "leading dot in path element"],
  ["a.com/b.", "trailing dot in path element"],
  ["a.com/..", 'invalid path element ".."'],
  ["a.com/b c", "invalid char ' '"],
  ["a.com/é", "invalid char 'é'"],
  ["a.com/b'", "invalid char '\\''"],
  ["a.com/\u{1d4b3}", "invalid char '\u{1d4b3}'"],
  ["a.com/\ud800", "invalid UTF-8"],
  ["a.com/CoN", '"CoN" disallowed as path element component on Windows'],
  ["a.com/lpt9.x", '"lpt9" disallowed as path element component on Windows'],
  ["a.com/x~12", "trailing tilde and digits in path element"],
  ["a.com/x~1.y", "trailing tilde and digits in path element"],
  ["a.com/v0", "invalid version"],
  ["a.com/v1", "invalid version"],
  ["a.com/v02", "invalid version"],
  ["a.com/v2.1", "invalid version"],
  ["gopkg.in/yaml", "invalid version"],
  ["gopkg.in/yaml/v2", "invalid version"],
  ["gopkg.in/yaml.v02", "invalid version"],
  ["gopkg.in/yaml.v0-unstable", "invalid version"],
] as const;

suite("parsePath", () => {
  for (const path of goodPaths)
    test(`takes ${path}`, () => {
      assert.equal(parsePath(path), path);
    });

  for (const [path, reason] of badPaths)
    test(`refuses ${JSON.stringify(path)} with Go's reason`, () => {
      assert.throws(
        () => parsePath(path),
        (error: unknown) => {
          assert.ok(error instanceof ProtocolError);
          assert.equal(error.code, "BAD_PATH");
          assert.ok(error.message.endsWith(`: ${reason}`), error.message);
          return true;
        },
      );
    });
});

suite("checkFilePath", () => {
  for (const name of ["a", ".git/x", "-x", "a b", "Ünï/漢字.go", "a+b@c,d=e", "!x", "x~1", "go.mod", "[a]{b}^c"])
    test(`takes ${name}`, () => {
      assert.doesNotThrow(() => checkFilePath(name));
    });

  const bad = [
    "",
    "/a",
    "a/",
    "a//b",
    "a/../b",
    ".",
    "a.",
    "a:b",
    "a\\b",
    "a|b",
    "a?",
    "a*",
    'a"b',
    "a'b",
    "a`b",
    "a<b",
  ];
  for (const name of [...bad, "aux", "x/com1.go", "a\nb", "\u0301", "\u0663", "\ud800", "\u{1f600}"])
    test(`refuses ${JSON.stringify(name)}`, () => {
      assert.throws(() => checkFilePath(name), { code: "BAD_PATH" });
    });
});

const splits = [
  ["a.com/x", "a.com/x", ""],
  ["a.com/x/v2", "a.com/x", "/v2"],
  ["a.com/x/v20", "a.com/x", "/v20"],
  ["a.com/xv2", "a.com/xv2", ""],
  ["/v2", "", "/v2"],
  ["v2", "v2", ""],
  ["gopkg.in/yaml.v2", "gopkg.in/yaml", ".v2"],
  ["gopkg.in/u/yaml.v0", "gopkg.in/u/yaml", ".v0"],
  ["gopkg.in/yaml.v2-unstable", "gopkg.in/yaml", ".v2-unstable"],
  ["gopkg.in/yaml.v-unstable", "gopkg.in/yaml", ".v-unstable"],
] as const;

for (const [path, prefix, pathMajor] of splits)
  test(`splitPathVersion(${path}) finds ${JSON.stringify(pathMajor)}`, () => {
    assert.deepEqual(splitPathVersion(path), { prefix, pathMajor });
  });

for (const path of ["a.com/v1", "a.com/v01", "a.com/v2.", "/v1", "gopkg.in/x", "gopkg.in/x.v", "gopkg.in/x.v00"])
  test(`splitPathVersion(${path}) has no answer`, () => {
    assert.equal(splitPathVersion(path), undefined);
  });

test("escaped paths come back, and only from their one escape", () => {
  assert.equal(escapePath(parsePath("github.com/Azure/x")), "github.com/!azure/x");
  assert.equal(unescapePath("github.com/!azure/x"), "github.com/Azure/x");
  assert.throws(() => unescapePath("github.com/Azure/x"), { code: "BAD_ESCAPE" });
  assert.throws(() => unescapePath("!example.com/x"), { code: "BAD_PATH" });
});

const nearPath = fc
  .array(fc.constantFrom("a.com", "/", "gopkg.in/", "x", "Y", ".v1", "/v2", "~1", "con", ".", "!a", "é", "-", "\ud800"))
  .map((parts) => parts.join(""));

test("any string is a path or a ProtocolError, and a path survives escaping", () => {
  fc.assert(
    fc.property(fc.oneof(nearPath, fc.string({ unit: "binary" })), (text) => {
      for (const parse of [parsePath, unescapePath]) {
        try {
          assert.equal(unescapePath(escapePath(parse(text))), parse(text));
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
});
