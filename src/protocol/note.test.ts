import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import { formatVerifierKey, generateKey, openNote, parseSignerKey, parseVerifierKey, signNote } from "./note.ts";

// The example of the documentation of x/mod sumdb/note.
const neumann = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const neumannSigner = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const signature =
  "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const message = `${text}\n${signature}`;
const verifier = parseVerifierKey(neumann);
const other = parseSignerKey(generateKey("other.example", new Uint8Array(32).fill(7)).signerKey);

test("openNote() opens the documented example, and signNote() writes it", () => {
  const note = openNote(message, [verifier]);
  assert.equal(note.text, text);
  assert.deepEqual(
    note.signatures.map(({ name, keyHash }) => [name, keyHash]),
    [["PeterNeumann", 0xc74f20a3]],
  );
  assert.equal(signNote(text, [parseSignerKey(neumannSigner)]), message);
  assert.equal(openNote(Buffer.from(message), [verifier]).text, text);
});

test("keys survive being parsed and formatted", () => {
  assert.equal(formatVerifierKey(verifier), neumann);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
      const { signerKey, verifierKey } = generateKey("sum.example/a", seed);
      assert.equal(formatVerifierKey(parseVerifierKey(verifierKey)), verifierKey);
      const signed = signNote("x\n", [parseSignerKey(signerKey)]);
      assert.equal(openNote(signed, [parseVerifierKey(verifierKey)]).text, "x\n");
    }),
    { numRuns: 20 },
  );
});

test("a verifier key whose base64 holds a plus sign is split at the first two only", () => {
  const key = "localhost.localdev/sumdb+00000c67+AcTrnkbUA+TU4heY3hkjiSES/DSQniBqIeQ/YppAUtK6";
  assert.equal(formatVerifierKey(parseVerifierKey(key)), key);
});

const badKeys = [
  "",
  "PeterNeumann",
  neumann.replace("c74f20a3", "c74f20a4"),
  neumann.replace("c74f20a3", "74f20a3"),
  neumann.replace("PeterNeumann", "Peter Neumann"),
  neumann.replace("PeterNeumann", ""),
  neumann.replace("+AR", "+BR"),
  neumann.slice(0, -4),
  `${neumann}AAAA`,
  `${neumann}!`,
  `${neumann}${"A".repeat(2000)}`,
];
for (const key of badKeys)
  test(`parseVerifierKey(${key.slice(0, 80)}) refuses`, () => {
    assert.throws(() => parseVerifierKey(key), { code: "BAD_KEY" });
  });

test("a signer key is refused without its text in the error", () => {
  for (const key of [neumann, neumannSigner.replace("c74f", "c74e"), neumannSigner.replace("PRIVATE", "PUBLIC")]) {
    assert.throws(
      () => parseSignerKey(key),
      (error) => error instanceof ProtocolError && error.code === "BAD_KEY" && !error.message.includes("AYEKFALVFG"),
    );
  }
  assert.throws(() => generateKey("a+b"), { code: "BAD_KEY" });
});

const malformed: Record<string, string> = {
  empty: "",
  "no blank line": `${text}${signature}`,
  "no signature": `${text}\n`,
  "no final newline": message.slice(0, -1),
  "a control character": `a\tb\n${message}`,
  "a carriage return": message.replaceAll("\n", "\r\n"),
  "a hyphen for the dash": message.replace("\u2014", "-"),
  "no name": `${text}\n\u2014  x08go/Zx\n`,
  "a signature that is not base64": `${text}\n\u2014 PeterNeumann x08go/Z!\n`,
  "a key hash without signature": `${text}\n\u2014 PeterNeumann x08gow==\n`,
  "101 signatures": `${text}\n${signature.repeat(101)}`,
  "too many bytes": `${"x\n".repeat(500_000)}\n${signature}`,
};
for (const [what, note] of Object.entries(malformed))
  test(`openNote() refuses a note with ${what}`, () => {
    assert.throws(() => openNote(note, [verifier]), { code: "BAD_NOTE" });
  });

test("openNote() refuses bytes that are not UTF-8", () => {
  const bytes = Buffer.concat([Buffer.from([0xff]), Buffer.from(message)]);
  assert.throws(() => openNote(bytes, [verifier]), { code: "BAD_NOTE" });
});

test("openNote() refuses any change of the text", () => {
  fc.assert(
    fc.property(fc.nat(text.length - 2), (at) => {
      const changed = `${text.slice(0, at)}${text[at] === "x" ? "y" : "x"}${text.slice(at + 1)}`;
      assert.throws(() => openNote(`${changed}\n${signature}`, [verifier]), { code: "NOTE_UNVERIFIED" });
    }),
  );
});

test("signatures by unknown keys are kept apart and count for nothing", () => {
  const both = signNote(text, [other], openNote(message, [verifier]).signatures);
  const note = openNote(both, [verifier]);
  assert.deepEqual(
    note.signatures.map(({ name }) => name),
    ["PeterNeumann"],
  );
  assert.deepEqual(
    note.unverified.map(({ name }) => name),
    ["other.example"],
  );
  assert.throws(() => openNote(signNote(text, [other]), [verifier]), { code: "NOTE_UNVERIFIED" });
  assert.throws(() => openNote(message, []), { code: "NOTE_UNVERIFIED" });
});

test("a wrong signature of a known key spoils a note that another known key signed", () => {
  const wrong = signNote("another text\n", [other]).split("\n\n")[1] ?? "";
  assert.throws(() => openNote(`${message}${wrong}`, [verifier, other.verifier]), { code: "NOTE_UNVERIFIED" });
  assert.equal(openNote(`${message}${wrong}`, [verifier]).text, text);
});

test("repeated signatures are dropped", () => {
  const note = openNote(`${message}${signature}`, [verifier]);
  assert.equal(note.signatures.length, 1);
});

test("the text ends at the last blank line", () => {
  const inner = `a\n\n\u2014 not a signature\n`;
  const signed = signNote(inner, [other]);
  assert.equal(openNote(signed, [other.verifier]).text, inner);
});

test("signNote() refuses a text that openNote() would refuse", () => {
  for (const bad of ["", "x", "x\ty\n", "\ud800\n"]) assert.throws(() => signNote(bad, [other]), { code: "BAD_NOTE" });
});

test("signNote() replaces an earlier signature of the same key", () => {
  const note = openNote(message, [verifier]);
  assert.equal(signNote(text, [parseSignerKey(neumannSigner)], note.signatures), message);
});

test("any bytes open or are refused with a ProtocolError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.throws(() => openNote(bytes, [verifier]), ProtocolError);
    }),
  );
});
