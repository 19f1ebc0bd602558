// Whatever comes from outside, a parser answers or throws a ProtocolError, in time that grows with the input and not
// with its square. Inputs are x/mod's vectors with random changes, random bytes, and long runs of what each format
// repeats.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";

import { decodeBase64 } from "#protocol/base64.ts";
import { openCheckpoint, parseTree } from "#protocol/checkpoint.ts";
import { parseH1 } from "#protocol/dirhash.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { foldName } from "#protocol/fold.ts";
import { autoQuote, modulePathOf, parseGoMod } from "#protocol/gomod.ts";
import { headersFor, parseGoAuth } from "#protocol/goauth.ts";
import { parseGosumdb } from "#protocol/gosumdb.ts";
import { parseInfo, parseList } from "#protocol/info.ts";
import { openNote, parseSignerKey, parseVerifierKey } from "#protocol/note.ts";
import { checkFilePath, parsePath, splitPathVersion, unescapePath } from "#protocol/path.ts";
import { isAncestorOfPattern, matchPrefixPatterns } from "#protocol/pattern.ts";
import { parsePlainText } from "#protocol/plain-text.ts";
import { parseProxyList } from "#protocol/proxylist.ts";
import { isPseudoVersion, pseudoVersionBase, pseudoVersionTime } from "#protocol/pseudo.ts";
import { quote } from "#protocol/quote.ts";
import { findSums, parseDataTile, parseLookup, parseRecord } from "#protocol/record.ts";
import { parseTarget } from "#protocol/request.ts";
import { fields, trimSpace } from "#protocol/space.ts";
import { parseTilePath } from "#protocol/tile.ts";
import { readHashes } from "#protocol/tree-reader.ts";
import { unquote } from "#protocol/unquote.ts";
import { parseURL, redactURL } from "#protocol/url.ts";
import {
  build,
  canonicalVersion,
  checkModuleVersion,
  checkPathMajor,
  compareVersions,
  escapeVersion,
  parseVersion,
  unescapeVersion,
} from "#protocol/version.ts";
import { bytesSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { openZip } from "#protocol/zip.ts";
import { readSample } from "../../scripts/oracle/sample.ts";
import { announceSeed, runs, vectorTexts } from "./arbitraries.ts";

/** A file that hangs fails here; a run of honest length takes a fraction of it. */
const hangs = { timeout: 120_000 };

/** Enough that a parser that goes over its input once per character takes minutes over all runs. */
const longBytes = (process.env["LONG"] === "1" ? 512 : 64) * 1024;

type Parser = {
  readonly parse: (text: string, bytes: Uint8Array) => unknown;
  /** Texts that parse or nearly do. */
  readonly seeds: readonly string[];
};

const key = vectorTexts("verifier").find((text) => /^[^+]*\+[0-9a-f]{8}\+A.{43}$/.test(text)) ?? "";
const notes = readSample("note.jsonl")
  .map((line) => (JSON.parse(line) as { i: { msg: unknown } }).i.msg)
  .filter((msg) => typeof msg === "string");
const paths = vectorTexts("path");
const versions = vectorTexts("version");
const goMods = vectorTexts("gomod");
const records = vectorTexts("record");
const urls = [
  "https://u:p@h.example:80/a%20b?q#f",
  "file:///a",
  "direct",
  "off",
  "a.example|b.example,direct",
  "http://[::1]/",
];
const infos = [
  '{"Version":"v1.0.0","Time":"2021-01-02T03:04:05Z","Origin":{"VCS":"git","URL":"x"}}',
  "[[[[",
  '{"a":{"b":1}}',
];
const targets = [
  "/example.com/m/@v/v1.0.0.info",
  "/sumdb/sum.example/tile/8/0/x001/000",
  "/a.b/%21c/@v/list",
  "/sum/a.b/c/@v/v1.0.0",
];
const globs = ["*.corp.example,a/b/*", "[a-z]?*\\*", "***************b", "[[[[", "a,b,,,c/"];
const quoted = ['"a\\x41\\u00e9\\n"', "`raw`", '"\\777"', '"\\"'];

const parsers: Readonly<Record<string, Parser>> = {
  "parsePath, checkFilePath, splitPathVersion": {
    parse: (text) =>
      each(
        () => parsePath(text),
        () => checkFilePath(text),
        () => splitPathVersion(text),
      ),
    seeds: paths,
  },
  "unescapePath, unescapeVersion": {
    parse: (text) =>
      each(
        () => unescapePath(text),
        () => unescapeVersion(text),
        () => escapeVersion(text),
      ),
    seeds: vectorTexts("unescape-path"),
  },
  versions: {
    parse: (text) =>
      each(
        () => parseVersion(text),
        () => canonicalVersion(text) + build(text),
        () => compareVersions(text, `${text}-0`),
        () => checkModuleVersion(text, text),
        () => checkPathMajor(text, text),
      ),
    seeds: versions,
  },
  "pseudo-versions": {
    parse: (text) =>
      each(
        () => isPseudoVersion(text),
        () => pseudoVersionTime(text),
        () => pseudoVersionBase(text),
      ),
    seeds: versions,
  },
  patterns: {
    parse: (text) =>
      each(
        () => matchPrefixPatterns(text, "a.b/c/d"),
        () => isAncestorOfPattern(text, "a.b/c"),
      ),
    seeds: globs,
  },
  "the paths patterns are matched with": {
    parse: (text) => each(() => matchPrefixPatterns("*a*a*a*b,*/[a-z]*", text)),
    seeds: ["aaaaaaaaaaaaaaaaaaaaaaaa", ...paths],
  },
  parseTarget: { parse: (text) => parseTarget(text), seeds: targets },
  parseProxyList: { parse: (text) => parseProxyList(text), seeds: urls },
  parseGoAuth: {
    parse: (text) => headersFor(parseGoAuth(text), new URL("https://a.example/b/c")),
    seeds: ["https://a.example/b\n\nA: 1\nB: 2\n\n", "https://a.example\nhttps://a.example/b\n\n\n"],
  },
  parseGosumdb: { parse: (text) => parseGosumdb(text), seeds: ["off", key, `${key} https://x.example`] },
  "parseURL, redactURL": {
    parse: (text) =>
      each(
        () => parseURL(text, "BAD_PROXY_LIST"),
        () => redactURL(text),
      ),
    seeds: urls,
  },
  parseInfo: { parse: (_, bytes) => parseInfo(bytes), seeds: infos },
  parseList: { parse: (_, bytes) => parseList(bytes), seeds: ["v1.0.0\nv1.1.0 2020\n", "v1\r\n\n x"] },
  "parseGoMod, strict": { parse: (_, bytes) => parseGoMod(bytes), seeds: goMods },
  "parseGoMod, lax": { parse: (_, bytes) => parseGoMod(bytes, { lax: true }), seeds: goMods },
  modulePathOf: { parse: (_, bytes) => modulePathOf(bytes), seeds: goMods },
  unquote: { parse: (text) => unquote(text), seeds: quoted },
  "quote, autoQuote": {
    parse: (text) =>
      each(
        () => unquote(quote(text)),
        () => autoQuote(text),
      ),
    seeds: paths,
  },
  "parseVerifierKey, parseSignerKey": {
    parse: (text) =>
      each(
        () => parseVerifierKey(text),
        () => parseSignerKey(`PRIVATE+KEY+${text}`),
      ),
    seeds: vectorTexts("verifier"),
  },
  "openNote, openCheckpoint": {
    parse: (_, bytes) =>
      each(
        () => openNote(bytes, [parseVerifierKey(key)]),
        () => openCheckpoint(bytes, parseVerifierKey(key)),
      ),
    seeds: notes,
  },
  parseTree: { parse: (text) => parseTree(text), seeds: vectorTexts("tree-text") },
  "parseRecord, parseLookup, parseDataTile": {
    parse: (text, bytes) =>
      each(
        () => parseRecord(bytes),
        () => parseLookup(bytes),
        () => parseDataTile(bytes, 3),
        () => findSums(text, "example.com/m", "v1.0.0"),
      ),
    seeds: records,
  },
  parseTilePath: { parse: (text) => parseTilePath(text), seeds: vectorTexts("tile-path") },
  "parseH1, decodeBase64": {
    parse: (text) =>
      each(
        () => parseH1(text),
        () => decodeBase64(text),
      ),
    seeds: vectorTexts("verifier"),
  },
  parsePlainText: { parse: (_, bytes) => parsePlainText(bytes), seeds: notes },
  "fields, trimSpace, foldName": {
    parse: (text) =>
      each(
        () => fields(text),
        () => trimSpace(text),
        () => foldName(text),
      ),
    seeds: paths,
  },
};

announceSeed();

for (const [name, { parse, seeds }] of Object.entries(parsers)) {
  test(`${name}: any bytes are read or refused`, hangs, () => {
    fc.assert(
      fc.property(bytesNear(seeds), (bytes) => answers(() => parse(Buffer.from(bytes).toString(), bytes))),
      runs(),
    );
  });

  test(`${name}: any text is read or refused, half surrogates too`, hangs, () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(0xffff), (text, unit) => {
        const odd = text + String.fromCharCode(unit);
        answers(() => parse(odd, Buffer.from(odd)));
      }),
      runs(),
    );
  });

  test(`${name}: long runs do not take the time of their square`, hangs, () => {
    for (const part of partsOf(seeds)) {
      const bytes = Buffer.alloc(longBytes, part);
      for (const shown of [bytes, Buffer.concat([Buffer.from(seeds[0] ?? ""), bytes, Buffer.from("\x01")])]) {
        answers(() => parse(shown.toString(), shown));
      }
    }
  });
}

test("openZip and checkModuleZip: any bytes are read or refused", hangs, () => {
  const zips = vectorTexts("zip").map((text) => Buffer.from(text, "base64"));
  const id = { path: "example.com/m", version: "v1.0.0" };
  fc.assert(
    fc.property(changed(zips), (bytes) => {
      answers(() => openZip(bytesSource(bytes)));
      const report = checkModuleZip(bytesSource(bytes), id);
      assert.equal(report.valid, report.problems.length === 0);
    }),
    runs(),
  );
});

test("readHashes: any tiles are proven or refused", hangs, async () => {
  const tree = { size: 1000, root: Buffer.alloc(32) };
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), fc.nat(1990), async (seed, index) => {
      const tiles = {
        height: 8,
        readTiles: (wanted: readonly { width: number }[]) =>
          Promise.resolve(
            wanted.map(({ width }) => Buffer.alloc(width * 32 - (seed.length % 2), seed.length === 0 ? 0 : seed)),
          ),
        saveTiles: () => assert.fail("nothing was proven"),
      };
      await assert.rejects(readHashes(tree, tiles, [index]), { code: "BAD_TILE" });
    }),
    runs(),
  );
});

/** Fails for anything thrown but a ProtocolError. */
function answers(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

function each(...parse: readonly (() => unknown)[]): void {
  parse.forEach(answers);
}

function bytesNear(seeds: readonly string[]): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 4, arbitrary: changed(seeds.map((seed) => Buffer.from(seed))) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  );
}

/** A seed with up to four runs of bytes replaced, removed or inserted. */
function changed(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(), fc.nat(4), fc.uint8Array({ maxLength: 4 }));
  return fc.tuple(fc.constantFrom(...seeds), fc.array(change, { maxLength: 4 })).map(([seed, changes]) =>
    changes.reduce((bytes, [place, removed, inserted]) => {
      const at = place % (bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
    }, seed),
  );
}

/** What to repeat: single characters that formats care about, and what stands in the seeds. */
function partsOf(seeds: readonly string[]): string[] {
  const single = [
    "a",
    "0",
    "/",
    ".",
    "-",
    "!",
    "*",
    "[",
    "(",
    '"',
    "\\",
    "\n",
    " ",
    "\t",
    "%",
    "+",
    ",",
    "{",
    "é",
    "a\n",
    "// \n",
    "\n\n",
  ];
  return [...single, ...seeds.filter((seed) => seed !== "").slice(0, 8)];
}
