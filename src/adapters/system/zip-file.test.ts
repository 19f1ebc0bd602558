import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { atEnd } from "../../../test/support/at-end.ts";
import { createZipFile } from "./zip-file.ts";

test("createZipFile(): written anywhere, cut, read in two ways, and gone", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-zip-file-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const stop = new AbortController();
  const zip = await createZipFile(join(folder, "m.zip"), stop.signal);
  await zip.write(Buffer.from("hello world, and more"), 0);
  await zip.write(Buffer.from("J"), 0);
  await zip.truncate(11);
  for (let times = 0; times < 2; times++) {
    let text = "";
    for await (const chunk of zip.body()) text += Buffer.from(chunk).toString();
    assert.equal(text, "Jello world");
  }
  const source = zip.open();
  assert.equal(Buffer.from(source.read(6, 5)).toString(), "world");
  source.close();
  await assert.rejects(createZipFile(join(folder, "m.zip"), stop.signal), { code: "EEXIST" });
  stop.abort(new Error("stopped"));
  await assert.rejects(zip.write(Buffer.of(1), 0), /stopped/);
  await zip.discard();
  assert.deepEqual(await readdir(folder), []);
});
