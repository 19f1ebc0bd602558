import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTree } from "#protocol/checkpoint.ts";
import { hashGoMod } from "#protocol/dirhash.ts";
import { parseVerifierKey } from "#protocol/note.ts";
import { findSums, formatRecord } from "#protocol/record.ts";
import { checkModuleVersion, type ModuleVersion } from "#protocol/version.ts";
import { StoreAway, type Clock } from "#services/store/ports.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { TestDatabase, type DatabaseAnswer } from "../lab/sumdb-server.ts";
import { PlainStorage } from "../../../test/support/plain-storage.ts";
import { FileProxyClient } from "../../../test/support/sumdb-client.ts";
import { decide, listAlarms } from "./alarms.ts";
import { SumdbError, type SumdbCode } from "./errors.ts";
import { SumdbMirror } from "./mirror.ts";
import type { SumdbRoute } from "./ports.ts";

const name = "sum.example/db";
const seed = new Uint8Array(32).fill(9);
const { signal } = new AbortController();
const moduleId = (n: number): ModuleVersion => checkModuleVersion(`example.com/Mod${n}`, "v1.0.0");
const sumsOf = (n: number) => ({ zip: hashGoMod(Buffer.from(`zip ${n}`)), mod: hashGoMod(Buffer.from(`mod ${n}`)) });

async function grow(database: TestDatabase, size: number): Promise<TestDatabase> {
  for (let n = database.size; n < size; n++) await database.addModule(moduleId(n), sumsOf(n));
  return database;
}

const database = (size: number): Promise<TestDatabase> => grow(new TestDatabase({ name, seed }), size);

function routeTo(to: TestDatabase, facts: Partial<SumdbRoute> = {}): SumdbRoute {
  return { name: "direct", knows: true, fetch: (path) => to.answer(path), ...facts };
}

const dead: SumdbRoute = {
  name: "dead",
  knows: false,
  fetch: () => Promise.reject(new UpstreamFault("dead", "refused", "connection refused")),
};

const says = (status: number, facts: Partial<SumdbRoute> = {}): SumdbRoute => ({
  name: `says ${status}`,
  knows: false,
  fetch: () => Promise.resolve({ status, bytes: Buffer.from("not found: unknown revision\n") }),
  ...facts,
});

class TestClock implements Clock {
  ms = 0;
  now(): number {
    return this.ms;
  }
  sleep(ms: number): Promise<void> {
    this.ms += ms;
    return Promise.resolve();
  }
}

/** Time that passes only when the test says so: nobody's patience ends. */
class StandingClock extends TestClock {
  override sleep(_ms: number, stop?: AbortSignal): Promise<void> {
    return new Promise((_resolve, reject) => {
      stop?.addEventListener("abort", () => reject(stop.reason as Error));
    });
  }
}

function mirrorOf(
  routes: SumdbRoute[],
  facts: {
    storage?: PlainStorage;
    clock?: TestClock;
    onFork?: (key: string) => void;
    onRefused?: (route: string) => void;
  } = {},
) {
  const { storage = new PlainStorage(), clock = new TestClock(), ...rest } = facts;
  const key = new TestDatabase({ name, seed }).verifierKey;
  return { mirror: new SumdbMirror({ key, routes, storage, clock, ...rest }), storage, clock };
}

const failsWith = (code: SumdbCode) => (error: unknown) => {
  assert.ok(error instanceof SumdbError, String(error));
  assert.equal(error.code, code, error.message);
  return true;
};

const keptLookups = (storage: PlainStorage): string[] =>
  [...storage.objects.keys()].filter((key) => key.includes("/lookup/"));
const keptTiles = (storage: PlainStorage): string[] =>
  [...storage.objects.keys()].filter((key) => key.includes("/tile/"));

test("a lookup is proven, kept, and answered again by nobody but the store", async () => {
  const db = await database(300);
  const { mirror, storage } = mirrorOf([routeTo(db)]);
  const record = await mirror.lookup(moduleId(7), { signal });
  assert.deepEqual(record.sums, sumsOf(7));
  assert.deepEqual([record.id, record.treeSize, record.database, record.route], [7, 300, name, "direct"]);
  assert.ok(storage.objects.has(`modules/sumdb/${name}/lookup/example.com/!mod7@v1.0.0`));
  const again = mirrorOf([dead], { storage });
  const kept = await again.mirror.lookup(moduleId(7), { signal, cachedOnly: true });
  assert.deepEqual([kept.sums, kept.route], [sumsOf(7), "store"]);
  assert.deepEqual(Buffer.from(kept.bytes), Buffer.from(record.bytes));
  assert.deepEqual(await new FileProxyClient(storage, parseVerifierKey(db.verifierKey)).lookup(moduleId(7)), sumsOf(7));
});

test("the newest head is fetched first, once", async () => {
  const db = await database(10);
  const { mirror } = mirrorOf([routeTo(db)]);
  await mirror.lookup(moduleId(1), { signal });
  await mirror.lookup(moduleId(2), { signal });
  assert.equal(db.asked[0], "/latest");
  assert.equal(db.asked.filter((path) => path === "/latest").length, 1);
  assert.deepEqual(db.asked.slice(1, 3), ["/tile/8/0/000.p/10", "/lookup/example.com/%21mod1@v1.0.0"]);
});

test("a hundred lookups of one version are one question", async () => {
  const db = await database(300);
  const { mirror } = mirrorOf([routeTo(db)]);
  await Promise.all(Array.from({ length: 100 }, () => mirror.lookup(moduleId(7), { signal })));
  assert.equal(new Set(db.asked).size, db.asked.length);
});

test("a caller that goes away stops waiting; the lookup is kept all the same", async () => {
  const db = await database(5);
  const gate = Promise.withResolvers<undefined>();
  const slow = routeTo(db, { fetch: async (path) => (await gate.promise, await db.answer(path)) });
  const { mirror } = mirrorOf([slow]);
  const leaving = new AbortController();
  const gone = mirror.lookup(moduleId(1), { signal: leaving.signal });
  const staying = mirror.lookup(moduleId(1), { signal });
  leaving.abort(new Error("gone"));
  await assert.rejects(gone, { message: "gone" });
  gate.resolve(undefined);
  assert.deepEqual((await staying).sums, sumsOf(1));
});

// Lies, one at a time. Each route lies about one thing and is honest about everything else.
const text = (answer: DatabaseAnswer): string => Buffer.from(answer.bytes).toString();
const withText = (answer: DatabaseAnswer, changed: string): DatabaseAnswer => ({
  ...answer,
  bytes: Buffer.from(changed),
});
const isLookup = (path: string): boolean => path.startsWith("/lookup/");
const stranger = new TestDatabase({ name });

type Lie = (path: string, answer: DatabaseAnswer, honest: TestDatabase) => DatabaseAnswer;
const lies: Record<string, Lie> = {
  "a changed hash": (path, answer) =>
    isLookup(path) ? withText(answer, text(answer).replace(sumsOf(7).zip, sumsOf(8).zip)) : answer,
  "a changed record number": (path, answer) =>
    isLookup(path) ? withText(answer, text(answer).replace(/^7/, "8")) : answer,
  "a record number beyond the tree": (path, answer) =>
    isLookup(path) ? withText(answer, text(answer).replace(/^7/, "300")) : answer,
  "an HTML page": (path, answer) => (isLookup(path) ? withText(answer, "<html>Welcome to the hotel</html>\n") : answer),
  "an empty answer": (path, answer) => (isLookup(path) ? withText(answer, "") : answer),
  "a cut answer": (path, answer) => (isLookup(path) ? withText(answer, text(answer).slice(0, -20)) : answer),
  "a head with a changed size": (path, answer) => withText(answer, text(answer).replace("\n300\n", "\n301\n")),
  "a head with a changed root": (path, answer) => withText(answer, text(answer).replace(/(tree\n300\n)./, "$1@")),
  "a head of another key": (path, answer) =>
    withText(answer, text(answer).replaceAll(/^\u2014 .*$/gm, stranger.sign("x\n").split("\n\n")[1]!.trimEnd())),
};
for (const [what, lie] of Object.entries(lies))
  test(`${what} is refused, nothing of it kept, and the next route asked`, async () => {
    const liar = await database(300);
    liar.tamper = (path, answer) => (path.startsWith("/tile") ? answer : lie(path, answer, liar));
    const alone = mirrorOf([routeTo(liar)]);
    await assert.rejects(alone.mirror.lookup(moduleId(7), { signal }), failsWith("SUMDB_INVALID"));
    assert.deepEqual(keptLookups(alone.storage), []);
    const both = mirrorOf([routeTo(liar, { name: "liar" }), routeTo(await database(300))]);
    const record = await both.mirror.lookup(moduleId(7), { signal });
    assert.deepEqual([record.sums, record.route], [sumsOf(7), "direct"]);
  });

test("a valid record of another module is refused (GO-2026-4984)", async () => {
  const liar = await database(300);
  const other = await liar.answer("/lookup/example.com/%21mod8@v1.0.0");
  liar.tamper = (path, answer) => (isLookup(path) ? other : answer);
  const { mirror, storage } = mirrorOf([routeTo(liar)]);
  await assert.rejects(mirror.lookup(moduleId(7), { signal }), failsWith("SUMDB_INVALID"));
  assert.deepEqual(keptLookups(storage), []);
});

for (const [what, keep] of [
  ["zip", (lines: string[]) => lines.slice(1)],
  ["go.mod", (lines: string[]) => lines.slice(0, 1)],
  ["zip in a known algorithm", ([zip = "", mod = ""]: string[]) => [zip.replace(" h1:", " h2:"), mod]],
] as const)
  test(`a logged record without a hash of the ${what} is refused: old go takes it for consent (GO-2026-4984)`, async () => {
    const liar = await database(7);
    const { zip, mod } = sumsOf(7);
    const { path } = moduleId(7);
    const text = keep([`${path} v1.0.0 ${zip}\n`, `${path} v1.0.0/go.mod ${mod}\n`]).join("");
    const record = formatRecord({ id: await liar.add(text), text });
    await grow(liar, 300);
    const head = await liar.head();
    const bytes = Buffer.concat([record, Buffer.from(head)]);
    liar.tamper = (asked, answer) => (isLookup(asked) ? { ...answer, status: 200, bytes } : answer);
    const { mirror, storage } = mirrorOf([routeTo(liar)]);
    await assert.rejects(mirror.lookup(moduleId(7), { signal }), failsWith("SUMDB_INVALID"));
    assert.deepEqual(keptLookups(storage), []);
  });

test("a first head whose tree nobody can show is not accepted, and spoils nothing", async () => {
  const liar = await database(300);
  const head = liar.sign(formatTree({ size: 90_000, root: new Uint8Array(32) }));
  liar.tamper = (path, answer) => (path === "/latest" ? withText(answer, head) : answer);
  const { mirror, clock } = mirrorOf([routeTo(liar)]);
  await assert.rejects(mirror.latest({ signal }));
  assert.equal((await mirror.lookup(moduleId(7), { signal })).treeSize, 300);
  liar.tamper = undefined;
  clock.ms += 60 * 60_000;
  await mirror.latest({ signal });
  assert.equal(mirror.treeSize, 300);
});

test("hash lines outside the record's text count for nothing (GO-2026-6180)", async () => {
  const liar = await database(300);
  const head = await liar.head();
  const lines = `${moduleId(7).path} v1.0.0 ${sumsOf(99).zip}\n`;
  const other = text(await liar.answer("/lookup/example.com/%21mod8@v1.0.0"));
  const record = other.slice(0, other.indexOf("go.sum database tree"));
  const answers = [
    record + liar.sign(head.slice(0, head.indexOf("\n\n") + 1) + lines),
    `${record}${lines}\n${head}`,
    record + head + lines,
  ];
  for (const answer of answers) {
    liar.tamper = (path, honest) => (isLookup(path) ? withText(honest, answer) : honest);
    const { mirror, storage } = mirrorOf([routeTo(liar)]);
    await assert.rejects(mirror.lookup(moduleId(7), { signal }), failsWith("SUMDB_INVALID"));
    assert.deepEqual(keptLookups(storage), []);
  }
});

test("a record forged together with its leaf tile is refused (GO-2026-6179)", async () => {
  // 300 = 0b100101100: several subtrees of the right edge share one tile.
  for (const size of [300, 255, 511, 775]) {
    const liar = await database(size);
    const forged = new TestDatabase({ name, seed });
    for (let n = 0; n < size; n++) await forged.addModule(moduleId(n), sumsOf(n === 7 ? 99 : n));
    const lookup = formatRecord({
      id: 7,
      text: `${moduleId(7).path} v1.0.0 ${sumsOf(99).zip}\n${moduleId(7).path} v1.0.0/go.mod ${sumsOf(99).mod}\n`,
    });
    const leaf = await forged.answer(size >= 256 ? "/tile/8/0/000" : `/tile/8/0/000.p/${size}`);
    const head = await liar.head();
    liar.tamper = (path, answer) => {
      if (isLookup(path)) return { ...answer, bytes: Buffer.concat([lookup, Buffer.from(head)]) };
      return path.startsWith("/tile/8/0/000") ? leaf : answer;
    };
    const { mirror, storage } = mirrorOf([routeTo(liar)]);
    await assert.rejects(mirror.lookup(moduleId(7), { signal }), failsWith("SUMDB_INVALID"));
    assert.deepEqual(keptLookups(storage), []);
    assert.ok(!storage.objects.has(`modules/sumdb/${name}/tile/8/0/000`));
  }
});

test("any one changed tile is refused and not kept; an honest route mends it", async () => {
  const honest = await database(775);
  const reference = mirrorOf([routeTo(honest)]);
  await reference.mirror.lookup(moduleId(300), { signal });
  const tiles = keptTiles(reference.storage).map((key) => key.slice(`modules/sumdb/${name}`.length));
  assert.ok(tiles.length >= 3);
  for (const target of tiles) {
    const liar = await database(775);
    liar.tamper = (path, answer) => {
      if (path !== target) return answer;
      const bytes = Uint8Array.from(answer.bytes);
      bytes[33] = bytes[33]! ^ 1;
      return { ...answer, bytes };
    };
    const alone = mirrorOf([routeTo(liar)]);
    await assert.rejects(alone.mirror.lookup(moduleId(300), { signal }), failsWith("SUMDB_INVALID"), target);
    assert.deepEqual(keptLookups(alone.storage), []);
    assert.deepEqual(keptTiles(alone.storage), []);
    const both = mirrorOf([routeTo(liar, { name: "liar" }), routeTo(honest)]);
    assert.deepEqual((await both.mirror.lookup(moduleId(300), { signal })).sums, sumsOf(300));
    const want = reference.storage.objects.get(`modules/sumdb/${name}${target}`)?.bytes;
    assert.deepEqual(both.storage.objects.get(`modules/sumdb/${name}${target}`)?.bytes, want);
  }
});

test("tiles of the wrong width are no tiles", async () => {
  const liar = await database(300);
  liar.tamper = (path, answer) => (path.startsWith("/tile") ? { ...answer, bytes: answer.bytes.subarray(32) } : answer);
  const { mirror, storage } = mirrorOf([routeTo(liar)]);
  await assert.rejects(mirror.lookup(moduleId(7), { signal }), failsWith("SUMDB_UNREACHABLE"));
  assert.deepEqual(keptTiles(storage), []);
});

test("a partial tile that is gone is cut from the full one, and never kept as full", async () => {
  const db = await database(300);
  const old = await db.head();
  await grow(db, 600);
  db.tamper = (path, answer) => {
    if (path === "/latest") return withText(answer, old);
    if (isLookup(path)) return withText(answer, text(answer).replace(/go\.sum database tree[^]*/, old));
    return path.includes(".p/") && path.startsWith("/tile/8/0/001") ? { ...answer, status: 404 } : answer;
  };
  const { mirror, storage } = mirrorOf([routeTo(db)]);
  assert.equal((await mirror.lookup(moduleId(280), { signal })).treeSize, 300);
  assert.ok(storage.objects.has(`modules/sumdb/${name}/tile/8/0/001.p/44`));
  assert.ok(!storage.objects.has(`modules/sumdb/${name}/tile/8/0/001`));
});

test("an older head is accepted when it is consistent, and never becomes the latest", async () => {
  const db = await database(700);
  const { mirror, storage } = mirrorOf([routeTo(db)]);
  await mirror.lookup(moduleId(1), { signal });
  const latest = storage.objects.get(`modules/sumdb/${name}/latest`)!.token;
  db.headSize = 300;
  await mirror.lookup(moduleId(2), { signal });
  assert.equal(storage.objects.get(`modules/sumdb/${name}/latest`)!.token, latest);
  const restarted = mirrorOf([routeTo(db)], { storage });
  assert.match(Buffer.from(await restarted.mirror.latest({ signal })).toString(), /\n700\n/);
});

async function forkedPair() {
  const honest = await database(400);
  const forked = await honest.fork(290);
  for (let n = 290; n < 500; n++) await forked.addModule(moduleId(n), sumsOf(n + 10_000));
  return { honest, forked };
}

for (const [what, headSize] of [
  ["older", 350],
  ["equal", 400],
  ["newer", 500],
] as const)
  test(`a forked head of ${what} size is evidence, and nothing of it is kept`, async () => {
    const { honest, forked } = await forkedPair();
    const storage = new PlainStorage();
    await mirrorOf([routeTo(honest)], { storage }).mirror.lookup(moduleId(3), { signal });
    const before = new Map(storage.objects);
    forked.headSize = headSize;
    const told: string[] = [];
    const { mirror } = mirrorOf([routeTo(forked, { name: "forked" }), routeTo(honest)], {
      storage,
      onFork: (key) => told.push(key),
    });
    await assert.rejects(mirror.lookup(moduleId(310), { signal }), failsWith("SUMDB_FORK"));
    const [evidence, ...more] = [...storage.objects.keys()].filter(
      (key) => !before.has(key) && !key.includes("/tile/"),
    );
    assert.deepEqual(more, []);
    assert.deepEqual(told, [evidence]);
    for (const [key, object] of before) assert.equal(storage.objects.get(key)?.token, object.token, key);
    await checkEvidence(storage.objects.get(evidence!)!.bytes, honest.verifierKey);
    // What is kept goes on being served.
    assert.deepEqual((await mirror.lookup(moduleId(3), { signal })).sums, sumsOf(3));
    await assertHonestTiles(storage, honest);
  });

test("after a fork nothing new is taken until a person decides; then the foreign head is refused alone", async () => {
  const { honest, forked } = await forkedPair();
  const told: string[] = [];
  const { mirror, storage } = mirrorOf([routeTo(forked, { name: "forked" }), routeTo(honest)], {
    onFork: (key) => told.push(key),
  });
  forked.headSize = 280;
  await mirror.lookup(moduleId(3), { signal });
  await mirror.compareRoutes(signal);
  forked.headSize = 350;
  await assert.rejects(mirror.lookup(moduleId(310), { signal }), failsWith("SUMDB_FORK"));
  const restarted = mirrorOf([routeTo(honest)], { storage }).mirror;
  for (const each of [mirror, restarted]) {
    await assert.rejects(each.lookup(moduleId(200), { signal }), failsWith("SUMDB_FORK"));
    await assert.rejects(each.tile("tile/8/data/000", { signal }), failsWith("SUMDB_FORK"));
    assert.deepEqual((await each.lookup(moduleId(3), { signal })).sums, sumsOf(3));
    assert.match(Buffer.from(await each.latest({ signal })).toString(), /\n400\n/);
    assert.equal(each.alarm, told[0]);
  }
  const [alarm, ...more] = await listAlarms(storage, name);
  assert.deepEqual([alarm?.evidence, alarm?.decision, more], [told[0], undefined, []]);
  const decision = { atMs: 1, reason: "an experiment" };
  assert.equal(await decide(storage, { database: name, id: "0".repeat(64), decision }), "unknown");
  assert.equal(await decide(storage, { database: name, id: alarm!.id, decision }), "decided");
  assert.equal(await decide(storage, { database: name, id: alarm!.id, decision }), "already");
  assert.deepEqual((await listAlarms(storage, name))[0]?.decision, decision);
  // The same foreign head again, though our own log has grown: refused, and the honest route answers.
  await honest.addModule(moduleId(9_999), sumsOf(1));
  for (const each of [mirror, restarted])
    assert.deepEqual((await each.lookup(moduleId(310), { signal })).sums, sumsOf(310));
  assert.deepEqual([mirror.alarm, told.length], [undefined, 1]);
  // Another foreign head is another alarm.
  forked.headSize = 500;
  const views = await mirror.compareRoutes(signal);
  assert.deepEqual(
    views.map(({ route, verdict }) => [route, verdict]),
    [
      ["forked", "forked"],
      ["direct", "agrees"],
    ],
  );
  assert.equal(told.length, 2);
  await assert.rejects(mirror.lookup(moduleId(201), { signal }), failsWith("SUMDB_FORK"));
});

test("all routes are held against our history, each with its verdict", async () => {
  const db = await database(400);
  const old = Object.assign(await database(400), { headSize: 300 });
  const stranger = new TestDatabase({ name, seed: new Uint8Array(32).fill(1) });
  await grow(stranger, 10);
  const { mirror } = mirrorOf([
    routeTo(db),
    routeTo(old, { name: "behind" }),
    routeTo(stranger, { name: "stranger" }),
    dead,
    says(404),
  ]);
  const views = await mirror.compareRoutes(signal);
  assert.deepEqual(
    views.map(({ route, verdict, treeSize }) => [route, verdict, treeSize]),
    [
      ["direct", "agrees", 400],
      ["behind", "agrees", 300],
      ["stranger", "refused", undefined],
      ["dead", "silent", undefined],
      ["says 404", "silent", undefined],
    ],
  );
  assert.deepEqual(mirror.views, views);
  assert.equal(mirror.treeSize, 400);
});

test("a route that gives what cannot be proven is asked last for ten minutes", async () => {
  const db = await database(300);
  const refused: string[] = [];
  const clock = new StandingClock();
  const asked: string[] = [];
  const noted = (label: string, facts: SumdbRoute): SumdbRoute => ({
    ...facts,
    name: label,
    fetch: (path, maxBytes, ask) => {
      if (path.startsWith("/lookup/")) asked.push(label);
      return facts.fetch(path, maxBytes, ask);
    },
  });
  const liar: SumdbRoute = routeTo(db, {
    fetch: async (path) => {
      const { status, bytes } = await db.answer(path);
      return { status, bytes: Buffer.from(Buffer.from(bytes).toString().replace("h1:", "h1:x")) };
    },
  });
  const { mirror } = mirrorOf([noted("liar", liar), noted("honest", routeTo(db))], {
    clock,
    onRefused: (route) => refused.push(route),
  });
  for (const n of [1, 2, 3]) assert.deepEqual((await mirror.lookup(moduleId(n), { signal })).sums, sumsOf(n));
  assert.deepEqual(asked, ["liar", "honest", "honest", "honest"]);
  assert.deepEqual(refused, ["liar"]);
  clock.ms += 10 * 60_000;
  await mirror.lookup(moduleId(4), { signal });
  assert.deepEqual(asked.slice(4), ["liar", "honest"]);
  assert.deepEqual(refused, ["liar", "liar"]);
});

/** Every kept tile is the honest log's. */
async function assertHonestTiles(storage: PlainStorage, honest: TestDatabase): Promise<void> {
  for (const key of keptTiles(storage)) {
    const { bytes } = await honest.answer(key.slice(`modules/sumdb/${name}`.length));
    assert.deepEqual(Buffer.from(storage.objects.get(key)!.bytes), Buffer.from(bytes), key);
  }
}

async function checkEvidence(bytes: Uint8Array, verifierKey: string): Promise<void> {
  const { openCheckpoint } = await import("#protocol/checkpoint.ts");
  const { checkTree } = await import("#protocol/tlog.ts");
  const evidence = JSON.parse(Buffer.from(bytes).toString()) as Record<"older" | "newer" | "found", string> & {
    proof: string[];
  };
  const older = openCheckpoint(evidence.older, parseVerifierKey(verifierKey));
  const newer = openCheckpoint(evidence.newer, parseVerifierKey(verifierKey));
  const found = Buffer.from(evidence.found, "base64");
  assert.notDeepEqual(found, Buffer.from(older.root));
  if (older.size === newer.size) assert.deepEqual(found, Buffer.from(newer.root));
  else
    checkTree(
      evidence.proof.map((hash) => Buffer.from(hash, "base64")),
      newer,
      { size: older.size, root: found },
    );
}

const absence: [string, SumdbRoute[], SumdbCode][] = [
  ["nobody is asked", [], "SUMDB_UNREACHABLE"],
  ["nobody answers", [dead], "SUMDB_UNREACHABLE"],
  ["only errors come", [says(500), says(403, { knows: true })], "SUMDB_UNREACHABLE"],
  ["one who knows says 404", [says(404, { knows: true })], "SUMDB_ABSENT"],
  ["one who knows says 410 and another is dead", [dead, says(410, { knows: true })], "SUMDB_ABSENT"],
  ["one who does not know says 404 and another is dead", [says(404), dead], "SUMDB_UNREACHABLE"],
  ["one who does not know says 404 and another fails", [says(404), says(502)], "SUMDB_UNREACHABLE"],
  ["everybody says 404", [says(404), says(410)], "SUMDB_ABSENT"],
  ["one who does not know says 404 and another answers rubbish", [says(404), says(200)], "SUMDB_INVALID"],
];
for (const [what, routes, code] of absence)
  test(`when ${what} it is ${code}`, async () => {
    const { mirror, storage } = mirrorOf(routes);
    await assert.rejects(mirror.lookup(moduleId(1), { signal }), (error: unknown) => {
      failsWith(code)(error);
      assert.ok(error instanceof SumdbError);
      if (code === "SUMDB_ABSENT") assert.match(error.message, /unknown revision/);
      assert.ok(error.tried.length > 0 || routes.length === 0);
      return true;
    });
    assert.deepEqual([...storage.objects.keys()], []);
  });

test("a 404 of a tunnel does not hide the record that another route has", async () => {
  const { mirror } = mirrorOf([says(404), dead, says(503), routeTo(await database(5))]);
  assert.deepEqual((await mirror.lookup(moduleId(1), { signal })).sums, sumsOf(1));
});

test("without /latest a lookup's own head will do", async () => {
  const db = await database(300);
  db.tamper = (path, answer) => (path === "/latest" ? { ...answer, status: 404 } : answer);
  const { mirror } = mirrorOf([routeTo(db)]);
  assert.deepEqual((await mirror.lookup(moduleId(299), { signal })).sums, sumsOf(299));
  await assert.rejects(mirrorOf([routeTo(db)]).mirror.latest({ signal }), failsWith("SUMDB_UNREACHABLE"));
});

test("from the store alone what is not kept is not kept", async () => {
  const { mirror } = mirrorOf([routeTo(await database(5))]);
  const ask = { signal, cachedOnly: true };
  await assert.rejects(mirror.lookup(moduleId(1), ask), failsWith("SUMDB_NOT_KEPT"));
  await assert.rejects(mirror.tile("tile/8/0/000.p/5", ask), failsWith("SUMDB_NOT_KEPT"));
  await assert.rejects(mirror.tile("tile/8/data/000.p/5", ask), failsWith("SUMDB_NOT_KEPT"));
  await assert.rejects(mirror.latest(ask), failsWith("SUMDB_NOT_KEPT"));
});

test("a damaged kept record or tile is not served, and is mended", async () => {
  const db = await database(300);
  const storage = new PlainStorage();
  await mirrorOf([routeTo(db)], { storage }).mirror.lookup(moduleId(7), { signal });
  for (const key of [...keptLookups(storage), ...keptTiles(storage)]) {
    const object = storage.objects.get(key)!;
    const honest = Uint8Array.from(object.bytes);
    object.bytes[20] = object.bytes[20]! ^ 1;
    const offline = mirrorOf([dead], { storage }).mirror;
    await assert.rejects(offline.lookup(moduleId(7), { signal }), failsWith("SUMDB_UNREACHABLE"), key);
    const online = mirrorOf([routeTo(db)], { storage }).mirror;
    assert.deepEqual((await online.lookup(moduleId(7), { signal })).sums, sumsOf(7), key);
    assert.deepEqual(storage.objects.get(key)!.bytes, honest, key);
  }
});

test("a record's text is what its sums were read from", async () => {
  const { mirror } = mirrorOf([routeTo(await database(5))]);
  const record = await mirror.lookup(moduleId(1), { signal });
  assert.deepEqual(findSums(record.text, moduleId(1).path, "v1.0.0"), record.sums);
});

test("a tile of a tree that is newer than ours: asked for once more, and cut off it is that, not absence", async () => {
  const db = await database(300);
  let isCut = false;
  const route = routeTo(db, { fetch: (path) => (isCut ? dead.fetch(path, 0, { signal }) : db.answer(path)) });
  const { mirror, clock } = mirrorOf([route]);
  await mirror.latest({ signal });
  await grow(db, 700);
  // A moment ago the route's newest head had 300 records.
  assert.equal((await mirror.tile("tile/8/0/001", { signal })).length, 8192);
  assert.equal(mirror.treeSize, 700);
  await grow(db, 800);
  isCut = true;
  for (let again = 0; again < 2; again++)
    await assert.rejects(mirror.tile("tile/8/0/003.p/32", { signal }), (error: unknown) => {
      assert.ok(error instanceof SumdbError);
      assert.deepEqual([error.code, error.newer], ["SUMDB_NEWER", { ours: 700, atLeast: 800 }]);
      return true;
    });
  await assert.rejects(mirror.tile("tile/8/0/003.p/32", { signal, cachedOnly: true }), failsWith("SUMDB_NOT_KEPT"));
  isCut = false;
  clock.ms += 60_000;
  assert.equal((await mirror.tile("tile/8/0/003.p/32", { signal })).length, 32 * 32);
  clock.ms += 60_000;
  await assert.rejects(mirror.tile("tile/8/0/004.p/1", { signal }), failsWith("SUMDB_BEHIND"));
});

/** A shared store that is out of reach: kept objects have copies, lists have none. */
class FarStorage extends PlainStorage {
  isAway = false;
  override async *list(prefix: string): ReturnType<PlainStorage["list"]> {
    if (this.isAway) throw new StoreAway(prefix, "out of reach");
    yield* super.list(prefix);
  }
}

test("while the shared store is out of reach new records are taken, by a mirror that was there before and by a new one", async () => {
  const db = await database(300);
  const storage = new FarStorage();
  const { mirror, clock } = mirrorOf([routeTo(db)], { storage });
  await mirror.lookup(moduleId(1), { signal });
  storage.isAway = true;
  clock.ms += 60_000;
  assert.deepEqual((await mirror.lookup(moduleId(2), { signal })).sums, sumsOf(2));
  const { mirror: later } = mirrorOf([routeTo(db)], { storage });
  assert.deepEqual((await later.lookup(moduleId(1), { signal })).sums, sumsOf(1));
  assert.deepEqual((await later.lookup(moduleId(3), { signal })).sums, sumsOf(3));
});

test("a fork that is known stops the database also while the shared store is out of reach, and one that others saw is found afterwards", async () => {
  const { honest, forked } = await forkedPair();
  const storage = new FarStorage();
  const { mirror, clock } = mirrorOf([routeTo(honest)], { storage });
  await mirror.lookup(moduleId(1), { signal });
  const other = mirrorOf([routeTo(forked)], { storage });
  await assert.rejects(other.mirror.lookup(moduleId(400), { signal }), failsWith("SUMDB_FORK"));
  storage.isAway = true;
  clock.ms += 60_000;
  await mirror.lookup(moduleId(2), { signal });
  await assert.rejects(other.mirror.lookup(moduleId(2_000), { signal }), failsWith("SUMDB_FORK"));
  storage.isAway = false;
  await assert.rejects(mirror.lookup(moduleId(3), { signal }), failsWith("SUMDB_FORK"));
});
