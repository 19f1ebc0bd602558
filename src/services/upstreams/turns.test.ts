import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../../test/support/hand-clock.ts";
import { Turns } from "./turns.ts";

/** Takes a turn for each name; `order` tells who has had it, `end` ends it, `leave` gives up waiting for it. */
function queue(names: readonly string[]) {
  const turns = new Turns();
  const order: string[] = [];
  const failed: string[] = [];
  const ends = new Map<string, () => void>();
  const leaving = new Map<string, AbortController>();
  for (const name of names) {
    const leave = new AbortController();
    leaving.set(name, leave);
    turns.take(leave.signal).then(
      (end) => {
        order.push(name);
        ends.set(name, end);
      },
      (error: unknown) => failed.push(`${name}: ${(error as Error).message}`),
    );
  }
  return {
    turns,
    order,
    failed,
    end: (name: string) => ends.get(name)?.(),
    leave: (name: string) => leaving.get(name)?.abort(new Error("left")),
  };
}

test("one at a time, in the order of asking", async () => {
  const { order, end } = queue(["a", "b", "c"]);
  await settle();
  assert.deepEqual(order, ["a"]);
  end("a");
  await settle();
  assert.deepEqual(order, ["a", "b"]);
  end("a"); // a second end of the same turn ends nobody else's
  await settle();
  assert.deepEqual(order, ["a", "b"]);
  end("b");
  await settle();
  assert.deepEqual(order, ["a", "b", "c"]);
});

test("who gives up waiting hears why, and those behind do not wait for it", async () => {
  const { order, failed, end, leave } = queue(["a", "b", "c"]);
  await settle();
  leave("b");
  await settle();
  assert.deepEqual(failed, ["b: left"]);
  assert.deepEqual(order, ["a"]);
  end("a");
  await settle();
  assert.deepEqual(order, ["a", "c"]);
});

test("who gives up its turn while having it still has to end it", async () => {
  const { order, failed, end, leave } = queue(["a", "b"]);
  await settle();
  leave("a");
  await settle();
  assert.deepEqual([order, failed], [["a"], []]);
  end("a");
  await settle();
  assert.deepEqual(order, ["a", "b"]);
});

test("a signal that was aborted before takes no turn", async () => {
  const { turns, order, end } = queue(["a"]);
  await assert.rejects(turns.take(AbortSignal.abort(new Error("left"))), /left/);
  const last = turns.take(new AbortController().signal);
  await settle();
  assert.deepEqual(order, ["a"]);
  end("a");
  await last;
});
