import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import {
  formatPseudoVersion,
  isPseudoVersion,
  pseudoVersionBase,
  pseudoVersionRev,
  pseudoVersionTime,
} from "./pseudo.ts";

const time = new Date("2019-11-09T02:19:31Z");
const rev = "daa7c04131f5";

/** Major, tag before, pseudo-version: one of each form, and the carries. */
const forms = [
  ["", "", "v0.0.0-20191109021931-daa7c04131f5"],
  ["v2", "", "v2.0.0-20191109021931-daa7c04131f5"],
  ["v1", "v1.2.3", "v1.2.4-0.20191109021931-daa7c04131f5"],
  ["v1", "v1.2.9", "v1.2.10-0.20191109021931-daa7c04131f5"],
  ["v1", "v1.2.99", "v1.2.100-0.20191109021931-daa7c04131f5"],
  ["v2", "v2.0.0+incompatible", "v2.0.1-0.20191109021931-daa7c04131f5+incompatible"],
  ["v1", "v1.2.3-pre", "v1.2.3-pre.0.20191109021931-daa7c04131f5"],
  ["v2", "v2.0.0-pre+incompatible", "v2.0.0-pre.0.20191109021931-daa7c04131f5+incompatible"],
] as const;

for (const [major, base, version] of forms)
  test(`${version} is written and read back`, () => {
    assert.equal(formatPseudoVersion(major, base, time, rev), version);
    assert.ok(isPseudoVersion(version));
    assert.equal(pseudoVersionBase(version), base);
    assert.equal(pseudoVersionRev(version), rev);
    assert.deepEqual(pseudoVersionTime(version), time);
  });

const plain = [
  "v1.2.3",
  "v1.2.3-pre",
  "v1.2.3-20191109021931-daa7c04131f5",
  "v1.0.0-2019110902193-daa7c04131f5",
  "v1.0.0-20191109021931",
  "v1.0.0-20191109021931-daa7c0413.f5",
  "v1.2.4-1.20191109021931-daa7c04131f5",
  "1.0.0-20191109021931-daa7c04131f5",
  "v01.0.0-20191109021931-daa7c04131f5",
];
for (const version of plain)
  test(`${version} is no pseudo-version`, () => {
    assert.equal(isPseudoVersion(version), false);
    for (const read of [pseudoVersionBase, pseudoVersionRev, pseudoVersionTime])
      assert.throws(() => read(version), { code: "BAD_VERSION" });
  });

for (const stamp of ["20190230000000", "20191309021931", "20191109240000", "20191109021960", "20190229000000"])
  test(`a pseudo-version may be written at ${stamp}, but there is no such time`, () => {
    const version = `v0.0.0-${stamp}-${rev}`;
    assert.ok(isPseudoVersion(version));
    assert.throws(() => pseudoVersionTime(version), { code: "BAD_VERSION" });
  });

for (const version of [`v1.0.0-20191109021931-${rev}+incompatible`, `v1.0.0-0.20191109021931-${rev}`])
  test(`${version} has an impossible base`, () => {
    assert.ok(isPseudoVersion(version));
    assert.throws(() => pseudoVersionBase(version), { code: "BAD_VERSION" });
  });

test("what is written is read back, for any time and tag", () => {
  const tag = fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.constantFrom("", "-rc.1", "-x")).map(([a, b, c, pre]) => {
    return `v${a}.${b}.${c}${pre}`;
  });
  const when = fc.date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true });
  fc.assert(
    fc.property(tag, when, (base, date) => {
      const version = formatPseudoVersion("v0", base, date, rev);
      assert.equal(pseudoVersionBase(version), base);
      assert.equal(pseudoVersionTime(version).getTime(), Math.floor(date.getTime() / 1000) * 1000);
    }),
  );
});

test("any string is a pseudo-version or a ProtocolError", () => {
  const near = fc
    .array(fc.constantFrom("v0.0.0", "v1.2.3", "-", "-0.", ".0.", "20191109021931", "20190230000000", rev, "+x", "."))
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(near, fc.string({ unit: "binary" })), (text) => {
      for (const read of [pseudoVersionBase, pseudoVersionRev, pseudoVersionTime]) {
        try {
          read(text);
          assert.ok(isPseudoVersion(text));
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
});
