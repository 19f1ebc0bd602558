import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { chooseModuleFiles, goVersionOf, isVendored } from "./module-files.ts";
import type { ModuleFiles, TreeFile } from "./module-files.ts";
import { writeModuleZip } from "./zip-write.ts";

const mebibyte = 1024 * 1024;

function choose(paths: readonly (string | Partial<TreeFile>)[], goVersion = "1.26"): ModuleFiles<TreeFile> {
  const files = paths.map((one) => ({
    size: 1,
    kind: "regular" as const,
    path: "",
    ...(typeof one === "string" ? { path: one } : one),
  }));
  return chooseModuleFiles(files, goVersion);
}

const pathsOf = (list: readonly { readonly path: string }[]): string[] => list.map(({ path }) => path);

// Each row: path, below go 1.24, from 1.24 on.
const vendored = [
  ["vendor/modules.txt", false, true],
  ["vendor/x/y.go", true, true],
  ["vendor/x.go", false, false],
  ["vendor/vendor.go", false, false],
  ["a/vendor/x/y.go", true, true],
  ["a/vendor/modules.txt", true, false],
  ["pkg/vendor/vendor.go", true, false],
  ["longer/path/vendor/x.go", true, false],
  ["a/vendor/b", true, false],
  ["a/b", false, false],
  ["vendored/x/y.go", false, false],
] as const;

for (const [path, old, now] of vendored) {
  test(`isVendored(${path})`, () => {
    // zip.isVendoredPackage of x/mod, copied here as arithmetic on offsets.
    const from = path.startsWith("vendor/") ? 7 : path.includes("/vendor/") ? 8 : -1;
    const inOld = from >= 0 && path.slice(from).includes("/");
    assert.deepEqual([isVendored(path, "1.23.9"), isVendored(path, "")], [inOld, inOld]);
    assert.deepEqual(
      ["1.24", "1.24rc1", "1.24.0", "1.26"].map((version) => isVendored(path, version)),
      [now, now, now, now],
    );
    assert.equal(inOld, old);
  });
}

test("chooseModuleFiles() leaves out what go leaves out, each with its reason", () => {
  const { taken, omitted, refused } = choose([
    "go.mod",
    "a.go",
    "vendor/x/y.go",
    "sub/go.mod",
    "sub/deep/x.go",
    "Other/GO.MOD",
    "Other/x.go",
    ".hg_archival.txt",
    "docs/.hg_archival.txt",
    { path: "link", kind: "symlink" },
    { path: "pipe", kind: "irregular" },
    { path: "linked/go.mod", kind: "symlink" },
    "linked/x.go",
    ".gitignore",
    ".github/x.yml",
  ]);
  assert.deepEqual(pathsOf(taken), [
    "go.mod",
    "a.go",
    "docs/.hg_archival.txt",
    "linked/x.go",
    ".gitignore",
    ".github/x.yml",
  ]);
  assert.deepEqual(
    omitted.map(({ path, reason }) => `${path} ${reason}`),
    [
      "vendor/x/y.go vendored",
      "sub/go.mod nested-module",
      "sub/deep/x.go nested-module",
      "Other/GO.MOD nested-module",
      "Other/x.go nested-module",
      ".hg_archival.txt hg-archival",
      "link symlink",
      "pipe irregular",
      "linked/go.mod symlink",
    ],
  );
  assert.deepEqual(refused, []);
});

const refusals: readonly (readonly [string, readonly (string | Partial<TreeFile>)[], string])[] = [
  ["names equal but for case", ["a.go", "A.go"], "A.go"],
  ["directories equal but for case", ["d/a.go", "D/b.go"], "D/b.go"],
  ["a link that collides, though links are left out", ["a.go", { path: "A.go", kind: "symlink" }], "A.go"],
  ["GO.MOD at the root", ["GO.MOD"], "GO.MOD"],
  ["a name of Windows", ["con.txt"], "con.txt"],
  ["a character that no zip may have", ["a*b"], "a*b"],
  ["a path that is not clean, in a vendor folder too", ["vendor//x/y.go"], "vendor//x/y.go"],
  ["a large go.mod", [{ path: "go.mod", size: 16 * mebibyte + 1 }], "go.mod"],
  ["a large LICENSE", [{ path: "LICENSE", size: 16 * mebibyte + 1 }], "LICENSE"],
  ["too much", Array.from({ length: 3 }, (_, i) => ({ path: `f${i}`, size: 200 * mebibyte })), ""],
];

for (const [what, files, path] of refusals) {
  test(`chooseModuleFiles() refuses ${what}`, () => {
    assert.deepEqual(pathsOf(choose(files).refused), [path]);
  });
}

test("chooseModuleFiles() takes what is as large as may be", () => {
  const files = [
    { path: "go.mod", size: 16 * mebibyte },
    { path: "LICENSE", size: 16 * mebibyte },
    { path: "sub/LICENSE", size: 468 * mebibyte },
  ];
  assert.deepEqual(choose(files).refused, []);
  assert.equal(choose([...files, "one more"]).refused.length, 1);
});

test("chooseModuleFiles() counts no names of what is left out", () => {
  assert.deepEqual(choose(["sub/go.mod", "sub/A.go", "sub/a.go", "sub/con"]).refused, []);
});

const element = fc.constantFrom(
  "a",
  "A",
  "b.go",
  "go.mod",
  "GO.mod",
  "vendor",
  "modules.txt",
  "con",
  "LICENSE",
  "ü",
  "x*",
);
const tree = fc.uniqueArray(
  fc.array(element, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
  { maxLength: 12 },
);

test("chooseModuleFiles() names each file once, and what it takes makes a zip when it refuses nothing", () => {
  fc.assert(
    fc.property(tree, fc.constantFrom("", "1.18", "1.24"), (paths, goVersion) => {
      const { taken, omitted, refused } = choose(paths, goVersion);
      assert.deepEqual([...pathsOf(taken), ...pathsOf(omitted), ...pathsOf(refused)].sort(), paths.toSorted());
      if (refused.length > 0) return;
      const files = taken.map(({ path }) => ({ name: path, content: Buffer.of(1) }));
      writeModuleZip({ path: "example.com/m", version: "v1.0.0" }, files);
    }),
    { numRuns: 2_000 },
  );
});

test("goVersionOf() reads what go reads, and is empty for the rest", () => {
  const version = (text: string): string => goVersionOf(Buffer.from(text));
  assert.equal(version("module example.com/m\n\ngo 1.24.1\n"), "1.24.1");
  assert.equal(version("module example.com/m\n"), "");
  assert.equal(version("go 1.24\n(((\n"), "");
  assert.equal(goVersionOf(undefined), "");
});
