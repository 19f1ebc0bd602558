// What go will do with a checksum database; test/go/sumdb-heads.test.ts holds the same rows against the real one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sumdbKey, sumdbMirrorChina, sumdbName } from "#protocol/official.ts";
import { decide, type GoSettings } from "./go-decision.ts";

const base: GoSettings = {
  GOSUMDB: sumdbName,
  GOPROXY: "https://a.test,https://b.test|direct",
  GONOSUMDB: "",
  GOPRIVATE: "",
  GOFLAGS: "",
};
const module = "example.com/m";
const of = (env: Partial<GoSettings>, path = module) => decide({ ...base, ...env }, path);
const answers = (env: Partial<GoSettings>, path = module) =>
  of(env, path).steps.map(({ question, answer }) => `${question} ${answer ? "yes" : "no"}`);

test("by default every proxy of the list is asked for its tunnel, then the database itself", () => {
  assert.deepEqual(of({}).outcome, {
    kind: "verified",
    database: sumdbName,
    key: sumdbKey,
    ways: [
      { via: "proxy", url: `https://a.test/sumdb/${sumdbName}`, next: "absent" },
      { via: "proxy", url: `https://b.test/sumdb/${sumdbName}`, next: "failure" },
      { via: "direct", url: `https://${sumdbName}`, next: "never" },
    ],
  });
  assert.deepEqual(answers({}), ["off no", "pattern no", "form yes", "official yes", "url no", "proxy yes"]);
});

test("off: only go.sum; a toolchain is refused all the same", () => {
  assert.deepEqual(of({ GOSUMDB: "off" }).outcome, { kind: "unverified", because: "off" });
  assert.deepEqual(of({ GOSUMDB: "off" }, "golang.org/toolchain").outcome, {
    kind: "refused",
    of: "GOSUMDB",
    sentence: "checksum database disabled by GOSUMDB=off",
  });
});

test("GONOSUMDB decides, GOPRIVATE only while it is empty; toolchains are verified whatever they say", () => {
  const unverified = { kind: "unverified", because: "pattern" };
  assert.deepEqual(of({ GONOSUMDB: "example.com" }).outcome, unverified);
  assert.deepEqual(of({ GOPRIVATE: "*.com" }).outcome, unverified);
  assert.equal(of({ GOPRIVATE: "example.com", GONOSUMDB: "none" }).outcome.kind, "verified");
  assert.equal(of({ GONOSUMDB: "golang.org" }, "golang.org/toolchain").outcome.kind, "verified");
  assert.deepEqual(of({ GOPROXY: "file:///srv/go" }, "golang.org/toolchain").outcome, {
    kind: "unverified",
    because: "file-proxy",
  });
  assert.equal(decide({ ...base, GONOSUMDB: "*" }).outcome.kind, "verified", "no module, no pattern");
});

test("a URL in GOSUMDB is asked past all proxies, and so is the alias", () => {
  for (const [GOSUMDB, url] of [
    [`${sumdbKey} http://127.0.0.1:8081`, "http://127.0.0.1:8081"],
    [sumdbMirrorChina, `https://${sumdbMirrorChina}`],
  ] as const) {
    const { outcome } = of({ GOSUMDB });
    assert.ok(outcome.kind === "verified");
    assert.deepEqual(outcome.ways, [{ via: "direct", url, next: "never" }]);
  }
});

test("off and direct in GOPROXY lead to the database itself", () => {
  for (const GOPROXY of ["off", "direct"]) {
    const { outcome } = of({ GOPROXY });
    assert.ok(outcome.kind === "verified");
    assert.deepEqual(
      outcome.ways.map(({ url }) => url),
      [`https://${sumdbName}`],
    );
  }
});

test("what go refuses is refused with its sentence", () => {
  for (const [GOSUMDB, sentence] of [
    ["direct", "invalid GOSUMDB: malformed verifier id"],
    [`${sumdbName}+insecure`, "invalid GOSUMDB: malformed verifier id"],
    ["a b c", "invalid GOSUMDB: too many fields"],
    [" ", "missing GOSUMDB"],
  ] as const)
    assert.deepEqual(of({ GOSUMDB }).outcome, { kind: "refused", of: "GOSUMDB", sentence });
  assert.deepEqual(of({ GOPROXY: "goproxy" }).outcome, {
    kind: "refused",
    of: "GOPROXY",
    sentence: "invalid proxy URL missing scheme: goproxy",
  });
});

test("-insecure in GOFLAGS changes nothing of the proof, and is pointed out", () => {
  assert.equal(of({ GOFLAGS: "-modcacherw -insecure" }).outcome.kind, "verified");
  assert.equal(answers({ GOFLAGS: "-modcacherw -insecure" })[0], "insecure yes");
  assert.ok(!answers({ GOFLAGS: "-tags=insecure" }).includes("insecure yes"));
});
