import assert from "node:assert/strict";
import { test } from "node:test";
import { formatModuleVersion } from "#protocol/version.ts";
import { versionsOf } from "./tags.ts";

const root = "git.corp.example/x";
const tags = [
  ["v1.2.3", ["git.corp.example/x@v1.2.3"]],
  ["v0.1.0-rc.1", ["git.corp.example/x@v0.1.0-rc.1"]],
  ["v2.0.0", ["git.corp.example/x/v2@v2.0.0", "git.corp.example/x@v2.0.0+incompatible"]],
  ["sub/v1.2.3", ["git.corp.example/x/sub@v1.2.3"]],
  ["a/b/v3.1.0", ["git.corp.example/x/a/b/v3@v3.1.0"]],
  ["v1.2", []],
  ["v1.2.3+meta", []],
  ["v2.0.0+incompatible", []],
  ["1.2.3", []],
  ["release", []],
  ["", []],
  ["/v1.2.3", ["git.corp.example/x@v1.2.3"]],
  ["../v1.2.3", []],
  ["a//b/v1.2.3", []],
  // Go takes such a folder; it never becomes an argument of anything.
  ["-x/v1.2.3", ["git.corp.example/x/-x@v1.2.3"]],
  ["sub\n/v1.2.3", []],
  [`${"x".repeat(255)}/v1.2.3`, []],
] as const;
for (const [tag, want] of tags)
  test(`the tag ${JSON.stringify(tag.slice(0, 40))}`, () => {
    assert.deepEqual(versionsOf(root, tag).map(formatModuleVersion), want);
  });
