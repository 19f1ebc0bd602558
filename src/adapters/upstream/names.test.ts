import assert from "node:assert/strict";
import type { LookupFunction } from "node:net";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { atEnd } from "../../../test/support/at-end.ts";
import { Names } from "./names.ts";

const minute = 60_000;

/** A resolver whose answer and clock the test moves. */
function world(t: TestContext, hosts = new Map<string, readonly string[]>()) {
  const state = { now: 0, asked: [] as string[], answer: ["192.0.2.1"] as readonly string[] };
  const lookup: LookupFunction = (name, _options, callback) => {
    state.asked.push(name);
    const found = state.answer.map((address) => ({ address, family: 4 }));
    if (found.length > 0) setImmediate(() => callback(null, found));
    else setImmediate(() => callback(Object.assign(new Error("down"), { code: "EAI_AGAIN" }), []));
  };
  const names = new Names({ lookup, hosts, now: () => state.now });
  atEnd(t, () => names.close());
  return { state, names };
}

test("an answer is remembered for five minutes, however many ask at once", async (t) => {
  const { state, names } = world(t);
  await Promise.all(Array.from({ length: 50 }, () => names.resolve("up.test")));
  state.now = 5 * minute - 1;
  assert.deepEqual(await names.resolve("up.test"), ["192.0.2.1"]);
  assert.equal(state.asked.length, 1);
  state.now = 5 * minute;
  await names.resolve("up.test");
  assert.equal(state.asked.length, 2);
});

test("a resolver that fails leaves the last good answer in use for ten minutes more", async (t) => {
  const { state, names } = world(t);
  await names.resolve("up.test");
  state.answer = [];
  state.now = 15 * minute - 1;
  assert.deepEqual(await names.resolve("up.test"), ["192.0.2.1"]);
  state.now = 15 * minute;
  await assert.rejects(names.resolve("up.test"), { code: "EAI_AGAIN" });
});

test("a name that never resolved is an error each time, and is asked each time", async (t) => {
  const { state, names } = world(t);
  state.answer = [];
  await assert.rejects(names.resolve("up.test"), { code: "EAI_AGAIN" });
  await assert.rejects(names.resolve("up.test"), { code: "EAI_AGAIN" });
  assert.equal(state.asked.length, 2);
});

test("after failed connections the name is asked anew, and only new addresses are tried", async (t) => {
  const { state, names } = world(t);
  const failed = await names.resolve("up.test");
  assert.equal(await names.resolveAgain("up.test", failed), undefined);
  state.now = 2_000;
  assert.equal(await names.resolveAgain("up.test", failed), undefined);
  assert.equal(state.asked.length, 2);
  state.now = 4_000;
  state.answer = ["192.0.2.1", "192.0.2.9"];
  assert.deepEqual(await names.resolveAgain("up.test", failed), ["192.0.2.9"]);
  assert.deepEqual(await names.resolve("up.test"), ["192.0.2.1", "192.0.2.9"]);
});

test("upstreams are resolved at start and again before their lifetime ends", async (t) => {
  const { state, names } = world(t);
  await names.keep(["up.test", "192.0.2.7"]);
  assert.deepEqual(state.asked, ["up.test"]);
  state.now = 3 * minute;
  await names.refresh();
  assert.equal(state.asked.length, 1);
  state.now = 4.5 * minute;
  state.answer = ["192.0.2.2"];
  await names.refresh();
  state.now = 9 * minute;
  assert.deepEqual(await names.resolve("up.test"), ["192.0.2.2"]);
  assert.equal(state.asked.length, 2);
});

test("hosts come before DNS and are never asked for; an address is itself", async (t) => {
  const { state, names } = world(t, new Map([["up.test", ["10.0.0.1", "10.0.0.2"]]]));
  await names.keep(["up.test"]);
  assert.deepEqual(await names.resolve("UP.test"), ["10.0.0.1", "10.0.0.2"]);
  assert.deepEqual(await names.resolve("::1"), ["::1"]);
  assert.deepEqual(state.asked, []);
});

test("a thousand names are remembered, the one unused for longest makes way", async (t) => {
  const { state, names } = world(t);
  for (let n = 0; n < 1_000; n++) await names.resolve(`n${n}.test`);
  await names.resolve("n0.test");
  await names.resolve("one-more.test");
  state.asked.length = 0;
  await names.resolve("n0.test");
  assert.deepEqual(state.asked, []);
  await names.resolve("n1.test");
  assert.deepEqual(state.asked, ["n1.test"]);
});

test("no more than sixteen addresses of an answer are taken, and nothing that is none", async (t) => {
  const { state, names } = world(t);
  state.answer = ["not an address", ...Array.from({ length: 300 }, (_, n) => `192.0.2.${n % 256}`)];
  assert.equal((await names.resolve("up.test")).length, 16);
  state.answer = ["not an address"];
  await assert.rejects(names.resolve("other.test"), { code: "ENOTFOUND" });
});
