import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, suite, test } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { compactDatabase } from "#adapters/storage/compact.ts";
import { facts, named, used } from "../../../test/contract/store-index.ts";
import { openSqliteIndex } from "./sqlite-index.ts";

const folder = await mkdtemp(join(tmpdir(), "granary-index-"));
after(() => rm(folder, { recursive: true, force: true }));
let files = 0;
const newFile = () => join(folder, `${files++}.sqlite`);

suite("the index in SQLite", () => {
  test("two processes use one file", async () => {
    const file = newFile();
    const [one, other] = [await openSqliteIndex(file), await openSqliteIndex(file)];
    await one.put([facts(0)], 10_000);
    await other.used([used(0, 1)], 20_000);
    assert.equal((await one.find(named(0)))?.uses, 1);
    await Promise.all([one.close(), other.close()]);
    await one.close();
  });

  for (const [what, bytes] of [
    ["no database", "this is a letter to my landlord, ".repeat(100)],
    ["a database cut in half", undefined],
  ] as const)
    test(`${what} is put aside, and begun anew`, async () => {
      const file = newFile();
      if (bytes === undefined) {
        const index = await openSqliteIndex(file);
        await index.put(
          Array.from({ length: 500 }, (_, n) => facts(n)),
          1,
        );
        await index.close();
        await writeFile(file, Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(9_000, 7)]));
      } else await writeFile(file, bytes);
      const index = await openSqliteIndex(file);
      assert.equal((await index.totals()).versions, 0);
      await index.put([facts(0)], 1);
      await index.close();
      assert.ok((await readdir(folder)).some((name) => join(folder, name) === `${file}.damaged`));
    });

  test("a table of another program with our name is put aside too", async () => {
    const file = newFile();
    const db = new DatabaseSync(file);
    db.exec("CREATE TABLE versions (x)");
    db.close();
    const index = await openSqliteIndex(file);
    await index.put([facts(0)], 1);
    await index.close();
  });

  test("an idle one holds no file open, and goes on when it is asked", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const file = newFile();
    const index = await openSqliteIndex(file);
    await index.put([facts(0)], 1);
    const isOpen = async () => (await readdir(folder)).includes(`${basename(file)}-wal`);
    assert.equal(await isOpen(), true);
    t.mock.timers.tick(5_000);
    assert.equal(await isOpen(), false, "the last one to close takes the log along");
    assert.equal((await index.totals()).versions, 1);
    assert.equal(await isOpen(), true);
    await index.close();
  });

  test("compacting gives space back", async () => {
    const file = newFile();
    const index = await openSqliteIndex(file);
    await index.put(
      Array.from({ length: 5_000 }, (_, n) => facts(n)),
      1,
    );
    const round = await index.beginRebuild();
    await index.endRebuild(round);
    await index.close();
    const { before, after } = (await compactDatabase(file)) ?? { before: 0, after: 0 };
    assert.ok(before - after > 100_000);
    assert.equal((await index.totals()).versions, 0);
    await index.close();
  });
});
