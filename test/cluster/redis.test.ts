// Coordination through real servers: Redis alone, and a cluster of three masters.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import fc from "fast-check";
import { createClient } from "@redis/client";
import { Keys } from "#adapters/coordination/_redis-keys.ts";
import { admitRate } from "#adapters/coordination/_redis-scripts.ts";
import { openRedis } from "#adapters/coordination/redis.ts";
import { steadyClock } from "#adapters/system/clock.ts";
import { Limiter } from "#services/access/limiter.ts";
import { CoordinationDown, coordinationTimeoutMs } from "#services/cluster/ports.ts";
import type { Coordination } from "#services/cluster/ports.ts";
import { coordinationContract, timed, until } from "../contract/coordination.ts";
import type { Shared } from "../contract/coordination.ts";
import { atEnd } from "../support/at-end.ts";
import { freePort, makeAuthority } from "../support/loopback.ts";
import { missingRedis, startRedis, startRedisCluster } from "../support/servers/redis.ts";
import { serverFolder } from "../support/servers/server.ts";
import type { RedisServer } from "../support/servers/redis.ts";

const skip = missingRedis() ?? false;
const never = new AbortController().signal;
const kills = process.env["LONG"] === undefined ? 3 : 10;

type More = {
  readonly leaseMs?: number;
  readonly timeoutMs?: number;
  readonly ca?: string;
  readonly onState?: (state: string, reason: string) => void;
};

async function openNode(urls: readonly string[], node: string, more: More = {}): Promise<Coordination> {
  const { leaseMs = 10_000, timeoutMs = coordinationTimeoutMs, ca, onState = () => undefined } = more;
  return await openRedis({ urls, ca, prefix: "granary", node, leaseMs, timeoutMs, clock: steadyClock, onState });
}

async function nodeOf(t: TestContext, urls: readonly string[], node: string, more: More = {}): Promise<Coordination> {
  const made = await openNode(urls, node, more);
  atEnd(t, () => made.close());
  return made;
}

/** A client beside ours, for what others do to a Redis. */
async function beside(t: Pick<TestContext, "after">, url: string) {
  const client = createClient({ url, RESP: 2 });
  client.on("error", () => undefined);
  await client.connect();
  atEnd(t, () => client.destroy());
  return client;
}

/** A server that is away does not answer; what it had is gone when it is back. */
function sharedOver(servers: readonly RedisServer[], wipe: () => Promise<void>): Shared {
  const urls = servers.map(({ url }) => url);
  return {
    // A busy machine is no Redis that is away.
    node: (name, leaseMs) => openNode(urls, name, { leaseMs, timeoutMs: 900 }),
    losesNotices: false,
    wipe,
    away: () => {
      for (const server of servers) server.pause();
      return Promise.resolve();
    },
    back: () => {
      for (const server of servers) server.resume();
      return Promise.resolve();
    },
  };
}

/** Every key of every server. */
async function wipeAll(servers: readonly RedisServer[]): Promise<void> {
  for (const { url } of servers) {
    const client = createClient({ url, RESP: 2 });
    await client.connect();
    await client.sendCommand(["FLUSHALL"]);
    client.destroy();
  }
}

coordinationContract(
  "redis",
  async (t) => {
    const server = await startRedis(t);
    return sharedOver([server], () => wipeAll([server]));
  },
  { skip },
);

suite("cluster", { skip }, () => {
  // One for all: making it takes seconds. What a test leaves there is wiped before the next.
  let masters: readonly RedisServer[] = [];
  const ends: (() => unknown)[] = [];
  before(async () => {
    masters = (await startRedisCluster({ after: (work) => void ends.push(work as () => unknown) })) ?? [];
    assert.equal(masters.length, 3, "redis-cli is there when redis-server is");
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });
  const urlsOf = (): string[] => masters.map(({ url }) => url);

  // What is different in a cluster is below; the whole contract takes a minute there.
  if (process.env["LONG"] !== undefined)
    coordinationContract("redis cluster", async () => {
      await wipeAll(masters);
      return sharedOver(masters, () => wipeAll(masters));
    });

  test("one of its nodes as the only URL is enough", async (t) => {
    const node = await nodeOf(t, urlsOf().slice(0, 1), "a");
    await until(async () => {
      await Promise.allSettled(Array.from({ length: 20 }, (_, n) => node.absences.find(`key ${n}`)));
      return node.isUp && (await canUseAll(node));
    });
  });

  test("keys lie on every master, and notices cross between them", async (t) => {
    const [a, b] = [await nodeOf(t, urlsOf(), "a"), await nodeOf(t, urlsOf().reverse(), "b")];
    const told: unknown[] = [];
    b.notices.hear({ told: (notice) => void told.push(notice), missed: () => undefined });
    for (let n = 0; n < 60; n++) assert.ok(await a.turns.take(`turn ${n}`));
    for (let n = 0; n < 12; n++) await a.notices.tell({ about: "module", path: `m${n}` });
    await until(() => told.length === 12);
    for (const url of urlsOf()) {
      const size = Number(await (await beside(t, url)).sendCommand(["DBSIZE"]));
      assert.ok(size > 5, `${size} keys on one master`);
    }
  });

  test("a master that is killed and comes back is used again", async (t) => {
    const node = await nodeOf(t, urlsOf(), "a");
    const server = masters[2]!;
    await server.kill();
    await until(async () => !(await canUseAll(node)));
    await server.start();
    await until(async () => node.isUp && (await canUseAll(node)));
  });

  async function canUseAll(node: Coordination): Promise<boolean> {
    const tries = Array.from({ length: 20 }, (_, n) => node.absences.find(`key ${n}`));
    const settled = await Promise.allSettled(tries);
    for (const one of settled)
      if (one.status === "rejected") assert.ok(one.reason instanceof CoordinationDown, String(one.reason));
    return settled.every(({ status }) => status === "fulfilled");
  }
});

suite("redis away and back", { skip }, () => {
  test("openRedis resolves while nobody is there, and is up when somebody is", async (t) => {
    const server = await startRedis(t);
    await server.kill();
    const states: string[] = [];
    const node = await nodeOf(t, [server.url], "a", {
      onState: (state, reason) => void states.push(`${state}: ${reason}`),
    });
    assert.equal(node.isUp, false);
    await assert.rejects(node.turns.take("x"), CoordinationDown);
    await server.start();
    await until(() => node.isUp);
    assert.ok(await node.turns.take("x"));
    assert.equal(states.length, 2, states.join("; "));
    assert.match(states[0]!, /^down: .*ECONNREFUSED/);
    assert.match(states[1]!, /^up: /);
  });

  test(`killed and started again, ${kills} times: nodes are back without a restart, and nothing else is thrown`, async (t) => {
    const server = await startRedis(t);
    const nodes = [await nodeOf(t, [server.url], "a"), await nodeOf(t, [server.url], "b")];
    const busy = new AbortController();
    const work = nodes.map((node) => keepBusy(node, busy.signal));
    for (let n = 0; n < kills; n++) {
      await server.kill();
      await passed(20 * n);
      await server.start();
      await until(() => nodes.every(({ isUp }) => isUp));
    }
    busy.abort();
    for (const { answered, others } of await Promise.all(work)) {
      assert.deepEqual(others, []);
      assert.ok(answered > 10, String(answered));
    }
    await until(async () => (await nodes[0]!.turns.take("afterwards")) !== undefined);
  });

  test("paused: the first calls fail within their time, the next ones at once, and all is well when it goes on", async (t) => {
    const server = await startRedis(t);
    const states: string[] = [];
    const node = await nodeOf(t, [server.url], "a", { onState: (state) => void states.push(state) });
    server.pause();
    const first = await Promise.all(Array.from({ length: 20 }, () => timed(assert.rejects(node.turns.take("x")))));
    for (const ms of first) assert.ok(ms > 80 && ms < 200, `${ms} ms`);
    const next = await timed(assert.rejects(node.absences.find("k"), CoordinationDown));
    assert.ok(next < 20, `${next} ms`);
    await until(() => states.at(-1) === "down");
    server.resume();
    await until(() => node.isUp);
    assert.deepEqual(states, ["up", "down", "up"]);
    // The first take was carried out after all; its turn was given back when that became known.
    await until(async () => (await node.turns.take("x")) !== undefined);
  });

  test("paused for longer than a connection is believed in: a new one is made", async (t) => {
    const server = await startRedis(t);
    const node = await nodeOf(t, [server.url], "a");
    await node.turns.take("x");
    const admin = await beside(t, server.url);
    const ids = async () =>
      [
        ...((await admin.sendCommand(["CLIENT", "LIST"])) as unknown as string).matchAll(/id=(\d+) .*name=granary:a/g),
      ].map(([, id]) => id);
    const before = await ids();
    assert.equal(before.length, 2);
    // No packets, and no end: the socket stays and says nothing. Redis keeps the connection, and we do not.
    await admin.sendCommand(["CLIENT", "PAUSE", "7000", "ALL"]).catch(() => undefined);
    await assert.rejects(node.absences.find("k"), CoordinationDown);
    await passed(2_900);
    await passed(2_900);
    await until(() => node.isUp);
    const after = await ids();
    assert.equal(after.length, 2);
    assert.ok(
      after.every((id) => !before.includes(id)),
      `${before.join()} ${after.join()}`,
    );
  });

  test("FLUSHALL in a loop while four nodes take turns: nothing but CoordinationDown is thrown", async (t) => {
    const server = await startRedis(t);
    const nodes = await Promise.all(
      ["a", "b", "c", "d"].map((name) => nodeOf(t, [server.url], name, { leaseMs: 1_000 })),
    );
    const admin = await beside(t, server.url);
    const busy = new AbortController();
    const work = nodes.map((node) => keepBusy(node, busy.signal));
    const end = performance.now() + 2_000;
    while (performance.now() < end) {
      await admin.sendCommand(["FLUSHALL"]);
      await admin.sendCommand(["SCRIPT", "FLUSH"]);
      await passed(5);
    }
    busy.abort();
    for (const { answered, others } of await Promise.all(work)) {
      assert.deepEqual(others, []);
      assert.ok(answered > 100, String(answered));
    }
  });

  test("connections that are cut on the server's side are made again, and listeners hear of it", async (t) => {
    const server = await startRedis(t);
    const node = await nodeOf(t, [server.url], "a");
    let missed = 0;
    node.notices.hear({ told: () => undefined, missed: () => missed++ });
    const admin = await beside(t, server.url);
    await admin.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"]);
    await until(() => missed === 1);
    await admin.sendCommand(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    await until(async () => node.isUp && (await node.nodes.list().catch(() => undefined)) !== undefined);
    assert.equal(missed, 1);
  });

  test("a Redis that is full or a replica counts as away, and is used again when it is neither", async (t) => {
    const server = await startRedis(t, { flags: ["--maxmemory-policy", "noeviction"] });
    const states: string[] = [];
    const node = await nodeOf(t, [server.url], "a", {
      onState: (state, reason) => void states.push(`${state} ${reason}`),
    });
    const admin = await beside(t, server.url);
    await admin.sendCommand(["CONFIG", "SET", "maxmemory", "1"]);
    await assert.rejects(node.turns.take("x"), CoordinationDown);
    await until(() => states.at(-1)!.startsWith("down OOM"));
    assert.equal(node.isUp, false);
    await admin.sendCommand(["CONFIG", "SET", "maxmemory", "0"]);
    await until(() => node.isUp);
    await admin.sendCommand(["REPLICAOF", "127.0.0.1", String(await freePort())]);
    await assert.rejects(node.turns.take("y"), CoordinationDown);
    await until(() => states.at(-1)!.startsWith("down"));
    await admin.sendCommand(["REPLICAOF", "NO", "ONE"]);
    await until(() => node.isUp);
    assert.ok(await node.turns.take("y"));
  });
});

suite("redis turns", { skip }, () => {
  test("a holder that is stopped beyond its lease finds its turn lost before it acts again", async (t) => {
    const server = await startRedis(t);
    const other = await nodeOf(t, [server.url], "b", { leaseMs: 1_000 });
    const holder = spawn(
      process.execPath,
      [new URL("../support/turn-holder.ts", import.meta.url).pathname, server.url, "x", "1000"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    atEnd(t, () => holder.kill("SIGKILL"));
    let said = "";
    holder.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    await until(() => said.includes("acted"));
    await passed(500);
    holder.kill("SIGSTOP");
    const waited = await timed(other.turns.ended("x", 3_000, never));
    assert.ok(waited < 1_500, `${waited} ms`);
    const turn = await other.turns.take("x");
    assert.ok(turn !== undefined);
    assert.ok(turn.fence > Number(/taken (\d+)/.exec(said)?.[1]));
    holder.kill("SIGCONT");
    await once(holder, "exit");
    const acts = [...said.matchAll(/acted (\d+)/g)].map(([, ms]) => Number(ms));
    assert.ok(acts.length > 5, said);
    assert.match(said, /lost after \d+\n$/);
    assert.ok(Math.max(...acts) < 900, `it acted after it had been stopped: ${said}`);
    // It gave back what was no longer its own: ours stays.
    assert.equal(turn.lost.aborted, false);
    assert.equal(await other.turns.take("x"), undefined);
  });

  test("a holder that is killed leaves its turn after its lease", async (t) => {
    const server = await startRedis(t);
    const other = await nodeOf(t, [server.url], "b", { leaseMs: 1_000 });
    const holder = spawn(
      process.execPath,
      [new URL("../support/turn-holder.ts", import.meta.url).pathname, server.url, "x", "1000"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const [first] = (await once(holder.stdout, "data")) as [Buffer];
    assert.match(first.toString(), /taken/);
    holder.kill("SIGKILL");
    await once(holder, "exit");
    assert.equal(await other.turns.take("x"), undefined);
    assert.ok((await timed(other.turns.ended("x", 3_000, never))) < 1_500);
    assert.ok(await other.turns.take("x"));
  });

  test("many who wait for one name ask Redis no more than one does", async (t) => {
    const server = await startRedis(t);
    const [a, b] = [await nodeOf(t, [server.url], "a"), await nodeOf(t, [server.url], "b")];
    await a.turns.take("x");
    const admin = await beside(t, server.url);
    await admin.sendCommand(["CONFIG", "RESETSTAT"]);
    await Promise.all(Array.from({ length: 500 }, () => b.turns.ended("x", 1_200, never)));
    const stats = (await admin.sendCommand(["INFO", "commandstats"])) as unknown as string;
    const asked = Number(/cmdstat_pttl:calls=(\d+)/.exec(stats)?.[1]);
    assert.ok(asked >= 2 && asked <= 5, `${asked} questions`);
  });

  test("a fence that somebody spoilt is none, and one that is ahead of the clock goes on", async (t) => {
    const server = await startRedis(t);
    const node = await nodeOf(t, [server.url], "a");
    const admin = await beside(t, server.url);
    const [, fence] = new Keys("granary").turn("x");
    for (const spoilt of ["", "abc", "-1", "1e300", "nan", "inf"]) {
      await admin.sendCommand(["SET", fence, spoilt]);
      const turn = await node.turns.take("x");
      assert.ok(turn !== undefined && Math.abs(turn.fence - Date.now()) < 60_000, `${spoilt}: ${turn?.fence}`);
      await turn.end();
    }
    const ahead = Date.now() + 3_600_000;
    await admin.sendCommand(["SET", fence, String(ahead)]);
    assert.equal((await node.turns.take("x"))?.fence, ahead + 1);
  });
});

suite("redis and what others put there", { skip }, () => {
  test("foreign values are no answers", async (t) => {
    const server = await startRedis(t);
    const node = await nodeOf(t, [server.url], "a");
    const admin = await beside(t, server.url);
    const keys = new Keys("granary");
    const texts = [
      "",
      "x",
      "null",
      "[]",
      "{}",
      '{"reason":1,"by":"x","sinceMs":0,"untilMs":9e15}',
      "x".repeat(1 << 20),
    ];
    for (const text of texts) {
      await admin.sendCommand(["SET", keys.absence("k"), text, "PX", "5000"]);
      assert.equal(await node.absences.find("k"), undefined, text.slice(0, 60));
    }
    await admin.sendCommand(["DEL", keys.absence("k")]);
    await admin.sendCommand(["RPUSH", keys.absence("k"), "list"]);
    assert.equal(await node.absences.find("k"), undefined);
    await admin.sendCommand(["ZADD", keys.nodes, "9e15", "ghost", "9e15", "list", "9e15", "text"]);
    await admin.sendCommand(["RPUSH", keys.node("list"), "x"]);
    await admin.sendCommand(["SET", keys.node("text"), "x"]);
    assert.deepEqual(await node.nodes.list(), []);
    await admin.sendCommand(["SET", keys.rate("c"), "x"]);
    await assert.rejects(node.rates.admit("c", { perSecond: 1, coolDownMs: 1_000 }), CoordinationDown);
    // One spoilt key is no reason to give up the others.
    assert.equal(node.isUp, true);
  });

  test("messages that are none are not heard, and the next one is", async (t) => {
    const server = await startRedis(t);
    const [a, b] = [await nodeOf(t, [server.url], "a"), await nodeOf(t, [server.url], "b")];
    const told: unknown[] = [];
    b.notices.hear({
      told: () => {
        throw new Error("a listener that fails");
      },
      missed: () => undefined,
    });
    b.notices.hear({ told: (notice) => void told.push(notice), missed: () => undefined });
    const admin = await beside(t, server.url);
    const texts = [
      "",
      "x",
      "[]",
      "null",
      '{"from":"z"}',
      '{"from":"z","about":"module"}',
      '{"about":"module","path":"x"}',
    ];
    texts.push('{"from":"z","about":"other","key":"x"}', '{"from":"z","about":"state","key":7}', "x".repeat(1 << 20));
    for (const text of texts) await admin.sendCommand(["PUBLISH", new Keys("granary").notices, text]);
    for (const text of ["", "x", "x".repeat(1 << 20)])
      await admin.sendCommand(["PUBLISH", new Keys("granary").ended, text]);
    await a.notices.tell({ about: "module", path: "x" });
    await until(() => told.length > 0);
    assert.deepEqual(told, [{ about: "module", path: "x" }]);
    await assert.rejects(a.notices.tell({ about: "object", key: "x".repeat(1 << 20) }), CoordinationDown);
  });

  test("every key but the fences ends by itself", async (t) => {
    const server = await startRedis(t);
    const node = await nodeOf(t, [server.url], "a");
    const admin = await beside(t, server.url);
    const nowMs = steadyClock.now();
    await node.turns.take("x");
    await node.absences.add("k", { reason: "r", by: "b", sinceMs: nowMs, untilMs: nowMs + 1e12 });
    for (let n = 0; n < 3; n++) await node.rates.admit(`c${n % 2}`, { perSecond: 1, coolDownMs: 5_000 });
    await node.nodes.report({ node: "a", version: "1", requests: 0, perSecond: 0, atMs: 0 });
    const names = (await admin.sendCommand(["KEYS", "*"])) as unknown as string[];
    assert.ok(names.length >= 7, names.join());
    for (const name of names) {
      assert.match(name, /^granary:/);
      const left = Number(await admin.sendCommand(["PTTL", name]));
      if (name.startsWith("granary:fence:")) assert.equal(left, -1);
      else assert.ok(left > 0 && left <= 86_400_000, `${name}: ${left}`);
    }
  });
});

suite("redis rates", { skip }, () => {
  test("in real time Redis decides what the limiter decides", async (t) => {
    const server = await startRedis(t);
    const admin = await beside(t, server.url);
    const rules = [1, 2, 3, 5].flatMap((perSecond) => [40, 150, 700].map((coolDownMs) => ({ perSecond, coolDownMs })));
    let decisions = 0;
    const end = performance.now() + 2_500;
    await Promise.all(
      rules.map(async (rule, n) => {
        const alone = new Limiter(rule);
        while (performance.now() < end) {
          const args = ["EVAL", admitRate.text, "1", `rate ${n}`, String(rule.perSecond), String(rule.coolDownMs)];
          const [left, nowMs] = (await admin.sendCommand(args)) as unknown as [number, number];
          assert.equal(left, alone.admit("c", nowMs));
          decisions++;
          await passed(Math.random() * 2 * rule.coolDownMs * (Math.random() < 0.3 ? 3 : 0.2));
        }
      }),
    );
    assert.ok(decisions > 100, String(decisions));
  });

  test("with a clock that jumps too", async (t) => {
    const server = await startRedis(t);
    const admin = await beside(t, server.url);
    const clock = 'redis.call("TIME")';
    assert.ok(admitRate.text.includes(clock));
    const text = admitRate.text.replace(clock, "{ARGV[3], ARGV[4]}");
    let run = 0;
    const jump = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 400 }) },
      fc.integer({ min: -3_000, max: 3_000 }),
    );
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 600, max: 2_000 }),
      fc.array(jump, { minLength: 1, maxLength: 40 }),
      async (perSecond, coolDownMs, jumps) => {
        const key = `run ${run++}`;
        const alone = new Limiter({ perSecond, coolDownMs });
        let nowMs = 1_760_000_000_000;
        const asked = jumps.map(async (ms) => {
          nowMs += ms;
          const expected = alone.admit("c", nowMs);
          const time = [String(Math.floor(nowMs / 1_000)), String((nowMs % 1_000) * 1_000 + 999)];
          const args = ["EVAL", text, "1", key, String(perSecond), String(coolDownMs), ...time];
          return { expected, found: (await admin.sendCommand(args)) as unknown as [number, number], nowMs };
        });
        for (const { expected, found } of await Promise.all(asked)) assert.equal(found[0], expected);
      },
    );
    await fc.assert(property, { numRuns: 150 });
  });
});

suite("redis credentials", { skip }, () => {
  const secret = "p@ss/wörd:%41";
  const asUrl = (server: RedisServer, user: string, password: string, rest = ""): string =>
    `redis://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${server.port}${rest}`;

  test("password, user and database come from the URL", async (t) => {
    const server = await startRedis(t, { flags: ["--requirepass", secret] });
    const node = await nodeOf(t, [asUrl(server, "", secret, "/3")], "a");
    assert.ok(await node.turns.take("x"));
    const admin = await beside(t, asUrl(server, "", secret, "/3"));
    assert.ok(Number(await admin.sendCommand(["DBSIZE"])) >= 2);
    await admin.sendCommand([
      "ACL",
      "SETUSER",
      "granary",
      "on",
      `>${secret}`,
      "~granary:*",
      "&granary:*",
      "+@all",
      "-@dangerous",
    ]);
    const other = await nodeOf(t, [asUrl(server, "granary", secret)], "b");
    for (const call of [() => other.turns.take("y"), () => other.nodes.list(), () => other.absences.find("k")])
      await call();
    assert.equal(other.isUp, true);
  });

  test("a wrong password is a reason that does not tell it, and a right one later is enough", async (t) => {
    const server = await startRedis(t, { flags: ["--requirepass", "right"] });
    const said: string[] = [];
    const onState = (state: string, reason: string): void => void said.push(`${state} ${reason}`);
    const node = await nodeOf(t, [asUrl(server, "someone", secret)], "a", { onState });
    const error: unknown = await node.turns.take("x").catch((caught: unknown) => caught);
    assert.ok(error instanceof CoordinationDown);
    await until(() => said.length > 0);
    assert.match(said[0]!, /^down WRONGPASS/);
    for (const text of [...said, error.message, String(error.stack), JSON.stringify(error)])
      for (const part of [secret, encodeURIComponent(secret), "someone"]) assert.ok(!text.includes(part), text);
    const admin = await beside(t, asUrl(server, "", "right"));
    await admin.sendCommand(["ACL", "SETUSER", "someone", "on", `>${secret}`, "~*", "&*", "+@all"]);
    await until(() => node.isUp);
  });

  test("rediss:// with an authority of one's own, and not without", async (t) => {
    const authority = makeAuthority(t);
    if (authority === undefined) return;
    const { cert, key } = authority.issue("redis", ["localhost"]);
    const folder = await serverFolder(t, "redis-tls");
    for (const [name, text] of Object.entries({ cert, key, ca: authority.ca }))
      await writeFile(join(folder, name), text);
    const port = await freePort();
    const files = [
      "--tls-cert-file",
      join(folder, "cert"),
      "--tls-key-file",
      join(folder, "key"),
      "--tls-ca-cert-file",
      join(folder, "ca"),
    ];
    await startRedis(t, { flags: ["--tls-port", String(port), "--tls-auth-clients", "no", ...files] });
    const url = `rediss://localhost:${port}`;
    const node = await nodeOf(t, [url], "a", { ca: authority.ca });
    assert.ok(await node.turns.take("x"));
    const reasons: string[] = [];
    const stranger = await nodeOf(t, [url], "b", { onState: (_state, reason) => void reasons.push(reason) });
    assert.equal(stranger.isUp, false);
    await until(() => reasons.some((reason) => /certificate|signed/.test(reason)));
  });
});

/** Uses everything until it is told to stop; what is thrown beside CoordinationDown is told. */
async function keepBusy(
  node: Coordination,
  stop: AbortSignal,
): Promise<{ readonly answered: number; readonly others: readonly unknown[] }> {
  let answered = 0;
  const others: unknown[] = [];
  const nowMs = steadyClock.now();
  const works = [
    async () => {
      const turn = await node.turns.take("one");
      if (turn === undefined) await node.turns.ended("one", 500, stop);
      else {
        await passed(1);
        await turn.end();
      }
    },
    () => node.absences.add("k", { reason: "r", by: "b", sinceMs: nowMs, untilMs: nowMs + 60_000 }),
    () => node.absences.find("k"),
    () => node.rates.admit("c", { perSecond: 100, coolDownMs: 100 }),
    () => node.notices.tell({ about: "module", path: "x" }),
    () => node.nodes.report({ node: "a", version: "1", requests: 0, perSecond: 0, atMs: 0 }),
    () => node.nodes.list(),
  ];
  for (let n = 0; !stop.aborted; n++) {
    try {
      await works[n % works.length]!();
      answered++;
    } catch (error) {
      if (!(error instanceof CoordinationDown)) others.push(error);
      await passed(1);
    }
  }
  return { answered, others };
}
