// The go command's verdict on the zips of test/fixtures/hostile-zips.ts, and on changed ones: whatever go refuses we
// refuse, and what both take has one hash. All modules go through one `go mod download` from a file:// proxy.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";

import { bytesSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { writeModuleZip } from "#protocol/zip-write.ts";
import { zipCases } from "../fixtures/hostile-zips.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoTool } from "../support/go.ts";

const version = "v1.0.0";

type Verdict = { readonly path: string; readonly sum: string | undefined; readonly error: string | undefined };

const folders: string[] = [];
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** What go says of each zip, served as module `example.com/z<index>`. */
async function askGo(tool: GoTool, zips: readonly Uint8Array[]): Promise<Verdict[]> {
  const proxy = await mkdtemp(join(tmpdir(), "granary-zips-"));
  folders.push(proxy);
  for (const [index, zip] of zips.entries()) {
    const folder = join(proxy, pathOf(index), "@v");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${version}.info`), JSON.stringify({ Version: version }));
    await writeFile(join(folder, `${version}.mod`), `module ${pathOf(index)}\n`);
    await writeFile(join(folder, `${version}.zip`), zip);
  }
  const client = await newGoClient(tool, { GOPROXY: pathToFileURL(proxy).href, GOFLAGS: "-mod=mod -modcacherw" });
  const asked = zips.map((_, index) => `${pathOf(index)}@${version}`);
  const { stdout, output } = await client.run(["mod", "download", "-json", ...asked]);
  await client.remove();
  const answers = stdout.split(/^(?<=\}\n)/m).map((text) => JSON.parse(text) as Record<string, string | undefined>);
  assert.equal(answers.length, zips.length, output);
  return answers.map((answer) => ({ path: answer["Path"] ?? "", sum: answer["Sum"], error: answer["Error"] }));
}

function pathOf(index: number): string {
  return `example.com/z${index}`;
}

function idOf(index: number): { path: string; version: string } {
  return { path: pathOf(index), version };
}

test("go takes and refuses the same zips as checkModuleZip(), and hashes them alike", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const zips = zipCases.map(({ make }, index) => make(`${pathOf(index)}@${version}/`));
  const verdicts = await askGo(tool, zips);
  for (const [index, { what, stricter }] of zipCases.entries()) {
    const verdict = verdicts.find(({ path }) => path === pathOf(index));
    assert.ok(verdict, what);
    const ours = checkModuleZip(bytesSource(zips[index]!), idOf(index));
    if (stricter) {
      assert.deepEqual([what, verdict.error, ours.valid], [what, undefined, false]);
    } else {
      assert.equal(verdict.error === undefined, ours.valid, `${what}: ${verdict.error ?? "go takes it"}`);
      if (ours.valid) assert.deepEqual([what, verdict.sum], [what, ours.h1]);
    }
  }
});

test("go refuses no changed zip that checkModuleZip() takes, and hashes it alike", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const zips = Array.from({ length: 400 }, (_, index) => mutate(sample(index), index));
  const verdicts = await askGo(tool, zips);
  let taken = 0;
  for (const [index, zip] of zips.entries()) {
    const ours = checkModuleZip(bytesSource(zip), idOf(index));
    if (!ours.valid) continue;
    taken++;
    const verdict = verdicts.find(({ path }) => path === pathOf(index));
    assert.deepEqual([index, verdict?.error, verdict?.sum], [index, undefined, ours.h1]);
  }
  assert.ok(taken >= 20, `only ${taken} changed zips were good enough to compare`);
});

function sample(index: number): Uint8Array {
  return writeModuleZip(idOf(index), [
    { name: "go.mod", content: Buffer.from(`module ${pathOf(index)}\n`) },
    { name: "a.go", content: Buffer.from("package a\n".repeat(20)) },
    { name: "b/c.txt", content: Buffer.from("c") },
  ]);
}

/** Changes one to three bytes, more often where headers are; the seed decides all. */
function mutate(zip: Uint8Array, seed: number): Uint8Array {
  const next = generator(seed + 1);
  const bytes = new Uint8Array(zip);
  for (let changes = 1 + (next() % 3); changes > 0; changes--) {
    const fromEnd = next() % 2 === 0 ? bytes.length : Math.min(bytes.length, 260);
    bytes[bytes.length - 1 - (next() % fromEnd)] = next() % 4 === 0 ? next() % 256 : next() % 10;
  }
  return bytes;
}

/** A linear congruential generator (Numerical Recipes); its high bits. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}
