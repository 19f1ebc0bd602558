// Versions of a foreign directory go through the same jobs as what upstreams send; here with all around them played.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import type { Outcome } from "#services/store/import.ts";
import { listKey, versionKey } from "#services/store/layout.ts";
import { ModuleStore } from "#services/store/module-store.ts";
import { Pins } from "#services/store/pins.ts";
import { StoreFull } from "#services/store/ports.ts";
import { Quarantine } from "#services/store/quarantine.ts";
import type { SourceVersion } from "#services/store/source-versions.ts";
import { SumdbMirror } from "#services/sumdb/mirror.ts";
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import { silentMeter } from "#services/events/ports.ts";
import { forgeZip } from "../../../test/fixtures/forge-zip.ts";
import { fixtureZip } from "../../../test/support/fixture-zip.ts";
import { MemoryTree } from "../../../test/support/memory-tree.ts";
import { goModOf, makeModule } from "../../../test/support/modules.ts";
import { databaseRoute, idOf, plainVerifier, StandingClock } from "../../../test/support/proxy-room.ts";
import { databaseName, recordModule } from "../../../test/support/world.ts";
import { Gate } from "./gate.ts";
import { ModuleJobs } from "./module-jobs.ts";
import type { Validation, Verifier } from "./ports.ts";
import { ValidatorFault } from "./ports.ts";
import { privacyOf } from "./privacy.ts";
import { SourceIngest } from "./source-ingest.ts";
import { madeInfo, SourceOrigin } from "./source-origin.ts";
import { Sums } from "./sums.ts";

const module = makeModule({ path: "example.com/Upper", version: "v1.2.0" });
const pseudo = makeModule({ path: "example.com/pseudo", version: "v0.0.0-20230405060708-444444444444" });
const secret = makeModule({ path: "corp.example/secret", version: "v1.0.0" });
const id = idOf(module);

type Fixture = typeof module;

/** What a directory has of a version; `without` some of the three. */
function versionOf(one: Fixture, tree: MemoryTree, without: readonly string[] = []): SourceVersion {
  const contents = {
    info: Buffer.from(`{"Version":"${one.version}","Time":"${one.time}"}`),
    mod: Buffer.from(goModOf(one)),
    zip: Buffer.from(fixtureZip(one)),
  };
  const files: Record<string, string> = {};
  for (const [ending, bytes] of Object.entries(contents)) {
    const path = `${one.path}/${one.version}.${ending}`;
    if (without.includes(ending)) continue;
    files[ending] = path;
    if (!tree.files.has(path)) tree.files.set(path, bytes);
  }
  return { kind: "version", id: idOf(one), files };
}

/** @param word of a validation command; without one there is none */
async function room(word?: () => Validation | Error) {
  const storage = new MemoryStorage();
  const clock = new StandingClock();
  const tree = new MemoryTree();
  const database = new TestDatabase({ name: databaseName, seed: Buffer.alloc(32, 7) });
  for (const one of [module, pseudo]) await recordModule(database, one);
  const wire = { cut: false };
  const routes = [databaseRoute(database, wire)];
  const mirror = new SumdbMirror({ key: database.verifierKey, routes, storage, clock });
  const events = { emit: () => undefined };
  // A directory's files are no bytes in memory: the verifier is shown where they lie.
  const verifier: Verifier = {
    ...plainVerifier,
    check: (where, one, signal) =>
      plainVerifier.check(
        "path" in where ? { bytes: tree.files.get(where.path) ?? Buffer.alloc(0) } : where,
        one,
        signal,
      ),
  };
  const { signal } = new AbortController();
  const origin = new SourceOrigin({ tree, verifier, url: "file:///cache" });
  const fresh = (): { store: ModuleStore; ingest: SourceIngest } => {
    const store = new ModuleStore(storage);
    const jobs = new ModuleJobs({
      ...{ store, storage, origin, verifier, clock, events, stop: signal, meter: silentMeter },
      quarantine: new Quarantine(storage, clock),
      sums: new Sums({ databases: [mirror], privacy: privacyOf("corp.example"), pins: new Pins(storage, events) }),
      gate: new Gate(4, 4),
      aheadGate: new Gate(1, 0),
      validator: () => word && { validate: () => answer(word()) },
    });
    const wantsZip = word !== undefined;
    return { store, ingest: new SourceIngest({ tree, store, verifier, signal, wantsZip, ingest: { origin, jobs } }) };
  };
  return { storage, tree, wire, fresh, verifier, signal, ...fresh() };
}

function answer(said: Validation | Error): Promise<Validation> {
  return said instanceof Error ? Promise.reject(said) : Promise.resolve(said);
}

function told(outcome: Outcome): string {
  if (outcome.kind === "unproven") return `unproven ${outcome.error.code}`;
  if (outcome.kind !== "rejected") return outcome.kind;
  const { refusal } = outcome;
  return refusal.why === "failed" ? `rejected ${refusal.error.code}` : `rejected ${refusal.why}`;
}

suite("a version of a foreign directory", () => {
  test("is kept with the directory as its origin, and passed over the next time", async () => {
    const { ingest, tree, store, fresh } = await room();
    const version = versionOf(module, tree);
    const bytes = Object.values(version.files).reduce((sum, path) => sum + (tree.files.get(path)?.length ?? 0), 0);
    assert.deepEqual(await ingest.take(version), { kind: "imported", bytes });
    const kept = await store.findZip(id);
    assert.deepEqual(kept?.manifest.origin, {
      upstream: "file:///cache",
      url: "file:///cache/example.com/Upper/v1.2.0.zip",
    });
    assert.equal(kept.manifest.verifiedBy, "sumdb");
    assert.deepEqual(await fresh().ingest.take(version), { kind: "kept" });
  });

  test("comes in part: what is there is kept", async () => {
    const { ingest, tree, store } = await room();
    assert.equal(told(await ingest.take(versionOf(module, tree, ["info", "zip"]))), "imported");
    assert.equal(Buffer.from((await store.findMod(id))?.info ?? []).toString(), '{"Version":"v1.2.0"}');
    assert.equal(await store.findZip(id), undefined);
    assert.equal(told(await ingest.take(versionOf(module, tree))), "imported");
    assert.ok((await store.findZip(id)) !== undefined);
  });

  test("brings its go.mod in the zip when there is no other", async () => {
    const { ingest, tree, store } = await room();
    assert.equal(told(await ingest.take(versionOf(pseudo, tree, ["info", "mod"]))), "imported");
    const kept = await store.findMod(idOf(pseudo));
    assert.equal(Buffer.from(kept?.mod ?? []).toString(), goModOf(pseudo));
    assert.equal(Buffer.from(kept?.info ?? []).toString(), Buffer.from(madeInfo(idOf(pseudo))).toString());
    assert.match(Buffer.from(kept?.info ?? []).toString(), /"Time":"2023-04-05T06:07:08Z"/);
  });

  test("that no public database may hear of is pinned, and must stay what it was", async () => {
    const { ingest, tree, storage } = await room();
    const version = versionOf(secret, tree);
    assert.equal(told(await ingest.take(version)), "imported");
    await storage.remove(versionKey(version.id, "zip.manifest"));
    tree.files.set(
      version.files.zip ?? "",
      Buffer.from(fixtureZip({ ...secret, files: new Map([...secret.files, ["x.go", "package x\n"]]) })),
    );
    assert.equal(told(await ingest.take(version)), "rejected GRANARY_PIN_MISMATCH");
  });

  test("waits for the database while it is away", async () => {
    const { ingest, tree, wire, storage, fresh } = await room();
    wire.cut = true;
    const version = versionOf(module, tree);
    assert.equal(told(await ingest.take(version)), "unproven GRANARY_SUMDB_UNREACHABLE");
    assert.equal(await storage.stat(versionKey(id, "mod.manifest")), undefined);
    wire.cut = false;
    assert.equal(told(await fresh().ingest.take(version)), "imported");
  });

  const wrong: readonly (readonly [string, (tree: MemoryTree) => SourceVersion, string])[] = [
    ["torn", (tree) => versionOf(module, tree, ["mod", "zip"]), "rejected torn"],
    ["unrecorded", (tree) => versionOf({ ...module, version: "v1.9.0" }, tree), "rejected GRANARY_SUMDB_NO_RECORD"],
    [
      "with another go.mod",
      (tree) => spoilt(tree, "mod", Buffer.from("module example.com/Upper\n")),
      "rejected GRANARY_SUMDB_MISMATCH",
    ],
    [
      "with half a zip",
      (tree) => spoilt(tree, "zip", fixtureZip(module).subarray(0, 100)),
      "rejected GRANARY_BAD_MODULE",
    ],
    ["with a zip of no bytes", (tree) => spoilt(tree, "zip", Buffer.alloc(0)), "rejected GRANARY_BAD_MODULE"],
    ["with no JSON", (tree) => spoilt(tree, "info", Buffer.from("<html>")), "rejected GRANARY_BAD_MODULE"],
    [
      "with an .info that is too large",
      (tree) => spoilt(tree, "info", Buffer.alloc(1 << 20)),
      "rejected GRANARY_TOO_LARGE",
    ],
    [
      "that cannot be read",
      (tree) => {
        const version = versionOf(module, tree);
        tree.locked.add(version.files.mod ?? "");
        return version;
      },
      "rejected unreadable",
    ],
  ];
  for (const [title, make, want] of wrong)
    test(`${title} is not kept`, async () => {
      const { ingest, tree, store } = await room();
      assert.equal(told(await ingest.take(make(tree))), want);
      assert.equal(await store.findZip(id), undefined);
    });

  test("with other bytes than the kept ones is refused; a zip of the same files packed otherwise is the same", async () => {
    const { ingest, tree, fresh } = await room();
    const version = versionOf(module, tree);
    await ingest.take(version);
    const named = ([name, text]: readonly [string, string]) => `${module.path}@${module.version}/${name}\0${text}`;
    const entries = [...module.files].map(named).map((entry) => entry.split("\0"));
    const packed = forgeZip(entries.map(([name = "", content = ""]) => ({ name, content, method: 0 })).toReversed());
    tree.files.set(version.files.zip ?? "", Buffer.from(packed));
    assert.equal(told(await fresh().ingest.take(version)), "kept");
    tree.files.set(version.files.zip ?? "", Buffer.from("PK"));
    assert.equal(told(await fresh().ingest.take(version)), "rejected other-zip");
    tree.files.set(version.files.mod ?? "", Buffer.from("module example.com/other\n"));
    assert.equal(told(await fresh().ingest.take(version)), "rejected other-mod");
  });

  test("mends the list that whoever kept it left short", async () => {
    const { ingest, tree, storage, fresh } = await room();
    const version = versionOf(module, tree);
    await ingest.take(version);
    await storage.remove(listKey(id.path));
    assert.equal(told(await fresh().ingest.take(version)), "kept");
    assert.ok((await storage.stat(listKey(id.path))) !== undefined);
  });

  test("mends kept bytes that were damaged", async () => {
    const { ingest, tree, storage, fresh } = await room();
    const version = versionOf(module, tree);
    await ingest.take(version);
    const key = versionKey(id, "mod");
    await storage.replace(key, Buffer.from("damage"), (await storage.stat(key))?.token);
    assert.equal(told(await fresh().ingest.take(version)), "imported");
    assert.equal(Buffer.from((await storage.get(key, 1_000))?.bytes ?? []).toString(), goModOf(module));
  });

  test("is kept only when the validation command takes it, whole; no verdict is no refusal", async () => {
    let word: Validation | Error = new ValidatorFault("no verdict within 30000 ms");
    const { tree, fresh, storage } = await room(() => word);
    const version = versionOf(module, tree);
    assert.equal(told(await fresh().ingest.take(version)), "unproven GRANARY_VALIDATION_FAILED");
    word = { verdict: "refuse", reason: "licence AGPL-3.0" };
    assert.equal(told(await fresh().ingest.take(version)), "rejected GRANARY_VALIDATION_REFUSED");
    for await (const { key } of storage.list("modules/example.com/")) assert.fail(key);
    word = { verdict: "take" };
    assert.equal(told(await fresh().ingest.take(versionOf(pseudo, tree, ["zip"]))), "rejected no-zip");
    assert.equal(told(await fresh().ingest.take(version)), "imported");
    assert.equal(told(await fresh().ingest.take(version)), "kept");
  });

  test("a full disk ends the import: it says nothing about the version", async () => {
    const { ingest, tree, storage } = await room();
    storage.stage = () => Promise.reject(new StoreFull("tmp", "no space left"));
    await assert.rejects(ingest.take(versionOf(module, tree)), { code: "GRANARY_STORE_FULL" });
  });

  test("in a dry run nothing is written", async () => {
    const { tree, storage, store, verifier, signal } = await room();
    const dry = new SourceIngest({ tree, store, verifier, signal, ingest: undefined });
    assert.equal(told(await dry.take(versionOf(module, tree))), "imported");
    for await (const { key } of storage.list("")) assert.fail(key);
  });
});

function spoilt(tree: MemoryTree, ending: "info" | "mod" | "zip", bytes: Uint8Array): SourceVersion {
  const version = versionOf(module, tree);
  tree.files.set(version.files[ending] ?? "", bytes);
  return version;
}
