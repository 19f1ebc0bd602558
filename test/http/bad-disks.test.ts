// Real disks that are full, nearly full, out of inodes or read-only, and a process that may open no more files: what is
// kept is served all the time, what is new is refused in a sentence, and it goes on by itself. F-03, F-04, F-09, F-14.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { atEnd } from "../support/at-end.ts";
import { startGranary } from "../support/granary.ts";
import type { RunningGranary } from "../support/granary.ts";
import { fileOf, modulesFor } from "../support/mirrors.ts";
import type { ModuleFixture } from "../support/modules.ts";
import { noDisk, run, smallDisk } from "../support/small-disk.ts";
import type { SmallDisk } from "../support/small-disk.ts";
import type { StubUpstream } from "../support/stub-upstream.ts";
import { startUpstreams } from "../support/world.ts";

const mib = 1 << 20;

type Scene = {
  readonly modules: readonly ModuleFixture[];
  readonly stub: StubUpstream;
  readonly disk: SmallDisk;
  readonly start: (env?: Readonly<Record<string, string>>) => Promise<RunningGranary>;
};

async function sceneFor(
  t: TestContext,
  of: { readonly disk: Parameters<typeof smallDisk>[1]; readonly modules: number; readonly bytes?: number },
): Promise<Scene> {
  const disk = smallDisk(t, of.disk);
  const modules = modulesFor(of.modules, "disk", of.bytes);
  const { stub, database } = await startUpstreams(modules);
  atEnd(t, () => stub.close());
  const start = async (env: Readonly<Record<string, string>> = {}) => {
    const granary = await startGranary({
      upstream: stub.url,
      sumdb: `${database.verifierKey} ${stub.url}/sumdb/${database.name}`,
      store: disk.store,
      // Nothing that happens by itself, and nothing from memory: the disk has to answer.
      env: {
        GRANARY_PREFETCH: "off",
        GRANARY_CACHE_ENABLED: "off",
        GRANARY_PROBE_EVERY: "0",
        GRANARY_STORE_LOW_WATER: "0",
        ...env,
      },
    });
    atEnd(t, () => granary.stop());
    return granary;
  };
  return { modules, stub, disk, start };
}

async function get(url: string): Promise<{ readonly status: number; readonly text: string; readonly body: Buffer }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, text: body.toString(), body };
}

/** Fetches all three files. */
async function obtain({ url }: RunningGranary, module: ModuleFixture): Promise<number> {
  for (const ending of ["info", "mod", "zip"]) {
    const { status } = await get(url + fileOf(module, ending));
    if (status !== 200) return status;
  }
  return 200;
}

/** Every file of a kept module is answered, and right. */
async function assertWarm(granary: RunningGranary, modules: readonly ModuleFixture[], stub: StubUpstream) {
  assert.ok(modules.length > 0);
  for (const module of modules)
    for (const ending of ["info", "mod", "zip"]) {
      const path = fileOf(module, ending);
      const { status, body, text } = await get(granary.url + path);
      assert.equal(status, 200, `${path}: ${text.slice(0, 300)}`);
      if (ending !== "info") assert.ok(body.equals(stub.bytes(path)), path);
    }
}

/** Polls until `is` says so; the server looks at its disk every second. */
async function until(what: string, is: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await is()) return;
    await passed(100);
  }
  throw new Error(`it never came to pass: ${what}`);
}

const readyz = ({ url }: RunningGranary) => get(`${url}/-/readyz`);
const metric = async ({ url }: RunningGranary, line: string): Promise<number> => {
  const { text } = await get(`${url}/-/metrics`);
  const found = text.split("\n").find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? Number.NaN);
};
const events = async ({ store }: SmallDisk): Promise<Record<string, unknown>[]> => {
  const text = await readFile(join(store, "state", "events.jsonl"), "utf8");
  // A full disk may break a line off; the sink begins a new one after it.
  return text
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
};

suite("bad disks", { skip: noDisk ?? false, concurrency: 2 }, () => {
  test("a full disk, then a read-only one: kept versions are served, new ones refused, and both end by themselves", async (t) => {
    const { modules, stub, disk, start } = await sceneFor(t, { disk: { bytes: 8 * mib }, modules: 20, bytes: 300_000 });
    const granary = await start();
    await disk.fillTo(4 * mib);
    const [late, ...others] = modules as [ModuleFixture, ...ModuleFixture[]];
    // Until the disk itself says no.
    const kept: ModuleFixture[] = [];
    for (const module of others) {
      if ((await obtain(granary, module)) !== 200) break;
      kept.push(module);
    }
    assert.ok(kept.length > 5 && kept.length < others.length, String(kept.length));
    await disk.fillTo(0);
    const asked = stub.requests(/./);
    await until("the miss is refused", async () => (await get(granary.url + fileOf(late, "zip"))).status === 503);
    const miss = await get(granary.url + fileOf(late, "zip"));
    assert.match(miss.text, /^GRANARY_STORE_FULL: .*the store is full\.\nKept versions are still served\.\n/);
    await assertWarm(granary, kept, stub);
    const ready = await readyz(granary);
    assert.equal(ready.status, 200);
    assert.match(ready.text, /^ready, degraded\ndegraded: no new modules since \S+Z \(full\): .*MB are free/);
    assert.equal(await metric(granary, "granary_store_open"), 0);
    await until("free bytes are few", async () => (await metric(granary, "granary_store_free_bytes")) < 100_000);
    assert.ok((await metric(granary, 'granary_ingests_refused_total{reason="full"}')) > 0);
    assert.deepEqual(disk.leftovers(), []);
    // A record that is not kept cannot be kept either; that is our bad day and not a bug.
    const lookup = await get(`${granary.url}/sumdb/sum.example.test/lookup/${late.path}@${late.version}`);
    assert.match(`${lookup.status} ${lookup.text}`, /^(200 |503 GRANARY_STORE_FULL)/);
    assert.ok(stub.requests(/./) > asked);

    await disk.makeRoom();
    await until("the disk has room", async () => (await obtain(granary, late)) === 200);
    await until("it says so", async () => (await readyz(granary)).text.startsWith("ready\n"));
    await until("it is told", async () => {
      const told = (await events(disk)).filter(({ alarm }) => alarm === "store-closed");
      return told.some(({ name }) => name === "alarm.cleared");
    });

    await disk.remount("ro");
    const next = others.at(-1)!;
    const refused = await get(granary.url + fileOf(next, "info"));
    assert.equal(refused.status, 503);
    assert.match(refused.text, /^GRANARY_STORE_READ_ONLY: .*the store's file system is read-only\./);
    await assertWarm(granary, [...kept, late], stub);
    assert.match((await readyz(granary)).text, /^ready, degraded\ndegraded: .*\(read-only\)/);
    await disk.remount("rw");
    await until("it can be written again", async () => (await obtain(granary, next)) === 200);
    assert.deepEqual(disk.leftovers(), []);
    assert.equal(await granary.stop(), 0);
  });

  test("below the low-water mark nothing new is taken, records still are, and more room ends it", async (t) => {
    const { modules, stub, disk, start } = await sceneFor(t, { disk: { bytes: 8 * mib }, modules: 4, bytes: 100_000 });
    const granary = await start({ GRANARY_STORE_LOW_WATER: "2MiB" });
    const [first, second, third] = modules as [ModuleFixture, ModuleFixture, ModuleFixture];
    assert.equal(await obtain(granary, first), 200);
    await disk.fillTo(1 * mib);
    await until("it has seen it", async () => (await readyz(granary)).text.startsWith("ready, degraded\n"));
    const asked = stub.requests(fileOf(second, "info"));
    const miss = await get(granary.url + fileOf(second, "info"));
    assert.equal(miss.status, 503);
    assert.match(miss.text, /^GRANARY_STORE_FULL: .* the store has .* left, its low-water mark is 2\.1 MB\.\n/);
    assert.equal(stub.requests(fileOf(second, "info")), asked, "no upstream is asked for what would not be kept");
    const lookup = await get(`${granary.url}/sumdb/sum.example.test/lookup/${third.path}@${third.version}`);
    assert.equal(lookup.status, 200, lookup.text);
    await assertWarm(granary, [first], stub);
    assert.ok((await metric(granary, 'granary_ingests_refused_total{reason="low-space"}')) > 0);
    await until("the alarm is raised", async () => (await metric(granary, 'granary_alarm{alarm="low-space"}')) === 1);
    assert.match((await readyz(granary)).text, /\nalarm: low-space since \S+: .* limit 4\.2 MB\)\n/);
    assert.match((await get(`${granary.url}/-/`)).text, /low-space/);
    // Just above the mark is not enough to go on; well above is.
    await disk.fillTo(2 * mib + 50_000);
    await passed(1_500);
    assert.equal((await get(granary.url + fileOf(second, "info"))).status, 503);
    await disk.makeRoom();
    await until("there is room", async () => (await obtain(granary, second)) === 200);
  });

  test("out of inodes: refused before the last one, and back when some are free", async (t) => {
    const { modules, stub, disk, start } = await sceneFor(t, { disk: { bytes: 16 * mib, inodes: 300 }, modules: 60 });
    const granary = await start({ GRANARY_STORE_LOW_WATER: "1MiB" });
    const kept: ModuleFixture[] = [];
    let miss = { status: 0, text: "" };
    for (const module of modules) {
      miss = await get(granary.url + fileOf(module, "zip"));
      if (miss.status !== 200) break;
      kept.push(module);
    }
    assert.equal(miss.status, 503);
    assert.match(miss.text, /^GRANARY_STORE_FULL: /);
    await until("it says so", async () => (await readyz(granary)).text.includes("(low-inodes)"));
    const next = modules[kept.length + 1]!;
    assert.match((await get(granary.url + fileOf(next, "zip"))).text, /can hold hardly any more files/);
    await assertWarm(granary, kept, stub);
    assert.ok((await metric(granary, "granary_store_free_inodes")) < 17);
    assert.deepEqual(disk.leftovers(), []);
    for (const module of kept.slice(0, 6)) await rm(join(disk.store, "modules", module.path), { recursive: true });
    await until("there are inodes", async () => (await obtain(granary, next)) === 200);
  });

  for (const [name, spoil, mend] of [
    ["read-only", (disk: SmallDisk) => disk.remount("ro"), (disk: SmallDisk) => disk.remount("rw")],
    ["full", (disk: SmallDisk) => disk.fillTo(0), (disk: SmallDisk) => disk.makeRoom()],
  ] as const)
    test(`a disk that is ${name} when the server starts: what is kept is served, and writing begins when it can`, async (t) => {
      const { modules, stub, disk, start } = await sceneFor(t, { disk: { bytes: 8 * mib }, modules: 3 });
      const [kept, missed] = modules as [ModuleFixture, ModuleFixture];
      const first = await start();
      assert.equal(await obtain(first, kept), 200);
      assert.equal(await first.stop(), 0);
      await spoil(disk);
      const granary = await start();
      await assertWarm(granary, [kept], stub);
      const miss = await get(granary.url + fileOf(missed, "info"));
      const code = name === "full" ? "GRANARY_STORE_FULL" : "GRANARY_STORE_READ_ONLY";
      assert.match(`${miss.status} ${miss.text}`, new RegExp(`^503 ${code}: `));
      assert.match((await readyz(granary)).text, new RegExp(`^ready, degraded\ndegraded: .*\\(${name}\\)`));
      assert.match(granary.stderr(), new RegExp(`store\\.closed.*${name}`));
      await mend(disk);
      await until("it can be written", async () => (await obtain(granary, missed)) === 200);
      assert.ok(readdirSync(disk.store).includes("granary.lock"), "the store is taken now");
      assert.deepEqual(disk.leftovers(), []);
    });

  test("no more files may be opened: new connections are shed, an open one is served, and it recovers", async (t) => {
    const { modules, stub, start } = await sceneFor(t, { disk: { bytes: 8 * mib }, modules: 3 });
    const [kept, missed] = modules as [ModuleFixture, ModuleFixture];
    const granary = await start({ GRANARY_CACHE_ENABLED: "on" });
    assert.equal(await obtain(granary, kept), 200);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    atEnd(t, () => agent.destroy());
    const path = fileOf(kept, "mod");
    assert.equal(await over(agent, granary.url + path), 200);
    const open = readdirSync(`/proc/${granary.pid}/fd`).length;
    assert.equal(run("prlimit", `--pid=${granary.pid}`, `--nofile=${open + 20}:`), "");
    const sockets: Socket[] = [];
    atEnd(t, () => {
      for (const socket of sockets) socket.destroy();
    });
    let shed = 0;
    const { hostname, port } = new URL(granary.url);
    for (let n = 0; n < 120; n++) {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.on("error", () => undefined);
      socket.once("close", () => shed++);
      sockets.push(socket);
    }
    await until("some are shed", () => Promise.resolve(shed > 50));
    for (let n = 0; n < 20; n++) assert.equal(await over(agent, granary.url + path), 200);
    const before = stub.requests(/./);
    // Where it fails depends on which descriptor is the last: at the upstream, or at the store.
    assert.match(String(await over(agent, granary.url + fileOf(missed, "info"))), /^50[234]$/);
    for (const socket of sockets) socket.destroy();
    await until("it answers new connections", async () => {
      const answered = await get(granary.url + fileOf(missed, "info")).catch(() => undefined);
      return answered?.status === 200;
    });
    assert.ok(stub.requests(/./) > before);
    assert.equal(await granary.stop(), 0);
  });
});

/** The status of a GET over a connection that is kept. */
function over(agent: Agent, url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
    })
      .once("error", reject)
      .end();
  });
}
