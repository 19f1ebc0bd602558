import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "#services/store/ports.ts";
import { get, head } from "./asker.ts";
import { ServerSilent } from "./ports.ts";
import type { ServerClient, ServerReply, ServerRequest } from "./ports.ts";

type Scripted = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };

/** A server that gives these answers in turn, the last one for ever, and a clock that notes how long it slept. */
function world(...script: (Scripted | "silent")[]) {
  const asked: string[] = [];
  const slept: number[] = [];
  const client: ServerClient = {
    ask: ({ method }: ServerRequest): Promise<ServerReply> => {
      asked.push(method);
      const next = script.length > 1 ? script.shift() : script[0];
      if (next === undefined || next === "silent") return Promise.reject(new ServerSilent("connection refused"));
      const body = Buffer.from(method === "HEAD" ? "" : (next.body ?? ""));
      return Promise.resolve({ status: next.status, headers: next.headers ?? {}, body, isWhole: true, ms: 1 });
    },
    close: () => Promise.resolve(),
  };
  const clock: Clock = {
    now: () => 0,
    sleep: (ms) => {
      slept.push(ms);
      return Promise.resolve();
    },
  };
  return { asked, slept, use: { client, clock, signal: new AbortController().signal } };
}

test("a good answer is asked for once", async () => {
  const { asked, use } = world({ status: 200 });
  assert.equal((await head(use, "/x")).ok, true);
  assert.deepEqual(asked, ["HEAD"]);
});

test("a server that is full is waited for as long as it says, within bounds", async () => {
  const busy = (seconds: string): Scripted => ({ status: 503, headers: { "retry-after": seconds } });
  const { slept, use } = world(busy("5"), busy("0"), busy("86400"), busy("Fri, 31 Dec 1999 23:59:59 GMT"), {
    status: 200,
  });
  assert.equal((await head(use, "/x")).ok, true);
  assert.deepEqual(slept, [5_000, 100, 30_000, 4_000]);
});

test("a server that does not answer is asked a few times, not for ever", async () => {
  const { asked, slept, use } = world("silent");
  const outcome = await get(use, "/x", 10);
  assert.deepEqual(outcome, { ok: false, status: 0, code: "no answer", said: "connection refused" });
  assert.equal(asked.length, 6);
  assert.ok(slept.every((ms, at) => ms > (slept[at - 1] ?? 0)));
});

test("a refusal is asked for once more with GET, to learn its code in either language", async () => {
  for (const colon of [": ", "："]) {
    const body = `GRANARY_SUMDB_MISMATCH${colon}not what was recorded\nsecond line\n`;
    const { asked, slept, use } = world({ status: 502, body });
    const outcome = await head(use, "/x");
    assert.deepEqual(outcome, {
      ok: false,
      status: 502,
      code: "GRANARY_SUMDB_MISMATCH",
      said: "not what was recorded",
    });
    assert.deepEqual([asked, slept], [["HEAD", "GET"], []]);
  }
});

test("a 503 without Retry-After is a verdict, and an error of somebody else's has its status for a code", async () => {
  const { slept, use } = world({ status: 503, body: "<html>" });
  const outcome = await get(use, "/x", 10);
  assert.deepEqual([outcome.ok, !outcome.ok && outcome.code, slept.length], [false, "HTTP 503", 0]);
});
