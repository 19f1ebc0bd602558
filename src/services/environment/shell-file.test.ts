import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { suite, test } from "node:test";
import type { Assignment, Reading } from "./assignment.ts";
import { readShell } from "./shell-file.ts";

/** `GOPROXY=value @line kind?`: a question mark for what may never happen, a star for a value with expansions. */
function told({ assignments }: Reading): string[] {
  return assignments.map(
    ({ name, value, line, kind, isMaybe, isLiteral }: Assignment) =>
      `${name}=${value} @${line} ${kind}${isMaybe ? "?" : ""}${isLiteral ? "" : "*"}`,
  );
}

const cases: readonly (readonly [string, string, readonly string[]])[] = [
  ["an export", "export GOPROXY=https://a.example,direct", ["GOPROXY=https://a.example,direct @1 exported"]],
  [
    "quotes",
    `export GOPROXY='https://a|direct' GOSUMDB="sum.example"`,
    ["GOPROXY=https://a|direct @1 exported", "GOSUMDB=sum.example @1 exported"],
  ],
  ["no export", "GOPROXY=x", ["GOPROXY=x @1 local"]],
  ["an export later", "GOPROXY=x\nexport GOPROXY", ["GOPROXY=x @1 exported"]],
  ["set -a", "set -a\nGOPROXY=x", ["GOPROXY=x @2 exported"]],
  ["one command", "GOPROXY=x go build ./...", ["GOPROXY=x @1 once"]],
  ["go env -w", "# c\n\ngo env -w GOPROXY=x GOSUMDB=y", ["GOPROXY=x @3 kept", "GOSUMDB=y @3 kept"]],
  ["go env -u", "go env -u GOPROXY", ["GOPROXY= @1 taken"]],
  ["sudo go env -w", "sudo -E go env -w GOPROXY=x", ["GOPROXY=x @1 kept"]],
  ["unset", "unset GOPROXY", ["GOPROXY= @1 taken"]],
  [
    "a condition",
    "if [ -f /x ]; then\n  export GOPROXY=x\nfi\nexport GOSUMDB=y",
    ["GOPROXY=x @2 exported?", "GOSUMDB=y @4 exported"],
  ],
  [
    "an else-if",
    "if a; then :\nelif b; then export A=1\nelse export A=2; fi; export B=1",
    ["A=1 @2 exported?", "A=2 @3 exported?", "B=1 @3 exported"],
  ],
  [
    "case",
    "case $x in\n  a) export A=1 ;;\n  *) export A=2 ;;\nesac\nexport B=1",
    ["A=1 @2 exported?", "A=2 @3 exported?", "B=1 @5 exported"],
  ],
  ["&&", "[ -d /x ] && export A=1\nexport B=2", ["A=1 @1 exported?", "B=2 @2 exported"]],
  [
    "a function",
    "f() {\n export A=1\n}\nfunction g {\n export B=1\n}\nexport C=1",
    ["A=1 @2 exported?", "B=1 @5 exported?", "C=1 @7 exported"],
  ],
  ["a comment", "export A=1 # export B=2\n#export C=3", ["A=1 @1 exported"]],
  ["a here document", "cat <<EOF >f\nexport A=1\nEOF\nexport B=2", ["B=2 @4 exported"]],
  ["an indented here document", "cat <<-'E'\n\texport A=1\n\tE\nexport B=2", ["B=2 @4 exported"]],
  ["a joined line", "export \\\n  A=1 \\\n  B=2", ["A=1 @1 exported", "B=2 @1 exported"]],
  [
    "expansions",
    'export A=$HOME/go B=~/go C="$(x "y z")/b" D=`x`',
    ["A=$HOME/go @1 exported*", "B=~/go @1 exported*", 'C=$(x "y z")/b @1 exported*', "D=`x` @1 exported*"],
  ],
  ["a default", "export A=${A:-https://a|direct}", ["A=${A:-https://a|direct} @1 exported*"]],
  ["env", "env A=1 go test", ["A=1 @1 once"]],
  ["declare", "declare -x A=1; typeset -gx B=2; declare C=3", ["A=1 @1 exported", "B=2 @1 exported", "C=3 @1 local"]],
  ["redirections", "export A=1 2>/dev/null >&2; export B=2", ["A=1 @1 exported", "B=2 @1 exported"]],
  ["GITHUB_ENV", 'echo "GOPROXY=https://a" >> "$GITHUB_ENV"', ["GOPROXY=https://a @1 exported"]],
  ["plus", "export A=1\nexport A+=2", ["A=1 @1 exported", "A=2 @2 exported*"]],
];

suite("readShell()", () => {
  for (const [name, text, want] of cases) test(name, () => assert.deepEqual(told(readShell(text)), want));

  test("names that are none are passed by, and a carriage return belongs to its word", () => {
    assert.deepEqual(told(readShell('unset "" $X\nexport A=1\r\n')), ["A=1\r @2 exported"]);
  });

  test("part and line of a text inside another file", () => {
    const { assignments } = readShell("\nexport A=1", { part: "job x", firstLine: 10 });
    assert.deepEqual(
      assignments.map(({ line, part }) => [line, part]),
      [[11, "job x"]],
    );
  });
});

const fishCases: readonly (readonly [string, string, readonly string[]])[] = [
  ["set -gx", "set -gx GOPROXY https://a,direct", ["GOPROXY=https://a,direct @1 exported"]],
  ["universal", "set -Ux GOPROXY 'https://a|direct'", ["GOPROXY=https://a|direct @1 exported"]],
  ["long flags", "set --global --export GOPROXY x", ["GOPROXY=x @1 exported"]],
  ["no export", "set GOPROXY x", ["GOPROXY=x @1 local"]],
  ["erase", "set -e GOPROXY", ["GOPROXY= @1 taken"]],
  ["export works too", "export GOPROXY=x", ["GOPROXY=x @1 exported"]],
  [
    "a block",
    "if status is-interactive\n  set -gx A 1\nelse if x\n  set -gx A 2\nend\nset -gx B 3",
    ["A=1 @2 exported?", "A=2 @4 exported?", "B=3 @6 exported"],
  ],
  ["quotes", "set -gx A 'it\\'s'", ["A=it's @1 exported"]],
  ["substitution", "set -gx A (go env GOPATH)/bin", ["A=(go env GOPATH)/bin @1 exported*"]],
];

suite("readShell(), fish", () => {
  for (const [name, text, want] of fishCases)
    test(name, () => assert.deepEqual(told(readShell(text, { dialect: "fish" })), want));
});

const traps: readonly (readonly [string, string | undefined])[] = [
  ["export GOPROXY=https://a, direct", "blank https://a, / direct"],
  ["export GOPROXY=https://a|direct", "pipe  / direct"],
  ["go env -w GOPROXY=https://a|https://b,direct", "pipe https://a / https://b,direct"],
  ["go env -w GOPROXY=https://a, direct", "blank https://a, / direct"],
  ["export GOPROXY=https://a;direct", "semicolon https://a / direct"],
  ["export GOPROXY='https://a|direct'", undefined],
  ["export GOPROXY=https://a,direct GOSUMDB=x", undefined],
  ["export GOPROXY=https://a\ndirect", undefined],
];

suite("lines whose value is cut", () => {
  for (const [text, want] of traps)
    test(text, () => {
      const [trap] = readShell(text).traps;
      assert.equal(trap && `${trap.by} ${trap.kept} / ${trap.lost}`, want);
    });
});

test("what bash itself exports after reading the same text", async () => {
  const text = `
export A='1 2' B="x\\"y" C=a\\ b
D=1; export D
E=2
set -a; F=3; set +o allexport; N=7
false && export G=1
if true; then export H=4; fi
cat >/dev/null <<X
export I=5
X
export J=1 \\
  K=2   # export L=1
export M='a'"b"c
`;
  const env = await new Promise<string>((done, fail) =>
    execFile("bash", ["--norc", "-c", `${text}\nenv -0`], { env: { PATH: process.env["PATH"] } }, (error, stdout) =>
      error === null ? done(stdout) : fail(new Error("bash", { cause: error })),
    ),
  );
  const real = new Map(
    env
      .split("\0")
      .filter((one) => /^[A-Z]=/.test(one))
      .map((one) => [one[0], one.slice(2)]),
  );
  const { assignments } = readShell(text);
  const certain = assignments.filter(({ kind, isMaybe }) => kind === "exported" && !isMaybe);
  assert.deepEqual(new Map([...certain.map(({ name, value }) => [name, value] as const), ["H", "4"]]), real);
});
