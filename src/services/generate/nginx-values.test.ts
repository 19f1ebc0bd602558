// No value can say anything else to nginx than what it is for.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { nginxConfig } from "./nginx.ts";
import type { NginxOptions } from "./nginx.ts";
import {
  parseListen,
  parseNginxVersion,
  parseNode,
  parsePathText,
  parseServerName,
  parseSize,
} from "./nginx-values.ts";

const parsers = { parseListen, parseNode, parsePathText, parseServerName, parseSize, parseNginxVersion };

for (const [name, parse] of Object.entries(parsers))
  test(`${name}() refuses what nginx could read in another way`, () => {
    const hostile = fc
      .tuple(
        fc.constantFrom("", "/etc/x", "host", "host:80", "10g", "1.22"),
        fc.constantFrom(
          '"',
          "'",
          ";",
          "{",
          "}",
          "$",
          "\n",
          "\r",
          "\0",
          " ",
          "\t",
          "\\",
          "#",
          "`",
          "\u2028",
          "%",
          "|",
          "*",
          "(",
          "<",
        ),
        fc.string({ unit: "binary", maxLength: 8 }),
      )
      .filter(([before, mark]) => !(name === "parseServerName" && before === "" && mark === "*"))
      .map((parts) => parts.join(""));
    fc.assert(fc.property(hostile, (text) => assert.equal(parse(text), undefined, JSON.stringify(text))));
  });

test("what is accepted", () => {
  assert.deepEqual(parseNode("node1.example.com:8080"), { host: "node1.example.com", port: 8080, isTls: false });
  assert.deepEqual(parseNode("https://[fd00::1]:8443/"), { host: "[fd00::1]", port: 8443, isTls: true });
  for (const text of ["node1", "node1:0", "node1:99999", ":80", "ftp://a:1", "a:1/x", "-a:1", "unix:/x:1", "a:b@c:1"])
    assert.equal(parseNode(text), undefined, text);
  assert.deepEqual(parseListen("443"), { host: undefined, port: 443 });
  assert.deepEqual(parseListen("127.0.0.1:8443"), { host: "127.0.0.1", port: 8443 });
  assert.equal(parseServerName("*.example.com"), "*.example.com");
  assert.equal(parseServerName("a*.example.com"), undefined);
  assert.equal(parsePathText("/etc/ssl/certs/athens.example.com.pem"), "/etc/ssl/certs/athens.example.com.pem");
  for (const text of ["etc/x", "", "/a/../b", `/${"a".repeat(1_000)}`, "/a b"])
    assert.equal(parsePathText(text), undefined);
  assert.equal(parseSize("10GiB"), "10g");
  for (const text of ["10", "0g", "-1g", "1t"]) assert.equal(parseSize(text), undefined, text);
  assert.deepEqual(parseNginxVersion("1.28"), [1, 28, 0]);
});

const plain: NginxOptions = {
  nodes: [{ host: "a", port: 1, isTls: false }],
  nodeTrust: undefined,
  serverName: "localhost",
  listen: "80",
  tls: undefined,
  cache: undefined,
};

test("HTTP/2 stands where the version of nginx wants it", () => {
  const tls = { cert: "/c", key: "/k", profile: "hardened" } as const;
  const lineOf = (http2: "listen" | "directive" | "off") => nginxConfig({ ...plain, tls: { ...tls, http2 } });
  assert.match(lineOf("listen"), /listen 80 ssl http2;/);
  assert.match(lineOf("directive"), /listen 80 ssl;\n {4}http2 on;/);
  assert.doesNotMatch(lineOf("off"), /http2 on|ssl http2|http2_/);
});

test("no request is ever rewritten: proxy_pass has no URI part, and nothing decodes or merges", () => {
  const text = nginxConfig({ ...plain, cache: { dir: "/c", size: "1g", zone: "10m" } });
  const passes = [...text.matchAll(/proxy_pass (\S+);/g)].map(([, to]) => to);
  assert.ok(passes.length > 2);
  assert.deepEqual([...new Set(passes)], ["http://granary"]);
  assert.doesNotMatch(text, /^\s*rewrite|[^_]\$uri\b/m);
  assert.match(text, /merge_slashes off;/);
});
