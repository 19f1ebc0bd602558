import assert from "node:assert/strict";
import { test } from "node:test";
import { Shared } from "./direct-shared.ts";

const never = new AbortController().signal;

test("one work for all who wait, and it is given up with the last of them", async () => {
  const shared = new Shared(2);
  let works = 0;
  const given: AbortSignal[] = [];
  const work = (signal: AbortSignal): Promise<string> => {
    works++;
    given.push(signal);
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  };
  const [a, b] = [new AbortController(), new AbortController()];
  const waiting = [shared.do("k", a.signal, work), shared.do("k", b.signal, work)];
  const settled = Promise.allSettled(waiting);
  await Promise.resolve();
  a.abort(new Error("a left"));
  await assert.rejects(waiting[0] ?? Promise.resolve(), /a left/);
  assert.equal(given[0]?.aborted, false);
  b.abort(new Error("b left"));
  await settled;
  assert.deepEqual([works, given.at(0)?.aborted], [1, true]);
  assert.equal(await shared.do("k", never, () => Promise.resolve("anew")), "anew");
});

test("so many at a time; who stands in line and leaves does not run", async () => {
  const shared = new Shared(1);
  const ran: string[] = [];
  const gate = Promise.withResolvers<string>();
  const first = shared.do("1", never, () => {
    ran.push("1");
    return gate.promise;
  });
  const leaver = new AbortController();
  const second = shared.do("2", leaver.signal, () => Promise.resolve(ran.push("2")));
  const third = shared.do("3", never, () => Promise.resolve(ran.push("3")));
  leaver.abort(new Error("left"));
  await assert.rejects(second, /left/);
  gate.resolve("done");
  assert.equal(await first, "done");
  await third;
  assert.deepEqual(ran, ["1", "3"]);
});

test("a failure is everybody's, and the next one starts anew", async () => {
  const shared = new Shared(1);
  await assert.rejects(
    shared.do("k", never, () => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(await shared.do("k", never, () => Promise.resolve(1)), 1);
});
