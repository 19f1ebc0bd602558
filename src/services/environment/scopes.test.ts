import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Finding } from "#services/findings/finding.ts";
import { readGitlabCi } from "./ci-files.ts";
import { readGoEnvFile, exported } from "./env-lines.ts";
import { findScopeTrouble } from "./scope-findings.ts";
import { cellOf, scopeRows } from "./scopes.ts";
import type { ScopeFile, ScopeKind } from "./scopes.ts";
import { readShell } from "./shell-file.ts";
import { readUnitTexts, unitScope } from "./unit-scope.ts";

function shellFile(scope: ScopeKind, file: string, text: string): ScopeFile {
  return { scope, file, reading: readShell(text) };
}

function here(values: Readonly<Record<string, string>>): ScopeFile {
  const assignments = Object.entries(values).map(([name, value]) => exported(name, value, 0));
  return { scope: "terminal", file: "process environment", reading: { assignments, traps: [] } };
}

function userFile(text: string): ScopeFile {
  return { scope: "user", file: "~/.config/go/env", reading: readGoEnvFile(text) };
}

function unit(
  text: string,
  { isOfUser = false, more = {} }: { isOfUser?: boolean; more?: Record<string, string> } = {},
) {
  const texts = { name: "app.service", isOfUser, texts: [{ file: "app.service", text }] };
  const reading = readUnitTexts(texts);
  const named = reading.files.map(({ path }) => ({ file: path, text: more[path] }));
  return unitScope(texts, reading, {
    environmentFiles: named.flatMap(({ file, text: read }) => (read === undefined ? [] : [{ file, text: read }])),
    unread: named.filter(({ text: read }) => read === undefined).map(({ file }) => file),
  });
}

function codes(findings: readonly Finding[]): string[] {
  return findings.map(({ code, fields }) => `${code} ${String(fields["name"] ?? fields["unit"])}`);
}

test("the matrix: the same letter is the same value, a question mark for what may not happen", () => {
  const files = [
    here({ GOPROXY: "https://a" }),
    shellFile("rc", "~/.bashrc", "export GOPROXY=https://a\nif x; then export GOPROXY=https://b; fi\nexport EDITOR=vi"),
    userFile("GOPROXY=https://c\nGOSUMDB=x\n"),
    {
      scope: "ci" as const,
      file: ".gitlab-ci.yml",
      reading: readGitlabCi("a: {variables: {GOPROXY: https://b}}\nb: {variables: {GOPROXY: https://c}}"),
    },
  ];
  const rows = scopeRows(files);
  assert.deepEqual(
    rows.map((row) => [
      row.name,
      ...(["terminal", "rc", "user", "ci", "unit"] as const).map((kind) => cellOf(row, kind)),
    ]),
    [
      ["GOPROXY", "A", "A,B?", "C", "B,C", ""],
      ["GOSUMDB", "", "", "A", "", ""],
    ],
  );
});

test("within a file the last assignment counts, and unset takes it away", () => {
  const [row] = scopeRows([
    shellFile("rc", "f", "export GOPROXY=a\nexport GOPROXY=b\nexport GOSUMDB=c\nunset GOSUMDB"),
  ]);
  assert.deepEqual(
    row?.values.map(({ value }) => value),
    ["b"],
  );
  assert.equal(scopeRows([shellFile("rc", "f", "export GOSUMDB=c\nunset GOSUMDB")]).length, 0);
});

const healthy: readonly (readonly [string, readonly ScopeFile[]])[] = [
  ["nothing", []],
  ["go env -w alone", [userFile("GOPROXY=https://a\n")]],
  ["the same everywhere", [here({ GOPROXY: "a" }), shellFile("rc", "f", "export GOPROXY=a"), userFile("GOPROXY=a\n")]],
  ["a shell's own variable", [shellFile("rc", "f", "EDITOR=vi\nexport PATH=$PATH:/go/bin")]],
  ["a login file", [shellFile("login", "/etc/profile", "export GOPROXY=a"), here({ GOPROXY: "a" })]],
  ["a unit with a user", unit("[Service]\nUser=app\nEnvironment=GOPROXY=a\n")],
  ["a unit with HOME", unit('[Service]\nEnvironment="HOME=/var/lib/app" GOPROXY=a\n')],
  ["HOME in an environment file", unit("[Service]\nEnvironmentFile=/e\n", { more: { "/e": "HOME=/h\n" } })],
  ["a unit of the user's manager", unit("[Service]\nExecStart=x\n", { isOfUser: true })],
];

suite("healthy machines have no findings", () => {
  for (const [name, files] of healthy) test(name, () => assert.deepEqual(codes(findScopeTrouble(files)), []));
});

const troubles: readonly (readonly [string, readonly ScopeFile[], readonly string[]])[] = [
  ["the terminal hides the file", [here({ GOPROXY: "a" }), userFile("GOPROXY=b\n")], ["SCOPE_SHADOWED GOPROXY"]],
  [
    "two files differ",
    [shellFile("rc", "f", "export GOPROXY=a"), shellFile("login", "g", "export GOPROXY=b")],
    ["SCOPE_DIFFERENT GOPROXY"],
  ],
  ["interactive only", [shellFile("rc", "f", "export GOPROXY=a")], ["SCOPE_ONLY_INTERACTIVE GOPROXY"]],
  ["not exported", [shellFile("rc", "f", "GOPROXY=a")], ["SCOPE_NOT_EXPORTED GOPROXY"]],
  ["a pipe", [shellFile("rc", "f", "export GOPROXY=https://a|direct")], ["SCOPE_VALUE_CUT GOPROXY"]],
  ["a blank", [shellFile("rc", "f", "export GOPROXY=https://a, direct")], ["SCOPE_VALUE_CUT GOPROXY"]],
  ["no HOME", unit("[Service]\nExecStart=x\n"), ["SCOPE_UNIT_NO_HOME app.service"]],
  [
    "HOME taken away",
    unit("[Service]\nEnvironment=HOME=/h\nUnsetEnvironment=HOME\n"),
    ["SCOPE_UNIT_NO_HOME app.service"],
  ],
  [
    "a unit does not see the user's file",
    [userFile("GOPROXY=b\n"), ...unit("[Service]\nUser=app\n")],
    ["SCOPE_UNIT_UNSEEN app.service"],
  ],
  [
    "export in an environment file",
    unit("[Service]\nUser=a\nEnvironmentFile=/e\n", { more: { "/e": "export GOPROXY=a\n" } }),
    ["SCOPE_EXPORT_IGNORED GOPROXY"],
  ],
  [
    "another one in a unit",
    [
      here({ GOPROXY: "a" }),
      shellFile("login", "g", "export GOPROXY=a"),
      ...unit("[Service]\nUser=a\nEnvironment=GOPROXY=b\n"),
    ],
    ["SCOPE_OTHER_ELSEWHERE GOPROXY"],
  ],
  [
    "a password in a CI file",
    [{ scope: "ci", file: "c", reading: readGitlabCi("variables: {GOPROXY: 'https://me:pw@a.example'}") }],
    ["SCOPE_SECRET_IN_FILE GOPROXY"],
  ],
  [
    "a CI variable from the settings",
    [{ scope: "ci", file: "c", reading: readGitlabCi("variables: {GOPROXY: $CORP_PROXY}") }],
    ["SCOPE_FROM_CI_SETTINGS GOPROXY"],
  ],
];

suite("broken machines", () => {
  for (const [name, files, want] of troubles) test(name, () => assert.deepEqual(codes(findScopeTrouble(files)), want));

  test("evidence tells no password, and names the place", () => {
    const [, files] = troubles.find(([name]) => name === "a password in a CI file")!;
    const [finding] = findScopeTrouble(files);
    assert.deepEqual(
      finding?.evidence.map(({ text }) => text),
      ["https://***@a.example   c:1"],
    );
  });

  test("an environment file that could not be read may set HOME", () => {
    const [finding] = findScopeTrouble(unit("[Service]\nEnvironmentFile=/gone\n"));
    assert.deepEqual([finding?.code, finding?.confidence], ["SCOPE_UNIT_NO_HOME", "possible"]);
  });
});

test("a unit's drop-ins win and keep their own lines; environment files win over both", () => {
  const texts = {
    name: "app.service",
    isOfUser: false,
    texts: [
      { file: "a", text: "[Service]\nEnvironment=GOPROXY=1 GOSUMDB=1 GOFLAGS=1" },
      { file: "b", text: "# c\n[Service]\nEnvironment=GOPROXY=2 GOSUMDB=2\n" },
    ],
  };
  const files = unitScope(texts, readUnitTexts(texts), {
    environmentFiles: [{ file: "e", text: "\nGOPROXY=3\n" }],
    unread: [],
  });
  const told = files.flatMap(({ file, reading }) =>
    reading.assignments.map(({ name, value, line }) => `${name}=${value} ${file}:${line}`),
  );
  assert.deepEqual(told, ["GOFLAGS=1 a:2", "GOSUMDB=2 b:3", "GOPROXY=3 e:2"]);
});
