import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { Access } from "#services/access/access.ts";
import { Limiter, limiterProfiles } from "#services/access/limiter.ts";
import { Tokens } from "#services/access/tokens.ts";
import type { SharedRates } from "#services/cluster/ports.ts";
import { isGranaryError } from "#services/errors/granary-error.ts";
import type { Clock } from "#services/store/ports.ts";
import { PlayedHub } from "../../../test/support/played-hub.ts";
import { RateGuard } from "./rate.ts";
import type { Request } from "./send.ts";

function room(by: "ip" | "token", shared?: SharedRates) {
  let now = 1_000_000;
  const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };
  const tokens = new Tokens(new MemoryStorage(), clock);
  const access = new Access(tokens, "tokens");
  const guard = new RateGuard({ limiter: new Limiter(limiterProfiles.official), shared, by, access, clock });
  const check = async (from: { address: string; token?: string; url?: string; secure?: boolean }) => {
    const refusal = await guard.check(requestFrom(from));
    return isGranaryError(refusal, "GRANARY_RATE_LIMITED") ? refusal.fields.waitSeconds : refusal;
  };
  return { tokens, check, guard, later: (ms: number) => (now += ms) };
}

function requestFrom(from: { address: string; token?: string; url?: string; secure?: boolean }): Request {
  const { address, token, url = "/example.com/m/@v/list", secure = true } = from;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return { url, headers, socket: { remoteAddress: address, encrypted: secure } } as unknown as Request;
}

test("the sixth request of an address is refused, with the seconds that are left; the pause ends by itself", async () => {
  const { check, later } = room("ip");
  for (let n = 0; n < 5; n++) assert.equal(await check({ address: "192.0.2.1" }), undefined);
  assert.equal(await check({ address: "192.0.2.1" }), 60);
  assert.equal(await check({ address: "::ffff:192.0.2.1" }), 60);
  assert.equal(await check({ address: "192.0.2.2" }), undefined);
  later(59_001);
  assert.equal(await check({ address: "192.0.2.1" }), 1);
  later(999);
  assert.equal(await check({ address: "192.0.2.1" }), undefined);
});

test("several nodes count a client together; without coordination each counts alone, and nothing twice", async () => {
  const hub = new PlayedHub({ now: () => 1_000_000, sleep: () => Promise.resolve() });
  const nodes = ["a", "b"].map((name) => room("ip", hub.node(name).rates));
  const ask = (n: number) => nodes[n % 2]?.check({ address: "192.0.2.1" });
  for (let n = 0; n < 5; n++) assert.equal(await ask(n), undefined);
  for (let n = 0; n < 2; n++) assert.equal(await ask(n), 60);
  hub.die();
  for (let n = 0; n < 10; n++) assert.equal(await ask(n), undefined, `${n}`);
  for (let n = 0; n < 2; n++) assert.equal(await ask(n), 60);
});

test("health, readiness and metrics are answered while the address is paused, and do not count", async () => {
  const { check } = room("ip");
  const urls = ["/-/livez", "/-/readyz", "/-/metrics", "/health", "/healthz", "/readyz", "/metrics"];
  for (let n = 0; n < 3; n++)
    for (const url of urls) assert.equal(await check({ address: "192.0.2.1", url }), undefined);
  for (let n = 0; n < 6; n++) await check({ address: "192.0.2.1" });
  for (const url of urls) assert.equal(await check({ address: "192.0.2.1", url }), undefined, url);
  assert.equal(await check({ address: "192.0.2.1", url: "/-/metrics/x" }), 60);
});

test("by ip nothing is looked up: the answer is there at once, token or not", () => {
  const { guard } = room("ip");
  assert.equal(guard.check(requestFrom({ address: "192.0.2.1", token: "grn_0_x" })), undefined);
});

test("by token: holders behind one address are clients of their own, and one client wherever they are", async () => {
  const { tokens, check } = room("token");
  const [a, b] = [(await tokens.add("read", "a")).text, (await tokens.add("write", "b")).text];
  for (let n = 0; n < 5; n++) {
    assert.equal(await check({ address: "192.0.2.1", token: a }), undefined);
    assert.equal(await check({ address: `192.0.2.${n + 1}`, token: b }), undefined);
    assert.equal(await check({ address: "192.0.2.1" }), undefined);
  }
  assert.equal(await check({ address: "192.0.2.1", token: a }), 60);
  assert.equal(await check({ address: "192.0.2.99", token: b }), 60);
  assert.equal(await check({ address: "192.0.2.1" }), 60);
});

test("by token: invented tokens, and good ones in the clear, are their address", async () => {
  const { tokens, check } = room("token");
  const { text } = await tokens.add("read", "a");
  for (let n = 0; n < 4; n++)
    assert.equal(await check({ address: "192.0.2.1", token: `grn_0000000${n}_x` }), undefined);
  assert.equal(await check({ address: "192.0.2.1", token: text, secure: false }), undefined);
  assert.equal(await check({ address: "192.0.2.1", token: "grn_00000009_x" }), 60);
  assert.equal(await check({ address: "192.0.2.1", token: text }), undefined);
});
