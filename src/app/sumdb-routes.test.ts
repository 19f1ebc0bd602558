// Tunnels to a checksum database: one that is silent to everybody is passed by, as long as another one speaks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sumdbMirrorChina, sumdbName } from "#protocol/official.ts";
import { parseProxyList } from "#protocol/proxylist.ts";
import { silentMeter } from "#services/events/ports.ts";
import { buildChain } from "#services/upstreams/chain.ts";
import { Health } from "#services/upstreams/health.ts";
import { UpstreamFault } from "#services/upstreams/ports.ts";
import { HandClock } from "../../test/support/hand-clock.ts";
import { HandUpstreams } from "../../test/support/hand-upstreams.ts";
import { databaseRoutes } from "./sumdb-routes.ts";

const database = { name: "sum.example.test" };
const lookup = "/lookup/example.com/m@v1.0.0";
const lateMs = 100;

function stage(list = "https://a.test,https://b.test") {
  const clock = new HandClock();
  const health = new Health({ clock });
  const client = new HandUpstreams();
  const patience = { silenceMs: 10_000, lateMs: () => lateMs, hedgeMs: () => undefined, hedged: () => undefined };
  const routes = databaseRoutes(database, {
    chain: buildChain(parseProxyList(list)),
    client,
    health,
    meter: silentMeter,
    clock,
    manners: () => ({ patience }),
  });
  const [first] = routes;
  assert.ok(first !== undefined);
  const stop = new AbortController();
  const ask = () => {
    const told: { said?: string } = {};
    first.fetch(lookup, 1_000, { signal: stop.signal }).then(
      ({ status }) => (told.said = String(status)),
      (error: unknown) => (told.said = error instanceof UpstreamFault ? error.reason : String(error)),
    );
    return told;
  };
  const silence = (name: string): void => {
    for (let n = 0; n < 5; n++) health.late(name, clock.now());
  };
  return { clock, health, client, ask, silence, first, stop };
}

test("a lookup does not wait for a tunnel that is silent to everybody while another one speaks", async () => {
  const { clock, ask, silence, first, client } = stage();
  const told = ask();
  await clock.pass(50);
  silence(first.name);
  await clock.pass(250);
  assert.equal(told.said, undefined, "it may be a hiccup");
  await clock.pass(500);
  assert.equal(told.said, "timeout");
  assert.equal(
    client.calls.every((call) => call.isAborted),
    true,
  );
  assert.equal(clock.sleeping, 0);
});

test("the next lookups go elsewhere at once, but for one a second that sees whether it is back", async () => {
  const { clock, health, ask, silence, first, client } = stage();
  silence(first.name);
  health.permit(first.name).abandoned();
  await clock.pass(900);
  const passing = ask();
  await clock.pass(0);
  assert.equal(passing.said, "unreachable");
  assert.equal(client.calls.length, 0);
  await clock.pass(100);
  const looking = ask();
  await clock.pass(lateMs - 1);
  assert.equal(looking.said, undefined);
  client.calls[0]?.whole("a record");
  await clock.pass(0);
  assert.equal(looking.said, "200");
  assert.equal(health.isMute(first.name), false);
});

for (const [what, list] of [
  ["the only tunnel", "https://a.test"],
  ["the first of two silent ones", "https://a.test,https://b.test"],
] as const)
  test(`${what} gets its time`, async () => {
    const { clock, ask, silence, client } = stage(list);
    const told = ask();
    await clock.pass(50);
    for (const name of ["a.test", "b.test"]) silence(name);
    await clock.pass(5_000);
    assert.equal(told.said, undefined);
    client.calls[0]?.whole("a record");
    await clock.pass(0);
    assert.equal(told.said, "200");
  });

test("a disabled upstream's tunnel is not asked; it is named, and the database's own address is asked", async () => {
  for (const list of ["https://a.test,https://b.test", "https://a.test,https://b.test,off"]) {
    const chain = buildChain(parseProxyList(list));
    const clock = new HandClock();
    const client = new HandUpstreams();
    const routes = databaseRoutes(database, {
      chain: { ...chain, upstreams: [], disabled: chain.upstreams },
      client,
      health: new Health({ clock }),
      meter: silentMeter,
      clock,
      manners: () => ({}),
    });
    assert.deepEqual(
      routes.map(({ name }) => name),
      [database.name, "a.test", "b.test"],
    );
    const { signal } = new AbortController();
    for (const route of routes.slice(1)) {
      assert.equal(route.isUp?.(), false);
      await assert.rejects(route.fetch(lookup, 1_000, { signal }), { name: "UpstreamFault", reason: "disabled" });
    }
    assert.deepEqual(client.calls, []);
  }
});

for (const [name, hosts] of [
  [sumdbName, [sumdbName, sumdbMirrorChina]],
  ["sum.example.test", ["sum.example.test"]],
] as const)
  test(`${name} is asked through tunnels, then at ${hosts.join(" and ")}; these know what is absent`, async () => {
    const clock = new HandClock();
    const client = new HandUpstreams();
    const routes = databaseRoutes(
      { name },
      {
        chain: buildChain(parseProxyList("https://a.test,direct")),
        client,
        health: new Health({ clock }),
        meter: silentMeter,
        clock,
        manners: () => ({}),
      },
    );
    assert.deepEqual(
      routes.map((route) => [route.name, route.knows]),
      [["a.test", false], ...hosts.map((host) => [host, true])],
    );
    const asked = [`a.test /sumdb/${name}/latest`, ...hosts.map((host) => `${host} /latest`)];
    for (const [n, route] of routes.entries()) {
      const answer = route.fetch("/latest", 1_000, { signal: new AbortController().signal });
      await clock.pass(0);
      assert.equal(`${client.calls[n]?.upstream} ${client.calls[n]?.request.path}`, asked[n]);
      client.calls[n]?.whole("a head");
      assert.equal((await answer).status, 200);
    }
  });

test("a database with a URL of its own is asked there alone", () => {
  const clock = new HandClock();
  const routes = databaseRoutes(
    { name: sumdbName, url: "https://sums.corp.example" },
    {
      chain: buildChain(parseProxyList("https://a.test,direct")),
      client: new HandUpstreams(),
      health: new Health({ clock }),
      meter: silentMeter,
      clock,
      manners: () => ({}),
    },
  );
  assert.equal(routes.length, 1);
});

test("a database that is silent to everybody, with nobody else to ask, is given up", async () => {
  const clock = new HandClock();
  const health = new Health({ clock });
  const client = new HandUpstreams();
  const patience = { silenceMs: 10_000, lateMs: () => lateMs, hedgeMs: () => undefined, hedged: () => undefined };
  const use = { chain: buildChain(parseProxyList("off")), client, health, meter: silentMeter, clock };
  const [route] = databaseRoutes({ ...database, url: "https://sum.test" }, { ...use, manners: () => ({ patience }) });
  for (let n = 0; n < 5; n++) health.late(database.name, clock.now());
  let said: unknown;
  route?.fetch(lookup, 1_000, { signal: new AbortController().signal }).catch((error: unknown) => (said = error));
  await clock.pass(200_000);
  assert.ok(said instanceof UpstreamFault);
  assert.ok(client.calls.length < 30, `${client.calls.length} requests`);
});

test("a database that is down behind a tunnel says nothing against the upstream that tunnels it", async () => {
  const { clock, health, client, ask, first } = stage();
  for (let n = 0; n < 30; n++) {
    ask();
    for (let tries = 0; tries < 20; tries++) {
      await clock.pass(200);
      for (const call of client.calls) if (!call.isAborted && !call.isClosed) call.whole("bad gateway", 502);
    }
  }
  assert.equal(health.condition(first.name), "closed");
  const before = client.calls.length;
  assert.equal(first.isUp?.(), true, "for a while it may come back");
  ask();
  await clock.pass(0);
  assert.ok(client.calls.length <= before + 1);
});
