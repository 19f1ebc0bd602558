// What a project asks for, what is written for it, and the profiles.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseProxyList } from "#protocol/proxylist.ts";
import { parseGosumdb } from "#protocol/gosumdb.ts";
import { allowName, direnvState, hasHook } from "./direnv.ts";
import { diffLines } from "./line-diff.ts";
import { envrcLines, toolchainOf, withBlock } from "./own-block.ts";
import { profileNames, profiles, tidyPatterns } from "./profiles.ts";
import { projectEnv, shellStart } from "./project-env.ts";
import { readShell } from "./shell-file.ts";
import { formatJournal, parseJournal, undoState } from "./undo-journal.ts";
import { meetsVersion, wishesOf } from "./wishes.ts";

const nothing = { envrc: undefined, dotenv: undefined, goVersion: undefined, toolVersions: undefined };

test("wishes: use go before .go-version before .tool-versions; .env only when it is loaded", () => {
  const envrc = "use go 1.21.6\nexport GOPROXY=https://a\ndotenv\nexport GOSUMDB=x\nexport GOFLAGS=$MINE\n";
  const texts = { envrc, dotenv: "GOPROXY=https://b\nGOPRIVATE=c\n", goVersion: "1.20\n", toolVersions: "golang 1.19" };
  const { wishes, unknown } = wishesOf(texts);
  assert.deepEqual(
    wishes.map(({ name, value, file, line }) => `${name} ${value} ${file}:${line}`),
    ["go 1.21.6 .envrc:1", "GOPROXY https://b .env:1", "GOPRIVATE c .env:2", "GOSUMDB x .envrc:4"],
  );
  assert.deepEqual(
    unknown.map(({ name }) => name),
    ["GOFLAGS"],
  );
  assert.deepEqual(
    wishesOf({ ...texts, envrc: undefined }).wishes.map(({ value }) => value),
    ["1.20"],
  );
  assert.deepEqual(wishesOf({ ...nothing, toolVersions: "# x\nnodejs 20\ngolang 1.21.6 1.20\n" }).wishes[0]?.line, 3);
});

test("a version is met in full or by its first two numbers", () => {
  const cases = [
    ["1.21.6", "1.21.6", true],
    ["1.21", "1.21.6", true],
    ["1.21", "1.21", true],
    ["1.2", "1.21.6", false],
    ["1.21.6", "1.21.60", false],
  ] as const;
  for (const [wish, actual, want] of cases) assert.equal(meetsVersion(wish, actual), want, `${wish} ${actual}`);
});

test("our block is put at the end, replaced in its place, and refused when half of it is gone", () => {
  const once = withBlock("a\n", ["x"])!;
  assert.equal(once, "a\n# >>> granary >>>\nx\n# <<< granary <<<\n");
  assert.equal(withBlock(`${once}b\n`, ["y", "z"]), "a\n# >>> granary >>>\ny\nz\n# <<< granary <<<\nb\n");
  assert.equal(withBlock("a", ["x"])?.startsWith("a\n#"), true);
  assert.equal(withBlock(once.replace("# <<< granary <<<\n", ""), ["x"]), undefined);
});

test("what we write into .envrc we read again", () => {
  const values = { GOPROXY: "https://a|https://b,direct", GOPRIVATE: "it's/*" };
  const text = withBlock("", envrcLines(values, "1.21.6"))!;
  const read = readShell(text).assignments.filter(({ isMaybe }) => !isMaybe);
  assert.deepEqual(Object.fromEntries(read.map(({ name, value }) => [name, value])), values);
  assert.equal(wishesOf({ ...nothing, envrc: text }).wishes[0]?.value, "1.21.6");
});

test("toolchainOf(): a release has three numbers since 1.21", () => {
  assert.deepEqual(["1.20", "1.21", "1.21.6", "1.27rc1"].map(toolchainOf), [
    "go1.20",
    "go1.21.0",
    "go1.21.6",
    "go1.27rc1",
  ]);
});

test("env shell: literal values, simple variables, the version as GOTOOLCHAIN; the rest is left out", () => {
  const envrc = "use go 1.21\nexport GOPATH=$HOME/p GOBIN=${GOPATH}/bin GOFLAGS=$(x) GOPROXY=https://a\n";
  const { values, unknown } = projectEnv({ ...nothing, envrc }, { HOME: "/h" });
  assert.deepEqual(values, { GOTOOLCHAIN: "go1.21.0", GOPATH: "/h/p", GOBIN: "/h/p/bin", GOPROXY: "https://a" });
  assert.deepEqual(
    unknown.map(({ name }) => name),
    ["GOFLAGS"],
  );
});

test("a shell gets the values after its own files, where it can be told so", () => {
  const values = { GOPROXY: "https://a|direct" };
  assert.deepEqual(shellStart("/bin/bash", values, "/rc"), {
    command: ["/bin/bash", "--rcfile", "/rc"],
    rc: "[ -f ~/.bashrc ] && . ~/.bashrc\nexport GOPROXY='https://a|direct'\n",
    isLast: true,
  });
  assert.deepEqual(shellStart("fish", values, "/rc").command, ["fish", "-C", "set -gx GOPROXY 'https://a|direct'"]);
  assert.deepEqual(shellStart("/bin/zsh", values, "/rc"), { command: ["/bin/zsh"], rc: undefined, isLast: false });
});

suite("every profile", () => {
  for (const name of profileNames)
    test(name, () => {
      const { values, needsProxy } = profiles[name];
      for (const secret of [undefined, "git.corp.example/*"]) {
        const set = values({ proxy: needsProxy ? "https://p.example" : undefined, private: secret });
        const entries = parseProxyList(set["GOPROXY"]!);
        // A mirror that is down must not send everything to repositories.
        assert.ok(!/\|direct/.test(set["GOPROXY"]!), set["GOPROXY"]);
        assert.equal(parseGosumdb(set["GOSUMDB"]!).kind, "database");
        if (secret !== undefined) assert.ok(set["GOPRIVATE"] === secret || set["GONOSUMDB"] === secret);
        // Private modules that come through the proxy are asked of nobody else.
        if (set["GONOPROXY"] === "none") assert.equal(entries.length, 1);
      }
    });

  test("CI names one fixed source", () => {
    assert.equal(profiles.ci.needsProxy, true);
    assert.equal(profiles.ci.values({ proxy: "https://p", private: undefined })["GOPROXY"], "https://p");
  });
});

test("patterns lose the blanks that go would take for part of a pattern", () => {
  assert.equal(tidyPatterns(" a.example/* , b.example,"), "a.example/*,b.example");
});

test("diffLines() leaves out what is common at both ends", () => {
  assert.deepEqual(diffLines("a\nb\nc\n", "a\nx\ny\nc\n"), ["- b", "+ x", "+ y"]);
  assert.deepEqual(diffLines("a\n", "a\n"), []);
  assert.deepEqual(diffLines("", "a\n"), ["+ a"]);
  assert.deepEqual(diffLines("a\na\n", "a\n"), ["- a"]);
});

test("direnv: the name of the permission is what direnv 2.32 wrote for this file", () => {
  const want = "fc50856f81d025d27eb048354d89e5f13c566805f243e2f0eb27ac2fbdbea374";
  assert.equal(allowName("/tmp/es-direnv/proj/.envrc", "export GOPROXY=https://a\n"), want);
});

test("direnv: the first thing that stands in the way", () => {
  const seen = { isInstalled: true, isHooked: true, isAllowed: true, loaded: undefined };
  assert.equal(direnvState({ ...seen, loaded: "/p" }, "/p"), "in-force");
  assert.equal(direnvState({ ...seen, isInstalled: false }, "/p"), "not-installed");
  assert.equal(direnvState({ ...seen, isHooked: false, isAllowed: false }, "/p"), "not-hooked");
  assert.equal(direnvState({ ...seen, isAllowed: false }, "/p"), "not-allowed");
  assert.equal(direnvState({ ...seen, loaded: "/other" }, "/p"), "not-loaded");
  for (const hook of ['eval "$(direnv hook zsh)"', "direnv hook fish | source"])
    assert.equal(hasHook(hook), true, hook);
  assert.equal(hasHook("# direnv hook zsh"), false);
});

test("the journal: what it says comes back; anything else is refused", () => {
  const file = { file: "/f", backup: "/b", beforeSha256: "1", afterSha256: undefined };
  const entry = { id: "i", at: "t", scope: "user", what: "w", files: [file] } as const;
  assert.deepEqual(parseJournal(formatJournal([entry])), [
    { ...entry, files: [{ file: "/f", backup: "/b", beforeSha256: "1" }] },
  ]);
  assert.equal(parseJournal(formatJournal(Array.from({ length: 60 }, () => entry))).length, 50);
  for (const bad of ["", "[]", "{}", '{"schema":"granary.env-undo/1","entries":[{}]}', '{"schema":"x","entries":[]}'])
    assert.throws(() => parseJournal(bad), SyntaxError);
});

test("undoState(): ours, as it was, or somebody else's", () => {
  const file = { file: "/f", backup: "/b", beforeSha256: "1", afterSha256: "2" };
  assert.deepEqual(
    [undoState(file, "2"), undoState(file, "1"), undoState(file, "3"), undoState(file, undefined)],
    ["ours", "undone", "changed", "changed"],
  );
});
