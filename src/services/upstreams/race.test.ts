import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, settle } from "../../../test/support/hand-clock.ts";
import { HandUpstreams } from "../../../test/support/hand-upstreams.ts";
import { playedUpstream } from "../../../test/support/proxy-room.ts";
import type { Lane, Lanes, WalkOp } from "./attempt.ts";
import { readWhole, Unusable } from "./attempt.ts";
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

test("an answer that is later than usual is asked for at the next upstream as well, once", async () => {
  const upstreams = ["a", "b", "c"].map((name) => playedUpstream(name));
  const { client, clock, end, hedged } = start({ upstreams });
  await clock.pass(usualMs);
  assert.equal(client.asked, "ab");
  await clock.pass(silenceMs - 1);
  assert.equal(client.asked, "ab");
  assert.deepEqual(hedged, ["a"]);
  client.call("b").whole("good");
  assert.equal(await end(), "b:good");
});

test("alone, the same upstream is asked a second time, once", async () => {
  const { client, clock, end, hedged } = start({ upstreams: [playedUpstream("a")] });
  await clock.pass(usualMs);
  assert.equal(client.asked, "aa");
  await clock.pass(silenceMs * 3);
  assert.equal(client.asked, "aa");
  assert.deepEqual(hedged, ["a"]);
  client.call("a", 1).whole("good");
  assert.equal(await end(), "a:good");
  assert.ok(client.call("a").isAborted);
});

for (const how of ["background", "exclusive"] as const)
  test(`${how} requests are not sent twice to be quick`, async () => {
    const { client, clock, hedged, ending, done } = start({ op: { [how]: true } });
    await clock.pass(silenceMs - 1);
    assert.equal(client.asked, "a");
    assert.deepEqual(hedged, []);
    ending.abort(new Error("over"));
    await done;
  });

test("after a second request has failed, the first is not waited for while another try may help", async () => {
  const { client, clock, end } = start({ upstreams: [playedUpstream("a")], retryMs: 25_000 });
  await clock.pass(usualMs);
  client.call("a", 1).fail("reset");
  await clock.pass(silenceMs);
  assert.ok(client.call("a").isAborted);
  client.call("a", 2).whole("good");
  assert.equal(await end(), "a:good");
});

test("a slow upstream is waited for when the others have nothing to add", async () => {
  const { client, clock, end } = start({ retryMs: 25_000 });
  await clock.pass(usualMs);
  client.call("b").whole("not found", 404);
  await clock.pass(2 * silenceMs);
  assert.equal(client.asked, "ab");
  client.call("a").whole("late");
  assert.equal(await end(), "a:late");
});

test("a slow upstream is waited for when it is too late for another try", async () => {
  const { client, clock, end } = start({ retryMs: 0 });
  await clock.pass(usualMs);
  client.call("b").fail("reset");
  await clock.pass(2 * silenceMs);
  client.call("a").whole("late");
  assert.equal(await end(), "a:late");
});

// ---- who is to blame ----

test("who lost a race is not blamed for it, unless it was silent for longer than our patience", async () => {
  const quick = start();
  await quick.clock.pass(usualMs);
  quick.client.call("b").whole("good");
  assert.equal(await quick.end(), "b:good");
  assert.equal(countOf(quick.health, "a"), "0 of 0");
  const dead = start({ known: [] });
  await dead.clock.pass(silenceMs);
  dead.client.call("b").whole("good");
  assert.equal(await dead.end(), "b:good");
  assert.equal(countOf(dead.health, "a"), "1 of 1");
  assert.equal(dead.health.snapshotOf("a").lastFault, "timeout");
});

// ---- words that end it ----

test("the authoritative 404 ends it at once while another is silent", async () => {
  const upstreams = [playedUpstream("a"), playedUpstream("b", { authoritative: true })];
  const { client, clock, end } = start({ upstreams });
  await clock.pass(usualMs);
  client.call("b").whole("not found", 404);
  assert.equal(await end(), "absent");
  assert.ok(client.call("a").isAborted);
});

test("a mirror's 404 does not end it while another is silent", async () => {
  const { client, clock, end } = start();
  await clock.pass(usualMs);
  client.call("b").whole("not found", 404);
  assert.equal(await end(), "running");
  client.call("a").whole("not found", 404);
  assert.equal(await end(), "absent");
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

// ---- large answers ----

const large = { exclusive: true } as const;

test("a large answer that stops coming is broken off as a timeout, and the next one goes on", async () => {
  const { client, clock, end, health } = start({ op: large });
  await settle();
  client.call("a").head().send("hal");
  await clock.pass(silenceMs - 1);
  assert.equal(client.asked, "a");
  await clock.pass(1);
  assert.equal(client.asked, "ab");
  assert.ok(client.call("a").isClosed);
  assert.equal(health.snapshotOf("a").lastFault, "timeout");
  client.call("b").whole("good");
  assert.equal(await end(), "b:good");
});

test("a large answer that comes piece by piece is waited for", async () => {
  const { client, clock, end } = start({ op: { ...large, maxBytes: 1 << 20 } });
  await settle();
  client.call("a").head();
  for (let i = 0; i < 5; i++) {
    await clock.pass(silenceMs - 1);
    client.call("a").send(Buffer.alloc(160 * 1024));
    await settle();
  }
  client.call("a").end();
  assert.match(await end(), /^a:/);
  assert.equal(client.asked, "a");
});

test("a body that trickles is as good as silent", async () => {
  const { client, clock, health } = start({ op: large });
  await settle();
  client.call("a").head();
  for (let i = 0; i < 21; i++) {
    client.call("a").send(Buffer.alloc(15 * 1024));
    await clock.pass(1000);
  }
  assert.equal(health.snapshotOf("a").lastFault, "timeout");
  assert.equal(client.asked, "ab");
});

test("two large answers are read one after the other, the second only when the first was no use", async () => {
  const reading: string[] = [];
  const accept: WalkOp<string>["accept"] = async ({ body }, upstream) => {
    reading.push(upstream.name);
    const text = Buffer.from(await readWhole(body)).toString();
    if (text === "bad") throw new Unusable("BAD", "bad");
    return text;
  };
  for (const [first, want, readers] of [
    ["good", "a:good", "a"],
    ["bad", "b:other", "ab"],
  ] as const) {
    reading.length = 0;
    const { client, clock, end } = start({ op: { ...large, accept } });
    await clock.pass(silenceMs);
    client.call("a").head().send(first);
    await settle();
    client.call("b").whole("other");
    await settle();
    assert.deepEqual(reading, ["a"]);
    client.call("a").end();
    assert.equal(await end(), want);
    assert.equal(reading.join(""), readers);
    assert.ok(client.calls.every(({ isClosed }) => isClosed));
  }
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

/** Room for one request to each upstream. */
class OneLane implements Lanes {
  readonly #taken = new Map<string, Promise<unknown>>();
  entered = 0;
  async enter(upstream: Upstream): Promise<Lane> {
    const before = this.#taken.get(upstream.name);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#taken.set(upstream.name, promise);
    await before;
    this.entered++;
    return { leave: () => resolve(undefined) };
  }
}

test("a request gives its place back when its body has come, not when we are done with it", async () => {
  const lanes = new OneLane();
  const upstreams = [playedUpstream("a")];
  const accept: WalkOp<string>["accept"] = async ({ body }) => {
    const text = Buffer.from(await readWhole(body)).toString();
    const other = start({ upstreams, lanes });
    await settle();
    other.client.call("a").whole("proof");
    return `${text} ${await other.end()}`;
  };
  const { client, done, end } = start({ upstreams, lanes, op: { accept } });
  await settle();
  client.call("a").whole("good");
  await done;
  assert.equal(await end(), "a:good a:proof");
  assert.equal(lanes.entered, 2);
});

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
