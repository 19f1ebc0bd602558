import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, settle } from "../../../test/support/hand-clock.ts";
import type { Lane } from "./attempt.ts";
import { UpstreamLanes } from "./lanes.ts";
import { UpstreamFault } from "./ports.ts";
import { Urgency } from "./urgency.ts";

const upstream = { name: "a" } as never;
const startLimit = 32;

function stage(options: { readonly max?: number; readonly perSecond?: number } = {}) {
  const { max = 100, perSecond } = options;
  const clock = new HandClock();
  const state = { busy: 0, entered: 0 };
  const lanes = new UpstreamLanes({
    clock,
    options: () => ({ max, ...(perSecond !== undefined && { perSecond }) }),
    busy: () => state.busy,
    onEnter: () => {
      state.entered++;
    },
  });
  const stop = new AbortController();
  const order: string[] = [];
  const enter = async (name: string, urgency?: Urgency, signal = stop.signal): Promise<Lane> => {
    const lane = await lanes.enter(upstream, { urgency, signal });
    order.push(name);
    return lane;
  };
  /** So many that run. */
  const fill = (count: number): Promise<Lane[]> =>
    Promise.all(Array.from({ length: count }, (_, n) => enter(`filler ${n}`)));
  const at = () => lanes.snapshot()[0] ?? { limit: 0, running: 0, waiting: 0 };
  return { clock, state, lanes, stop, order, enter, fill, at };
}

const calm = { overloaded: false };

test("so many run at once, the rest waits its turn", async () => {
  const { enter, fill, at, order } = stage();
  const [first, second] = await fill(startLimit);
  order.length = 0;
  void enter("x");
  void enter("y");
  await settle();
  assert.deepEqual([at().running, at().waiting, order], [startLimit, 2, []]);
  first?.leave(calm);
  await settle();
  second?.leave(calm);
  second?.leave(calm); // giving a place back twice gives one back
  await settle();
  assert.deepEqual([at().running, at().waiting, order], [startLimit, 0, ["x", "y"]]);
});

test("what nobody waits for goes last, until somebody does", async () => {
  const { enter, fill, order } = stage({ max: 4 });
  const lanes = await fill(4);
  order.length = 0;
  const ahead = new Urgency(false);
  void enter("nobody's", new Urgency(false));
  void enter("ahead", ahead);
  void enter("client 1");
  await settle();
  ahead.lift();
  void enter("client 2");
  for (const lane of lanes) {
    lane.leave(calm);
    await settle();
  }
  assert.deepEqual(order, ["client 1", "ahead", "client 2", "nobody's"]);
});

test("who goes away leaves the line, and takes no place with it", async () => {
  const { enter, fill, at } = stage({ max: 4 });
  const [lane] = await fill(4);
  const leaving = new AbortController();
  const urgency = new Urgency(false);
  const gone = assert.rejects(enter("x", urgency, leaving.signal), /gone/);
  await settle();
  leaving.abort(new Error("gone"));
  await gone;
  urgency.lift();
  assert.deepEqual([at().running, at().waiting], [4, 0]);
  lane?.leave(calm);
  assert.deepEqual([at().running, at().waiting], [3, 0]);
});

test("queueing makes the number grow, one at a time, up to the most", async () => {
  const { enter, fill, at } = stage({ max: startLimit + 2 });
  const lanes = await fill(startLimit);
  for (let n = 0; n < 5; n++) {
    const waiting = enter(`w${n}`);
    lanes.shift()?.leave(calm);
    (await waiting).leave(calm);
    while (at().running < at().limit) lanes.push(await enter("filler"));
  }
  assert.equal(at().limit, startLimit + 2);
});

test("an overload makes it shrink by a tenth, once a second, never below four", async () => {
  const { enter, clock, at } = stage();
  const overload = async (): Promise<void> => (await enter("x")).leave({ overloaded: true });
  await overload();
  await overload();
  assert.equal(at().limit, Math.floor(startLimit * 0.9));
  for (let n = 0; n < 40; n++) {
    await clock.pass(1_000);
    await overload();
  }
  assert.equal(at().limit, 4);
});

test("above three quarters of the processor nothing grows: what had to wait makes it shrink", async () => {
  const { enter, fill, state, at } = stage();
  const [lane] = await fill(startLimit);
  state.busy = 0.76;
  const waiting = enter("x");
  lane?.leave(calm);
  (await waiting).leave(calm);
  assert.equal(at().limit, Math.floor(startLimit * 0.9));
});

test("a rate lets them set out one after the other; who gives up meanwhile gives the place back", async () => {
  const { clock, enter, at, order, state } = stage({ perSecond: 10 });
  void enter("x");
  void enter("y");
  const leaving = new AbortController();
  const gone = assert.rejects(enter("z", undefined, leaving.signal), /gone/);
  await settle();
  assert.deepEqual(order, ["x"]);
  await clock.pass(100);
  assert.deepEqual(order, ["x", "y"]);
  leaving.abort(new Error("gone"));
  await gone;
  assert.deepEqual([at().running, state.entered], [2, 2]);
});

test("a line without end is none: beyond ten thousand they are told at once", async () => {
  const { enter, fill, stop } = stage({ max: 4 });
  await fill(4);
  const waiting = Array.from({ length: 10_000 }, (_, n) => enter(`w${n}`).catch(() => undefined));
  await assert.rejects(enter("one too many"), UpstreamFault);
  stop.abort(new Error("over"));
  await Promise.all(waiting);
});
