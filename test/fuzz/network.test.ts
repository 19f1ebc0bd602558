// What strangers send to `granary tls` and `granary dns`: certificates, DNS messages; and the files that decide about names.
// Each reader answers or throws its own error, whatever the bytes, and never goes round in circles.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressBytes, addressKind, shortAddress } from "#services/analysers/address.ts";
import { parseCertificate, readPem } from "#services/analysers/certificate.ts";
import { DerError } from "#services/analysers/der.ts";
import { DnsMalformed, decodeMessage, encodeQuery, isAnswerTo } from "#services/analysers/dns-wire.ts";
import { hostnameProblem } from "#services/analysers/hostname.ts";
import { hostsLinesFor, parseNsswitch, parseResolvConf } from "#services/analysers/resolver-files.ts";
import { issue } from "../support/x509.ts";
import { announceSeed, runs } from "./arbitraries.ts";

announceSeed();

/** A whole one with some bytes changed, cut or doubled: it gets further than noise does. */
function damaged(whole: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }));
  return fc.tuple(fc.array(change, { maxLength: 6 }), fc.nat(whole.length)).map(([changes, length]) => {
    const bytes = Uint8Array.from(whole);
    for (const [at, byte] of changes) bytes[at] = byte;
    return length % 3 === 0 ? bytes.subarray(0, length) : bytes;
  });
}

const mine = (parse: (bytes: Uint8Array) => unknown, Own: new () => Error) => (bytes: Uint8Array) => {
  try {
    parse(bytes);
  } catch (error) {
    assert.ok(error instanceof Own, String(error));
  }
};

const leaf = issue({
  cn: "a.example",
  dns: ["a.example", "*.b.example"],
  ip: ["127.0.0.1"],
  aia: "http://ca.example/",
});

test("a certificate is read or is a DerError", { timeout: 300_000 }, () => {
  const check = mine((bytes) => hostnameProblem(parseCertificate(bytes), "a.example"), DerError);
  fc.assert(fc.property(fc.oneof(damaged(leaf.der), fc.uint8Array({ maxLength: 300 })), check), runs());
});

test("PEM is never a failure", { timeout: 120_000 }, () => {
  const text = fc.string().map((noise) => leaf.pem.replace("MII", noise));
  fc.assert(
    fc.property(text, (pem) => void readPem(pem)),
    runs(),
  );
});

/** The answer to a query: question, a pointer, an alias, an address. */
function answer(): Uint8Array {
  const query = encodeQuery(7, { name: "proxy.golang.org", type: "A" });
  const head = Buffer.from(query.subarray(0, query.length - 11));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(2, 6);
  head.writeUInt16BE(0, 10);
  const alias = Buffer.from("c00c000500010000003c0004016bc012", "hex");
  return Buffer.concat([head, alias, Buffer.from("c00c000100010000003c00048efa0101", "hex")]);
}

test("a DNS message is read or is DnsMalformed", { timeout: 300_000 }, () => {
  assert.equal(decodeMessage(answer()).answers.length, 2);
  const check = mine(decodeMessage, DnsMalformed);
  const some = fc.oneof(damaged(answer()), fc.uint8Array({ maxLength: 600 }));
  fc.assert(fc.property(some, check), runs());
  fc.assert(
    fc.property(some, (bytes) => typeof isAnswerTo(bytes, 7, { name: "proxy.golang.org", type: "A" }) === "boolean"),
    runs(),
  );
});

test("pointers that chase each other end", { timeout: 60_000 }, () => {
  // Thirty thousand pointers, each to the one before, and records that all begin at the last.
  const bytes = Buffer.alloc(65_535, 0xc0);
  bytes.set([0, 7, 0x81, 0x80, 0, 0, 0, 200, 0, 0, 0, 0]);
  for (let at = 12; at < 16_000; at += 2) bytes.writeUInt16BE(0xc000 | Math.max(0, at - 2), at);
  assert.throws(() => decodeMessage(bytes), DnsMalformed);
  const loop = Buffer.from("000781800000000100000000c00c", "hex");
  assert.throws(() => decodeMessage(loop), DnsMalformed);
});

test("files about names are read whatever they hold", { timeout: 120_000 }, () => {
  const word = fc.oneof(
    fc.constantFrom(
      "hosts:",
      "files",
      "dns",
      "[NOTFOUND=return]",
      "[",
      "]",
      "nameserver",
      "options",
      "::1",
      "#",
      "\n",
      "\t",
      "a.example",
    ),
    fc.string(),
  );
  const text = fc.array(word, { maxLength: 40 }).map((words) => words.join(" "));
  fc.assert(
    fc.property(text, (file) => {
      parseResolvConf(file);
      parseNsswitch(file);
      hostsLinesFor("a.example", file);
    }),
    runs(),
  );
});

test("addresses: sixteen bytes back and forth", () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const bytes = addressBytes(address);
      assert.deepEqual(addressBytes(shortAddress(address)), bytes, address);
      assert.equal(shortAddress(shortAddress(address)), shortAddress(address));
    }),
    runs(),
  );
  fc.assert(
    fc.property(fc.string(), (text) => void addressKind(text)),
    runs(),
  );
});
