import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { formatTree } from "#protocol/checkpoint.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { HeadFile } from "./head-file.ts";

const head = (size: number): Buffer => Buffer.from(`${formatTree({ size, root: Buffer.alloc(32, size) })}\n— x y\n`);

async function keyFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "granary-head-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  return join(folder, "sumlog.key");
}

test("the newest head is remembered, whoever is slow", async (t) => {
  const key = await keyFile(t);
  const [slow, quick] = [new HeadFile(key), new HeadFile(key)];
  assert.equal(await slow.recall(), undefined);
  await slow.remember(head(9));
  await quick.remember(head(100));
  await slow.remember(head(10));
  assert.deepEqual(await slow.recall(), head(100));
  assert.deepEqual(await readdir(`${key}.heads`), ["0000000000000100"]);
  await Promise.all(Array.from({ length: 40 }, (_, n) => [slow, quick][n % 2]!.remember(head(101 + ((n * 7) % 40)))));
  assert.deepEqual(await new HeadFile(key).recall(), head(140));
});

test("what a killed process left is no head, and goes with the next one", async (t) => {
  const key = await keyFile(t);
  const memory = new HeadFile(key);
  await memory.remember(head(5));
  await writeFile(join(`${key}.heads`, "0000000000000006.left"), "half");
  assert.deepEqual(await memory.recall(), head(5));
  await memory.remember(head(7));
  assert.deepEqual(await readdir(`${key}.heads`), ["0000000000000007"]);
});

test("a head that cannot be read is no sign of a new key", async (t) => {
  const key = await keyFile(t);
  await mkdir(join(`${key}.heads`, "0000000000000003"), { recursive: true });
  await assert.rejects(new HeadFile(key).recall(), { code: "EISDIR" });
});
