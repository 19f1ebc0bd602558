// The commands on real folders: what they refuse, what they lock, and the own log's key with its memory beside it.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { readOnlyStorage } from "#adapters/storage/read-only.ts";
import { HeadFile } from "#adapters/system/head-file.ts";
import { generateKey } from "#protocol/note.ts";
import { SumLog } from "#services/sumlog/log.ts";
import { atEnd } from "../../test/support/at-end.ts";
import { appendRecords, contents, isWhole, keepVersion, put, signer } from "../../test/support/snapshot-world.ts";
import { loadConfig } from "./config.ts";
import { snapshotCommands } from "./store-snapshot.ts";

const flags = { values: {} };
const silent = (): void => undefined;
const all = { isDeep: false, keep: undefined };
const plain = { id: undefined, isDry: false, replacesState: false };

async function newPlace(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "granary-snapshot-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const [store, dir, key] = [join(folder, "store"), join(folder, "snapshots"), join(folder, "sumlog.key")];
  const { signerKey } = generateKey("log.example", Buffer.alloc(32, 7));
  await writeFile(key, `${signerKey}\n`);
  const commandsFor = (values: Readonly<Record<string, string>>) => {
    const machine = { env: {}, platform: "linux", home: folder, readFile: () => Promise.resolve(undefined) };
    return snapshotCommands(() => loadConfig({ flags: { values: { store, ...values } }, machine }));
  };
  return { folder, store, dir, key, commandsFor, commands: commandsFor({ "sumlog.key": key }) };
}

async function fill(store: string, key: string, records: number): Promise<SumLog> {
  const storage = await openDiskStorage(store, { fsync: "never" });
  await keepVersion(storage, { path: "example.com/a", version: "v1.0.0" });
  await put(storage, "state/tokens.json", "tokens");
  const log = new SumLog({ signer, storage, memory: new HeadFile(key) });
  await appendRecords(log, 0, records);
  return log;
}

suite("snapshots of a store on disk", () => {
  test("are taken, listed, thinned out and put back", async (t) => {
    const { store, dir, key, commands } = await newPlace(t);
    await fill(store, key, 3);
    const sound = await contents(readOnlyStorage(store));
    const first = await commands.storeSnapshot({ dir, ...all }, flags, silent);
    const second = await commands.storeSnapshot({ dir, ...all, keep: 1 }, flags, silent);
    assert.deepEqual([second.previous, second.pruned?.snapshots], [first.id, [first.id]]);
    assert.deepEqual([second.counts.readFiles, second.counts.writtenFiles], [0, 0]);
    assert.deepEqual(
      (await commands.storeSnapshots(dir)).map(({ id }) => id),
      [second.id],
    );
    await rm(store, { recursive: true });
    const dry = await commands.storeRestore({ dir, ...plain, isDry: true }, flags, silent);
    await assert.rejects(readdir(store), { code: "ENOENT" });
    const restored = await commands.storeRestore({ dir, ...plain }, flags, silent);
    assert.deepEqual([restored.found, restored.counts], [[], dry.counts]);
    assert.deepEqual(
      restored.logs.map(({ is, size, failure }) => [is, size, failure]),
      [["restore", 3, undefined]],
    );
    assert.deepEqual(await contents(readOnlyStorage(store)), sound);
    await isWhole(readOnlyStorage(store));
    assert.ok(!(await readdir(store)).includes("granary.lock"));
    assert.ok(!(await readdir(dir)).includes("granary.lock"));
  });

  test("never bring the own log behind what is remembered beside its key", async (t) => {
    const { store, dir, key, commands, commandsFor } = await newPlace(t);
    const log = await fill(store, key, 3);
    await commands.storeSnapshot({ dir, ...all }, flags, silent);
    await appendRecords(log, 3, 5);
    await rm(store, { recursive: true });
    const { logs } = await commands.storeRestore({ dir, ...plain }, flags, silent);
    assert.equal(logs[0]?.failure?.code, "GRANARY_RESTORE_LOG_BEHIND");
    assert.deepEqual(logs[0].failure.fields, { database: "log.example", found: 3, signed: 5 });
    const keyless = await commandsFor({}).storeRestore({ dir, ...plain }, flags, silent);
    assert.equal(keyless.logs[0]?.failure?.code, "GRANARY_RESTORE_LOG_KEYLESS");
    // Whoever lost that memory too is warned.
    await rm(`${key}.heads`, { recursive: true });
    const forgotten = await commands.storeRestore({ dir, ...plain }, flags, silent);
    assert.deepEqual([forgotten.logs[0]?.isForgotten, forgotten.logs[0]?.failure], [true, undefined]);
    assert.equal((await readdir(`${key}.heads`)).length, 1);
  });

  test("a folder that is something else, or in use, is refused and left as it is", async (t) => {
    const { folder, store, dir, key, commands } = await newPlace(t);
    await fill(store, key, 1);
    const home = join(folder, "home");
    await mkdir(home);
    await writeFile(join(home, "letter.txt"), "dear");
    const taking = (where: string) => commands.storeSnapshot({ dir: where, ...all }, flags, silent);
    const unusable = { code: "GRANARY_SNAPSHOTS_UNUSABLE" };
    await assert.rejects(taking(home), unusable);
    assert.deepEqual(await readdir(home), ["letter.txt"]);
    for (const inside of [store, join(store, "backup"), join(store, "modules", "x")])
      await assert.rejects(taking(inside), unusable, inside);
    await assert.rejects(commands.storeSnapshots(home), unusable);
    await assert.rejects(commands.storeSnapshots(join(folder, "nothing")), unusable);
    await taking(dir);
    await writeFile(join(dir, "granary.lock"), String(process.ppid));
    await assert.rejects(taking(dir), unusable);
    await rm(join(dir, "granary.lock"));
    await assert.rejects(commands.storeRestore({ dir, ...plain, id: "20200101T000000000Z" }, flags, silent), {
      code: "GRANARY_NO_SUCH_ID",
    });
    await assert.rejects(commands.storeRestore({ dir, ...plain, id: "../x" }, flags, silent), {
      code: "GRANARY_NO_SUCH_ID",
    });
  });

  test("a start that ended before the folder was marked is gone on with", async (t) => {
    const { store, dir, key, commands } = await newPlace(t);
    await fill(store, key, 1);
    await openDiskStorage(dir, { fsync: "never" });
    await commands.storeSnapshot({ dir, ...all }, flags, silent);
    assert.match(await readFile(join(dir, "granary.snapshots"), "utf8"), /"snapshots":1/);
  });

  test("an empty mount point is no store: nothing is taken, nothing is thinned out", async (t) => {
    const { folder, store, dir, key, commands, commandsFor } = await newPlace(t);
    await fill(store, key, 1);
    await commands.storeSnapshot({ dir, ...all }, flags, silent);
    await mkdir(join(folder, "empty"));
    for (const where of ["empty", "nothing"]) {
      const other = commandsFor({ store: join(folder, where) });
      await assert.rejects(other.storeSnapshot({ dir, ...all, keep: 1 }, flags, silent), { code: "GRANARY_NO_STORE" });
      await assert.rejects(other.storeDefrag(false, flags), { code: "GRANARY_NO_STORE" });
    }
    assert.equal((await commands.storeSnapshots(dir)).length, 1);
  });

  test("a store that a server has is read, tidied with care, and not restored into", async (t) => {
    const { store, dir, key, commands } = await newPlace(t);
    await fill(store, key, 1);
    await writeFile(join(store, "granary.lock"), String(process.ppid));
    await commands.storeSnapshot({ dir, ...all }, flags, silent);
    await mkdir(join(store, "state/jobs"));
    assert.equal((await commands.storeDefrag(true, flags)).folders, 1);
    assert.equal((await commands.storeDefrag(false, flags)).folders, 1);
    await assert.rejects(commands.storeRestore({ dir, ...plain }, flags, silent), { code: "GRANARY_STORE_LOCKED" });
    assert.equal(await readFile(join(store, "granary.lock"), "utf8"), String(process.ppid));
  });
});
