import assert from "node:assert/strict";
import { test } from "node:test";
import { isPublicAddress, mayDial, parseCidrs } from "./address.ts";

const closed = [
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.8",
  "192.168.1.1",
  "198.18.0.1",
  "203.0.113.9",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "::7f00:1",
  "64:ff9b::7f00:1",
  "64:ff9b::10.0.0.1",
  "64:ff9b:1::1",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "fc00::1",
  "fd12:3456::1",
  "ff02::1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "3fff::1",
  "not an address",
];
for (const address of closed)
  test(`a redirect may not lead to ${address}`, () => assert.equal(isPublicAddress(address), false));

const open = ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2001:4860:4860::8888", "64:ff9b::808:808"];
for (const address of open)
  test(`a redirect may lead to ${address}`, () => assert.equal(isPublicAddress(address), true));

test("listed CIDRs are allowed, their neighbours are not", () => {
  const allowed = parseCidrs(["10.1.0.0/16", "fd00::/8", "192.168.7.7"]);
  for (const address of ["10.1.255.1", "fd99::1", "192.168.7.7"]) assert.equal(mayDial(address, allowed), true);
  for (const address of ["10.2.0.1", "fc00::1", "192.168.7.8"]) assert.equal(mayDial(address, allowed), false);
});

for (const cidr of ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "fd00::/129", "example.com/8", "10.0.0.0/"])
  test(`the CIDR "${cidr}" is refused`, () => assert.throws(() => parseCidrs([cidr]), RangeError));
