import assert from "node:assert/strict";
import test from "node:test";
import { isGranaryError } from "#services/errors/granary-error.ts";
import { Unusable } from "#services/upstreams/walk.ts";
import { PlayedHub } from "../../../test/support/played-hub.ts";
import { StandingClock, openRoom, patient, playedUpstream } from "../../../test/support/proxy-room.ts";
import type { Room, RoomOptions } from "../../../test/support/proxy-room.ts";
import { readBody } from "./body.ts";
import type { Ask } from "./origin.ts";

const path = "/example.com/m/@v/v1.0.0.info";
const ask: Ask = { kind: "info", module: "example.com/m", what: "example.com/m@v1.0.0", path, maxBytes: 100, hops: "" };

async function find({ origin }: Room, more: Partial<Ask> = {}): Promise<string> {
  const found = await origin.find({ ...ask, ...more }, patient().signal, (response) => readBody(response));
  return `${found.upstream.name}: ${Buffer.from(found.value).toString()}`;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (isGranaryError(error)) return error.code;
    throw error;
  }
  return "found";
}

test("the first upstream that has it answers", async () => {
  const room = await openRoom();
  room.client.play("b", "v1.0.0.info", { status: 200, body: "yes" });
  assert.equal(await find(room), "b: yes");
});

test("an absence is remembered: for its time nobody is asked again", async () => {
  const room = await openRoom();
  assert.equal(await codeOf(find(room)), "GRANARY_NOT_FOUND");
  const asked = room.client.asked.length;
  assert.equal(await codeOf(find(room)), "GRANARY_NOT_FOUND");
  assert.equal(room.client.asked.length, asked);
  room.clock.pass(60_001);
  room.client.play("a", "v1.0.0.info", { status: 200, body: "new" });
  assert.equal(await find(room), "a: new");
});

test("what another node knows to be absent is believed for what is left of its time, until its module is forgotten", async () => {
  const hub = new PlayedHub(new StandingClock());
  const [other, room] = [
    await openRoom({ coordination: hub.node("a") }),
    await openRoom({ coordination: hub.node("b") }),
  ];
  assert.equal(await codeOf(find(other)), "GRANARY_NOT_FOUND");
  assert.equal(await codeOf(find(room)), "GRANARY_NOT_FOUND");
  assert.deepEqual(room.client.asked, []);
  const calls = hub.calls;
  assert.equal(await codeOf(find(room)), "GRANARY_NOT_FOUND");
  assert.equal(hub.calls, calls, "what was learnt so is known here from then on");
  room.client.play("a", "v1.0.0.info", { status: 200, body: "new" });
  await other.others?.forget(ask.module);
  room.negative.forget(ask.module);
  assert.equal(await find(room), "a: new");
});

test("without coordination upstreams are asked, and a client that asks anew asks them in any case", async () => {
  const hub = new PlayedHub(new StandingClock());
  const [other, room] = [
    await openRoom({ coordination: hub.node("a") }),
    await openRoom({ coordination: hub.node("b") }),
  ];
  assert.equal(await codeOf(find(other)), "GRANARY_NOT_FOUND");
  room.client.play("a", "v1.0.0.info", { status: 200, body: "new" });
  room.clock.pass(6_000);
  assert.equal(await find(room, { anew: true }), "a: new");
  hub.die();
  room.negative.clear();
  assert.equal(await find(room), "a: new");
});

test("an old absence is believed only while no upstream answers", async () => {
  const room = await openRoom();
  assert.equal(await codeOf(find(room)), "GRANARY_NOT_FOUND");
  room.clock.pass(60_001);
  for (const upstream of ["a", "b"]) room.client.play(upstream, "v1.0.0.info", "refused");
  assert.equal(await codeOf(find(room)), "GRANARY_NOT_FOUND");
  assert.equal(await codeOf(find(room, { what: "example.com/m@v2" })), "GRANARY_OFFLINE");
});

test("one upstream that fails keeps the others' 404 from being an absence", async () => {
  const room = await openRoom();
  room.client.play("a", "v1.0.0.info", { status: 500 });
  assert.equal(await codeOf(find(room)), "GRANARY_UPSTREAM_FAILED");
  assert.equal(room.negative.size, 0);
});

test("an authoritative upstream's 404 is final", async () => {
  const upstreams = [playedUpstream("a", { authoritative: true }), playedUpstream("b")];
  const room = await openRoom({ upstreams });
  room.client.play("b", "v1.0.0.info", { status: 200, body: "yes" });
  assert.equal(await codeOf(find(room)), "GRANARY_NOT_FOUND");
  assert.equal(room.client.count("b", "info"), 0);
});

const failures: readonly (readonly [string, Parameters<Room["client"]["play"]>[2], string])[] = [
  ["nobody listens", "refused", "GRANARY_OFFLINE"],
  ["nobody knows the host", "unresolved", "GRANARY_OFFLINE"],
  ["silence", "timeout", "GRANARY_UPSTREAM_TIMEOUT"],
  ["a broken connection", "reset", "GRANARY_UPSTREAM_FAILED"],
  ["a body beyond the limit", { status: 200, body: "x".repeat(101) }, "GRANARY_TOO_LARGE"],
  ["a refusal", { status: 403, body: "not for you" }, "GRANARY_UPSTREAM_REFUSED"],
  ["a legal refusal", { status: 451, body: "not here" }, "GRANARY_UPSTREAM_REFUSED"],
  ["500", { status: 500 }, "GRANARY_UPSTREAM_FAILED"],
  ["304 to a question without a condition", { status: 304 }, "GRANARY_UPSTREAM_FAILED"],
];

for (const [name, answer, code] of failures) {
  test(`${name} is told as ${code}`, async () => {
    const room = await openRoom();
    for (const upstream of ["a", "b"]) room.client.play(upstream, "v1.0.0.info", answer);
    assert.equal(await codeOf(find(room)), code);
  });
}

for (const [name, other, code] of [
  ["wants to be left alone, too", { status: 503, headers: { "retry-after": "60" } }, "GRANARY_UPSTREAM_BUSY 60"],
  ["cannot be connected", "refused", "GRANARY_UPSTREAM_BUSY 120"],
  ["lacks it, which is no absence", { status: 404 }, "GRANARY_UPSTREAM_BUSY 120"],
  ["fails by itself", { status: 500 }, "GRANARY_UPSTREAM_FAILED"],
] as const)
  test(`one upstream wants to be left alone, the other ${name}: ${code}, asked or not`, async () => {
    const room = await openRoom();
    room.client.play("a", "v1.0.0.info", { status: 429, headers: { "retry-after": "120" } });
    room.client.play("b", "v1.0.0.info", other);
    for (let n = 0; n < 2; n++) {
      await assert.rejects(find(room), (error: unknown) => {
        assert.ok(isGranaryError(error));
        const { waitSeconds } = error.fields as { waitSeconds?: number };
        assert.equal(waitSeconds === undefined ? error.code : `${error.code} ${waitSeconds}`, code);
        return true;
      });
    }
    assert.equal(room.client.count("a", "info"), 1);
    assert.equal(room.negative.size, 0);
  });

test("unusable bytes are told before a transport failure, whoever came first", async () => {
  for (const liar of ["a", "b"]) {
    const room = await openRoom();
    room.client.play(liar, "v1.0.0.info", { status: 200, body: "html" });
    room.client.play(liar === "a" ? "b" : "a", "v1.0.0.info", "reset");
    const found = room.origin.find(ask, patient().signal, () =>
      Promise.reject(new Unusable("BAD_MODULE", "a page, not a module")),
    );
    const isOfLiar = (error: unknown) => isGranaryError(error, "GRANARY_BAD_MODULE") && error.fields.upstream === liar;
    await assert.rejects(found, isOfLiar);
  }
});

const nobody: readonly (readonly [string, RoomOptions, string])[] = [
  ["an empty chain", { upstreams: [], hadOff: true }, "GRANARY_NOT_KEPT"],
  ["a private name and public upstreams", { private: "example.com" }, "GRANARY_PRIVATE_NOT_HERE"],
  ["an ancestor of a private name", { private: "example.com/m/sub" }, "GRANARY_PRIVATE_NOT_HERE"],
];

for (const [name, options, code] of nobody) {
  test(`${name}: nobody is asked, and ${code} says so`, async () => {
    const room = await openRoom(options);
    assert.equal(room.origin.mayAsk("example.com/m"), false);
    assert.equal(await codeOf(find(room)), code);
    assert.deepEqual(room.client.asked, []);
    assert.equal(room.negative.size, 0);
  });
}

test("with every upstream disabled that may be asked, nothing is said to be absent", async () => {
  const upstreams = [playedUpstream("a"), playedUpstream("corp", { privatePatterns: "example.com", public: false })];
  for (const [options, out] of [
    [{}, ["a", "b"]],
    [{ hadOff: true }, ["a", "b"]],
    // Its own upstream is disabled; the other one must not hear of it.
    [{ upstreams, private: "example.com" }, ["corp"]],
  ] as const) {
    const room = await openRoom(options);
    room.disable(...out);
    assert.equal(room.origin.mayAsk("example.com/m"), true);
    await assert.rejects(find(room), {
      code: "GRANARY_UPSTREAMS_DISABLED",
      fields: { what: ask.what, names: out },
    });
    assert.deepEqual(room.client.asked, []);
    assert.equal(room.negative.size, 0);
  }
});

test("an absence learnt before all were disabled stays one; without such knowledge it is doubt", async () => {
  const room = await openRoom();
  assert.equal(await codeOf(find(room)), "GRANARY_NOT_FOUND");
  room.disable("a", "b");
  room.clock.pass(3_600_000);
  assert.equal(await codeOf(find(room)), "GRANARY_NOT_FOUND");
  assert.equal(await codeOf(find(room, { what: "example.com/m@v2" })), "GRANARY_UPSTREAMS_DISABLED");
});

test("a private name is asked of the upstream that may see it, and of no other", async () => {
  const upstreams = [playedUpstream("a"), playedUpstream("b", { privatePatterns: "example.com", public: false })];
  const room = await openRoom({ upstreams, private: "example.com" });
  room.client.play("b", "v1.0.0.info", { status: 200, body: "secret" });
  assert.equal(room.origin.mayAsk("example.com/m"), true);
  assert.equal(await find(room), "b: secret");
  assert.equal(room.client.count("a", ""), 0);
});

test("our own abort is not an upstream's fault, and no absence", async () => {
  const room = await openRoom();
  const gone = AbortSignal.abort(new Error("gone"));
  room.client.play("a", "v1.0.0.info", "aborted");
  await assert.rejects(
    room.origin.find(ask, gone, () => Promise.resolve(1)),
    { reason: "aborted" },
  );
  assert.equal(room.negative.size, 0);
  assert.equal(room.health.condition("a"), "closed");
});

test("a question that takes as long as one may is an upstream's silence, and no error of ours", async () => {
  const room = await openRoom();
  const over = new AbortController();
  room.client.play("a", "v1.0.0.info", { status: 200, body: "late" });
  const finding = room.origin.find(ask, over.signal, () => {
    over.abort(new DOMException("the time is over", "TimeoutError"));
    return Promise.reject(over.signal.reason as Error);
  });
  assert.equal(await codeOf(finding), "GRANARY_UPSTREAM_TIMEOUT");
});
