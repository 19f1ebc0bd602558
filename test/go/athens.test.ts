// A team moves from Athens: its config.toml starts Granary, its directory is brought in, and a real go builds.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { asAthens } from "../support/filled-caches.ts";
import { atEnd } from "../support/at-end.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import { runGranary, startCommand } from "../support/granary.ts";
import { freePort } from "../support/loopback.ts";
import { startUpstreams } from "../support/world.ts";

const moved = ["example.com/hello@v1.0.0", "example.com/Upper/Case@v1.0.0-RC1"];
const fixture = join(import.meta.dirname, "../fixtures/athens/config.toml");

test("from Athens' directory and config.toml to a build, without an upstream for what was moved", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { stub, database } = await startUpstreams();
  atEnd(t, () => stub.close());
  const folder = await mkdtemp(join(tmpdir(), "granary-athens-go-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));

  // What Athens had kept.
  const before = await newGoClient(tool, { GOPROXY: stub.url, GOSUMDB: database.verifierKey });
  atEnd(t, () => before.remove());
  await before.ok(["mod", "download", ...moved]);
  const root = join(folder, "athens");
  await asAthens(join(before.modcache, "cache/download"), root);
  const file = join(folder, "config.toml");
  const text = await readFile(fixture, "utf8");
  await writeFile(file, text.replace("/var/lib/athens", root).replace(":3000", `:${await freePort()}`));

  const ours = {
    GRANARY_SUMDB: `${database.verifierKey} ${stub.url}/sumdb/${database.name}`,
    GRANARY_UPSTREAM: stub.url,
  };
  const store = join(root, "granary");
  const imported = await runGranary(["store", "import", root, "--store", store, "--json"], ours);
  assert.equal(imported.code, 0, imported.stderr + imported.stdout);
  assert.equal((JSON.parse(imported.stdout) as { imported: number }).imported, moved.length);

  const running = await startCommand(["serve", "--compat", "athens", `-config_file=${file}`], { env: ours });
  atEnd(t, () => running.stop());
  const url = running.url.replace("0.0.0.0", "127.0.0.1");
  const asked = stub.requests(/example\.com\/.*\.(info|mod|zip)$/);
  const client = await newGoClient(tool, { GOPROXY: url, GOSUMDB: database.verifierKey });
  atEnd(t, () => client.remove());
  await client.ok(["mod", "download", ...moved]);
  assert.equal(stub.requests(/example\.com\/.*\.(info|mod|zip)$/), asked, "what was moved is asked of nobody");
  await client.ok(["mod", "download", "example.com/dep@v1.0.0"]);
});
