import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMapping, repositoryOf, rootOf } from "./hooks.ts";
import type { Hook } from "./hooks.ts";

const mappings = [
  ["git.corp.example", { repository: "git.corp.example", module: "git.corp.example" }],
  ["Git.Corp.example/Team", { repository: "git.corp.example/Team", module: "git.corp.example/Team" }],
  ["git.corp.example:3000/x=go.corp.example/x", { repository: "git.corp.example:3000/x", module: "go.corp.example/x" }],
  ["forge/x=go.corp.example/x", { repository: "forge/x", module: "go.corp.example/x" }],
  // A module path has no port: what stands in its place must be said.
  ["git.corp.example:3000/x", undefined],
  ["https://git.corp.example/x", undefined],
  ["git.corp.example/x=", undefined],
  ["git.corp.example/x=../y", undefined],
  ["git.corp.example/x?y", undefined],
  ["forge", undefined],
  ["", undefined],
] as const;
for (const [text, want] of mappings)
  test(`parseMapping(${text})`, () => {
    assert.deepEqual(parseMapping(text), want);
  });

const urls = [
  ["https://git.corp.example/team/x.git", "git.corp.example/team/x"],
  ["https://GIT.corp.example/Team/x", "git.corp.example/Team/x"],
  ["http://git.corp.example:3000/team/x.git", "git.corp.example:3000/team/x"],
  ["https://user:secret@git.corp.example/x.git", "git.corp.example/x"],
  ["ssh://git@git.corp.example/x.git", "git.corp.example/x"],
  ["git@git.corp.example:x.git", undefined],
  ["file:///etc/passwd", undefined],
  ["javascript:alert(1)", undefined],
  ["https://git.corp.example/", undefined],
  ["https://git.corp.example/a%2Fb", undefined],
  ["https://git.corp.example/a//b", undefined],
  [`https://git.corp.example/${"x".repeat(1000)}`, undefined],
  ["", undefined],
] as const;
for (const [url, want] of urls)
  test(`repositoryOf(${url.slice(0, 60)})`, () => {
    assert.equal(repositoryOf(url), want);
  });

const hook: Hook = {
  name: "team",
  forge: "github",
  secret: "",
  repositories: ["git.corp.example/team", "git.corp.example/team/vanity=go.corp.example"].map(
    (text) => parseMapping(text) ?? assert.fail(text),
  ),
};
const roots = [
  ["git.corp.example/team/x", "git.corp.example/team/x"],
  ["git.corp.example/team", "git.corp.example/team"],
  ["git.corp.example/team/vanity/x", "go.corp.example/x"],
  ["git.corp.example/teamster/x", undefined],
  ["git.corp.example", undefined],
] as const;
for (const [repository, want] of roots)
  test(`the module of ${repository}`, () => {
    assert.equal(rootOf(hook, repository), want);
  });
