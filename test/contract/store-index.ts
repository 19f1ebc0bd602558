// What every index over a store promises. Run it for each adapter: storeIndexContract("SQLite", openOne).

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { IndexFacts, IndexOrder, StoreIndex } from "#services/tending/ports.ts";

/** A new, empty index. */
export type OpenIndex = () => Promise<StoreIndex>;

export const facts = (n: number, more: Partial<IndexFacts> = {}): IndexFacts => ({
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
export const named = (n: number) => ({ path: "example.com/m", version: `v1.${n}.0` });
export const used = (n: number, zips: number, mods = 0) => ({ ...named(n), zips, mods });
export const versionsOf = (list: readonly { readonly version: string }[]) => list.map(({ version }) => version);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
const v = (...numbers: readonly number[]) => numbers.map((n) => `v1.${n}.0`);

/** Every version of an order, a page at a time. */
export async function walk(index: StoreIndex, order: IndexOrder, size: number): Promise<string[]> {
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await index.page(order, after, size);
    seen.push(...versionsOf(page.versions));
    after = page.next;
  } while (after !== undefined);
  return seen;
}

export function storeIndexContract(name: string, open: OpenIndex, skip: string | false = false): void {
  async function filled(count: number): Promise<StoreIndex> {
    const index = await open();
    await index.put(
      upTo(count).map((n) => facts(n)),
      10_000,
    );
    return index;
  }
  const run = (what: string, body: () => Promise<void>) => void test(what, { skip }, body);

  suite(`an index over a store: ${name}`, () => {
    run("an empty one knows nothing, has nothing, and is not whole", async () => {
      const index = await open();
      assert.equal(await index.find(named(0)), undefined);
      assert.deepEqual(await index.totals(), { versions: 0, zips: 0, bytes: 0, evicted: 0, smallBytes: 0 });
      assert.deepEqual(await index.page("unused", undefined, 10), { versions: [], next: undefined });
      assert.deepEqual(await index.hottest(10), []);
      assert.equal(await index.isWhole(), false);
    });

    run("what was put is found, and counted", async () => {
      const index = await filled(3);
      await index.put([facts(3, { stage: "mod", sha256: undefined, bytes: 7 })], 10_000);
      assert.deepEqual(await index.find(named(1)), { ...facts(1), usedMs: 1_001, uses: 0 });
      assert.equal((await index.find(named(3)))?.sha256, undefined);
      assert.equal(await index.find(named(9)), undefined);
      assert.deepEqual(await index.totals(), { versions: 4, zips: 3, bytes: 307, evicted: 0, smallBytes: 307 });
    });

    run("every fact comes back as it was put", async () => {
      const index = await open();
      const odd = facts(0, {
        path: "example.com/~user/a_b'c\"粮仓",
        version: "v0.0.0-20200101000000-abcdefabcdef+incompatible",
        bytes: 2 ** 40,
        upstream: "a, 'b'; DROP TABLE versions --",
        isPrivate: true,
        firstSeenMs: 1_800_000_000_000,
      });
      await index.put([odd], 1_900_000_000_000);
      assert.deepEqual(await index.find(odd), { ...odd, usedMs: 1_800_000_000_000, uses: 0 });
    });

    run("nothing put, used, evicted changes nothing", async () => {
      const index = await filled(1);
      await index.put([], 1);
      assert.deepEqual(await index.used([], 1), []);
      await index.evicted([]);
      await index.promote([], 1);
      await index.passedOver([], 1);
      await index.checked([], 1);
      assert.deepEqual(await index.find(named(0)), { ...facts(0), usedMs: 1_000, uses: 0 });
    });

    run("what it does not know is not made by being evicted, promoted, passed over or checked", async () => {
      const index = await filled(1);
      await index.evicted([named(5)]);
      await index.promote([named(5)], 1);
      await index.passedOver([named(5)], 1);
      await index.checked([named(5)], 1);
      assert.equal((await index.totals()).versions, 1);
      assert.equal(await index.find(named(5)), undefined);
    });

    run("first seen after now, it is used now", async () => {
      const index = await open();
      await index.put([facts(0, { firstSeenMs: 9_000 })], 5_000);
      assert.equal((await index.find(named(0)))?.usedMs, 5_000);
    });

    run("uses of zips count, those of go.mod only while there is no zip; both are the last use", async () => {
      const index = await filled(1);
      await index.put([facts(1, { stage: "mod" })], 10_000);
      await index.used([used(0, 2, 5), used(1, 0, 3)], 20_000);
      const [zip, mod] = [await index.find(named(0)), await index.find(named(1))];
      assert.deepEqual([zip?.uses, zip?.usedMs, mod?.uses, mod?.usedMs], [2, 20_000, 3, 20_000]);
      assert.deepEqual(versionsOf(await index.hottest(10)), v(1, 0));
    });

    run("uses add up over calls, and within one", async () => {
      const index = await filled(1);
      await index.used([used(0, 1), used(0, 2)], 20_000);
      await index.used([used(0, 4)], 21_000);
      assert.deepEqual((await index.find(named(0)))?.uses, 7);
    });

    run("a use of what it does not know is told back, in the order of asking", async () => {
      const index = await filled(1);
      const strangers = [used(9, 1), used(7, 1), used(8, 0, 2)];
      assert.deepEqual(await index.used([strangers[0]!, used(0, 1), ...strangers.slice(1)], 500), strangers);
    });

    run("a clock that went back takes no use away", async () => {
      const index = await filled(1);
      await index.used([used(0, 1)], 500);
      assert.equal((await index.find(named(0)))?.usedMs, 1_000);
    });

    run("facts put again leave uses as they are", async () => {
      const index = await filled(1);
      await index.used([used(0, 4)], 20_000);
      await index.put([facts(0, { bytes: 300 })], 30_000);
      assert.deepEqual(await index.find(named(0)), { ...facts(0, { bytes: 300 }), uses: 4, usedMs: 20_000 });
    });

    run("put twice in one call, the later one holds", async () => {
      const index = await open();
      await index.put([facts(0, { bytes: 1 }), facts(1), facts(0, { bytes: 2 })], 10_000);
      assert.equal((await index.find(named(0)))?.bytes, 2);
      assert.equal((await index.totals()).versions, 2);
    });

    run("a zip that comes to a go.mod makes it complete", async () => {
      const index = await open();
      await index.put([facts(0, { stage: "mod", sha256: undefined, bytes: 9 })], 10_000);
      await index.used([used(0, 0, 2)], 11_000);
      await index.put([facts(0)], 12_000);
      assert.deepEqual(await index.find(named(0)), { ...facts(0), uses: 2, usedMs: 11_000 });
      assert.equal((await index.totals()).zips, 1);
    });

    run("pages go through an order once", async () => {
      const index = await filled(25);
      for (const size of [1, 7, 25, 100]) assert.deepEqual(await walk(index, "unused", size), v(...upTo(25)));
    });

    run("pages go through an order once, also while what was seen leaves", async () => {
      const index = await filled(25);
      const seen: string[] = [];
      for (let after: string | undefined = undefined, first = true; first || after !== undefined; first = false) {
        const page = await index.page("unused", after, 10);
        seen.push(...versionsOf(page.versions));
        await index.evicted(page.versions);
        after = page.next;
      }
      assert.deepEqual(seen, v(...upTo(25)));
      assert.deepEqual(await index.totals(), { versions: 0, zips: 0, bytes: 0, evicted: 25, smallBytes: 0 });
    });

    run("pages go through an order once, also while others come", async () => {
      const index = await filled(10);
      const first = await index.page("unused", undefined, 5);
      await index.put([facts(50, { firstSeenMs: 1 }), facts(51, { firstSeenMs: 99_000 })], 100_000);
      const second = await index.page("unused", first.next, 100);
      assert.deepEqual([...versionsOf(first.versions), ...versionsOf(second.versions)], v(...upTo(10), 51));
    });

    run("those that tie come in the order of their arrival, across pages too", async () => {
      const index = await open();
      const order = [5, 3, 9, 1, 7, 2];
      await index.put(
        order.map((n) => facts(n, { firstSeenMs: 1_000 })),
        10_000,
      );
      for (const size of [1, 4, 100]) {
        assert.deepEqual(await walk(index, "unused", size), v(...order));
        assert.deepEqual(await walk(index, "small", size), v(...order));
        assert.deepEqual(await walk(index, "unchecked", size), v(...order));
      }
    });

    run("the last page has no next, an exact one has an empty next", async () => {
      const index = await filled(4);
      assert.equal((await index.page("unused", undefined, 5)).next, undefined);
      const exact = await index.page("unused", undefined, 4);
      assert.notEqual(exact.next, undefined);
      assert.deepEqual(await index.page("unused", exact.next, 4), { versions: [], next: undefined });
    });

    run("the longest unused comes first, and a use sends to the end", async () => {
      const index = await filled(3);
      await index.used([used(0, 1)], 20_000);
      assert.deepEqual(await walk(index, "unused", 10), v(1, 2, 0));
    });

    run("the longest unchecked comes first, and a check sends to the end", async () => {
      const index = await filled(3);
      await index.checked([named(1), named(0)], 20_000);
      const page = await index.page("unchecked", undefined, 10);
      assert.deepEqual(versionsOf(page.versions), v(2, 0, 1));
      assert.deepEqual(
        page.versions.map(({ checkedMs }) => checkedMs),
        [1_002, 20_000, 20_000],
      );
    });

    run("what comes back after an eviction is used now and on probation no longer", async () => {
      const index = await filled(2);
      await index.evicted([named(0)]);
      assert.deepEqual(await walk(index, "unused", 10), v(1));
      await index.put([facts(0)], 50_000);
      assert.equal((await index.find(named(0)))?.usedMs, 50_000);
      assert.deepEqual(await walk(index, "main", 10), v(0));
      assert.deepEqual(await walk(index, "small", 10), v(1));
    });

    run("an eviction takes bytes and recent uses, and leaves uses and hash", async () => {
      const index = await filled(1);
      await index.used([used(0, 3)], 20_000);
      await index.evicted([named(0)]);
      await index.evicted([named(0)]);
      assert.deepEqual(await index.find(named(0)), {
        ...facts(0, { bytes: 0, isEvicted: true }),
        uses: 3,
        usedMs: 20_000,
      });
      assert.deepEqual(await index.totals(), { versions: 0, zips: 0, bytes: 0, evicted: 1, smallBytes: 0 });
    });

    run("found evicted, it is in no order", async () => {
      const index = await open();
      await index.put([facts(0, { isEvicted: true, bytes: 0 }), facts(1)], 10_000);
      for (const order of ["unused", "small", "unchecked"] as const)
        assert.deepEqual(await walk(index, order, 10), v(1));
      assert.equal((await index.totals()).evicted, 1);
    });

    run("newcomers are on probation, promoted ones no longer", async () => {
      const index = await filled(3);
      await index.promote([named(1)], 60_000);
      assert.deepEqual(await walk(index, "small", 10), v(0, 2));
      assert.deepEqual(await walk(index, "main", 10), v(1));
      assert.equal((await index.totals()).smallBytes, 200);
    });

    run("a promotion begins anew: no recent uses, the end of the queue", async () => {
      const index = await filled(3);
      await index.used([used(0, 3)], 20_000);
      await index.promote([named(1)], 50_000);
      await index.promote([named(0)], 60_000);
      const { versions } = await index.page("main", undefined, 10);
      assert.deepEqual(
        versions.map(({ version, recent }) => [version, recent]),
        [
          ["v1.1.0", 0],
          ["v1.0.0", 0],
        ],
      );
    });

    run("the main queue is by recent uses, then by arrival; being passed over takes them", async () => {
      const index = await filled(3);
      await index.promote([named(0), named(1), named(2)], 60_000);
      await index.used([used(0, 9), used(1, 1)], 61_000);
      const recent = async () =>
        (await index.page("main", undefined, 10)).versions.map(({ version, recent }) => [version, recent]);
      assert.deepEqual(await recent(), [
        ["v1.2.0", 0],
        ["v1.1.0", 1],
        ["v1.0.0", 3],
      ]);
      await index.passedOver([named(0), named(1)], 2);
      assert.deepEqual(await recent(), [
        ["v1.1.0", 0],
        ["v1.2.0", 0],
        ["v1.0.0", 1],
      ]);
    });

    run("recent uses are at most three, however many there were", async () => {
      const index = await filled(1);
      for (const zips of [1, 1, 1, 1, 1_000_000_000]) await index.used([used(0, zips)], 20_000);
      const [one] = (await index.page("small", undefined, 1)).versions;
      assert.deepEqual([one?.recent, one?.uses], [3, 1_000_000_004]);
    });

    run("the hottest are the most used, evicted ones too, then the first to come; unused ones are none", async () => {
      const index = await filled(5);
      await index.used([used(3, 5), used(1, 5), used(2, 9)], 20_000);
      await index.evicted([named(2)]);
      assert.deepEqual(versionsOf(await index.hottest(10)), v(2, 1, 3));
      assert.deepEqual(versionsOf(await index.hottest(1)), v(2));
    });

    run("a rebuild makes it whole, and drops what was not put again", async () => {
      const index = await filled(3);
      const round = await index.beginRebuild();
      await index.put([facts(0), facts(2)], 70_000);
      assert.equal(await index.isWhole(), false);
      await index.endRebuild(round);
      assert.equal(await index.isWhole(), true);
      assert.deepEqual(await walk(index, "unused", 10), v(0, 2));
    });

    run("a rebuild keeps uses and places in the queues", async () => {
      const index = await filled(2);
      await index.used([used(0, 4)], 20_000);
      await index.promote([named(0)], 21_000);
      const round = await index.beginRebuild();
      await index.put([facts(0), facts(1)], 70_000);
      await index.endRebuild(round);
      assert.equal((await index.find(named(0)))?.uses, 4);
      assert.deepEqual(await walk(index, "main", 10), v(0));
    });

    run("a rebuild drops what is there no more, and what another rebuild began meanwhile stays", async () => {
      const index = await filled(3);
      const first = await index.beginRebuild();
      await index.put([facts(0)], 70_000);
      const second = await index.beginRebuild();
      assert.ok(second > first);
      await index.put([facts(1)], 70_000);
      await index.endRebuild(first);
      assert.deepEqual([await index.isWhole(), (await index.totals()).versions], [true, 2]);
      await index.put([facts(0)], 70_000);
      await index.endRebuild(second);
      assert.equal((await index.totals()).versions, 2);
    });

    run("a rebuild that is overtaken drops nothing of the later one", async () => {
      const index = await filled(3);
      const first = await index.beginRebuild();
      const second = await index.beginRebuild();
      await index.put([facts(0), facts(1), facts(2)], 70_000);
      await index.endRebuild(second);
      await index.endRebuild(first);
      assert.equal((await index.totals()).versions, 3);
    });

    run("a doubt lasts until the next rebuild", async () => {
      const index = await filled(1);
      await index.endRebuild(await index.beginRebuild());
      await index.doubt();
      assert.equal(await index.isWhole(), false);
      await index.endRebuild(await index.beginRebuild());
      assert.equal(await index.isWhole(), true);
    });

    run("a doubt while it is made anew is not forgotten at its end", async () => {
      const index = await filled(1);
      const round = await index.beginRebuild();
      await index.doubt();
      await index.endRebuild(round);
      assert.equal(await index.isWhole(), false, "what came may have been listed before");
      await index.endRebuild(await index.beginRebuild());
      assert.equal(await index.isWhole(), true);
    });

    run("more rows than one transaction takes", async () => {
      const index = await filled(2_500);
      assert.equal((await index.totals()).versions, 2_500);
      assert.equal((await walk(index, "unused", 1_000)).length, 2_500);
      const unknown = await index.used(
        upTo(2_600).map((n) => used(n, 1)),
        20_000,
      );
      assert.equal(unknown.length, 100);
      await index.evicted(upTo(2_400).map(named));
      assert.equal((await index.totals()).versions, 100);
      const round = await index.beginRebuild();
      await index.put([facts(2_450)], 30_000);
      await index.endRebuild(round);
      assert.deepEqual(await index.totals(), { versions: 1, zips: 1, bytes: 100, evicted: 0, smallBytes: 100 });
    });
  });
}
