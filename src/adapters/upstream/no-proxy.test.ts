import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyRule } from "./no-proxy.ts";

// What each entry of NO_PROXY means is held against Go's own package by the vectors in test/fixtures/vectors.

const proxies = { http: "http://plain.example:3128", https: "secure.example:3129" };
const hostFor = (url: string, no = ""): string | undefined => proxyRule({ ...proxies, no })(new URL(url))?.host;

test("each scheme has its proxy, and a proxy without a scheme is http", () => {
  assert.equal(hostFor("http://up.example/"), "plain.example:3128");
  assert.equal(hostFor("https://up.example/"), "secure.example:3129");
  assert.equal(proxyRule(proxies)(new URL("https://up.example/"))?.protocol, "http:");
  assert.equal(proxyRule({ http: "http://plain.example" })(new URL("https://up.example/")), undefined);
});

for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1"])
  test(`${host} never goes through a proxy`, () => assert.equal(hostFor(`https://${host}:8443/`), undefined));

for (const exempt of ["up.example", ".example", "*.example:443", "a.test, UP.EXAMPLE ", "*"])
  test(`NO_PROXY=${exempt} exempts up.example`, () => assert.equal(hostFor("https://up.example/", exempt), undefined));

for (const other of [".up.example", "up.example:80", "p.example", "up.example:", "10.0.0.0/8", "[up.example", ""])
  test(`NO_PROXY=${other} on its port does ${other === "up.example:" ? "" : "not "}exempt up.example`, () =>
    assert.equal(hostFor("https://up.example/", other), other === "up.example:" ? undefined : "secure.example:3129"));

for (const bad of ["socks5://127.0.0.1:1080", "ftp://proxy", "http://", "http://[", "ht tp://x", "http://proxy:99999"])
  test(`the proxy ${bad} is refused, not passed over`, () =>
    assert.throws(() => proxyRule({ https: bad }), RangeError));
