// A sample of test/fixtures/resilient-table.txt through a running server and real sockets; every cell of it is played in
// src/services/upstreams/tables.test.ts.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { byList, FallbackWorld, pathOf } from "../support/fallback-cells.ts";
import type { Cell } from "../support/fallback-cells.ts";
import { startGranary } from "../support/granary.ts";
import { readResilientTable, situations } from "../support/resilient-table.ts";
import type { GoldenCell, Situation } from "../support/resilient-table.ts";

/** Longer than a busy machine needs for an answer of one line over loopback. */
const silenceMs = 2_000;

const sample = [
  ["404", "200"],
  ["404", "410"],
  ["404", "403"],
  ["404", "500"],
  ["404", "html"],
  ["403", "200"],
  ["403", "404"],
  ["429", "200"],
  ["500", "200"],
  ["500", "404"],
  ["500", "500"],
  ["reset", "200"],
  ["truncated", "200"],
  ["silent", "200"],
  ["html", "200"],
  ["garbage", "200"],
  ["garbage", "404"],
  ["404", "silent"],
  ["refused", "200"],
  ["refused", "404"],
  ["404", "refused"],
  ["refused", "refused"],
];

/** A 502, 503 or 504 is doubt; a 404 is never one. */
const resultOf = (status: number, code: string): string => {
  if (status === 404) return "absent";
  if (code === "GRANARY_UPSTREAM_REFUSED") return "refused";
  return [502, 503, 504].includes(status) ? "failed" : `${status} ${code}`;
};

function settings(situation: Situation, list: string): string {
  const [a, b] = list.split(",");
  const lines = ["upstreamClient:", `  headersTimeout: ${silenceMs}ms`];
  const say = (name: string, url: string | undefined, what: string) =>
    lines.push(`  ${name}:`, `    url: ${url}`, `    ${what}`);
  if (situation === "nobody is authoritative") return lines.join("\n");
  lines.push("upstreams:");
  if (situation === "A is authoritative") say("a", a, "authoritative: on");
  if (situation === "B is authoritative") say("b", b, "authoritative: on");
  if (situation === "absent: [403] on both") {
    say("a", a, "absent: [403]");
    say("b", b, "absent: [403]");
  }
  return lines.join("\n");
}

const isSampled = ({ a, b }: GoldenCell): boolean => sample.some(([one, other]) => one === a && other === b);

suite("mode resilient over real sockets", { concurrency: true }, () => {
  for (const situation of situations)
    test(`what two upstreams' answers mean together when ${situation}`, async () => {
      const golden = readResilientTable().filter((cell) => cell.situation === situation && isSampled(cell));
      assert.equal(golden.length, sample.length);
      const world = await FallbackWorld.start();
      const complaints: string[] = [];
      try {
        for (const group of byList(golden.map((cell) => ({ ...cell, operation: "info" as const }))))
          complaints.push(...(await complain(world, situation, group)));
      } finally {
        await world.close();
      }
      assert.deepEqual(complaints, []);
    });
});

type Sampled = GoldenCell & Cell;

async function complain(world: FallbackWorld, situation: Situation, group: readonly Sampled[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "granary-resilient-"));
  const upstream = group[0] === undefined ? "" : world.list(",", group[0]);
  const config = join(folder, "granary.yaml");
  await writeFile(config, settings(situation, upstream));
  const granary = await startGranary({ upstream, flags: [`--config=${config}`] });
  const found: string[] = [];
  try {
    for (const cell of group) {
      const seen = await ask(granary.url, world, cell);
      // Who is dead keeps no log.
      const watched = cell.asked
        .replace(cell.a === "refused" ? "A" : "", "")
        .replace(cell.b === "refused" ? "B" : "", "");
      if (seen.result !== cell.result || seen.asked !== watched)
        found.push(`${cell.a} ${cell.b}: ${watched}=${cell.result} is right, ${seen.asked}=${seen.result} happened`);
    }
  } finally {
    await granary.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return found;
}

async function ask(url: string, world: FallbackWorld, cell: Sampled) {
  world.forgetRequests();
  const response = await fetch(url + pathOf(cell));
  const body = await response.text();
  const code = /GRANARY_[A-Z_]+/.exec(body)?.[0] ?? "no code";
  const asked = [...new Set(world.asked(cell))].sort().join("");
  if (response.status !== 200) return { asked, result: resultOf(response.status, code) };
  const { Time } = JSON.parse(body) as { Time: string };
  return { asked, result: Time.startsWith("2024-01-01") ? "A" : "B" };
}
