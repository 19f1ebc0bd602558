// W8: cold builds of 50 made-up modules by the real go command while every fifth upstream answer is a 503, a reset, a
// reset in the body, a truncation, a silence, a web page or bytes that are not right: go.mod, zips, checksum records
// and tiles alike. All of it is decided by seeds. Every build must come through, and every byte must be the published
// one: in the client's module cache, in its go.sum, and in Granary's store.
//
// `bench/chaos.ts` does the same beside other ways to build, and measures; LONG=1 makes a thousand builds of it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { ChaosRig, usualWeather } from "../../bench/chaos-build.ts";
import type { ChaosCase, ChaosResult } from "../../bench/chaos-build.ts";
import { cleanUp } from "../../bench/children.ts";
import { atEnd } from "../support/at-end.ts";
import { needsGo } from "../support/go.ts";

const long = process.env["LONG"] === "1";
const builds = long ? 1_000 : 4;
const faults = 0.2;
/** Of a build: a client whose upstreams are this bad waits longer than usual, and hangs no longer than this. */
const buildTimeoutMs = 120_000;
/** A build that is not green for a reason that 1,000 of them may show once. */
const mayFail = Math.floor(builds * 0.001);
/** go.sum has a line for each zip and one for each go.mod that was read: more than the zips alone. */
const zips = 50;

const noNet = ["--import", join(import.meta.dirname, "../support/no-net.ts")];

/** Builds at a time, each with mirrors of its own: most of a build on such a day is waiting. */
const together = 2;

test(
  `${builds} cold builds through Granary, a fifth of all upstream answers faulty: all green, no wrong byte`,
  { timeout: builds * buildTimeoutMs, concurrency: together },
  async (t) => {
    if ((await needsGo(t)) === undefined) return;
    atEnd(t, cleanUp);
    const weather = { ...usualWeather, buildTimeoutMs, nodeFlags: noNet };
    const rigs = await Promise.all(Array.from({ length: together }, () => ChaosRig.open(weather)));
    const failed: string[] = [];
    const build = async (seed: number): Promise<void> => {
      const of: ChaosCase = { way: "Granary", mirrors: seed % 2 === 0 ? 1 : 2, seed, faults };
      await t.test(`seed ${seed}, ${of.mirrors === 1 ? "one mirror" : "two mirrors"}`, async (one) => {
        const rig = rigs.pop();
        assert.ok(rig !== undefined, "no more builds at a time than rigs");
        const result = await rig.build(of).finally(() => rigs.push(rig));
        assert.ok(result !== undefined);
        one.diagnostic(`${result.seconds.toFixed(1)} s, ${dealt(result)}`);
        assert.deepEqual(result.wrong, []);
        assert.ok(Object.keys(result.injected).length > 3, "the upstream had a bad day");
        if (!result.green) failed.push(`seed ${seed}: ${result.said}`);
        else assert.ok(result.sums > zips, `${result.sums} lines in go.sum`);
        assert.ok(failed.length <= mayFail, failed.join("\n"));
      });
    };
    await Promise.all(Array.from({ length: builds }, (_, at) => build(at + 1)));
    await Promise.all(rigs.map((rig) => rig.close()));
  },
);

function dealt({ injected }: ChaosResult): string {
  return Object.entries(injected)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(", ");
}
