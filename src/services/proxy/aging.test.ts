import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { parseTarget } from "#protocol/request.ts";
import { settle } from "../../../test/support/hand-clock.ts";
import { goModOf, makeModule } from "../../../test/support/modules.ts";
import { openRoom, patient, playedUpstream, StandingClock } from "../../../test/support/proxy-room.ts";
import type { PlayedAnswer, Room } from "../../../test/support/proxy-room.ts";
import type { ProxyTarget } from "./proxy.ts";

const module = makeModule({ path: "example.com/m", version: "v1.0.0" });
const stem = "/example.com/m/@v/v1.0.0";
const second = 1_000;
const day = 86_400 * second;
const lifetime = "public, max-age=300, stale-while-revalidate=86400";

/** Who sleeps is woken by the test alone. */
class WaitingClock extends StandingClock {
  #wake: (() => void)[] = [];
  override sleep(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }
  wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** An edge of `a` and `b` that keeps what they gave it a moment ago. */
async function edge(options: Parameters<typeof openRoom>[0] = {}) {
  const clock = new WaitingClock();
  const upstreams = [playedUpstream("a", { isOrigin: true }), playedUpstream("b", { isOrigin: true })];
  const room = await openRoom({ recorded: [module], clock, upstreams, ...options });
  room.client.serve("a", [module]);
  for (const file of ["info", "mod"] as const) says(room, file, "a", {});
  return { room, clock };
}

/** What an origin says from now on of a file: the file, or 304 to whoever has it, unless told otherwise. */
function says(room: Room, file: "info" | "mod", upstream: string, more: Partial<PlayedAnswer>): void {
  const body = file === "mod" ? goModOf(module) : JSON.stringify({ Version: module.version, Time: module.time });
  room.client.play(upstream, `${stem}.${file}`, ({ headers }) => {
    const etag = `"of-${upstream}"`;
    const answer = {
      status: 200,
      body,
      headers: { etag, "cache-control": lifetime, "x-go-proxy-cache": "HIT" },
      ...more,
    };
    return more.status === undefined && headers?.["if-none-match"] === etag
      ? { ...answer, status: 304, body: "" }
      : answer;
  });
}

async function ask({ proxy }: Room, url: string, keptOnly: false | "cached-only" = false) {
  const answer = await proxy.answer(parseTarget(url) as ProxyTarget, { keptOnly, ...patient() });
  assert.ok(answer.kind === "bytes");
  const { upstream, here } = answer.provenance;
  return { status: `${upstream}|${here}`, reuseMs: answer.reuseMs, sha256: sha256(answer.bytes) };
}

for (const file of ["info", "mod"] as const) {
  const url = `${stem}.${file}`;

  test(`${file}: fresh for 300 s, stale and shown once for a day, then waited for`, async () => {
    const { room, clock } = await edge();
    const first = await ask(room, url);
    assert.equal(first.status, "HIT|MISS");
    if (file === "mod") assert.equal(first.reuseMs, 300 * second);
    const asked = () => room.client.count("a", url);
    const before = asked();
    clock.pass(299 * second);
    assert.deepEqual([(await ask(room, url)).status, asked()], ["-|HIT", before]);

    clock.pass(second);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    room.client.gate = promise;
    for (let n = 0; n < 5; n++) {
      const stale = await ask(room, url);
      assert.deepEqual([stale.status, stale.reuseMs, stale.sha256], ["-|STALE", 0, first.sha256]);
    }
    await settle();
    assert.equal(asked(), before + 1, "five answers at once, one question behind them");
    resolve(undefined);
    await settle();
    assert.equal((await ask(room, url)).status, "-|HIT");
    const condition = room.client.requests.at(-1)?.request.headers?.["if-none-match"];
    assert.equal(condition, file === "info" ? '"of-a"' : `"${first.sha256}"`);

    clock.pass(300 * second + day);
    const waits = Promise.withResolvers<undefined>();
    room.client.gate = waits.promise;
    let isAnswered = false;
    const late = ask(room, url).finally(() => (isAnswered = true));
    await settle();
    assert.deepEqual([isAnswered, asked()], [false, before + 2]);
    waits.resolve(undefined);
    const expired = await late;
    assert.deepEqual([expired.status, expired.sha256], ["HIT|EXPIRED", first.sha256]);
    assert.equal((await ask(room, url)).status, "-|HIT");
  });

  test(`${file}: a dead origin, or one that never answers, takes nothing away`, async () => {
    const { room, clock } = await edge();
    const { sha256 } = await ask(room, url);
    clock.pass(300 * second + day);
    for (const upstream of ["a", "b"]) room.client.play(upstream, url, "refused");
    const dead = await ask(room, url);
    assert.deepEqual([dead.status, dead.sha256], ["-|STALE", sha256]);
    const asked = room.client.asked.length;
    const again = await ask(room, url);
    if (file === "mod") assert.equal(again.reuseMs, 5 * second);
    assert.equal(room.client.asked.length, asked, "it is left alone for a moment");

    clock.pass(5 * second);
    room.client.gate = new Promise(() => undefined);
    const hanging = ask(room, url);
    await settle();
    clock.wakeAll();
    assert.equal((await hanging).status, "-|STALE");
  });

  test(`${file}: other bytes, an error page or an absence are told, and change nothing`, async () => {
    const { room, clock } = await edge();
    const { sha256 } = await ask(room, url);
    const disputes = () => room.emitted.filter(({ name }) => name === "module.disputed");
    const other = file === "info" ? '{"Version":"v1.0.0","Time":"2001-01-01T00:00:00Z"}' : "module example.com/evil\n";
    for (const [answer, found] of [
      [{ status: 200, body: other }, /^[0-9a-f]{64}$/],
      [{ status: 404, body: "not found" }, /^absent$/],
    ] as const) {
      says(room, file, "a", answer);
      const before = disputes().length;
      clock.pass(301 * second);
      await ask(room, url);
      await settle();
      const event = disputes()[before];
      assert.ok(event?.name === "module.disputed" && event.file === file && event.expected === sha256, found.source);
      assert.match(event.found, found);
      const after = await ask(room, url);
      assert.deepEqual([after.status, after.sha256], ["-|HIT", sha256]);
    }
    const before = disputes().length;
    says(room, file, "a", { status: 200, body: "<html>", headers: { "content-type": "text/html" } });
    clock.pass(301 * second);
    await ask(room, url);
    await settle();
    assert.equal(disputes().length, before, "a portal is no origin's word");
    assert.equal((await ask(room, url)).status, "-|STALE");
  });
}

test("each origin is asked by its own validator, and the first to answer counts", async () => {
  const { room, clock } = await edge();
  const url = `${stem}.info`;
  await ask(room, url);
  room.client.play("a", url, "refused");
  says(room, "info", "b", {});
  const conditions = () =>
    room.client.requests
      .filter(({ upstream, request }) => upstream === "b" && request.path === url)
      .map(({ request }) => request.headers?.["if-none-match"]);
  for (let n = 0; n < 2; n++) {
    clock.pass(301 * second);
    await ask(room, url);
    await settle();
  }
  assert.equal(conditions().length, 2);
  assert.match(conditions()[0] ?? "", /^"[0-9a-f]{64}"$/, "what a Granary would call it");
  assert.equal(conditions()[1], '"of-b"');
});

test("after a start a version is as old as it is, and one that is young is fresh", async () => {
  const storage = new MemoryStorage();
  const { room } = await edge({ storage });
  await ask(room, `${stem}.mod`);
  const again = await edge({ storage });
  assert.equal((await ask(again.room, `${stem}.mod`)).status, "-|HIT");
  again.clock.pass(301 * second);
  assert.equal((await ask(again.room, `${stem}.mod`)).status, "-|STALE");
});

test("kept-only answers ask nobody, whatever their age; what no origin gave never grows old", async () => {
  const { room, clock } = await edge();
  await ask(room, `${stem}.mod`);
  clock.pass(10 * day);
  const asked = room.client.asked.length;
  assert.equal((await ask(room, `/cached-only${stem}.mod`, "cached-only")).status, "-|HIT");
  assert.equal(room.client.asked.length, asked);

  const plain = await edge({ upstreams: [playedUpstream("a")] });
  await ask(plain.room, `${stem}.mod`);
  plain.clock.pass(10 * day);
  const kept = await ask(plain.room, `${stem}.mod`);
  assert.deepEqual([kept.status, kept.reuseMs], ["-|HIT", Number.MAX_SAFE_INTEGER]);
});
