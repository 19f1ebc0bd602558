// The power goes in the middle of ingests: what was not synced is lost, whole or in part. Everything that a server did to
// its disk is recorded; then states that a disk may be in after a cut at any moment are made from that, and a server is
// started on each. Nothing torn may be seen, and what was acknowledged is there. LONG=1: 2,000 cuts. SEED=n: others.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { storageKey } from "#services/store/ports.ts";
import { makeProgram } from "../support/crash-runner.ts";
import type { Program } from "../support/crash-runner.ts";
import { watchDisk } from "../support/disk-shim.ts";
import { openInside } from "../support/inside-server.ts";
import { someBytes } from "../support/manifests.ts";
import { makeModule } from "../support/modules.ts";
import type { ModuleFixture } from "../support/modules.ts";
import { seeded } from "../support/own-log-world.ts";
import { DiskRecorder, writeState } from "../support/power-cut.ts";
import type { Forgets } from "../support/power-cut.ts";
import { checkStore, pathsOf, truthOf } from "../support/store-truth.ts";
import type { Truth } from "../support/store-truth.ts";
import { recordModule, startUpstreams } from "../support/world.ts";
import type { Upstreams } from "../support/world.ts";

const long = process.env["LONG"] === "1";
const seed = Number(process.env["SEED"] ?? 20261128);
const cuts = long ? 2_000 : 16;

let program: Program;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "granary-power-"));
  program = await makeProgram();
});
after(async () => {
  await program.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Six small versions of one module and two others, and one whose zip is large enough for a journal. */
function someModules(): ModuleFixture[] {
  const small = [0, 1, 2, 3, 4, 5].map((n) => makeModule({ path: "example.com/many", version: `v1.${n}.0` }));
  const others = ["example.com/other", "deep.example.com/a/b/c"].map((path) => makeModule({ path, version: "v0.1.0" }));
  const noise = Buffer.from(someBytes(9 << 20, 3)).toString("latin1");
  const large = { "go.mod": "module example.com/large\n", "noise.txt": noise };
  return [...small, ...others, makeModule({ path: "example.com/large", version: "v1.0.0", files: large })];
}

type Recording = { readonly recorder: DiskRecorder; readonly upstreams: Upstreams; readonly truth: Truth };

/** A server on a new store; every file of every module is asked for by two clients at the same time. */
async function recordIngests(forgets: Forgets, modules: readonly ModuleFixture[]): Promise<Recording> {
  const root = await mkdtemp(join(folder, "recorded-"));
  const upstreams = await startUpstreams(modules.slice(0, 3));
  const { stub, database } = upstreams;
  const truth = truthOf(modules.slice(0, 3), stub);
  const place = { root, upstream: stub.url, sumdb: `${database.verifierKey} ${stub.url}/sumdb/${database.name}` };
  const recorder = await DiskRecorder.of(root, forgets);
  const unwatch = await watchDisk(root, {
    before: async (call) => {
      recorder.before(call);
      // A disk that takes its time: meanwhile others see what is not durable yet.
      if (call.name === "sync") await passed(4);
    },
    after: (call, result) => {
      recorder.after(call, result);
    },
  });
  const server = await openInside(place, program.verifyEntry);
  const all = new Map(truth);
  const ask = async (paths: readonly string[]): Promise<void> => {
    for (const path of paths) {
      const answer = await server.get(path);
      assert.equal(answer?.status, 200, path);
      assert.ok(all.get(path)?.equals(answer.body), path);
      recorder.acknowledge(path);
    }
  };
  let isOver = false;
  /** Takes what is kept as soon as it is shown. */
  const lurk = async (paths: readonly string[]): Promise<void> => {
    for (const path of paths) {
      while (!isOver && (await server.get(`/cached-only${path}`))?.status !== 200) await passed(2);
      if (!isOver) recorder.acknowledge(path);
    }
  };
  try {
    // The later modules come with a newer head of the database.
    for (const part of [modules.slice(0, 3), modules.slice(3)]) {
      for (const module of part.filter((one) => !all.has(pathsOf(one)[0] ?? ""))) {
        stub.add(module);
        await recordModule(database, module);
        for (const [path, bytes] of truthOf([module], stub)) all.set(path, bytes);
      }
      const lurking = Promise.all(part.map((module) => lurk(pathsOf(module))));
      await Promise.all(part.flatMap((module) => [ask(pathsOf(module)), ask(pathsOf(module).toReversed())]));
      await lurking;
    }
  } finally {
    isOver = true;
    await server.close();
    unwatch();
  }
  return { recorder, upstreams, truth: all };
}

type Cut = { readonly recording: Recording; readonly random: () => number };

/** Throws when the store is not what it must be after a cut. Returns how much had been acknowledged. */
async function checkCut({ recording, random }: Cut): Promise<number> {
  const { recorder, upstreams, truth } = recording;
  const cut = 1 + Math.floor(random() * recorder.now);
  const root = await mkdtemp(join(folder, "cut-"));
  await writeState(recorder.stateAt(cut, random), root);
  const { stub, database } = upstreams;
  const place = { root, upstream: stub.url, sumdb: `${database.verifierKey} ${stub.url}/sumdb/${database.name}` };
  const acknowledged = recorder.acknowledgedBefore(cut);
  const paths = [...truth.keys()];
  // What is gone can be had again: fetching costs more than looking, so one version in every second store.
  const some = random() < 0.5 ? Math.floor((random() * paths.length) / 3) * 3 : paths.length;
  const wanted = paths.slice(some, some + 3);
  await checkStore({ place, truth, acknowledged, wanted, verifyEntry: program.verifyEntry }).catch((error: unknown) => {
    throw new Error(`cut ${cut} of ${recorder.now}: ${String(error)}`, { cause: error });
  });
  await rm(root, { recursive: true, force: true });
  return acknowledged.length;
}

test(`${cuts} power cuts during ingests: nothing torn, nothing acknowledged lost`, async (t) => {
  const random = seeded(seed);
  const modules = someModules();
  const recordings = long ? 8 : 2;
  let acknowledged = 0;
  for (let n = 0; n < recordings; n++) {
    const recording = await recordIngests("nothing", n === 0 ? modules : modules.slice(0, -1));
    try {
      for (let cut = 0; cut < cuts / recordings; cut++) acknowledged += await checkCut({ recording, random });
    } finally {
      await recording.upstreams.stub.close();
    }
  }
  t.diagnostic(`seed ${seed}: ${cuts} cuts of ${recordings} recordings, ${acknowledged} acknowledged files looked for`);
  assert.ok(acknowledged > cuts, `${acknowledged} acknowledged`);
});

for (const forgets of ["fsync of files", "fsync of folders"] as const)
  test(`a server without ${forgets} is caught`, async (t) => {
    const random = seeded(seed);
    const recording = await recordIngests(forgets, someModules().slice(0, -1));
    const complaints: string[] = [];
    for (let cut = 0; cut < 20; cut++)
      await checkCut({ recording, random }).catch((error: unknown) => complaints.push(String(error)));
    await recording.upstreams.stub.close();
    t.diagnostic(`seed ${seed}: ${complaints.length} of 20 cuts showed it: ${complaints[0]?.slice(0, 200) ?? ""}`);
    assert.ok(complaints.length > 0);
  });

/** Objects created and replaced; what is returned is how many of them a cut tore or lost, of so many cuts. */
async function tornBy(fsync: "always" | "never", random: () => number): Promise<number> {
  const root = await mkdtemp(join(folder, "storage-"));
  const recorder = await DiskRecorder.of(root);
  const unwatch = await watchDisk(root, recorder);
  const bodies = new Map<string, Buffer>();
  try {
    const storage = await openDiskStorage(root, { fsync });
    const counter = storageKey("k/counter");
    for (let n = 0; n < 12; n++) {
      const key = storageKey(`k/${n % 3}/${n}`);
      bodies.set(key, Buffer.from(someBytes(20_000, n)));
      const stage = await storage.stage(20_000);
      for (let at = 0; at < 20_000; at += 5_000) await stage.write(bodies.get(key)!.subarray(at, at + 5_000));
      await stage.seal();
      assert.equal(await storage.create(key, n % 2 === 0 ? stage : bodies.get(key)!), "created");
      await stage.discard();
      recorder.acknowledge(key);
      const text = Buffer.from(`${n}${" ".repeat(5_000)}`);
      await storage.replace(counter, text, (await storage.stat(counter))?.token);
      recorder.acknowledge(`counter ${n}`);
    }
  } finally {
    unwatch();
  }
  let wrong = 0;
  for (let n = 0; n < 100; n++) {
    const cut = 1 + Math.floor(random() * recorder.now);
    const at = await mkdtemp(join(folder, "cut-"));
    await writeState(recorder.stateAt(cut, random), at);
    wrong += await countWrong(at, bodies, recorder.acknowledgedBefore(cut)).catch(() => 1); // not even a store
    await rm(at, { recursive: true, force: true });
  }
  return wrong;
}

async function countWrong(root: string, bodies: ReadonlyMap<string, Buffer>, promised: readonly string[]) {
  const storage = await openDiskStorage(root, { fsync: "never" });
  let wrong = 0;
  for (const [key, body] of bodies) {
    const stored = await storage.get(storageKey(key), 1 << 20);
    if (stored === undefined ? promised.includes(key) : Buffer.compare(stored.bytes, body) !== 0) wrong++;
  }
  const counter = await storage.get(storageKey("k/counter"), 1 << 20);
  const last = promised.filter((word) => word.startsWith("counter ")).length - 1;
  const found = counter === undefined ? -1 : Number(/^(\d+) {5000}$/.exec(Buffer.from(counter.bytes).toString())?.[1]);
  return wrong + (found >= last ? 0 : 1); // not a number is less than nothing
}

test("the disk storage keeps its promises through 100 cuts, and not when it never syncs", async (t) => {
  assert.equal(await tornBy("always", seeded(seed)), 0);
  const wrong = await tornBy("never", seeded(seed));
  t.diagnostic(`seed ${seed}: without fsync ${wrong} objects were torn or lost in 100 cuts`);
  assert.ok(wrong > 0);
});
