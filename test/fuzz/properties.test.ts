// What holds for every value: parse(format(x)) is x, and whatever parses has one reading. FUZZ_RUNS sets how many
// values each property sees, FUZZ_SEED repeats a run.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";

import { decodeBase64, encodeBase64 } from "#protocol/base64.ts";
import { formatTree, parseTree } from "#protocol/checkpoint.ts";
import { hashGoMod, parseH1 } from "#protocol/dirhash.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { autoQuote, legacyGoMod, modulePathOf, parseGoMod } from "#protocol/gomod.ts";
import { formatInfo, formatList, parseInfo, parseList } from "#protocol/info.ts";
import {
  formatVerifierKey,
  generateKey,
  openNote,
  parseSignerKey,
  parseVerifierKey,
  signNote,
} from "#protocol/note.ts";
import { escapePath, parsePath, splitPathVersion, unescapePath } from "#protocol/path.ts";
import { formatProxyList, parseProxyList } from "#protocol/proxylist.ts";
import { formatPseudoVersion, pseudoVersionBase, pseudoVersionRev, pseudoVersionTime } from "#protocol/pseudo.ts";
import { quote } from "#protocol/quote.ts";
import { formatDataTile, formatRecord, parseDataTile, parseRecord } from "#protocol/record.ts";
import { formatTarget, parseTarget } from "#protocol/request.ts";
import { formatTilePath, parseTilePath } from "#protocol/tile.ts";
import { maxTreeSize, splitStoredHashIndex, storedHashIndex } from "#protocol/tlog.ts";
import { unquote } from "#protocol/unquote.ts";
import { checkModuleVersion, escapeVersion, parseVersion, sortVersions, unescapeVersion } from "#protocol/version.ts";
import { bytesSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { writeModuleZip } from "#protocol/zip-write.ts";
import { announceSeed, runs, vectorTexts } from "./arbitraries.ts";
import * as any from "./arbitraries.ts";

announceSeed();

function holds<T>(name: string, values: fc.Arbitrary<T>, check: (value: T) => void): void {
  test(name, () => fc.assert(fc.property(values, check), runs()));
}

holds("unescapePath() undoes escapePath()", any.modulePath, (path) => {
  assert.equal(unescapePath(escapePath(path)), path);
});

holds(
  "escapePath() never makes two paths alike where case does not count",
  fc.tuple(any.modulePath, any.modulePath),
  ([a, b]) => {
    assert.equal(escapePath(a).toLowerCase() === escapePath(b).toLowerCase(), a === b);
  },
);

holds("splitPathVersion() splits without loss", any.modulePath, (path) => {
  const { prefix, pathMajor } = splitPathVersion(path) ?? assert.fail();
  assert.equal(prefix + pathMajor, path);
});

holds("unescapeVersion() undoes escapeVersion()", fc.oneof(any.version, any.branch), (version) => {
  assert.equal(unescapeVersion(escapeVersion(version)), version);
});

holds("the parts of a pseudo-version come back", fc.tuple(any.release, any.time, any.rev), ([older, time, rev]) => {
  const version = formatPseudoVersion("", older, time, rev);
  assert.equal(parseVersion(version), version);
  assert.equal(pseudoVersionTime(version).getTime(), time.getTime());
  assert.equal(pseudoVersionRev(version), rev);
  assert.equal(pseudoVersionBase(version), older);
});

holds("parseTarget() undoes formatTarget()", any.target, (target) => {
  assert.deepEqual(parseTarget(formatTarget(target)), target);
});

holds("parseProxyList() undoes formatProxyList()", any.proxyList, (entries) => {
  assert.deepEqual(parseProxyList(formatProxyList(entries)), entries);
});

holds("parseInfo() undoes formatInfo()", any.info, (info) => {
  assert.deepEqual(parseInfo(formatInfo(info)), info);
});

holds("parseList() undoes formatList()", fc.uniqueArray(any.release), (versions) => {
  assert.deepEqual(parseList(Buffer.from(formatList(versions))), sortVersions(versions));
});

holds("parseTilePath() undoes formatTilePath()", any.tile, (tile) => {
  assert.deepEqual(parseTilePath(formatTilePath(tile)), tile);
});

holds("splitStoredHashIndex() undoes storedHashIndex()", fc.tuple(fc.nat(10), fc.nat(2 ** 31)), ([level, n]) => {
  assert.deepEqual(splitStoredHashIndex(storedHashIndex(level, n)), { level, n });
});

holds("parseTree() undoes formatTree()", fc.tuple(fc.nat(maxTreeSize), any.hash), ([size, root]) => {
  const tree = parseTree(formatTree({ size, root }));
  assert.deepEqual([tree.size, [...tree.root]], [size, [...root]]);
});

holds("parseRecord() undoes formatRecord()", fc.tuple(fc.maxSafeNat(), any.recordText), ([id, text]) => {
  const record = parseRecord(formatRecord({ id, text }));
  assert.deepEqual([record.id, record.text, record.rest.length], [id, text, 0]);
});

holds("parseDataTile() undoes formatDataTile()", fc.array(any.recordText, { maxLength: 9 }), (texts) => {
  assert.deepEqual(parseDataTile(formatDataTile(texts), texts.length), texts);
});

holds("keys come back from their text", fc.tuple(any.keyName, any.hash), ([name, seed]) => {
  const { signerKey, verifierKey } = generateKey(name, seed);
  assert.equal(formatVerifierKey(parseVerifierKey(verifierKey)), verifierKey);
  assert.equal(formatVerifierKey(parseSignerKey(signerKey).verifier), verifierKey);
});

holds("openNote() undoes signNote(), and refuses it once a byte of the text changed", any.noteText, (text) => {
  const signer = parseSignerKey(generateKey("log.example", Buffer.alloc(32, text.length)).signerKey);
  const note = signNote(text, [signer]);
  assert.equal(openNote(note, [signer.verifier]).text, text);
  assert.throws(() => openNote(`x${note}`, [signer.verifier]), { code: "NOTE_UNVERIFIED" });
});

holds("decodeBase64() undoes encodeBase64()", fc.uint8Array(), (bytes) => {
  assert.deepEqual([...(decodeBase64(encodeBase64(bytes)) ?? assert.fail())], [...bytes]);
});

holds("unquote() undoes quote()", fc.string({ unit: "grapheme" }), (text) => {
  assert.equal(unquote(quote(text)), text);
});

holds("both readers of a go.mod find the path that legacyGoMod() wrote", any.quotable, (path) => {
  assert.equal(parseGoMod(legacyGoMod(path)).path, path);
  if (!path.includes("//")) assert.equal(modulePathOf(legacyGoMod(path)), path);
});

holds("parseGoMod() reads the requirements that were written", fc.array(any.requirement), (requirements) => {
  const lines = requirements.map(
    ({ path, version, indirect }) => `\t${autoQuote(path)} ${version}${indirect ? " // indirect" : ""}\n`,
  );
  assert.deepEqual(parseGoMod(`require (\n${lines.join("")})\n`).require, requirements);
});

holds("parseH1() takes what hashGoMod() made", fc.uint8Array(), (bytes) => {
  const h1 = hashGoMod(bytes);
  assert.equal(parseH1(h1), h1);
});

test("checkModuleZip() takes what writeModuleZip() wrote", () =>
  fc.assert(
    fc.property(any.moduleVersion, any.zipFiles, (id, files) => {
      const report = checkModuleZip(bytesSource(writeModuleZip(id, files)), id);
      assert.deepEqual([report.valid, report.problems, report.files], [true, [], files.length]);
    }),
    runs(),
  ));

// Whatever a reader accepts must mean the same when it is written again. The texts are x/mod's own vectors.
const rereadings: readonly (readonly [name: string, kind: string, reread: (text: string) => [unknown, unknown]])[] = [
  ["a tile path", "tile-path", (text) => [formatTilePath(parseTilePath(text)), text]],
  ["a record", "record", rereadRecord],
  ["a tree head", "tree-text", (text) => [parseTree(formatTree(parseTree(text))), parseTree(text)]],
  ["an escaped path", "unescape-path", (text) => [escapePath(unescapePath(text)), text]],
  ["an escaped version", "unescape-version", (text) => [escapeVersion(unescapeVersion(text)), text]],
  ["a verifier key", "verifier", (text) => [rereadKey(text), parseVerifierKey(text).publicKey]],
  ["a module path", "path", (text) => [unescapePath(escapePath(parsePath(text))), text]],
];
for (const [what, kind, reread] of rereadings)
  test(`${what} that parses is the same when it is written again`, () => {
    let parsed = 0;
    for (const text of vectorTexts(kind)) {
      try {
        assert.deepEqual(...reread(text));
        parsed++;
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    }
    assert.ok(parsed >= 15, `only ${parsed} of the vectors parse`);
  });

function rereadRecord(text: string): [unknown, unknown] {
  const { rest, ...record } = parseRecord(Buffer.from(text));
  return [Buffer.concat([formatRecord(record), rest]).toString(), text];
}

function rereadKey(text: string): Uint8Array {
  return parseVerifierKey(formatVerifierKey(parseVerifierKey(text))).publicKey;
}

holds("checkModuleVersion() takes paths and versions that fit", any.moduleVersion, ({ path, version }) => {
  assert.deepEqual(checkModuleVersion(path, version), { path, version });
});
