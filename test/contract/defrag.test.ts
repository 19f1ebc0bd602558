// Defrag on a real disk: what it takes, what it leaves, and writers beside it that never fail because of it.
import assert from "node:assert/strict";
import { link, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { compactDatabase } from "#adapters/storage/compact.ts";
import { DiskStorage, openDiskStorage } from "#adapters/storage/disk.ts";
import { DiskLeftovers } from "#adapters/storage/leftovers.ts";
import { defragStore } from "#services/store/defrag.ts";
import type { DefragUse } from "#services/store/defrag.ts";
import { storageKey } from "#services/store/ports.ts";
import { atEnd } from "../support/at-end.ts";
import { contents, isWhole, keepVersion, put } from "../support/snapshot-world.ts";

async function newStore(t: TestContext): Promise<{ root: string; storage: DiskStorage }> {
  const folder = await mkdtemp(join(tmpdir(), "granary-defrag-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const root = join(folder, "store");
  return { root, storage: await openDiskStorage(root, { fsync: "never" }) };
}

const hourMs = 3_600_000;

async function defrag(root: string, more: Partial<DefragUse> = {}) {
  return await defragStore({
    storage: new DiskStorage(root, { fsync: "never" }),
    leftovers: new DiskLeftovers(root),
    now: Date.now,
    isAlone: true,
    ...more,
  });
}

/** A file that was written two hours ago. */
async function oldFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  const then = (Date.now() - 2 * hourMs) / 1000;
  await utimes(path, then, then);
}

/** No process has it: numbers end far below. */
const deadPid = 4_194_305;

suite("defrag", () => {
  test("takes leftovers, dead temporary files and empty folders, and nothing else", async (t) => {
    const { root, storage } = await newStore(t);
    await keepVersion(storage, { path: "example.com/kept", version: "v1.0.0" });
    await keepVersion(storage, { path: "example.com/kept", version: "v1.1.0", stage: "mod", seed: 2 });
    await put(storage, "state/tokens.json", "tokens");
    const sound = await contents(storage);
    const versions = join(root, "modules/example.com/kept/@v");
    // Leftovers: of a version without a manifest, and a zip beside the first manifest only; a young one may be on its way.
    await oldFile(join(root, "modules/example.com/left/@v/v1.0.0.info"), "info");
    await oldFile(join(root, "modules/example.com/left/@v/v1.0.0.mod"), "module");
    await oldFile(join(versions, "v1.1.0.zip"), "half a zip");
    await writeFile(join(versions, "v1.2.0.zip"), "on its way");
    await oldFile(join(root, "tmp", `${deadPid}-abcdef012345-0`), "of the dead");
    await oldFile(join(root, "tmp", `${process.ppid}-abcdef012345-0`), "of the living");
    await mkdir(join(root, "modules/example.com/gone/deep/@v"), { recursive: true });
    await mkdir(join(root, "state/jobs"), { recursive: true });

    const dry = await defrag(root, { isDry: true });
    const want = { count: 3, bytes: 4 + 6 + 10 };
    assert.deepEqual([dry.uncommitted, dry.temps, dry.waiting.count], [want, { count: 1, bytes: 11 }, 0]);
    assert.equal(dry.folders, 4);
    assert.equal((await readdir(join(root, "tmp"))).length, 2);

    const real = await defrag(root);
    assert.deepEqual([real.uncommitted, real.temps], [dry.uncommitted, dry.temps]);
    // The folders of what was removed went too.
    assert.equal(real.folders, dry.folders + 2);
    await rm(join(versions, "v1.2.0.zip"));
    assert.deepEqual(await contents(storage), sound);
    assert.deepEqual(await readdir(join(root, "modules/example.com")), ["kept"]);
    assert.deepEqual(await readdir(join(root, "tmp")), [`${process.ppid}-abcdef012345-0`]);
    const again = await defrag(root);
    assert.deepEqual([again.uncommitted.count, again.temps.count, again.folders], [0, 0, 0]);
    await isWhole(storage);
  });

  test("leaves leftovers while a server has the store, and says how many", async (t) => {
    const { root, storage } = await newStore(t);
    await oldFile(join(root, "modules/example.com/left/@v/v1.0.0.info"), "info");
    const { waiting, uncommitted } = await defrag(root, { isAlone: false });
    assert.deepEqual([waiting, uncommitted.count], [{ count: 1, bytes: 4 }, 0]);
    assert.ok(await storage.stat(storageKey("modules/example.com/left/@v/v1.0.0.info")));
  });

  test("leaves what an interrupted fetch may be gone on with, and bytes with a second name", async (t) => {
    const { root, storage } = await newStore(t);
    const stage = await storage.lasting.begin("a large zip", 100);
    await stage.write(Buffer.from("half"));
    await stage.leave();
    const [bytes = "", journal = ""] = (await readdir(join(root, "tmp"))).sort();
    const dead = bytes.replace(/^\d+/, String(deadPid));
    await link(join(root, "tmp", bytes), join(root, "tmp", dead));
    await rm(join(root, "tmp", bytes));
    await link(join(root, "tmp", journal), join(root, "tmp", journal.replace(/^\d+/, String(deadPid))));
    await rm(join(root, "tmp", journal));
    assert.equal((await defrag(root)).temps.count, 0);
    // Committed, and killed before the first name was given up: nobody may go on with these.
    await mkdir(join(root, "modules"));
    await link(join(root, "tmp", dead), join(root, "modules/committed"));
    assert.equal((await defrag(root)).temps.count, 2);
    assert.deepEqual(await readdir(join(root, "modules")), ["committed"]);
  });

  test("makes the index smaller", async (t) => {
    const { root } = await newStore(t);
    const file = join(root, "state/index.sqlite");
    assert.equal(await compactDatabase(file), undefined);
    await mkdir(dirname(file), { recursive: true });
    const database = new DatabaseSync(file);
    database.exec(
      "CREATE TABLE t (a); INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT hex(randomblob(50)) FROM n; DELETE FROM t WHERE rowid > 10",
    );
    database.close();
    const { index } = await defrag(root, { compact: () => compactDatabase(file) });
    assert.ok(index !== undefined && "after" in index && index.after < index.before / 10, JSON.stringify(index));
    assert.equal((await defrag(root, { isDry: true, compact: () => assert.fail("a dry run") })).index, undefined);
  });

  test("never takes a folder from under a writer", async (t) => {
    const { root, storage } = await newStore(t);
    const state = { isOver: false };
    let removed = 0;
    const tidying = (async () => {
      while (!state.isOver) removed += (await defrag(root, { isAlone: false })).folders;
    })();
    const kept: string[] = [];
    const write = async (who: number): Promise<void> => {
      // As long as it takes to meet.
      for (let n = 0; n < 250 || removed < 20; n++) {
        const isKept = n % 25 === 0;
        const module = isKept ? "kept" : `a/b/c${n % 3}`;
        const key = storageKey(`modules/example.com/w${who}/${module}/@v/v1.${n}.0.info`);
        assert.equal(await storage.create(key, Buffer.from("x")), "created");
        // Its folders are empty again, for a moment or for good.
        if (isKept) kept.push(key);
        else assert.equal(await storage.remove(key), true);
      }
    };
    try {
      await Promise.all([write(1), write(2), write(3)]);
    } finally {
      state.isOver = true;
      await tidying;
    }
    for (const key of kept) assert.ok(await storage.stat(storageKey(key)), key);
    t.diagnostic(`${removed} folders removed beside 750 writes or more`);
  });
});
