import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { parsePath } from "#protocol/path.ts";
import { parseVersion } from "#protocol/version.ts";
import type { ZipManifest } from "#services/store/manifest.ts";
import type { KeptZip } from "#services/store/module-store.ts";
import { ChunkManifests } from "./chunks.ts";
import type { ChunkManifest } from "./chunks.ts";

const mib = 1 << 20;
const never = new AbortController().signal;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A kept zip of these bytes that counts how often it is opened, and is read when `until` lets it. */
function zipOf(name: string, bytes: Buffer, until: Promise<unknown> = Promise.resolve()) {
  const id = { path: parsePath(`example.com/${name}`), version: parseVersion("v1.0.0") };
  const zip = { size: bytes.length, sha256: sha256(bytes), h1: "h1:x", blockBytes: 65_536, blocks: "" };
  const counts = { opened: 0, closed: 0 };
  const kept: KeptZip = {
    id,
    manifest: { path: id.path, version: id.version, zip } as unknown as ZipManifest,
    since: new Date(0),
    open: async () => {
      counts.opened++;
      await until;
      return {
        size: bytes.length,
        read: (offset, into) => Promise.resolve(bytes.copy(into, 0, offset, offset + into.length)),
        close: () => {
          counts.closed++;
          return Promise.resolve();
        },
      };
    },
  };
  return { kept, counts };
}

for (const [size, chunks] of [
  [0, 0],
  [1, 1],
  [mib, 1],
  [mib + 1, 2],
  [2 * mib, 2],
] as const)
  test(`${size} bytes have ${chunks} chunks`, async () => {
    const bytes = Buffer.alloc(size, 7);
    const manifest = JSON.parse(
      Buffer.from(await new ChunkManifests().of(zipOf("m", bytes).kept, never)).toString(),
    ) as ChunkManifest;
    const parts = Array.from({ length: chunks }, (_, n) => bytes.subarray(n * mib, (n + 1) * mib));
    assert.deepEqual(manifest.chunks, parts.map(sha256));
    assert.deepEqual([manifest.chunkManifest, manifest.size, manifest.chunkSize], [1, size, mib]);
  });

test("many who ask at once, or later, make a zip be read once; too much memory makes it be read again", async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const { kept, counts } = zipOf("m", Buffer.alloc(10), promise);
  const manifests = new ChunkManifests({ cachedBytes: 1000 });
  const asked = Array.from({ length: 5 }, () => manifests.of(kept, never));
  resolve(undefined);
  const answers = await Promise.all(asked);
  assert.deepEqual(await manifests.of(kept, never), answers[4]);
  assert.deepEqual(counts, { opened: 1, closed: 1 });
  for (const name of ["a", "b", "c"]) await manifests.of(zipOf(name, Buffer.alloc(10)).kept, never);
  await manifests.of(kept, never);
  assert.equal(counts.opened, 2);
});

test("two zips are read at a time, a line waits, and the next is told so; who goes away waits no longer", async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const zips = Array.from({ length: 259 }, (_, n) => zipOf(`m${n}x`, Buffer.alloc(1), promise));
  const manifests = new ChunkManifests();
  const gone = new AbortController();
  const first = manifests.of(zips[0]!.kept, gone.signal);
  const others = zips.slice(1, 258).map(({ kept }) => manifests.of(kept, never));
  await assert.rejects(manifests.of(zips[258]!.kept, never), { code: "GRANARY_OVERLOADED" });
  gone.abort(new Error("gone"));
  await assert.rejects(first, /gone/);
  assert.equal(zips.filter(({ counts }) => counts.opened > 0).length, 2);
  resolve(undefined);
  await Promise.all(others);
  assert.ok(zips.slice(0, 258).every(({ counts }) => counts.closed === 1));
});
