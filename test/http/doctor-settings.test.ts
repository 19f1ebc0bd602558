// `granary doctor` on machines whose settings are wrong: what is wrong is told first. Nothing is asked of any network.
import assert from "node:assert/strict";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { codesOf, openDoctorRoom } from "../support/doctor-room.ts";

type World = {
  readonly name: string;
  /** The first finding; undefined where nothing may fail. */
  readonly code: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly files?: Readonly<Record<string, string>>;
};

const goMod = (more: string): Readonly<Record<string, string>> => ({
  "app/go.mod": `module example.com/app\n\n${more}`,
});
const goEnv = (text: string): Readonly<Record<string, string>> => ({ ".config/go/env": text });

const broken: readonly World[] = [
  { name: "a semicolon in GOPROXY", code: "CHAIN_JOINED", env: { GOPROXY: "https://goproxy.cn;direct" } },
  { name: "a full-width comma in GOPROXY", code: "CHAIN_JOINED", env: { GOPROXY: "https://goproxy.cn，direct" } },
  { name: "Direct with a capital", code: "CHAIN_KEYWORD_CASE", env: { GOPROXY: "https://goproxy.cn,Direct" } },
  { name: "quotes in GOPROXY", code: "CHAIN_QUOTES", env: { GOPROXY: "'https://goproxy.cn',direct" } },
  { name: "a scheme that go does not speak", code: "CHAIN_REFUSED", env: { GOPROXY: "ftp://goproxy.cn,direct" } },
  { name: "a list of nothing", code: "CHAIN_EMPTY", env: { GOPROXY: "," } },
  {
    name: "credentials over http",
    code: "CHAIN_CREDENTIALS_HTTP",
    env: { GOPROXY: "http://u:p@proxy.example,direct" },
  },
  { name: "GOSUMDB=direct", code: "SUMDB_REFUSED", env: { GOSUMDB: "direct" } },
  { name: "GOSUMDB is a URL", code: "SUMDB_REFUSED", env: { GOSUMDB: "https://goproxy.cn/sumdb" } },
  { name: "GOSUMDB with +insecure", code: "SUMDB_REFUSED", env: { GOSUMDB: "sum.golang.org+insecure" } },
  { name: "GONOSUMDB=*", code: "SUMDB_SKIPS_ALL", env: { GONOSUMDB: "*" } },
  { name: "GOSUMDB=off", code: "SUMDB_OFF", env: { GOSUMDB: "off" } },
  { name: "blanks between private patterns", code: "ENV_PATTERN_BLANK", env: { GOPRIVATE: "a.example, b.example" } },
  { name: "a URL as a private pattern", code: "ENV_PATTERN_URL", env: { GOPRIVATE: "https://git.corp.example" } },
  { name: "GOPRIVATE=*", code: "ENV_PRIVATE_ALL", env: { GOPRIVATE: "*" } },
  {
    name: "a private module whose name leaks",
    code: "SUMDB_NAME_LEAKS",
    files: goMod("require git.shop.internal/auth v1.0.0\n"),
  },
  { name: "GO111MODULE=off", code: "ENV_MODULES_OFF", env: { GO111MODULE: "off" } },
  { name: "a word for GO111MODULE", code: "ENV_MODULES_WORD", env: { GO111MODULE: "yes" } },
  { name: "GOFLAGS without a dash", code: "ENV_GOFLAGS_MALFORMED", env: { GOFLAGS: "mod=vendor" } },
  { name: "GOFLAGS=-insecure", code: "ENV_GOFLAGS_INSECURE", env: { GOFLAGS: "-insecure" } },
  { name: "a word for GOTOOLCHAIN", code: "ENV_TOOLCHAIN_WORD", env: { GOTOOLCHAIN: "1.26.8" } },
  { name: "go.mod wants a newer go, and GOTOOLCHAIN=local", code: "GO_TOOLCHAIN_NEEDED", files: goMod("go 1.99.0\n") },
  { name: "a relative GOMODCACHE", code: "ENV_PATH_RELATIVE", env: { GOMODCACHE: "cache" } },
  { name: "GOCACHE=off", code: "ENV_CACHE_OFF", env: { GOCACHE: "off" } },
  { name: "HOME is missing", code: "ENV_FILE_NOWHERE", env: { HOME: undefined } },
  {
    name: "export in the go env file",
    code: "ENV_FILE_IGNORED_LINE",
    files: goEnv("export GOPROXY=https://goproxy.cn\n"),
  },
  {
    name: "blanks around = in the go env file",
    code: "ENV_FILE_KEY_BLANK",
    files: goEnv("GOPROXY = https://goproxy.cn\n"),
  },
  {
    name: "the environment hides the go env file",
    code: "ENV_SHADOWED",
    env: { GOPROXY: "https://goproxy.io,direct" },
    files: goEnv("GOPROXY=https://goproxy.cn,direct\n"),
  },
  { name: "GONOSUMCHECK", code: "ENV_UNKNOWN_NAME", env: { GONOSUMCHECK: "1" } },
  { name: "a proxy URL that go cannot read", code: "ENV_PROXY_UNREADABLE", env: { HTTPS_PROXY: "proxy host:3128" } },
  {
    name: "a pipe without quotes in .bashrc",
    code: "SCOPE_VALUE_CUT",
    files: { ".bashrc": "export GOPROXY=https://goproxy.cn|direct\n" },
  },
  {
    name: "a variable that is set and not exported",
    code: "SCOPE_NOT_EXPORTED",
    files: { ".bashrc": "GOPRIVATE=git.corp.example\n" },
  },
];

const official = { GOPROXY: "https://goproxy.cn,direct" };
const healthy: readonly World[] = [
  { name: "nothing set", code: undefined },
  { name: "one mirror and direct", code: undefined, env: official },
  {
    name: "two mirrors with a pipe",
    code: undefined,
    env: { GOPROXY: "https://goproxy.cn|https://goproxy.io,direct" },
  },
  { name: "blanks around the entries", code: undefined, env: { GOPROXY: "https://goproxy.cn , direct" } },
  { name: "no scheme", code: undefined, env: { GOPROXY: "goproxy.cn,direct" } },
  { name: "a file as proxy", code: undefined, env: { GOPROXY: "file:///srv/modules" } },
  { name: "off", code: undefined, env: { GOPROXY: "off" } },
  {
    name: "a company's proxy, with its own database",
    code: undefined,
    env: {
      GOPROXY: "https://goproxy.corp.example",
      GOSUMDB: "sum.golang.org",
      GOPRIVATE: "git.corp.example",
      GONOPROXY: "none",
    },
    files: goMod("require git.corp.example/auth v1.0.0\n"),
  },
  {
    name: "set with go env -w",
    code: undefined,
    files: goEnv("GOPROXY=https://goproxy.cn,direct\nGOFLAGS=-trimpath\n"),
  },
  {
    name: "a public module beside the main one on a host of their own",
    code: undefined,
    env: official,
    files: goMod("require example.com/hello v1.0.0\n"),
  },
  { name: "a vendor folder", code: undefined, files: { ...goMod("go 1.21\n"), "app/vendor/modules.txt": "" } },
  {
    name: "exported in .bashrc and in the terminal",
    code: undefined,
    env: official,
    files: {
      ".bashrc": "export GOPROXY='https://goproxy.cn,direct'\n",
      ".profile": "export GOPROXY=https://goproxy.cn,direct\n",
    },
  },
];

suite("what is wrong comes first", () => {
  for (const { name, code, env = {}, files = {} } of broken)
    test(name, async (t) => {
      const room = await openDoctorRoom(t);
      await room.write(files);
      const told = await room.doctor({ ...official, ...env }, ["--offline"]);
      assert.equal(told.report.findings[0]?.code, code, codesOf(told).join("\n"));
      assert.deepEqual(brokenChecks(told.report.checks), []);
      assert.equal(told.code, told.report.findings[0]?.severity === "fail" ? 1 : 0);
    });
});

suite("nothing fails where nothing is wrong", () => {
  for (const { name, env = {}, files = {} } of healthy)
    test(name, async (t) => {
      const room = await openDoctorRoom(t);
      await room.write(files);
      const told = await room.doctor(env, ["--offline"]);
      assert.deepEqual(
        codesOf(told).filter((code) => code.startsWith("fail")),
        [],
      );
      assert.deepEqual(brokenChecks(told.report.checks), []);
      assert.equal(told.code, 0);
    });
});

function brokenChecks(checks: readonly { readonly id: string; readonly skipped?: string; readonly reason?: string }[]) {
  return checks.filter(({ skipped }) => skipped === "broken").map(({ id, reason }) => `${id}: ${reason ?? ""}`);
}

test("an old go behind somebody else's proxy is told first, and the release that mends it", async (t) => {
  const room = await openDoctorRoom(t);
  await room.write({
    "sdk/bin/go": "#!/bin/sh\nexit 1\n",
    "sdk/VERSION": "go1.25.9\n",
    "sdk/go.env": "GOPROXY=https://a.example\n",
  });
  await chmod(join(room.home, "sdk/bin/go"), 0o755);
  const told = await room.doctor({ ...official, PATH: join(room.home, "sdk/bin") }, ["--offline"]);
  assert.equal(told.report.findings[0]?.code, "GO_CVE_WINDOW", codesOf(told).join("\n"));
  assert.match(told.report.findings[0].title, /Go 1\.25\.9 .* 1\.25\.13/);
});

test("no repair switches verification off or shows a password, whatever a shell's file says", async (t) => {
  for (const line of [
    "GOSUMDB=off",
    "GONOSUMDB=*",
    "GOINSECURE=*",
    "GOFLAGS=-insecure",
    "GOPROXY=https://u:hunter2@proxy.example",
  ]) {
    const room = await openDoctorRoom(t);
    await room.write({ ".bashrc": `${line}\n` });
    const told = await room.doctor({}, ["--offline"]);
    const { findings } = told.report as unknown as { findings: { code: string; fixes: unknown[] }[] };
    const [own] = findings.filter(({ code }) => code === "SCOPE_NOT_EXPORTED");
    assert.deepEqual(own?.fixes, [], line);
    assert.doesNotMatch(told.text, /hunter2/);
  }
});

test("a go.mod with merge conflicts is told, and not taken for none", async (t) => {
  const room = await openDoctorRoom(t);
  await room.write({ "app/go.mod": "module example.com/app\n<<<<<<< HEAD\n" });
  assert.deepEqual(codesOf(await room.doctor({}, ["--offline"])).slice(0, 1), ["fail GO_MOD_UNREADABLE"]);
});

test("a company's own proxy stays the way of its modules: only the database is kept from their names", async (t) => {
  const room = await openDoctorRoom(t);
  await room.write(goMod("require git.shop.internal/auth v1.0.0\n"));
  const told = await room.doctor({ GOPROXY: "https://goproxy.shop.internal" }, ["--offline"]);
  const { findings } = told.report as unknown as { findings: { code: string; fixes: { values: unknown }[] }[] };
  const [leak] = findings.filter(({ code }) => code === "SUMDB_NAME_LEAKS");
  assert.deepEqual(leak?.fixes[0]?.values, { GONOSUMDB: "git.shop.internal" });
});

test("a pinned toolchain that is new enough is no failure", async (t) => {
  const room = await openDoctorRoom(t);
  await room.write(goMod("go 1.98.0\n"));
  const codes = codesOf(await room.doctor({ GOTOOLCHAIN: "go1.99.0" }, ["--offline"]));
  assert.ok(
    codes.includes("info GO_TOOLCHAIN_FETCHED") && !codes.some((code) => code.startsWith("fail")),
    codes.join(),
  );
});

test("--share hides hosts however they are written, and leaves keys and words alone", async (t) => {
  const room = await openDoctorRoom(t);
  const env = { GOPROXY: "goproxy.Secret-Corp.example,http://nexus:8081", GOPRIVATE: "*.git.secret-corp.example" };
  const told = await room.doctor(env, ["--offline", "--share", "--module=example.com/x@v1.0.0"]);
  assert.doesNotMatch(told.text, /secret-corp|nexus/i);
  assert.equal((JSON.parse(told.text) as { schema: string }).schema, "granary.doctor/1");
});

test("without a go the settings are still examined", async (t) => {
  const room = await openDoctorRoom(t);
  const told = await room.doctor({ PATH: "/nonexistent", GOPROXY: "Direct" }, ["--offline"]);
  assert.deepEqual(codesOf(told).slice(0, 1), ["fail CHAIN_KEYWORD_CASE"]);
  assert.ok(codesOf(told).includes("warn GO_MISSING"));
});
