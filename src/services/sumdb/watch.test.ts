// The watch over split views, with a clock that the test moves and routes that it plays.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../../../test/support/at-end.ts";
import { HandClock } from "../../../test/support/hand-clock.ts";
import { PlainStorage } from "../../../test/support/plain-storage.ts";
import { TestDatabase } from "../lab/sumdb-server.ts";
import { listAlarms } from "./alarms.ts";
import { SumdbMirror } from "./mirror.ts";
import type { SumdbRoute } from "./ports.ts";
import { watchRoutes } from "./watch.ts";

const name = "sum.example.test";
const everyMs = 60_000;

async function databaseOf(size: number): Promise<TestDatabase> {
  const database = new TestDatabase({ name, seed: Buffer.alloc(32, 5) });
  for (let n = 0; n < size; n++) await database.add(`example.com/m${n} v1.0.0 h1:x\n`);
  return database;
}

const routeTo = (route: string, database: TestDatabase): SumdbRoute => ({
  name: route,
  knows: true,
  fetch: (path) => database.answer(path),
});

/** Work that takes no time but many turns: proofs, and answers of routes. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function stage(t: TestContext) {
  const clock = new HandClock();
  const stop = new AbortController();
  const setting = { everyMs };
  const failures: unknown[] = [];
  const watch = (mirrors: readonly Pick<SumdbMirror, "compareRoutes">[]) => {
    const watching = watchRoutes({
      mirrors,
      clock,
      everyMs: () => setting.everyMs,
      stop: stop.signal,
      onFailure: (error) => failures.push(error),
    });
    atEnd(t, async () => {
      stop.abort(new Error("over"));
      await watching;
    });
    return watching;
  };
  return { clock, stop, setting, failures, watch };
}

test("a route that shows another history is found without any lookup, and the database is halted", async (t) => {
  const { clock, watch } = stage(t);
  const honest = await databaseOf(20);
  const twin = await honest.fork(19);
  await twin.add("example.com/evil v1.0.0 h1:x\n");
  const storage = new PlainStorage();
  const forks: string[] = [];
  const mirror = new SumdbMirror({
    key: honest.verifierKey,
    routes: [routeTo("a", honest), routeTo("b", twin)],
    storage,
    clock,
    onFork: (evidence) => forks.push(evidence),
  });
  void watch([mirror]);
  await clock.pass(everyMs - 1);
  await settle();
  assert.deepEqual([honest.asked, twin.asked, mirror.views], [[], [], []]);
  await clock.pass(1);
  await settle();
  const verdicts = mirror.views.map(({ route, verdict }) => `${route} ${verdict}`).sort();
  // Which of the two came first is the history; the other one is the foreign.
  assert.ok(verdicts.includes("b forked") || verdicts.includes("a forked"), verdicts.join());
  assert.ok(verdicts.some((verdict) => verdict.endsWith("agrees")));
  assert.equal(forks.length, 1);
  assert.equal(mirror.alarm, forks[0]);
  assert.equal((await listAlarms(storage, name)).length, 1);
  assert.ok(![...honest.asked, ...twin.asked].some((path) => path.startsWith("/lookup/")));
  await clock.pass(everyMs);
  await settle();
  assert.equal(forks.length, 1, "the same head is told once");
});

test("0 asks nobody, and a change of the setting is noticed while it is off", async (t) => {
  const { clock, setting, watch } = stage(t);
  setting.everyMs = 0;
  let looks = 0;
  void watch([{ compareRoutes: () => Promise.resolve((looks++, [])) }]);
  await clock.pass(24 * 3_600_000);
  assert.equal(looks, 0);
  setting.everyMs = everyMs;
  await clock.pass(10_000);
  await clock.pass(everyMs);
  await settle();
  assert.equal(looks, 1);
});

test("a failure is told, the other databases are looked at, and the watch goes on", async (t) => {
  const { clock, failures, watch } = stage(t);
  let looks = 0;
  const broken = { compareRoutes: () => Promise.reject(new Error("the disk is gone")) };
  void watch([broken, { compareRoutes: () => Promise.resolve((looks++, [])) }]);
  for (const round of [1, 2]) {
    await clock.pass(everyMs);
    await settle();
    assert.deepEqual([failures.length, looks], [round, round]);
  }
  assert.match(String(failures[0]), /the disk is gone/);
});

test("stopping ends it, also in the middle of a look, and is no failure", async (t) => {
  const { clock, stop, failures, watch } = stage(t);
  const hangs = (signal: AbortSignal) =>
    new Promise<never>((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true }),
    );
  const watching = watch([{ compareRoutes: hangs }]);
  await clock.pass(everyMs);
  stop.abort(new Error("the server stops"));
  await watching;
  assert.deepEqual(failures, []);
  assert.equal(clock.sleeping, 0);
});
