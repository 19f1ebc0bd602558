// Habits of clients, end to end: what eight of them asked for, one after the other, comes ahead for the ninth.
import assert from "node:assert/strict";
import { get } from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { atEnd } from "../support/at-end.ts";
import { makeModule } from "../support/modules.ts";
import { startWorld } from "../support/world.ts";

const lib = (version: string) => makeModule({ path: "example.com/lib", version });
const needsNewLib = "module example.com/main\n\ngo 1.20\n\nrequire example.com/lib v1.1.0\n";
const modules = [
  makeModule({ path: "example.com/main", version: "v1.0.0", files: { "go.mod": needsNewLib } }),
  makeModule({ path: "example.com/tool", version: "v1.0.0" }),
  ...[lib("v1.0.0"), lib("v1.1.0")],
];

/** Asks from an address of its own, and gives the status. */
function askFrom(localAddress: string, url: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  get(url, { localAddress, agent: false, signal: AbortSignal.timeout(30_000) }, (response) => {
    response.resume().on("error", reject);
    response.on("end", () => {
      resolve(response.statusCode ?? 0);
    });
  }).on("error", reject);
  return promise;
}

/** A wait that never ends is a failure with a name. */
const limit = { timeout: 60_000 };

test(
  "the zip that eight clients asked for after another comes ahead for the ninth, in the version it selects",
  limit,
  async (t) => {
    // Nothing lies ready in memory, as if these zips were large.
    const world = await startWorld({ modules, env: { GRANARY_CACHE_ENTRY_BYTES: "0" } });
    atEnd(t, () => world.close());
    const client = async (number: number, ...files: readonly string[]): Promise<void> => {
      const url = (file: string): string => `${world.granary.url}/example.com/${file}`;
      for (const file of files) assert.equal(await askFrom(`127.0.0.${number}`, url(file)), 200, file);
    };
    const metrics = async (): Promise<string> => (await fetch(`${world.granary.url}/-/metrics`)).text();
    const until = async (line: string): Promise<void> => {
      while (!(await metrics()).includes(`\n${line}\n`)) await sleep(20);
    };
    const newLib = "/example.com/lib/@v/v1.1.0.zip";

    for (let number = 2; number < 10; number++) await client(number, "tool/@v/v1.0.0.zip", "lib/@v/v1.0.0.zip");
    assert.match(await metrics(), /^granary_ahead_habit_bytes [1-9]/m);
    await client(10, "main/@v/v1.0.0.mod", "tool/@v/v1.0.0.zip");
    await until('granary_ahead_total{kind="zip",outcome="fetched"} 1');
    await client(10, "lib/@v/v1.1.0.zip");
    await until('granary_ahead_total{kind="zip",outcome="used"} 1');
    assert.equal(world.stub.requests(newLib), 1);
  },
);
