// The readers of settings: shells, units, CI files, images. Whatever stands in a file, they answer, throw nothing, name
// lines that are there, and take time that grows with the text and not with its square.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";

import { linesOf } from "#services/environment/env-lines.ts";
import type { Reading } from "#services/environment/assignment.ts";
import { readCompose, readGitlabCi, readWorkflow } from "#services/environment/ci-files.ts";
import { hasHook } from "#services/environment/direnv.ts";
import { readDockerfile } from "#services/environment/dockerfile.ts";
import { readDotenv, readGoEnvFile, readPamEnvironment } from "#services/environment/env-lines.ts";
import { readJenkinsfile } from "#services/environment/jenkinsfile.ts";
import { withBlock } from "#services/environment/own-block.ts";
import { readShell } from "#services/environment/shell-file.ts";
import { readUnitEnvFile } from "#services/environment/unit-env-file.ts";
import { readUnit } from "#services/environment/unit-file.ts";
import { wishesOf } from "#services/environment/wishes.ts";
import { announceSeed } from "./arbitraries.ts";

const isLong = process.env["LONG"] === "1";
const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 31);
/** Together more than 1e5 inputs over the readers when LONG. */
const numRuns = Number(process.env["FUZZ_RUNS"] ?? (isLong ? 10_000 : 150));
/** Enough that a reader which goes over its text once per character takes minutes; YAML takes 15 µs for each. */
const longChars = (isLong ? 512 : 48) * 1024;
const longYamlChars = (isLong ? 128 : 4) * 1024;
const hangs = { timeout: 300_000 };

const shell = [
  "export GOPROXY='https://a|b' GOSUMDB=\"x $Y\" # c\n",
  "if [ -f /x ]; then\n  . /x; export A=$(go env GOPATH)/bin\nfi\n",
  "cat <<-EOF >f\n\texport A=1\n\tEOF\ncase $x in a) export B=1;; esac\nf() { unset A; }\n",
  "set -gx GOPROXY https://a\nif x\nelse if y\nend\nset -e A\nset -a; A=1 go env -w B=2 | cat\n",
  'use go 1.21.6\ndotenv\neval "$(direnv hook zsh)"\nexport GOPROXY=https://a, direct\n',
];
const unit = [
  '[Service]\nEnvironment="A=b c" D=\\x20 \\\n E=1\nEnvironmentFile=-/x\nUser=a\n',
  'A="x\\"" y\n# c\\\nB=\'z\'\n',
];
const yaml = [
  "x: &a\n  GOPROXY: y\nvariables: {A: 1, <<: *a}\njob:\n  variables:\n    <<: [*a, *a]\n  script:\n    - |\n      export A=1\n",
  "on: push\njobs:\n  a:\n    steps:\n      - run: echo A=1 >> $GITHUB_ENV\n",
  "services:\n  a:\n    environment:\n      - A=1\n    build: {args: {B: 2}}\n",
];
const docker = ['FROM x AS y\nENV A=1 B="2 3" \\\n  # c\n  C=4\nARG D=5\nRUN go env -w E=6 && x\n'];
const jenkins = [
  "pipeline { environment { A = 'b'\n C = \"$D\" } stages { stage('x') { environment {\nE = credentials('y')\n}}}}\n",
];

type Reader = { readonly read: (text: string) => Reading; readonly seeds: readonly string[] };

const readers: Readonly<Record<string, Reader>> = {
  "readShell, sh": { read: (text) => readShell(text), seeds: shell },
  "readShell, fish": { read: (text) => readShell(text, { dialect: "fish" }), seeds: shell },
  readUnit: { read: readUnit, seeds: unit },
  readUnitEnvFile: { read: readUnitEnvFile, seeds: unit },
  readPamEnvironment: { read: readPamEnvironment, seeds: [...shell, ...unit] },
  readDotenv: { read: readDotenv, seeds: [...shell, ...unit] },
  readGoEnvFile: { read: readGoEnvFile, seeds: unit },
  readGitlabCi: { read: readGitlabCi, seeds: yaml },
  readWorkflow: { read: readWorkflow, seeds: yaml },
  readCompose: { read: readCompose, seeds: yaml },
  readDockerfile: { read: readDockerfile, seeds: docker },
  readJenkinsfile: { read: readJenkinsfile, seeds: jenkins },
};

announceSeed();

for (const [name, { read, seeds }] of Object.entries(readers)) {
  test(`${name}: any text is read, and every line named is there`, hangs, () => {
    fc.assert(
      fc.property(near(seeds), (text) => checkReading(read(text), text)),
      { seed, numRuns },
    );
  });

  // The three readers of YAML share the parser that takes the time.
  if (seeds === yaml && name !== "readGitlabCi" && !isLong) continue;
  test(`${name}: long runs do not take the time of their square`, hangs, () => {
    const chars = seeds === yaml ? longYamlChars : longChars;
    for (const part of partsOf(seeds)) {
      const text = part.repeat(Math.ceil(chars / part.length)).slice(0, chars);
      for (const shown of [text, `${seeds[0] ?? ""}${text}\n\u0001`]) checkReading(read(shown), shown);
    }
  });
}

test("wishes, hooks and our own block: any text", hangs, () => {
  fc.assert(
    fc.property(near(shell), (text) => {
      wishesOf({ envrc: text, dotenv: text, goVersion: text, toolVersions: text });
      hasHook(text);
      const once = withBlock(text, ["export A=1"]);
      // Written twice is written once.
      if (once !== undefined) assert.equal(withBlock(once, ["export A=1"]), once);
    }),
    { seed, numRuns },
  );
});

function checkReading({ assignments, traps }: Reading, text: string): void {
  const lines = linesOf(text).length;
  for (const { line, name } of [...assignments, ...traps])
    assert.ok(Number.isInteger(line) && line >= 1 && line <= lines, `${name} in line ${line} of ${lines}`);
  for (const { name } of assignments) assert.ok(name.length > 0);
}

/** A seed with some runs of characters replaced, removed or inserted; sometimes anything. */
function near(seeds: readonly string[]): fc.Arbitrary<string> {
  const marks = [
    "'",
    '"',
    "\\",
    "\n",
    "$(",
    "`",
    "{",
    "}",
    "(",
    ")",
    "|",
    ";",
    "#",
    "=",
    "<<",
    "&",
    "*",
    "[",
    ": ",
    "- ",
    "\r",
    "\0",
    "é",
  ];
  const inserted = fc.oneof(fc.constantFrom(...marks), fc.string({ unit: "binary", maxLength: 3 }));
  const change = fc.tuple(fc.nat(), fc.nat(6), inserted);
  const changed = fc.tuple(fc.constantFrom(...seeds), fc.array(change, { maxLength: 6 })).map(([text, changes]) =>
    changes.reduce((now, [place, removed, more]) => {
      const at = place % (now.length + 1);
      return now.slice(0, at) + more + now.slice(at + removed);
    }, text),
  );
  return fc.oneof(
    { weight: 5, arbitrary: changed },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
  );
}

/** What to repeat. */
function partsOf(seeds: readonly string[]): string[] {
  const single = [
    "a",
    " ",
    "\n",
    "'",
    '"',
    "\\",
    "$(",
    "${",
    "`",
    "(",
    ")",
    "{",
    "[",
    "}",
    "|",
    "&",
    ";",
    "#",
    "=",
    "A=",
    "A=1 ",
    "A=1\n",
  ];
  const more = [
    "<<a\n",
    "<<a ",
    "if ",
    "export ",
    "-",
    "- ",
    "? ",
    ": ",
    "&a ",
    "*a ",
    "x: ",
    "x: {",
    "x:\n ",
    "\t",
    "\\\n",
    "\r",
    "é",
  ];
  return [
    ...single,
    ...more,
    "export A=(",
    "a: &a [*a]\n",
    "environment {\n",
    "stage('x') { ",
    "ENV A \\\n",
    "[Service]\n",
    ...seeds,
  ];
}
