// A whole Granary in one thread and virtual time, seed by seed (docs/simulation.md). LONG=1 runs more seeds; SEEDS=1..100000
// says which.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defects } from "../simulation/defects.ts";
import type { Defect } from "../simulation/defects.ts";
import { simulate } from "../simulation/simulation.ts";
import type { Report } from "../simulation/simulation.ts";
import { onThreads, seedsOf } from "../simulation/threads.ts";

const seeds = seedsOf(process.env["SEEDS"] ?? (process.env["LONG"] === "1" ? "1..4000" : "1..40"));

/** The slowest of machines does one in two seconds. */
const timeout = 60_000 + seeds.length * 2_000;

function story({ seed, failure, lines }: Report): string {
  return `seed ${seed}: ${failure ?? ""}\n${lines.join("\n")}\nonce more: npm run simulate -- ${seed} --trace`;
}

const running = onThreads(seeds);

test("whatever goes wrong, nothing wrong leaves and nothing that was given out is lost", { timeout }, async (t) => {
  const reports = await running;
  assert.equal(reports.length, seeds.length);
  const total: Record<string, number> = {};
  for (const { counts } of reports)
    for (const [what, count] of Object.entries(counts)) total[what] = (total[what] ?? 0) + count;
  const counts = Object.entries(total).map(([what, count]) => `${what} ${count}`);
  const hours = reports.reduce((sum, { virtualMs }) => sum + virtualMs, 0) / 3_600_000;
  t.diagnostic(`${reports.length} seeds, ${hours.toFixed(0)} h of virtual time: ${counts.join(", ")}`);
  const failed = reports.filter(({ failure }) => failure !== undefined);
  assert.equal(failed.length, 0, failed.slice(0, 3).map(story).join("\n\n"));
  // What is never done proves nothing.
  for (const what of ["get", "list", "publish", "evict", "crash", "restart", "cut", "heal", "corrupt", "skew", "ail"])
    assert.ok((total[what] ?? 0) >= reports.length / 10, `only ${total[what] ?? 0} × ${what}`);
});

test("one seed is one story, to the last line, on any thread", { timeout }, async () => {
  const elsewhere = (await running).slice(0, 6);
  const digests = new Set<string>();
  for (const { seed, digest } of elsewhere) {
    assert.equal((await simulate(seed)).digest, digest, `seed ${seed} told another story`);
    digests.add(digest);
  }
  assert.equal(digests.size, elsewhere.length, "different seeds tell different stories");
});

/** A sound server passes all of these seeds; a server with one of the defects does not. */
const maxSeeds = 40;

for (const [defect, about] of Object.entries(defects)) {
  test(`found: ${about}`, { timeout: 120_000 }, async (t) => {
    for (let seed = 1; ; seed++) {
      assert.ok(seed <= maxSeeds, `${defect} went unnoticed in ${maxSeeds} seeds`);
      const { failure } = await simulate(seed, { defect: defect as Defect });
      if (failure === undefined) continue;
      t.diagnostic(`seed ${seed}: ${failure.split("\n")[0] ?? ""}`);
      return;
    }
  });
}
