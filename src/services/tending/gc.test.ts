import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { SqliteIndex } from "#adapters/database/sqlite-index.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { HandClock } from "../../../test/support/hand-clock.ts";
import { collectGarbage } from "./gc.ts";
import type { GcReport, GcRule, GcUse } from "./gc.ts";
import type { IndexFacts } from "./ports.ts";

const day = 86_400_000;
const now = new HandClock().now();
const rule: GcRule = { maxBytes: undefined, unusedMs: undefined, order: "lru", takesPrivate: false };

const facts = (version: string, more: Partial<IndexFacts> = {}): IndexFacts => ({
  path: "example.com/m",
  version,
  stage: "zip",
  bytes: 100,
  sha256: "0".repeat(64),
  upstream: "official",
  isPrivate: false,
  firstSeenMs: now - 100 * day,
  isEvicted: false,
  ...more,
});

/** An index with versions v1.0.0, v1.1.0 … that were last used so many days ago. */
async function indexed(days: readonly number[], more: (n: number) => Partial<IndexFacts> = () => ({})) {
  const index = new SqliteIndex(":memory:");
  for (const [n, ago] of days.entries())
    await index.put([facts(`v1.${n}.0`, { firstSeenMs: now - ago * day, ...more(n) })], now - ago * day + n);
  const round = await index.beginRebuild();
  for (const [n, ago] of days.entries())
    await index.put([facts(`v1.${n}.0`, { firstSeenMs: now - ago * day, ...more(n) })], now - ago * day + n);
  await index.endRebuild(round);
  return index;
}

type Run = { readonly report: GcReport; readonly left: readonly string[] };

/** What leaves, and that a dry run says the same and changes nothing. */
async function run(index: SqliteIndex, of: Partial<GcRule>, more: Partial<GcUse> = {}): Promise<Run> {
  const left: string[] = [];
  const clock = new HandClock();
  const store = {
    evict: (id: ModuleVersion) => {
      left.push(id.version);
      return Promise.resolve(100);
    },
  };
  const use: GcUse = { index, store, isPinned: () => false, clock, signal: new AbortController().signal, ...more };
  const dry = await collectGarbage({ ...rule, ...of }, { ...use, store: undefined });
  assert.deepEqual(left, []);
  const report = await collectGarbage({ ...rule, ...of }, use);
  assert.deepEqual(dry, report, "a dry run says what a run does");
  assert.deepEqual(
    left,
    report.listed.map(({ version }) => version),
  );
  return { report, left };
}

suite("making room", () => {
  test("by age: what was unused for longer leaves, the oldest first", async () => {
    const { report, left } = await run(await indexed([1, 50, 31, 29]), { unusedMs: 30 * day });
    assert.deepEqual(left, ["v1.1.0", "v1.2.0"]);
    assert.deepEqual([report.evicted, report.freed, report.over], [2, 200, 0]);
    assert.ok(report.listed.every(({ reason }) => reason === "age"));
  });

  test("by size: the longest unused leave until it fits", async () => {
    const { report, left } = await run(await indexed([1, 50, 31, 29]), { maxBytes: 250 });
    assert.deepEqual(left, ["v1.1.0", "v1.2.0"]);
    assert.deepEqual([report.bytesBefore, report.over], [400, 0]);
  });

  test("what fits stays", async () => {
    assert.deepEqual((await run(await indexed([1, 2]), { maxBytes: 200, unusedMs: 3 * day })).left, []);
  });

  test("pinned and private versions stay, and the report says that it is still too much", async () => {
    const index = await indexed([50, 40, 30], (n) => ({ isPrivate: n === 1 }));
    const isPinned = (_: string, version: string) => version === "v1.0.0";
    const { report, left } = await run(index, { maxBytes: 0 }, { isPinned });
    assert.deepEqual(left, ["v1.2.0"]);
    assert.deepEqual([report.spared, report.over], [2, 200]);
    assert.deepEqual((await run(index, { maxBytes: 0, takesPrivate: true }, { isPinned })).left, ["v1.1.0"]);
  });

  test("one that leaves and comes back may leave again", async () => {
    const index = await indexed([50]);
    assert.equal((await run(index, { maxBytes: 0 })).left.length, 1);
    assert.equal((await run(index, { maxBytes: 0 })).left.length, 0);
    await index.put([facts("v1.0.0")], now);
    assert.equal((await run(index, { unusedMs: day })).left.length, 0, "it was used when it came");
    assert.equal((await run(index, { maxBytes: 0 })).left.length, 1);
  });

  test("it stops where it is told to", async () => {
    const index = await indexed([50, 40, 30]);
    const stop = new AbortController();
    const progress = () => stop.abort(new Error("enough"));
    const use = { index, isPinned: () => false, clock: new HandClock(), signal: stop.signal, progress };
    const store = { evict: () => Promise.resolve(1) };
    await assert.rejects(collectGarbage({ ...rule, maxBytes: 0 }, { ...use, store }), /enough/);
    assert.equal((await index.totals()).evicted, 1);
  });
});

suite("making room by S3-FIFO", () => {
  const order = "s3-fifo" as const;

  test("newcomers nobody asked for twice leave before what builds need, however new they are", async () => {
    const index = await indexed([...Array.from({ length: 10 }, () => 90), ...Array.from({ length: 90 }, () => 1)]);
    const daily = Array.from({ length: 10 }, (_, n) => ({
      path: "example.com/m",
      version: `v1.${n}.0`,
      zips: 5,
      mods: 5,
    }));
    await index.used(daily, now - 60 * day);
    const { left, report } = await run(index, { order, maxBytes: 5_000 });
    assert.equal(report.over, 0);
    assert.deepEqual(
      left.filter((version) => daily.some((one) => one.version === version)),
      [],
    );
    const lru = await indexed([...Array.from({ length: 10 }, () => 90), ...Array.from({ length: 90 }, () => 1)]);
    await lru.used(daily, now - 60 * day);
    const plain = await run(lru, { order: "lru", maxBytes: 5_000 });
    assert.equal(plain.left.slice(0, 10).filter((version) => daily.some((one) => one.version === version)).length, 10);
  });

  test("of those that proved useful the seldom used leave first, then the oldest; being spared costs a use", async () => {
    const index = await indexed([50, 40, 30, 20]);
    const named = (n: number) => ({ path: "example.com/m", version: `v1.${n}.0` });
    await index.promote([named(0), named(1), named(2), named(3)], now - 10 * day);
    await index.used(
      [
        { ...named(0), zips: 3, mods: 0 },
        { ...named(1), zips: 1, mods: 0 },
        { ...named(3), zips: 2, mods: 0 },
      ],
      now - day,
    );
    assert.deepEqual((await run(index, { order, maxBytes: 200 })).left, ["v1.2.0", "v1.1.0"]);
    const page = await index.page("main", undefined, 10);
    assert.deepEqual(
      page.versions.map(({ version, recent }) => [version, recent]),
      [
        ["v1.3.0", 1],
        ["v1.0.0", 2],
      ],
    );
  });

  test("newcomers within their share leave last, and even they do when nothing else is left", async () => {
    const index = await indexed([50, 1]);
    await index.promote([{ path: "example.com/m", version: "v1.0.0" }], now - 10 * day);
    assert.deepEqual((await run(index, { order, maxBytes: 0 })).left, ["v1.1.0", "v1.0.0"]);
    const small = await indexed([50, ...Array.from({ length: 20 }, () => 40)], (n) => ({ bytes: n === 0 ? 10 : 100 }));
    await small.promote(
      Array.from({ length: 20 }, (_, n) => ({ path: "example.com/m", version: `v1.${n + 1}.0` })),
      now,
    );
    assert.equal((await run(small, { order, maxBytes: 1_900 })).left[0], "v1.1.0");
  });

  test("what is unused for too long leaves all the same", async () => {
    const index = await indexed([50, 1]);
    await index.promote([{ path: "example.com/m", version: "v1.0.0" }], now - 10 * day);
    assert.deepEqual((await run(index, { order, unusedMs: 30 * day })).left, ["v1.0.0"]);
  });
});
