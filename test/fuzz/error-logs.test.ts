// Logs are hostile: whatever a build printed is explained in time that grows with the text, without an exception, and
// nothing that a terminal obeys comes out again.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { explainErrors } from "#services/analysers/error-report.ts";
import { findingText } from "#doors/cli/findings.ts";

const isLong = process.env["LONG"] === "1";
const lines = readFileSync("test/fixtures/error-lines.txt", "utf8")
  .split("\n")
  .map((line) => line.replace(/^[A-Z0-9_]+\t/, ""));
const io = { lang: "en", isUtf8: true, shell: "bash" } as const;
/** Whatever a terminal obeys, line ends of our own aside. */
const obeyed = /(?!\n)[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

const odd = fc.constantFrom(
  "\u001b[31m",
  "\u001b]0;x\u0007",
  "\r",
  "\t",
  "\u202e",
  "\u0000",
  "h1:",
  "://",
  "@v",
  '"',
  "% ",
  "🦫",
);
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...lines) },
  { weight: 2, arbitrary: odd },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
);
/** A line, whole, cut, or glued to another. */
const mutated = fc
  .tuple(piece, piece, fc.nat(200), fc.nat(200))
  .map(([a, b, i, j]) => a.slice(0, i) + b.slice(j % (b.length + 1)));
const log = fc.array(fc.oneof(piece, mutated), { maxLength: 8 }).map((all) => all.join("\n"));

test("any log is explained, and what is shown of it is harmless", () => {
  fc.assert(
    fc.property(log, (text) => {
      const report = explainErrors(text);
      for (const { finding } of [...report.causes, ...report.follows, ...report.notices]) {
        assert.doesNotMatch(findingText(finding, io), obeyed);
        for (const check of finding.checks) assert.match(check, /^[\w.!~@/:[\]+ -]+$/);
      }
      assert.ok(report.unknown.texts.every((each) => !obeyed.test(each)));
    }),
    { numRuns: isLong ? 100_000 : 400, seed: isLong ? Date.now() : 7 },
  );
});

test("time grows with the text, not with its square", () => {
  const runs = [
    "a",
    "@",
    "/",
    "https://",
    "dial tcp ",
    "lookup ",
    "[",
    "\u001b[",
    "h1:",
    "# get https://",
    "a.b",
    '"',
    "\\",
    "GRANARY_",
    "x|",
  ];
  const used = (text: string): number => {
    const began = process.cpuUsage();
    explainErrors(text);
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1000;
  };
  for (const run of runs)
    for (const line of [
      run.repeat(200_000 / run.length),
      `${run.repeat(1_900 / run.length)} timed out i/o timeout\n`.repeat(100),
    ])
      // A square would be minutes; this machine's own pace is no matter.
      assert.ok(used(line) < 10_000, `${run}: ${line.length} characters`);
});
