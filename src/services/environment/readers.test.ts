// Real samples of every kind of file that is no shell.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Reading } from "./assignment.ts";
import { readCompose, readGitlabCi, readWorkflow } from "./ci-files.ts";
import { readDockerfile } from "./dockerfile.ts";
import { readDotenv, readGoEnvFile, readPamEnvironment } from "./env-lines.ts";
import { readJenkinsfile } from "./jenkinsfile.ts";
import { readUnitEnvFile } from "./unit-env-file.ts";
import { readUnit, splitUnitWords } from "./unit-file.ts";

function told({ assignments }: Reading): string[] {
  return assignments.map(
    ({ name, value, line, kind, isLiteral, part }) =>
      `${name}=${value} @${line}${kind === "exported" ? "" : ` ${kind}`}${isLiteral ? "" : "*"}${part && ` (${part})`}`,
  );
}

test("/etc/environment: export, quotes, comments that end even quoted values", () => {
  const text = `PATH="/usr/bin:/bin"
export GOPROXY=https://a.example,direct
  GOSUMDB='sum.example'   # c
GOPRIVATE="a#b"
1-X=y
GOFLAGS=$HOME
`;
  assert.deepEqual(told(readPamEnvironment(text)), [
    "PATH=/usr/bin:/bin @1",
    "GOPROXY=https://a.example,direct @2",
    "GOSUMDB=sum.example @3",
    "GOPRIVATE=a @4",
    "GOFLAGS=$HOME @6",
  ]);
});

test(".env: blanks around =, comments behind a blank, single quotes are literal", () => {
  const text = "# c\nexport A=1 # x\nB = 'x $y # z'\nC=\"$A\"\nD=a#b\nE:\n-F=1\n";
  assert.deepEqual(told(readDotenv(text)), ["A=1 @2", "B=x $y # z @3", "C=$A @4*", "D=a#b @5", "E= @6"]);
});

test("the go env file: no trimming, no quotes, no export", () => {
  assert.deepEqual(told(readGoEnvFile('GOPROXY="x"\n GOSUMDB=y\nexport A=1\nGOFLAGS=-x=y \nB = 1\n')), [
    'GOPROXY="x" @1 kept',
    "GOFLAGS=-x=y  @4 kept",
    "B = 1 @5 kept",
  ]);
});

const unit = `[Unit]
Description=x
Environment=NOT=here
[Service]
User=app
# c
Environment="GOPROXY=https://a.example|direct" GOSUMDB=sum.example \\
  # inside
  'GOFLAGS=-mod=readonly -x'
Environment=HOME=%S/app
EnvironmentFile=-/etc/default/app
EnvironmentFile=/etc/app.env
UnsetEnvironment=LANG
ExecStart=/usr/local/go/bin/go run .
`;

test("a unit: its section, joined lines, quotes, specifiers", () => {
  const read = readUnit(unit);
  assert.deepEqual(told(read), [
    "GOPROXY=https://a.example|direct @7",
    "GOSUMDB=sum.example @7",
    "GOFLAGS=-mod=readonly -x @7",
    "HOME=%S/app @10*",
  ]);
  assert.equal(read.user, "app");
  assert.deepEqual(read.files, [
    { path: "/etc/default/app", isOptional: true, line: 11 },
    { path: "/etc/app.env", isOptional: false, line: 12 },
  ]);
  assert.deepEqual(read.commands, ["/usr/local/go/bin/go run ."]);
});

test("a unit: an empty setting forgets those before it, and a cut value is a trap", () => {
  const read = readUnit(
    "[Service]\nEnvironment=A=1\nEnvironment=\nEnvironment=GOPROXY=https://a, direct\nUser=a\nUser=\n",
  );
  assert.deepEqual(told(read), ["GOPROXY=https://a, @4"]);
  assert.deepEqual(read.traps, [{ name: "GOPROXY", line: 4, kept: "https://a,", lost: "direct", by: "blank" }]);
  assert.equal(read.user, undefined);
});

suite("splitUnitWords()", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["a b", ["a", "b"]],
    [`"a b" 'c d'e`, ["a b", "c de"]],
    ["a\\x20b \\101", ["a b", "A"]],
    ["a\\s\\tb", ["a \tb"]],
    ['a "b', ["a"]],
    ["a b\\q c", ["a"]],
    ['""', [""]],
  ];
  for (const [text, want] of cases) test(text, () => assert.deepEqual(splitUnitWords(text), want));
});

test("EnvironmentFile=: quotes at the start only, backslashes, no export", () => {
  const text = `# c \\
still a comment
A=1   
; B=2
C="x \\"y\\" \\z" tail
D='a\\b'
E=it's
export GOPROXY=https://a
F=a\\
b
G=`;
  const read = readUnitEnvFile(text);
  // systemd before 254 takes the line behind a comment's backslash for a comment; it is none that sets anything.
  assert.deepEqual(told(read), ["A=1 @3", 'C=x "y" \\ztail @5', "D=a\\b @6", "E=it's @7", "F=ab @9", "G= @11"]);
  assert.deepEqual(read.traps, [{ name: "GOPROXY", line: 8, kept: "", lost: "https://a", by: "export" }]);
});

test(".gitlab-ci.yml: global, per job, expanded form, anchors, scripts, versions stay texts", () => {
  const text = `
.go: &go
  GOPROXY: https://a.example,direct
variables:
  GO_VERSION: 1.20
  GOSUMDB:
    value: sum.example
    description: x
    expand: false
  GOPRIVATE: $CORP
build:
  stage: build
  variables:
    <<: *go
    GOFLAGS: "-x"
  script:
    - go env -w GOPROXY=https://b
    - |
      echo hi
      export GOSUMDB=off2
`;
  assert.deepEqual(told(readGitlabCi(text)), [
    "GO_VERSION=1.20 @5",
    "GOSUMDB=sum.example @7",
    "GOPRIVATE=$CORP @10*",
    "GOPROXY=https://a.example,direct @3 (job build)",
    "GOFLAGS=-x @15 (job build)",
    "GOPROXY=https://b @17 kept (job build)",
    "GOSUMDB=off2 @20 (job build)",
  ]);
});

test("a GitHub workflow: env of all, job, step, and GITHUB_ENV", () => {
  const text = `
on: push
env:
  GOPROXY: https://a
jobs:
  test:
    env: { GOFLAGS: -mod=readonly }
    steps:
      - uses: actions/setup-go@v5
      - env:
          GOSUMDB: \${{ vars.SUMDB }}
        run: |
          echo "GOPROXY=https://b" >> $GITHUB_ENV
`;
  assert.deepEqual(told(readWorkflow(text)), [
    "GOPROXY=https://a @4",
    "GOFLAGS=-mod=readonly @7 (job test)",
    "GOSUMDB=${{ vars.SUMDB }} @11* (job test)",
    "GOPROXY=https://b @13 (job test)",
  ]);
});

test("compose: mapping, list, build arguments", () => {
  const text = `
services:
  a:
    environment:
      GOPROXY: https://a
  b:
    build:
      args: [GOPROXY=https://c]
    environment:
      - GOPROXY=https://b
      - GOSUMDB
`;
  assert.deepEqual(told(readCompose(text)), [
    "GOPROXY=https://a @5 (service a)",
    "GOPROXY=https://b @10 (service b)",
    "GOPROXY=https://c @8 (service b)",
  ]);
});

test("a Dockerfile: stages, both forms of ENV, ARG, go env -w in RUN", () => {
  const text = `FROM golang:1.26 AS build
ARG GOPROXY=https://a
ENV GOPROXY=$GOPROXY \\
    # c
    GOFLAGS="-mod=readonly -x"
ENV GOSUMDB sum.example
RUN go env -w GOPRIVATE=corp.example && export A=1
FROM scratch
ENV B=1
`;
  assert.deepEqual(told(readDockerfile(text)), [
    "GOPROXY=https://a @2 once (stage build)",
    "GOPROXY=$GOPROXY @3* (stage build)",
    "GOFLAGS=-mod=readonly -x @3 (stage build)",
    "GOSUMDB=sum.example @6 (stage build)",
    "GOPRIVATE=corp.example @7 kept (stage build)",
    "B=1 @9 (stage 2)",
  ]);
});

test("a Jenkinsfile: environment of all and of a stage", () => {
  const text = `pipeline {
  agent any
  environment {
    GOPROXY = 'https://a,direct'
    // GOSUMDB = 'x'
    TOKEN = credentials('t')
  }
  stages {
    stage('Build') {
      environment { GOFLAGS = "-x \${Y}" }
      steps { sh 'GOPROXY=x go build' }
    }
  }
}
`;
  assert.deepEqual(told(readJenkinsfile(text)), [
    "GOPROXY=https://a,direct @4",
    "TOKEN=credentials(…) @6*",
    "GOFLAGS=-x ${Y} @10* (stage Build)",
  ]);
});
