import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import {
  catalogues,
  describe,
  explainCode,
  granaryCodes,
  isGranaryCode,
  maxBytes,
  maxLines,
  render,
} from "./catalogue.ts";
import type { AnswerFields, Fields, GranaryCode } from "./codes.ts";
import { asGranaryError, GranaryError, isGranaryError } from "./granary-error.ts";
import { quote } from "./quote.ts";
import { bytes, duration, langs, triedEn, triedZh } from "./sentences.ts";

const what = "example.com/m@v1.2.0";
const tried = [
  { upstream: "goproxy.example", reason: "timeout" },
  { upstream: "mirror.example", reason: "502" },
];
const hash = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/** One ordinary failure of every code. The type makes it complete. */
const ordinary: { readonly [C in GranaryCode]: Fields[C] } = {
  GRANARY_BAD_REQUEST: { target: "/a%2Fb", reason: "%2F in a module path" },
  GRANARY_METHOD_NOT_ALLOWED: { method: "PUT", allowed: "GET, HEAD" },
  GRANARY_BAD_RANGE: { range: "bytes=9-", size: 4 },
  GRANARY_NO_ROUTE: { target: "/-/x" },
  GRANARY_UNAUTHORIZED: { what },
  GRANARY_FORBIDDEN: { what, rule: "write scope" },
  GRANARY_TOKEN_NEEDS_TLS: { what },
  GRANARY_CLIENT_CERTIFICATE: { problem: "refused", detail: "SELF_SIGNED_CERT_IN_CHAIN" },
  GRANARY_SUMDB_ONLY: { what, databases: ["sum.example"] },
  GRANARY_AGENT_FAILED: { what, server: "https://proxy.corp.example", because: "certificate", detail: "reset" },
  GRANARY_NOT_A_DATABASE: { dir: "sumdb", reason: "there is no `key` in it" },
  GRANARY_AGENT_EXPOSED: { listen: "0.0.0.0:3128" },
  GRANARY_FILE_EXISTS: { file: "granary-agent.service" },
  GRANARY_WRITE_DISABLED: { route: "POST /-/api/x" },
  GRANARY_WEBHOOK_REFUSED: { forge: "github" },
  GRANARY_NEEDS_WRITE_TOKEN: { route: "POST /-/api/x" },
  GRANARY_NOT_FOUND: { what, upstreams: ["official"], reason: "not found: unknown revision v1.2.0" },
  GRANARY_IMPOSSIBLE: { what, reason: "the first path element has no dot" },
  GRANARY_NOT_KEPT: { what, because: "cached-only" },
  GRANARY_PRIVATE_NOT_HERE: { what, patterns: "example.com/*" },
  GRANARY_UPSTREAM_FAILED: { what, tried },
  GRANARY_UPSTREAM_REFUSED: { what, upstream: "mirror.example", status: 451, quote: "blocked", tried },
  GRANARY_UPSTREAM_TIMEOUT: { what, tried, waitedMs: 30_000 },
  GRANARY_UPSTREAM_BUSY: { what, tried, waitSeconds: 300 },
  GRANARY_OFFLINE: { what, tried },
  GRANARY_UPSTREAMS_DISABLED: { what, names: ["corp", "mirror.example"] },
  GRANARY_NO_UPSTREAM: { what },
  GRANARY_DIRECT_FAILED: { what, reason: "fatal: Authentication failed for 'https://git.corp.example/x/'", tried },
  GRANARY_NO_GO: { what, program: "go" },
  GRANARY_LOOP: { what, via: "1.1 granary" },
  GRANARY_SUMDB_UNREACHABLE: { what, database: "sum.example", tried },
  GRANARY_SUMDB_NEWER_HEAD: { what: "tile/8/0/001", database: "sum.example", ours: 300, atLeast: 512, tried },
  GRANARY_SUMDB_MISMATCH: {
    what,
    upstream: "mirror.example",
    database: "sum.example",
    recorded: hash,
    received: hash.replace("47", "9f"),
    record: 32_459_110,
    tree: 71_769_961,
    tried,
  },
  GRANARY_SUMDB_NO_RECORD: { what, database: "sum.example", reason: "not found" },
  GRANARY_SUMDB_INVALID: { what, database: "sum.example", reason: "bad inclusion proof" },
  GRANARY_SUMDB_FORK: { database: "sum.example", evidence: "forks/1.txt" },
  GRANARY_SUMDB_UNKNOWN: { database: "other.example", configured: ["sum.example"] },
  GRANARY_SUMLOG_STOPPED: { database: "sum.corp.example", reason: "it has 3 records, and this key has signed 10" },
  GRANARY_SUMLOG_CONFLICT: { database: "sum.corp.example", reason: `${what} is recorded with other hashes` },
  GRANARY_SUMDB_NOT_FOUND: { what, database: "sum.example", reason: "not found" },
  GRANARY_INTEGRITY_MISMATCH: { what, upstream: "corp", list: "list.example", listed: hash, received: hash },
  GRANARY_PIN_MISMATCH: { what, upstream: "corp", pinned: hash, received: hash },
  GRANARY_REPACKED: { what, upstream: "direct", served: "0a".repeat(32), received: "0b".repeat(32) },
  GRANARY_HELD: { what, reason: "stolen signing key", since: "2026-01-02T03:04:05Z" },
  GRANARY_PUBLISH_PUBLIC: { what, patterns: "corp.example/*" },
  GRANARY_PUBLISH_REFUSED: { what, reason: "a/b: symbolic link" },
  GRANARY_PUBLISH_CONFLICT: { what, kept: hash, received: hash.replace("47", "9f") },
  GRANARY_PUBLISH_KEY: { what, key: "7d5c3a52" },
  GRANARY_BAD_MODULE: { what, upstream: "corp", reason: "symbolic link a/b" },
  GRANARY_REWRITE_CONFLICT: { what, target: "new.example/m@v1.2.0", declared: "new.example/m" },
  GRANARY_VALIDATION_REFUSED: { what, reason: "licence AGPL-3.0 is not allowed" },
  GRANARY_VALIDATION_FAILED: { what, reason: "no verdict within 30000 ms" },
  GRANARY_SNAPSHOT_MISMATCH: { what, upstream: "corp" },
  GRANARY_TOO_LARGE: { what, upstream: "corp", limitBytes: 524_288_000 },
  GRANARY_STORE_UNAVAILABLE: { what, reason: "EIO" },
  GRANARY_STORE_FULL: { what, because: "low-space", freeBytes: 12_000_000, markBytes: 1_073_741_824 },
  GRANARY_STORE_READ_ONLY: { what },
  GRANARY_STORE_DAMAGED: { what, reason: "block 3", sha256: "9".repeat(64) },
  GRANARY_OVERLOADED: { limit: "limits.ingests", value: 16 },
  GRANARY_RATE_LIMITED: { perSecond: 5, waitSeconds: 60 },
  GRANARY_DRAINING: {},
  GRANARY_INTERNAL: { reason: "bad index math" },
  GRANARY_BAD_FLAG: { flag: "--listen", value: "x", accepted: "HOST:PORT" },
  GRANARY_UNKNOWN_FLAG: { flag: "--lisen", command: "granary serve", nearest: "--listen" },
  GRANARY_UNKNOWN_COMMAND: { command: "sevre", nearest: "serve" },
  GRANARY_BAD_USAGE: { reason: "missing ID", usage: "granary explain ID" },
  GRANARY_BAD_CONFIG: { origin: "file c.yaml:3", key: "listen", value: "x", accepted: "HOST:PORT" },
  GRANARY_UNKNOWN_SETTING: { origin: "file c.yaml:3", key: "lisen", nearest: "listen" },
  GRANARY_CONFIG_UNREADABLE: { file: "c.yaml", reason: "ENOENT" },
  GRANARY_CONFIG_VARIABLE: { origin: "file c.yaml:3", key: "store", variable: "DIR" },
  GRANARY_SECRET_UNREADABLE: { origin: "file c.yaml:3", key: "upstreams.corp.headers", reference: "env:T" },
  GRANARY_NEEDS_RESTART: { keys: ["listen"] },
  GRANARY_PORT_TAKEN: { host: "127.0.0.1", port: 8080 },
  GRANARY_LISTEN_FAILED: { address: "192.0.2.1:80", reason: "EADDRNOTAVAIL" },
  GRANARY_STORE_UNWRITABLE: { dir: "/srv", reason: "EACCES" },
  GRANARY_STORE_TOO_NEW: { dir: "/srv", found: "2", supported: "1" },
  GRANARY_STORE_LOCKED: { dir: "/srv", holder: "process 1" },
  GRANARY_SHARED_STORE_AWAY: { bucket: "granary", endpoint: "http://127.0.0.1:9000", reason: "ECONNREFUSED" },
  GRANARY_STORE_NOT_FREE: { dir: "/srv", bucket: "granary", of: "" },
  GRANARY_STORE_IS_COPY: { dir: "/srv", bucket: "granary" },
  GRANARY_NOT_WITH_SHARED_STORE: { what: "--workers", because: "why", instead: "what to do" },
  GRANARY_NO_STORE: { dir: "/srv" },
  GRANARY_SNAPSHOTS_UNUSABLE: { dir: "/backup", reason: "it has other things in it (photos)" },
  GRANARY_RESTORE_LOG_BEHIND: { database: "sum.corp.example", found: 3, signed: 10 },
  GRANARY_RESTORE_LOG_FORK: { database: "sum.corp.example", reason: "the first 3 records are not those of the store" },
  GRANARY_RESTORE_LOG_KEYLESS: { database: "sum.corp.example" },
  GRANARY_RESTORE_LOG_UNSOUND: { database: "sum.corp.example", reason: "commit 3 is lost" },
  GRANARY_PRIVATE_EXPOSED: { listen: "0.0.0.0:80", patterns: "example.com/*" },
  GRANARY_READERS_UNKNOWN: { listen: "0.0.0.0:80", patterns: "example.com/*", reason: "ECONNREFUSED" },
  GRANARY_EGRESS_UNSET: { origin: "file granary.yaml:3" },
  GRANARY_COMPAT_REFUSED: {
    key: "FilterFile",
    origin: "file config.toml:7",
    reason: "what it excludes passes",
    more: 1,
  },
  GRANARY_TLS_UNREADABLE: { file: "/c.pem", reason: "ENOENT" },
  GRANARY_TOKENS_UNREADABLE: { file: "/t.json", reason: "EACCES" },
  GRANARY_NO_SUCH_ID: { kind: "token", id: "7f3c21" },
  GRANARY_TARGET_UNREACHABLE: { url: "http://127.0.0.1:1", reason: "ECONNREFUSED" },
  GRANARY_TRUSTED_UNREADABLE: { file: "trusted.sumdb", line: 3, found: "haed:", accepted: "head:" },
  GRANARY_INPUT_UNREADABLE: { place: "list.txt:3", reason: 'non-semver module version "latest"' },
  GRANARY_NOT_PUBLISHABLE: { what: "v1.2", reason: "it must end in vMAJOR.MINOR.PATCH" },
  GRANARY_ENV_NOT_WRITTEN: { what: "/home/me/.config/go/env", because: "no-go", detail: "" },
  GRANARY_GO_MISSING: { what: "granary verify --smoke" },
  GRANARY_GIT_FAILED: { command: "git archive", reason: "not a git repository" },
  GRANARY_STOPPED: {},
  GRANARY_CANNOT_RUN: { program: "go", reason: "not on PATH" },
  GRANARY_LAYOUT_OLD: { dir: "/srv", found: 1 },
  GRANARY_INDEX_UNAVAILABLE: { reason: "PostgreSQL: nobody listens there (ECONNREFUSED)" },
  GRANARY_GC_SHARED: { bucket: "go-modules" },
  GRANARY_DONE_ELSEWHERE: { work: "gc" },
  GRANARY_NOT_COMMITTED: { what: "example.com/m@v1.0.0", asked: "0".repeat(64), committed: "1".repeat(64) },
  GRANARY_NO_COPY: { what: "example.com/m@v1.0.0", sha256: "0".repeat(64) },
  GRANARY_SERVER_REFUSED: { url: "http://127.0.0.1:1", status: 401, said: "GRANARY_NEEDS_WRITE_TOKEN: /-/api/x" },
};

// What a hostile upstream may put into a field: long, multi-line, blank lines, controls, bidi, lone surrogates.
const hostileTexts = [
  "",
  "x".repeat(100_000),
  "查".repeat(20_000),
  "\n\n\nsecond\r\n\r\nthird\u0000\u0007\u001b[31m",
  "\u202Eevil\u2066\uFEFF\u200B\u00AD",
  "\uD800 lone \uDC00",
  "🧨".repeat(5000),
  "\u2028\u2029\u0085\u00A0",
  " \t ",
];

function spoil(value: unknown, text: string): unknown {
  if (typeof value === "string") return text;
  if (typeof value === "number") return Number.MAX_SAFE_INTEGER;
  if (Array.isArray(value)) return Array.from({ length: 200 }, () => spoil(value[0], text));
  return Object.fromEntries(Object.entries(value as object).map(([name, item]) => [name, spoil(item, text)]));
}

/** The closed choices of a field stay what the type allows. */
function hostile(code: GranaryCode, text: string): GranaryError {
  const spoilt = spoil(ordinary[code], text) as Record<string, unknown>;
  const kept = ordinary[code] as Record<string, unknown>;
  for (const name of ["because", "kind"]) if (name in spoilt) spoilt[name] = kept[name];
  return new GranaryError(code, spoilt);
}

/** What `go` would refuse to show (cmd/go/internal/web formatErrorDetail), with some room left. */
function assertShown(lines: readonly string[], code: GranaryCode): void {
  const text = lines.join("\n");
  assert.ok(lines.length >= 1 && lines.length <= maxLines, `${code}: ${lines.length} lines`);
  assert.ok(Buffer.byteLength(text) <= maxBytes, `${code}: ${Buffer.byteLength(text)} bytes: ${text}`);
  assert.ok(lines[0]?.startsWith(code));
  for (const line of lines) assert.notEqual(line.trim(), "");
  assert.match(text.replaceAll("\n", ""), /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]*$/u);
  assert.ok(text.isWellFormed());
}

suite("the error catalogue", () => {
  for (const code of granaryCodes)
    for (const lang of langs) {
      test(`${code} in ${lang}: hostile fields stay within what go shows`, () => {
        for (const text of hostileTexts) assertShown(render(hostile(code, text), lang, "7f3c21"), code);
      });
      test(`${code} in ${lang}: an ordinary failure is short, unabridged and names where to read on`, () => {
        const error = new GranaryError(code, ordinary[code]);
        const lines = render(error, lang, "7f3c21");
        assertShown(lines, code);
        assert.ok(!lines.join("\n").includes("…"), lines.join("\n"));
        assert.match(lines.at(-1) ?? "", /granary explain 7f3c21$/);
        assert.ok(!/undefined|\[object/.test(lines.join("\n")));
      });
    }

  test("render(): any field values stay within what go shows", () => {
    const pick = fc.constantFrom(...granaryCodes);
    const property = fc.property(
      pick,
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.constantFrom(...langs),
      (code, text, lang) => assertShown(render(hostile(code, text), lang, "7f3c21"), code),
    );
    fc.assert(property, { numRuns: 500 });
  });

  test("no sentence advises to switch verification off", () => {
    const banned = /GOSUMDB=off|GONOSUMDB=\*|GONOSUMCHECK|GOINSECURE|GOFLAGS=-insecure|curl -k|--insecure|-insecure/i;
    for (const code of granaryCodes)
      for (const lang of langs) {
        const { cause, remedy } = explainCode(code, lang);
        const said = describe(new GranaryError(code, ordinary[code]), lang).join("\n");
        for (const text of [cause, remedy, said]) assert.doesNotMatch(text, banned, code);
      }
  });

  test("the Chinese sentences are Chinese and the English ones are ASCII but for quotation", () => {
    for (const code of granaryCodes) {
      const zh = catalogues["zh-CN"][code];
      assert.match(zh.cause + zh.remedy, /\p{Script=Han}/u, code);
      assert.doesNotMatch(catalogues.en[code].cause + catalogues.en[code].remedy, /\p{Script=Han}/u, code);
    }
  });

  test("isGranaryCode() knows exactly the codes", () => {
    assert.ok(isGranaryCode("GRANARY_OFFLINE"));
    assert.ok(!isGranaryCode("GRANARY_OFFLINE_"));
    assert.ok(!isGranaryCode("toString"));
  });
});

suite("granary errors", () => {
  test("asGranaryError() keeps ours and wraps others with their cause", () => {
    const ours = new GranaryError("GRANARY_STORE_FULL", { what });
    const theirs = new RangeError("bad index math");
    assert.equal(asGranaryError(ours), ours);
    const wrapped = asGranaryError(theirs);
    assert.equal(wrapped.code, "GRANARY_INTERNAL");
    assert.equal(wrapped.cause, theirs);
    assert.ok(isGranaryError(wrapped, "GRANARY_INTERNAL"));
    assert.ok(!isGranaryError(wrapped, "GRANARY_OFFLINE"));
    assert.ok(!isGranaryError(theirs));
  });

  test("fields of a code are typed by the code", () => {
    const fields: AnswerFields["GRANARY_OVERLOADED"] = { limit: "limits.ingests", value: 16 };
    assert.deepEqual(new GranaryError("GRANARY_OVERLOADED", fields).fields, fields);
  });
});

suite("quoting", () => {
  test("quote() makes one graphic line and shows a cut", () => {
    assert.equal(quote("a\n\tb\u001b[1m", 40), "a b?[1m");
    assert.equal(quote("abcdef", 4), "abc…");
    assert.equal(quote("中文，v1", 40), "中文，v1");
  });

  test("numbers read as people write them", () => {
    assert.equal(bytes(999), "999 B");
    assert.equal(bytes(31_800_000), "31.8 MB");
    assert.equal(bytes(999_999), "1 MB");
    assert.equal(duration(480), "480 ms");
    assert.equal(duration(3200), "3.2 s");
    assert.equal(duration(240_000), "4 min");
    assert.equal(triedEn(tried), "goproxy.example (timeout), mirror.example (502)");
    assert.equal(triedZh([]), "无");
  });
});
