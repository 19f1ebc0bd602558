// Live: the machine's own GOPROXY as upstream and the public checksum database, skipped loudly where they cannot be
// reached. Pinned downloads only: some proxies refuse lists and queries.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sumdbName } from "#protocol/official.ts";
import { atEnd } from "../support/at-end.ts";
import { machineGo, machineSetting, newGoClient, skipLoudly } from "../support/go.ts";
import { startGranary } from "../support/granary.ts";

const pinned = [
  "rsc.io/quote@v1.5.2",
  "github.com/BurntSushi/toml@v1.3.2",
  "github.com/dgrijalva/jwt-go@v3.2.0+incompatible",
];

test("the machine's own upstream, the public database, three public modules, twice", async (t) => {
  const tool = await machineGo();
  if (tool === undefined) {
    skipLoudly(t, "no `go` on PATH");
    return;
  }
  const upstream = await machineSetting("GOPROXY");
  const probe = await newGoClient(tool, { GOPROXY: upstream, GOSUMDB: sumdbName });
  atEnd(t, () => probe.remove());
  const reached = await probe.run(["mod", "download", pinned[0] ?? ""], { timeoutMs: 60_000 });
  if (reached.code !== 0) {
    skipLoudly(t, `the machine's GOPROXY cannot be reached: ${reached.stderr.slice(0, 200)}`);
    return;
  }

  const granary = await startGranary({ upstream, sumdb: sumdbName, live: true });
  atEnd(t, () => granary.stop());
  const sums = [];
  for (const round of [1, 2]) {
    const go = await newGoClient(tool, { GOPROXY: granary.url, GOSUMDB: sumdbName });
    atEnd(t, () => go.remove());
    const { stdout } = await go.ok(["mod", "download", "-json", ...pinned]);
    sums.push([...stdout.matchAll(/"Sum": "(h1:[^"]+)"/g)].map(([, sum]) => sum));
    assert.equal(sums.at(-1)?.length, pinned.length, `round ${round}`);
  }
  assert.deepEqual(sums[0], sums[1]);
  const direct = await probe.ok(["mod", "download", "-json", ...pinned]);
  assert.deepEqual(
    [...direct.stdout.matchAll(/"Sum": "(h1:[^"]+)"/g)].map(([, sum]) => sum),
    sums[0],
  );
});
