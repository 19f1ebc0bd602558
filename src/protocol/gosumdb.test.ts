import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import { parseGosumdb } from "./gosumdb.ts";
import { sumdbKey, sumdbMirrorChina, sumdbName } from "./official.ts";

/** The key of cmd/go's own test database. */
const testKey = "localhost.localdev/sumdb+00000c67+AcTrnkbUA+TU4heY3hkjiSES/DSQniBqIeQ/YppAUtK6";

/** A key of any algorithm whose hash is right. */
function keyOf(name: string, key: Uint8Array): string {
  const hash = createHash("sha256").update(`${name}\n`).update(key).digest("hex").slice(0, 8);
  return `${name}+${hash}+${Buffer.from(key).toString("base64")}`;
}
const pub = new Uint8Array(33).fill(7).with(0, 1);

suite("parseGosumdb", () => {
  const official = { kind: "database", name: sumdbName, key: sumdbKey };
  const database = { kind: "database", name: "localhost.localdev/sumdb", key: testKey };
  const values = [
    ["off", { kind: "off" }],
    [sumdbName, official],
    [sumdbKey, official],
    [`${sumdbName} https://mirror.example/sumdb`, { ...official, url: "https://mirror.example/sumdb" }],
    [sumdbMirrorChina, { ...official, url: `https://${sumdbMirrorChina}` }],
    [testKey, database],
    [` ${testKey}\thttp://127.0.0.1:1/ `, { ...database, url: "http://127.0.0.1:1/" }],
  ] as const;
  for (const [text, want] of values)
    test(`reads ${text}`, () => {
      assert.deepEqual(parseGosumdb(text), want);
    });

  const malformed = "invalid GOSUMDB: malformed verifier id";
  const refused = [
    ["", "missing GOSUMDB"],
    [" \t", "missing GOSUMDB"],
    ["direct", malformed],
    ["off ", malformed],
    ["sum.example", malformed],
    ["localhost:8081", malformed],
    ["https://sum.example", malformed],
    [`${sumdbName}+insecure`, malformed],
    ["x@https://y", malformed],
    [`${sumdbMirrorChina} https://z.example`, malformed],
    [keyOf("sum.example", pub.subarray(0, 32)), malformed],
    [testKey.replace("00000c67", "00000c68"), "invalid GOSUMDB: invalid verifier hash"],
    [testKey.replace("localdev", "localdew"), "invalid GOSUMDB: invalid verifier hash"],
    [keyOf("sum.example", pub.with(0, 2)), "invalid GOSUMDB: unknown verifier algorithm"],
    [`${testKey} https://a https://b`, "invalid GOSUMDB: too many fields"],
    [`${testKey} https://:::/`, 'invalid GOSUMDB URL: parse "https://:::/": invalid port ":::" after host'],
  ] as const;
  for (const [text, message] of refused)
    test(`refuses ${JSON.stringify(text)} with Go's sentence`, () => {
      assert.throws(() => parseGosumdb(text), { code: "BAD_GOSUMDB", message });
    });

  for (const name of ["sum.example/", "u@sum.example", "/path", "sum.example?x", "sum.example#x", "a/%2e%2e/b", "a:b"])
    test(`refuses the name ${name}`, () => {
      assert.throws(() => parseGosumdb(keyOf(name, pub)), { code: "BAD_GOSUMDB" });
    });
});

test("any string is a value or a ProtocolError", () => {
  const near = fc
    .array(fc.constantFrom(testKey, sumdbName, "off", "+", " ", "https://a", "a.b", "00000c67", "AcTr", "é"))
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(near, fc.string({ unit: "binary" })), (text) => {
      try {
        parseGosumdb(text);
      } catch (error) {
        assert.ok(error instanceof ProtocolError && error.code === "BAD_GOSUMDB", String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
