import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { sumdbName } from "#protocol/official.ts";
import { credentialsFor } from "./credentials.ts";
import { explain } from "./explain.ts";
import { flagValue, parseGoFlags } from "./go-flags.ts";
import { parseGoVersion } from "./go-versions.ts";
import { settingsOf } from "./settings.ts";
import type { FileSeen, Surroundings } from "./surroundings.ts";

function machine(env: Record<string, string>, platform = "linux"): Surroundings {
  return { platform, process: env, userFile: { kind: "off" }, netrc: { kind: "off" }, go: undefined };
}

const use = { viaOf: () => undefined };

suite("explain()", () => {
  test("S1-12: GONOSUMDB beats GOSUMDB for what it matches, and for nothing else", () => {
    const env = { GONOSUMDB: "*.corp.example.com,github.com/internal/*", GOSUMDB: sumdbName };
    const verdict = (module: string): string | undefined => explain(machine(env), { module }, use).sums?.outcome.kind;
    assert.equal(verdict("github.com/go-yaml/yaml"), "verified");
    assert.equal(verdict("git.corp.example.com/libs/auth"), "unverified");
    assert.equal(verdict("github.com/internal/x"), "unverified");
  });

  test("a private module is asked of its repository alone", () => {
    const env = { GOPROXY: "https://a,https://b|direct", GOPRIVATE: "corp.example" };
    const { hops, isPrivate } = explain(machine(env), { module: "corp.example/x" }, use);
    assert.equal(isPrivate, true);
    assert.deepEqual(
      hops.map(({ hop, isAsked }) => [hop.kind, isAsked]),
      [
        ["noproxy", true],
        ["proxy", false],
        ["proxy", false],
        ["direct", true],
      ],
    );
  });

  test("go get asks proxies for the names above a private module that its pattern leaves out", () => {
    const leaks = (GOPRIVATE: string, command: "get" | "download"): readonly string[] =>
      explain(machine({ GOPROXY: "https://a", GOPRIVATE }), { module: "corp.example/team/x", command }, use).leaks;
    assert.deepEqual(leaks("corp.example/team/*", "get"), ["corp.example/team", "corp.example"]);
    assert.deepEqual(leaks("corp.example", "get"), []);
    assert.deepEqual(leaks("corp.example/team/*", "download"), []);
  });

  test("what follows a failure: a comma goes on after absence, a pipe after anything but silence, the last never", () => {
    const { hops } = explain(machine({ GOPROXY: "https://a,https://b|https://c," }), {}, use);
    assert.deepEqual(
      hops.map(({ after }) => [after.absent, after.status, after.connection, after.json, after.silence]),
      [
        ["next", "end", "end", "end", "hangs"],
        ["next", "next", "next", "next", "hangs"],
        ["end", "end", "end", "end", "hangs"],
      ],
    );
  });

  test("a 4xx over https is asked twice from 1.24 on", () => {
    const twice = (go: string): boolean | undefined =>
      explain(machine({ GOPROXY: "https://a" }), { go }, use).hops[0]?.asksTwice;
    assert.deepEqual([twice("1.23"), twice("1.24")], [false, true]);
  });

  test("SSL_CERT_FILE counts on macOS from 1.27 on, on Linux always", () => {
    const kind = (platform: string, go: string): string =>
      explain(machine({ SSL_CERT_FILE: "/ca.pem" }, platform), { go }, use).trust.kind;
    assert.deepEqual(
      [kind("darwin", "1.26"), kind("darwin", "1.27"), kind("linux", "1.13")],
      ["unheard", "files", "files"],
    );
  });

  test("before 1.13 there is one URL and no database", () => {
    const { hops, sums } = explain(machine({ GOPROXY: "https://a,direct" }), { go: "1.12" }, use);
    assert.deepEqual(
      hops.map(({ hop }) => hop),
      [{ kind: "proxy", url: "https://a,direct", separator: "" }],
    );
    assert.equal(sums, undefined);
  });
});

suite("credentialsFor()", () => {
  const netrc: FileSeen = { kind: "text", path: "/h/.netrc", text: "machine a.example login u password p\n" };
  const cases = [
    ["https://a.example/x", "1.26", {}, "netrc"],
    ["https://a.example:8443/x", "1.23", {}, "netrc"],
    ["https://a.example:8443/x", "1.24", {}, "netrc-port"],
    ["http://a.example/x", "1.26", {}, "none"],
    ["http://u:p@a.example/x", "1.26", {}, "refused"],
    ["https://u:p@a.example/x", "1.26", {}, "url"],
    ["https://b.example/x", "1.26", {}, "none"],
    ["https://a.example/x", "1.26", { GOAUTH: "off" }, "none"],
    ["https://a.example/x", "1.26", { GOAUTH: "helper --x" }, "goauth"],
    ["https://a.example/x", "1.23", { GOAUTH: "off" }, "netrc"],
  ] as const;
  for (const [url, go, env, want] of cases)
    test(`${url} in Go ${go} ${JSON.stringify(env)}: ${want}`, () => {
      assert.equal(credentialsFor(url, settingsOf(machine(env), go), netrc).kind, want);
    });
});

test("GOFLAGS is split as go splits it", () => {
  assert.equal(flagValue(parseGoFlags("-mod=mod '-ldflags=-s -w' -mod=vendor"), "mod"), "vendor");
  assert.equal(flagValue(parseGoFlags("'-ldflags=-s -w'"), "ldflags"), "-s -w");
  assert.deepEqual(parseGoFlags("-mod mod").fault, { kind: "non-flag", word: "mod" });
  assert.deepEqual(parseGoFlags("'-x").fault, { kind: "quote" });
});

test("a Go version is one that knew modules", () => {
  assert.deepEqual(["1.12", "go1.26.8", "1.27rc1", "1.10", "2.0", "1", "x", ""].map(parseGoVersion), [
    "1.12",
    "1.26.8",
    "1.27rc1",
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
