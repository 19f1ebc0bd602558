// Ingests on a disk that has no room, or breaks in the middle.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { silentMeter } from "#services/events/ports.ts";
import { versionKey } from "#services/store/layout.ts";
import { StoreUnavailable, storageKey } from "#services/store/ports.ts";
import { IngestRefused } from "#services/store/room.ts";
import type { RefusalReason } from "#services/store/room.ts";
import { troubleOf } from "#services/store/trouble.ts";
import { fixtureZip } from "../../../test/support/fixture-zip.ts";
import { someBytes } from "../../../test/support/manifests.ts";
import { makeModule } from "../../../test/support/modules.ts";
import { idOf, keysOf, openRoom, patient, playedUpstream } from "../../../test/support/proxy-room.ts";

const module = makeModule({ path: "example.com/m", version: "v1.0.0" });
const id = idOf(module);
const target = { kind: "zip", cachedOnly: false, ...id } as const;
const asking = { keptOnly: false, ...patient() } as const;
const space = { freeBytes: 5, totalBytes: 100, freeInodes: undefined, totalInodes: undefined };

/** A door that is open, or closed for a reason; and what it was told. */
function door() {
  const state: { reason: RefusalReason | undefined; told: unknown[] } = { reason: undefined, told: [] };
  const admit = (): void => {
    const { reason } = state;
    if (reason !== undefined) throw new IngestRefused(reason, { space, markBytes: 10, refusal: undefined });
  };
  const room = {
    admit,
    enter: async () => await Promise.resolve().then(admit),
    failed: (error: unknown) => void state.told.push(troubleOf(error)),
  };
  return { state, room };
}

async function roomWith(options: Parameters<typeof openRoom>[0] = {}) {
  const room = await openRoom({ recorded: [module], upstreams: [playedUpstream("a")], ...options });
  room.client.serve("a", [module]);
  return room;
}

const refusals = [
  ["low-space", "GRANARY_STORE_FULL"],
  ["low-inodes", "GRANARY_STORE_FULL"],
  ["full", "GRANARY_STORE_FULL"],
  ["quota", "GRANARY_STORE_FULL"],
  ["read-only", "GRANARY_STORE_READ_ONLY"],
  ["io", "GRANARY_STORE_UNAVAILABLE"],
  ["files", "GRANARY_STORE_UNAVAILABLE"],
] as const;

for (const [reason, code] of refusals)
  test(`closed because of ${reason}: ${code}, nobody is asked, what is kept is served; open again it goes on`, async () => {
    const { state, room: gate } = door();
    const room = await roomWith({ room: gate });
    await room.proxy.answer({ ...target, kind: "mod" }, asking);
    state.reason = reason;
    const asked = room.client.asked.length;
    await assert.rejects(room.proxy.answer(target, asking), { code });
    assert.equal(room.client.asked.length, asked);
    assert.equal((await room.proxy.answer({ ...target, kind: "mod" }, asking)).kind, "bytes");
    state.reason = undefined;
    assert.equal((await room.proxy.answer(target, asking)).kind, "zip");
  });

test("what is damaged is mended though nothing new is taken", async () => {
  const { state, room: gate } = door();
  const storage = new MemoryStorage();
  const room = await roomWith({ room: gate, storage });
  await room.jobs.fetchMod(id, patient());
  const key = versionKey(id, "mod");
  await storage.replace(key, Buffer.from("rot"), (await storage.stat(key))?.token);
  state.reason = "low-space";
  await room.proxy.answer({ ...target, kind: "mod" }, asking);
  assert.notEqual((await storage.get(key, 100))?.bytes.toString(), "rot");
});

test("a zip that the closing door meets on its way in is broken off, and leaves nothing", async () => {
  // Base64 has six bits to eight, which deflate gets back.
  const blob = Buffer.from(someBytes(9 << 20, 1)).toString("base64");
  const big = makeModule({ ...module, files: { "go.mod": "module example.com/m\n", "a.txt": blob } });
  const { state, room: gate } = door();
  const room = await roomWith({ room: gate, recorded: [big] });
  room.client.serve("a", [big]);
  await room.jobs.fetchMod(id, patient());
  const closing = {
    ...gate,
    // The first question is asked before the fetch, the second one in the middle of it.
    enter: async () => {
      await gate.enter();
      state.reason = "low-space";
    },
  };
  const again = await roomWith({ room: closing, recorded: [big], storage: room.storage });
  again.client.serve("a", [big]);
  await assert.rejects(again.proxy.answer(target, asking), { code: "GRANARY_STORE_FULL" });
  assert.equal(again.client.count("a", ".zip"), 1);
  assert.ok(!(await keysOf(room.storage, "modules/example.com/")).some((key) => key.endsWith(".zip")));
});

test("a manifest that finds no room takes its zip along: nothing is left to fill the disk", async () => {
  const storage = new FaultyStorage(new MemoryStorage());
  const { state, room: gate } = door();
  const room = await roomWith({ storage, room: gate });
  await room.jobs.fetchMod(id, patient());
  storage.arm({ on: "create", key: /zip[.]manifest$/, does: { kind: "full", when: "before" } });
  await assert.rejects(room.proxy.answer(target, asking), { code: "GRANARY_STORE_FULL" });
  assert.ok(!(await keysOf(storage, "modules/example.com/")).some((key) => key.includes(".zip")));
  assert.deepEqual(state.told, ["full"], "the door hears of it");
  assert.equal((await room.proxy.answer(target, asking)).kind, "zip");
});

test("a manifest that was written after all keeps its zip", async () => {
  const storage = new FaultyStorage(new MemoryStorage());
  const room = await roomWith({ storage });
  await room.jobs.fetchMod(id, patient());
  storage.arm({ on: "create", key: /zip[.]manifest$/, does: { kind: "unavailable", when: "after" } });
  await assert.rejects(room.jobs.fetchZip(id, patient()), StoreUnavailable);
  const kept = await storage.get(versionKey(id, "zip"), 1 << 20);
  assert.deepEqual(Buffer.from(kept?.bytes ?? []), Buffer.from(fixtureZip(module)));
  assert.notEqual(await room.store.findZip(id), undefined);
});

test("a zip that somebody else has put there meanwhile stays", async () => {
  const storage = new FaultyStorage(new MemoryStorage());
  const room = await roomWith({ storage });
  await room.jobs.fetchMod(id, patient());
  const key = versionKey(id, "zip");
  storage.arm({ on: "create", key: /zip[.]manifest$/, does: { kind: "full", when: "before" } });
  const stat = storage.stat.bind(storage);
  storage.stat = async (asked) => {
    // Between our failure and our look at what lies there.
    if (storage.calls.at(-1) === `create ${versionKey(id, "zip.manifest")}`)
      await storage.replace(key, Buffer.from("theirs"), (await stat(key))?.token);
    return await stat(asked);
  };
  await assert.rejects(room.jobs.fetchZip(id, patient()), StoreUnavailable);
  assert.equal(Buffer.from((await storage.get(key, 1 << 20))?.bytes ?? []).toString(), "theirs");
});

test("each step of an ingest is measured by its name", async () => {
  const steps: string[] = [];
  const meter = { ...silentMeter, ingestStep: (step: string) => void steps.push(step) };
  const room = await roomWith({ meter });
  await room.jobs.fetchMod(id, patient());
  assert.deepEqual(steps.toSorted(), ["admit", "fetch", "keep", "notify", "prove", "resolve", "resolve", "verify"]);
  steps.length = 0;
  await room.jobs.fetchZip(id, patient());
  assert.deepEqual(new Set(steps), new Set(["resolve", "admit", "fetch", "prove", "verify", "keep", "notify"]));
  assert.deepEqual(steps.slice(-2), ["keep", "notify"]);
});

test("a lie is told as denied and its evidence as quarantined; a zip that breaks rules is denied with its reason", async () => {
  const lie = makeModule({ ...module, files: { "go.mod": "module example.com/m\n\ngo 1.19\n", "doc.go": "evil\n" } });
  const room = await openRoom({ recorded: [module], upstreams: ["a", "b", "c"].map((name) => playedUpstream(name)) });
  room.client.serve("a", [lie]);
  room.client.serve("b", [module]);
  room.client.play("b", ".zip", { status: 200, body: "no zip at all" });
  room.client.serve("c", [module]);
  await room.jobs.fetchZip(id, patient());
  const told = room.emitted.filter(({ name }) => name.startsWith("module.") && name !== "module.ingested");
  const [evidence] = await room.quarantine.list();
  assert.deepEqual(
    told.map((event) => [event.name, "upstream" in event && event.upstream, "code" in event && event.code]),
    [
      ["module.denied", "a", "GRANARY_SUMDB_MISMATCH"],
      ["module.quarantined", "a", false],
      ["module.denied", "b", "GRANARY_BAD_MODULE"],
    ],
  );
  assert.partialDeepStrictEqual(told[1], { kind: "zip", id: evidence?.id, found: evidence?.found });
  const stages = room.emitted.flatMap((event) => (event.name === "module.ingested" ? [event.stage] : []));
  assert.deepEqual(stages, ["mod", "zip"]);
});

test("without room for the evidence the lie is denied all the same", async () => {
  const lie = makeModule({ ...module, files: { "go.mod": "module example.com/m\n\ngo 1.19\n", "doc.go": "evil\n" } });
  const storage = new FaultyStorage(new MemoryStorage());
  const room = await roomWith({ storage });
  room.client.serve("a", [lie]);
  await room.jobs.fetchMod(id, patient());
  storage.arm({ on: "create", key: /quarantine/, times: 100, does: { kind: "full", when: "before" } });
  await assert.rejects(room.jobs.fetchZip(id, patient()), { code: "GRANARY_SUMDB_MISMATCH" });
  const names = room.emitted.map(({ name }) => name);
  assert.deepEqual([names.includes("module.denied"), names.includes("module.quarantined")], [true, false]);
  assert.equal(await storage.get(storageKey("state/quarantine/x"), 1), undefined);
});
