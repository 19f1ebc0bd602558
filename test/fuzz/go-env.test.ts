// Settings of go are foreign text: whatever stands in a go env file, a variable or GOFLAGS is read, explained and judged
// without an exception, and the file as cmd/go itself reads it.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";

import { chainOf } from "#services/environment/chain.ts";
import { explain } from "#services/environment/explain.ts";
import { parseGoEnvFile, valuesOf } from "#services/environment/go-env-file.ts";
import { parseGoFlags } from "#services/environment/go-flags.ts";
import { lint } from "#services/environment/lint.ts";
import type { Surroundings } from "#services/environment/surroundings.ts";
import { variables } from "#services/environment/variables.ts";
import { wordsOf } from "#services/findings/finding.ts";
import { announceSeed, runs } from "./arbitraries.ts";

announceSeed();

/** A run that grows with the square of its input fails here; an honest one takes a fraction. */
const hangs = { timeout: 120_000 };

const names = variables.map(({ name }) => name);

const piece = fc.oneof(
  fc.constantFrom(
    "GOPROXY",
    "GOPRIVATE",
    "export ",
    " ",
    "=",
    "\n",
    "\r\n",
    "#",
    ",",
    "|",
    ";",
    "'",
    '"',
    "direct",
    "off",
  ),
  fc.constantFrom(
    "https://",
    "http://u:p@",
    "a.example",
    "*",
    "[",
    "\\",
    "//",
    ":",
    "@",
    "-mod=",
    "go1.22",
    "，",
    "\u0000",
  ),
  fc.string({ unit: "binary", maxLength: 6 }),
);
const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));

test("a go env file is read as cmd/go reads it", hangs, () => {
  fc.assert(
    fc.property(text, (file) => {
      const read = [...valuesOf(parseGoEnvFile(file))].map(([name, { value }]) => [name, value]);
      assert.deepEqual(new Map(read as [string, string][]), asGoReads(file));
    }),
    runs(),
  );
});

/** cmd/go/internal/cfg readEnvFile, line by line. */
function asGoReads(file: string): Map<string, string> {
  const values = new Map<string, string>();
  for (let rest = file; rest.length > 0;) {
    const end = rest.indexOf("\n");
    const line = end >= 0 ? rest.slice(0, end) : rest;
    rest = end >= 0 ? rest.slice(end + 1) : "";
    const equals = line.indexOf("=");
    if (equals < 0 || line[0]! < "A" || "Z" < line[0]!) continue;
    values.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return values;
}

const surroundings: fc.Arbitrary<Surroundings> = fc
  .record({
    process: fc.dictionary(fc.constantFrom(...names, "GONOSUMCHECK", "ALL_PROXY", "GOX"), text, { maxKeys: 8 }),
    file: text,
    netrc: text,
    go: fc.constantFrom("1.12", "1.14", "1.19.13", "1.26.8", "1.27"),
    platform: fc.constantFrom("linux", "darwin", "win32"),
  })
  .map(({ process, file, netrc, go, platform }) => ({
    platform,
    process,
    userFile: { kind: "text", path: "/h/env", text: file },
    netrc: { kind: "text", path: "/h/.netrc", text: netrc },
    go: { version: go, goroot: "/go", file: { kind: "absent", path: "/go/go.env" } },
  }));

test("any settings are judged, in both languages, without an exception", hangs, () => {
  fc.assert(
    fc.property(surroundings, (from) => {
      for (const finding of lint(from, { isStrict: true })) {
        assert.equal(typeof wordsOf(finding, "en").title, "string");
        assert.equal(typeof wordsOf(finding, "zh-CN").title, "string");
      }
    }),
    runs(),
  );
});

test("any settings are explained without an exception", hangs, () => {
  fc.assert(
    fc.property(surroundings, (from) => {
      const { chain, hops } = explain(from, { module: "example.com/x/m" }, { viaOf: () => undefined });
      assert.equal(hops.length, chain.kind === "hops" ? chain.hops.length : 0);
    }),
    runs(),
  );
});

for (const [name, parse] of [
  ["GOPROXY", (value: string) => chainOf(value, "", "1.26.8")],
  ["GOPROXY of Go 1.14", (value: string) => chainOf(value, "", "1.14")],
  ["GOFLAGS", parseGoFlags],
  ["a go env file", parseGoEnvFile],
] as const)
  test(`${name}: long runs of one piece take no longer than their length`, hangs, () => {
    for (const unit of [" ", ",", "'", '"', "-x=", "A=\n", "https://", " =", "a@", "[", "\t\n"])
      parse(unit.repeat(60_000 / unit.length));
  });
