import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { StoreDamaged } from "./errors.ts";
import { formatManifest, parseModManifest, parseZipManifest, zipBlockBytes } from "./manifest.ts";
import type { Facts, ModManifest, ZipManifest } from "./manifest.ts";

const hash = "0123456789abcdef".repeat(4);
const h1 = `h1:${"A".repeat(43)}=`;
const facts: Facts = {
  verifiedBy: "sumdb",
  records: [{ database: "sum.example", id: 7, treeSize: 9 }],
  origin: { upstream: "https://upstream.example", url: "https://upstream.example/example.com/m/@v/v1.0.0.info" },
  firstSeen: "2024-01-02T03:04:05.000Z",
};
const mod: ModManifest = {
  manifest: 1,
  stage: "mod",
  path: "example.com/m",
  version: "v1.0.0",
  info: { size: 20, sha256: hash },
  mod: { size: 21, sha256: hash, h1 },
  ...facts,
};
const blocks = Buffer.alloc(64, 7).toString("base64");
const zip: ZipManifest = {
  manifest: 1,
  stage: "zip",
  path: "example.com/m",
  version: "v1.0.0",
  modManifest: hash,
  zip: { size: zipBlockBytes + 1, sha256: hash, h1, blockBytes: zipBlockBytes, blocks },
  files: 3,
  uncompressedBytes: 4,
  ...facts,
};

/** The manifest with one member, named by its path, replaced (undefined: left out). */
function withMember(manifest: object, at: string, value: unknown): Uint8Array {
  const copy = structuredClone(manifest) as Record<string, unknown>;
  const names = at.split(".");
  const last = names.pop() ?? "";
  let inner = copy;
  for (const name of names) inner = inner[name] as Record<string, unknown>;
  inner[last] = value;
  return Buffer.from(JSON.stringify(copy));
}

const common: readonly (readonly [string, unknown])[] = [
  ["manifest", 2],
  ["manifest", "1"],
  ["stage", "other"],
  ["path", undefined],
  ["version", 1],
  ["verifiedBy", "faith"],
  ["records", {}],
  ["records", [null]],
  ["records", [{ database: "d", id: -1, treeSize: 1 }]],
  ["origin", null],
  ["origin.url", 5],
  ["firstSeen", "yesterday"],
  ["firstSeen", undefined],
];
const badMods: readonly (readonly [string, unknown])[] = [
  ...common,
  ["stage", "zip"],
  ["info", null],
  ["info", undefined],
  ["info.size", -1],
  ["info.size", 1.5],
  ["info.sha256", hash.toUpperCase()],
  ["mod", [1]],
  ["mod.size", "21"],
  ["mod.sha256", hash.slice(1)],
  ["mod.h1", hash],
];
const badZips: readonly (readonly [string, unknown])[] = [
  ...common,
  ["stage", "mod"],
  ["modManifest", ""],
  ["zip", null],
  ["zip.h1", "h1:"],
  ["zip.blockBytes", 65535],
  ["zip.blocks", 5],
  ["zip.blocks", ""],
  ["zip.blocks", `${blocks} `],
  ["zip.size", zipBlockBytes],
  ["zip.size", 2 * zipBlockBytes + 1],
  ["zip.size", 2 ** 60],
  ["files", undefined],
  ["files", -3],
  ["uncompressedBytes", "4"],
];

suite("manifests", () => {
  test("parseModManifest() inverts formatManifest()", () => {
    assert.deepEqual(parseModManifest("k", formatManifest(mod)), mod);
  });

  test("parseZipManifest() inverts formatManifest()", () => {
    assert.deepEqual(parseZipManifest("k", formatManifest(zip)), zip);
  });

  test("a zip of no bytes has no blocks", () => {
    const empty = { ...zip, zip: { ...zip.zip, size: 0, blocks: "" } };
    assert.deepEqual(parseZipManifest("k", formatManifest(empty)), empty);
  });

  test("members of a later program are left alone", () => {
    assert.equal(parseModManifest("k", withMember(mod, "later", 1)).path, mod.path);
  });

  for (const [at, value] of badMods)
    test(`a mod manifest with ${at} = ${JSON.stringify(value)} is damage`, () => {
      assert.throws(() => parseModManifest("k", withMember(mod, at, value)), StoreDamaged);
    });

  for (const [at, value] of badZips)
    test(`a zip manifest with ${at} = ${JSON.stringify(value)} is damage`, () => {
      assert.throws(() => parseZipManifest("k", withMember(zip, at, value)), StoreDamaged);
    });

  test("bytes that are not UTF-8 are damage, also inside a string", () => {
    const bytes = formatManifest({ ...mod, path: "example.com/mX" });
    bytes[Buffer.from(bytes).indexOf("X")] = 0xff;
    assert.throws(() => parseModManifest("k", bytes), StoreDamaged);
  });

  test("damage names the key", () => {
    assert.throws(() => parseModManifest("modules/x", Buffer.from("null")), { name: "StoreDamaged", key: "modules/x" });
  });

  for (const parse of [parseModManifest, parseZipManifest]) {
    test(`${parse.name}() parses any bytes or throws StoreDamaged`, () => {
      fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => parsesOrIsDamage(parse, bytes)));
    });

    test(`${parse.name}() parses any JSON or throws StoreDamaged`, () => {
      fc.assert(fc.property(fc.json(), (text) => parsesOrIsDamage(parse, Buffer.from(text))));
    });

    test(`${parse.name}() parses a manifest with any member replaced or throws StoreDamaged`, () => {
      const names = fc.constantFrom(
        ...Object.keys({ ...mod, ...zip }),
        "zip.blocks",
        "zip.size",
        "mod.h1",
        "info.size",
      );
      fc.assert(
        fc.property(names, fc.jsonValue(), (name, value) => {
          parsesOrIsDamage(
            parse,
            withMember({ ...mod, ...zip, stage: parse === parseModManifest ? "mod" : "zip" }, name, value),
          );
        }),
        { numRuns: 500 },
      );
    });

    test(`${parse.name}() never takes a cut manifest`, () => {
      const whole = formatManifest(parse === parseModManifest ? mod : zip);
      for (let length = 0; length < whole.length - 2; length++)
        assert.throws(() => parse("k", whole.subarray(0, length)), StoreDamaged);
    });
  }
});

function parsesOrIsDamage(parse: (key: string, bytes: Uint8Array) => object, bytes: Uint8Array): void {
  try {
    parse("k", bytes);
  } catch (error) {
    assert.ok(error instanceof StoreDamaged);
  }
}
