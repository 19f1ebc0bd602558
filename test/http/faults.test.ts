// Bad days: an upstream that breaks in every way it can, and a server that is killed at any moment.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { atEnd } from "../support/at-end.ts";
import { makeProgram } from "../support/crash-runner.ts";
import type { Fault } from "../support/faults.ts";
import { runGranary, startGranary } from "../support/granary.ts";
import { someBytes } from "../support/manifests.ts";
import { makeModule } from "../support/modules.ts";
import type { ModuleFixture } from "../support/modules.ts";
import { seeded } from "../support/own-log-world.ts";
import { acknowledgedIn, checkFiles, checkStore, checkSurvey, pathsOf, truthOf } from "../support/store-truth.ts";
import type { StubUpstream } from "../support/stub-upstream.ts";
import { startUpstreams, startWorld } from "../support/world.ts";

function manyVersions(count: number): ModuleFixture[] {
  return Array.from({ length: count }, (_, n) => {
    const files = {
      "go.mod": `module example.com/many\n\ngo 1.${n}\n`,
      "blob.txt": Buffer.from(someBytes(20_000 + n * 100, n + 1)).toString("base64"),
    };
    return makeModule({ path: "example.com/many", version: `v1.0.${n}`, files });
  });
}

const pathOf = ({ version }: ModuleFixture, ending: string) => `/example.com/many/@v/${version}${ending}`;

/** Runs `work` on every item, `width` at a time. */
async function eachOf<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

// ---- the upstream ----

const flip = (body: Uint8Array): Uint8Array => {
  const bytes = Buffer.from(body);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
};

const faults: readonly Fault[] = [
  { kind: "status", status: 500 },
  { kind: "status", status: 404 },
  { kind: "html" },
  { kind: "delay", ms: 100 },
  { kind: "stall" },
  { kind: "stall", after: 100 },
  { kind: "reset" },
  { kind: "reset", after: 100 },
  { kind: "truncate", after: 100 },
  { kind: "bytes", body: "" },
  { kind: "edit", edit: flip },
  { kind: "redirect", location: "/nowhere" },
];
const share = 0.02;
const versions = 200;
/** A version needs no more retries than there are faults waiting for it, absences remembered aside. */
const maxTries = 60;

/** Arms each fault for 2 % of all files; returns how many. */
function armFaults(stub: StubUpstream, modules: readonly ModuleFixture[]): number {
  const random = seeded(20261121);
  let armed = 0;
  for (const module of modules)
    for (const ending of [".info", ".mod", ".zip"])
      for (const fault of faults)
        if (random() < share) {
          stub.fault(pathOf(module, ending), fault, 1);
          armed++;
        }
  return armed;
}

test(`${versions} versions through an upstream with 2 % of every fault: all arrive, all are what they should be`, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-faults-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const config = join(folder, "granary.yaml");
  const store = join(folder, "store");
  await writeFile(
    config,
    "freshness:\n  negative: 200ms\nupstreamClient:\n  responseHeaderTimeout: 300ms\n  bodyIdleTimeout: 300ms\n",
  );
  const modules = manyVersions(versions);
  const world = await startWorld({ modules, store, flags: [`--config=${config}`] });
  atEnd(t, () => world.close());
  const { granary, stub } = world;
  const armed = armFaults(stub, modules);
  assert.ok(armed > 60, String(armed));
  const fetchWhole = async (path: string, tries: number): Promise<Buffer> => {
    let last = "";
    for (let n = 0; n < tries; n++) {
      const response = await fetch(granary.url + path);
      const body = Buffer.from(await response.arrayBuffer());
      if (response.status === 200) return body;
      last = `${response.status} ${body.toString()}`;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${path}: ${last}`);
  };
  const check = (tries: number) =>
    eachOf(modules, 16, async (module) => {
      const info = JSON.parse((await fetchWhole(pathOf(module, ".info"), tries)).toString()) as { Version: string };
      assert.equal(info.Version, module.version);
      for (const ending of [".mod", ".zip"]) {
        const path = pathOf(module, ending);
        assert.deepEqual(await fetchWhole(path, tries), Buffer.from(stub.bytes(path)), path);
      }
    });
  await check(maxTries);
  await stub.cut();
  await check(1);
  assert.equal(await granary.stop(), 0);
  const verified = await runGranary(["store", "verify", `--store=${store}`]);
  assert.equal(verified.code, 0, verified.stdout);
});

// ---- the server ----

const rounds = process.env["LONG"] === "1" ? 200 : 4;
const perRound = 12;

test(`${rounds} kills at random moments: the store is sound, and what was answered is still there`, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-kills-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const store = join(folder, "store");
  const modules = manyVersions(rounds * perRound);
  const { stub, database } = await startUpstreams(modules);
  atEnd(t, () => stub.close());
  const sumdb = `${database.verifierKey} ${stub.url}/sumdb/${database.name}`;
  const random = seeded(7);
  const acknowledged = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const granary = await startGranary({ upstream: stub.url, sumdb, store });
    try {
      // The newest, which the kill was nearest to; all of them in the end.
      await assertStillThere(granary.url, [...acknowledged].slice(-40), stub);
      const wanted = modules.slice(round * perRound, (round + 1) * perRound);
      const fetching = eachOf(wanted, 6, async (module) => {
        for (const ending of [".mod", ".zip"]) {
          const path = pathOf(module, ending);
          const response = await fetch(granary.url + path);
          const body = Buffer.from(await response.arrayBuffer());
          assert.equal(response.status, 200, body.toString());
          assert.deepEqual(body, Buffer.from(stub.bytes(path)));
          acknowledged.add(path);
        }
      });
      // A kill breaks what is under way: that is the point.
      const broken = fetching.catch((error: unknown) => assert.ok(error instanceof TypeError, String(error)));
      // Half of the kills come however little was done, the others when something was, on slow machines too.
      const before = acknowledged.size;
      const over = new AbortController();
      void broken.finally(() => over.abort());
      while (round % 2 === 1 && acknowledged.size === before && !over.signal.aborted) await passed(5);
      await passed(20 + random() * 300);
      granary.signal("SIGKILL");
      await broken;
    } finally {
      await granary.stop();
    }
  }
  const last = await startGranary({ upstream: stub.url, sumdb, store });
  await assertStillThere(last.url, [...acknowledged], stub).finally(() => last.stop());
  const verified = await runGranary(["store", "verify", `--store=${store}`]);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  assert.ok(acknowledged.size >= rounds / 2, String(acknowledged.size));
});

// ---- many kills of what keeps ----

const kills = process.env["LONG"] === "1" ? 10_000 : 10;
const seed = Number(process.env["SEED"] ?? 20261128);

/** More than a store has seen before it has nearly everything, and lives end with nothing to do. */
const livesOfAStore = 25;
const pool = ["a", "b", "c", "d"].flatMap((name) =>
  Array.from({ length: 30 }, (_, n) => {
    const files = {
      "go.mod": `module example.com/${name}\n`,
      "x.txt": Buffer.from(someBytes(9_000, n)).toString("hex"),
    };
    return makeModule({ path: `example.com/${name}`, version: `v1.${n}.0`, files });
  }),
);

test(`${kills} kills of a server with eight downloads at a time: nothing torn, nothing answered is lost`, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-random-kills-"));
  const program = await makeProgram();
  const { stub, database } = await startUpstreams(pool);
  atEnd(t, async () => {
    await stub.close();
    await program.remove();
    await rm(folder, { recursive: true, force: true });
  });
  const truth = truthOf(pool, stub);
  const { verifyEntry } = program;
  const sumdb = `${database.verifierKey} ${stub.url}/sumdb/${database.name}`;
  const tally = { kills: 0, idle: 0, stores: 0, acknowledged: 0 };

  /** One store, killed again and again. */
  const wearOut = async (random: () => number): Promise<void> => {
    const place = { root: join(folder, `store-${tally.stores++}`), upstream: stub.url, sumdb };
    const acknowledged = new Set<string>();
    for (let lives = 0; lives < livesOfAStore && tally.kills < kills; lives++) {
      const some = Math.floor(random() * pool.length);
      const args = [...pool.slice(some), ...pool.slice(0, some)].slice(0, 6).flatMap(pathsOf);
      // Half of them by itself between two calls, while others are under way; half from outside, at any moment.
      const dies = { step: 1 + Math.floor(random() * 250), when: random() < 0.5 ? "before" : "after" } as const;
      const kill = { lines: 1 + Math.floor(random() * args.length), ms: random() * 20 };
      const life = { scene: "storm", place, args } as const;
      const { lines, signal } = await (random() < 0.5 ? program.live({ ...life, dies }) : program.live(life, kill));
      if (signal === null) tally.idle++;
      else tally.kills++;
      for (const path of acknowledgedIn(lines, truth)) acknowledged.add(path);
      await checkFiles(place.root, truth, args);
      // What is torn stays torn: all of it every now and then.
      if (tally.kills % 20 === 0) await checkSurvey(place.root, { mayBeUnlisted: true });
    }
    tally.acknowledged += acknowledged.size;
    const wanted = pathsOf(pool[0]!);
    await checkStore({ place, truth, acknowledged: [...acknowledged], wanted, verifyEntry });
    await rm(place.root, { recursive: true, force: true });
  };
  await Promise.all(
    [1, 2].map(async (lane) => {
      const random = seeded(seed + lane);
      while (tally.kills < kills) await wearOut(random);
    }),
  );
  t.diagnostic(
    `seed ${seed}: ${tally.kills} kills of ${tally.stores} stores, ${tally.acknowledged} files acknowledged and still there, ` +
      `${tally.idle} lives ended before their kill`,
  );
  assert.ok(tally.acknowledged > tally.stores, String(tally.acknowledged));
});

async function assertStillThere(url: string, paths: readonly string[], stub: StubUpstream): Promise<void> {
  // A kill between a version's commit and the list leaves the list short, until somebody reads it.
  const list = (await (await fetch(`${url}/cached-only/example.com/many/@v/list`)).text()).split("\n");
  for (const path of paths.filter((one) => one.endsWith(".zip")))
    assert.ok(list.includes(/@v\/(.*)\.zip$/.exec(path)?.[1] ?? ""), path);
  await eachOf(paths, 8, async (path) => {
    const response = await fetch(`${url}/cached-only${path}`);
    assert.equal(response.status, 200, path);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.from(stub.bytes(path)), path);
  });
}
