// The own log on a real disk, and processes that are killed: at every step of an append, at any time, two at once. No two
// heads may disagree, whatever was acknowledged is there, no version is recorded twice, and what is left is always sound.
// LONG=1: both sides of every step, 1,000 deaths at random, a million records.
import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { HeadFile } from "#adapters/system/head-file.ts";
import { checkLog } from "#services/sumlog/fsck.ts";
import { SumLog } from "#services/sumlog/log.ts";
import {
  isOneHistory,
  isWithoutDoubles,
  keyOf,
  live,
  reopen,
  seeded,
  signer,
  textOf,
  Told,
} from "../support/own-log-world.ts";
import type { Life } from "../support/own-log-world.ts";

const long = process.env["LONG"] === "1";
const seed = Number(process.env["SEED"] ?? 20261127);

const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

type Place = Pick<Life, "root" | "keyFile"> & { readonly folder: string };

async function newPlace(template?: Place): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "granary-own-log-"));
  folders.push(folder);
  if (template !== undefined) await cp(template.folder, folder, { recursive: true });
  return { folder, root: join(folder, "store"), keyFile: join(folder, "sumlog.key") };
}

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

async function placeOf(size: number): Promise<Place> {
  const place = await newPlace();
  const storage = await openDiskStorage(place.root, { fsync: "never" });
  const log = new SumLog({ signer, storage, memory: new HeadFile(place.keyFile) });
  await log.head();
  for (let from = 0; from < size; from += 10_000)
    await Promise.all(upTo(from, Math.min(size, from + 10_000)).map((n) => log.append(keyOf(n), textOf(n))));
  return place;
}

/** The next append but one fills a tile of hashes and one of records; at 65,534 a tile of the second level as well. */
const sizes = long ? [0, 3, 254, 65_534] : [254];

for (const size of sizes) {
  test(`killed at every step of appends to ${size} records`, async (t) => {
    const template = await placeOf(size);
    const batches = [[size, 0, size + 1, size + 2], [size + 3]];
    const deaths: string[] = [];
    const dieAt = async (step: number, when: "before" | "after"): Promise<boolean> => {
      const place = await newPlace(template);
      const told = new Told();
      await told.look(place);
      const { lines, signal } = await live({ ...place, batches, dies: { step, when }, counts: "appending" });
      for (const line of lines) told.hear(line);
      const last = lines.at(-1) ?? "";
      if (signal !== null) deaths.push(last.replace(/^dies (\w+) step \d+, (\w+).*/, "$1 $2"));
      const log = await reopen(place, told).catch((error: unknown) => {
        throw new Error(`after ${last}: ${String(error)}`, { cause: error });
      });
      await isWithoutDoubles(log, upTo(0, size + 4));
      await isOneHistory(log, told);
      await rm(place.folder, { recursive: true, force: true });
      return signal !== null;
    };
    for (const when of long ? (["before", "after"] as const) : (["before"] as const)) {
      let step = 1;
      // Two at a time, until one lives.
      while ((await Promise.all([dieAt(step, when), dieAt(step + 1, when)])).every(Boolean)) step += 2;
    }
    t.diagnostic(`${deaths.length} deaths`);
    for (const call of ["open", "write", "utimes", "sync", "link", "rename", "unlink"])
      assert.ok(deaths.includes(`before ${call}`), `nobody died before ${call}`);
    assert.ok(deaths.length >= 50, `${deaths.length} deaths`);
  });
}

test("life after life on one log, killed while opening, repairing and appending", async (t) => {
  const place = await newPlace();
  const told = new Told();
  const random = seeded(seed);
  const deaths = long ? 1_000 : 12;
  let asked = 0;
  for (let died = 0; died < deaths;) {
    const batches = Array.from({ length: 6 }, () => {
      const from = asked;
      asked += 1 + Math.floor(random() ** 4 * 300);
      // Some that were asked for before, acknowledged or not.
      return [...upTo(from, asked), ...Array.from({ length: 3 }, () => Math.floor(random() * asked))];
    });
    const dies = { step: 1 + Math.floor(random() ** 2 * 120), when: random() < 0.5 ? "before" : "after" } as const;
    const { lines, signal } = await live({ ...place, batches, dies, counts: "all" });
    for (const line of lines) told.hear(line);
    await told.look(place);
    if (signal !== null) died++;
    if (died % 10 === 0) await checkSound(place);
  }
  const log = await reopen(place, told);
  await isWithoutDoubles(log, upTo(0, asked));
  await isOneHistory(log, told);
  await checkSound(place);
  assert.ok(told.acknowledged.size > 0);
  t.diagnostic(`${deaths} deaths, ${told.acknowledged.size} acknowledged of ${asked}, ${told.heads.size} heads`);
});

test("two processes compete for one log, fall asleep and are killed", async (t) => {
  const place = await newPlace();
  const told = new Told();
  const deaths = long ? 200 : 5;
  const keys = new Set<number>();
  let died = 0;
  const compete = async (who: number): Promise<void> => {
    const random = seeded(seed + who);
    while (died < deaths) {
      // Both take their keys from one range that moves on: some are new, some the other has appended already.
      const batches = Array.from({ length: 400 }, () => {
        const count = random() < 0.2 ? 300 : 1 + Math.floor(random() * 20);
        return Array.from({ length: count }, () => Math.floor(random() * 20_000));
      });
      for (const key of batches.flat()) keys.add(key);
      const life = { ...place, batches, counts: "all", stallSeed: Math.floor(random() * 1e9) } as const;
      const { lines, signal } = await live(life, 200 + random() * 1200);
      for (const line of lines) told.hear(line);
      await told.look(place);
      if (signal !== null) died++;
    }
  };
  await Promise.all([compete(1), compete(2)]);
  const log = await reopen(place, told);
  await isWithoutDoubles(log, [...keys]);
  await isOneHistory(log, told);
  await checkSound(place);
  assert.ok(told.acknowledged.size > 150, `${told.acknowledged.size} acknowledged`);
  t.diagnostic(`${died} deaths, ${told.acknowledged.size} acknowledged, ${told.heads.size} heads`);
});

test("a million records, and fsck over them", { skip: !long && "only with LONG=1" }, async (t) => {
  const size = 1_000_000;
  const place = await placeOf(size);
  const storage = await openDiskStorage(place.root, { fsync: "never" });
  const log = new SumLog({ signer, storage, memory: new HeadFile(place.keyFile) });
  const begun = performance.now();
  assert.equal((await log.head()).size, size);
  const opened = performance.now();
  for (let n = 0; n < size; n += 9973) assert.equal((await log.find(keyOf(n)))?.id, n);
  assert.equal(await log.append(keyOf(77), textOf(77)), 77);
  const checking = performance.now();
  const report = await checkLog({ verifier: signer.verifier, storage });
  assert.deepEqual(report, { size, tiles: 2 * 3906 + 15, problems: [] });
  const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1);
  t.diagnostic(
    `opened in ${seconds(begun, opened)} s, checked in ${seconds(checking, performance.now())} s, ` +
      `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at most`,
  );
});

async function checkSound({ root }: Place): Promise<void> {
  const storage = await openDiskStorage(root, { fsync: "never" });
  assert.deepEqual((await checkLog({ verifier: signer.verifier, storage })).problems, []);
}
