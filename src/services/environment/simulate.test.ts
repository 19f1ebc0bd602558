// The model of one walk against what the go command was measured to do (docs/fallback-table.md), cell by cell.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { cells } from "../../../test/support/fallback-cells.ts";
import type { Cell, Outcome } from "../../../test/support/fallback-cells.ts";
import { readPage, separators } from "../../../test/support/fallback-page.ts";
import { chainOf } from "./chain.ts";
import type { Happening } from "./happenings.ts";
import { simulate } from "./simulate.ts";
import type { Simulation } from "./simulate.ts";

const words: Readonly<Record<Outcome, Happening>> = {
  "200": 200,
  "404": 404,
  "410": 410,
  "403": 403,
  "429": 429,
  "500": 500,
  refused: "refused",
  reset: "reset",
  truncated: "truncated",
  silent: "timeout",
  html: "html",
  garbage: "badjson",
};

const endings: Readonly<Record<Simulation["outcome"], string>> = {
  found: "",
  "not-found": "not found",
  error: "error",
  hangs: "hangs",
  refused: "refused",
};

function drawn({ operation, a, b }: Cell, separator: string): string {
  const { steps, outcome, at } = simulate({
    chain: `https://a.example${separator}https://b.example`,
    responses: [words[a], words[b]],
    operation,
    version: "1.26.8",
  });
  const asked = steps.map(({ hop }) => (hop.kind === "proxy" && hop.url.includes("//a.") ? "A" : "B")).join("");
  return `${asked}: ${outcome === "found" ? (at === 0 ? "A" : "B") : endings[outcome]}`;
}

suite("simulate() is the measured table", () => {
  const page = readPage();
  for (const separator of separators)
    test(`every cell with "${separator}"`, () => {
      const wrong = cells.flatMap((cell) => {
        const name = `.${cell.operation} ${cell.a} ${separator} ${cell.b}`;
        const here = drawn(cell, separator);
        return page.get(name) === here ? [] : [`${name}: measured ${page.get(name)}, model ${here}`];
      });
      assert.ok(cells.length >= 200, String(cells.length));
      assert.deepEqual(wrong, []);
    });
});

test("what a failure costs before the next hop is asked", () => {
  const at = (responses: readonly Happening[]): number =>
    simulate({ chain: "https://a|https://b|direct", responses, operation: "info", version: "1.26" }).totalMs;
  assert.equal(at(["refused", 200]), 0);
  assert.equal(at(["unreachable", "tls", 200]), 40_000);
  assert.equal(at(["timeout"]), Number.POSITIVE_INFINITY);
});

suite("chainOf()", () => {
  const hops = (list: string, version: string, noproxy = ""): string => {
    const chain = chainOf(list, noproxy, version);
    if (chain.kind === "refused") return "refused";
    return chain.hops.map((hop) => (hop.kind === "proxy" ? hop.url + hop.separator : hop.kind)).join(" ");
  };
  const cases = [
    ["https://a , https://b|direct,https://c", "1.26", "", "https://a, https://b| direct"],
    ["https://a,direct", "1.26", "corp.example", "noproxy https://a, direct"],
    ["direct", "1.26", "corp.example", "direct"],
    ["https://a|https://b", "1.14", "", "refused"],
    ["https://a", "1.12", "", "https://a"],
    ["https://a,direct", "1.12", "", "https://a,direct"],
    ["", "1.12", "", "direct"],
    ["", "1.26", "", "refused"],
    [" , ", "1.26", "", "refused"],
    ["Direct", "1.26", "", "refused"],
  ] as const;
  for (const [list, version, noproxy, want] of cases)
    test(`${JSON.stringify(list)} in Go ${version}`, () => {
      assert.equal(hops(list, version, noproxy), want);
    });
});
