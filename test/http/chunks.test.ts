// The chunk manifest of a kept zip: each of its chunks is what a Range request gives, and whoever may not have the zip
// may not have its manifest.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { startGranary } from "../support/granary.ts";
import { fileOf, mirrorsFor, moduleOf } from "../support/mirrors.ts";
import { makeModule } from "../support/modules.ts";
import { startStubUpstream } from "../support/stub-upstream.ts";

const mib = 1 << 20;

type Manifest = {
  readonly module: string;
  readonly version: string;
  readonly size: number;
  readonly h1: string;
  readonly sha256: string;
  readonly chunkSize: number;
  readonly chunks: readonly string[];
};

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

test("each chunk of the manifest is what a Range request for it gives, and all of them are the zip", async (t) => {
  const big = moduleOf("example.com/big", 3 * mib + 12_345);
  const path = fileOf(big, "zip");
  const { a, get, granary, mustHave } = await mirrorsFor(t, { modules: [big], sole: true });
  await mustHave(path);
  const answer = await get(`/-/chunks${path}`);
  assert.equal(answer.status, 200);
  const manifest = JSON.parse(answer.body.toString()) as Manifest;
  const whole = Buffer.from(a.bytes(path));
  const { module, version, size, chunkSize } = manifest;
  assert.deepEqual([module, version, size, chunkSize], [big.path, big.version, whole.length, mib]);
  assert.equal(manifest.sha256, sha256(whole));
  const sums = (await get(`/sum/${big.path}/@v/${big.version}`)).body.toString();
  assert.ok(sums.includes(`${big.version} ${manifest.h1}\n`), sums);
  const parts: Buffer[] = [];
  for (const [n, hash] of manifest.chunks.entries()) {
    const range = `bytes=${n * mib}-${(n + 1) * mib - 1}`;
    const part = await fetch(granary.url + path, { headers: { range } });
    assert.equal(part.status, 206);
    parts.push(Buffer.from(await part.arrayBuffer()));
    assert.equal(sha256(parts[n]!), hash, range);
  }
  assert.ok(Buffer.concat(parts).equals(whole));
  assert.equal(manifest.chunks.length, 4);
});

test("a manifest is never made of damaged bytes", async (t) => {
  const big = moduleOf("example.com/big", 2 * mib);
  const path = fileOf(big, "zip");
  const { a, get, granary, mustHave } = await mirrorsFor(t, { modules: [big], sole: true });
  await mustHave(path);
  const file = await open(join(granary.store, "modules", path.slice(1)), "r+");
  await file.write("damage", mib + 100);
  await file.close();
  const damaged = await get(`/-/chunks${path}`);
  assert.equal(damaged.status, 503);
  assert.match(damaged.body.toString(), /GRANARY_STORE_DAMAGED/);
  await mustHave(path);
  const { chunks } = JSON.parse((await get(`/-/chunks${path}`)).body.toString()) as Manifest;
  assert.equal(chunks[1], sha256(a.bytes(path).subarray(mib, 2 * mib)));
});

test("who may not read a private module gets no manifest of it, and no shared cache keeps one", async (t) => {
  const secret = makeModule({ path: "corp.example/team/secret", version: "v1.0.0" });
  const corp = await startStubUpstream({ modules: [secret] });
  const folder = await mkdtemp(join(tmpdir(), "granary-chunks-"));
  const config = join(folder, "granary.yaml");
  await writeFile(config, `upstreams:\n  corp:\n    url: ${corp.url}\n    private: corp.example/team/*\n`);
  const flags = [`--config=${config}`];
  const granary = await startGranary({ upstream: corp.url, private: "corp.example/team/*", flags });
  atEnd(t, async () => {
    await granary.stop();
    await corp.close();
    await rm(folder, { recursive: true, force: true });
  });
  const path = fileOf(secret, "zip");
  // A proxy's word that it speaks for somebody else: no loopback caller any more.
  const stranger = { headers: { via: "1.1 somebody" } };
  assert.equal((await fetch(granary.url + path)).status, 200);
  for (const url of [path, `/-/chunks${path}`])
    assert.equal((await fetch(granary.url + url, stranger)).status, 401, url);
  const manifest = await fetch(`${granary.url}/-/chunks${path}`);
  assert.deepEqual([manifest.status, manifest.headers.get("cache-control")], [200, "private, no-store"]);
  assert.equal((await fetch(`${granary.url}/-/chunks${path}`, stranger)).status, 401);
});
