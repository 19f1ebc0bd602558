// Too much of everything: one client's rate, cold fetches beyond the limits, connections that never get to the point.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { makeModule } from "../support/modules.ts";
import { converse, parseAnswers } from "../support/raw-socket.ts";
import { startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

const list = "/example.com/hello/@v/list";

async function worldWith(t: TestContext, yaml: string, more: Parameters<typeof startWorld>[0] = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "granary-limits-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const config = join(folder, "granary.yaml");
  await writeFile(config, yaml);
  const world = await startWorld({ ...more, flags: [`--config=${config}`, ...(more.flags ?? [])] });
  atEnd(t, () => world.close());
  return world;
}

/** `paths` in one packet on one connection: no machine is too slow to send them within a second. */
async function burst({ granary }: World, paths: readonly string[]) {
  const texts = paths.map((path, at) => {
    const end = at === paths.length - 1 ? "Connection: close\r\n" : "";
    return `GET ${path} HTTP/1.1\r\nHost: a\r\n${end}\r\n`;
  });
  return parseAnswers(await converse(granary.url, texts.join("")));
}

const repeated = (path: string, times: number) => Array.from({ length: times }, () => path);

// ---- one client's rate ----

for (const [profile, onset] of [
  ["official", 6],
  ["gocenter", 11],
] as const)
  for (const workers of [0, 2])
    test(`${profile}, ${workers} workers: from request ${onset} of a second on 429 with Retry-After: 60`, async (t) => {
      const store = await mkdtemp(join(tmpdir(), "granary-limits-"));
      atEnd(t, () => rm(store, { recursive: true, force: true }));
      // What is kept a worker could answer by itself.
      const kept = "/example.com/hello/@v/v1.0.0.mod";
      const before = await startWorld({ store });
      assert.equal((await fetch(before.granary.url + kept)).status, 200);
      await before.close();
      const flags = [`--workers=${workers}`];
      const world = await worldWith(t, `limiter:\n  profile: ${profile}\n`, { flags, store });
      const first = await burst(world, repeated(kept, onset + 5));
      // New connections: workers take them in turn, and one client is one client all the same.
      const later = await Promise.all([1, 2, 3, 4].map(() => burst(world, repeated(kept, 2))));
      const answers = [first, ...later].flat();
      const refused = answers.filter(({ status }) => status === 429);
      assert.equal(first.filter(({ status }) => status === 200).length, onset - 1);
      assert.equal(refused.length, answers.length - (onset - 1));
      for (const { headers, body } of refused) {
        assert.match(headers.get("retry-after") ?? "", /^(60|5\d)$/);
        assert.match(body, /^GRANARY_RATE_LIMITED/);
        assert.ok(body.trimEnd().split("\n").length <= 8 && body.length <= 648, body);
        assert.equal(headers.get("cache-control"), "no-store");
      }
      assert.equal(refused[0]?.headers.get("retry-after"), "60");
      for (const path of ["/-/livez", "/-/readyz", "/-/metrics"])
        assert.equal((await fetch(world.granary.url + path)).status, 200, path);
      const metrics = await (await fetch(`${world.granary.url}/-/metrics`)).text();
      assert.match(metrics, new RegExp(`outcome="GRANARY_RATE_LIMITED"[^}]*} ${refused.length}\\b`));
    });

test("none, the default: a thousand at once are all answered", async (t) => {
  const world = await worldWith(t, "limiter:\n  profile: none\n");
  const answers = await burst(world, repeated(list, 1_000));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
});

test("custom: after the pause the client is answered again, and ready-made answers count as all others", async (t) => {
  const world = await worldWith(t, "limiter:\n  profile: custom\n  perSecond: 3\n  coolDown: 1s\n");
  assert.equal((await burst(world, repeated(list, 4))).at(-1)?.status, 429);
  for (;;) {
    const [answer] = await burst(world, [list]);
    if (answer?.status === 200) break;
    assert.equal(answer?.headers.get("retry-after"), "1");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const answers = await burst(world, repeated(list, 20));
  assert.ok(answers.filter(({ status }) => status === 200).length <= 3);
  assert.equal(answers.at(-1)?.status, 429);
  assert.equal(world.stub.requests(list), 1);
});

test("a changed file puts a limiter in force, and takes it away with its pauses", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-limits-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const config = join(folder, "granary.yaml");
  await writeFile(config, "log:\n  level: info\n");
  const world = await startWorld({ flags: [`--config=${config}`, "--workers=1"] });
  atEnd(t, () => world.close());
  const last = async () => (await burst(world, repeated(list, 10))).at(-1)?.status;
  assert.equal(await last(), 200);
  await writeFile(config, "limiter:\n  profile: official\n");
  while ((await last()) !== 429) await new Promise((resolve) => setTimeout(resolve, 200));
  await writeFile(config, "limiter:\n  profile: none\n");
  while ((await last()) !== 200) await new Promise((resolve) => setTimeout(resolve, 200));
});

// ---- cold and warm ----

for (const workers of [0, 1])
  test(`all places taken by cold fetches (${workers} workers): what is kept is answered, what is too much hears so at once`, async (t) => {
    const modules = ["kept", "running", "waiting", "over"].map((name) =>
      makeModule({ path: `example.com/${name}`, version: "v1.0.0" }),
    );
    const yaml = "limits:\n  ingests: 1\n  waiting: 1\nfreshness:\n  list: 1h\n";
    const world = await worldWith(t, yaml, { modules, flags: [`--workers=${workers}`] });
    const { granary, stub } = world;
    const base = (name: string) => `${granary.url}/example.com/${name}/@v/`;
    const kept = ["v1.0.0.info", "v1.0.0.mod", "v1.0.0.zip", "list"].map((file) => base("kept") + file);
    for (const url of kept) assert.equal((await fetch(url)).status, 200);
    stub.fault(/\/(running|waiting|over)\//, { kind: "stall" });
    const gone = new AbortController();
    const cold: string[] = [];
    const ask = (name: string) =>
      fetch(`${base(name)}v1.0.0.info`, { signal: gone.signal })
        .then(({ status }) => cold.push(`${name} ${status}`))
        .catch(() => undefined);
    void ask("running");
    while (stub.requests("/example.com/running/@v/v1.0.0.info") === 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    void ask("waiting");
    // The last place in line is taken when a third version hears that there is none. A third that came first holds
    // the place until it hangs up, and the second was refused: it asks again.
    for (let n = 0; ; n++) {
      if (cold.splice(0).length > 0) void ask("waiting");
      const over = await fetch(`${base("over")}v1.0.${n}.info`, { signal: AbortSignal.timeout(1_000) }).catch(
        () => undefined,
      );
      if (over === undefined) continue;
      assert.equal(over.status, 503);
      assert.match(over.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
      assert.match(await over.text(), /^GRANARY_OVERLOADED/);
      break;
    }
    for (const url of [...kept, ...kept]) {
      const answer = await fetch(url);
      assert.equal(answer.status, 200, url);
      await answer.arrayBuffer();
    }
    assert.deepEqual(cold, [], "the cold ones were still waiting while all that was answered");
    gone.abort();
  });

// ---- slow connections (N11) ----

const long = process.env["LONG"] === "1";
const slow = long
  ? { connections: 5_000, forMs: 120_000, headersTimeout: "5s" }
  : { connections: 500, forMs: 0, headersTimeout: "1s" };

test(
  `${slow.connections} connections that drip their headers are closed, again and again for ${slow.forMs / 1000} s, while every warm request is answered`,
  { timeout: slow.forMs + 60_000 },
  async (t) => {
    const yaml = `limits:\n  headersTimeout: ${slow.headersTimeout}\n  connectionsPerIp: 10000\n`;
    const world = await worldWith(t, yaml);
    const warm = async () => await (await fetch(world.granary.url + list)).text();
    const want = await warm();
    const until = Date.now() + slow.forMs;
    const now = { open: 0, closed: 0, isOver: false };
    const drip = async (): Promise<void> => {
      do {
        now.open++;
        await dripUntilClosed(world.granary.url);
        now.open--;
        now.closed++;
      } while (Date.now() < until);
    };
    const all = Promise.all(Array.from({ length: slow.connections }, drip));
    void all.then(() => (now.isOver = true));
    let answered = 0;
    let beside = 0;
    while (!now.isOver) {
      assert.equal(await warm(), want);
      answered++;
      beside = Math.max(beside, now.open);
    }
    await all;
    t.diagnostic(`${now.closed} connections closed, at most ${beside} at once, ${answered} warm requests answered`);
    assert.ok(now.closed >= slow.connections);
    assert.ok(answered > 0 && beside > slow.connections / 2, `${answered} answered beside ${beside}`);
  },
);

/** A header that never ends, some bytes a second. Resolves when the server has closed the connection. */
function dripUntilClosed(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket: Socket = connect({ host: hostname, port: Number(port) });
    socket.write(`GET ${list} HTTP/1.1\r\nHost: a\r\nX-Slow: `);
    const timer = setInterval(() => socket.write("a"), 400);
    socket.on("error", () => undefined).resume();
    socket.once("close", () => {
      clearInterval(timer);
      resolve();
    });
  });
}
