import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { hashGoMod } from "./dirhash.ts";
import { formatIntegrityLine, maxIntegrityAgeMs, openIntegrityList, signIntegrityList } from "./integrity.ts";
import { generateKey, parseSignerKey, parseVerifierKey, signNote } from "./note.ts";
import { checkModuleVersion } from "./version.ts";

const keys = generateKey("list.example.test", Buffer.alloc(32, 3));
const signer = parseSignerKey(keys.signerKey);
const verifier = parseVerifierKey(keys.verifierKey);
const now = Date.parse("2026-11-28T08:00:00Z");
const day = 24 * 3_600_000;
const times = { madeMs: now, untilMs: now + day };
const hash = (text: string) => hashGoMod(Buffer.from(text));
const ids = ["example.com/m v1.0.0", "example.com/m v1.0.0-pre", "example.com/m/v2 v2.0.0", "example.com/M v1.0.0"].map(
  (text) => checkModuleVersion(...(text.split(" ") as [string, string])),
);
const lines = ids.flatMap((id) => [
  formatIntegrityLine(id, "zip", hash(`zip ${id.path}${id.version}`)),
  formatIntegrityLine(id, "mod", hash(`mod ${id.path}${id.version}`)),
]);

/** A list with any lines under a true signature. */
function forged(body: string, head: Partial<Record<"lines" | "title" | "sum", string>> = {}): Buffer {
  const sum = head.sum ?? createHash("sha256").update(body).digest("hex");
  const count = head.lines ?? String(body.split("\n").length - 1);
  const made = `made ${new Date(now).toISOString()}\nuntil ${new Date(now + day).toISOString()}`;
  const text = `${head.title ?? "granary integrity list v1"}\n${made}\nlines ${count}\nsha256 ${sum}\n`;
  return Buffer.from(`${signNote(text, [signer])}\n${body}`);
}

test("what was signed is found, and nothing else", () => {
  const list = openIntegrityList(signIntegrityList(lines, times, signer), verifier, now);
  assert.deepEqual([list.size, list.madeMs, list.untilMs], [lines.length, now, now + day]);
  for (const id of ids) {
    const name = id.path + id.version;
    assert.deepEqual(list.find(id), { zip: hash(`zip ${name}`), mod: hash(`mod ${name}`) });
  }
  assert.deepEqual(list.find(checkModuleVersion("example.com/m", "v1.0.1")), {});
  assert.deepEqual(list.find(checkModuleVersion("example.com/a", "v1.0.0")), {});
});

test("a version of which only go.mod is kept; a list of nothing", () => {
  const [id] = ids;
  assert.ok(id);
  const one = [formatIntegrityLine(id, "mod", hash("x"))];
  const list = openIntegrityList(signIntegrityList(one, times, signer), verifier, now);
  assert.deepEqual(list.find(id), { mod: hash("x") });
  assert.equal(openIntegrityList(signIntegrityList([], times, signer), verifier, now).size, 0);
});

test("another key, and any byte changed, prove nothing", () => {
  const bytes = signIntegrityList(lines, times, signer);
  const other = parseVerifierKey(generateKey("list.example.test", Buffer.alloc(32, 4)).verifierKey);
  assert.throws(() => openIntegrityList(bytes, other, now), { code: "NOTE_UNVERIFIED" });
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => openIntegrityList(changed, verifier, now), { name: "ProtocolError" }, `byte ${at}`);
  }
  for (const end of [0, 1, 100, bytes.length - 1])
    assert.throws(() => openIntegrityList(bytes.subarray(0, end), verifier, now), { name: "ProtocolError" });
});

test("a list of another time is not believed, whatever it says of its end", () => {
  const bytes = signIntegrityList(lines, times, signer);
  openIntegrityList(bytes, verifier, now + day);
  assert.throws(() => openIntegrityList(bytes, verifier, now + day + 1), { code: "BAD_INTEGRITY" });
  assert.throws(() => openIntegrityList(bytes, verifier, now - 3_600_000), { code: "BAD_INTEGRITY" });
  const eternal = signIntegrityList(lines, { madeMs: now, untilMs: now + 1000 * day }, signer);
  assert.equal(openIntegrityList(eternal, verifier, now).untilMs, now + maxIntegrityAgeMs);
  assert.throws(() => openIntegrityList(eternal, verifier, now + maxIntegrityAgeMs + 1), { code: "BAD_INTEGRITY" });
});

const zip = `example.com/m v1.0.0 ${hash("x")}\n`;
for (const [what, bytes] of [
  ["the same line twice", forged(zip + zip)],
  ["two hashes of one file", forged(`${zip}example.com/m v1.0.0 ${hash("y")}\n`)],
  ["lines out of order", forged(`example.com/n v1.0.0 ${hash("x")}\n${zip}`)],
  ["no end of the last line", forged(zip.slice(0, -1), { lines: "1" })],
  ["an empty line", forged(`${zip}\n`)],
  ["two spaces", forged(zip.replace(" ", "  "))],
  ["a word too many", forged(zip.replace("\n", " x\n"))],
  ["a version that is none", forged(zip.replace("v1.0.0", "v1"))],
  ["a path that is none", forged(zip.replace("example.com", "../x"))],
  ["a hash of another algorithm", forged(zip.replace("h1:", "h2:"))],
  ["fewer lines than signed", forged(zip, { lines: "2" })],
  ["other lines than signed", forged(zip, { sum: "0".repeat(64) })],
  ["a version of the form that is still to come", forged(zip, { title: "granary integrity list v2" })],
] as const)
  test(`refused: ${what}`, () => {
    assert.throws(() => openIntegrityList(bytes, verifier, now), { code: "BAD_INTEGRITY" });
  });

test("a forged list without a fault is one: the tests above fail for their reason", () => {
  assert.equal(openIntegrityList(forged(zip), verifier, now).size, 1);
});

test("a list that nobody would read is not made", () => {
  const line = `example.com/${"x".repeat(200)} v1.0.0 ${hash("x")}`;
  const many = Array.from({ length: 70_000 }, () => line);
  assert.throws(() => signIntegrityList(many, times, signer), RangeError);
});
