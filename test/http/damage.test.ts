// The disk lies: what was kept is not what is there. Nothing of it leaves, and the upstream mends it.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startGranary } from "../support/granary.ts";
import { startWorld } from "../support/world.ts";

const stem = "/example.com/hello/@v/v1.0.0";

for (const ext of ["info", "mod", "zip"] as const)
  test(`a .${ext} damaged on disk never leaves, and is fetched and proven again`, async (t) => {
    const store = await mkdtemp(join(tmpdir(), "granary-damage-"));
    t.after(() => rm(store, { recursive: true }));
    const world = await startWorld({ store });
    t.after(() => world.close());
    const url = `${world.granary.url}${stem}.${ext}`;
    await (await fetch(`${world.granary.url}${stem}.zip`)).arrayBuffer();
    const first = Buffer.from(await (await fetch(url)).arrayBuffer());
    const file = join(store, "modules", `${stem}.${ext}`);
    const bytes = await readFile(file);
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    await writeFile(file, bytes);
    // Another process: what the first one holds in memory is good.
    const upstream = world.stub.url;
    const sumdb = `${world.database.verifierKey} ${world.stub.url}/sumdb/${world.database.name}`;
    await world.granary.stop();
    const granary = await startGranary({ upstream, sumdb, store });
    t.after(() => granary.stop());
    const statuses: number[] = [];
    for (let round = 0; round < 3; round++) {
      const answer = await fetch(`${granary.url}${stem}.${ext}`);
      const body = Buffer.from(await answer.arrayBuffer());
      statuses.push(answer.status);
      if (answer.status === 200) assert.deepEqual(body, first);
    }
    // A zip is found damaged while it is read: too late to fetch it for the one who asked.
    assert.deepEqual(statuses, [ext === "zip" ? 503 : 200, 200, 200]);
    assert.deepEqual(await readFile(file), first);
  });
