import assert from "node:assert/strict";
import { test } from "node:test";
import { addressKind, sameAddress, shortAddress } from "./address.ts";
import { parseCertificate } from "./certificate.ts";
import { hostnameProblem } from "./hostname.ts";
import { isKnownForgery } from "./poison.ts";
import { issue } from "../../../test/support/x509.ts";

const kinds = [
  ["10.1.2.3", "private"],
  ["172.31.0.1", "private"],
  ["172.32.0.1", "public"],
  ["192.168.1.1", "private"],
  ["fd12::1", "private"],
  ["127.0.0.53", "loopback"],
  ["::1", "loopback"],
  ["::ffff:10.0.0.1", "private"],
  ["100.64.0.1", "shared"],
  ["198.19.255.255", "fake"],
  ["198.20.0.0", "public"],
  ["0.0.0.0", "bogon"],
  ["::", "bogon"],
  ["203.0.113.80", "bogon"],
  ["255.255.255.255", "bogon"],
  ["2001:0:1::1", "bogon"],
  ["2001:4860:4860::8888", "public"],
  ["8.8.8.8", "public"],
  ["no", "bogon"],
] as const;
for (const [address, kind] of kinds) test(`addressKind(${address})`, () => assert.equal(addressKind(address), kind));

test("one address has one text", () => {
  assert.equal(shortAddress("2001:db8:0:0:0:0:0:1"), "2001:db8::1");
  assert.equal(shortAddress("2404:6800:4005:805:0:0:0:2011"), "2404:6800:4005:805::2011");
  assert.equal(shortAddress("10:0:0:1:2:3:4:5"), "10::1:2:3:4:5");
  assert.equal(shortAddress("0:0:0:0:0:0:0:0"), "::");
  assert.ok(sameAddress("2001:DB8::1", "2001:db8:0::0:1"));
});

test("forged addresses are known, and owners of their networks are spared", () => {
  assert.ok(isKnownForgery("93.46.8.89", "proxy.golang.org"));
  assert.ok(isKnownForgery("157.240.1.1", "proxy.golang.org"));
  assert.ok(!isKnownForgery("157.240.1.1", "www.facebook.com"));
  assert.ok(!isKnownForgery("142.250.1.1", "proxy.golang.org"));
});

const names = parseCertificate(issue({ cn: "x", dns: ["a.example", "*.b.example", "*"], ip: ["127.0.0.1"] }).der);
const hosts = [
  ["a.example", true],
  ["A.Example.", true],
  ["x.b.example", true],
  ["b.example", false],
  ["x.y.b.example", false],
  ["127.0.0.1", true],
  ["127.0.0.2", false],
  ["x", false],
] as const;
for (const [host, fits] of hosts)
  test(`a certificate for a.example and *.b.example, asked for ${host}`, () =>
    assert.equal(hostnameProblem(names, host) === undefined, fits));
