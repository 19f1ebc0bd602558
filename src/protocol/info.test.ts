import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import { formatInfo, formatList, maxInfoBytes, maxListBytes, parseInfo, parseList } from "./info.ts";
import type { Info } from "./info.ts";
import { parseVersion, sortVersions } from "./version.ts";

const asked = parseVersion("v1.2.3");
const bytes = (text: string) => Buffer.from(text);
const textOf = (info: Info) => Buffer.from(formatInfo(info)).toString();

suite("parseInfo", () => {
  const full =
    '{"Version":"v1.2.3","Time":"2021-01-02T03:04:05.123456789+08:00","Origin":{"VCS":"git","URL":"https://git.example/m",' +
    '"Subdir":"s","Hash":"abc","TagPrefix":"s/","TagSum":"t1:x","Ref":"refs/tags/s/v1.2.3","RepoSum":"r1:x"}}';

  test("keeps every known field, and the time to the letter", () => {
    const info = parseInfo(bytes(full), asked);
    assert.equal(info.version, "v1.2.3");
    assert.equal(info.time, "2021-01-02T03:04:05.123456789+08:00");
    assert.equal(info.origin?.tagPrefix, "s/");
    assert.equal(textOf(info), full);
  });

  const accepted = [
    ['{"Version":"v1.2.3"}', '{"Version":"v1.2.3"}'],
    ['{"version":"v1.2.3","TIME":null,"origin":null}', '{"Version":"v1.2.3"}'],
    ['{"Ver\u017fion":"v1.2.3"}', '{"Version":"v1.2.3"}'],
    [' {"Time":"2021-01-02T03:04:05Z", "Version":"v1.2.3"}\n', '{"Version":"v1.2.3","Time":"2021-01-02T03:04:05Z"}'],
    ['{"Version":"v1.2.3","Name":"abc","Short":1,"Other":{}}', '{"Version":"v1.2.3"}'],
    [
      '{"Version":"v1.2.3","Origin":{"url":"u","Hash":"","Ref":null,"More":1}}',
      '{"Version":"v1.2.3","Origin":{"URL":"u"}}',
    ],
    ['{"Version":"v1.2.3","Time":"0001-01-01T00:00:00Z"}', '{"Version":"v1.2.3","Time":"0001-01-01T00:00:00Z"}'],
  ] as const;
  for (const [text, want] of accepted)
    test(`reads ${text}`, () => {
      assert.equal(textOf(parseInfo(bytes(text), asked)), want);
    });

  const refused = [
    "",
    "<html>",
    "null",
    "[]",
    '"v1.2.3"',
    '{"Version":"v1.2.3"} x',
    '\ufeff{"Version":"v1.2.3"}',
    "{}",
    '{"Version":null}',
    '{"Version":1}',
    '{"Version":"v1.2.4"}',
    '{"Version":"v1.2.3+incompatible"}',
    '{"Version":"v1.2.3","version":"v1.2.3"}',
    '{"Version":"v1.2.3","Time":1}',
    '{"Version":"v1.2.3","Time":""}',
    '{"Version":"v1.2.3","Time":"2021-01-02"}',
    '{"Version":"v1.2.3","Time":"2021-01-02 03:04:05Z"}',
    '{"Version":"v1.2.3","Time":"2021-02-30T03:04:05Z"}',
    '{"Version":"v1.2.3","Time":"2021-01-02T24:00:00Z"}',
    '{"Version":"v1.2.3","Time":"2021-01-02T03:04:05"}',
    '{"Version":"v1.2.3","Time":"2021-01-02T03:04:05+24:00"}',
    '{"Version":"v1.2.3","Time":"2021-01-02T03:04:05,5Z"}',
    '{"Version":"v1.2.3","Origin":"git"}',
    '{"Version":"v1.2.3","Origin":[]}',
    '{"Version":"v1.2.3","Origin":{"Hash":1}}',
    '{"Version":"v1.2.3","Origin":{"Hash":"a","hash":"b"}}',
  ];
  for (const text of refused)
    test(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseInfo(bytes(text), asked), { code: "BAD_INFO" });
    });

  test("refuses invalid UTF-8 and what is too large", () => {
    assert.throws(() => parseInfo(Uint8Array.of(0x22, 0xff, 0x22), asked), { code: "BAD_INFO" });
    const padded = bytes('{"Version":"v1.2.3"}'.padEnd(maxInfoBytes));
    assert.equal(parseInfo(padded, asked).version, "v1.2.3");
    assert.throws(() => parseInfo(Buffer.concat([padded, bytes(" ")]), asked), { code: "BAD_INFO" });
  });

  test("a query is answered by any canonical version, and by nothing else", () => {
    assert.equal(parseInfo(bytes('{"Version":"v2.0.0+incompatible"}')).version, "v2.0.0+incompatible");
    for (const version of ["master", "v1", "v1.2.3+meta", ""])
      assert.throws(() => parseInfo(bytes(JSON.stringify({ Version: version }))), { code: "BAD_INFO" });
  });
});

test("what is formatted is parsed back", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1 });
  const origin = fc.record(
    { vcs: text, url: text, hash: text, ref: text, tagSum: text },
    { requiredKeys: [], noNullPrototype: true },
  );
  const info = fc.record(
    { version: fc.constant(asked), time: fc.constant("2021-01-02T03:04:05Z"), origin },
    { requiredKeys: ["version"], noNullPrototype: true },
  );
  fc.assert(
    fc.property(info, (value) => {
      assert.deepEqual(parseInfo(formatInfo(value), asked), value);
    }),
  );
});

test("any bytes are an info or a ProtocolError, any JSON too", () => {
  const content = fc.oneof(
    fc.uint8Array(),
    fc.json().map(bytes),
    fc
      .record({ Version: fc.jsonValue(), time: fc.jsonValue(), Origin: fc.jsonValue() })
      .map((v) => bytes(JSON.stringify(v))),
  );
  fc.assert(
    fc.property(content, (data) => {
      try {
        parseInfo(data);
      } catch (error) {
        assert.ok(error instanceof ProtocolError && error.code === "BAD_INFO", String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

suite("version lists", () => {
  test("are read as Go reads them", () => {
    const text = [
      "v1.0.0",
      "  v1.1.0 2021-01-02T03:04:05Z\r",
      "v0.0.0-20191109021931-daa7c04131f5",
      "<html>",
      "",
      "v2",
      "v1.2.3+meta",
      "1.2.3",
    ].join("\n");
    assert.deepEqual(parseList(bytes(text)), ["v1.0.0", "v1.1.0", "v2", "v1.2.3+meta"]);
    assert.deepEqual(parseList(bytes("")), []);
  });

  test("are written in order, one line each", () => {
    assert.equal(formatList(["v1.10.0", "v1.9.0", "v1.9.0-rc"]), "v1.9.0-rc\nv1.9.0\nv1.10.0\n");
    assert.equal(formatList([]), "");
  });

  test("are bounded", () => {
    assert.deepEqual(parseList(new Uint8Array(maxListBytes)), []);
    assert.throws(() => parseList(new Uint8Array(maxListBytes + 1)), { code: "BAD_LIST" });
  });

  test("come back sorted, and any bytes are a list", () => {
    const version = fc.tuple(fc.nat(20), fc.nat(20), fc.constantFrom("", "-rc.1", "+incompatible"));
    fc.assert(
      fc.property(fc.array(version), fc.uint8Array(), (parts, noise) => {
        const versions = parts.map(([a, b, tail]) => `v${a}.${b}.0${tail}`);
        assert.deepEqual(parseList(bytes(formatList(versions))), sortVersions(versions));
        assert.ok(Array.isArray(parseList(noise)));
      }),
    );
  });
});
