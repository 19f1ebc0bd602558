import assert from "node:assert/strict";
import test from "node:test";
import type { TurnOutcome } from "#services/events/ports.ts";
import { HandClock, settle } from "../../../test/support/hand-clock.ts";
import { PlayedHub } from "../../../test/support/played-hub.ts";
import { SharedFlight, askAgainMs, maxTurnsWaited } from "./shared-flight.ts";

function open(...names: string[]) {
  const clock = new HandClock();
  const hub = new PlayedHub(clock);
  const seen: TurnOutcome[] = [];
  const meter = { turn: (outcome: TurnOutcome) => void seen.push(outcome) };
  const flights = names.map((name) => new SharedFlight({ turns: hub.node(name).turns, clock, meter }));
  return { clock, hub, seen, flights: flights as [SharedFlight, SharedFlight, ...SharedFlight[]] };
}

const patient = new AbortController().signal;
const nothing = (): Promise<undefined> => Promise.resolve(undefined);

test("the first runs, the second is given what the first left", async () => {
  const { flights, seen } = open("a", "b");
  let kept: string | undefined;
  const held = Promise.withResolvers<undefined>();
  const first = flights[0].do("mod m", {
    signal: patient,
    look: () => Promise.resolve(kept),
    run: async () => {
      await held.promise;
      return (kept = "a's");
    },
  });
  await settle();
  const second = flights[1].do("mod m", {
    signal: patient,
    look: () => Promise.resolve(kept),
    run: () => Promise.resolve("b's"),
  });
  await settle();
  assert.equal(flights[1].waiting, 1);
  held.resolve(undefined);
  assert.deepEqual(await Promise.all([first, second]), ["a's", "a's"]);
  assert.deepEqual(seen, ["taken", "waited", "spared"]);
  assert.equal(flights[1].waiting, 0);
});

test("a lost message costs one interval, not the whole job", async () => {
  const { flights, hub, clock } = open("a", "b");
  hub.losesMessages = true;
  const held = Promise.withResolvers<undefined>();
  const first = flights[0].do("x", { signal: patient, look: nothing, run: () => held.promise });
  await settle();
  const second = flights[1].do("x", { signal: patient, look: nothing, run: () => Promise.resolve("b's") });
  await clock.pass(3 * askAgainMs);
  assert.equal(flights[1].waiting, 1, "a living holder is waited for, however often it was asked");
  held.resolve(undefined);
  await first;
  await clock.pass(askAgainMs);
  assert.equal(await second, "b's");
});

test("turns that come and go and leave nothing are waited for a few times only", async () => {
  const { flights, hub, seen } = open("a", "b");
  const { turns } = hub.node("c");
  await turns.take("x");
  const second = flights[0].do("x", { signal: patient, look: nothing, run: () => Promise.resolve("own") });
  for (let n = 0; n < maxTurnsWaited; n++) {
    await settle();
    hub.expire("c");
    await turns.take("x");
  }
  assert.equal(await second, "own");
  assert.deepEqual(seen, ["waited", "alone"]);
});

test("when the signal aborts the wait is over and the job says itself what that means", async () => {
  const { flights, hub } = open("a", "b");
  await hub.node("c").turns.take("x");
  const late = new AbortController();
  const second = flights[0].do("x", {
    signal: late.signal,
    look: nothing,
    run: () => Promise.reject(new Error("late")),
  });
  await settle();
  late.abort();
  await assert.rejects(second, /late/);
});

test("a failure ends the turn, and so does a server that stops", async () => {
  const { flights, hub } = open("a", "b");
  await assert.rejects(
    flights[0].do("x", { signal: patient, look: nothing, run: () => Promise.reject(new Error("no")) }),
  );
  await settle();
  assert.deepEqual(hub.held, []);
  void flights[0].do("y", { signal: patient, look: nothing, run: () => new Promise(() => undefined) });
  await settle();
  assert.deepEqual(hub.held, ["y"]);
  await flights[0].close();
  assert.deepEqual(hub.held, []);
});

test("no more than a thousand jobs wait; the next one goes on alone", async () => {
  const { flights, hub } = open("a", "b");
  const { turns } = hub.node("c");
  for (let n = 0; n <= 1_000; n++) await turns.take(`x${n}`);
  const run = (): Promise<string> => Promise.resolve("own");
  for (let n = 0; n < 1_000; n++) void flights[0].do(`x${n}`, { signal: patient, look: nothing, run });
  await settle();
  assert.equal(flights[0].waiting, 1_000);
  assert.equal(await flights[0].do("x1000", { signal: patient, look: nothing, run }), "own");
});
