import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { atEnd } from "../../../test/support/at-end.ts";
import { helpers, isFlocked, takeFlock } from "./flock.ts";

const isThere = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;

for (const helper of helpers)
  test(`a lock taken with ${helper.program} is one to everybody, until it is released`, async (t) => {
    if (!isThere(helper.program)) {
      t.skip(`no ${helper.program}`);
      return;
    }
    const folder = await mkdtemp(join(tmpdir(), "granary-flock-"));
    atEnd(t, () => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "v1.0.0.lock");
    assert.equal(await isFlocked(file, [helper]), false);
    const lock = await takeFlock(file, [helper]);
    if (typeof lock === "string") return assert.fail(lock);
    assert.equal((await stat(file)).size, 0);
    for (const other of helpers.filter(({ program }) => isThere(program))) {
      assert.equal(await takeFlock(file, [other]), "held");
      assert.equal(await isFlocked(file, [other]), true);
    }
    await lock.release();
    assert.equal(await isFlocked(file, [helper]), false);
  });

test("without a program that takes locks there are none", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-flock-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const nobody = [{ program: join(folder, "flock"), shared: [], exclusive: [], held: 1 }];
  assert.equal(await takeFlock(join(folder, "x.lock"), nobody), "no-locks");
  assert.equal(await isFlocked(join(folder, "x.lock"), nobody), undefined);
});
