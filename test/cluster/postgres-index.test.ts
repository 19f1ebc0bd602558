// The index in a real PostgreSQL: the contract, several writers at a time, and the same answers as SQLite.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import type { TestContext } from "node:test";
import fc from "fast-check";
import pg from "pg";
import { openPostgresIndex } from "#adapters/database/postgres-index.ts";
import type { PostgresIndexOptions } from "#adapters/database/postgres-index.ts";
import { SqliteIndex } from "#adapters/database/sqlite-index.ts";
import type { StoreIndex } from "#services/tending/ports.ts";
import { facts, named, storeIndexContract, used, walk } from "../contract/store-index.ts";
import { atEnd } from "../support/at-end.ts";
import { missingPostgres, startPostgres } from "../support/servers/postgres.ts";

const skip = missingPostgres() ?? false;
let names = 0;
/** Everything is put away after the last test of this file. */
const owner = { after } as unknown as Pick<TestContext, "after">;
const server = skip === false ? await startPostgres(owner) : undefined;

const url = () => server?.url ?? "";

async function newIndex(more: Partial<PostgresIndexOptions> = {}): Promise<StoreIndex> {
  const index = await openPostgresIndex({ url: url(), ca: undefined, name: `store ${names++}`, ...more });
  atEnd(owner, () => index.close());
  return index;
}

/** Of four nodes over one store. */
async function fourNodes(): Promise<readonly StoreIndex[]> {
  const name = `shared ${names++}`;
  return await Promise.all([1, 2, 3, 4].map(() => newIndex({ name })));
}

async function sql(text: string, values: readonly unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url() });
  await client.connect();
  try {
    return await client.query(text, [...values]);
  } finally {
    await client.end();
  }
}

storeIndexContract("PostgreSQL", () => newIndex(), skip);

suite("several writers of one index in PostgreSQL", { skip }, () => {
  test("four nodes that start at once make the tables once", async () => {
    const fresh = `fresh_${names++}`;
    await sql(`CREATE DATABASE ${fresh}`);
    const there = url().replace(/\/postgres$/, `/${fresh}`);
    const nodes = await Promise.all([1, 2, 3, 4].map(() => newIndex({ url: there, name: "one" })));
    await Promise.all(nodes.map((node, n) => node.put([facts(n)], 10_000)));
    assert.deepEqual(await Promise.all(nodes.map(async (node) => (await node.totals()).versions)), [4, 4, 4, 4]);
  });

  test("uses of the same versions counted by four nodes at once are all there", async () => {
    const nodes = await fourNodes();
    const numbers = Array.from({ length: 300 }, (_, n) => n);
    await nodes[0]?.put(
      numbers.map((n) => facts(n)),
      10_000,
    );
    const rounds = 15;
    await Promise.all(
      nodes.map(async (node, which) => {
        // Each in an order of its own: rows locked as they come would lock each other out.
        const mine = which % 2 === 0 ? numbers : numbers.toReversed();
        for (let round = 0; round < rounds; round++)
          assert.deepEqual(
            await node.used(
              mine.map((n) => used(n, 1 + (n % 3))),
              20_000 + round,
            ),
            [],
          );
      }),
    );
    for (const n of numbers) assert.equal((await nodes[0]?.find(named(n)))?.uses, 4 * rounds * (1 + (n % 3)));
  });

  test("nodes that put, count, evict, promote and page at once end with what each said", async () => {
    const nodes = await fourNodes();
    const numbers = Array.from({ length: 400 }, (_, n) => n);
    const [one, two, three, four] = nodes as [StoreIndex, StoreIndex, StoreIndex, StoreIndex];
    await one.put(
      numbers.map((n) => facts(n)),
      10_000,
    );
    const stay = numbers.filter((n) => n % 2 === 0).map(named);
    const leave = numbers.filter((n) => n % 2 === 1).map(named);
    const pages: number[] = [];
    await Promise.all([
      (async () => {
        for (let round = 0; round < 10; round++)
          await one.put(
            stay.toReversed().map((id) => ({ ...facts(0), ...id })),
            20_000,
          );
      })(),
      (async () => {
        for (let round = 0; round < 10; round++)
          await two.used(
            [...leave, ...stay].map((id) => ({ ...id, zips: 1, mods: 0 })),
            30_000,
          );
      })(),
      (async () => {
        for (let at = 0; at < leave.length; at += 20) await three.evicted(leave.slice(at, at + 20).toReversed());
      })(),
      (async () => {
        for (let at = 0; at < stay.length; at += 20) await four.promote(stay.slice(at, at + 20), 40_000);
        for (let round = 0; round < 5; round++) pages.push(new Set(await walk(four, "unused", 50)).size);
      })(),
    ]);
    assert.deepEqual(await one.totals(), { versions: 200, zips: 200, bytes: 20_000, evicted: 200, smallBytes: 0 });
    for (const id of [...stay, ...leave]) assert.equal((await two.find(id))?.uses, 10);
    assert.equal((await walk(three, "main", 33)).length, 200);
    assert.ok(pages.every((size) => size >= 200));
  });

  test("a newcomer put by four nodes at once is one, and on probation", async () => {
    const nodes = await fourNodes();
    await Promise.all(nodes.map((node) => node.put([facts(0), facts(1)], 10_000)));
    assert.deepEqual(await nodes[3]?.totals(), { versions: 2, zips: 2, bytes: 200, evicted: 0, smallBytes: 200 });
  });

  test("two nodes that make it anew at once lose nothing, and what a third one puts stays", async () => {
    const [one, two, three] = (await fourNodes()) as [StoreIndex, StoreIndex, StoreIndex];
    const kept = Array.from({ length: 300 }, (_, n) => facts(n));
    await one.put([...kept, facts(900)], 10_000);
    const anew = async (index: StoreIndex, round: number) => {
      for (let at = 0; at < kept.length; at += 50) await index.put(kept.slice(at, at + 50), 20_000);
      await index.endRebuild(round);
    };
    const news = async () => {
      for (let n = 300; n < 400; n++) await three.put([facts(n)], 20_000);
    };
    // What was put before both began is found in the store by whoever looks through it.
    const [first, second] = await Promise.all([one.beginRebuild(), two.beginRebuild()]);
    await Promise.all([anew(one, first), anew(two, second), news()]);
    assert.deepEqual([await three.isWhole(), (await three.totals()).versions], [true, 400]);
    assert.equal(await one.find(named(900)), undefined, "what nobody keeps is gone");
  });

  test("a doubt of one is a doubt of all", async () => {
    const [one, two] = (await fourNodes()) as [StoreIndex, StoreIndex];
    await one.endRebuild(await one.beginRebuild());
    assert.equal(await two.isWhole(), true);
    await two.doubt();
    assert.equal(await one.isWhole(), false);
  });

  test("stores in one database see nothing of each other", async () => {
    const [one, two] = [await newIndex(), await newIndex()];
    await one.put([facts(0)], 10_000);
    await one.endRebuild(await one.beginRebuild());
    assert.deepEqual([(await two.totals()).versions, await two.isWhole()], [0, false]);
    assert.equal(await two.find(named(0)), undefined);
  });

  test("one node at a time does what is to be done alone; other work, and other stores, are not held up", async () => {
    const [one, two] = (await fourNodes()) as [StoreIndex, StoreIndex];
    const other = await newIndex();
    const seen: unknown[] = [];
    const gc = await one.alone?.("gc", async () => {
      seen.push(await two.alone?.("gc", () => Promise.resolve()));
      seen.push(await two.alone?.("scrub", () => Promise.resolve()));
      seen.push(await other.alone?.("gc", () => Promise.resolve()));
      seen.push(await one.alone?.("gc", () => Promise.resolve()));
    });
    assert.deepEqual([gc, ...seen], [true, false, true, true, false]);
    assert.equal(await two.alone?.("gc", () => Promise.resolve()), true, "given back");
  });

  test("what the work alone throws comes through as it is, and the turn is given back", async () => {
    const [one, two] = (await fourNodes()) as [StoreIndex, StoreIndex];
    const wrong = Object.assign(new Error("no such file"), { code: "ENOENT" });
    await assert.rejects(async () => await one.alone?.("gc", () => Promise.reject(wrong)), wrong);
    assert.equal(await two.alone?.("gc", () => Promise.resolve()), true);
  });

  test("a newer program's tables are left alone", async () => {
    const fresh = `newer_${names++}`;
    await sql(`CREATE DATABASE ${fresh}`);
    const there = url().replace(/\/postgres$/, `/${fresh}`);
    await (await newIndex({ url: there })).totals();
    const client = new pg.Client({ connectionString: there });
    await client.connect();
    await client.query("UPDATE granary.schema SET version = 99");
    await client.end();
    await assert.rejects((await newIndex({ url: there })).totals(), {
      name: "IndexUnavailable",
      kind: "newer",
      message: "PostgreSQL: its tables are of a newer Granary (schema 99, this one knows 1)",
    });
  });
});

/** An operation, said in numbers so that both may be told the same. */
const operation = fc.oneof(
  fc.record({
    what: fc.constant("put" as const),
    facts: fc.array(
      fc.record({
        n: fc.nat(12),
        stage: fc.constantFrom("mod" as const, "zip" as const),
        bytes: fc.nat(5_000),
        isPrivate: fc.boolean(),
        firstSeenMs: fc.nat(50),
        isEvicted: fc.boolean(),
      }),
      { maxLength: 8 },
    ),
    at: fc.nat(60),
  }),
  fc.record({
    what: fc.constant("used" as const),
    uses: fc.array(fc.tuple(fc.nat(13), fc.nat(4), fc.nat(4)), { maxLength: 8 }),
    at: fc.nat(60),
  }),
  fc.record({
    what: fc.constantFrom("evicted" as const, "promote" as const, "passedOver" as const, "checked" as const),
    ids: fc.array(fc.nat(13), { maxLength: 6 }),
    at: fc.nat(60),
  }),
  fc.record({ what: fc.constantFrom("begin" as const, "end" as const, "doubt" as const) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Everything that it answers, in one value. */
async function answers(index: StoreIndex, operations: readonly Operation[]): Promise<unknown[]> {
  const told: unknown[] = [];
  const rounds: number[] = [];
  for (const one of operations) {
    if (one.what === "put")
      await index.put(
        one.facts.map(({ n, ...more }) => facts(n, more)),
        one.at,
      );
    else if (one.what === "used")
      told.push(
        await index.used(
          one.uses.map(([n, zips, mods]) => used(n, zips, mods)),
          one.at,
        ),
      );
    else if (one.what === "evicted") await index.evicted(one.ids.map(named));
    else if (one.what === "passedOver") await index.passedOver(one.ids.map(named), one.at % 4);
    else if (one.what === "promote") await index.promote(one.ids.map(named), one.at);
    else if (one.what === "checked") await index.checked(one.ids.map(named), one.at);
    else if (one.what === "begin") rounds.push(await index.beginRebuild());
    else if (one.what === "doubt") await index.doubt();
    else if (rounds.length > 0) await index.endRebuild(rounds.shift() ?? 0);
  }
  for (const order of ["unused", "small", "main", "unchecked"] as const) {
    let after: string | undefined;
    do {
      const page = await index.page(order, after, 3);
      told.push(page.versions);
      after = page.next;
    } while (after !== undefined);
  }
  for (let n = 0; n < 13; n++) told.push(await index.find(named(n)));
  told.push(await index.hottest(5), await index.totals(), await index.isWhole(), rounds);
  return told;
}

suite("the same in SQLite and in PostgreSQL", { skip }, () => {
  test("any operations in any order get the same answers", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
        const sqlite = new SqliteIndex(":memory:");
        const postgres = await openPostgresIndex({ url: url(), ca: undefined, name: `any ${names++}` });
        try {
          assert.deepEqual(await answers(postgres, operations), await answers(sqlite, operations));
        } finally {
          await Promise.all([sqlite.close(), postgres.close()]);
        }
      }),
      { numRuns: 80 },
    );
  });
});
