import assert from "node:assert/strict";
import { test } from "node:test";
import { WorkQueue } from "./queue.ts";

const never = new AbortController().signal;
const tick = () => new Promise((resolve) => setImmediate(resolve));

test("work may add work, no more runs at once than may, and settled waits for all of it", async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  const queue = new WorkQueue<number>(3, never, async (n) => {
    most = Math.max(most, ++running);
    await tick();
    if (n < 40) queue.add(n * 2, n * 2 + 1);
    running--;
    done.push(n);
  });
  queue.add(1);
  await queue.settled();
  assert.equal(most, 3);
  assert.deepEqual(
    done.toSorted((a, b) => a - b),
    Array.from({ length: 79 }, (_, at) => at + 1),
  );
});

test("nothing to do is done at once", async () => {
  await new WorkQueue<number>(3, never, () => Promise.resolve()).settled();
});

test("the first failure is thrown, after what runs has ended, and nothing else begins", async () => {
  const begun: number[] = [];
  const queue = new WorkQueue<number>(2, never, async (n) => {
    begun.push(n);
    await tick();
    if (n === 1) throw new RangeError("one");
  });
  queue.add(1, 2, 3, 4);
  await assert.rejects(queue.settled(), new RangeError("one"));
  assert.ok(begun.length < 4);
});

test("after the signal nothing begins, and settled ends without a throw", async () => {
  const stop = new AbortController();
  const begun: number[] = [];
  const queue = new WorkQueue<number>(1, stop.signal, async (n) => {
    begun.push(n);
    stop.abort(new Error("stop"));
    await tick();
    stop.signal.throwIfAborted();
  });
  queue.add(1, 2, 3);
  await queue.settled();
  assert.deepEqual(begun, [1]);
});
