// Every rule with what sets it off and what must not. The rows of S3-09 and the myths about variables are among them.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { goDefaultProxyList, sumdbMirrorChina, sumdbName } from "#protocol/official.ts";
import { environmentFindings } from "#services/findings/environment.ts";
import type { Finding } from "#services/findings/finding.ts";
import { fixLines } from "#services/findings/fix.ts";
import { lint, onlyValues } from "./lint.ts";
import type { LintOptions } from "./lint.ts";
import { privateAsked } from "./lint-sums.ts";
import { settingsOf } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";

const bare: Surroundings = {
  platform: "linux",
  process: {},
  userFile: { kind: "off" },
  netrc: { kind: "off" },
  go: { version: "1.26.8", goroot: "/go", file: { kind: "absent", path: "/go/go.env" } },
};

const seen = new Set<string>();

function find(
  env: Record<string, string>,
  options: LintOptions = {},
  from: Partial<Surroundings> = {},
): readonly Finding[] {
  const findings = lint({ ...bare, process: env, ...from }, options);
  for (const { code } of findings) seen.add(code);
  return findings;
}

/** Failures and warnings only. */
function trouble(findings: readonly Finding[]): readonly string[] {
  return findings.filter(({ severity }) => severity !== "info").map(({ code, severity }) => `${severity} ${code}`);
}

suite("GOPROXY, one value at a time", () => {
  const mirror = "https://goproxy.cn";
  const cases: readonly (readonly [value: string, want: readonly string[], strict?: readonly string[]])[] = [
    [goDefaultProxyList, []],
    // S3-09
    [`${mirror} , direct`, [], ["fail CHAIN_BLANKS"]],
    ["https://myproxy/", []],
    ["https://myproxy;direct", ["fail CHAIN_JOINED"]],
    ["Direct", ["fail CHAIN_KEYWORD_CASE"]],
    [`${mirror},DIRECT`, ["fail CHAIN_KEYWORD_CASE"]],
    ["ftp://x.test", ["fail CHAIN_REFUSED"]],
    ["goproxy", ["fail CHAIN_REFUSED"]],
    ["/tmp/x", ["fail CHAIN_REFUSED"]],
    ["file:///srv/proxy", []],
    ["file://host/p", ["fail CHAIN_REFUSED"]],
    ["off", []],
    [" , ", ["fail CHAIN_EMPTY"]],
    ["direct", ["warn CHAIN_ONLY_DIRECT"]],
    [`${mirror}|direct`, []],
    // the rest
    [`${mirror}，direct`, ["fail CHAIN_JOINED"]],
    [`${mirror} direct`, ["fail CHAIN_JOINED"]],
    [`'${mirror}',direct`, ["fail CHAIN_QUOTES"]],
    [`“${mirror}”,direct`, ["fail CHAIN_QUOTES"]],
    ["goproxy.cn,direct", [], ["fail CHAIN_NO_SCHEME"]],
    ["localhost:8080", ["warn CHAIN_NO_SCHEME"], ["fail CHAIN_NO_SCHEME"]],
    [`direct,${mirror}`, ["warn CHAIN_AFTER_END"]],
    ["https://u:p@proxy.corp.example", ["warn CHAIN_CREDENTIALS"]],
    ["http://u:p@proxy.corp.example", ["fail CHAIN_CREDENTIALS_HTTP"]],
    ["http://proxy.corp.example", []],
    ["http://127.0.0.1:8080", []],
    [`${mirror},https://goproxy.io,direct`, ["warn CHAIN_COMMA_STOPS"]],
    ["https://granary.corp.example|direct", ["warn CHAIN_PIPE_PASSES_REFUSAL"]],
    ["https://granary.corp.example,direct", []],
    ["https://host.example?x=1", ["warn CHAIN_QUERY"]],
  ];
  for (const [value, want, strict = want] of cases)
    test(JSON.stringify(value), () => {
      assert.deepEqual(trouble(find({ GOPROXY: value })), want);
      assert.deepEqual(trouble(find({ GOPROXY: value }, { isStrict: true })), strict);
    });

  test("old releases know fewer forms", () => {
    assert.deepEqual(trouble(find({ GOPROXY: "https://a|https://b" }, { go: "1.14" })), ["fail CHAIN_TOO_NEW"]);
    assert.deepEqual(trouble(find({ GOPROXY: "https://a,direct" }, { go: "1.12" })), ["fail CHAIN_TOO_NEW"]);
  });

  test("the fix is the list as it was meant", () => {
    const fixes = (value: string): readonly string[] =>
      lint(onlyValues({ GOPROXY: value }, bare)).flatMap(({ fixes: all }) =>
        all.flatMap((fix) => fixLines(fix, "bash")),
      );
    assert.deepEqual(fixes(`${mirror};direct`), [quoteComma(`go env -w GOPROXY=${mirror},direct`)]);
    assert.deepEqual(fixes(`direct,${mirror}`), [quoteComma(`go env -w GOPROXY=${mirror},direct`)]);
    assert.deepEqual(fixes(`${mirror},DIRECT`), [quoteComma(`go env -w GOPROXY=${mirror},direct`)]);
  });

  test("no password comes out", () => {
    const findings = find({ GOPROXY: "https://me:hunter2@a.example,Direct,direct;x" });
    assert.ok(findings.length > 0);
    assert.doesNotMatch(JSON.stringify(findings), /hunter2/);
  });

  test("the worst wait is the sum along the pipes", () => {
    const wait = (list: string): unknown =>
      find({ GOPROXY: list }).find(({ code }) => code === "CHAIN_WORST_WAIT")?.fields;
    assert.deepEqual(wait("https://a|https://b|direct"), { hops: 2, dial: "60 s", tls: "20 s" });
    assert.deepEqual(wait("https://a,https://b|direct"), { hops: 1, dial: "30 s", tls: "10 s" });
    assert.equal(wait("http://127.0.0.1:1"), undefined);
  });
});

/** How fix.ts quotes a word with a comma. */
function quoteComma(line: string): string {
  return line.replace(/(GOPROXY=.*,.*)$/, "'$1'");
}

suite("other settings", () => {
  const proxy = { GOPROXY: "https://goproxy.cn,direct" };
  const cases: readonly (readonly [env: Record<string, string>, want: readonly string[], options?: LintOptions])[] = [
    [{}, []],
    [{ GOSUMDB: "off" }, ["warn SUMDB_OFF", "warn SUMDB_TOOLCHAIN"]],
    [{ GOSUMDB: "off", GOTOOLCHAIN: "local" }, ["fail SUMDB_OFF"], { kind: "ci" }],
    [{ GONOSUMDB: "*" }, ["warn SUMDB_SKIPS_ALL"]],
    [{ GONOSUMDB: "*" }, ["fail SUMDB_SKIPS_ALL"], { kind: "prod" }],
    [{ GOSUMDB: "direct" }, ["fail SUMDB_REFUSED"]],
    [{ GOSUMDB: `https://${sumdbName}` }, ["fail SUMDB_REFUSED"]],
    [{ GOSUMDB: `${sumdbName}:443` }, ["fail SUMDB_REFUSED"]],
    [{ GOSUMDB: `${sumdbName}+insecure` }, ["fail SUMDB_REFUSED"]],
    [{ GOSUMDB: sumdbMirrorChina }, []],
    [{ GOPRIVATE: "a.example,b.example/*" }, []],
    [{ GOPRIVATE: "a.example, b.example" }, ["fail ENV_PATTERN_BLANK"]],
    [{ GOPRIVATE: "https://a.example" }, ["fail ENV_PATTERN_URL"]],
    [{ GOPRIVATE: "a.example:8443/x" }, ["fail ENV_PATTERN_URL"]],
    [{ GOPRIVATE: "a.example;b.example" }, ["fail ENV_PATTERN_SEPARATOR"]],
    [{ GONOPROXY: "[a.example" }, ["fail ENV_PATTERN_MALFORMED"]],
    [{ GOPRIVATE: "Git.Corp.example/x" }, ["warn ENV_PATTERN_CASE"]],
    [{ GOPRIVATE: "*" }, ["warn SUMDB_SKIPS_ALL", "warn ENV_PRIVATE_ALL"]],
    [{ GOPRIVATE: "*.corp.example", GOPROXY: "https://granary.corp.example" }, ["warn ENV_PRIVATE_PASSES_PROXY"]],
    [{ GOPRIVATE: "*.corp.example", GOPROXY: "https://granary.corp.example", GONOPROXY: "none" }, []],
    [{ GOPRIVATE: "*.corp.example" }, []],
    [{ GOINSECURE: "a.example" }, ["warn ENV_INSECURE"]],
    [{ GOVCS: "public:git,private:all" }, []],
    [{ GOVCS: "git" }, ["fail ENV_GOVCS_MALFORMED"]],
    [{ GOFLAGS: "-mod=mod" }, []],
    [{ GOFLAGS: "mod=vendor" }, ["fail ENV_GOFLAGS_MALFORMED"]],
    [{ GOFLAGS: "-insecure" }, ["fail ENV_GOFLAGS_INSECURE"]],
    [{ GOFLAGS: "-mod=vendor" }, []],
    [{ GO111MODULE: "on" }, []],
    [{ GO111MODULE: "off" }, ["fail ENV_MODULES_OFF"]],
    [{ GO111MODULE: "true" }, ["fail ENV_MODULES_WORD"]],
    [{ GOTOOLCHAIN: "go1.22" }, ["fail ENV_TOOLCHAIN_WORD"]],
    [{ GOTOOLCHAIN: "1.22.3" }, ["fail ENV_TOOLCHAIN_WORD"]],
    [{ GOTOOLCHAIN: "go1.22.3+atuo" }, ["fail ENV_TOOLCHAIN_WORD"]],
    [{ GOTOOLCHAIN: "go1.22.3+auto" }, []],
    [{ GOTOOLCHAIN: "go1.22.3" }, []],
    [{ GOTOOLCHAIN_INTERNAL_SWITCH_COUNT: "3" }, ["fail ENV_TOOLCHAIN_LOOP"]],
    [{ GOMODCACHE: "cache" }, ["fail ENV_PATH_RELATIVE"]],
    [{ GOPATH: "~/go" }, ["fail ENV_PATH_RELATIVE"]],
    [{ GOPATH: "/a:/b" }, []],
    [{ GOCACHE: "off" }, ["fail ENV_CACHE_OFF"]],
    [{ ALL_PROXY: "socks5://127.0.0.1:1080" }, ["warn ENV_ALL_PROXY"]],
    [{ ALL_PROXY: "socks5://127.0.0.1:1080", https_proxy: "http://127.0.0.1:1" }, []],
    [{ HTTPS_PROXY: "127.0.0.1:port" }, ["warn ENV_PROXY_UNREADABLE"]],
    [{ GOAUTH: "netrc" }, []],
    [{ GOAUTH: "off;netrc" }, ["fail ENV_GOAUTH_MALFORMED"]],
    [{ GOAUTH: "git x" }, ["fail ENV_GOAUTH_MALFORMED"]],
    [{ GONOSUMCHECK: "1" }, ["warn ENV_UNKNOWN_NAME"]],
    [{ GO_PROXY: "x" }, ["warn ENV_UNKNOWN_NAME"]],
    [{ GOPROXYS: "x" }, ["warn ENV_UNKNOWN_NAME"]],
    [{ GOLANG_VERSION: "1.26", GOMAXPROCS: "2", GOPLS_X: "1", GOTRACEBACK: "all" }, []],
    [{ GOAUTH: "off" }, [], { go: "1.20" }],
  ];
  for (const [env, want, options = {}] of cases)
    test(`${JSON.stringify(env)} ${JSON.stringify(options)}`, () => {
      assert.deepEqual(trouble(find({ ...proxy, ...env }, options)), want);
    });

  test("a variable that this go does not know yet is said to be", () => {
    assert.ok(find({ GOAUTH: "off" }, { go: "1.20" }).some(({ code }) => code === "ENV_TOO_NEW"));
  });

  test("SSL_CERT_FILE on a Mac before 1.27", () => {
    const codes = trouble(find({ ...proxy, SSL_CERT_FILE: "/ca.pem" }, {}, { platform: "darwin" }));
    assert.deepEqual(codes, ["warn ENV_CERTIFICATES_UNHEARD"]);
  });

  test("a netrc entry that this go does not take", () => {
    const netrc = { kind: "text", path: "/h/.netrc", text: "machine a.example login u password p\n" } as const;
    assert.deepEqual(trouble(find({ GOPROXY: "https://a.example:8443" }, {}, { netrc })), ["warn ENV_NETRC_PORT"]);
    assert.deepEqual(trouble(find({ GOPROXY: "https://a.example:8443" }, { go: "1.23" }, { netrc })), []);
  });
});

suite("the go env file", () => {
  const inFile = (text: string, env: Record<string, string> = {}): readonly string[] =>
    trouble(find(env, {}, { userFile: { kind: "text", path: "/h/env", text } }));
  const cases: readonly (readonly [text: string, want: readonly string[], env?: Record<string, string>])[] = [
    ["GOPROXY=https://goproxy.cn,direct\n# a comment\n\n", []],
    [" GOPROXY=https://goproxy.cn\n", ["warn ENV_FILE_IGNORED_LINE"]],
    ["export GOPROXY=https://goproxy.cn\n", ["warn ENV_FILE_IGNORED_LINE"]],
    ["GOPROXY = https://goproxy.cn\n", ["warn ENV_FILE_KEY_BLANK"]],
    ["GOPRIVATE=a\nGOPRIVATE=b\n", ["warn ENV_FILE_DUPLICATE"]],
    ["GOPRIVATE=a.example\r\n", ["warn ENV_FILE_CR"]],
    ["GODEBUG=http2client=0\n", ["warn ENV_FILE_PROCESS_ONLY"]],
    ['GOPRIVATE="a.example"\n', ["warn ENV_QUOTES"]],
    ["GOPROXY_TIMEOUT=10s\n", ["warn ENV_UNKNOWN_NAME"]],
    ["GOPROXY=https://goproxy.cn,direct\n", ["warn ENV_SHADOWED"], { GOPROXY: "https://goproxy.io,direct" }],
    ["GOPROXY=https://goproxy.cn,direct\n", [], { GOPROXY: "https://goproxy.cn,direct" }],
  ];
  for (const [text, want, env] of cases)
    test(`${JSON.stringify(text)} ${JSON.stringify(env ?? {})}`, () => {
      assert.deepEqual(inFile(text, env), want);
    });

  test("a file that cannot be there, or not be read", () => {
    assert.deepEqual(trouble(find({}, {}, { userFile: { kind: "nowhere", missing: "HOME" } })), [
      "warn ENV_FILE_NOWHERE",
    ]);
    const userFile = { kind: "unreadable", path: "/h/env", reason: "EACCES" } as const;
    assert.deepEqual(trouble(find({}, {}, { userFile })), ["warn ENV_FILE_UNREADABLE"]);
  });

  const editsOf = (text: string): readonly object[] =>
    find({}, {}, { userFile: { kind: "text", path: "/h/env", text } }).flatMap(({ fixes }) =>
      fixes.filter(({ kind }) => kind === "edit"),
    );

  test("the fix of a line that is passed over is that line", () => {
    assert.deepEqual(editsOf("\nexport GOPRIVATE = x\n"), [
      { kind: "edit", file: "/h/env", line: 2, before: "export GOPRIVATE = x", after: "GOPRIVATE=x" },
    ]);
  });

  test("no fix brings to life what switches verification off", () => {
    assert.deepEqual(editsOf("export GOSUMDB=off\nGONOSUMDB = *\n GOINSECURE=a.example\n"), []);
    const userFile = { kind: "text", path: "/h/env", text: "GOSUMDB=off\n" } as const;
    const [shadowed] = find({ GOSUMDB: sumdbName }, {}, { userFile }).filter(({ code }) => code === "ENV_SHADOWED");
    assert.deepEqual(shadowed?.fixes, []);
  });
});

test("S3-12: GONOPROXY alone does not keep a private name from the database", () => {
  const ask = (env: Record<string, string>): readonly Finding[] =>
    privateAsked(settingsOf({ ...bare, process: env }), "git.internal.corp/x");
  const [asked] = ask({ GONOPROXY: "git.internal.corp,*.corp" });
  assert.equal(asked?.code, "SUMDB_PRIVATE_ASKED");
  seen.add("SUMDB_PRIVATE_ASKED");
  assert.deepEqual(ask({ GOPRIVATE: "git.internal.corp" }), []);
  assert.deepEqual(ask({ GONOSUMDB: "*.internal.corp" }), []);
});

test("every code of this room was found by some row above", () => {
  assert.deepEqual(
    Object.keys(environmentFindings).filter((code) => /^(?:CHAIN|ENV|SUMDB)_/.test(code) && !seen.has(code)),
    [],
  );
});
