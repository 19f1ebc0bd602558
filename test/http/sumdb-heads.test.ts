// Heads and forks end to end: a server, the commands beside it, and a database that shows two histories.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { parseTilePath, formatTilePath, newTiles } from "#protocol/tile.ts";
import type { TestDatabase } from "#services/lab/sumdb-server.ts";
import { atEnd } from "../support/at-end.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import type { RunningGranary } from "../support/granary.ts";
import { fillTo, startSwitchedDatabase } from "../support/switched-database.ts";
import type { SwitchedDatabase } from "../support/switched-database.ts";
import { databaseName } from "../support/world.ts";

const module = "example.com/hello";
const size = 300;
/** A person does not wait for a route that is away. */
const hurry = { GRANARY_UPSTREAM_CLIENT_RETRY_TIME: "1s" };

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "granary-heads-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function worldFor(t: TestContext): Promise<SwitchedDatabase & { folder: string; store: string }> {
  const folder = await folderFor(t);
  const world = await startSwitchedDatabase(["v1.0.0", "v1.1.0", "v1.2.0"], size);
  atEnd(t, () => world.stub.close());
  return { ...world, folder, store: join(folder, "store") };
}

async function serve(t: TestContext, world: SwitchedDatabase & { store: string }): Promise<RunningGranary> {
  const { stub, setting, store } = world;
  const granary = await startGranary({ upstream: stub.url, sumdb: setting, store, env: hurry });
  atEnd(t, () => granary.stop());
  return granary;
}

/** A command on the world's store and database. */
function commandsOn({ store, setting, stub }: SwitchedDatabase & { store: string }) {
  return async (...words: readonly string[]) => {
    const places = [`--store=${store}`, `--sumdb=${setting}`];
    const needsUpstream = !["alarms", "resume", "pin"].includes(words[1] ?? "");
    return await runGranary([...words, ...places, ...(needsUpstream ? [`--upstream=${stub.url}`] : [])], hurry);
  };
}

async function lookUp(granary: RunningGranary, version: string): Promise<{ status: number; body: string }> {
  const answer = await fetch(`${granary.url}/sumdb/${databaseName}/lookup/${module}@${version}`);
  return { status: answer.status, body: await answer.text() };
}

async function writeToken(store: string, folder: string): Promise<string> {
  const { stdout, stderr } = await runGranary(["token", "add", "--scope=write", `--store=${store}`]);
  const [token] = /grn_\w+?_[\w-]+/.exec(stdout) ?? [];
  assert.ok(token, stderr);
  const file = join(folder, "token");
  await writeFile(file, token, { mode: 0o600 });
  return `file:${file}`;
}

/** A go command's folders: its newest head, and the tiles that lead to it from the first `older` records. */
async function goFolders(
  folder: string,
  database: TestDatabase,
  older: number,
): Promise<{ heads: string; cache: string }> {
  const [heads, cache] = [join(folder, "pkg/sumdb"), join(folder, "mod")];
  await mkdir(join(heads, database.name), { recursive: true });
  await writeFile(join(heads, database.name, "latest"), await database.head());
  const tiles = join(cache, "cache/download/sumdb", database.name);
  for (const tile of newTiles(8, older, database.size)) {
    const path = formatTilePath(tile);
    const { bytes } = await database.answer(`/${path}`);
    assert.deepEqual(parseTilePath(path), tile);
    await mkdir(join(tiles, path, ".."), { recursive: true });
    await writeFile(join(tiles, path), bytes);
  }
  return { heads, cache };
}

/** The same records but the last, under the same key. */
async function twinOf(honest: TestDatabase): Promise<TestDatabase> {
  const twin = await honest.fork(honest.size - 1);
  await fillTo(twin, honest.size, "evil");
  return twin;
}

test("a fork halts the database until a person decides; what is kept is served; the refused head stays refused", async (t) => {
  const world = await worldFor(t);
  const { honest, show, store } = world;
  const granary = await serve(t, world);
  const run = commandsOn(world);
  const { stdout: none, code: calm } = await run("sumdb", "alarms");
  assert.deepEqual([calm, none], [0, "No database has shown two histories.\n"]);
  assert.equal((await lookUp(granary, "v1.0.0")).status, 200);

  const twin = await twinOf(honest);
  show(twin);
  const refused = await lookUp(granary, "v1.1.0");
  assert.equal(refused.status, 502);
  assert.match(refused.body, /GRANARY_SUMDB_FORK/);
  assert.match(refused.body, /granary sumdb alarms/);

  // Both the honest history and the other one: nothing new until somebody has looked.
  show(honest);
  assert.match((await lookUp(granary, "v1.1.0")).body, /GRANARY_SUMDB_FORK/);
  assert.equal((await lookUp(granary, "v1.0.0")).status, 200, "kept answers are served");
  assert.match(await (await fetch(`${granary.url}/-/readyz`)).text(), new RegExp(`warning: .*${databaseName}`));

  const listed = await run("sumdb", "alarms", "--json");
  assert.equal(listed.code, 1);
  const { items } = JSON.parse(listed.stdout) as { items: { id: string; database: string; evidence: string }[] };
  assert.equal(items.length, 1);
  const [alarm] = items;
  assert.ok(alarm);
  assert.equal(alarm.database, databaseName);
  const evidence = JSON.parse(await readFile(join(store, alarm.evidence), "utf8")) as Record<string, unknown>;
  assert.deepEqual(
    new Set([evidence["older"], evidence["newer"]]),
    new Set([await honest.head(), await twin.head()]),
    "both notes",
  );

  const unreasoned = await run("sumdb", "resume", alarm.id);
  assert.equal(unreasoned.code, 2);
  assert.match(unreasoned.stderr, /--reason/);
  assert.match((await run("sumdb", "resume", "0000", "--reason=x")).stderr, /GRANARY_NO_SUCH_ID/);
  const resumed = await run("sumdb", "resume", alarm.id.slice(0, 12), "--reason=restored from a backup");
  assert.equal(resumed.code, 0, resumed.stderr);

  assert.equal((await lookUp(granary, "v1.1.0")).status, 200, "new lookups are answered again, without a restart");
  const after = await run("sumdb", "alarms");
  assert.equal(after.code, 0);
  assert.match(after.stdout, /restored from a backup/);

  show(twin);
  const again = await lookUp(granary, "v1.2.0");
  assert.equal(again.status, 502);
  assert.match(again.body, /GRANARY_SUMDB_INVALID/);
  assert.match(again.body, /a person refused this head/);
  show(honest);
  assert.equal((await lookUp(granary, "v1.2.0")).status, 200, "and it halts nothing any more");
});

test("heads import: a running server takes a client's newer head by the tiles of its cache, cut off from everybody", async (t) => {
  const world = await worldFor(t);
  const { honest, stub, folder, store } = world;
  const granary = await serve(t, world);
  assert.equal((await lookUp(granary, "v1.0.0")).status, 200);
  await fillTo(honest, 700);
  const { heads, cache } = await goFolders(folder, honest, size);
  await stub.cut();

  // Routes that have just given their newest head are not asked again within a second.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await t.test("what the client asks for is 503, and names the head and the remedy", async () => {
    const answer = await fetch(`${granary.url}/sumdb/${databaseName}/tile/8/0/002.p/188`);
    assert.equal(answer.status, 503);
    const body = await answer.text();
    assert.match(body, /GRANARY_SUMDB_NEWER_HEAD/);
    assert.match(body, /at least 700 records, the one here 300/);
    assert.match(body, /granary sumdb heads import/);
    const again = await fetch(`${granary.url}/sumdb/${databaseName}/tile/8/0/001`);
    assert.deepEqual([again.status, /GRANARY_SUMDB_NEWER_HEAD/.test(await again.text())], [503, true]);
  });
  const run = commandsOn(world);
  const at = [`--listen=${new URL(granary.url).host}`];
  const denied = await run("sumdb", "heads", "import", heads, ...at);
  assert.notEqual(denied.code, 0);
  assert.match(denied.stderr, /GRANARY_SERVER_REFUSED/);
  const token = `--token=${await writeToken(store, folder)}`;
  // A running server hears of a new token after a moment.
  let alone = await run("sumdb", "heads", "import", heads, ...at, token);
  for (let tries = 0; /GRANARY_SERVER_REFUSED/.test(alone.stderr) && tries < 50; tries++)
    alone = await run("sumdb", "heads", "import", heads, ...at, token);
  assert.equal(alone.code, 1, alone.stderr);
  assert.match(alone.stdout, /not taken: no route, and no --cache, gives the tiles between 300 and it/);
  const proven = await run("sumdb", "heads", "import", heads, `--cache=${cache}`, ...at, token);
  assert.equal(proven.code, 0, proven.stdout + proven.stderr);
  assert.match(proven.stdout, /700 .*proven: the newest here now, before it 300/);
  for (const tile of ["tile/8/0/001", "tile/8/0/002.p/188", "tile/8/1/000.p/2"]) {
    const answer = await fetch(`${granary.url}/sumdb/${databaseName}/${tile}`);
    assert.equal(answer.status, 200, tile);
    const { bytes } = await honest.answer(`/${tile}`);
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), Buffer.from(bytes), tile);
  }
  await granary.stop();
  const after = await serve(t, world);
  const kept = await fetch(`${after.url}/cached-only/sumdb/${databaseName}/tile/8/0/002.p/188`);
  assert.equal(kept.status, 200, "kept over a restart");
});

test("heads import without a server, into an empty store, from standard forms, and a foreign head", async (t) => {
  const world = await worldFor(t);
  const { honest, stub, folder, store } = world;
  const run = commandsOn(world);
  const { heads, cache } = await goFolders(folder, honest, 0);
  await stub.cut();
  const empty = await run("sumdb", "heads", "import", heads);
  assert.equal(empty.code, 1);
  assert.match(empty.stdout, /nothing is kept of this database yet, so nothing can prove a head/);
  const chinese = await run("sumdb", "heads", "import", heads, "--lang=zh-CN");
  assert.match(chinese.stdout, /尚未保存该数据库的任何内容，无从证明树头/);
  const first = await run("sumdb", "heads", "import", heads, `--cache=${cache}`);
  assert.equal(first.code, 0, first.stdout);
  assert.match(first.stdout, /the first head here/);
  const again = await run("sumdb", "heads", "import", join(heads, databaseName, "latest"));
  assert.match(again.stdout, /on the history that is kept here/);
  const missing = await run("sumdb", "heads", "import", join(folder, "nowhere"));
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /GRANARY_INPUT_UNREADABLE/);

  const foreign = join(folder, "foreign");
  await writeFile(foreign, await (await twinOf(honest)).head());
  const forked = await run("sumdb", "heads", "import", foreign, "--json");
  assert.equal(forked.code, 1);
  const { items } = JSON.parse(forked.stdout) as { items: { verdict: string; reason: string }[] };
  assert.equal(items[0]?.verdict, "forked");
  assert.ok((await readFile(join(store, items[0].reason), "utf8")).includes("verifierKey"));
  assert.equal((await run("sumdb", "alarms")).code, 1);
  const status = await run("sumdb", "status", "--json");
  assert.equal(status.code, 1, "an open alarm is a finding");
});

test("pin, verify and status: consistent, newer, rolled back, forked", async (t) => {
  const world = await worldFor(t);
  const { honest, stub, folder, store, show } = world;
  const granary = await serve(t, world);
  const run = commandsOn(world);
  const nothing = await run("sumdb", "pin");
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, new RegExp(`No tree head is kept of: ${databaseName}`));
  assert.equal((await lookUp(granary, "v1.0.0")).status, 200);
  const { stdout: pinned, code } = await run("sumdb", "pin");
  assert.equal(code, 0);
  assert.match(pinned, /^granary trusted heads v1\n/);
  assert.ok(pinned.includes(`key: ${honest.verifierKey}\n`));
  const file = join(folder, "trusted.sumdb");
  await writeFile(file, pinned);
  const verify = (...more: readonly string[]) => run("sumdb", "verify", `--trusted=${file}`, ...more);
  const good = await verify();
  assert.equal(good.code, 0, good.stdout + good.stderr);
  assert.match(good.stdout, /1 pinned: all consistent\./);

  await t.test("status says what is kept, with a server and without", async () => {
    const listen = `--listen=${new URL(granary.url).host}`;
    const { stdout } = await run("sumdb", "status", "--json", listen);
    const status = JSON.parse(stdout) as {
      isRunning: boolean;
      databases: {
        name: string;
        keyId: string;
        newest: { size: number; atMs: number };
        serving: number;
        records: number;
        tiles: number;
        tileBytes: number;
        alarms: string[];
        routes: { route: string }[];
      }[];
    };
    const [database] = status.databases;
    assert.ok(database && status.isRunning);
    assert.deepEqual(
      [database.name, database.newest.size, database.serving, database.records, database.alarms],
      [databaseName, size, size, 1, []],
    );
    assert.ok(database.tiles >= 3 && database.tileBytes > 8192);
    assert.ok(Date.now() - database.newest.atMs < 600_000);
    assert.equal(database.keyId, honest.verifierKey.split("+")[1]);
    assert.equal(database.routes.length, 1);
    const text = await run("sumdb", "status", listen);
    assert.match(text.stdout, /newest head {3}300 records, proven .+ ago/);
  });

  await fillTo(honest, 700);
  await writeFile(file, pinned.replace(/head:\n[^]*$/, `head:\n${quoted(await honest.head())}`));
  assert.match((await verify()).stdout, /newer than ours, and the routes prove it/);
  await stub.cut();
  const back = await verify();
  assert.equal(back.code, 1);
  assert.match(back.stdout, /ROLLED BACK: ours is older/);
  assert.match((await verify("--lang=zh-CN")).stdout, /已回退/);
  await stub.restore();
  show(await honest.fork(size));
  assert.match((await verify()).stdout, /ROLLED BACK/, "a route that lost records proves nothing");

  const twin = await (await honest.fork(size - 1)).fork(size - 1);
  await fillTo(twin, size, "evil");
  await writeFile(file, pinned.replace(/head:\n[^]*$/, `head:\n${quoted(await twin.head())}`));
  const forked = await verify();
  assert.equal(forked.code, 1);
  assert.match(forked.stdout, /FORK: another history\. To keep the evidence/);
  assert.equal((await run("sumdb", "alarms")).code, 0, "a question raises no alarm");

  await writeFile(file, pinned.replace("head:", "haed:"));
  const broken = await verify();
  assert.equal(broken.code, 2);
  const line = pinned.split("\n").indexOf("head:") + 1;
  assert.match(broken.stderr, new RegExp(`line ${line} is haed:`));
  assert.match(broken.stderr, /There must stand: head:/);
  assert.match(broken.stderr, /GRANARY_TRUSTED_UNREADABLE/);
  await granary.stop();
  await writeFile(file, pinned.replace(/head:\n[^]*$/, `head:\n${quoted(await twin.head())}`));
  const raised = await run("sumdb", "heads", "import", file);
  assert.match(raised.stdout, /FORK: another history\. Nothing new is taken/);
  assert.equal((await run("sumdb", "alarms")).code, 1, "the same file, imported, does");
  assert.match((await run("sumdb", "status", `--store=${store}`)).stdout, /no server runs on this store/);
});

function quoted(note: string): string {
  return note.replace(/^/gm, "| ").replace(/\| $/, "");
}
