import assert from "node:assert/strict";
import test from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { parsePath } from "#protocol/path.ts";
import { storageKey } from "#services/store/ports.ts";
import { makeModule } from "../../../test/support/modules.ts";
import { idOf, openRoom, patient } from "../../../test/support/proxy-room.ts";
import type { Room } from "../../../test/support/proxy-room.ts";
import type { ListingKind } from "./listings.ts";

const path = parsePath("example.com/m");
const kept = makeModule({ path: "example.com/m", version: "v1.0.0" });
const file = "/example.com/m/@v/list";

async function ask({ listings }: Room, kind: ListingKind = "list", query = "") {
  const { bytes, provenance } = await listings.get(kind, path, { query, ...patient() });
  const text = Buffer.from(bytes).toString();
  return { text, here: provenance.here };
}

/** A room that keeps v1.0.0 whole, and has forgotten what upstreams said. */
async function keeping(options: Parameters<typeof openRoom>[0] = {}) {
  const room = await openRoom({ recorded: [kept], ...options });
  room.client.serve("a", [kept]);
  await room.jobs.fetchZip(idOf(kept), patient());
  return room;
}

test("a list is asked once within its time, and again after it", async () => {
  const room = await openRoom();
  room.client.play("a", file, { status: 200, body: "v1.0.0\n" });
  assert.deepEqual(await ask(room), { text: "v1.0.0\n", here: "MISS" });
  assert.deepEqual(await ask(room), { text: "v1.0.0\n", here: "HIT" });
  assert.equal(room.client.count("a", "list"), 1);
  room.clock.pass(60_000);
  room.client.play("a", file, { status: 200, body: "v1.0.0\nv1.1.0\n" });
  assert.deepEqual(await ask(room), { text: "v1.0.0\nv1.1.0\n", here: "EXPIRED" });
});

test("askers of one listing share one question; an aborted one does not end it", async () => {
  const room = await openRoom();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  room.client.gate = promise;
  room.client.play("a", file, { status: 200, body: "v1.0.0\n" });
  const leaving = new AbortController();
  const first = room.listings.get("list", path, { query: "", hops: "", signal: leaving.signal });
  const others = [ask(room), ask(room)];
  leaving.abort(new Error("gone"));
  await assert.rejects(first, /gone/);
  resolve(undefined);
  for (const { text } of await Promise.all(others)) assert.equal(text, "v1.0.0\n");
  assert.equal(room.client.count("a", "list"), 1);
});

test("the list is the union of what upstream says and what is kept, in order and each version once", async () => {
  const room = await keeping();
  room.client.play("a", file, { status: 200, body: "v1.10.0\nv1.2.0\nv1.0.0\n" });
  assert.equal((await ask(room)).text, "v1.0.0\nv1.2.0\nv1.10.0\n");
  room.clock.pass(60_000);
  room.client.play("a", file, { status: 200, body: "v1.2.0\n" });
  assert.equal((await ask(room)).text, "v1.0.0\nv1.2.0\n");
});

test("no pseudo-version is listed, from upstream or kept", async () => {
  const pseudo = makeModule({ path: "example.com/m", version: "v0.0.0-20240102030405-0123456789ab" });
  const room = await openRoom({ recorded: [pseudo] });
  room.client.serve("a", [pseudo]);
  await room.jobs.fetchZip(idOf(pseudo), patient());
  room.client.play("a", file, { status: 200, body: `${pseudo.version}\nv1.0.0\n` });
  assert.equal((await ask(room)).text, "v1.0.0\n");
});

for (const fault of ["refused", "timeout", "reset"] as const) {
  test(`an upstream that fails (${fault}) does not shrink the list: the old one is served as stale`, async () => {
    const room = await keeping();
    room.client.play("a", file, { status: 200, body: "v1.0.0\nv1.1.0\nv1.2.0\n" });
    await ask(room);
    room.clock.pass(60_000);
    for (const upstream of ["a", "b"]) room.client.play(upstream, file, fault);
    assert.deepEqual(await ask(room), { text: "v1.0.0\nv1.1.0\nv1.2.0\n", here: "STALE" });
  });
}

test("with every upstream disabled the old list is served as stale, and what is kept is not passed off as one", async () => {
  const room = await keeping();
  room.disable("a", "b");
  await assert.rejects(ask(room), { code: "GRANARY_UPSTREAMS_DISABLED" });
  room.disable();
  room.client.play("a", file, { status: 200, body: "v1.0.0\nv1.1.0\n" });
  await ask(room);
  room.disable("a", "b");
  room.clock.pass(60_000);
  assert.deepEqual(await ask(room), { text: "v1.0.0\nv1.1.0\n", here: "STALE" });
});

test("with an upstream that fails and no list remembered, what is kept is not passed off as the list", async () => {
  const room = await keeping();
  for (const upstream of ["a", "b"]) room.client.play(upstream, file, "refused");
  await assert.rejects(ask(room), { code: "GRANARY_OFFLINE" });
});

test("what upstreams no longer have is still listed as far as it is kept", async () => {
  const room = await keeping();
  for (const upstream of ["a", "b"]) room.client.play(upstream, file, { status: 404 });
  assert.deepEqual(await ask(room), { text: "v1.0.0\n", here: "STALE" });
});

test("an absent module with nothing kept is absent", async () => {
  await assert.rejects(ask(await openRoom()), { code: "GRANARY_NOT_FOUND" });
});

for (const [name, body] of [
  ["a page", "<!DOCTYPE html><html></html>"],
  ["nothing of a version", "\u0000\u0001\n"],
] as const) {
  test(`${name} in place of a list is never served`, async () => {
    const room = await openRoom();
    room.client.play("a", file, { status: 200, body });
    room.client.play("b", file, { status: 200, body: "v1.0.0\n" });
    assert.doesNotMatch((await ask(room)).text, /html|\0/);
  });
}

test("a listing is asked again with its entity tag, at the upstream that gave it; 304 keeps it", async () => {
  const room = await openRoom();
  const seen: (string | undefined)[] = [];
  room.client.play("a", file, ({ headers }) => {
    seen.push(headers?.["if-none-match"]);
    if (headers?.["if-none-match"] === '"one"') return { status: 304 };
    return { status: 200, headers: { etag: '"one"' }, body: "v1.0.0\n" };
  });
  await ask(room);
  room.clock.pass(60_000);
  assert.deepEqual(await ask(room), { text: "v1.0.0\n", here: "EXPIRED" });
  assert.deepEqual(await ask(room), { text: "v1.0.0\n", here: "HIT" });
  assert.deepEqual(seen, [undefined, '"one"']);
});

test("a listing outlives a restart, entity tag included", async () => {
  const storage = new MemoryStorage();
  const first = await openRoom({ storage });
  first.client.play("a", file, { status: 200, headers: { etag: '"one"' }, body: "v1.0.0\nv1.1.0\n" });
  await ask(first);
  const second = await openRoom({ storage });
  second.clock.pass(60_000);
  let condition: string | undefined;
  second.client.play("a", file, ({ headers }) => {
    condition = headers?.["if-none-match"];
    return "refused";
  });
  second.client.play("b", file, "refused");
  assert.deepEqual(await ask(second), { text: "v1.0.0\nv1.1.0\n", here: "STALE" });
  assert.equal(condition, '"one"');
});

test("a damaged remembered listing is asked for again", async () => {
  const storage = new MemoryStorage();
  const first = await openRoom({ storage });
  first.client.play("a", file, { status: 200, body: "v1.0.0\n" });
  await ask(first);
  for await (const { key } of storage.list("state/listings/")) {
    const stat = await storage.stat(key);
    await storage.replace(key, Buffer.from('{"text":7'), stat?.token);
  }
  const second = await openRoom({ storage });
  second.client.play("a", file, { status: 200, body: "v1.0.0\nv1.1.0\n" });
  assert.deepEqual(await ask(second), { text: "v1.0.0\nv1.1.0\n", here: "MISS" });
});

for (const kind of ["full", "unavailable"] as const) {
  test(`a store that is ${kind} does not keep a fresh listing from being served`, async () => {
    const storage = new FaultyStorage(new MemoryStorage());
    const room = await openRoom({ storage });
    room.client.play("a", file, { status: 200, body: "v1.0.0\n" });
    storage.arm({ on: "replace", key: /^state\/listings\//, does: { kind, when: "before" } });
    assert.deepEqual(await ask(room), { text: "v1.0.0\n", here: "MISS" });
  });
}

test("kept() asks nobody: what is remembered and kept, or nothing", async () => {
  const room = await keeping();
  assert.equal(await room.listings.kept("latest", path, ""), undefined);
  assert.equal(await room.listings.kept("list", parsePath("example.com/other"), ""), undefined);
  const list = await room.listings.kept("list", path, "");
  assert.equal(Buffer.from(list?.bytes ?? []).toString(), "v1.0.0\n");
  assert.equal(room.client.count("a", "list"), 0);
});

test("@latest and branches are re-made, and remembered apart", async () => {
  const room = await openRoom();
  const info = (version: string) => ({ status: 200, body: `{"Version":"${version}","Odd":"<script>"}` });
  room.client.play("a", "/@latest", info("v1.0.0"));
  room.client.play("a", "/@v/main.info", info("v1.2.0"));
  const latest = await ask(room, "latest");
  const main = await ask(room, "query", "main");
  assert.match(latest.text, /"v1\.0\.0"/);
  assert.match(main.text, /"v1\.2\.0"/);
  assert.doesNotMatch(latest.text + main.text, /script/);
});

test("forget() sends the next question out, for that module only", async () => {
  const room = await openRoom();
  const other = parsePath("example.com/mm");
  for (const asked of ["/example.com/m/@v/list", "/example.com/mm/@v/list"])
    room.client.play("a", asked, { status: 200, body: "v1.0.0\n" });
  await ask(room);
  await room.listings.get("list", other, { query: "", ...patient() });
  room.listings.forget("example.com/m");
  await ask(room);
  await room.listings.get("list", other, { query: "", ...patient() });
  assert.equal(room.client.count("a", "/m/@v/list"), 2);
  assert.equal(room.client.count("a", "/mm/@v/list"), 1);
});

test("a list from the future, written down before somebody set the clock back, is asked for again", async () => {
  const room = await openRoom();
  room.client.play("a", file, { status: 200, body: "v1.0.0\n" });
  await ask(room);
  room.clock.pass(-365 * 24 * 3_600_000);
  room.client.play("a", file, { status: 200, body: "v1.0.0\nv1.1.0\n" });
  assert.deepEqual(await ask(room), { text: "v1.0.0\nv1.1.0\n", here: "EXPIRED" });
});

test("a remembered list in which a bit has flipped names no version that nobody ever made", async () => {
  const storage = new MemoryStorage();
  const room = await openRoom({ storage });
  room.client.play("a", file, { status: 200, body: "v1.0.0\n" });
  await ask(room);
  const key = storageKey("state/listings/example.com/m/@v/list.json");
  const stored = await storage.get(key, 10_000);
  const flipped = Buffer.from(stored?.bytes ?? "")
    .toString()
    .replace("v1.0.0", "v1.0.1");
  assert.equal(await storage.replace(key, Buffer.from(flipped), stored?.token), "replaced");
  const next = await openRoom({ storage });
  for (const upstream of ["a", "b"]) next.client.play(upstream, file, "refused");
  await assert.rejects(ask(next), { code: "GRANARY_OFFLINE" });
});

test("an answer that was on its way when its module was forgotten is remembered by nobody", async () => {
  const room = await openRoom();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  room.client.gate = promise;
  room.client.play("a", file, { status: 200, body: "v1.0.0\n" });
  const before = room.listings.get("list", path, { query: "", ...patient() });
  room.listings.forget("example.com");
  resolve(undefined);
  assert.equal((await before).freshForMs, 0);
  assert.equal((await ask(room)).here, "MISS");
  assert.equal(room.client.count("a", "list"), 2);
});

test("who asks after a module was forgotten does not join a question from before", async () => {
  const room = await openRoom();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  room.client.gate = promise;
  room.client.play("a", file, { status: 200, body: "v1.0.0\n" });
  const before = ask(room);
  room.listings.forget("example.com");
  const after = ask(room);
  resolve(undefined);
  await Promise.all([before, after]);
  assert.equal(room.client.count("a", "list"), 2);
});

test("while a forgotten list is asked for anew, the old one is nobody's answer", async () => {
  const room = await openRoom();
  room.client.play("a", file, { status: 200, body: "v1.0.0\n" });
  await ask(room);
  room.listings.forget(path);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  room.client.gate = promise;
  room.client.play("a", file, { status: 200, body: "v1.0.0\nv1.1.0\n" });
  const first = ask(room);
  await new Promise((done) => setTimeout(done, 20));
  const second = ask(room);
  resolve(undefined);
  assert.equal((await first).text, "v1.0.0\nv1.1.0\n");
  assert.equal((await second).text, "v1.0.0\nv1.1.0\n");
});

test("a list is known when it was given once, by an earlier process too", async () => {
  const room = await openRoom();
  assert.equal(await room.listings.isKnown(path), false);
  room.client.play("a", file, { status: 200, body: "v1.0.0\n" });
  await ask(room);
  assert.equal(await room.listings.isKnown(path), true);
  const later = await openRoom({ storage: room.storage });
  assert.equal(await later.listings.isKnown(path), true);
  assert.equal(await later.listings.isKnown(parsePath("example.com/other")), false);
});

test("each upstream is asked by its own validator, and one that lags costs the others no body", async () => {
  const room = await openRoom();
  const says = (upstream: string, body: string): void =>
    room.client.play(upstream, file, ({ headers }) => {
      const etag = `"${upstream} ${body.length}"`;
      return headers?.["if-none-match"] === etag
        ? { status: 304, headers: { etag } }
        : { status: 200, headers: { etag }, body };
    });
  const asked = (): (string | undefined)[] =>
    room.client.requests
      .splice(0)
      .map(({ upstream, request }) => `${upstream} ${request.headers?.["if-none-match"] ?? "-"}`);
  says("a", "v1.0.0\n");
  says("b", "v1.0.0\n");
  await ask(room);
  room.clock.pass(60_000);
  room.client.play("a", file, "refused");
  await ask(room);
  says("a", "v1.0.0\n");
  asked();
  for (let n = 0; n < 2; n++) {
    room.clock.pass(60_000);
    assert.deepEqual(await ask(room), { text: "v1.0.0\n", here: "EXPIRED" });
  }
  assert.deepEqual(asked(), ['a "a 7"', 'a "a 7"'], "b's answer with the same text did not cost a's validator");
  says("a", "v1.0.0\nv1.1.0\n");
  room.clock.pass(60_000);
  assert.equal((await ask(room)).text, "v1.0.0\nv1.1.0\n");
  room.client.play("a", file, "refused");
  room.clock.pass(60_000);
  asked();
  await ask(room);
  assert.ok(asked().includes("b -"), "what b called the older text says nothing of this one");
});
