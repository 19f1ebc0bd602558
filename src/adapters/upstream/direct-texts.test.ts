import assert from "node:assert/strict";
import { test } from "node:test";
import { fitToShow, missingProgram, statesAbsence } from "./direct-texts.ts";

// As go 1.26 and git 2.39 wrote them.
const absences = [
  "git.corp.example/team/x@v9.9.9: invalid version: unknown revision v9.9.9",
  'module git.corp.example/team/x/y: no matching versions for query "latest"',
  "git.corp.example/x/v3@v3.0.0: invalid version: missing git.corp.example/x/go.mod and .../v3/go.mod at revision v3.0.0",
  "git.corp.example/x/in@v0.1.0: invalid version: missing git.corp.example/x/in/go.mod at revision in/v0.1.0",
  'git.corp.example/x@v2.0.0+incompatible: invalid version: module contains a go.mod file, so module path must match major version ("git.corp.example/x/v2")',
  'git.corp.example/x/v2@v2.0.0: invalid version: go.mod has non-.../v2 module path "git.corp.example/x" at revision v2.0.0',
  "git.corp.example/x@v0.0.0-20240101000000-0123456789ab: invalid version: unknown revision 0123456789ab",
  "git.corp.example/x@v0.0.0-20250101000000-0123456789ab: invalid pseudo-version: does not match version-control timestamp (expected 20240101000000)",
  "git.corp.example/x@latest: invalid version: git ls-remote -q https://git.corp.example/x in …: exit status 128:\n\tfatal: repository 'https://git.corp.example/x/' not found",
];
const doubts = [
  "git.corp.example/x@latest: invalid version: git ls-remote -q https://git.corp.example/x in …: exit status 128:\n\tfatal: could not read Username for 'https://git.corp.example': terminal prompts disabled",
  "… exit status 128:\n\tfatal: Authentication failed for 'https://git.corp.example/x/'",
  "… exit status 128:\n\tfatal: unable to access 'https://git.corp.example/x/': The requested URL returned error: 503",
  "… exit status 128:\n\tfatal: unable to access 'https://git.corp.example/x/': CONNECT tunnel failed, response 403",
  "… exit status 128:\n\tfatal: the remote end hung up unexpectedly",
  'unrecognized import path "git.corp.example/x": reading http://git.corp.example/x?go-get=1: 502 Bad Gateway',
  'create zip: A.go: case-insensitive file name collision: "A.go" and "a.go"',
  "signal: killed",
  "unknown revision",
  "",
];
for (const text of absences) test(`an absence: ${text.slice(0, 90)}`, () => assert.ok(statesAbsence(text)));
for (const text of doubts) test(`a doubt: ${text.slice(0, 90)}`, () => assert.ok(!statesAbsence(text)));

test("a missing program is named", () => {
  assert.equal(missingProgram('git init --bare in …: exec: "git": executable file not found in $PATH'), "git");
  assert.equal(missingProgram("exit status 128"), undefined);
});

test("what is shown has no secret, no path of ours, no control character, and one line", () => {
  const text =
    "go: in /tmp/run-1/mod/cache:\n\tfatal: https://bob:hunter2@x.example/ token hunter2 \u001b[31mred\u202e\n";
  const shown = fitToShow(text, { folders: ["/tmp/run-1"], secrets: ["hunter2"] });
  assert.equal(shown, "go: in …/mod/cache: · fatal: https://xxxxx@x.example/ token xxxxx  [31mred");
  assert.ok(fitToShow("x".repeat(10_000), { folders: [], secrets: [] }).length < 1_000);
});

test("git's and ssh's own words come first", () => {
  const said = (words: string): string =>
    fitToShow(
      `a.example/x@v1.0.0: invalid version: git ls-remote -q --end-of-options https://a.example/x in /run/mod/cache/vcs/a609: exit status 128:\n\t${words}`,
      { folders: ["/run"], secrets: [] },
    );
  const about = "a.example/x@v1.0.0: invalid version: git ls-remote: · ";
  assert.equal(said("fatal: Authentication failed"), `${about}fatal: Authentication failed`);
  const changed = `${"@".repeat(59)}\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n${"@".repeat(59)}\nIT IS POSSIBLE\n`;
  assert.equal(said(`${changed}Host key verification failed.`), `${about}Host key verification failed.`);
});
