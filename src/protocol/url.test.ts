import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import { formatRedacted, parseURL, redactURL } from "./url.ts";

const shown = [
  ["https://user:secret@host.example/p?q=secret#f", "https://user:xxxxx@host.example/p?q=secret#f"],
  ["https://user@host.example", "https://user@host.example"],
  ["https://:@host.example", "https://:xxxxx@host.example"],
  ["https://u:p@ss@host.example/", "https://u:xxxxx@host.example/"],
  ["https://us%2Fer:p%40ss@host.example/", "https://us%2Fer:xxxxx@host.example/"],
  ["HTTPS://Host.Example:8080/%7e/a b", "https://Host.Example:8080/~/a%20b"],
  ["https://goproxy.example，direct", "https://goproxy.example%EF%BC%8Cdirect"],
  ["https://[::1]:80/x", "https://[::1]:80/x"],
  ["file:///a/b", "file:///a/b"],
  ["file:/a/b", "file:/a/b"],
  ["mailto:x@y", "mailto:x@y"],
  ["/tmp/x", "/tmp/x"],
  ["//u:p@h/x", "//u:xxxxx@h/x"],
  ["https://a/?x#é", "https://a/?x#%C3%A9"],
] as const;

suite("redactURL", () => {
  for (const [text, want] of shown)
    test(`shows ${text} as ${want}`, () => {
      assert.equal(redactURL(text), want);
      assert.equal(formatRedacted(parseURL(text, "BAD_PROXY_LIST")), want);
    });

  for (const text of ["https://u:secret@:::/", "https://u:secret@h/%zz", "u:secret@h\n", "https://u:sec|ret@h"])
    test(`masks what may be a secret in ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseURL(text, "BAD_PROXY_LIST"),
        (error: unknown) => {
          assert.ok(error instanceof ProtocolError);
          return error.code === "BAD_PROXY_LIST" && !/sec|ret/.test(error.message);
        },
      );
      assert.doesNotMatch(redactURL(text), /sec|ret@/);
      assert.match(redactURL(text), /xxxxx@/);
    });
});

const bad = [
  ["https://:::/", 'invalid port ":::" after host'],
  ["https://a:b/", 'invalid port ":b" after host'],
  ["https://[::1", "missing ']' in host"],
  ["https://a[::1]", "invalid IP-literal"],
  ["https://a b/", 'invalid character " " in host name'],
  ["https://a%41/", 'invalid URL escape "%41"'],
  ["https://a/%zz", 'invalid URL escape "%zz"'],
  ["https://a/%2", 'invalid URL escape "%2"'],
  ["https://a/\x7f", "net/url: invalid control character in URL"],
  [":x", "missing protocol scheme"],
  ["1a:b/c", "first path segment in URL cannot contain colon"],
] as const;
for (const [text, reason] of bad)
  test(`parseURL(${JSON.stringify(text)}) says: ${reason}`, () => {
    const shownText = JSON.stringify(text).replace("\x7f", "\\x7f");
    assert.throws(() => parseURL(text, "BAD_GOSUMDB"), {
      code: "BAD_GOSUMDB",
      message: `parse ${shownText}: ${reason}`,
    });
  });

test("any string is a URL or a ProtocolError, and can be shown", () => {
  const near = fc
    .array(
      fc.constantFrom("https", "://", ":", "/", "u:p", "@", "a.b", "[", "]", "%41", "%", "?", "#", "é", " ", "\ud800"),
    )
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(near, fc.string({ unit: "binary" })), (text) => {
      try {
        const url = formatRedacted(parseURL(text, "BAD_PROXY_LIST"));
        assert.equal(typeof url, "string");
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

test("no password of a URL is ever shown", () => {
  const rest = fc.string({ unit: fc.constantFrom("a", ".", ":", "/", "%", "[", "]", " ", "?", "#", "8") });
  fc.assert(
    fc.property(rest, (host) => {
      assert.doesNotMatch(redactURL(`https://user:hunter2@${host}`), /hunter2/);
    }),
    { numRuns: 2000 },
  );
});
