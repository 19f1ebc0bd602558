import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock, settle } from "../../../test/support/hand-clock.ts";
import { HandUpstreams } from "../../../test/support/hand-upstreams.ts";
import { playedUpstream } from "../../../test/support/proxy-room.ts";
import { Health } from "./health.ts";
import { Nearness } from "./nearness.ts";
import { Prober } from "./prober.ts";

const every = 30_000;

function stage() {
  const clock = new HandClock();
  const health = new Health({ clock });
  const client = new HandUpstreams();
  const stop = new AbortController();
  const nearness = new Nearness();
  const state = { every, upstreams: ["a", "b"].map((name) => playedUpstream(name)) };
  const prober = new Prober({
    ...{ client, health, nearness, clock, stop: stop.signal },
    upstreams: () => state.upstreams,
    everyMs: () => state.every,
  });
  const asked = (): void => {
    for (const { name } of state.upstreams) health.permit(name).answered(200);
  };
  return { clock, health, nearness, client, stop, state, prober, asked };
}

test("each that is in use gets a HEAD every thirty seconds, until the server stops", async () => {
  const { clock, client, stop, prober, asked } = stage();
  asked();
  const running = prober.run();
  await clock.pass(every - 1);
  assert.equal(client.asked, "");
  await clock.pass(1);
  assert.equal(client.asked, "ab");
  assert.deepEqual([client.calls[0]?.request.method, client.calls[0]?.request.path], ["HEAD", "/"]);
  for (const call of client.calls) call.head(405);
  await settle();
  assert.equal(prober.last("a")?.ok, true, "an answer of any status is a sign of life");
  await clock.pass(every);
  assert.equal(client.asked, "abab");
  stop.abort(new Error("over"));
  await running;
  assert.equal(clock.sleeping, 0);
});

test("nobody is disturbed: not who was not asked for ten minutes, not a held one, nobody while it is off", async () => {
  const { clock, health, client, state, prober, stop, asked } = stage();
  const running = prober.run();
  await clock.pass(every);
  assert.equal(client.asked, "", "never asked");
  asked();
  health.hold("a", 60_000);
  await clock.pass(every);
  assert.equal(client.asked, "b");
  client.call("b").head();
  state.every = 0;
  await clock.pass(10 * every);
  assert.equal(client.asked, "b");
  stop.abort(new Error("over"));
  await running;
});

test("a dead one is known before a client finds out, and tried at once when it is back", async () => {
  const { clock, health, client, prober, stop, asked } = stage();
  asked();
  const running = prober.run();
  for (let n = 0; n < 3; n++) {
    await clock.pass(every);
    client.call("a", n).fail("refused");
    client.call("b", n).head();
    await settle();
  }
  assert.equal(health.condition("a"), "open");
  assert.deepEqual({ ...prober.last("a"), at: 0, ms: 0 }, { at: 0, ok: false, ms: 0, reason: "refused" });
  assert.equal(health.condition("b"), "closed");
  await clock.pass(every - 1_000);
  await prober.probe(playedUpstream("b"), AbortSignal.abort(new Error("gone"))).catch(() => undefined);
  const probing = prober.probe(playedUpstream("a"), stop.signal);
  client.calls.at(-1)?.head(200);
  assert.equal((await probing).ok, true);
  assert.equal(health.condition("a"), "trial", "one request decides, not the probe");
  stop.abort(new Error("over"));
  await running.catch(() => undefined);
});

test("of several origins all are measured at once, and the farther one as well while the nearer one is in use", async () => {
  const { clock, health, client, stop, state, prober, nearness } = stage();
  state.upstreams = ["a", "b"].map((name) => playedUpstream(name, { isOrigin: true }));
  const running = prober.run();
  await settle();
  assert.equal(client.asked, "ab", "before anybody asked");
  await clock.pass(5);
  client.call("b").head();
  await clock.pass(20);
  client.call("a").head();
  await settle();
  assert.deepEqual([nearness.rank("b"), nearness.rank("a"), nearness.of("b")], [0, 1, 5]);
  await clock.pass(every);
  assert.equal(client.asked, "ab", "nobody asks them");
  health.permit("b").answered(200);
  await clock.pass(every);
  assert.equal(client.asked, "abab");
  stop.abort(new Error("over"));
  await running;
});
