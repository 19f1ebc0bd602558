// The go command's own words, provoked: what explain-error reads is what go prints, from 1.19 on. Each row is a way to
// fail; its code is what explain-error must name first.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, suite, test } from "node:test";
import { compareGoVersions } from "#protocol/gover.ts";
import { explainErrors } from "#services/analysers/error-report.ts";
import type { GoCode } from "#services/findings/go.ts";
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import { makeCertificate } from "../support/certificate.ts";
import { startErrorWorld } from "../support/error-world.ts";
import type { StubAnswer } from "../support/faults.ts";
import { machineGo, newGoClient, skipLoudly } from "../support/go.ts";
import type { GoTool } from "../support/go.ts";
import { makeModule } from "../support/modules.ts";
import { obtainGo } from "../support/toolchains.ts";
import { recordModule } from "../support/world.ts";

type Way = {
  readonly code: GoCode;
  /** `URL/x` is the world over http, `TLS/x` over https. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Of the working folder; without a go.mod there is none. */
  readonly files?: Readonly<Record<string, string>>;
  /** The first and the last Go that says it so, `1.24`. */
  readonly since?: string;
  readonly until?: string;
  /** It need not be the first: go says another one as well. */
  readonly isAmong?: true;
  /** Ended after so long: a run that hangs. */
  readonly endAfterMs?: number;
};

const hello = makeModule({ path: "example.com/hello", version: "v1.0.0" });
const renamed = makeModule({
  path: "example.com/fork",
  version: "v1.0.0",
  files: { "go.mod": "module example.com/origin\n", "x.go": "package fork\n" },
});
const retracted = makeModule({
  path: "example.com/old",
  version: "v1.0.0",
  files: {
    "go.mod": "// Deprecated: use new\nmodule example.com/old\n\nretract v1.0.0 // oops\n",
    "x.go": "package old\n",
  },
});
const unrecorded = makeModule({ path: "example.com/private", version: "v1.0.0" });
const modules = [hello, renamed, retracted, unrecorded];

const main = "module example.com/main\n\ngo 1.18\n";
const needsHello = `${main}\nrequire example.com/hello v1.0.0\n`;
const imports = 'package main\n\nimport _ "example.com/hello"\n\nfunc main() {}\n';
const download = ["mod", "download", "example.com/hello@v1.0.0"];
const good = { GOPROXY: "URL/good" };

const status = (code: GoCode, answer: number): Way => ({ code, env: { GOPROXY: `URL/${answer}` } });
const list = (code: GoCode, GOPROXY: string): Way => ({ code, env: { GOPROXY } });
const sums = (code: GoCode, name: string, more: Partial<Way> = {}): Way => ({
  code,
  env: { GOPROXY: `URL/${name}`, GOSUMDB: "KEY" },
  ...more,
});
const inModule = (code: GoCode, goMod: string, more: Partial<Way> = {}): Way => ({
  code,
  env: good,
  args: ["build", "./..."],
  ...more,
  files: { "go.mod": goMod, "main.go": imports, ...more.files },
});
const env = (code: GoCode, values: Readonly<Record<string, string>>, more: Partial<Way> = {}): Way => ({
  code,
  env: { ...good, ...values },
  ...more,
});

const ways: Readonly<Record<string, Way>> = {
  "204": status("GO_ERR_STATUS", 204),
  "400": status("GO_ERR_STATUS", 400),
  "401": status("GO_ERR_UNAUTHORIZED", 401),
  "403": status("GO_ERR_FORBIDDEN", 403),
  "404": status("GO_ERR_NOT_FOUND", 404),
  "406": status("GO_ERR_STATUS", 406),
  "410": status("GO_ERR_NOT_FOUND", 410),
  "418": status("GO_ERR_STATUS", 418),
  "429": status("GO_ERR_TOO_MANY", 429),
  "451": status("GO_ERR_FORBIDDEN", 451),
  "500": status("GO_ERR_SERVER_ERROR", 500),
  "502": status("GO_ERR_GATEWAY", 502),
  "503": status("GO_ERR_GATEWAY", 503),
  "504": status("GO_ERR_GATEWAY", 504),
  "a trace of 502": {
    code: "GO_ERR_GATEWAY",
    env: { GOPROXY: "URL/502" },
    args: ["mod", "download", "-x", "example.com/hello@v1.0.0"],
  },
  "a silent proxy, traced": {
    code: "GO_TRACE_UNANSWERED",
    env: { GOPROXY: "URL/silent" },
    args: ["mod", "download", "-x", "example.com/hello@v1.0.0"],
    endAfterMs: 4_000,
  },
  "429 to go get": {
    code: "GO_ERR_TOO_MANY",
    env: { GOPROXY: "URL/429" },
    args: ["install", "example.com/hello@latest"],
  },
  "our own answer": list("GO_GRANARY_ANSWER", "URL/granary"),
  "a web page": list("GO_ERR_HTML", "URL/html"),
  "an empty info": list("GO_ERR_BAD_JSON", "URL/empty"),
  "half a JSON": list("GO_ERR_BAD_JSON", "URL/garbage"),
  "another version": list("GO_ERR_OTHER_VERSION", "URL/other"),
  "a zip that is none": list("GO_ERR_BAD_ZIP", "URL/zip-garbage"),
  "half a zip": list("GO_ERR_BROKEN_OFF", "URL/zip-cut"),
  "an end without an answer": list("GO_ERR_BROKEN_OFF", "URL/eof"),
  "a reset": list("GO_ERR_RESET", "URL/reset"),
  "redirects without end": list("GO_ERR_REDIRECT", "URL/loop"),
  "nobody there": list("GO_ERR_REFUSED", "http://127.0.0.1:1"),
  // Go looks neither of these names up: they are no domain names.
  "no such name": list("GO_ERR_NO_SUCH_HOST", "http://no..such"),
  "a full-width comma": list("GO_GOPROXY_VALUE", "https://goproxy.cn，direct"),
  "https to an http port": { code: "GO_ERR_NOT_TLS", env: { GOPROXY: "URLS/good" } },
  "an untrusted certificate": list("GO_ERR_UNKNOWN_AUTHORITY", "TLS/good"),
  "a certificate for another name": {
    code: "GO_ERR_CERT_NAME",
    env: { GOPROXY: "TLSNAME/good", SSL_CERT_FILE: "CERT" },
  },
  "a stream that is reset": { code: "GO_ERR_H2_STREAM", env: { GOPROXY: "TLS/rst", SSL_CERT_FILE: "CERT" } },
  "a stream that is reset, traced": {
    code: "GO_H2_SERVER_RESET",
    env: { GOPROXY: "TLS/rst", SSL_CERT_FILE: "CERT", GODEBUG: "http2debug=2" },
    isAmong: true,
  },
  "a silent stream, traced": {
    code: "GO_H2_NO_ANSWER",
    env: { GOPROXY: "TLS/silent", SSL_CERT_FILE: "CERT", GODEBUG: "http2debug=2" },
    endAfterMs: 4_000,
  },
  "an HTTP proxy that is not there": env("GO_ERR_HTTP_PROXY_DOWN", {
    GOPROXY: "https://proxy.example",
    HTTPS_PROXY: "http://127.0.0.1:1",
    NO_PROXY: "",
  }),
  "an HTTP proxy that lets nobody through": env("GO_ERR_HTTP_PROXY_DOWN", {
    GOPROXY: "https://proxy.example",
    HTTPS_PROXY: "URL",
    NO_PROXY: "",
  }),
  "an HTTP proxy with a password": env("GO_ERR_HTTP_PROXY_AUTH", {
    GOPROXY: "https://auth.example",
    HTTPS_PROXY: "URL",
    NO_PROXY: "",
  }),
  "a password over http": list("GO_ERR_PLAIN_CREDENTIALS", "URLUSER/good"),
  "no network at all": env("GO_NETWORK_DISABLED", { GODEBUG: "cmdgonetlimit=0" }, { since: "1.21" }),

  off: list("GO_GOPROXY_OFF", "off"),
  "a word": list("GO_GOPROXY_VALUE", "goproxy"),
  ftp: list("GO_GOPROXY_VALUE", "ftp://x.test"),
  "file with a host": list("GO_GOPROXY_VALUE", "file://host/p"),
  "a comma alone": list("GO_GOPROXY_VALUE", ","),
  "no host": list("GO_GOPROXY_VALUE", "https://:::/"),
  quotes: list("GO_GOPROXY_VALUE", "'https://x',direct"),
  "one slash": list("GO_GOPROXY_VALUE", "http:/host/x"),
  "GO111MODULE=off": env("GO_MODULE_MODE_OFF", { GO111MODULE: "off" }),
  "GO111MODULE=foo": env("GO_MODULE_MODE_VALUE", { GO111MODULE: "foo" }),
  GOFLAGS: env("GO_GOFLAGS", { GOFLAGS: "mod=mod" }),
  GOVCS: env("GO_GOVCS", { GOPROXY: "direct", GOVCS: "*:off" }, { args: ["mod", "download", "github.com/x/y@v1.0.0"] }),
  "GOVCS malformed": env(
    "GO_GOVCS",
    { GOPROXY: "direct", GOVCS: "git" },
    { args: ["mod", "download", "github.com/x/y@v1.0.0"] },
  ),
  GOTOOLCHAIN: env("GO_GOTOOLCHAIN_VALUE", { GOTOOLCHAIN: "foo" }, { since: "1.21" }),
  "a toolchain in no folder": env("GO_GOTOOLCHAIN_VALUE", { GOTOOLCHAIN: "go1.99.1+path" }, { since: "1.21" }),
  "a language version": env("GO_TOOLCHAIN_UNAVAILABLE", { GOTOOLCHAIN: "go1.99.1" }, { since: "1.21" }),
  "GOCACHE=off": env(
    "GO_CACHE_SETTING",
    { GOCACHE: "off" },
    { args: ["build", "."], files: { "go.mod": main, "main.go": "package main\nfunc main() {}\n" } },
  ),
  "no HOME": env("GO_NO_HOME", { HOME: "", GOPATH: "", GOMODCACHE: "", GOCACHE: "", XDG_CACHE_HOME: "" }),
  "a relative GOMODCACHE": env("GO_CACHE_SETTING", { GOMODCACHE: "mod" }),
  "a wrong GOROOT": env("GO_GOROOT", { GOROOT: "/nonexistent" }, { args: ["list", "std"] }),
  "go env -w GODEBUG": {
    code: "GO_ENV_REFUSED",
    args: ["env", "-w", "GODEBUG=http2debug=1"],
    env: { GOENV: "HOME/env" },
  },
  "go env -w GOROOT": {
    code: "GO_ENV_REFUSED",
    since: "1.27",
    args: ["env", "-w", "GOROOT=/x"],
    env: { GOENV: "HOME/env", GOROOT: "" },
  },
  "go env -w of nothing": { code: "GO_ENV_REFUSED", args: ["env", "-w", "GONOSUMCHECK=1"], env: { GOENV: "HOME/env" } },
  "go env -w in vain": {
    code: "GO_ENV_SHADOWED",
    args: ["env", "-w", "GOPROXY=direct"],
    env: { GOENV: "HOME/env", GOPROXY: "URL/x" },
  },
  "-insecure": {
    code: "GO_INSECURE_FLAG",
    env: good,
    args: ["get", "-insecure", "example.com/hello"],
    files: { "go.mod": main },
  },
  "no git": env(
    "GO_VCS_MISSING",
    { GOPROXY: "direct", GOVCS: "*:all", PATH: "/nonexistent" },
    { args: ["mod", "download", "git.example/x.git@v1.0.0"] },
  ),

  "a sum that is not recorded so": sums("GO_SUMDB_MISMATCH", "lying"),
  "a database of another key": sums("GO_SUMDB_UNSIGNED", "unsigned"),
  "a record cut off": sums("GO_SUMDB_BROKEN", "torn"),
  "a module nobody recorded": sums("GO_SUMDB_UNKNOWN", "recorded", {
    args: ["mod", "download", "example.com/private@v1.0.0"],
  }),
  "a record without the module": sums("GO_SUMDB_ABSENT", "absent", { since: "1.27" }),
  "GOSUMDB=x": env("GO_GOSUMDB_VALUE", { GOSUMDB: "sum.golang.org+insecure" }),
  "GOSUMDB with a bad hash": env("GO_GOSUMDB_VALUE", {
    GOSUMDB: "sum.golang.org+00000000+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
  }),
  "GOSUMDB of three": env("GO_GOSUMDB_VALUE", { GOSUMDB: "a b c" }),
  "GOSUMDB of blanks": env("GO_GOSUMDB_VALUE", { GOSUMDB: " " }),

  "go.sum says otherwise": inModule("GO_SUM_MISMATCH", needsHello, {
    files: { "go.sum": "example.com/hello v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" },
    args: ["mod", "download"],
  }),
  "go.sum is no table": inModule("GO_SUM_MALFORMED", needsHello, {
    since: "1.21",
    files: { "go.sum": "<<<<<<<\n" },
    args: ["mod", "download"],
  }),
  "go.sum has nothing": inModule("GO_SUM_MISSING", needsHello),
  "an import without a module": inModule("GO_NO_MODULE_FOR_PACKAGE", main),
  "an import of the standard library that is none": inModule("GO_NOT_IN_STD", main, {
    files: { "main.go": 'package main\n\nimport _ "hellp"\n\nfunc main() {}\n' },
  }),
  "a package that the module lacks": {
    code: "GO_PACKAGE_NOT_IN_MODULE",
    env: good,
    args: ["get", "example.com/hello/gone@v1.0.0"],
    files: { "go.mod": main },
  },
  "a module that calls itself otherwise": {
    code: "GO_OTHER_PATH",
    env: good,
    args: ["get", "example.com/fork@v1.0.0"],
    files: { "go.mod": main },
  },
  "a version that nobody has": {
    code: "GO_NO_VERSION",
    env: good,
    args: ["get", "example.com/hello@>v9.0.0"],
    files: { "go.mod": main },
  },
  "a branch with a slash": {
    code: "GO_BAD_VERSION",
    env: good,
    args: ["get", "example.com/hello@feature/x"],
    files: { "go.mod": main },
  },
  "v2 without /v2": inModule("GO_BAD_VERSION", `${main}\nrequire example.com/hello v2.0.0\n`),
  "a path without a dot": {
    code: "GO_BAD_PATH",
    env: good,
    args: ["mod", "download", "hello@v1.0.0"],
    files: { "go.mod": main },
  },
  "a URL in replace": inModule("GO_REPLACE", `${needsHello}\nreplace example.com/hello => https://git.example/hello\n`),
  "a replace of nothing": inModule("GO_REPLACE", `${needsHello}\nreplace example.com/hello => ../gone\n`),
  "an unknown directive": inModule("GO_GO_MOD", `${main}\nrequires example.com/hello v1.0.0\n`),
  "no go.mod": { code: "GO_NO_GO_MOD", env: good, args: ["mod", "tidy"] },
  "an old vendor": inModule("GO_VENDOR_STALE", needsHello, { files: { "vendor/modules.txt": "" } }),
  "a Go of tomorrow": inModule("GO_TOO_OLD", "module example.com/main\n\ngo 1.99.0\n", { since: "1.21" }),
  "a toolchain line in an old Go": inModule("GO_TOO_OLD", `${main}\ntoolchain go1.21.0\n`, { until: "1.20" }),
  "a deprecated module": {
    code: "GO_DEPRECATED",
    isAmong: true,
    env: good,
    args: ["get", "example.com/old@v1.0.0"],
    files: { "go.mod": main },
  },
  "a retracted version": {
    code: "GO_RETRACTED",
    isAmong: true,
    env: good,
    args: ["get", "example.com/old@v1.0.0"],
    files: { "go.mod": main },
  },
};

test("the ways to fail are many, and of many codes", () => {
  assert.ok(Object.keys(ways).length >= 80);
  assert.ok(new Set(Object.values(ways).map(({ code }) => code)).size >= 50);
});

const key = { name: "sum.example", seed: new Uint8Array(32).fill(7) };
const database = new TestDatabase(key);
const foreign = new TestDatabase({ name: key.name });
for (const each of [database, foreign]) await recordModule(each, hello);

/** A tunnel to a database, honest or not. */
async function tunnel(name: string, target: string): Promise<StubAnswer | undefined> {
  const path = /^\/sumdb\/sum\.example(\/.*)$/.exec(target)?.[1];
  if (path === undefined) return undefined;
  const from = name === "unsigned" ? foreign : name === "lying" ? liar : name === "absent" ? mute : database;
  // The fault of `absent` is that another module's record is given, which is in the log.
  const {
    status: code,
    contentType,
    bytes,
  } = await from.answer(name === "absent" ? path.replace("example.com/hello@", "example.com/fork@") : path);
  const body = name === "torn" && path.startsWith("/lookup/") ? bytes.slice(0, 20) : bytes;
  return { status: code, headers: { "content-type": contentType }, body };
}
const liar = new TestDatabase(key);
const mute = new TestDatabase(key);
const zero = `h1:${Buffer.alloc(32).toString("base64")}`;
await liar.add(`example.com/hello v1.0.0 ${zero}\nexample.com/hello v1.0.0/go.mod ${zero}\n`);
await recordModule(mute, renamed);

const folder = await mkdtemp(join(tmpdir(), "granary-errors-"));
const certificate = await makeCertificate(folder, "errors");
const world = await startErrorWorld({ modules, certificate, also: tunnel });
after(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

for (const wanted of ["1.19.13", "", "1.27.3"]) {
  suite(`go ${wanted === "" ? "of this machine" : wanted} says, and explain-error reads`, () => {
    for (const [name, way] of Object.entries(ways))
      test(name, async (t) => {
        const tool = wanted === "" ? await machineGo() : await obtainGo(wanted);
        if (tool === undefined || typeof tool === "string") {
          skipLoudly(t, tool ?? "no `go` on PATH");
          return;
        }
        if (!says(way, tool)) {
          t.skip(`not a text of go ${tool.version}`);
          return;
        }
        if (world.https === undefined && /TLS/.test(way.env?.["GOPROXY"] ?? "")) {
          skipLoudly(t, "no openssl");
          return;
        }
        const said = await provoke(way, tool);
        const { causes, follows, notices } = explainErrors(said);
        const codes = [...causes, ...notices, ...follows].map(({ finding }) => finding.code);
        if (way.isAmong === true) assert.ok(codes.includes(way.code), `${codes.join(" ")}\n${said}`);
        else assert.equal(codes[0], way.code, said);
      });
  });
}

function says({ since = "1", until = "2" }: Way, { version }: GoTool): boolean {
  return compareGoVersions(version, since) >= 0 && compareGoVersions(version, `${until}.99`) <= 0;
}

async function provoke(
  { env: values = {}, args = download, files = {}, endAfterMs }: Way,
  tool: GoTool,
): Promise<string> {
  const client = await newGoClient(tool, {});
  try {
    const cwd = join(client.home, "work");
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(cwd, name)), { recursive: true });
      await writeFile(join(cwd, name), text);
    }
    const filled = Object.entries(values).map(([name, value]) => [name, fill(value, client.home)] as const);
    const run = { cwd, env: Object.fromEntries(filled) };
    const ended = endAfterMs === undefined ? run : { ...run, timeoutMs: endAfterMs };
    const { stderr } = await client.run(args, ended);
    return stderr;
  } finally {
    await client.remove();
  }
}

function fill(value: string, home: string): string {
  return value
    .replace("URLUSER", world.http.replace("//", "//u:p@"))
    .replace("URLS", world.http.replace("http:", "https:"))
    .replace("URL", world.http)
    .replace("TLSNAME", (world.https ?? "").replace("127.0.0.1", "localhost"))
    .replace("TLS", world.https ?? "")
    .replace("CERT", certificate?.cert ?? "")
    .replace("HOME", home)
    .replace(/^KEY$/, database.verifierKey);
}
