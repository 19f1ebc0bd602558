import assert from "node:assert/strict";
import { test } from "node:test";

import { legacyGoMod, maxGoModBytes, modulePathOf, parseGoMod } from "./gomod.ts";
import type { GoMod } from "./gomod.ts";
import { ProtocolError } from "./errors.ts";

const empty: GoMod = {
  path: undefined,
  deprecated: "",
  go: undefined,
  toolchain: undefined,
  godebug: [],
  require: [],
  exclude: [],
  replace: [],
  retract: [],
  tool: [],
  ignore: [],
};

const whole = `// A header.

// Deprecated: use example.com/new
// instead.
//
// Another paragraph.
module "example.com/old/v2" // behind

go 1.23.0
toolchain go1.23.4
godebug default=go1.21
godebug (
	a=b=c
)

require example.com/a v1.2.3 // indirect
require (
	example.com/b v1.0.0 // indirect; for the tests
	gopkg.in/c.v1 v1.0.0+incompatible // indirect but said otherwise
	"example.com/d" v0.0.0-20200101000000-abcdefabcdef
)

exclude example.com/a v1.2.4
replace (
	example.com/a => ../a
	example.com/b v1.0.0 => example.com/fork v1.0.1
)

// Broken.
retract (
	v2.0.0
	[v2.1.0, v2.1.5] // Lost data.

	// Third.
	v2.2.0
)
tool example.com/cmd/x
ignore ./node_modules
`;

const shared = {
  ...empty,
  path: "example.com/old/v2",
  deprecated: "use example.com/new\ninstead.",
  go: "1.23.0",
  require: [
    { path: "example.com/a", version: "v1.2.3", indirect: true },
    { path: "example.com/b", version: "v1.0.0", indirect: true },
    { path: "gopkg.in/c.v1", version: "v1.0.0+incompatible", indirect: false },
    { path: "example.com/d", version: "v0.0.0-20200101000000-abcdefabcdef", indirect: false },
  ],
  retract: [
    { low: "v2.0.0", high: "v2.0.0", rationale: "Broken." },
    { low: "v2.1.0", high: "v2.1.5", rationale: "Lost data." },
    { low: "v2.2.0", high: "v2.2.0", rationale: "Third." },
  ],
  ignore: ["./node_modules"],
};

test("parseGoMod() reads every directive", () => {
  assert.deepEqual(parseGoMod(whole), {
    ...shared,
    toolchain: "go1.23.4",
    godebug: [
      { key: "default", value: "go1.21" },
      { key: "a", value: "b=c" },
    ],
    exclude: [{ path: "example.com/a", version: "v1.2.4" }],
    replace: [
      { old: { path: "example.com/a", version: "" }, new: { path: "../a", version: "" } },
      { old: { path: "example.com/b", version: "v1.0.0" }, new: { path: "example.com/fork", version: "v1.0.1" } },
    ],
    tool: ["example.com/cmd/x"],
  });
});

test("parseGoMod() of a dependency passes over what only a main module obeys, right or wrong", () => {
  const later = "\nfrobnicate ( x )\nfuture thing (\n\twhatever\n)\nreplace nonsense\nretract [v3.0.0\n";
  assert.deepEqual(parseGoMod(Buffer.from(whole + later), { lax: true }), shared);
});

test("parseGoMod() of a dependency cuts a go version of a later form to its two numbers", () => {
  assert.equal(parseGoMod("go v1.30-x.7", { lax: true }).go, "1.30");
});

const refusedStrictly: readonly (readonly [text: string, line: number])[] = [
  ["frobnicate x", 1],
  ["\nfrob (\n)", 2],
  ["require x (\n)", 1],
  ["go 1.21rc", 1],
  ["go 1.21\ngo 1.22", 2],
  ["toolchain 1.21", 1],
  ["godebug a", 1],
  ["godebug a=`b`", 1],
  ["exclude a.example/b", 1],
  ["replace a.example/b => c.example/d", 1],
  ["replace a.example/b => ./c v1.0.0", 1],
  ["replace a.example/b => .\\c", 1],
  ["replace a.example/b v1.0.0 v1.0.0 => ./c", 1],
  ["retract [v1.0.0 v2.0.0]", 1],
  ["retract v1.0.0 v2.0.0", 1],
  ["retract", 1],
  ["tool a b", 1],
  ["tool", 1],
];
const refusedAlways: readonly (readonly [text: string, line: number])[] = [
  ["module a.example/b\n\nmodule a.example/b", 3],
  ["module `a.example/b`", 1],
  ["module 'a.example/b'", 1],
  ['module "a.example/\\q"', 1],
  ["module a b", 1],
  ["go", 1],
  ["go x", 1],
  ["require a.example/b", 1],
  ["require a.example/b main", 1],
  ["require a.example/b/v2 v1.0.0", 1],
  ["require a.example/b v2.0.0", 1],
  ["require a.example/b/v1 v1.0.0", 1],
  ["require (\n\n", 3],
  ["require (\n) x", 2],
  ["/* no */", 1],
  ["module a/*b", 1],
  ['module "a', 1],
  ['module "a\n"', 1],
  ["\n\nmodule a\x00b", 3],
  ["\ufeffmodule a", 1],
];
for (const [text, line] of [...refusedStrictly, ...refusedAlways])
  test(`parseGoMod() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseGoMod(text),
      (error) =>
        error instanceof ProtocolError && error.code === "BAD_GOMOD" && error.message.startsWith(`go.mod:${line}: `),
    );
  });
for (const [text] of refusedAlways)
  test(`parseGoMod() refuses ${JSON.stringify(text)} of a dependency too`, () => {
    assert.throws(() => parseGoMod(text, { lax: true }), { code: "BAD_GOMOD" });
  });

test("parseGoMod() refuses a file that go would not read", () => {
  const large = new Uint8Array(maxGoModBytes + 1).fill(0x0a);
  assert.throws(() => parseGoMod(large), { code: "BAD_GOMOD" });
  assert.deepEqual(parseGoMod(large.subarray(1)), empty);
});

const paths = [
  ["module example.com/m", "example.com/m"],
  ["go 1.21\n\tmodule  example.com/m  // x", "example.com/m"],
  ['module "example.com/\\x6d"', "example.com/m"],
  ["module `example.com/m`", "example.com/m"],
  ['module "a" "b"', ""],
  ["modules x\nmodule\nmodule y", "y"],
  ["<html>\nmodule x", "x"],
  ["", ""],
] as const;
for (const [text, want] of paths)
  test(`modulePathOf(${JSON.stringify(text)})`, () => {
    assert.equal(modulePathOf(text), want);
    assert.equal(modulePathOf(Buffer.from(text)), want);
  });

test("legacyGoMod() names the module and quotes what needs it", () => {
  assert.equal(legacyGoMod("example.com/m"), "module example.com/m\n");
  assert.equal(legacyGoMod("a b"), 'module "a b"\n');
  assert.equal(legacyGoMod("("), "module (\n");
  assert.equal(legacyGoMod("a//b\u200b"), 'module "a//b\\u200b"\n');
});
