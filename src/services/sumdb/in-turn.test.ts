import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, settle } from "../../../test/support/hand-clock.ts";
import { answersInTurn, patienceMs } from "./in-turn.ts";
import type { SumdbAsk, SumdbRoute } from "./ports.ts";

type Asked = {
  readonly name: string;
  readonly signal: AbortSignal;
  readonly say: (value: string | undefined) => void;
  readonly fail: (error: Error) => void;
  readonly retry: () => void;
};

function stage(...names: string[]) {
  const clock = new HandClock();
  const stop = new AbortController();
  const asked: Asked[] = [];
  const routes = names.map((name): SumdbRoute => ({
    name,
    knows: false,
    fetch: () => Promise.reject(new Error(name)),
  }));
  const ask = (
    route: SumdbRoute,
    { signal, retrying }: Required<Omit<SumdbAsk, "isHurried">>,
  ): Promise<string | undefined> => {
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
    asked.push({ name: route.name, signal, say: resolve, fail: reject, retry: () => retrying?.() });
    return promise;
  };
  const answers = answersInTurn(routes, { clock, signal: stop.signal, ask });
  const next = async (): Promise<string> => {
    const { value } = await answers.next();
    return value === undefined ? "nothing" : `${value.route.name}: ${value.value}`;
  };
  const who = (): string => asked.map(({ name }) => name).join(" ");
  return { clock, stop, asked, answers, next, who };
}

test("the next route is asked when the one before it says nothing of use", async () => {
  const { asked, next, who, clock } = stage("a", "b");
  const first = next();
  await settle();
  assert.equal(who(), "a");
  asked[0]?.say(undefined);
  await settle();
  assert.equal(who(), "a b");
  asked[1]?.say("yes");
  assert.equal(await first, "b: yes");
  assert.equal(clock.sleeping, 0);
});

test("a silent route holds up nobody, and its late answer still counts", async () => {
  const { asked, next, who, clock } = stage("a", "b", "c");
  const first = next();
  await clock.pass(patienceMs - 1);
  assert.equal(who(), "a");
  await clock.pass(1);
  assert.equal(who(), "a b");
  asked[0]?.say("late");
  assert.equal(await first, "a: late");
});

test("a route that has to try again holds up nobody either", async () => {
  const { asked, next, who } = stage("a", "b");
  const first = next();
  await settle();
  asked[0]?.retry();
  await settle();
  assert.equal(who(), "a b");
  asked[0]?.say("at the second try");
  assert.equal(await first, "a: at the second try");
});

test("whoever has enough breaks off the others; nothing sleeps on", async () => {
  const { asked, next, clock, answers } = stage("a", "b", "c");
  const first = next();
  await clock.pass(patienceMs);
  asked[1]?.say("yes");
  assert.equal(await first, "b: yes");
  const isBrokenOff = (): boolean => asked[0]?.signal.aborted === true;
  assert.equal(isBrokenOff(), false);
  await answers.return(undefined);
  assert.equal(isBrokenOff(), true);
  assert.equal(clock.sleeping, 0);
});

test("whoever reads on hears the others, and at last that there are no more", async () => {
  const { asked, next, who } = stage("a", "b");
  const first = next();
  await settle();
  asked[0]?.say("no good");
  assert.equal(await first, "a: no good");
  const second = next();
  await settle();
  assert.equal(who(), "a b");
  asked[1]?.say(undefined);
  assert.equal(await second, "nothing");
});

test("what a question throws ends the whole, and so does the signal", async () => {
  const thrown = stage("a", "b");
  const first = thrown.next();
  await thrown.clock.pass(patienceMs);
  thrown.asked[1]?.fail(new Error("there is none"));
  await assert.rejects(first, /there is none/);
  assert.equal(thrown.asked[0]?.signal.aborted, true);

  const stopped = stage("a", "b");
  const waiting = stopped.next();
  await settle();
  stopped.stop.abort(new Error("closed"));
  await assert.rejects(waiting, /closed/);
  assert.equal(stopped.clock.sleeping, 0);
});
