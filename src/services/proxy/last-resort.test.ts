// While no checksum database can be reached, a signed list may vouch; a database has the last word.
import assert from "node:assert/strict";
import test from "node:test";
import { parseH1 } from "#protocol/dirhash.ts";
import type { Sums as RecordSums } from "#protocol/record.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { recheckOwed } from "#services/integrity/recheck.ts";
import type { SumdbCode } from "#services/sumdb/errors.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import { makeModule } from "../../../test/support/modules.ts";
import { idOf, openRoom, patient } from "../../../test/support/proxy-room.ts";
import type { RoomOptions } from "../../../test/support/proxy-room.ts";
import type { Database, LastResort } from "./sums.ts";
import type { Target } from "#protocol/request.ts";
import { parseTarget } from "#protocol/request.ts";
import type { ProxyTarget } from "./proxy.ts";

const module = makeModule({ path: "example.com/m", version: "v1.0.0" });
const other = makeModule({
  path: "example.com/m",
  version: "v1.0.0",
  files: { "go.mod": "module example.com/m\n\ngo 1.19\n", "doc.go": "package m // other\n" },
});
const id = idOf(module);
const { signal } = new AbortController();

/** What an honest list says of a module. */
async function sumsOf(of: typeof module): Promise<RecordSums> {
  const room = await openRoom({ recorded: [of] });
  room.client.serve("a", [of]);
  const zip = await room.jobs.fetchZip(id, patient());
  const mod = await room.store.findMod(id);
  return { zip: parseH1(zip.kept.manifest.zip.h1), mod: parseH1(mod?.manifest.mod.h1 ?? "") };
}

class PlayedList implements LastResort {
  readonly name = "list.example.test";
  asked = 0;
  sums: RecordSums;
  constructor(sums: RecordSums) {
    this.sums = sums;
  }
  find(of: ModuleVersion): Promise<RecordSums> {
    this.asked++;
    return Promise.resolve(of.path === id.path && of.version === id.version ? this.sums : {});
  }
}

async function cutRoom(list: PlayedList | undefined, options: RoomOptions = {}) {
  const room = await openRoom({ recorded: [module], ...(list && { lastResort: list }), ...options });
  room.client.serve("a", [module]);
  room.wire.cut = true;
  return room;
}

function target(text: string): ProxyTarget {
  return parseTarget(text) as Extract<Target, ProxyTarget>;
}

const zipTarget = target("/example.com/m/@v/v1.0.0.zip");
const modTarget = target("/example.com/m/@v/v1.0.0.mod");

test("without a list nothing passes; with one the version is kept, marked, and asked about each time", async () => {
  const bare = await cutRoom(undefined);
  await assert.rejects(bare.proxy.answer(zipTarget, { keptOnly: false, ...patient() }), {
    code: "GRANARY_SUMDB_UNREACHABLE",
  });
  const list = new PlayedList(await sumsOf(module));
  const room = await cutRoom(list);
  for (const each of [modTarget, zipTarget, zipTarget, modTarget]) {
    const answer = await room.proxy.answer(each, { keptOnly: false, ...patient() });
    assert.deepEqual([answer.isListed, answer.reuseMs], [true, 0]);
  }
  const kept = room.emitted.flatMap((event) => (event.name === "module.ingested" ? [event.verifiedBy] : []));
  assert.deepEqual(kept, ["integrity", "integrity"]);
  assert.equal(await room.owed.count(), 2);
});

test("a list is not asked while a database answers", async () => {
  const list = new PlayedList(await sumsOf(other));
  const room = await cutRoom(list);
  room.wire.cut = false;
  const answer = await room.proxy.answer(zipTarget, { keptOnly: false, ...patient() });
  assert.deepEqual([answer.isListed, list.asked], [undefined, 0]);
});

for (const code of ["SUMDB_ABSENT", "SUMDB_INVALID", "SUMDB_FORK", "SUMDB_BEHIND", "SUMDB_NOT_KEPT"] as const)
  test(`a list is not asked after ${code}, alone or beside a silent database`, async () => {
    const list = new PlayedList(await sumsOf(module));
    const failing = (failure: SumdbCode): Database => ({
      name: failure,
      lookup: () => Promise.reject(new SumdbError(failure, failure, { message: failure })),
    });
    const sets = [
      [failing(code)],
      [failing("SUMDB_UNREACHABLE"), failing(code)],
      [failing(code), failing("SUMDB_UNREACHABLE")],
    ];
    // What is merely not kept is no word of anybody: it leaves the silence of the other what it is.
    for (const databases of code === "SUMDB_NOT_KEPT" ? sets.slice(0, 1) : sets) {
      const room = await openRoom({ databases, lastResort: list });
      await assert.rejects(room.sums.expect(id, signal), SumdbError);
    }
    assert.equal(list.asked, 0);
  });

test("bytes that are not what the list says are refused and quarantined; the next upstream is tried", async () => {
  const list = new PlayedList(await sumsOf(module));
  const room = await cutRoom(list);
  room.client.serve("a", [other]);
  await assert.rejects(room.jobs.fetchZip(id, patient()), { code: "GRANARY_INTEGRITY_MISMATCH" });
  assert.equal((await room.quarantine.list()).length, 1);
  room.client.serve("b", [module]);
  room.client.serve("a", []);
  await room.jobs.fetchZip(id, patient());
});

test("a version that the list does not name, or only half, ends with the databases' own silence", async () => {
  const sums = await sumsOf(module);
  const room = await cutRoom(new PlayedList({}));
  await assert.rejects(room.proxy.answer(zipTarget, { keptOnly: false, ...patient() }), {
    code: "GRANARY_SUMDB_UNREACHABLE",
  });
  const half = await cutRoom(new PlayedList({ ...(sums.mod && { mod: sums.mod }) }));
  await half.proxy.answer(modTarget, { keptOnly: false, ...patient() });
  await assert.rejects(half.proxy.answer(zipTarget, { keptOnly: false, ...patient() }), {
    code: "GRANARY_SUMDB_UNREACHABLE",
  });
});

test("what was kept stays while list and databases are gone; without the setting it does not pass", async () => {
  const list = new PlayedList(await sumsOf(module));
  const room = await cutRoom(list);
  await room.jobs.fetchZip(id, patient());
  list.sums = {};
  const answer = await room.proxy.answer(zipTarget, { keptOnly: false, ...patient() });
  assert.equal(answer.isListed, true);
  const off = await cutRoom(undefined, { storage: room.storage });
  await assert.rejects(off.proxy.answer(zipTarget, { keptOnly: false, ...patient() }), {
    code: "GRANARY_SUMDB_UNREACHABLE",
  });
});

test("a database that answers again proves what is owed, and that outlives the process and the next cut", async () => {
  const list = new PlayedList(await sumsOf(module));
  const room = await cutRoom(list);
  await room.jobs.fetchZip(id, patient());
  room.wire.cut = false;
  const answer = await room.proxy.answer(zipTarget, { keptOnly: false, ...patient() });
  assert.equal(answer.isListed, undefined);
  const proven = room.emitted.flatMap((event) => (event.name === "integrity.proven" ? [event.stage] : []));
  assert.deepEqual([proven, await room.owed.count()], [["zip"], 1]);
  const later = await cutRoom(undefined, { storage: room.storage });
  const again = await later.proxy.answer(zipTarget, { keptOnly: false, ...patient() });
  assert.equal(again.isListed, undefined);
});

test("a list that lied: the database's word refutes what was kept, evidence and event once, never served again", async () => {
  const list = new PlayedList(await sumsOf(other));
  const room = await cutRoom(list);
  room.client.serve("a", [other]);
  await room.jobs.fetchZip(id, patient());
  room.wire.cut = false;
  for (let round = 0; round < 2; round++)
    await assert.rejects(room.proxy.answer(zipTarget, { keptOnly: false, ...patient() }), {
      code: "GRANARY_STORE_DAMAGED",
    });
  const refused = room.emitted.filter((event) => event.name === "module.denied");
  assert.equal(refused.length, 1);
  assert.partialDeepStrictEqual(refused[0], { code: "GRANARY_SUMDB_MISMATCH", module: id.path, upstream: "a" });
  const [evidence] = await room.quarantine.list();
  assert.deepEqual([evidence?.kind, evidence?.found], ["zip", list.sums.zip]);
  // The go.mod is the same in both: it is proven, not refuted.
  const mod = await room.proxy.answer(modTarget, { keptOnly: false, ...patient() });
  assert.equal(mod.isListed, undefined);
  assert.equal(await room.owed.count(), 0);
});

test("after a list that lied the next cut does not bring its bytes back", async () => {
  const list = new PlayedList(await sumsOf(other));
  const room = await cutRoom(list);
  room.client.serve("a", [other]);
  await room.jobs.fetchZip(id, patient());
  room.wire.cut = false;
  await assert.rejects(room.proxy.answer(zipTarget, { keptOnly: false, ...patient() }));
  const later = await cutRoom(list, { storage: room.storage });
  await assert.rejects(later.proxy.answer(zipTarget, { keptOnly: false, ...patient() }));
});

test("the round that asks again ends at the first silence, and goes on until nothing is owed", async () => {
  const list = new PlayedList(await sumsOf(module));
  const room = await cutRoom(list);
  await room.jobs.fetchZip(id, patient());
  const stop = new AbortController();
  const asked: string[] = [];
  const rounds: number[] = [];
  const prove = async ({ stage }: { stage: "mod" | "zip" }): Promise<boolean> => {
    asked.push(stage);
    const kept = await (stage === "mod" ? room.store.findMod(id) : room.store.findZip(id));
    assert.ok(kept);
    return (await room.jobs.vouch(kept, signal)) !== "integrity";
  };
  const sleep = (): Promise<void> => {
    rounds.push(asked.length);
    if (rounds.length === 2) room.wire.cut = false;
    if (rounds.length === 4) stop.abort();
    return new Promise((resolve) => setImmediate(resolve));
  };
  await recheckOwed({ owed: room.owed, prove, clock: { sleep }, stop: stop.signal, onFailure: assert.ifError });
  assert.deepEqual(rounds, [1, 2, 4, 4]);
});
