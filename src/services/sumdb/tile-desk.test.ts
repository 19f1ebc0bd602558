import assert from "node:assert/strict";
import { test } from "node:test";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { PlainStorage } from "../../../test/support/plain-storage.ts";
import { TestDatabase } from "../lab/sumdb-server.ts";
import { SumdbError, type SumdbCode } from "./errors.ts";
import { SumdbMirror } from "./mirror.ts";
import type { SumdbRoute } from "./ports.ts";

const name = "sum.example";
const seed = new Uint8Array(32).fill(5);
const { signal } = new AbortController();
const ask = { signal };

async function database(size: number): Promise<TestDatabase> {
  const made = new TestDatabase({ name, seed });
  for (let n = 0; n < size; n++) await made.add(`example.com/m${n} v1.0.0 h1:x\n`);
  return made;
}

function setUp(db: TestDatabase, more: { storage?: PlainStorage; first?: SumdbRoute } = {}) {
  const { storage = new PlainStorage(), first } = more;
  const state = { ms: 0, isDown: false };
  const route: SumdbRoute = {
    name: "direct",
    knows: true,
    fetch: (path) =>
      state.isDown ? Promise.reject(new UpstreamFault("direct", "timeout", "timeout")) : db.answer(path),
  };
  const sleep = (ms: number): Promise<void> => {
    state.ms += ms;
    return Promise.resolve();
  };
  const clock = { now: () => state.ms, sleep };
  const routes = first === undefined ? [route] : [first, route];
  return { mirror: new SumdbMirror({ key: db.verifierKey, routes, storage, clock }), storage, state };
}

const failsWith = (code: SumdbCode) => (error: unknown) => {
  assert.ok(error instanceof SumdbError, String(error));
  assert.equal(error.code, code, error.message);
  return true;
};

const honest = async (db: TestDatabase, path: string): Promise<Buffer> =>
  Buffer.from((await db.answer(`/${path}`)).bytes);

test("every tile and every width of it is served, from few fetches", async () => {
  const db = await database(600);
  const { mirror, storage } = setUp(db);
  const paths = [
    "tile/8/0/000",
    "tile/8/0/001",
    "tile/8/0/002.p/88",
    "tile/8/1/000.p/2",
    "tile/8/data/000",
    "tile/8/data/002.p/88",
  ];
  for (let width = 1; width <= 88; width += 29)
    paths.push(`tile/8/0/002.p/${width}`, `tile/8/0/000.p/${width}`, `tile/8/data/000.p/${width}`);
  paths.push("tile/8/1/000.p/1");
  for (const path of paths) assert.deepEqual(Buffer.from(await mirror.tile(path, ask)), await honest(db, path), path);
  const kept = [...storage.objects.keys()]
    .filter((key) => key.includes("/tile/"))
    .map((key) => key.replace(/.*\/tile\//, ""));
  assert.deepEqual(kept.toSorted(), ["8/0/000", "8/0/001", "8/data/000"]);
});

test("kept tiles are served without a network, after a restart too", async () => {
  const db = await database(600);
  const { mirror, storage } = setUp(db);
  // Its serving head keeps the tiles above.
  const hash = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=";
  const { checkModuleVersion } = await import("#protocol/version.ts");
  const own = checkModuleVersion("example.com/own", "v1.0.0");
  const made = await db.addModule(own, { zip: hash, mod: hash });
  assert.equal((await mirror.lookup(own, ask)).id, made);
  await mirror.tile("tile/8/data/000", ask);
  const offline = setUp(db, { storage });
  offline.state.isDown = true;
  for (const path of [
    "tile/8/0/000",
    "tile/8/0/000.p/9",
    "tile/8/0/002.p/89",
    "tile/8/0/002.p/3",
    "tile/8/1/000.p/2",
    "tile/8/data/000",
    "tile/8/data/000.p/5",
  ]) {
    assert.deepEqual(
      Buffer.from(await offline.mirror.tile(path, { signal, cachedOnly: true })),
      await honest(db, path),
      path,
    );
    assert.deepEqual(Buffer.from(await offline.mirror.tile(path, ask)), await honest(db, path), path);
  }
  await assert.rejects(offline.mirror.tile("tile/8/data/001", ask), failsWith("SUMDB_UNREACHABLE"));
});

test("what is no tile of height 8 is absent", async () => {
  const { mirror } = setUp(await database(5));
  for (const path of [
    "tile/2/0/000",
    "tile/9/0/000",
    "tile/8/0/000.p/256",
    "tile/8/0/0",
    "x",
    "tile/8/0/000.p/0",
    "/tile/8/0/000",
  ]) {
    await assert.rejects(mirror.tile(path, ask), failsWith("SUMDB_ABSENT"), path);
  }
});

test("a tile beyond the newest head makes us look for a newer one, but not all the time", async () => {
  const db = await database(300);
  const { mirror, state } = setUp(db);
  await mirror.tile("tile/8/0/001.p/44", ask);
  for (let i = 0; i < 50; i++) {
    await assert.rejects(mirror.tile(`tile/8/0/001.p/${45 + i}`, ask), failsWith("SUMDB_BEHIND"));
    await assert.rejects(mirror.tile("tile/8/40/x999/999", ask), failsWith("SUMDB_BEHIND"));
  }
  // Each waited until it was time to ask again.
  const looks = db.asked.filter((path) => path === "/latest").length;
  assert.ok(looks <= 1 + state.ms / 1000, `${looks} in ${state.ms} ms`);
  for (let n = 300; n < 310; n++) await db.add(`example.com/m${n} v1.0.0 h1:x\n`);
  state.ms += 5000;
  assert.deepEqual(Buffer.from(await mirror.tile("tile/8/0/001.p/50", ask)), await honest(db, "tile/8/0/001.p/50"));
});

test("a changed tile is refused, hashes and records alike", async () => {
  for (const [target, asked] of [
    ["/tile/8/0/000", "tile/8/0/000"],
    ["/tile/8/0/001.p/44", "tile/8/0/001.p/3"],
    ["/tile/8/data/000", "tile/8/data/000"],
    ["/tile/8/data/001.p/9", "tile/8/data/001.p/9"],
  ] as const) {
    const db = await database(300);
    db.tamper = (path, answer) => {
      // The full tile, from which a partial one could be cut, does not exist yet.
      if (path !== target) return answer;
      const bytes = Uint8Array.from(answer.bytes);
      bytes[12] = bytes[12]! ^ 1;
      return { ...answer, bytes };
    };
    const alone = setUp(db);
    const code = target.includes("data") ? "SUMDB_UNREACHABLE" : "SUMDB_INVALID";
    await assert.rejects(alone.mirror.tile(asked, ask), failsWith(code), target);
    assert.ok(!alone.storage.objects.has(`modules/sumdb/${name}${target}`));
    const good = await database(300);
    const liar: SumdbRoute = { name: "liar", knows: false, fetch: (path) => db.answer(path) };
    const both = setUp(good, { first: liar });
    assert.deepEqual(Buffer.from(await both.mirror.tile(asked, ask)), await honest(good, asked), target);
  }
});

test("the newest head is handed out for its lifetime, and longer while nobody gives another", async () => {
  const db = await database(10);
  const { mirror, state } = setUp(db);
  const first = Buffer.from(await mirror.latest(ask));
  await db.add("example.com/new v1.0.0 h1:x\n");
  assert.deepEqual(Buffer.from(await mirror.latest(ask)), first);
  state.ms += 11 * 60_000;
  state.isDown = true;
  assert.deepEqual(Buffer.from(await mirror.latest(ask)), first);
  assert.deepEqual(Buffer.from(await mirror.latest({ signal, cachedOnly: true })), first);
  state.isDown = false;
  state.ms += 60_000;
  assert.match(Buffer.from(await mirror.latest(ask)).toString(), /\n11\n/);
  state.ms += 11 * 60_000;
  db.headSize = 5;
  assert.match(Buffer.from(await mirror.latest(ask)).toString(), /\n11\n/);
});
