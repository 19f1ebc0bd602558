// The publisher, the reader, and what is owed to it.
import assert from "node:assert/strict";
import test from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { maxIntegrityBytes, openIntegrityList } from "#protocol/integrity.ts";
import { generateKey, parseSignerKey, parseVerifierKey } from "#protocol/note.ts";
import type { Storage } from "#services/store/ports.ts";
import { privacyOf } from "#services/proxy/privacy.ts";
import { makeModule } from "../../../test/support/modules.ts";
import { idOf, openRoom, patient, StandingClock } from "../../../test/support/proxy-room.ts";
import { OwedProofs } from "./owed.ts";
import { IntegrityPublisher, validMs } from "./publisher.ts";
import { IntegrityReader } from "./reader.ts";

const keys = generateKey("list.example.test", Buffer.alloc(32, 3));
const signer = parseSignerKey(keys.signerKey);
const verifier = parseVerifierKey(keys.verifierKey);
const { signal } = new AbortController();
const stop = signal;
const open = makeModule({ path: "example.com/open", version: "v1.0.0" });
const secret = makeModule({ path: "corp.example/secret", version: "v1.0.0" });
const parent = makeModule({ path: "corp.example", version: "v1.0.0" });

/** A store with an open module, a private one and its ancestor in it. */
async function keeping() {
  const room = await openRoom({ recorded: [open], private: "corp.example/*" });
  room.client.serve("a", [open, secret, parent]);
  for (const module of [open, secret, parent]) await room.jobs.fetchZip(idOf(module), patient()).catch(() => undefined);
  const privacy = privacyOf("corp.example/*");
  const isPrivate = (path: string) => privacy.mustNotTravel(path);
  return { room, use: { storage: room.storage, signer, isPrivate, clock: room.clock } };
}

test("what a database proved is listed; private names, pins and another list's word are not", async () => {
  const { room, use } = await keeping();
  const { bytes, lines } = await new IntegrityPublisher(use).list();
  const list = openIntegrityList(bytes, verifier, room.clock.now());
  assert.equal(lines, 2);
  const kept = await room.store.findZip(idOf(open));
  const mod = await room.store.findMod(idOf(open));
  assert.deepEqual(list.find(idOf(open)), { zip: kept?.manifest.zip.h1, mod: mod?.manifest.mod.h1 });
  assert.doesNotMatch(bytes.toString(), /corp/);
});

test("what a database proved before it became private is not listed any more", async () => {
  const { use } = await keeping();
  const { lines } = await new IntegrityPublisher({ ...use, isPrivate: (path) => path === open.path }).list();
  assert.equal(lines, 0);
});

test("pins, unproven bytes and what a list vouched for are not passed on", async () => {
  for (const verifiedBy of ["pin", "off", "integrity"]) {
    const { room, use } = await keeping();
    const storage = {
      list: (prefix: string) => room.storage.list(prefix),
      get: async (...[key, maxBytes]: Parameters<Storage["get"]>) => {
        const stored = await room.storage.get(key, maxBytes);
        const text = Buffer.from(stored?.bytes ?? []).toString();
        return stored && { ...stored, bytes: Buffer.from(text.replace('"sumdb"', JSON.stringify(verifiedBy))) };
      },
    };
    const { lines } = await new IntegrityPublisher({ ...use, storage, isPrivate: () => false }).list();
    assert.equal(lines, 0, verifiedBy);
  }
});

test("a list is made at most every five minutes, and once for all who ask at the same time", async () => {
  const { room, use } = await keeping();
  let walks = 0;
  const storage = {
    get: room.storage.get.bind(room.storage),
    list: (prefix: string) => (walks++, room.storage.list(prefix)),
  };
  const publisher = new IntegrityPublisher({ ...use, storage });
  const all = await Promise.all([publisher.list(), publisher.list(), publisher.list()]);
  assert.equal(new Set(all.map(({ sha256 }) => sha256)).size, 1);
  await publisher.list();
  assert.equal(walks, 1);
  room.clock.pass(5 * 60_000);
  await publisher.list();
  assert.equal(walks, 2);
});

async function reading() {
  const { room, use } = await keeping();
  const publisher = new IntegrityPublisher({ ...use });
  const clock = new StandingClock();
  clock.pass(room.clock.now() - clock.now());
  const state = { asked: 0, answer: (): Promise<Uint8Array> => publisher.list().then(({ bytes }) => bytes) };
  const failures: string[] = [];
  const source = { fetch: () => (state.asked++, state.answer()) };
  const reader = new IntegrityReader({ source, verifier, clock, stop, onFailure: (reason) => failures.push(reason) });
  return { room, publisher, clock, state, failures, reader };
}

test("a list is fetched once, and asked for again after a while; a publisher that fails changes nothing until its end", async () => {
  const { reader, state, clock, failures } = await reading();
  const sums = await reader.find(idOf(open), signal);
  assert.ok(sums.zip !== undefined && sums.mod !== undefined);
  await Promise.all([reader.find(idOf(open), signal), reader.find(idOf(secret), signal)]);
  assert.equal(state.asked, 1);
  assert.deepEqual(await reader.find(idOf(secret), signal), {});
  state.answer = () => Promise.reject(new Error("down"));
  clock.pass(5 * 60_000 + 1);
  assert.deepEqual(await reader.find(idOf(open), signal), sums);
  assert.deepEqual([state.asked, failures, reader.view.trouble], [2, ["down"], "down"]);
  assert.deepEqual(await reader.find(idOf(open), signal), sums);
  assert.equal(state.asked, 2, "not asked again at once");
  clock.pass(validMs);
  assert.deepEqual(await reader.find(idOf(open), signal), {});
  assert.deepEqual(failures, ["down"], "told once");
});

test("an older list never takes the place of a newer one, and garbage none", async () => {
  const { reader, state, clock, publisher, room, failures } = await reading();
  const old = (await publisher.list()).bytes;
  room.clock.pass(10 * 60_000);
  clock.pass(10 * 60_000);
  const sums = await reader.find(idOf(open), signal);
  clock.pass(5 * 60_000 + 1);
  state.answer = () => Promise.resolve(old);
  assert.deepEqual(await reader.find(idOf(open), signal), sums);
  assert.match(failures.join(), /older than one/);
  clock.pass(60_000);
  state.answer = () => Promise.resolve(Buffer.alloc(maxIntegrityBytes + 1));
  assert.deepEqual(await reader.find(idOf(open), signal), sums);
  assert.match(failures.at(-1) ?? "", /longer than/);
});

test("an asker that leaves does not wait for a slow source, and the next gets what it brings", async () => {
  const { reader, state, publisher } = await reading();
  const source = Promise.withResolvers<undefined>();
  const { bytes } = await publisher.list();
  state.answer = () => source.promise.then(() => bytes);
  const leaving = new AbortController();
  const left = reader.find(idOf(open), leaving.signal);
  leaving.abort(new Error("left"));
  await assert.rejects(left, /left/);
  const staying = reader.find(idOf(open), signal);
  source.resolve(undefined);
  assert.ok((await staying).zip);
  assert.equal(state.asked, 1);
});

test("what is owed is remembered until it is proven or refuted", async () => {
  const storage = new MemoryStorage();
  const owed = new OwedProofs(storage);
  const id = idOf(makeModule({ path: "github.com/Azure/x", version: "v1.0.0" }));
  await owed.add(id, "mod");
  await owed.add(id, "mod");
  await owed.add(id, "zip");
  assert.equal(await owed.count(), 2);
  assert.deepEqual((await new OwedProofs(storage).list()).map(({ id, stage }) => `${id.path} ${stage}`).sort(), [
    "github.com/Azure/x mod",
    "github.com/Azure/x zip",
  ]);
  await owed.prove(id, "mod");
  assert.deepEqual(
    [await owed.isProven(id, "mod"), await owed.isProven(id, "zip"), await owed.count()],
    [true, false, 1],
  );
  assert.deepEqual([await owed.refute(id, "zip"), await owed.refute(id, "zip"), await owed.count()], [true, false, 0]);
  assert.equal(await owed.isProven(id, "zip"), false);
});
