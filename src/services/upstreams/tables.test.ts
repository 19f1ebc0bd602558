// Both modes, cell by cell, over played upstreams: `resilient` against the table written from the design, `go` against
// the table that the real go command drew (docs/fallback-table.md; test/go holds a running Granary against it as well).
import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomes } from "../../../test/support/fallback-cells.ts";
import type { Outcome } from "../../../test/support/fallback-cells.ts";
import { readPage, separators } from "../../../test/support/fallback-page.ts";
import { playWalk, resultOf } from "../../../test/support/played-chain.ts";
import { readResilientTable, situations } from "../../../test/support/resilient-table.ts";
import type { Situation } from "../../../test/support/resilient-table.ts";
import type { Upstream } from "./chain.ts";

const details: Readonly<Record<Situation, (name: "A" | "B") => Partial<Upstream>>> = {
  "nobody is authoritative": () => ({}),
  "A is authoritative": (name) => ({ authoritative: name === "A" }),
  "B is authoritative": (name) => ({ authoritative: name === "B" }),
  "absent: [403] on both": () => ({ absentStatuses: [404, 410, 403] }),
};

/** `ABA` and `AB` name the same upstreams. */
const who = (asked: string): string => [...new Set(asked)].sort().join("");

const table = readResilientTable();
for (const situation of situations)
  for (const a of outcomes)
    test(`mode resilient, ${situation}: A ${a}, B anything`, async () => {
      const cells = table.filter((cell) => cell.situation === situation && cell.a === a);
      assert.equal(cells.length, outcomes.length);
      const want = cells.map(({ b, asked, result }) => `${b} ${asked}=${result}`);
      const got = [];
      for (const { b } of cells) {
        const played = await playWalk({ mode: "resilient", a, b, details: details[situation] });
        got.push(`${b} ${who(played.asked)}=${resultOf(played)}`);
      }
      assert.deepEqual(got, want);
    });

/** A walk has no patience without end: what go hangs on is an error here. */
const like = (outcome: Outcome): Outcome => (outcome === "silent" ? "reset" : outcome);

const page = readPage();
for (const separator of separators)
  for (const a of outcomes)
    test(`mode go: A ${a} ${separator} B anything`, async () => {
      const want = outcomes.map((b) => `${b} ${page.get(`.info ${like(a)} ${separator} ${like(b)}`)}`);
      const got = [];
      for (const b of outcomes) {
        const played = await playWalk({ mode: "go", a, b, separator });
        got.push(`${b} ${who(played.asked)}: ${goWords[resultOf(played)] ?? resultOf(played)}`);
      }
      assert.deepEqual(got, want);
    });

/** The go command knows no refusals: a 403 is an error like others. */
const goWords: Readonly<Record<string, string>> = { absent: "not found", refused: "error", failed: "error" };
