import assert from "node:assert/strict";
import test from "node:test";
import { SingleFlight, untilAborted } from "./single-flight.ts";

const waiting = () => new AbortController().signal;

test("all who ask while a job runs share it; who comes later starts another", async () => {
  const flights = new SingleFlight<number>();
  let runs = 0;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const job = async () => {
    runs++;
    await promise;
    return runs;
  };
  const shared = Promise.all([1, 2, 3].map(() => flights.do("k", waiting(), job)));
  assert.equal(flights.size, 1);
  resolve(undefined);
  assert.deepEqual(await shared, [1, 1, 1]);
  assert.equal(flights.size, 0);
  assert.equal(await flights.do("k", waiting(), job), 2);
});

test("jobs of different keys do not wait for each other", async () => {
  const flights = new SingleFlight<string>();
  void flights.do("stuck", waiting(), () => new Promise(() => undefined));
  assert.equal(await flights.do("free", waiting(), () => Promise.resolve("free")), "free");
});

test("a caller that goes away stops waiting and does not stop the job", async () => {
  const flights = new SingleFlight<string>();
  const { promise, resolve } = Promise.withResolvers<string>();
  const leaving = new AbortController();
  let runs = 0;
  const job = () => (runs++, promise);
  const first = flights.do("k", leaving.signal, job);
  const second = flights.do("k", waiting(), job);
  leaving.abort(new Error("gone"));
  await assert.rejects(first, /gone/);
  resolve("done");
  assert.equal(await second, "done");
  assert.equal(runs, 1);
});

test("a failure reaches those who wait and nobody after them", async () => {
  const flights = new SingleFlight<string>();
  const fail = Promise.withResolvers<string>();
  const waiters = [1, 2].map(() => flights.do("k", waiting(), () => fail.promise));
  fail.reject(new Error("bad day"));
  const first = waiters[0] ?? Promise.resolve("");
  // Asked in the very moment in which the failure is heard.
  const later = first.catch(() => flights.do("k", waiting(), () => Promise.resolve("good day")));
  assert.equal(await later, "good day");
  for (const waiter of waiters) await assert.rejects(waiter, /bad day/);
});

test("a job that fails after everybody left is nobody's unhandled rejection", async () => {
  const flights = new SingleFlight<string>();
  const fail = Promise.withResolvers<string>();
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  const leaving = new AbortController();
  const before = flights.do("k", leaving.signal, () => fail.promise);
  leaving.abort();
  const after = flights.do("k", leaving.signal, () => fail.promise);
  await assert.rejects(before, { name: "AbortError" });
  await assert.rejects(after, { name: "AbortError" });
  fail.reject(new Error("too late"));
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  assert.deepEqual(unhandled, []);
});

test("untilAborted() rejects with an Error whatever the signal's reason is", async () => {
  await assert.rejects(untilAborted(Promise.resolve(1), AbortSignal.abort("a text")), { cause: "a text" });
});
