import assert from "node:assert/strict";
import { test } from "node:test";
import { TestDatabase } from "../lab/sumdb-server.ts";
import { PlainStorage } from "../../../test/support/plain-storage.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { listAlarms } from "./alarms.ts";
import { SumdbMirror } from "./mirror.ts";
import { offerAll, tilesAtHand, tilesBetween } from "./offered.ts";
import { openCheckpoint } from "#protocol/checkpoint.ts";
import { parseVerifierKey } from "#protocol/note.ts";
import type { SumdbRoute } from "./ports.ts";
import { checkPins } from "./trusted.ts";
import { BadTrustedFile, formatTrusted, parseTrusted } from "./trusted-file.ts";
import { unwritten } from "./unwritten.ts";

const seed = Buffer.alloc(32, 9);
const name = "sum.example.test";
const { signal } = new AbortController();
const clock = { now: () => 0, sleep: () => Promise.resolve() };

async function databaseOf(size: number): Promise<TestDatabase> {
  return await grow(new TestDatabase({ name, seed }), size);
}

async function grow(database: TestDatabase, size: number, word = "m"): Promise<TestDatabase> {
  while (database.size < size) await database.add(`example.com/${word}${database.size} v1.0.0 h1:x\n`);
  return database;
}

const to = (database: TestDatabase): SumdbRoute => ({
  name: "direct",
  knows: true,
  fetch: (path) => database.answer(path),
});
const dead: SumdbRoute = {
  name: "dead",
  knows: false,
  fetch: () => Promise.reject(new UpstreamFault("dead", "refused", "connection refused")),
};

function mirrorOf(database: TestDatabase, routes: readonly SumdbRoute[], storage = new PlainStorage()): SumdbMirror {
  return new SumdbMirror({ key: database.verifierKey, routes, storage, clock });
}

/** A store that knows the database with so many records, and nobody to ask afterwards. */
async function storeAt(database: TestDatabase): Promise<PlainStorage> {
  const storage = new PlainStorage();
  await mirrorOf(database, [to(database)], storage).latest({ signal });
  return storage;
}

test("a trusted file is read as it was written, also when an editor took the space off an empty line", async () => {
  const database = await databaseOf(3);
  const note = await database.head();
  const pin = { key: database.verifierKey, database: name, note };
  const text = formatTrusted([pin, pin], ["by a test"]);
  assert.deepEqual(parseTrusted(text), [pin, pin]);
  assert.deepEqual(parseTrusted(text.replaceAll("\n", "\r\n").replace(/\n$/, "")), [pin, pin]);
  assert.doesNotMatch(text, / $/m);
});

for (const [what, text, line, accepted] of [
  ["another version", "granary trusted heads v2\n", 1, "granary trusted heads v1"],
  ["nothing", "", 1, "granary trusted heads v1"],
  ["no database", "granary trusted heads v1\n# nothing\n", 3, "key: NAME+HASH+BASE64"],
  ["a key that is none", "granary trusted heads v1\nkey: x\n", 2, "key: NAME+HASH+BASE64"],
  ["a bare head", "granary trusted heads v1\n\n| x\n", 3, "key: NAME+HASH+BASE64"],
] as const)
  test(`${what} is refused with its line and the right form`, () => {
    assert.throws(
      () => parseTrusted(text),
      (error) => error instanceof BadTrustedFile && error.line === line && error.accepted === accepted,
    );
  });

test("a key without a head, and a head without a note, are refused", async () => {
  const key = `granary trusted heads v1\nkey: ${(await databaseOf(1)).verifierKey}\n`;
  assert.throws(() => parseTrusted(`${key}note:\n| x\n`), { line: 3, found: "note:", accepted: "head:" });
  assert.throws(() => parseTrusted(`${key}head:\nx\n`), { line: 4, accepted: "| LINE OF THE SIGNED NOTE" });
});

test("pins: ours, older, newer with and without a route, forked, of another key, unsigned, of a stranger", async () => {
  const database = await databaseOf(300);
  const storage = await storeAt(database);
  const early = await database.head(300);
  await grow(database, 700);
  const twin = await grow(await database.fork(299), 300, "evil");
  const keepers = (routes: readonly SumdbRoute[]) => [
    {
      key: database.verifierKey,
      mirror: new SumdbMirror({ key: database.verifierKey, routes, storage: unwritten(storage), clock }),
    },
  ];
  const before = [...storage.objects.keys()];
  const verdict = async (note: string, routes: readonly SumdbRoute[] = [dead], key = database.verifierKey) => {
    const [view] = await checkPins([{ key, database: name, note }], keepers(routes));
    return [view?.verdict, view?.pinned, view?.ours];
  };
  assert.deepEqual(await verdict(early), ["agrees", 300, 300]);
  assert.deepEqual(await verdict(await database.head(700)), ["rolled-back", 700, 300]);
  assert.deepEqual(await verdict(await database.head(700), [to(database)]), ["ahead", 700, 300]);
  assert.deepEqual(await verdict(await database.head(500), [to(await databaseOf(300))]), ["rolled-back", 500, 300]);
  assert.deepEqual(await verdict(await twin.head()), ["forked", 300, 300]);
  assert.deepEqual(await verdict(early.replace("300", "301")), ["unsigned", undefined, 300]);
  const other = new TestDatabase({ name, seed: Buffer.alloc(32, 1) });
  assert.deepEqual((await verdict(await other.head(0), [dead], other.verifierKey))[0], "other-key");
  assert.deepEqual(await checkPins([{ key: "", database: "x", note: "" }], keepers([])), [
    { database: "x", verdict: "unknown" },
  ]);
  assert.deepEqual([...storage.objects.keys()], before, "a question writes nothing");
});

test("a client's newer head becomes ours offline by the tiles that come along, and is served from the store", async () => {
  const database = await databaseOf(300);
  const storage = await storeAt(database);
  await grow(database, 700);
  const head = await database.head();
  const at = async (path: string) => {
    const { status, bytes } = await database.answer(`/${path}`);
    return status === 200 ? bytes : undefined;
  };
  const checkpoint = openCheckpoint(head, parseVerifierKey(database.verifierKey));
  const tiles = await tilesBetween(300, checkpoint, at);
  assert.ok(tiles.has("tile/8/0/001") && tiles.size < 10, [...tiles.keys()].join());
  const find = (path: string) => Promise.resolve(tiles.get(path));
  const mirror = mirrorOf(database, [dead], storage);
  const heads = [{ from: "client", note: head }];
  const [alone] = await offerAll({ heads }, [mirror]);
  assert.deepEqual([alone?.verdict, alone?.ourSize], ["unproven", 300]);
  const [proven] = await offerAll({ heads, tiles: new Map([[name, find]]) }, [mirror]);
  assert.deepEqual([proven?.verdict, proven?.treeSize], ["newest", 700]);
  const again = mirrorOf(database, [dead], storage);
  for (const path of tiles.keys())
    assert.deepEqual(Buffer.from(await again.tile(path, { signal })), Buffer.from(tiles.get(path)!));
});

test("into an empty store nothing proves a head; with its tiles it is the first", async () => {
  const database = await databaseOf(5);
  const heads = [{ from: "client", note: await database.head() }];
  const mirror = mirrorOf(database, [dead]);
  const [alone] = await offerAll({ heads }, [mirror]);
  assert.deepEqual([alone?.verdict, alone?.ourSize], ["unproven", undefined]);
  const tiles = new Map([[name, async (path: string) => (await database.answer(`/${path}`)).bytes]]);
  assert.equal((await offerAll({ heads, tiles }, [mirror]))[0]?.verdict, "newest");
});

test("a foreign head is an alarm with both notes; a wrong signature and a stranger's note are refused", async () => {
  const database = await databaseOf(300);
  const storage = await storeAt(database);
  const twin = await grow(await database.fork(299), 300, "evil");
  const mirror = mirrorOf(database, [dead], storage);
  const foreign = await twin.head();
  const stranger = await new TestDatabase({ name: "other.example", seed }).head();
  const notes = [foreign, foreign.replace("300", "301"), stranger, "no note"];
  const reports = await offerAll({ heads: notes.map((note, n) => ({ from: String(n), note })) }, [mirror]);
  assert.deepEqual(
    reports.map(({ verdict }) => verdict),
    ["forked", "refused", "refused", "refused"],
  );
  assert.match(reports[2]?.reason ?? "", /other\.example/);
  const [alarm] = await listAlarms(storage, name);
  assert.equal(alarm?.evidence, reports[0]?.reason);
  const evidence = Buffer.from(storage.objects.get(alarm?.evidence ?? "")?.bytes ?? []).toString();
  for (const note of [foreign, await database.head(300)]) assert.ok(evidence.includes(JSON.stringify(note)));
  assert.equal(mirror.alarm, alarm?.evidence);
});

test("tiles at hand that are wrong prove nothing", async () => {
  const database = await databaseOf(300);
  const storage = await storeAt(database);
  await grow(database, 700);
  const bad = tilesAtHand("cache", (path) => Promise.resolve(path.endsWith("001") ? Buffer.alloc(8192) : undefined));
  const view = await mirrorOf(database, [dead], storage).offer(Buffer.from(await database.head()), bad);
  assert.equal(view.verdict, "unproven");
});
