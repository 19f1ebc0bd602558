import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { FaultyStorage } from "#adapters/storage/faulty.ts";
import { hashGoMod } from "#protocol/dirhash.ts";
import { parsePath } from "#protocol/path.ts";
import { bytesSource } from "#protocol/zip-bytes.ts";
import { checkModuleZip } from "#protocol/zip-check.ts";
import { versionKey } from "#services/store/layout.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { settle } from "../../../test/support/hand-clock.ts";
import { isGranaryError } from "#services/errors/granary-error.ts";
import { VerifierFault } from "#services/proxy/ports.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import { troubleOf } from "#services/store/trouble.ts";
import type { Verifier } from "#services/proxy/ports.ts";
import type { KeptMod } from "#services/store/module-store.ts";
import { storageKey } from "#services/store/ports.ts";
import type { Lanes } from "#services/upstreams/attempt.ts";
import type { Urgency } from "#services/upstreams/urgency.ts";
import { fixtureZip } from "../../../test/support/fixture-zip.ts";
import { makeModule } from "../../../test/support/modules.ts";
import { idOf, keysOf, openRoom, patient, plainVerifier, playedUpstream } from "../../../test/support/proxy-room.ts";
import type { Room } from "../../../test/support/proxy-room.ts";

const module = makeModule({ path: "example.com/m", version: "v1.0.0" });
const id = idOf(module);
const goMod = "module example.com/m\n\ngo 1.19\n";
/** The same version with other content; its zip is a good one. */
const withFiles = (files: Record<string, string>) => makeModule({ path: "example.com/m", version: "v1.0.0", files });
const otherCode = withFiles({ "go.mod": goMod, "doc.go": "package evil\n" });
const otherMod = withFiles({ "go.mod": "module example.com/m\n\ngo 1.18\n", "doc.go": "package m\n" });

/** A room whose upstreams `a` and `b` both serve what is on record. */
async function honest(options: Parameters<typeof openRoom>[0] = {}): Promise<Room> {
  const room = await openRoom({ recorded: [module], ...options });
  for (const upstream of ["a", "b"]) room.client.serve(upstream, [module]);
  return room;
}

async function readZip(room: Room): Promise<Buffer> {
  const zip = await room.store.findZip(id);
  assert.ok(zip);
  const source = await zip.open();
  const bytes = Buffer.alloc(source.size);
  await source.read(0, bytes);
  await source.close();
  return bytes;
}

async function assertNothingKept(room: Room): Promise<void> {
  assert.deepEqual(await keysOf(room.storage, "modules/example.com/"), []);
}

test("stage mod keeps .info and go.mod of one upstream and never fetches the zip", async () => {
  const room = await honest();
  const { kept, provenance } = await room.jobs.fetchMod(id, patient());
  assert.equal(Buffer.from(kept.mod).toString(), goMod);
  assert.equal(provenance.here, "MISS");
  assert.equal(kept.manifest.verifiedBy, "sumdb");
  assert.equal(kept.manifest.records[0]?.database, room.database.name);
  assert.deepEqual(room.client.asked.sort(), ["a /example.com/m/@v/v1.0.0.info", "a /example.com/m/@v/v1.0.0.mod"]);
});

test("the zip follows: after stage mod it fetches nothing but the zip, and keeps the upstream's bytes", async () => {
  const room = await honest();
  await room.jobs.fetchMod(id, patient());
  room.client.asked.length = 0;
  await room.jobs.fetchZip(id, patient());
  assert.deepEqual(room.client.asked, ["a /example.com/m/@v/v1.0.0.zip"]);
  assert.deepEqual(await readZip(room), Buffer.from(fixtureZip(module)));
  assert.equal((await room.store.listKept(id.path)).join(), "v1.0.0");
});

test("asked for the zip first, stage mod comes before it", async () => {
  const room = await honest();
  await room.jobs.fetchZip(id, patient());
  assert.notEqual(await room.store.findMod(id), undefined);
});

test("many askers, one fetch of each file; asked again, none", async () => {
  const room = await honest();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  room.client.gate = promise;
  const mods = [1, 2, 3].map(() => room.jobs.fetchMod(id, patient()));
  const zips = [1, 2, 3].map(() => room.jobs.fetchZip(id, patient()));
  resolve(undefined);
  await Promise.all([...mods, ...zips]);
  const again = await room.jobs.fetchZip(id, patient());
  assert.equal(again.provenance.here, "HIT");
  for (const ending of [".info", ".mod", ".zip"]) assert.equal(room.client.count("a", ending), 1, ending);
  assert.equal(room.jobs.running, 0);
});

test("a version known to exist has the database asked while .info is on its way, others after; without upstreams never", async () => {
  const lookups: string[] = [];
  const unreachable = new SumdbError("SUMDB_UNREACHABLE", "sum.test", { message: "cut" });
  const lookup = ({ path, version }: ModuleVersion): Promise<never> => {
    lookups.push(`${path}@${version}`);
    return Promise.reject(unreachable);
  };
  const room = await honest({ databases: [{ name: "sum.test", lookup }] });
  const held = Promise.withResolvers<undefined>();
  room.client.gate = held.promise;
  const known = room.jobs.fetchMod(id, { ...patient(), exists: true });
  const other = room.jobs.fetchMod(idOf({ path: "example.com/other", version: "v1.0.0" }), patient());
  await settle();
  assert.deepEqual(lookups, ["example.com/m@v1.0.0"]);
  held.resolve(undefined);
  // What failed early is asked again when there is something to prove.
  await assert.rejects(known, (error) => error === unreachable);
  assert.deepEqual(lookups, ["example.com/m@v1.0.0", "example.com/m@v1.0.0"]);
  await assert.rejects(other, /GRANARY_NOT_FOUND|other/);
  room.disable("a", "b");
  await assert.rejects(room.jobs.fetchMod(id, { ...patient(), exists: true }));
  assert.equal(lookups.length, 2);
});

test("a client that goes away does not end the job", async () => {
  const room = await honest();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  room.client.gate = promise;
  const leaving = new AbortController();
  const first = room.jobs.fetchZip(id, { hops: "", signal: leaving.signal });
  leaving.abort(new Error("gone"));
  await assert.rejects(first, /gone/);
  resolve(undefined);
  // Nobody waits for it any more, and it still ends in the store.
  while (room.jobs.running > 0) await new Promise((done) => setImmediate(done));
  assert.deepEqual(await readZip(room), Buffer.from(fixtureZip(module)));
});

test("a client that joins a job begun for nobody makes it urgent, the stage before the zip too", async () => {
  const urgencies: (Urgency | undefined)[] = [];
  const lanes: Lanes = {
    enter: (_upstream, { urgency }) => {
      urgencies.push(urgency);
      return Promise.resolve({ leave: () => undefined });
    },
  };
  const isUrgent = (): (boolean | undefined)[] => urgencies.map((urgency) => urgency?.isUrgent);
  const room = await honest({ manners: { lanes } });
  const { promise, resolve } = Promise.withResolvers<undefined>();
  room.client.gate = promise;
  const ahead = [
    room.jobs.fetchZip(id, { ...patient(), ahead: true }),
    room.jobs.fetchMod(id, { ...patient(), ahead: true }),
  ];
  while (urgencies.length === 0) await new Promise((done) => setImmediate(done));
  assert.deepEqual(new Set(isUrgent()), new Set([false]));
  const client = room.jobs.fetchZip(id, patient());
  while (isUrgent().includes(false)) await new Promise((done) => setImmediate(done));
  resolve(undefined);
  await Promise.all([...ahead, client]);
  assert.deepEqual(new Set(isUrgent()), new Set([true]));
});

test("a failure is not handed to who comes later", async () => {
  const room = await honest();
  for (const upstream of ["a", "b"]) room.client.play(upstream, ".info", { status: 500 });
  await assert.rejects(room.jobs.fetchMod(id, patient()), { code: "GRANARY_UPSTREAM_FAILED" });
  room.client.stopPlaying();
  assert.equal((await room.jobs.fetchMod(id, patient())).provenance.here, "MISS");
});

// ---- lies ----

test("a lying go.mod is quarantined, and the next upstream's is kept", async () => {
  const room = await honest();
  room.client.serve("a", [otherMod]);
  const { kept } = await room.jobs.fetchMod(id, patient());
  assert.equal(Buffer.from(kept.mod).toString(), goMod);
  assert.equal(kept.manifest.origin.upstream, "b");
  const [held, ...more] = await room.quarantine.list();
  assert.deepEqual([held?.upstream, held?.kind, more.length], ["a", "mod", 0]);
  const bytes = await room.storage.get(storageKey(`state/quarantine/${held?.id}.bytes`), 1000);
  assert.equal(Buffer.from(bytes?.bytes ?? []).toString(), "module example.com/m\n\ngo 1.18\n");
  assert.equal(room.emitted.filter(({ name }) => name === "module.denied").length, 1);
});

test("a lying zip is quarantined whole, and the next upstream's is kept", async () => {
  const room = await honest();
  room.client.serve("a", [otherCode]);
  await room.jobs.fetchZip(id, patient());
  assert.deepEqual(await readZip(room), Buffer.from(fixtureZip(module)));
  const [held] = await room.quarantine.list();
  const bytes = await room.storage.get(storageKey(`state/quarantine/${held?.id}.bytes`), 1 << 20);
  assert.deepEqual(Buffer.from(bytes?.bytes ?? []), Buffer.from(fixtureZip(otherCode)));
});

test("when all lie, the mismatch is told with both hashes, and nothing of the zip is kept", async () => {
  const room = await honest();
  for (const upstream of ["a", "b"]) room.client.serve(upstream, [otherCode]);
  const recorded = checkModuleZip(bytesSource(fixtureZip(module)), module).h1;
  const received = checkModuleZip(bytesSource(fixtureZip(otherCode)), module).h1;
  await assert.rejects(
    room.jobs.fetchZip(id, patient()),
    (error: { code: string; fields: Record<string, unknown> }) => {
      assert.equal(error.code, "GRANARY_SUMDB_MISMATCH");
      assert.deepEqual([error.fields["recorded"], error.fields["received"]], [recorded, received]);
      return true;
    },
  );
  assert.deepEqual(
    await keysOf(room.storage, "modules/example.com/").then((keys) => keys.filter((k) => /zip|list/.test(k))),
    [],
  );
});

const unusable: readonly (readonly [string, string, string])[] = [
  ["a page instead of .info", ".info", "<!DOCTYPE html><html></html>"],
  [".info of another version", ".info", '{"Version":"v1.0.1"}'],
  [".info that says a thing twice", ".info", '{"Version":"v1.0.0","version":"v1.0.1"}'],
  ["a page instead of go.mod", ".mod", "<!DOCTYPE html><html></html>"],
  ["an empty go.mod", ".mod", ""],
  ["a page instead of the zip", ".zip", "<!DOCTYPE html><html></html>"],
  ["an empty zip", ".zip", ""],
];

for (const [name, ending, body] of unusable) {
  test(`${name} from one upstream does not block the version, and is not kept when all send it`, async () => {
    const room = await honest();
    room.client.play("a", ending, { status: 200, body });
    await room.jobs.fetchZip(id, patient());
    assert.deepEqual(await readZip(room), Buffer.from(fixtureZip(module)));
    const liars = await honest();
    for (const upstream of ["a", "b"]) liars.client.play(upstream, ending, { status: 200, body });
    await assert.rejects(liars.jobs.fetchZip(id, patient()), { name: "GranaryError" });
    assert.equal(await liars.store.findZip(id), undefined);
    if (ending !== ".zip") await assertNothingKept(liars);
  });
}

for (const [name, body] of [
  ["a page", "<!DOCTYPE html><html></html>"],
  ["nothing", ""],
  ["a text without a module line", "go 1.19\n"],
] as const) {
  test(`${name} instead of a go.mod is refused also where no record vouches for it`, async () => {
    const upstreams = ["a", "b"].map((upstream) => playedUpstream(upstream, { privatePatterns: "*", public: false }));
    for (const options of [{ databases: [] }, { private: "example.com", upstreams }]) {
      const room = await honest(options);
      room.client.play("a", ".mod", { status: 200, body });
      const { kept } = await room.jobs.fetchMod(id, patient());
      assert.equal(Buffer.from(kept.mod).toString(), goMod);
    }
  });
}

test("both halves of a snapshot come from one upstream: without its go.mod its .info is not kept", async () => {
  const room = await honest();
  room.client.play("a", ".info", { status: 200, body: '{"Version":"v1.0.0","Time":"2020-01-01T00:00:00Z"}' });
  room.client.play("a", ".mod", { status: 404 });
  const { kept } = await room.jobs.fetchMod(id, patient());
  assert.doesNotMatch(Buffer.from(kept.info).toString(), /2020/);
  assert.equal(kept.manifest.origin.upstream, "b");
});

test("a zip whose go.mod is not the kept one is refused though no hash is expected, and nothing of it is kept", async () => {
  const room = await honest({ databases: [] });
  for (const upstream of ["a", "b"]) room.client.play(upstream, ".zip", { status: 200, body: fixtureZip(otherMod) });
  await assert.rejects(room.jobs.fetchZip(id, patient()), { code: "GRANARY_SNAPSHOT_MISMATCH" });
  assert.equal(await room.store.findZip(id), undefined);
});

test("a private zip that is refused for its go.mod is not the first sight that a pin remembers", async () => {
  const upstreams = ["a", "b"].map((name) => playedUpstream(name, { privatePatterns: "*", public: false }));
  const room = await honest({ private: "example.com", upstreams });
  room.client.play("a", ".zip", { status: 200, body: fixtureZip(otherMod) });
  await room.jobs.fetchZip(id, patient());
  assert.deepEqual(await readZip(room), Buffer.from(fixtureZip(module)));
});

test("a private module's later change is refused", async () => {
  const upstreams = [playedUpstream("a", { privatePatterns: "*", public: false })];
  const storage = new MemoryStorage();
  const room = await honest({ private: "example.com", upstreams, storage });
  await room.jobs.fetchZip(id, patient());
  for (const key of await keysOf(storage, "modules/")) await storage.remove(storageKey(key));
  const later = await openRoom({ private: "example.com", upstreams, storage });
  later.client.serve("a", [otherCode]);
  await assert.rejects(later.jobs.fetchZip(id, patient()), { code: "GRANARY_PIN_MISMATCH" });
});

// ---- the database ----

test("without a way to the database nothing is kept, whoever asks, and it is told as such", async () => {
  const room = await honest();
  room.wire.cut = true;
  await assert.rejects(room.jobs.fetchMod(id, patient()), { code: "SUMDB_UNREACHABLE" });
  await assert.rejects(room.jobs.fetchZip(id, patient()), { code: "SUMDB_UNREACHABLE" });
  await assertNothingKept(room);
  room.wire.cut = false;
  await room.jobs.fetchZip(id, patient());
});

test("a database that has no record of it lets nothing be kept", async () => {
  const room = await openRoom();
  for (const upstream of ["a", "b"]) room.client.serve(upstream, [module]);
  await assert.rejects(room.jobs.fetchZip(id, patient()), { code: "SUMDB_ABSENT" });
  await assertNothingKept(room);
});

test("whatever two upstreams serve, what is kept is what is on record", async () => {
  const contents = fc.constantFrom(module, otherCode, otherMod);
  const plan = fc.record({ a: contents, b: contents, record: contents, zipOfA: contents, zipFirst: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(plan, async ({ a, b, record, zipOfA, zipFirst }) => {
      const room = await openRoom({ recorded: [record] });
      room.client.serve("a", [a]);
      room.client.serve("b", [b]);
      room.client.play("a", ".zip", { status: 200, body: fixtureZip(zipOfA) });
      if (!zipFirst) await room.jobs.fetchMod(id, patient()).catch(() => undefined);
      const served = await room.jobs.fetchZip(id, patient()).catch(() => undefined);
      const recordedMod = Buffer.from(record.files.get("go.mod") ?? "");
      const kept = await room.store.findMod(id);
      if (kept !== undefined) assert.deepEqual(Buffer.from(kept.mod), recordedMod);
      if (served !== undefined) assert.deepEqual(await readZip(room), Buffer.from(fixtureZip(record)));
      assert.equal((await room.store.findZip(id)) === undefined, served === undefined);
      // One honest upstream is enough.
      if (b === record || (a === record && zipOfA === record)) {
        assert.notEqual(served, undefined);
        assert.equal(kept?.manifest.mod.h1, hashGoMod(recordedMod));
      }
    }),
    { numRuns: 60 },
  );
});

// ---- the store ----

async function damage(storage: MemoryStorage, file: "info" | "mod" | "zip"): Promise<void> {
  const key = versionKey(id, file);
  const stored = await storage.get(key, 1 << 20);
  assert.ok(stored);
  const bytes = Buffer.from(stored.bytes);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await storage.replace(key, bytes, stored.token);
}

for (const file of ["info", "mod"] as const) {
  test(`a damaged kept .${file} is restored from upstream, under the same hash`, async () => {
    const storage = new MemoryStorage();
    const room = await honest({ storage });
    const bytesOf = (kept: KeptMod | undefined) => Buffer.from(kept?.[file] ?? "").toString();
    const before = await room.jobs.fetchMod(id, patient());
    await damage(storage, file);
    const after = await room.jobs.fetchMod(id, patient());
    assert.equal(bytesOf(after.kept), bytesOf(before.kept));
    assert.equal(bytesOf(await room.store.findMod(id)), bytesOf(before.kept));
    assert.deepEqual(after.kept.manifest, before.kept.manifest);
  });
}

test("a damaged kept zip is restored from upstream, and never handed out before", async () => {
  const storage = new MemoryStorage();
  const room = await honest({ storage });
  await room.jobs.fetchZip(id, patient());
  await damage(storage, "zip");
  await assert.rejects(readZip(room), { name: "StoreDamaged" });
  await room.jobs.fetchZip(id, patient());
  assert.deepEqual(await readZip(room), Buffer.from(fixtureZip(module)));
});

test("a damaged .info is restored by the mirror that tells it as it was told first, and by nobody else", async () => {
  const storage = new MemoryStorage();
  const room = await honest({ storage });
  const before = (await room.jobs.fetchMod(id, patient())).kept.info;
  await damage(storage, "info");
  room.client.play("a", ".info", { status: 200, body: '{"Version":"v1.0.0","Time":"2020-01-01T00:00:00Z"}' });
  assert.deepEqual((await room.jobs.fetchMod(id, patient())).kept.info, before);
  await damage(storage, "info");
  room.client.play("b", ".info", { status: 200, body: '{"Version":"v1.0.0","Time":"2020-01-01T00:00:00Z"}' });
  await assert.rejects(room.jobs.fetchMod(id, patient()), { name: "StoreDamaged" });
});

test("so is one that was damaged when the version was evicted: its tombstone does not have it", async () => {
  const storage = new MemoryStorage();
  const room = await honest({ storage });
  const before = (await room.jobs.fetchMod(id, patient())).kept.info;
  await damage(storage, "info");
  await new ModuleStore(storage).evict(id, { reason: "size", atMs: 0 });
  room.client.play("a", ".info", { status: 200, body: '{"Version":"v1.0.0","Time":"2020-01-01T00:00:00Z"}' });
  assert.deepEqual((await room.jobs.fetchMod(id, patient())).kept.info, before);
});

test("damage that no upstream can heal stays damage", async () => {
  const storage = new MemoryStorage();
  const room = await honest({ storage });
  await room.jobs.fetchMod(id, patient());
  await damage(storage, "mod");
  for (const upstream of ["a", "b"]) room.client.play(upstream, ".info", "refused");
  await assert.rejects(room.jobs.fetchMod(id, patient()), { code: "GRANARY_OFFLINE" });
  await assert.rejects(room.store.findMod(id), { name: "StoreDamaged" });
});

for (const on of ["stage", "write", "seal", "create"] as const) {
  test(`a disk that is full at ${on} is told, leaves nothing behind, and heals`, async () => {
    const storage = new FaultyStorage(new MemoryStorage());
    const room = await honest({ storage });
    await room.jobs.fetchMod(id, patient());
    storage.arm({ on, does: { kind: "full", when: "before" }, times: 100 });
    await assert.rejects(room.jobs.fetchZip(id, patient()), { name: "StoreUnavailable" });
    assert.equal(await room.store.findZip(id), undefined);
    storage.heal();
    await room.jobs.fetchZip(id, patient());
    assert.deepEqual(await readZip(room), Buffer.from(fixtureZip(module)));
  });
}

test("the evidence of a lie may fail to be kept; the refusal stands", async () => {
  const storage = new FaultyStorage(new MemoryStorage());
  const room = await honest({ storage });
  room.client.serve("a", [otherMod]);
  storage.arm({ on: "create", key: /^state\/quarantine\//, does: { kind: "full", when: "before" }, times: 100 });
  const { kept } = await room.jobs.fetchMod(id, patient());
  assert.equal(kept.manifest.origin.upstream, "b");
});

test("a path that is not ours to know is never kept under another's name", async () => {
  const room = await honest();
  const stranger = { path: parsePath("example.com/n"), version: id.version };
  await assert.rejects(room.jobs.fetchMod(stranger, patient()), { code: "GRANARY_NOT_FOUND" });
});

for (const [name, before] of [
  ["while the database was off", { databases: [] }],
  [
    "while the module was private",
    {
      private: "example.com/m",
      upstreams: [playedUpstream("a", { public: false, privatePatterns: "example.com/m" })],
    },
  ],
] as const)
  test(`what was kept ${name} leaves again only as the database has recorded it`, async () => {
    const signal = new AbortController().signal;
    for (const served of [module, otherMod]) {
      const first = await honest(before);
      for (const upstream of ["a", "b"]) first.client.serve(upstream, [served]);
      await first.jobs.fetchZip(id, patient());

      const { proxy } = await honest({ storage: first.storage });
      const answer = async (kind: "mod" | "zip") =>
        await proxy.answer({ kind, cachedOnly: false, ...id }, { keptOnly: false, hops: "", caller: "", signal }).then(
          (given) => given.kind,
          (error: unknown) => (error as { code?: unknown }).code,
        );
      assert.equal(await answer("mod"), served === module ? "bytes" : "GRANARY_STORE_DAMAGED");
      assert.equal(await answer("zip"), served === module ? "zip" : "GRANARY_STORE_DAMAGED");
    }
  });

test("nobody vouches for unproven kept bytes while the database cannot be asked", async () => {
  const before = await honest({ databases: [] });
  await before.jobs.fetchMod(id, patient());
  const room = await honest({ storage: before.storage });
  room.wire.cut = true;
  const options = { keptOnly: false, hops: "", caller: "", signal: new AbortController().signal } as const;
  await assert.rejects(room.proxy.answer({ kind: "mod", cachedOnly: false, ...id }, options), {
    code: "GRANARY_SUMDB_UNREACHABLE",
  });
});

for (const reason of ["crashed", "timeout"] as const)
  test(`a zip on which the check ${reason} does not end the search: the next upstream is asked`, async () => {
    let checks = 0;
    const verifier: Verifier = {
      ...plainVerifier,
      check: async (where, module, signal) => {
        if (checks++ === 0) throw new VerifierFault(reason, reason);
        return await plainVerifier.check(where, module, signal);
      },
    };
    const room = await honest({ verifier });
    const { kept } = await room.jobs.fetchZip(id, patient());
    assert.equal(kept.manifest.origin.upstream, "b");
  });

test("a disk that fails the check is our trouble, and nobody else is asked", async () => {
  const cause = { code: "EIO" };
  const broken: Verifier = {
    ...plainVerifier,
    check: () => Promise.reject(new VerifierFault("unable", "EIO: i/o error, read", { cause })),
  };
  const room = await honest({ verifier: broken });
  const options = { keptOnly: false, hops: "", caller: "", signal: new AbortController().signal } as const;
  await assert.rejects(room.proxy.answer({ kind: "zip", cachedOnly: false, ...id }, options), (error: unknown) => {
    assert.ok(isGranaryError(error, "GRANARY_STORE_UNAVAILABLE"));
    assert.equal(troubleOf(error.cause), "io");
    return true;
  });
  assert.equal(room.client.count("b", ".zip"), 0);
  assert.equal(room.health.condition("a"), "closed");
});

test("too many zips waiting for their check is our overload, and nobody else is asked", async () => {
  const busy: Verifier = { ...plainVerifier, check: () => Promise.reject(new VerifierFault("busy", "many")) };
  const room = await honest({ verifier: busy });
  const options = { keptOnly: false, hops: "", caller: "", signal: new AbortController().signal } as const;
  await assert.rejects(room.proxy.answer({ kind: "zip", cachedOnly: false, ...id }, options), {
    code: "GRANARY_OVERLOADED",
  });
  assert.equal(room.client.count("b", ".zip"), 0);
  assert.equal(room.health.condition("a"), "closed");
});
