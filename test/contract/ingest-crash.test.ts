// One ingest, and every call that it makes to the disk: the process is killed there, or the call fails. Whatever happens,
// nothing torn is seen, what was acknowledged stays, a failure is told as one, and the next request mends it.
// Every day at each tenth call, another one each day; LONG=1 takes every call, and kills on both sides of it.
import assert from "node:assert/strict";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { systemError, watchDisk } from "../support/disk-shim.ts";
import type { DiskCall } from "../support/disk-shim.ts";
import { machineGo, newGoClient } from "../support/go.ts";
import type { GoTool } from "../support/go.ts";
import type { FilledWorld } from "../support/filled-world.ts";
import { fresh, freshPaths, makeIngestWorld, warm, warmPaths } from "../support/ingest-world.ts";
import { openInside } from "../support/inside-server.ts";
import type { InsideServer, Place } from "../support/inside-server.ts";
import { makeModule } from "../support/modules.ts";
import type { ModuleFixture } from "../support/modules.ts";
import { askedAgain, checkRefusal } from "../support/refusals.ts";
import { acknowledgedIn, checkFiles, checkStore, pathsOf, truthOf } from "../support/store-truth.ts";
import { recordModule } from "../support/world.ts";

const long = process.env["LONG"] === "1";
/** Which calls are looked at: each costs a start of a server, or a whole ingest. SEED=n: others. */
const stride = long ? 1 : 10;
const first = 1 + (Number(process.env["SEED"] ?? Math.floor(Date.now() / 86_400_000)) % stride);

/** Within this a store takes ingests again once its disk is well. */
const healMs = 5_000;

let world: FilledWorld;

before(async () => (world = await makeIngestWorld()));
after(() => world.close());

/** Closed at the end of the test at the latest. */
async function openFor(t: TestContext, place: Place): Promise<InsideServer> {
  const server = await openInside(place, world.program.verifyEntry);
  atEnd(t, () => server.close());
  return server;
}

const gone = (place: Place) => rm(place.root, { recursive: true, force: true });

test("killed at every call of an ingest that changes the disk", async (t) => {
  const deaths: string[] = [];
  let acknowledged = 0;
  const go = await machineGo();
  if (go === undefined) t.diagnostic("SKIPPED: no `go` on PATH, nobody but us has looked at the directories");
  const dieAt = async (step: number, when: "before" | "after"): Promise<boolean> => {
    const place = await world.newPlace();
    const { lines, signal } = await world.program.live({
      scene: "ingest",
      place,
      args: freshPaths,
      dies: { step, when },
    });
    const last = lines.at(-1) ?? "";
    if (signal !== null) deaths.push(last.replace(/^dies (\w+) step \d+, (\w+).*/, "$1 $2"));
    const kept = acknowledgedIn(lines, world.truth);
    acknowledged += kept.length;
    // Each costs a process of go: a sample.
    if (go !== undefined && (long || step % (3 * stride) === first)) await checkWithGo(place, { go, kept });
    // That the rest can be fetched again is asked of every third: it costs as much as all the other questions.
    const wanted = long || step % (3 * stride) === first ? freshPaths : [];
    await checkStore({
      place,
      truth: world.truth,
      acknowledged: [...warmPaths, ...kept],
      wanted,
      verifyEntry: world.program.verifyEntry,
    }).catch((error: unknown) => {
      throw new Error(`after ${last}: ${String(error)}`, { cause: error });
    });
    await gone(place);
    return signal !== null;
  };
  for (const when of long ? (["before", "after"] as const) : (["before"] as const)) {
    let step = first;
    // Two at a time, until one lives.
    while ((await Promise.all([dieAt(step, when), dieAt(step + stride, when)])).every(Boolean)) step += 2 * stride;
  }
  const kinds = new Set(deaths);
  t.diagnostic(`${deaths.length} deaths, ${acknowledged} files acknowledged before them: ${[...kinds].join(", ")}`);
  if (long)
    for (const call of ["open", "write", "utimes", "sync", "mkdir", "link", "rename", "unlink"])
      assert.ok(kinds.has(`before ${call}`), `nobody died before ${call}`);
  assert.ok(deaths.length >= 80 / stride - 1, `${deaths.length} deaths`);
});

/** A plain `go` that takes the directory for its GOPROXY gets the right zip or none; what was acknowledged it gets. */
async function checkWithGo({ root }: Place, use: { go: GoTool; kept: readonly string[] }): Promise<void> {
  const proxy = pathToFileURL(join(root, "modules")).href;
  const client = await newGoClient(use.go, { GOPROXY: proxy, GOSUMDB: world.database.verifierKey });
  try {
    for (const module of [warm, fresh]) {
      const { code, stdout, output } = await client.run([
        "mod",
        "download",
        "-json",
        `${module.path}@${module.version}`,
      ]);
      const zipPath = pathsOf(module).at(-1) ?? "";
      const isPromised = module === warm || use.kept.includes(zipPath);
      assert.ok(code === 0 || !isPromised, output);
      if (code !== 0) continue;
      const { Zip } = JSON.parse(stdout) as { readonly Zip: string };
      assert.ok(world.truth.get(zipPath)?.equals(await readFile(Zip)), `go took a wrong zip of ${module.path}`);
    }
  } finally {
    await client.remove();
  }
}

/** What goes wrong with a call: it is not made, or it is made and said not to be. */
const failures = [
  { code: "EIO", when: "before" },
  { code: "ENOSPC", when: "before" },
  { code: "EIO", when: "after" },
] as const;
type Fault = (typeof failures)[number];

for (const fault of failures) {
  const how = `${fault.code} ${fault.when === "before" ? "instead of" : "after"} every call of an ingest`;
  test(`${how}: one server lives through all of them`, async (t) => {
    const place = await world.newPlace();
    const server = await openFor(t, place);
    const modules: ModuleFixture[] = [];
    const count = await failEach(t, async (step) => {
      const module = makeModule({ path: `m${step}.example.com/${fault.when}/deep`, version: "v1.2.3" });
      world.stub.add(module);
      await recordModule(world.database, module);
      modules.push(module);
      return await failOnce({ place, server, module, step, fault });
    });
    await server.close();
    const all = [warm, ...modules];
    const paths = all.flatMap(pathsOf);
    const truth = truthOf(all, world.stub);
    await checkStore({ place, truth, acknowledged: paths, wanted: paths, verifyEntry: world.program.verifyEntry });
    assert.ok(count >= 50 / stride - 1, `${count} calls failed`);
    await gone(place);
  });

  test(`${how}: in the first one of a server`, { skip: !long && "only with LONG=1" }, async (t) => {
    const count = await failEach(t, async (step) => {
      const place = await world.newPlace();
      const server = await openFor(t, place);
      const story = await failOnce({ place, server, module: fresh, step, fault });
      await server.close();
      const acknowledged = [...warmPaths, ...freshPaths];
      await checkStore({
        place,
        truth: world.truth,
        acknowledged,
        wanted: freshPaths,
        verifyEntry: world.program.verifyEntry,
      });
      await gone(place);
      return story;
    });
    assert.ok(count >= 90, `${count} calls failed`);
  });
}

type Story = {
  /** Undefined when the call failed by itself: what was looked for is not there. */
  readonly failed: DiskCall | undefined;
  readonly refused: number;
  /** Calls of the ingest. */
  readonly made: number;
};

/** Lets the first call fail, then the second … until an ingest has fewer. Returns how many there were. */
async function failEach(t: TestContext, failAt: (step: number) => Promise<Story>): Promise<number> {
  const names = new Set<string>();
  let [failed, refused] = [0, 0];
  for (let step = first; ; step += stride) {
    const story = await failAt(step);
    if (step > story.made) break;
    if (story.failed === undefined) continue;
    failed++;
    names.add(story.failed.name);
    refused += story.refused;
  }
  t.diagnostic(`${failed} calls failed, ${refused} requests were refused for it: ${[...names].join(", ")}`);
  return failed;
}

/** One ingest whose `step`th call fails, and the same requests again; throws unless everything is as it must be. */
async function failOnce(use: {
  readonly place: Place;
  readonly server: InsideServer;
  readonly module: ModuleFixture;
  readonly step: number;
  readonly fault: Fault;
}): Promise<Story> {
  const { place, server, module, step, fault } = use;
  const truth = truthOf([warm, module], world.stub);
  const before = await temporary(place);
  const calls: DiskCall[] = [];
  let failed: DiskCall | undefined;
  let made = 0;
  let isHealed = false;
  const strike = (call: DiskCall, when: Fault["when"]): void => {
    if (call.path.startsWith("state/events") || call.path === "state") return;
    // A disk that is full can still be read; what was only looked at, or opened, does not fail once it is done.
    if (!call.changes && !(fault.code === "EIO" && fault.when === "before")) return;
    if (call.name === "open" && fault.when === "after") return;
    if (when === "before") calls.push(call);
    if (isHealed || failed !== undefined || when !== fault.when || calls[step - 1]?.step !== call.step) return;
    failed = call;
    throw systemError(fault.code, call);
  };
  const unwatch = await watchDisk(place.root, {
    before: (call) => strike(call, "before"),
    after: (call) => strike(call, "after"),
  });
  const where = () => `${fault.code} ${fault.when} ${failed?.name ?? "nothing"} ${failed?.path ?? ""}`;
  let refused = 0;
  try {
    for (const path of pathsOf(module)) {
      const answer = await server.get(path);
      if (answer?.status === 200) assert.ok(truth.get(path)?.equals(answer.body), `${where()}: wrong bytes of ${path}`);
      else {
        refused++;
        assert.ok(failed !== undefined, `${path} is refused without a reason`);
        checkRefusal(answer, where());
      }
    }
    isHealed = true;
    made = calls.length;
    // As after a crash at this moment.
    await checkFiles(place.root, truth, pathsOf(module));
    for (const path of [...warmPaths, ...pathsOf(module)]) {
      const answer = await askedAgain(() => server.get(path), healMs);
      assert.equal(answer?.status, 200, `${where()}: ${path} afterwards: ${answer?.body.toString() ?? ""}`);
      assert.ok(truth.get(path)?.equals(answer.body), `${where()}: wrong bytes of ${path}`);
    }
  } finally {
    unwatch();
  }
  checkNoSecondFsync(calls, failed);
  // What could not be removed is removed at the next start.
  if (failed?.name !== "unlink") assert.deepEqual(await temporary(place), before, where());
  return { failed, refused, made };
}

async function temporary({ root }: Place): Promise<string[]> {
  return await readdir(join(root, "tmp"));
}

/** After a failed write or fsync nobody knows what is in the file: it gets no name and is never synced again. */
function checkNoSecondFsync(calls: readonly DiskCall[], failed: DiskCall | undefined): void {
  if (failed === undefined || !["write", "sync"].includes(failed.name) || !failed.path.startsWith("tmp/")) return;
  const later = calls.slice(calls.indexOf(failed) + 1);
  for (const { name, path, file } of later) {
    assert.ok(!(name === "sync" && file === failed.file), `${path} is synced once more`);
    assert.ok(!(["link", "rename"].includes(name) && path === failed.path), `${path} gets a name all the same`);
  }
}
