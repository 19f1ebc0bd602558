// The signed list of hashes over HTTP: published, believed while every database is dead, and proven or refuted later.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openIntegrityList } from "#protocol/integrity.ts";
import { parseVerifierKey } from "#protocol/note.ts";
import { checkModuleVersion } from "#protocol/version.ts";
import { integrityWorld, keep, listName, secret } from "../support/integrity-world.ts";

const hello = "/example.com/hello/@v/v1.0.0";

type Events = { name: string; module?: string; verifiedBy?: string; stage?: string; reason?: string }[];

async function eventsOf(store: string): Promise<Events> {
  const text = await readFile(join(store, "state/events.jsonl"), "utf8").catch(() => "");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Events[number]);
}

async function until(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 100));
}

test("the list is published, signed, without private names, with an entity tag", async (t) => {
  const world = await integrityWorld(t);
  const { publisher, from } = world;
  await keep(world, "example.com/hello", "v1.0.0");
  await keep(world, secret.path, secret.version);
  const answer = await fetch(`${publisher.url}/integrity.txt`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, "text/plain; charset=utf-8"]);
  const list = openIntegrityList(bytes, parseVerifierKey(from.split(" ")[1] ?? ""), Date.now());
  assert.deepEqual(Object.keys(list.find(checkModuleVersion("example.com/hello", "v1.0.0"))).sort(), ["mod", "zip"]);
  assert.doesNotMatch(bytes.toString(), /corp/);
  const tag = answer.headers.get("etag") ?? "";
  const again = await fetch(`${publisher.url}/integrity.txt`, { headers: { "if-none-match": tag } });
  assert.deepEqual([again.status, await again.text()], [304, ""]);
  const post = await fetch(`${publisher.url}/integrity.txt`, { method: "POST" });
  assert.equal(post.status, 405);
});

test("without the database the list vouches, and header, status, readyz and events say so until the database proves it", async (t) => {
  const world = await integrityWorld(t);
  await keep(world, "example.com/hello", "v1.0.0");
  const reader = await world.startReader();
  for (const file of ["info", "mod", "zip", "zip"]) {
    const answer = await fetch(`${reader.url}${hello}.${file}`);
    assert.equal(answer.status, 200, await answer.text());
    assert.equal(answer.headers.get("x-granary-verified-by"), "integrity", file);
    assert.equal(answer.headers.get("cache-control"), "no-store");
  }
  const unlisted = await fetch(`${reader.url}/example.com/hello/@v/v1.1.0.mod`);
  assert.equal(unlisted.status, 503);
  assert.match(await unlisted.text(), /GRANARY_SUMDB_UNREACHABLE/);
  assert.equal((await fetch(`${reader.url}/integrity.txt`)).status, 404, "nothing is published without a key");
  const status = async () =>
    (await (await fetch(`${reader.url}/-/api/status`)).json()) as { integrity: unknown; warnings: string[] };
  assert.partialDeepStrictEqual((await status()).integrity, { owed: 2, from: { name: listName, lines: 2 } });
  assert.match(
    await (await fetch(`${reader.url}/-/readyz`)).text(),
    /warning: 2 kept files rest on the integrity list/,
  );

  world.revive(true);
  let proven: Response | undefined;
  await until(async () => {
    proven = await fetch(`${reader.url}${hello}.zip`);
    await proven.arrayBuffer();
    return proven.headers.get("x-granary-verified-by") === null;
  });
  assert.equal(proven?.status, 200);
  await (await fetch(`${reader.url}${hello}.mod`)).arrayBuffer();
  assert.partialDeepStrictEqual((await status()).integrity, { owed: 0 });
});

test("what is owed is proven without anybody asking, in another life of the server", async (t) => {
  const world = await integrityWorld(t);
  await keep(world, "example.com/hello", "v1.0.0");
  const store = join(world.publisher.store, "../reader");
  const first = await world.startReader({ store });
  assert.equal((await fetch(`${first.url}${hello}.zip`)).status, 200);
  await first.stop();
  assert.deepEqual(
    (await eventsOf(store)).filter(({ name }) => name === "module.ingested").map(({ verifiedBy }) => verifiedBy),
    ["integrity", "integrity"],
  );
  world.revive(true);
  const second = await world.startReader({ store });
  await until(async () => (await eventsOf(store)).filter(({ name }) => name === "integrity.proven").length === 2);
  await second.stop();
});

test("a list of another key vouches for nothing, and that is told", async (t) => {
  const world = await integrityWorld(t);
  await keep(world, "example.com/hello", "v1.0.0");
  const reader = await world.startReader({ from: world.strangersFrom });
  const answer = await fetch(`${reader.url}${hello}.mod`);
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /GRANARY_SUMDB_UNREACHABLE/);
  assert.match(reader.stderr(), /integrity\.failed/);
  const status = (await (await fetch(`${reader.url}/-/api/status`)).json()) as {
    integrity: { from: { trouble: string } };
  };
  assert.match(status.integrity.from.trouble, /no verifiable signatures/);
});

test("settings that cannot be are refused with their name and form", async (t) => {
  const world = await integrityWorld(t);
  for (const from of [
    "ftp://list.example.test/integrity.txt x",
    "https://list.example.test/integrity.txt",
    "https://list.example.test/integrity.txt garbage",
  ])
    await assert.rejects(world.startReader({ from }), /GRANARY_INTEGRITY_FROM[^]*URL NAME\+HASH\+KEY/);
});
