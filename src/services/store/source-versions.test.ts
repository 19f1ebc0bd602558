import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { formatModuleVersion } from "#protocol/version.ts";
import { MemoryTree } from "../../../test/support/memory-tree.ts";
import { recognise } from "./source-layout.ts";
import type { Layout } from "./source-layout.ts";
import { sourceVersions } from "./source-versions.ts";

const some = (...paths: string[]): MemoryTree => new MemoryTree(Object.fromEntries(paths.map((path) => [path, "x"])));

async function found(tree: MemoryTree, layout?: Layout): Promise<string[]> {
  const placed = await recognise(tree, layout);
  assert.ok(placed !== undefined);
  const lines: string[] = [];
  for await (const item of sourceVersions(tree, placed))
    lines.push(
      item.kind === "version"
        ? `${formatModuleVersion(item.id)} ${Object.keys(item.files).join("+")}`
        : `${item.path} ${item.why}`,
    );
  return lines.sort();
}

suite("which directory it is", () => {
  const cases: readonly (readonly [string, MemoryTree, string | undefined])[] = [
    [
      "a GOMODCACHE",
      some("cache/download/example.com/a/@v/v1.0.0.mod", "example.com/a@v1.0.0/a.go"),
      "gomodcache cache/download",
    ],
    ["its cache/download", some("example.com/a/@v/v1.0.0.ziphash", "example.com/a/@v/v1.0.0.zip"), "gomodcache "],
    ["a goproxy's", some("example.com/a/@v/v1.0.0.zip", "example.com/a/@latest", "sumdb/x/latest"), "goproxy "],
    ["an Athens'", some("example.com/a/v1.0.0/source.zip", "example.com/a/v1.0.0/go.mod"), "athens "],
    ["a tree", some("example.com/a/@v/v1.0.0.zip"), "file "],
    ["a store", some("granary.json", "modules/example.com/a/@v/v1.0.0.zip"), "file modules"],
    ["nothing of the kind", some("README.md", "src/main.go"), undefined],
    ["an empty one", some(), undefined],
  ];
  for (const [title, tree, want] of cases)
    test(title, async () => {
      const placed = await recognise(tree);
      assert.equal(placed && `${placed.layout} ${placed.base}`, want);
    });

  test("what somebody says it is counts, where it begins is found all the same", async () => {
    const cache = some("cache/download/example.com/a/@v/v1.0.0.mod");
    assert.deepEqual(await recognise(cache, "file"), { layout: "file", base: "cache/download" });
    assert.deepEqual(await recognise(cache, "athens"), { layout: "athens", base: "" });
  });
});

suite("what lies in it", () => {
  test("versions with the files that are there, whatever else proxies and go keep beside them", async () => {
    const names = ["v1.0.0.info", "v1.0.0.mod", "v1.0.0.zip", "v1.0.0.ziphash", "v1.0.0.lock", "list", "v1.1.0.mod"];
    const more = [
      "v1.2.0.info",
      "master.info",
      "v1.info",
      "v1.0.0.zip.manifest",
      ".v1.3.0.zip.tmp.7",
      "v1.3.0.zip9.tmp",
    ];
    const tree = some(
      ...[...names, ...more].map((name) => `github.com/!azure/a/@v/${name}`),
      "github.com/!azure/a/@latest",
      "github.com/.DS_Store",
      "sumdb/sum.example/lookup/github.com/!azure/a@v1.0.0",
      "example.com/b/@v/v1.0.0-!r!c1.zip",
    );
    assert.deepEqual(await found(tree), [
      "example.com/b@v1.0.0-RC1 zip",
      "github.com/Azure/a@v1.0.0 info+mod+zip",
      "github.com/Azure/a@v1.1.0 mod",
      "github.com/Azure/a@v1.2.0 info",
    ]);
  });

  test("an Athens keeps nothing escaped, and dies before it has written all", async () => {
    const tree = some(
      "github.com/Azure/a/v1.0.0-RC1/v1.0.0-RC1.info",
      "github.com/Azure/a/v1.0.0-RC1/go.mod",
      "github.com/Azure/a/v1.0.0-RC1/source.zip",
      "github.com/Azure/a/v2/v2.0.0/go.mod",
      "github.com/Azure/a/v1.1.0/source.zip",
      "github.com/Azure/a/v2.0.0/source.zip",
      "github.com/Azure/notes.txt",
    );
    assert.deepEqual(await found(tree), [
      "github.com/Azure/a/v2.0.0 misnamed",
      "github.com/Azure/a/v2@v2.0.0 mod",
      "github.com/Azure/a@v1.0.0-RC1 info+mod+zip",
      "github.com/Azure/a@v1.1.0 zip",
      "github.com/Azure/notes.txt foreign",
    ]);
  });

  test("what cannot be a module is told by its path", async () => {
    const tree = some(
      "example.com/a/@v/v1.0.0.zip",
      "example.com/a/@v/notes.txt",
      "example.com/a/@v/v1.0.zip",
      "example.com/A/@v/v1.0.0.mod",
      "example.com/README",
      "example.com/locked/@v/v1.0.0.mod",
    );
    tree.odd.add("example.com/a/@v/v1.2.0.zip").add("example.com/pipe");
    tree.locked.add("example.com/locked/@v");
    assert.deepEqual(await found(tree), [
      "example.com/A/@v/v1.0.0 misnamed",
      "example.com/README foreign",
      "example.com/a/@v/notes.txt foreign",
      "example.com/a/@v/v1.0 misnamed",
      "example.com/a/@v/v1.2.0.zip odd",
      "example.com/a@v1.0.0 zip",
      "example.com/locked/@v unreadable",
      "example.com/pipe odd",
    ]);
  });

  test("folders without an end are given up", async () => {
    const deep = Array.from({ length: 700 }, () => "deep").join("/");
    const lines = await found(some("example.com/a/@v/v1.0.0.mod", `${deep}/x`), "file");
    assert.deepEqual(
      lines.map((line) => line.split(" ").at(-1)),
      ["too-deep", "mod"],
    );
  });
});
