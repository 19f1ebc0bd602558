import assert from "node:assert/strict";
import { test } from "node:test";
import {
  parsePlatform,
  targetOf,
  toolchainFiles,
  wantedOfFile,
  wantedOfGoSum,
  wantedOfList,
  withoutRepeats,
} from "./wanted.ts";

const targets = (files: Parameters<typeof withoutRepeats>[0] | undefined): string[] =>
  (files ?? []).map((file) => targetOf(file));

test("a list names versions, with comments and blank lines", () => {
  const text = "# ours\n\nexample.com/a@v1.0.0\n  github.com/Azure/x@v2.0.0+incompatible  # why\r\n";
  assert.deepEqual(targets(wantedOfList(text)), [
    "/example.com/a/@v/v1.0.0.mod",
    "/example.com/a/@v/v1.0.0.info",
    "/example.com/a/@v/v1.0.0.zip",
    "/github.com/%21azure/x/@v/v2.0.0+incompatible.mod",
    "/github.com/%21azure/x/@v/v2.0.0+incompatible.info",
    "/github.com/%21azure/x/@v/v2.0.0+incompatible.zip",
  ]);
});

for (const [text, line] of [
  ["example.com/a@v1.0.0\nexample.com/b\n", 2],
  ["example.com/a@latest\n", 1],
  ["nodots@v1.0.0\n", 1],
  ["\nexample.com/a@v2.0.0\n", 2],
  ["example.com/a@v1.0.0 more\n", 1],
] as const)
  test(`a list is refused with its line: ${JSON.stringify(text)}`, () => {
    assert.throws(() => wantedOfList(text), { name: "BadLine", line });
  });

test("a go.sum wants the whole of a version, or for a /go.mod line its go.mod alone", () => {
  const hash = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  const text = `example.com/a v1.0.0 ${hash}\nexample.com/a v1.0.0/go.mod ${hash}\nexample.com/b v0.1.0/go.mod ${hash}\n`;
  assert.deepEqual(targets(withoutRepeats(wantedOfGoSum(text))), [
    "/example.com/a/@v/v1.0.0.mod",
    "/example.com/a/@v/v1.0.0.info",
    "/example.com/a/@v/v1.0.0.zip",
    "/example.com/b/@v/v0.1.0.mod",
  ]);
  assert.throws(() => wantedOfGoSum("example.com/a v1.0.0\n"), { name: "BadLine", line: 1 });
});

test("a folder's files are known by their names, in a proxy layout or a module cache", () => {
  assert.deepEqual(targets(wantedOfFile("github.com/!azure/x/@v/v1.0.0.mod")), [
    "/github.com/%21azure/x/@v/v1.0.0.mod",
  ]);
  assert.equal(targets(wantedOfFile("cache/download/example.com/a/@v/v1.0.0.zip")).length, 3);
  for (const name of ["example.com/a/@v/list", "example.com/a/@v/v1.0.0.ziphash", "a.txt", "UPPER.com/a/@v/v1.0.0.mod"])
    assert.equal(wantedOfFile(name), undefined, name);
});

test("toolchains are those of go and toolchain lines that were published as modules, for each platform", () => {
  const named = (go: string | undefined, toolchain: string | undefined): string[] =>
    targets(toolchainFiles({ go, toolchain }, ["linux-amd64", "darwin-arm64"]))
      .filter((target) => target.endsWith(".zip"))
      .map((target) => target.slice("/golang.org/toolchain/@v/v0.0.1-".length, -".zip".length));
  assert.deepEqual(named("1.22.3", "go1.23.1"), [
    "go1.22.3.linux-amd64",
    "go1.22.3.darwin-arm64",
    "go1.23.1.linux-amd64",
    "go1.23.1.darwin-arm64",
  ]);
  for (const [go, toolchain] of [
    ["1.22", "default"],
    ["1.20.3", undefined],
    [undefined, "local"],
  ] as const)
    assert.deepEqual(named(go, toolchain), [], `${go} ${toolchain}`);
});

test("a platform is an operating system and an architecture", () => {
  assert.equal(parsePlatform("linux/amd64"), "linux-amd64");
  for (const text of ["linux", "linux-amd64", "linux/amd64/v1", "../x", "LINUX/AMD64"])
    assert.equal(parsePlatform(text), undefined, text);
});
