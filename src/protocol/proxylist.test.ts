import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import { goDefaultProxyList, officialProxyURL } from "./official.ts";
import { formatProxyList, parseProxyList } from "./proxylist.ts";
import type { ProxyEntry } from "./proxylist.ts";

const url = (text: string, separator: "," | "|" | "" = ""): ProxyEntry => ({ kind: "url", url: text, separator });
const direct: ProxyEntry = { kind: "direct", separator: "" };
const off: ProxyEntry = { kind: "off", separator: "" };

const lists: readonly (readonly [string, readonly ProxyEntry[]])[] = [
  [goDefaultProxyList, [url(officialProxyURL, ","), direct]],
  ["https://a.example|http://b.example,off", [url("https://a.example", "|"), url("http://b.example", ","), off]],
  ["direct", [direct]],
  ["off", [off]],
  [" a.example , direct\n", [url("https://a.example", ","), direct]],
  [",,a.example,,|b.example,", [url("https://a.example", ","), url("https://b.example", ",")]],
  ["a.example,direct,https://:::/", [url("https://a.example", ","), direct]],
  ["off,not a url", [off]],
  ["localhost:8181/x", [url("https://localhost:8181/x")]],
  ["HTTPS://A.example/p/", [url("https://A.example/p")]],
  ["https://a.example//", [url("https://a.example")]],
  ["https://a.example/p/?x=1", [url("https://a.example/p?x=1")]],
  ["https://u:p%2Cw@a.example", [url("https://u:p%2Cw@a.example")]],
  ["https://a.example;direct", [url("https://a.example;direct")]],
  ["https://a.example/p direct", [url("https://a.example/p%20direct")]],
  ["https://goproxy.example，direct", [url("https://goproxy.example，direct")]],
  ["https://a.example/%7e/é /", [url("https://a.example/~/%C3%A9%20")]],
  ["https://a.example/%2f/", [url("https://a.example/%2f")]],
  ["file:///srv/proxy/", [url("file:///srv/proxy")]],
  ["file:///", [url("file:///")]],
  ["FILE://", [url("file:///")]],
];

suite("parseProxyList", () => {
  for (const [text, want] of lists)
    test(`reads ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parseProxyList(text), want);
      assert.deepEqual(parseProxyList(formatProxyList(want)), want);
    });

  const noEntries = "GOPROXY list is not the empty string, but contains no entries";
  const refused = [
    ["", noEntries],
    [",", noEntries],
    [" \t, |", noEntries],
    ["goproxy", "invalid proxy URL missing scheme: goproxy"],
    ["Direct", "invalid proxy URL missing scheme: Direct"],
    ["noproxy", "invalid proxy URL missing scheme: noproxy"],
    ["/tmp/x", "invalid proxy URL missing scheme: /tmp/x"],
    ["ftp://x.test", "invalid proxy URL scheme (must be https, http, file): ftp://x.test"],
    ["ftp://u:p@x.test", "invalid proxy URL scheme (must be https, http, file): ftp://u:xxxxx@x.test"],
    ["file://host/p", "invalid file:// proxy URL with non-path elements: file://host/p"],
    ["file:///p?x", "invalid file:// proxy URL with non-path elements: file:///p?x"],
    ["file:///p?", "invalid file:// proxy URL with non-path elements: file:///p?"],
    ["file:///p#x", "invalid file:// proxy URL with non-path elements: file:///p#x"],
    ["file:/p", "invalid file:// proxy URL with non-path elements: file:/p"],
    ["https://:::/", 'parse "https://:::/": invalid port ":::" after host'],
    ["'https://x',direct", `parse "'https://x'": first path segment in URL cannot contain colon`],
    ["“https://x”", 'parse "“https://x”": first path segment in URL cannot contain colon'],
    ["http:/host/x", 'Get "http:/host/x": http: no Host in request URL'],
    ["https://a.example,bad", "invalid proxy URL missing scheme: bad"],
  ] as const;
  for (const [text, message] of refused)
    test(`refuses ${JSON.stringify(text)} with Go's sentence`, () => {
      assert.throws(() => parseProxyList(text), { code: "BAD_PROXY_LIST", message });
    });
});

test("a list built by hand without separators gets commas", () => {
  assert.equal(formatProxyList([url("https://a"), url("https://b"), direct]), "https://a,https://b,direct");
});

test("any string is a list or a ProtocolError, and what is a list comes back", () => {
  const near = fc
    .array(
      fc.constantFrom("https://", "a.example", "file:///", ",", "|", "direct", "off", " ", ":", "/", "u:p@", "?", "é"),
    )
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(near, fc.string({ unit: "binary" })), (text) => {
      try {
        const entries = parseProxyList(text);
        assert.deepEqual(parseProxyList(formatProxyList(entries)), entries);
      } catch (error) {
        assert.ok(error instanceof ProtocolError && error.code === "BAD_PROXY_LIST", String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
