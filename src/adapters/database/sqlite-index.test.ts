import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, suite, test } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { compactDatabase } from "#adapters/storage/compact.ts";
import type { IndexFacts } from "#services/tending/ports.ts";
import { openSqliteIndex, SqliteIndex } from "./sqlite-index.ts";

const folder = await mkdtemp(join(tmpdir(), "granary-index-"));
after(() => rm(folder, { recursive: true, force: true }));
let files = 0;
const newFile = () => join(folder, `${files++}.sqlite`);

const facts = (n: number, more: Partial<IndexFacts> = {}): IndexFacts => ({
  path: "example.com/m",
  version: `v1.${n}.0`,
  stage: "zip",
  bytes: 100,
  sha256: "0".repeat(64),
  upstream: "official",
  isPrivate: false,
  firstSeenMs: 1_000 + n,
  isEvicted: false,
  ...more,
});
const named = (n: number) => ({ path: "example.com/m", version: `v1.${n}.0` });

async function filled(count: number): Promise<SqliteIndex> {
  const index = new SqliteIndex(":memory:");
  await index.put(
    Array.from({ length: count }, (_, n) => facts(n)),
    10_000,
  );
  return index;
}

const versionsOf = (page: { readonly versions: readonly { readonly version: string }[] }) =>
  page.versions.map(({ version }) => version);

suite("the index in SQLite", () => {
  test("what was put is found, and counted", async () => {
    const index = await filled(3);
    await index.put([facts(3, { stage: "mod", sha256: undefined, bytes: 7 })], 10_000);
    const found = await index.find(named(1));
    assert.deepEqual(found, { ...facts(1), usedMs: 1_001, uses: 0 });
    assert.equal((await index.find(named(3)))?.sha256, undefined);
    assert.equal(await index.find(named(9)), undefined);
    assert.deepEqual(await index.totals(), { versions: 4, zips: 3, bytes: 307, evicted: 0, smallBytes: 307 });
  });

  test("uses of zips count, those of go.mod only while there is no zip; both are the last use", async () => {
    const index = await filled(1);
    await index.put([facts(1, { stage: "mod" })], 10_000);
    await index.used(
      [
        { ...named(0), zips: 2, mods: 5 },
        { ...named(1), zips: 0, mods: 3 },
      ],
      20_000,
    );
    assert.deepEqual([(await index.find(named(0)))?.uses, (await index.find(named(0)))?.usedMs], [2, 20_000]);
    assert.deepEqual([(await index.find(named(1)))?.uses, (await index.find(named(1)))?.usedMs], [3, 20_000]);
    assert.deepEqual(
      (await index.hottest(10)).map(({ version }) => version),
      ["v1.1.0", "v1.0.0"],
    );
  });

  test("a use of what it does not know is told back, and a clock that went back takes no use away", async () => {
    const index = await filled(1);
    const stranger = { ...named(7), zips: 1, mods: 0 };
    assert.deepEqual(await index.used([{ ...named(0), zips: 1, mods: 0 }, stranger], 500), [stranger]);
    assert.equal((await index.find(named(0)))?.usedMs, 1_000);
  });

  test("facts put again leave uses as they are", async () => {
    const index = await filled(1);
    await index.used([{ ...named(0), zips: 4, mods: 0 }], 20_000);
    await index.put([facts(0, { bytes: 300 })], 30_000);
    assert.deepEqual(await index.find(named(0)), { ...facts(0, { bytes: 300 }), uses: 4, usedMs: 20_000 });
  });

  test("pages go through an order once, also while what was seen leaves", async () => {
    const index = await filled(25);
    const seen: string[] = [];
    for (let after: string | undefined = undefined, first = true; first || after !== undefined; first = false) {
      const page = await index.page("unused", after, 10);
      seen.push(...versionsOf(page));
      await index.evicted(page.versions);
      after = page.next;
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 25 }, (_, n) => `v1.${n}.0`),
    );
    assert.deepEqual(await index.totals(), { versions: 0, zips: 0, bytes: 0, evicted: 25, smallBytes: 0 });
  });

  test("what comes back after an eviction is used now and on probation no longer", async () => {
    const index = await filled(2);
    await index.evicted([named(0)]);
    assert.deepEqual(versionsOf(await index.page("unused", undefined, 10)), ["v1.1.0"]);
    await index.put([facts(0)], 50_000);
    assert.equal((await index.find(named(0)))?.usedMs, 50_000);
    assert.deepEqual(versionsOf(await index.page("main", undefined, 10)), ["v1.0.0"]);
    assert.deepEqual(versionsOf(await index.page("small", undefined, 10)), ["v1.1.0"]);
  });

  test("the main queue is by recent uses, then by arrival; being passed over takes them", async () => {
    const index = await filled(3);
    await index.promote([named(0), named(1), named(2)], 60_000);
    await index.used(
      [
        { ...named(0), zips: 9, mods: 0 },
        { ...named(1), zips: 1, mods: 0 },
      ],
      61_000,
    );
    const page = await index.page("main", undefined, 10);
    assert.deepEqual(
      page.versions.map(({ version, recent }) => [version, recent]),
      [
        ["v1.2.0", 0],
        ["v1.1.0", 1],
        ["v1.0.0", 3],
      ],
    );
    await index.passedOver([named(0)], 2);
    await index.passedOver([named(1)], 2);
    assert.deepEqual(
      (await index.page("main", undefined, 10)).versions.map(({ recent }) => recent),
      [0, 0, 1],
    );
  });

  test("a rebuild drops what is there no more, and what another rebuild began meanwhile stays", async () => {
    const index = await filled(3);
    assert.equal(await index.isWhole(), false);
    const first = await index.beginRebuild();
    await index.put([facts(0)], 70_000);
    const second = await index.beginRebuild();
    await index.put([facts(1)], 70_000);
    await index.endRebuild(first);
    assert.deepEqual([await index.isWhole(), (await index.totals()).versions], [true, 2]);
    await index.put([facts(0)], 70_000);
    await index.endRebuild(second);
    assert.equal((await index.totals()).versions, 2);
    await index.doubt();
    assert.equal(await index.isWhole(), false);
  });

  test("more rows than one transaction takes", async () => {
    const index = new SqliteIndex(":memory:");
    await index.put(
      Array.from({ length: 2_500 }, (_, n) => facts(n)),
      10_000,
    );
    assert.equal((await index.totals()).versions, 2_500);
  });

  test("two processes use one file", async () => {
    const file = newFile();
    const [one, other] = [await openSqliteIndex(file), await openSqliteIndex(file)];
    await one.put([facts(0)], 10_000);
    await other.used([{ ...named(0), zips: 1, mods: 0 }], 20_000);
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
