// A sample of test/fixtures/resilient-table.txt through a running server and real sockets; every cell of it is played in
// src/services/upstreams/tables.test.ts.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { FallbackWorld, pathOf } from "../support/fallback-cells.ts";
import type { Cell } from "../support/fallback-cells.ts";
import { startGranary } from "../support/granary.ts";
import { readResilientTable, situations } from "../support/resilient-table.ts";
import type { GoldenCell, Situation } from "../support/resilient-table.ts";

/** Longer than a busy machine needs for an answer of one line over loopback. */
const silenceMs = 2_000;
/** Long enough for the three tries after which a dead upstream no longer counts. */
const retryMs = 4_000;

/** A × B. Each has a server of its own: what one cell does to an upstream's breaker must not colour the next. */
const samples: Readonly<Record<Situation, readonly string[]>> = {
  "nobody is authoritative": [
    "404 200",
    "404 410",
    "404 403",
    "404 500",
    "404 silent",
    "403 200",
    "500 200",
    "html 200",
    "garbage 404",
    "refused 404",
    "refused refused",
  ],
  "A is authoritative": ["404 200", "403 200", "500 404"],
  "B is authoritative": ["500 404", "403 404"],
  "absent: [403] on both": ["403 404", "403 200", "403 500"],
};

/** A 502, 503 or 504 is doubt; a 404 is never one. */
const resultOf = (status: number, code: string): string => {
  if (status === 404) return "absent";
  if (code === "GRANARY_UPSTREAM_REFUSED") return "refused";
  return [502, 503, 504].includes(status) ? "failed" : `${status} ${code}`;
};

function settings(situation: Situation, list: string): string {
  const [a, b] = list.split(",");
  const lines = ["upstreamClient:", `  responseHeaderTimeout: ${silenceMs}ms`, `  retryTime: ${retryMs}ms`];
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

suite("mode resilient over real sockets", { concurrency: 3 }, () => {
  const table = readResilientTable();
  for (const situation of situations)
    for (const sample of samples[situation])
      test(`${sample} when ${situation}`, async (t) => {
        const golden = table.find((cell) => cell.situation === situation && `${cell.a} ${cell.b}` === sample);
        assert.ok(golden !== undefined);
        const world = await FallbackWorld.start();
        atEnd(t, () => world.close());
        const cell = { ...golden, operation: "info" as const };
        const seen = await askFresh(world, cell);
        // Who is dead keeps no log.
        const watched = cell.asked
          .replace(cell.a === "refused" ? "A" : "", "")
          .replace(cell.b === "refused" ? "B" : "", "");
        assert.deepEqual(seen, { asked: watched, result: cell.result });
      });
});

type Sampled = GoldenCell & Cell;

async function askFresh(world: FallbackWorld, cell: Sampled) {
  const folder = await mkdtemp(join(tmpdir(), "granary-resilient-"));
  const upstream = world.list(",", cell);
  const config = join(folder, "granary.yaml");
  await writeFile(config, settings(cell.situation, upstream));
  const granary = await startGranary({ upstream, flags: [`--config=${config}`] });
  try {
    return await ask(granary.url, world, cell);
  } finally {
    await granary.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function ask(url: string, world: FallbackWorld, cell: Sampled) {
  const response = await fetch(url + pathOf(cell));
  const body = await response.text();
  const code = /GRANARY_[A-Z_]+/.exec(body)?.[0] ?? "no code";
  const asked = [...new Set(world.asked(cell))].sort().join("");
  if (response.status !== 200) return { asked, result: resultOf(response.status, code) };
  const { Time } = JSON.parse(body) as { Time: string };
  return { asked, result: Time.startsWith("2024-01-01") ? "A" : "B" };
}
