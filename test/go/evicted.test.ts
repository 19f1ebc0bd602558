// Versions that `store gc` took away beside a running server: a plain go with an empty cache gets them again, the same
// bytes or none; what is pinned stays, and builds with no upstream at all.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { forgeZip } from "../fixtures/forge-zip.ts";
import { gc, gcUntilGone, isKept, noLongerAnswered, zipOf } from "../support/evict.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoTool } from "../support/go.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";
import { startStubUpstream } from "../support/stub-upstream.ts";
import type { StubUpstream } from "../support/stub-upstream.ts";
import { startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

const open = "example.com/hello@v1.0.0";
/** No database knows it: that it must be the same bytes only its tombstone says. */
const secret = makeModule({
  path: "corp.example/secret",
  version: "v1.2.3",
  files: { "go.mod": "module corp.example/secret\n", "a.go": "package secret\n" },
});
const movedFiles = { "go.mod": "module corp.example/secret\n", "a.go": "package secret // moved\n" };
const secretId = `${secret.path}@${secret.version}`;

type Scene = { readonly world: World; readonly store: string; readonly corp: StubUpstream };

async function scene(t: TestContext): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "granary-evicted-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const store = join(folder, "store");
  const corp = await startStubUpstream({ modules: [secret] });
  atEnd(t, () => corp.close());
  const config = join(folder, "granary.yaml");
  await writeFile(config, `upstreams:\n  corp:\n    url: ${corp.url}\n    private: corp.example/*\n`);
  const world = await startWorld({
    before: corp.url,
    store,
    private: "corp.example/*",
    flags: [`--config=${config}`],
    // What is in memory already may still be answered from there.
    env: { GRANARY_CACHE_ENABLED: "off" },
  });
  atEnd(t, () => world.close());
  return { world, store, corp };
}

type Download = { readonly code: number; readonly sums: readonly string[]; readonly output: string };

/** What a developer with an empty cache gets. */
async function download(tool: GoTool, world: Pick<World, "granary" | "gosumdb">, ...ids: string[]): Promise<Download> {
  const env = { GOPROXY: world.granary.url, GOSUMDB: world.gosumdb, GONOSUMDB: "corp.example" };
  const go = await newGoClient(tool, env);
  try {
    const { code, stdout, output } = await go.run(["mod", "download", "-json", ...ids]);
    return { code, output, sums: [...stdout.matchAll(/"Sum": "(h1:[^"]+)"/g)].map(([, sum = ""]) => sum) };
  } finally {
    await go.remove();
  }
}

test("evicted beside a server, and got again by a go with an empty cache", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { world, store } = await scene(t);
  const first = await download(tool, world, open, secretId);
  assert.equal(first.code, 0, first.output);
  assert.equal(first.sums.length, 2);

  await gc(store, "--max-size=1B", "--private", "--dry-run");
  assert.ok(isKept(store, open) && isKept(store, secretId), "a dry run took something away");
  await gcUntilGone(store, open);
  assert.ok(isKept(store, secretId), "a private version left without --private");
  await gcUntilGone(store, secretId, "--private");
  await noLongerAnswered(world.granary.url, open, secretId);

  const asked = world.stub.requests(zipOf(open));
  const again = await download(tool, world, open, secretId);
  assert.equal(again.code, 0, again.output);
  assert.deepEqual(again.sums, first.sums);
  assert.equal(world.stub.requests(zipOf(open)), asked + 1);
  assert.ok(isKept(store, open) && isKept(store, secretId));
});

test("an evicted version whose tag was moved: refused and told, until the first bytes are there again", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { world, store, corp } = await scene(t);
  const first = await download(tool, world, secretId);
  assert.equal(first.code, 0, first.output);
  await gcUntilGone(store, secretId, "--private");
  await noLongerAnswered(world.granary.url, secretId);

  const moved = await startStubUpstream({ modules: [makeModule({ ...secret, files: movedFiles })] });
  atEnd(t, () => moved.close());
  corp.fault(zipOf(secretId), { kind: "bytes", body: Buffer.from(moved.bytes(zipOf(secretId))) });
  const other = await download(tool, world, secretId);
  assert.notEqual(other.code, 0);
  assert.match(other.output, /GRANARY_PIN_MISMATCH/);
  assert.ok(!isKept(store, secretId), "other bytes were kept");

  corp.clearFaults();
  const again = await download(tool, world, secretId);
  assert.equal(again.code, 0, again.output);
  assert.deepEqual(again.sums, first.sums);
});

test("an evicted version that comes back packed otherwise: refused plainly, until an operator lets it come", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { world, store, corp } = await scene(t);
  const first = await download(tool, world, secretId);
  assert.equal(first.code, 0, first.output);
  const early = await runGranary(["store", "hashes", "repacked", secretId, `--store=${store}`]);
  assert.match(early.stderr, /GRANARY_NO_SUCH_ID/, "it is here");
  await gcUntilGone(store, secretId, "--private");
  await noLongerAnswered(world.granary.url, secretId);

  // As another release of go packs the same files.
  const entries = [...secret.files].map(([name, content]) => ({
    name: `${secretId}/${name}`,
    content,
    method: 0 as const,
  }));
  const body = Buffer.from(forgeZip(entries.toReversed()));
  corp.fault(zipOf(secretId), { kind: "bytes", body });
  const other = await download(tool, world, secretId);
  assert.notEqual(other.code, 0);
  assert.match(
    other.output,
    /GRANARY_REPACKED: corp\.example\/secret@v1\.2\.3 from corp has the files that it had \(h1\)/,
  );
  assert.match(other.output, /granary store hashes repacked/);
  assert.ok(!isKept(store, secretId));

  const allowed = await runGranary(["store", "hashes", "repacked", secretId, `--store=${store}`]);
  assert.equal(allowed.code, 0, allowed.stderr);
  corp.clearFaults();
  const moved = await startStubUpstream({ modules: [makeModule({ ...secret, files: movedFiles })] });
  atEnd(t, () => moved.close());
  corp.fault(zipOf(secretId), { kind: "bytes", body: Buffer.from(moved.bytes(zipOf(secretId))) });
  const forged = await download(tool, world, secretId);
  assert.match(forged.output, /GRANARY_PIN_MISMATCH/, "other files are refused all the same");
  corp.clearFaults();
  corp.fault(zipOf(secretId), { kind: "bytes", body });
  const again = await download(tool, world, secretId);
  assert.equal(again.code, 0, again.output);
  assert.deepEqual(again.sums, first.sums);
  assert.ok(isKept(store, secretId));
  const verified = await runGranary(["store", "verify", `--store=${store}`]);
  assert.equal(verified.code, 0, verified.stdout);
});

test("what a go.sum pins survives, and builds with every upstream off", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { world, store } = await scene(t);
  const other = "example.com/multi/v2@v2.1.0";
  const first = await download(tool, world, open, other);
  assert.equal(first.code, 0, first.output);
  const goSum = join(store, "..", "go.sum");
  await writeFile(goSum, `${open.replace("@", " ")} ${first.sums[0] ?? ""}\n`);
  const pinned = await runGranary(["pin", "add", "--from", goSum, `--store=${store}`]);
  assert.equal(pinned.code, 0, pinned.stderr);
  await gcUntilGone(store, other);
  assert.deepEqual([isKept(store, open), isKept(store, other)], [true, false]);
  await world.granary.stop();

  const sumdb = world.database.verifierKey;
  const granary = await startGranary({ upstream: "off", sumdb, store });
  atEnd(t, () => granary.stop());
  const offline = await download(tool, { granary, gosumdb: world.gosumdb }, open);
  assert.equal(offline.code, 0, offline.output);
  assert.deepEqual(offline.sums, first.sums.slice(0, 1));
  const gone = await download(tool, { granary, gosumdb: world.gosumdb }, other);
  assert.notEqual(gone.code, 0);
});
