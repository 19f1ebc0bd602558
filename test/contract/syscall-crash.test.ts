// One ingest, and every system call that it makes to the disk, in whatever thread: the process is killed there, or the
// call fails. Only with LONG=1.
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before, suite, test } from "node:test";
import { startLife } from "../support/crash-runner.ts";
import type { FilledWorld } from "../support/filled-world.ts";
import { freshPaths, makeIngestWorld, warmPaths } from "../support/ingest-world.ts";
import { getWhole } from "../support/inside-server.ts";
import type { Answer, Place } from "../support/inside-server.ts";
import { askedAgain, checkRefusal } from "../support/refusals.ts";
import { checkStore } from "../support/store-truth.ts";
import { inject, whyNotTraced } from "../support/strace.ts";
import type { Injection } from "../support/strace.ts";

const long = process.env["LONG"] === "1";
/** Calls that open, change or end something. `write` is also how a thread of node's pool wakes the main one. */
const calls = ["openat", "write", "fsync", "link", "rename", "unlink", "mkdir", "utimensat", "close", "pwrite64"];
/** Sockets and pipes are written to and closed as well, and node ends itself when that fails: these are only killed at. */
const failing = calls.filter((call) => call !== "write" && call !== "close");
/** Above what one ingest makes of any. */
const most = 400;
/** Within this a store takes ingests again once its disk is well (services/store/room.ts). */
const healMs = 10_000;

let world: FilledWorld;

/** Its processes are slow to start under a tracer, and a busy machine makes them slower: not in the everyday run. */
const skip = long ? (whyNotTraced() ?? false) : "only with LONG=1";

suite("system calls", { skip }, () => {
  before(async () => (world = await makeIngestWorld()));
  after(() => world.close());

  test("killed at every system call of an ingest", async (t) => {
    const deaths = await throughAll(calls, "KILL", async (injection) => (await struck(injection)).isDead);
    t.diagnostic(`${deaths.length} deaths: ${told(deaths)}`);
    assert.ok(deaths.length >= 300, `${deaths.length} deaths`);
  });

  for (const how of ["EIO", "ENOSPC"] as const)
    test(`${how} at every system call of an ingest`, async (t) => {
      const failures = await throughAll(failing, how, async (injection) => (await struck(injection)).refused > 0);
      t.diagnostic(`${failures.length} ingests were refused for it: ${told(failures)}`);
      assert.ok(failures.length >= 40, `${failures.length} failures`);
    });
});

/** Every call of each kind. Returns those at which something happened. */
async function throughAll(
  kinds: readonly string[],
  how: Injection["how"],
  run: (injection: Injection) => Promise<boolean>,
): Promise<Injection[]> {
  const met: Injection[] = [];
  for (const call of kinds) {
    let idle = 0;
    for (let nth = 1; nth <= most; nth++) {
      const injection = { call, nth, how };
      const hasHappened = await run(injection).catch((error: unknown) => {
        throw new Error(`after ${how} at ${call} ${nth}: ${String(error)}`, { cause: error });
      });
      if (hasHappened) met.push(injection);
      // Failing calls are not always felt; a process that lived through many is past the last one.
      idle = hasHappened ? 0 : idle + 1;
      if (idle >= (how === "KILL" ? 2 : 25)) break;
    }
  }
  return met;
}

/** One ingest with that call struck, and everything that must be true of what it left. */
async function struck(injection: Injection): Promise<Outcome> {
  const outcome = await ingestWith(injection);
  const { place, acknowledged } = outcome;
  await checkStore({
    place,
    truth: world.truth,
    acknowledged: [...warmPaths, ...acknowledged],
    wanted: freshPaths,
    verifyEntry: world.program.verifyEntry,
  });
  await rm(place.root, { recursive: true });
  return outcome;
}

type Outcome = {
  readonly place: Place;
  readonly acknowledged: readonly string[];
  readonly refused: number;
  readonly isDead: boolean;
};

/** A server is asked for the version while one of its system calls is struck, and again when none is. */
async function ingestWith(injection: Injection): Promise<Outcome> {
  const place = await world.newPlace();
  // One thread in the pool, so that it makes the calls of a kind one after the other.
  const child = startLife(world.program.file, { scene: "hold", place }, { UV_THREADPOOL_SIZE: "1" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let said = "";
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        const listening = /^listening (\S+)$/m.exec(said)?.[1];
        if (listening !== undefined) resolve(listening);
      });
      child.once("exit", () => reject(new Error(`it ended before it listened: ${said}`)));
    });
    const letGo = await inject(child.pid ?? -1, injection);
    const acknowledged: string[] = [];
    let refused = 0;
    for (const path of freshPaths) {
      const answer = await getWhole(url + path);
      if (answer?.status === 200) acknowledged.push(isRight(path, answer));
      else if (injection.how !== "KILL") {
        checkRefusal(answer, path, /^GRANARY_\w+: /);
        refused++;
      }
    }
    await letGo();
    const isDead = child.exitCode !== null || child.signalCode !== null;
    assert.ok(!isDead || injection.how === "KILL", "it did not live through a failing call");
    if (!isDead)
      for (const path of freshPaths)
        acknowledged.push(isRight(path, await askedAgain(() => getWhole(url + path), healMs)));
    return { place, acknowledged, refused, isDead };
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

function isRight(path: string, answer: Answer | undefined): string {
  assert.ok(answer !== undefined, `${path} broke off`);
  assert.equal(answer.status, 200, answer.body.toString());
  assert.ok(world.truth.get(path)?.equals(answer.body), `wrong bytes of ${path}`);
  return path;
}

const told = (met: readonly Injection[]): string => met.map(({ call, nth }) => `${call} ${nth}`).join(", ");
