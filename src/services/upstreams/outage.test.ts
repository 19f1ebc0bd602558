// When everybody is down: what nothing else can replace is waited for, as long as the outage is young.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProxyList } from "#protocol/proxylist.ts";
import { HandClock } from "../../../test/support/hand-clock.ts";
import { HandUpstreams } from "../../../test/support/hand-upstreams.ts";
import { readWhole } from "./attempt.ts";
import { buildChain } from "./chain.ts";
import { Health } from "./health.ts";
import type { FaultReason } from "./ports.ts";
import { walk } from "./walk.ts";

const retryMs = 25_000;

function stage(more: { readonly list?: string; readonly waitsOut?: boolean; readonly mayRetry?: () => boolean } = {}) {
  const { list = "https://a", waitsOut = true, mayRetry = () => true } = more;
  const clock = new HandClock();
  const health = new Health({ clock });
  const client = new HandUpstreams();
  const stop = new AbortController();
  /** Every request so far and to come fails like this, or is answered. */
  const fate: { now: FaultReason | "200" | "404" } = { now: "refused" };
  const get = client.get.bind(client);
  client.get = (upstream, request) => {
    const answer = get(upstream, request);
    const call = client.calls.at(-1);
    if (fate.now === "200") call?.whole("bytes");
    else if (fate.now === "404") call?.whole("none", 404);
    else call?.fail(fate.now);
    return answer;
  };
  const ask = () => {
    const told: { said?: string; atMs?: number } = {};
    const use = {
      client,
      health,
      mode: "resilient",
      clock,
      privatePatterns: "",
      retryMs,
      retries: { mayRetry },
    } as const;
    const op = {
      ...{ kind: "mod", path: "/m/@v/v1.0.0.mod", maxBytes: 100, signal: stop.signal, waitsOut },
      accept: async ({ body }: { body: AsyncIterable<Uint8Array> }) => String(await readWhole(body)),
    };
    const began = clock.now();
    const tell = (said: string): void => {
      told.said = said;
      told.atMs = clock.now() - began;
    };
    walk(buildChain(parseProxyList(list)), use, op).then(
      (result) => tell(result.kind),
      (error: unknown) => tell(String(error)),
    );
    return told;
  };
  return { clock, health, client, fate, ask, stop };
}

test("an upstream that is away for ten seconds fails nobody", async () => {
  const { clock, health, fate, ask } = stage();
  const first = ask();
  await clock.pass(2_000);
  assert.equal(health.condition("a"), "open");
  const second = ask();
  await clock.pass(8_000);
  assert.deepEqual([first.said, second.said], [undefined, undefined]);
  fate.now = "200";
  await clock.pass(3_000);
  assert.deepEqual([first.said, second.said], ["found", "found"]);
  assert.equal(health.condition("a"), "closed");
  assert.equal(clock.sleeping, 0);
});

test("who asks while the outage is young waits for a limited time; who asks later is told at once", async () => {
  const { clock, ask, client } = stage();
  const early = ask();
  await clock.pass(retryMs + 1_000);
  assert.equal(early.said, "failed");
  assert.ok((early.atMs ?? 0) <= retryMs && (early.atMs ?? 0) > retryMs - 4_000, `after ${early.atMs} ms`);
  const asked = client.calls.length;
  const late = ask();
  await clock.pass(0);
  assert.deepEqual([late.said, late.atMs], ["failed", 0]);
  assert.equal(client.calls.length, asked + 1);
});

test("what an older answer can replace is not waited for", async () => {
  const { clock, ask } = stage({ waitsOut: false });
  const told = ask();
  await clock.pass(2_000);
  assert.equal(told.said, "failed");
});

test("somebody who is well and says that there is none is believed: the others are not waited for", async () => {
  const { clock, health, fate, ask } = stage({ list: "https://a,https://b" });
  for (let n = 0; n < 3; n++) health.permit("a").failed("refused");
  fate.now = "404";
  const told = ask();
  await clock.pass(0);
  assert.equal(told.said, "absent");
});

test("while it is silent only one request a second tries, however many wait", async () => {
  const { clock, health, fate, ask, client } = stage();
  for (let n = 0; n < 5; n++) health.permit("a").failed("timeout");
  assert.equal(health.condition("a"), "open");
  fate.now = "timeout";
  const waiting = Array.from({ length: 50 }, () => ask());
  await clock.pass(10_000);
  assert.ok(client.calls.length <= 11, `${client.calls.length} requests`);
  fate.now = "200";
  await clock.pass(5_000);
  assert.equal(waiting.filter(({ said }) => said === "found").length, 50);
});

test("when all retries are used up nobody tries, and nobody is sent away for that", async () => {
  const budget = { left: 0 };
  const { clock, health, fate, ask, client } = stage({ mayRetry: () => budget.left-- > 0 });
  for (let n = 0; n < 3; n++) health.permit("a").failed("timeout");
  for (let n = 0; n < 3; n++) health.permit("a").failed("refused");
  const told = ask();
  await clock.pass(5_000);
  assert.equal(client.calls.length, 1);
  assert.equal(told.said, undefined);
  fate.now = "200";
  budget.left = 1;
  await clock.pass(3_000);
  assert.equal(told.said, "found");
});

test("whoever goes away stops waiting", async () => {
  const { clock, ask, stop } = stage();
  const told = ask();
  await clock.pass(5_000);
  stop.abort(new Error("gone"));
  await clock.pass(0);
  assert.match(told.said ?? "", /aborted|gone/);
  assert.equal(clock.sleeping, 0);
});
