import assert from "node:assert/strict";
import { test } from "node:test";
import { checkModuleVersion } from "#protocol/version.ts";
import { absent, failed, kept, openSyncRoom } from "../../../test/support/sync-room.ts";
import { giveUpMs } from "./follower.ts";

const v1 = checkModuleVersion("git.corp.example/x", "v1.0.0");
const what = "git.corp.example/x@v1.0.0";
const announced = { candidates: [v1], source: "webhook" } as const;

const facts = { module: v1.path, version: v1.version, upstream: "corp" };
const came = { name: "module.ingested", ...facts, stage: "zip", bytes: 9, ms: 1, verifiedBy: "pin" } as const;

test("what is there is brought, forgotten about once more, and listed", async () => {
  const { follower, table, asked, counted, states, clock } = openSyncRoom();
  table.set(what, [kept]);
  assert.equal(await follower.announce(announced), "listed");
  assert.deepEqual(asked, [`bring ${what}`, "forget git.corp.example/x", "list git.corp.example/x"]);
  assert.deepEqual(counted, ["delay webhook 0"]);
  assert.deepEqual(states(what), ["announced", "listed after 0 ms"]);
  assert.equal(follower.size, 0);
  assert.equal(clock.sleeping, 0);
});

test("an upstream that learns of a tag later is asked again, and what was remembered is forgotten before", async () => {
  const { follower, table, asked, counted, clock } = openSyncRoom();
  table.set(what, [absent, failed("GRANARY_UPSTREAM_FAILED"), kept]);
  const followed = follower.announce(announced);
  await clock.pass(400);
  assert.equal(follower.delayMs, 400);
  assert.deepEqual(asked, [`bring ${what}`]);
  await clock.pass(100);
  assert.deepEqual(asked.slice(1), ["forget git.corp.example/x", `bring ${what}`]);
  await clock.pass(1_000);
  assert.equal(await followed, "listed");
  assert.deepEqual(counted, ["delay webhook 1500"]);
  assert.equal(follower.delayMs, undefined);
});

test("a version that is kept and in no list yet is looked at again", async () => {
  const { follower, table, modules, asked, clock, counted } = openSyncRoom();
  table.set(what, [kept]);
  const lists = [() => Promise.reject(new Error("offline")), () => Promise.resolve(["v1.0.0"])];
  modules.list = () => lists.shift()?.() ?? assert.fail("asked too often");
  const followed = follower.announce(announced);
  await clock.pass(500);
  assert.equal(await followed, "listed");
  assert.equal(asked.filter((one) => one === `bring ${what}`).length, 2);
  assert.deepEqual(counted, ["delay webhook 500"]);
});

test("of two versions that a tag may be, the second is tried when the first is absent", async () => {
  const { follower, table, states } = openSyncRoom();
  const candidates = [
    checkModuleVersion("git.corp.example/x/v2", "v2.0.0"),
    checkModuleVersion("git.corp.example/x", "v2.0.0+incompatible"),
  ];
  table.set("git.corp.example/x@v2.0.0+incompatible", [kept]);
  assert.equal(await follower.announce({ candidates, source: "webhook" }), "listed");
  assert.deepEqual(states("git.corp.example/x@v2.0.0+incompatible"), ["listed after 0 ms"]);
});

test("what never comes is given up, told, and no alarm for ever", async () => {
  const { follower, asked, clock, states, counted } = openSyncRoom();
  const followed = follower.announce(announced);
  await clock.pass(giveUpMs - 60_000);
  assert.ok((follower.delayMs ?? 0) > 300_000);
  await clock.pass(120_000);
  assert.equal(await followed, "given up");
  assert.equal(follower.delayMs, undefined);
  const tries = asked.filter((one) => one.startsWith("bring")).length;
  assert.ok(tries >= 15 && tries <= 25, String(tries));
  assert.deepEqual(states(what), ["announced", "failed not there after 15 min"]);
  assert.deepEqual(counted, []);
  assert.equal(clock.sleeping, 0);
});

test("wrong bytes are not asked for again", async () => {
  const { follower, table, asked, states } = openSyncRoom();
  table.set(what, [failed("GRANARY_SUMDB_MISMATCH", { isFinal: true })]);
  assert.equal(await follower.announce(announced), "failed");
  assert.deepEqual(asked, [`bring ${what}`]);
  assert.deepEqual(states(what), ["announced", "failed GRANARY_SUMDB_MISMATCH"]);
});

test("the job's events are told as states: fetched, verified, kept", async () => {
  const { follower, table, states, modules } = openSyncRoom();
  table.set(what, [kept]);
  const bring = modules.bring.bind(modules);
  modules.bring = (id, signal) => {
    follower.heard({ ...came, stage: "mod" });
    follower.heard({ ...came, version: "v9.9.9" });
    follower.heard(came);
    return bring(id, signal);
  };
  await follower.announce(announced);
  assert.deepEqual(states(what), ["announced", "fetched corp", "verified pin", "kept 9 bytes", "listed after 0 ms"]);
});

test("with the database off nothing is called verified", async () => {
  const { follower, table, states, modules } = openSyncRoom();
  table.set(what, [kept]);
  const bring = modules.bring.bind(modules);
  modules.bring = (id, signal) => {
    follower.heard({ ...came, verifiedBy: "off" });
    return bring(id, signal);
  };
  await follower.announce(announced);
  assert.deepEqual(states(what), ["announced", "fetched corp", "kept 9 bytes", "listed after 0 ms"]);
});

test("refused bytes: failed, quarantine, and then the integrity list is asked what it says", async () => {
  const { follower, modules, states } = openSyncRoom();
  modules.listed = (id) => Promise.resolve(`list.example names zip h1:x of ${id.version}`);
  modules.bring = () => {
    follower.heard({ name: "module.denied", ...facts, code: "GRANARY_SUMDB_MISMATCH" });
    follower.heard({ name: "module.quarantined", ...facts, kind: "zip", id: "q1", found: "h1:y" });
    return Promise.resolve(failed("GRANARY_SUMDB_MISMATCH", { isFinal: true }));
  };
  await follower.announce(announced);
  assert.deepEqual(states(what), [
    "announced",
    "fetched corp",
    "failed GRANARY_SUMDB_MISMATCH",
    "quarantine q1",
    "integrity list.example names zip h1:x of v1.0.0",
    "failed GRANARY_SUMDB_MISMATCH",
  ]);
});

test("what a list vouches for, and what nobody does, say so", async () => {
  const listed = openSyncRoom();
  listed.table.set(what, [kept]);
  const bring = listed.modules.bring.bind(listed.modules);
  listed.modules.bring = (id, signal) => {
    listed.follower.heard({ ...came, verifiedBy: "integrity" });
    return bring(id, signal);
  };
  await listed.follower.announce(announced);
  assert.deepEqual(listed.states(what).slice(1, 4), [
    "fetched corp",
    "integrity it vouches while no checksum database answers",
    "verified integrity",
  ]);
  const silent = openSyncRoom();
  silent.table.set(what, [failed("GRANARY_SUMDB_UNREACHABLE", { isUnproven: true }), kept]);
  const followed = silent.follower.announce(announced);
  await silent.clock.pass(500);
  await followed;
  assert.deepEqual(silent.states(what).slice(1, 3), [
    "failed GRANARY_SUMDB_UNREACHABLE",
    "integrity no list is configured",
  ]);
});

test("one that is followed is joined, a thousand and first is not taken in, a stop ends all", async () => {
  const { follower, stop, asked, clock, states } = openSyncRoom();
  const first = follower.announce(announced);
  assert.equal(follower.announce(announced), first);
  const others = Array.from({ length: 999 }, (_, n) =>
    follower.announce({ candidates: [checkModuleVersion("a.example/x", `v1.0.${n}`)], source: "index" }),
  );
  assert.equal(follower.size, 1_000);
  const more = checkModuleVersion("a.example/y", "v1.0.0");
  assert.equal(await follower.announce({ candidates: [more], source: "index" }), "full");
  assert.deepEqual(states("a.example/y@v1.0.0"), ["failed more than 1000 announcements wait"]);
  await clock.pass(0);
  assert.ok(asked.length >= 1_000);
  stop.abort(new Error("the server stops"));
  assert.deepEqual(new Set(await Promise.all([first, ...others])), new Set(["given up"]));
  assert.equal(clock.sleeping, 0);
});

test("at most four attempts run at once", async () => {
  const { follower, modules } = openSyncRoom();
  let running = 0;
  let most = 0;
  const ends: (() => void)[] = [];
  modules.bring = async () => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => ends.push(resolve));
    running--;
    return failed("x", { isFinal: true });
  };
  const all = Array.from({ length: 10 }, (_, n) =>
    follower.announce({ candidates: [checkModuleVersion("a.example/x", `v1.0.${n}`)], source: "index" }),
  );
  for (let n = 0; n < 10; n++) {
    await new Promise((resolve) => setImmediate(resolve));
    ends.shift()?.();
  }
  await Promise.all(all);
  assert.equal(most, 4);
});
