import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../../../test/support/at-end.ts";
import { readTail } from "./log-tail.ts";

async function file(t: TestContext, bytes: Uint8Array | string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "granary-tail-"));
  atEnd(t, () => rm(folder, { recursive: true }));
  const path = join(folder, "go.log");
  await writeFile(path, bytes);
  return path;
}

test("a short log is read whole, a long one from its end", async (t) => {
  const path = await file(t, `${"a".repeat(300_000)}end\n`);
  assert.equal(await readTail(path, 4), "end\n");
  assert.equal((await readTail(path, 1 << 20)).length, 300_004);
});

test("UTF-16, as PowerShell writes it, is text; its units stay whole", async (t) => {
  const text = "go: no such host\r\n".repeat(10);
  const path = await file(t, Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]));
  assert.ok((await readTail(path, 1 << 20)).endsWith(text));
  assert.ok(text.endsWith(await readTail(path, 51)));
});

test("an empty log is empty, a missing one an error", async (t) => {
  const path = await file(t, "");
  assert.equal(await readTail(path, 100), "");
  await assert.rejects(readTail(`${path}.gone`, 100), { code: "ENOENT" });
});
