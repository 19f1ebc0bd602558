import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, settle } from "../../../test/support/hand-clock.ts";
import { HandUpstreams } from "../../../test/support/hand-upstreams.ts";
import { playedUpstream } from "../../../test/support/proxy-room.ts";
import type { Lanes, WalkOp } from "./attempt.ts";
import { readWhole } from "./attempt.ts";
import type { Upstream } from "./chain.ts";
import { Health } from "./health.ts";
import { UpstreamFault } from "./ports.ts";
import type { WalkResult } from "./walk.ts";
import { walk } from "./walk.ts";

const silenceMs = 10_000;
const usualMs = 200;

type Options = {
  readonly upstreams?: readonly Upstream[];
  readonly op?: Partial<WalkOp<string>>;
  /** Upstreams whose usual time to answer is known; all of them without it. */
  readonly known?: readonly string[];
  readonly retryMs?: number;
  readonly lanes?: Lanes;
};

/** A walk along upstreams that answer by hand. */
function start(options: Options = {}) {
  const { upstreams = [playedUpstream("a"), playedUpstream("b")], op = {}, retryMs = 0 } = options;
  const clock = new HandClock();
  const client = new HandUpstreams();
  const health = new Health({ clock });
  const hedged: string[] = [];
  const counted: string[] = [];
  const ending = new AbortController();
  const state: { result?: WalkResult<string>; error?: unknown } = {};
  const patience = {
    silenceMs,
    lateMs: () => usualMs,
    hedgeMs: (name: string) => (options.known?.includes(name) === false ? undefined : usualMs),
    hedged: (name: string) => void hedged.push(name),
  };
  const use = {
    ...({ client, health, clock, patience, retryMs, mode: "resilient", privatePatterns: "" } as const),
    meter: {
      upstreamRequest: (name: string, kind: string, outcome: string) => void counted.push(`${name} ${kind} ${outcome}`),
    },
    ...(options.lanes && { lanes: options.lanes }),
  };
  const running = walk<string>({ upstreams, hadDirect: false, hadOff: false, own: [] }, use, {
    kind: "info",
    path: "/m/@v/v1.0.0.info",
    maxBytes: 1000,
    signal: ending.signal,
    accept: async ({ body }) => Buffer.from(await readWhole(body)).toString(),
    ...op,
  });
  const done = running.then(
    (result) => void (state.result = result),
    (error: unknown) => void (state.error = error),
  );
  /** What came of it, or "running". */
  const end = async (): Promise<string> => {
    await settle();
    if (state.error !== undefined) return `error:${(state.error as Error).message}`;
    const { result } = state;
    if (result === undefined) return "running";
    return result.kind === "found" ? `${result.upstream.name}:${result.value}` : result.kind;
  };
  return { clock, client, health, hedged, counted, ending, done, end };
}

const countOf = (health: Health, name: string): string => {
  const { requests, failures } = health.snapshotOf(name);
  return `${failures} of ${requests}`;
};

// ---- the next one ----

test("the next upstream is asked when the first fails, and not before", async () => {
  const { client, end } = start();
  await settle();
  assert.equal(client.asked, "a");
  client.call("a").fail("reset");
  await settle();
  assert.equal(client.asked, "ab");
  client.call("b").whole("good");
  assert.equal(await end(), "b:good");
});

test("an upstream that keeps silent holds up the next one for the time of patience, no longer", async () => {
  const { client, clock, end } = start({ known: [] });
  await clock.pass(silenceMs - 1);
  assert.equal(client.asked, "a");
  await clock.pass(1);
  assert.equal(client.asked, "ab");
  client.call("b").whole("good");
  assert.equal(await end(), "b:good");
});

test("time in which we could not listen is not the upstream's silence", async () => {
  const { client, clock, end, hedged } = start();
  await clock.stall(5 * usualMs);
  assert.equal(client.asked, "a");
  client.call("a").whole("good");
  assert.equal(await end(), "a:good");
  assert.deepEqual(hedged, []);
});

test("after time in which we could not listen, silence counts on", async () => {
  const { client, clock } = start({ known: [] });
  await clock.pass(9750);
  // It would have looked again after 150 ms; all beyond that is not counted.
  await clock.stall(5000);
  await clock.pass(silenceMs - 9900 - 1);
  assert.equal(client.asked, "a");
  await clock.pass(1);
  assert.equal(client.asked, "ab");
});

test("a late good answer of the first still wins, and the second is let go of", async () => {
  const { client, clock, end, health } = start({ known: [] });
  await clock.pass(silenceMs);
  client.call("a").whole("late");
  assert.equal(await end(), "a:late");
  assert.ok(client.call("b").isAborted);
  assert.equal(countOf(health, "b"), "0 of 0");
  assert.equal(countOf(health, "a"), "0 of 1");
});

test("three that keep silent are on their way together after two times of patience", async () => {
  const upstreams = ["a", "b", "c"].map((name) => playedUpstream(name));
  const { client, clock, end } = start({ known: [], upstreams });
  await clock.pass(2 * silenceMs);
  assert.equal(client.asked, "abc");
  client.call("b").whole("good");
  assert.equal(await end(), "b:good");
  assert.ok(client.call("a").isAborted && client.call("c").isAborted);
});

test("silence within a body counts like silence before it", async () => {
  const { client, clock, end } = start({ known: [] });
  await settle();
  client.call("a").head().send("hal");
  await clock.pass(silenceMs);
  assert.equal(client.asked, "ab");
  client.call("b").whole("good");
  assert.equal(await end(), "b:good");
});

test("time in which we are busy with what came is not silence", async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const accept: WalkOp<string>["accept"] = async ({ body }) => {
    const text = Buffer.from(await readWhole(body)).toString();
    await promise;
    return text;
  };
  const { client, clock, end } = start({ op: { accept } });
  await settle();
  client.call("a").whole("good");
  await clock.pass(10 * silenceMs);
  assert.equal(client.asked, "a");
  resolve(undefined);
  assert.equal(await end(), "a:good");
});

test("when all is over nobody sleeps and no body is open", async () => {
  const { client, clock, end } = start();
  await clock.pass(usualMs);
  client.call("a").head().send("hal");
  client.call("b").whole("good");
  assert.equal(await end(), "b:good");
  assert.equal(clock.sleeping, 0);
  assert.ok(client.calls.every(({ isClosed }) => isClosed));
});

// ---- a second request because the first is late ----

test("the authoritative 404 ends it at once while another is silent", async () => {
  const upstreams = [playedUpstream("a"), playedUpstream("b", { authoritative: true })];
  const { client, clock, end } = start({ upstreams });
  await clock.pass(usualMs);
  client.call("b").whole("not found", 404);
  assert.equal(await end(), "absent");
  assert.ok(client.call("a").isAborted);
});

test("an error of accept ends it and lets go of the rest", async () => {
  const accept = () => Promise.reject(new RangeError("disk full"));
  const { client, clock, end, health } = start({ op: { accept } });
  await clock.pass(usualMs);
  client.call("a").whole("good");
  assert.equal(await end(), "error:disk full");
  assert.ok(client.call("b").isAborted);
  assert.equal(countOf(health, "a"), "0 of 0");
});

test("our own end ends all requests, blames nobody and leaves nobody asleep", async () => {
  const { client, clock, ending, end, done, health } = start({ known: [] });
  await clock.pass(2 * silenceMs);
  ending.abort(new Error("over"));
  await done;
  assert.match(await end(), /^error:/);
  assert.ok(client.calls.every(({ isAborted }) => isAborted));
  for (const name of ["a", "b"]) assert.equal(countOf(health, name), "0 of 0");
  assert.equal(clock.sleeping, 0);
});

test("a late one is given company at its usual time, and the winner's company is blamed for nothing", async () => {
  const { client, clock, end, hedged, health } = start();
  await clock.pass(usualMs - 1);
  assert.equal(client.asked, "a");
  await clock.pass(1);
  assert.equal(client.asked, "ab");
  assert.deepEqual(hedged, ["a"]);
  client.call("b").whole("good");
  assert.equal(await end(), "b:good");
  assert.equal(countOf(health, "a"), "0 of 0");
});

test("alone, the same one is asked again, three times at most, and then broken off with one blame", async () => {
  const { client, clock, end, health } = start({ upstreams: [playedUpstream("a")] });
  await clock.pass(10 * usualMs);
  assert.equal(client.asked, "aaaa");
  await clock.pass(silenceMs);
  assert.equal(await end(), "failed");
  assert.equal(countOf(health, "a"), "1 of 1");
  assert.ok(client.calls.every(({ isAborted }) => isAborted));
});

test("a 404 does not wait for the second request to the same upstream", async () => {
  const { client, clock, end } = start({ upstreams: [playedUpstream("a")] });
  await clock.pass(usualMs);
  assert.equal(client.asked, "aa");
  client.call("a").whole("not found", 404);
  assert.equal(await end(), "absent");
  assert.ok(client.call("a", 1).isAborted);
});

test("a failure of one does not end the other's way", async () => {
  const { client, clock, end } = start();
  await clock.pass(usualMs);
  client.call("a").fail("reset");
  await settle();
  client.call("b").whole("good");
  assert.equal(await end(), "b:good");
});

// ---- silent to everybody ----

/** Five requests to `name` are late, and no word has come for so long. */
function makeMute({ health, clock }: ReturnType<typeof start>, name: string, ms: number): void {
  for (let n = 0; n < 5; n++) health.late(name, clock.now() - ms);
}

test("whoever waits for an upstream that is silent to everybody asks the next at once", async () => {
  const walking = start({ known: [] });
  const { client, clock, end, health, hedged } = walking;
  await clock.pass(100);
  makeMute(walking, "a", 750);
  assert.equal(client.asked, "a");
  await clock.pass(250);
  assert.equal(client.asked, "ab");
  assert.deepEqual(hedged, [], "it is no luxury");
  client.call("b").whole("good");
  assert.equal(await end(), "b:good");
  assert.equal(countOf(health, "a"), "1 of 1", "its silence counts although another was quicker");
});

test("one word, to whomever, and it is worth waiting for again", async () => {
  const walking = start({ known: [] });
  const { client, clock, health } = walking;
  await clock.pass(100);
  makeMute(walking, "a", 750);
  health.heard("a");
  await clock.pass(1_000);
  assert.equal(client.asked, "a");
});

test("alone it is waited for, silent to everybody or not", async () => {
  const walking = start({ known: [], upstreams: [playedUpstream("a")] });
  await walking.clock.pass(100);
  makeMute(walking, "a", 750);
  await walking.clock.pass(5_000);
  assert.equal(walking.client.asked, "a");
  walking.client.call("a").whole("late");
  assert.equal(await walking.end(), "a:late");
});

// ---- large answers ----

const large = { exclusive: true } as const;

test("a large body that pauses longer than a small file may be late is not broken off", async () => {
  const { client, clock, end } = start({ op: large });
  await settle();
  client.call("a").head().send("hal");
  await clock.pass(silenceMs - 1);
  assert.equal(client.asked, "a");
  client.call("a").send("f");
  await clock.pass(silenceMs - 1);
  client.call("a").end();
  assert.equal(await end(), "a:half");
});

test("patience with a header ends when the body begins", async () => {
  const { client, clock, end } = start({ op: large });
  await clock.pass(usualMs - 50);
  client.call("a").head().send("hal");
  await clock.pass(2 * usualMs);
  assert.equal(client.asked, "a");
  client.call("a").send("f").end();
  assert.equal(await end(), "a:half");
});

test("the one that waits for its turn is let go of when the first breaks what it writes to", async () => {
  let taken = 0;
  const accept = async () => {
    taken++;
    await Promise.resolve();
    throw new RangeError("disk full");
  };
  const { client, clock, end } = start({ op: { ...large, accept } });
  await clock.pass(usualMs);
  client.call("a").head();
  client.call("b").head();
  assert.equal(await end(), "error:disk full");
  assert.equal(taken, 1);
  assert.ok(client.calls.every(({ isClosed }) => isClosed));
});

test("a large answer that stops coming does not hold up the one that waits for its turn", async () => {
  const { client, clock, end } = start({ op: large });
  await clock.pass(silenceMs);
  client.call("a").head().send("hal");
  await settle();
  client.call("b").whole("good");
  assert.equal(await end(), "running");
  await clock.pass(silenceMs);
  assert.equal(await end(), "b:good");
});

// ---- the second file ----

const companion = { path: "/m/@v/v1.0.0.mod", maxBytes: 1000 };
const both: WalkOp<string>["accept"] = async ({ body }, _upstream, more) =>
  `${Buffer.from(await readWhole(body)).toString()}+${Buffer.from(await more.companion).toString()}`;

test("an eager companion is asked for with the first file, a lazy one when that is there", async () => {
  for (const eager of [true, false]) {
    const { client, end } = start({ op: { accept: both, companion: { ...companion, eager } } });
    await settle();
    assert.equal(client.asked, eager ? "aa" : "a");
    client.calls.find(({ request }) => request.path.endsWith(".info"))?.whole("info");
    await settle();
    assert.equal(client.asked, "aa");
    client.calls.find(({ request }) => request.path.endsWith(".mod"))?.whole("mod");
    assert.equal(await end(), "a:info+mod");
  }
});

test("a companion is let go of when the first file is not there", async () => {
  const { client } = start({ op: { accept: both, companion: { ...companion, eager: true } } });
  await settle();
  const [mod, info] = client.calls;
  assert.ok(mod && info);
  assert.equal(mod.request.path, companion.path);
  info.whole("not found", 404);
  await settle();
  assert.ok(mod.isAborted);
});

for (const [name, end] of [
  ["is not there", (call: { whole: (text: string, status: number) => void }) => call.whole("no", 404)],
  ["breaks off", (call: { fail: (reason: "reset") => void }) => call.fail("reset")],
] as const)
  test(`a companion that ${name} makes its upstream's answer useless, and the next is asked for both`, async () => {
    const walking = start({ op: { accept: both, companion: { ...companion, eager: false } } });
    await settle();
    walking.client.call("a").whole("info");
    await settle();
    end(walking.client.call("a", 1));
    await settle();
    walking.client.call("b").whole("info");
    await settle();
    walking.client.call("b", 1).whole("mod");
    assert.equal(await walking.end(), "b:info+mod");
  });

// ---- room ----

test("no room is a failure of that upstream, and the next is asked", async () => {
  const lanes: Lanes = {
    enter: ({ name }) =>
      name === "a"
        ? Promise.reject(new UpstreamFault("a", "aborted", "no room"))
        : Promise.resolve({ leave: () => undefined }),
  };
  const { client, end } = start({ lanes });
  await settle();
  assert.equal(client.asked, "b");
  client.call("b").whole("good");
  assert.equal(await end(), "b:good");
});

test("whoever waits for room at an upstream whose breaker opens meanwhile does not find out once more", async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let left = 0;
  const lanes: Lanes = {
    enter: async ({ name }) => {
      if (name === "a") await promise;
      return {
        leave: () => {
          left++;
        },
      };
    },
  };
  const { client, end, health } = start({ lanes });
  await settle();
  for (let n = 0; n < 3; n++) health.permit("a").failed("refused");
  assert.equal(health.condition("a"), "open");
  resolve(undefined);
  await settle();
  assert.equal(client.asked, "b");
  assert.equal(left, 1, "the place is given back");
  client.call("b").whole("good");
  assert.equal(await end(), "b:good");
});

test("room at an upstream that is silent to everybody is not waited for", async () => {
  const lanes: Lanes = {
    enter: ({ name }, { signal }) =>
      name === "a"
        ? new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)))
        : Promise.resolve({ leave: () => undefined }),
  };
  const walking = start({ lanes });
  await walking.clock.pass(100);
  makeMute(walking, "a", 750);
  await walking.clock.pass(150);
  assert.equal(walking.client.asked, "b");
  walking.client.call("b").whole("good");
  assert.equal(await walking.end(), "b:good");
  assert.equal(countOf(walking.health, "a"), "0 of 0", "it was not even asked");
});
