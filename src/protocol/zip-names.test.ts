import assert from "node:assert/strict";
import { test } from "node:test";

import { moduleDirectories, zipPrefix } from "./zip-names.ts";

const prefix = zipPrefix({ path: "example.com/m", version: "v1.0.0" });

test("zipPrefix() spells path and version unescaped", () => {
  assert.equal(zipPrefix({ path: "github.com/Azure/x", version: "v1.0.0-RC1" }), "github.com/Azure/x@v1.0.0-RC1/");
});

test("moduleDirectories() names every directory above a file, without the module's own", () => {
  const names = ["a.go", "cmd/x/main.go", "cmd/y/z/main.go", "empty/"].map((name) => prefix + name);
  assert.deepEqual([...moduleDirectories(names, prefix)].sort(), ["cmd", "cmd/x", "cmd/y", "cmd/y/z", "empty"]);
});

test("moduleDirectories() knows nothing of names below another prefix", () => {
  assert.equal(moduleDirectories(["example.com/m/v2@v1.0.0/a/b"], prefix).size, 0);
});

test("moduleDirectories() refuses names that spell directories without end", () => {
  const names = Array.from({ length: 300 }, (_, i) => `${prefix}${i}/${"d/".repeat(1_000)}x`);
  assert.throws(() => moduleDirectories(names, prefix), { code: "BAD_ZIP" });
});
