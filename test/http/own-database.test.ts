// The own checksum database over HTTP: who may read what, its second form, its commands, and a store that was set back.
import assert from "node:assert/strict";
import { cp, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { openCheckpoint, type Checkpoint } from "#protocol/checkpoint.ts";
import { openNote, parseSignerKey } from "#protocol/note.ts";
import { findSums, parseDataTile, parseLookup } from "#protocol/record.ts";
import { parseEntries, parseOriginTree } from "#protocol/tlog-tiles.ts";
import { checkTree } from "#protocol/tlog.ts";
import { SumLog } from "#services/sumlog/log.ts";
import { atEnd } from "../support/at-end.ts";
import { runGranary } from "../support/granary.ts";
import { makeModule } from "../support/modules.ts";
import { ownName, ownWorld, secret } from "../support/own-world.ts";

const base = `/sumdb/${ownName}`;
const lookup = `${base}/lookup/${secret.path}@v1.0.0`;
/** A proxy's word that it speaks for somebody else: no loopback caller any more. */
const stranger = { headers: { via: "1.1 somebody" } };

test("private lookups and records are for readers; hashes, heads and public lookups are for everybody", async (t) => {
  const world = await ownWorld();
  atEnd(t, () => world.close());
  const { url } = await world.start();
  const get = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(url + path, init);
    return {
      status: answer.status,
      cache: answer.headers.get("cache-control"),
      body: Buffer.from(await answer.arrayBuffer()),
    };
  };
  assert.equal((await get(`${base}/supported`, stranger)).status, 200);
  assert.equal((await get(lookup, stranger)).status, 401);
  const read = await get(lookup);
  assert.deepEqual([read.status, read.cache], [200, "private, no-store"]);
  const { id, text, checkpointNote } = parseLookup(read.body);
  assert.equal(id, 0);
  assert.equal(openCheckpoint(checkpointNote, world.verifier).size, 1);
  assert.ok(findSums(text, secret.path, "v1.0.0").zip);
  assert.equal((await get(lookup, stranger)).status, 401, "no cache gave it away");
  assert.equal((await get(`${base}/lookup/corp.example/team/nothing@v1.0.0`, stranger)).status, 401);
  const nothing = await get(`${base}/lookup/corp.example/team/nothing@v1.0.0`);
  assert.equal(nothing.status, 404);
  assert.equal((await get(`${base}/lookup/corp.example/team/nothing@v1.0.0`, stranger)).status, 401);

  const open = await get(`${base}/lookup/example.com/hello@v1.0.0`, stranger);
  assert.equal(open.status, 200);
  assert.match(open.cache ?? "", /^public/);
  assert.equal((await get(`${base}/lookup/example.com/nothing@v1.0.0`, stranger)).status, 404);
  assert.equal(openCheckpoint((await get(`${base}/latest`, stranger)).body, world.verifier).size, 2);
  assert.equal((await get(`${base}/tile/8/0/000.p/2`, stranger)).body.length, 64);
  assert.equal((await get(`${base}/tile/8/0/000.p/3`, stranger)).status, 404);
  assert.equal((await get(`${base}/tile/8/data/000.p/2`, stranger)).status, 401);
  const data = await get(`${base}/tile/8/data/000.p/2`);
  assert.deepEqual([data.status, data.cache], [200, "private, no-store"]);
  assert.equal(parseDataTile(data.body, 2)[0], text);

  const checkpoint = await get(`/tlog/${ownName}/checkpoint`, stranger);
  assert.equal(checkpoint.cache, "public, max-age=5");
  const tree = parseOriginTree(openNote(checkpoint.body, [world.verifier]).text);
  assert.deepEqual([tree.origin, tree.size], [ownName, 2]);
  assert.equal((await get(`/tlog/${ownName}/tile/0/000.p/2`, stranger)).body.length, 64);
  assert.equal((await get(`/tlog/${ownName}/tile/entries/000.p/2`, stranger)).status, 401);
  const entries = parseEntries((await get(`/tlog/${ownName}/tile/entries/000.p/2`)).body);
  assert.equal(Buffer.from(entries[0]!).toString(), text);
  for (const path of ["tile/0/000.p/3", "tile/1/000", "tile/8/0/000", "nonsense"])
    assert.equal((await get(`/tlog/${ownName}/${path}`)).status, 404, path);
  assert.equal((await get("/tlog/other.example/checkpoint")).status, 404);
});

test("what is kept is recorded in the order of its arrival, and stays when the public database is gone", async (t) => {
  const world = await ownWorld();
  atEnd(t, () => world.close());
  const { url } = await world.start();
  for (const path of [
    "example.com/hello/@v/v1.0.0.zip",
    `${secret.path}/@v/v1.0.0.zip`,
    "example.com/hello/@v/v1.1.0.zip",
  ])
    assert.equal((await fetch(`${url}/${path}`)).status, 200);
  const size = async () =>
    openCheckpoint(Buffer.from(await (await fetch(`${url}${base}/latest`)).arrayBuffer()), world.verifier).size;
  for (let tries = 0; (await size()) < 3 && tries < 200; tries++) await new Promise((done) => setTimeout(done, 25));
  assert.equal(await size(), 3);
  await world.stub.cut();
  assert.equal((await fetch(`${url}${base}/lookup/example.com/hello@v1.1.0`)).status, 200);
  const unknown = await fetch(`${url}${base}/lookup/example.com/multi/v2@v2.1.0`);
  assert.equal(unknown.status, 503, await unknown.text());
  assert.equal((await fetch(`${url}/cached-only${base}/lookup/example.com/multi/v2@v2.1.0`)).status, 404);
});

test("a store that was set back does not sign: 503 with the reason, and everything else goes on", async (t) => {
  const world = await ownWorld();
  atEnd(t, () => world.close());
  const first = await world.start();
  assert.equal((await fetch(first.url + lookup)).status, 200);
  await first.stop();
  const log = join(world.store, "state/sumlog");
  await cp(log, join(world.folder, "backup"), { recursive: true });
  const second = await world.start();
  assert.equal((await fetch(`${second.url}${base}/lookup/example.com/hello@v1.0.0`)).status, 200);
  await second.stop();
  await rm(log, { recursive: true });
  await cp(join(world.folder, "backup"), log, { recursive: true });
  const third = await world.start();
  const refused = await fetch(third.url + lookup);
  assert.equal(refused.status, 503);
  assert.match(await refused.text(), /GRANARY_SUMLOG_STOPPED[^]*has 1 records, and this key has signed 2/);
  assert.equal((await fetch(`${third.url}/example.com/hello/@v/v1.0.0.mod`)).status, 200);
});

test("two servers that both believe to own the store, and are killed: one history, every answer stays true", async (t) => {
  const modules = Array.from({ length: 24 }, (_, n) => makeModule({ path: `example.com/m${n}`, version: "v1.0.0" }));
  const world = await ownWorld(modules);
  atEnd(t, () => world.close());
  const first = await world.start();
  // As where the lock cannot tell: two machines, or two containers, with one folder.
  await rm(join(world.store, "granary.lock"));
  const second = await world.start();
  const numbers = new Map<string, number>();
  const heads = new Map<string, Checkpoint>();
  const ask = async (url: string, { path }: { readonly path: string }) => {
    const answer = await fetch(`${url}${base}/lookup/${path}@v1.0.0`);
    const body = Buffer.from(await answer.arrayBuffer());
    assert.equal(answer.status, 200, body.toString());
    const { id, checkpointNote } = parseLookup(body);
    assert.ok(numbers.get(path) === undefined || numbers.get(path) === id, `${path} has two records`);
    numbers.set(path, id);
    const head = openCheckpoint(checkpointNote, world.verifier);
    assert.ok(id < head.size);
    heads.set(Buffer.from(checkpointNote).toString(), head);
  };
  for (let from = 0; from < modules.length; from += 6) {
    const some = modules.slice(from, from + 6);
    await Promise.all([
      ...some.map((module) => ask(first.url, module)),
      ...[...some].reverse().map((module) => ask(second.url, module)),
    ]);
  }
  for (const each of [first, second]) each.signal("SIGKILL");
  await Promise.all([first.ended, second.ended]);
  const third = await world.start();
  for (const module of modules) await ask(third.url, module);
  await third.stop();
  assert.deepEqual(
    [...numbers.values()].sort((a, b) => a - b),
    modules.map((_, n) => n),
  );
  const signer = parseSignerKey((await readFile(world.keyFile, "utf8")).trim());
  const log = new SumLog({ signer, storage: await openDiskStorage(world.store) });
  for (const head of heads.values()) {
    const { head: newest, proof } = await log.prove(head.size);
    checkTree(proof, newest, head);
  }
  const sound = await runGranary(["sumdb", "fsck", "--store", world.store, "--sumlog-key", world.keyFile]);
  assert.match(sound.stdout, /24 records, 0 full tiles, all sound/);
});

test("keygen, client-config and fsck", async (t) => {
  const world = await ownWorld();
  atEnd(t, () => world.close());
  const out = join(world.folder, "new.key");
  const made = await runGranary(["sumdb", "keygen", "--name", "sum.new.example", "--out", out]);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /sum\.new\.example\+[0-9a-f]{8}\+/);
  assert.equal((await stat(out)).mode & 0o777, 0o600);
  const again = await runGranary(["sumdb", "keygen", "--name", "sum.new.example", "--out", out]);
  assert.notEqual(again.code, 0);
  assert.match(again.stderr, /keys are never replaced/);
  for (const name of ["a b", "https://sum.example", "sum.example/", ""])
    assert.notEqual((await runGranary(["sumdb", "keygen", "--name", name, "--out", `${out}2`])).code, 0, name);
  const config = await runGranary(["sumdb", "client-config", "--sumlog-key", out, "--url", "https://proxy.example"]);
  assert.match(config.stdout, /GOPROXY=https:\/\/proxy\.example\n.*GOSUMDB=sum\.new\.example\+/);

  const here = await runGranary(["sumdb", "client-config", "--sumlog-key", out, "--listen", "127.0.0.1:8123"]);
  assert.match(here.stdout, /GOPROXY=http:\/\/127\.0\.0\.1:8123\n/);
  const without = await runGranary(["sumdb", "client-config"]);
  assert.match(without.stderr, /granary sumdb client-config --sumlog-key FILE/);
  const granary = await world.start();
  assert.equal((await fetch(granary.url + lookup)).status, 200);
  await granary.stop();
  const flags = ["--store", world.store, "--sumlog-key", world.keyFile];
  const sound = await runGranary(["sumdb", "fsck", ...flags]);
  assert.equal(sound.code, 0, sound.stderr);
  assert.match(sound.stdout, /1 records, 0 full tiles, all sound/);
  const head = join(world.store, `state/sumlog/${ownName}/heads/0000000000000001`);
  await writeFile(head, (await readFile(head, "utf8")).replace("database", "datebase"));
  const damaged = await runGranary(["sumdb", "fsck", ...flags]);
  assert.notEqual(damaged.code, 0);
  assert.match(damaged.stdout, /the head of 1 records/);
  await mkdir(join(world.folder, "empty"));
  await writeFile(out, "PRIVATE+KEY+nonsense\n");
  const bad = await runGranary(["sumdb", "fsck", "--store", world.store, "--sumlog-key", out]);
  assert.match(bad.stderr, /PRIVATE\+KEY\+NAME\+HASH\+KEY/);
  assert.ok(!bad.stderr.includes("nonsense"));
});

test("an address of its own: the database at the root, private lookups for readers, and nothing else", async (t) => {
  const world = await ownWorld();
  atEnd(t, () => world.close());
  const granary = await world.start(["--sumlog-listen=127.0.0.1:0"]);
  let address: string | undefined;
  while ((address = /sumlog\.listening address=(\S+)/.exec(granary.stderr())?.[1]) === undefined)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const own = `http://${address}`;
  const tunnel = `/sumdb/${ownName}`;
  const text = async (url: string): Promise<string> => await (await fetch(url)).text();
  assert.match(await text(`${own}/lookup/example.com/hello@v1.0.0`), /^\d+\nexample\.com\/hello v1\.0\.0 h1:/);
  for (const path of ["/latest", "/tile/8/0/000.p/1"])
    assert.equal(await text(own + path), await text(granary.url + tunnel + path));
  // Whoever comes through a proxy does not speak for this machine.
  const strange = { headers: { forwarded: "for=10.0.0.9" } };
  for (const path of [`/lookup/${secret.path}@v1.0.0`, "/tile/8/data/000.p/1"]) {
    assert.equal((await fetch(own + path, strange)).status, 401, path);
    assert.equal((await fetch(own + path)).status, 200, path);
    assert.equal((await fetch(own + path, strange)).status, 401, `${path}, ready-made`);
  }
  assert.equal((await fetch(`${own}/example.com/hello/@v/v1.0.0.mod`)).status, 404);
  assert.equal((await fetch(`${own}/sumdb/${world.database.name}/latest`)).status, 404);
  assert.equal((await fetch(`${own}/tlog/${ownName}/checkpoint`)).status, 200);
});
