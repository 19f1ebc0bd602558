// What unfinished stages leave on the disk: who gets it, who does not, and how much of it may lie there.
import assert from "node:assert/strict";
import { link, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { TestContext } from "node:test";
import { storageKey, StoreFull } from "#services/store/ports.ts";
import type { LastingStage } from "#services/store/ports.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { openDiskStorage } from "./disk.ts";
import type { DiskOptions, DiskStorage } from "./disk.ts";

const limit = 1000;

/** Those whose process "died" keep their files open, as it would not. */
const begun: LastingStage[] = [];
after(async () => {
  for (const stage of begun) await stage.discard();
});

async function rootFor(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "granary-lasting-"));
  atEnd(t, () => rm(root, { recursive: true, force: true }));
  return root;
}

const openAt = (root: string, options: DiskOptions = {}): Promise<DiskStorage> =>
  openDiskStorage(root, { fsync: "never", ...options });

async function begin(storage: DiskStorage, name: string, text = name): Promise<LastingStage> {
  const stage = await storage.lasting.begin(name, limit);
  begun.push(stage);
  await stage.note(`${name}'s journal`);
  await stage.write(Buffer.from(text));
  return stage;
}

async function leave(storage: DiskStorage, name: string, text = name): Promise<void> {
  await (await begin(storage, name, text)).leave();
}

const tempNames = (root: string): Promise<string[]> => readdir(join(root, "tmp"));

/** What this process has in tmp/ is from now on an earlier process's that had our number. */
async function die(root: string): Promise<void> {
  for (const name of await tempNames(root))
    await rename(join(root, "tmp", name), join(root, "tmp", name.replace(/-[0-9a-f]+-/, "-0dead0-")));
}

/** The text left under a name, and its journal; its space is given back. */
async function taken(storage: DiskStorage, name: string): Promise<string | undefined> {
  const left = await storage.lasting.resume(name, limit);
  if (left === undefined) return undefined;
  const bytes = Buffer.alloc(limit);
  const text = bytes.toString("utf8", 0, await left.read(0, bytes));
  await left.stage.discard();
  return `${text}; ${left.journal}`;
}

test("what was left is given to one who asks for its name, and once", async (t) => {
  const root = await rootFor(t);
  const storage = await openAt(root);
  await leave(storage, "a", "hello");
  assert.equal(await taken(storage, "b"), undefined);
  assert.equal(await taken(storage, "a"), "hello; a's journal");
  assert.equal(await taken(storage, "a"), undefined);
  assert.deepEqual(await tempNames(root), []);
});

test("what a dead process was writing is found at the next open, by one of several who ask", async (t) => {
  const root = await rootFor(t);
  await begin(await openAt(root), "a", "hello");
  await die(root);
  const storages = [await openAt(root), await openAt(root)];
  const answers = await Promise.all(storages.map((storage) => taken(storage, "a")));
  assert.deepEqual(
    answers.filter((answer) => answer !== undefined),
    ["hello; a's journal"],
  );
  assert.deepEqual(await tempNames(root), []);
});

test("a stage in use is nobody else's: not in its own process, and not while its process lives", async (t) => {
  const root = await rootFor(t);
  const first = await openAt(root);
  const stage = await begin(first, "a");
  for (const storage of [first, await openAt(root)]) assert.equal(await taken(storage, "a"), undefined);
  for (const name of await tempNames(root))
    await rename(join(root, "tmp", name), join(root, "tmp", name.replace(/^\d+/, String(process.ppid))));
  assert.equal(await taken(await openAt(root), "a"), undefined);
  assert.equal((await tempNames(root)).length, 2);
  await stage.discard();
});

test("a stage that was taken up is cut, written on, and kept like any other", async (t) => {
  const root = await rootFor(t);
  const storage = await openAt(root, { maxTempBytes: 20 });
  await leave(storage, "a", "0123456789");
  const left = await storage.lasting.resume("a", limit);
  assert.ok(left);
  await left.cut(4);
  await left.stage.note(" and more");
  await left.stage.write(Buffer.from("abc"));
  assert.equal(left.stage.size, 7);
  await left.stage.leave();
  const again = await storage.lasting.resume("a", limit);
  assert.equal(again?.journal, "a's journal and more");
  await again.stage.write(Buffer.from("!"));
  await again.stage.seal();
  const key = storageKey("modules/x");
  assert.equal(await storage.create(key, again.stage), "created");
  assert.equal(Buffer.from((await storage.get(key, limit))!.bytes).toString(), "0123abc!");
  assert.deepEqual(await tempNames(root), []);
  // All its temporary bytes came back.
  await (await begin(storage, "b", "x".repeat(20))).discard();
});

test("a sealed stage is not left, and neither is one that was discarded", async (t) => {
  const root = await rootFor(t);
  const storage = await openAt(root);
  const sealed = await begin(storage, "a");
  await sealed.seal();
  await sealed.leave();
  const gone = await begin(storage, "b");
  await gone.discard();
  await gone.leave();
  assert.deepEqual(await tempNames(root), []);
});

test("beyond number, bytes and age the oldest go, when one more is left and at the next open", async (t) => {
  for (const [left, want] of [
    [{ stages: 2 }, ["b", "c"]],
    [{ bytes: 25 }, ["b", "c"]],
    [{ bytes: 5 }, []],
    [{ ageMs: 3_600_000 }, ["c"]],
  ] as const) {
    const root = await rootFor(t);
    const roomy = await openAt(root);
    for (const name of ["a", "b", "c"]) await leave(roomy, name, name.repeat(10));
    // Left two hours ago, an hour and a half, and now.
    for (const name of (await tempNames(root)).filter((file) => !file.endsWith("journal"))) {
      const text = await readFile(join(root, "tmp", name), "utf8");
      const minutes = text.startsWith("a") ? 120 : text.startsWith("b") ? 90 : 0;
      const then = Date.now() / 1000 - minutes * 60;
      await utimes(join(root, "tmp", name), then, then);
    }
    await die(root);
    const storage = await openAt(root, { left });
    const found: string[] = [];
    assert.equal((await tempNames(root)).length, 2 * want.length);
    for (const name of ["a", "b", "c"]) if ((await taken(storage, name)) !== undefined) found.push(name);
    assert.deepEqual(found, want, JSON.stringify(left));
  }
  const root = await rootFor(t);
  const storage = await openAt(root, { left: { stages: 1 } });
  await leave(storage, "a");
  await leave(storage, "b");
  assert.equal((await tempNames(root)).length, 2);
  assert.equal(await taken(storage, "b"), "b; b's journal");
});

test("what nobody came for in time goes when the next stage is opened", async (t) => {
  const root = await rootFor(t);
  const storage = await openAt(root, { left: { ageMs: 3_600_000 } });
  await leave(storage, "a");
  const later = Date.now() + 2 * 3_600_000;
  t.mock.method(Date, "now", () => later);
  const stage = await storage.stage(1);
  assert.equal((await tempNames(root)).length, 1);
  await stage.discard();
  assert.equal(await taken(storage, "a"), undefined);
});

test("of two under one name the newest stays", async (t) => {
  const root = await rootFor(t);
  const storage = await openAt(root);
  const [first, second] = [await begin(storage, "a", "older"), await begin(storage, "a", "newer")];
  await first.leave();
  await second.write(Buffer.from("!"));
  await second.leave();
  assert.equal((await tempNames(root)).length, 2);
  assert.equal(await taken(storage, "a"), "newer!; a's journal");
});

test("bytes that were committed, links, and halves of a pair are never gone on with", async (t) => {
  for (const harm of [
    async (bytes: string, root: string) => await link(bytes, join(root, "committed")),
    async (bytes: string, root: string) => {
      await rename(bytes, join(root, "committed"));
      await symlink(join(root, "committed"), bytes);
    },
    async (bytes: string) => await rm(bytes),
  ]) {
    const root = await rootFor(t);
    await begin(await openAt(root), "a", "hello");
    await die(root);
    const [bytes] = (await tempNames(root)).filter((name) => !name.endsWith(".journal"));
    await harm(join(root, "tmp", bytes!), root);
    const storage = await openAt(root);
    assert.equal(await taken(storage, "a"), undefined);
    assert.deepEqual(await tempNames(root), []);
    const committed = await readFile(join(root, "committed"), "utf8").catch(() => "hello");
    assert.equal(committed, "hello");
  }
  const root = await rootFor(t);
  await openAt(root);
  await writeFile(join(root, "tmp", `${process.pid}-0dead0-1`), "bytes without a journal");
  await openAt(root);
  assert.deepEqual(await tempNames(root), []);
});

test("what has no room among the temporary bytes is thrown away", async (t) => {
  const root = await rootFor(t);
  const storage = await openAt(root, { maxTempBytes: 10 });
  await leave(storage, "a", "0123456789");
  const other = await begin(storage, "b", "01234");
  await assert.rejects(storage.lasting.resume("a", limit), StoreFull);
  await other.write(Buffer.from("56789"));
  await other.discard();
  assert.deepEqual(await tempNames(root), []);
});
