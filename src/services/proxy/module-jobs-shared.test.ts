// Two nodes over one store: who fetches, who waits, and what each failure of the coordination costs.
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { MemoryStorage } from "#adapters/storage/memory.ts";
import { silentMeter } from "#services/events/ports.ts";
import type { TurnOutcome } from "#services/events/ports.ts";
import { isGranaryError } from "#services/errors/granary-error.ts";
import { HandClock, settle } from "../../../test/support/hand-clock.ts";
import { makeModule } from "../../../test/support/modules.ts";
import { PlayedHub } from "../../../test/support/played-hub.ts";
import { idOf, keysOf, openRoom, patient } from "../../../test/support/proxy-room.ts";
import type { Ask } from "./origin.ts";
import type { Room } from "../../../test/support/proxy-room.ts";

const module = makeModule({ path: "example.com/m", version: "v1.0.0" });
const id = idOf(module);
const endings = [".info", ".mod", ".zip"];
const waiters = 200;

type Node = Room & { readonly turnsSeen: TurnOutcome[] };

/** Nodes `a`, `b`, … over one storage, whose upstreams all serve `modules`. */
async function openNodes({ names = ["a", "b"], modules = [module] } = {}) {
  const time = new HandClock();
  const hub = new PlayedHub(time);
  const storage = new MemoryStorage();
  const nodes: Node[] = [];
  for (const name of names) {
    const turnsSeen: TurnOutcome[] = [];
    const meter = { ...silentMeter, turn: (outcome: TurnOutcome) => void turnsSeen.push(outcome) };
    const room = await openRoom({ recorded: modules, storage, coordination: hub.node(name), meter });
    for (const upstream of ["a", "b"]) room.client.serve(upstream, modules);
    nodes.push({ ...room, turnsSeen });
  }
  const [a, b] = nodes as [Node, Node];
  const asked = (ending: string): number =>
    nodes.reduce((sum, { client }) => sum + client.count("a", ending) + client.count("b", ending), 0);
  return { time, hub, storage, nodes, a, b, asked };
}

/** So many clients of a node want the zip; what each got: where it came from, or the code of the failure. */
async function herd({ jobs }: Room, count = waiters): Promise<Map<string, number>> {
  const outcomes = new Map<string, number>();
  const one = async (): Promise<void> => {
    const outcome = await jobs.fetchZip(id, patient()).then(
      ({ provenance }) => provenance.here as string,
      (error: unknown) => (isGranaryError(error) ? error.code : String(error)),
    );
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  };
  await Promise.all(Array.from({ length: count }, one));
  return outcomes;
}

/** Ends when somebody waits for a turn of another node. */
async function untilWaiting(hub: PlayedHub): Promise<void> {
  while (hub.waiting.length === 0) await settle();
}

test("two nodes, two hundred clients each: one request for each file", async () => {
  const { a, b, hub, asked } = await openNodes();
  const [first, second] = await Promise.all([herd(a), herd(b)]);
  for (const ending of endings) assert.equal(asked(ending), 1, ending);
  assert.deepEqual([...first.keys(), ...second.keys()].sort(), ["HIT", "MISS"]);
  assert.equal(
    [...first.values(), ...second.values()].reduce((sum, n) => sum + n),
    2 * waiters,
  );
  await settle();
  assert.deepEqual(hub.held, []);
  assert.ok([...a.turnsSeen, ...b.turnsSeen].includes("spared"));
});

test("who waits for another node holds no place at the gate", async () => {
  const { a, b, hub } = await openNodes();
  const held = Promise.withResolvers<undefined>();
  a.client.gate = held.promise;
  const first = herd(a, 1);
  while (hub.held.length === 0) await settle();
  const second = herd(b, 1);
  await untilWaiting(hub);
  assert.equal(a.gate.running, 1);
  assert.equal(b.gate.running, 0);
  held.resolve(undefined);
  await Promise.all([first, second]);
});

test("what is fetched ahead takes turns too", async () => {
  const { a, b, asked } = await openNodes();
  const ahead = { ...patient(), ahead: true };
  await Promise.all([a.jobs.fetchZip(id, ahead), b.jobs.fetchZip(id, ahead), herd(b)]);
  for (const ending of endings) assert.equal(asked(ending), 1, ending);
});

test("a client that waits for what another node fetches ahead makes that urgent there", async () => {
  for (const joins of [false, true]) {
    const { a, b, hub } = await openNodes();
    const held = Promise.withResolvers<undefined>();
    a.client.gate = held.promise;
    const urgency: (boolean | undefined)[] = [];
    const find = a.origin.find.bind(a.origin);
    let seen: Ask["urgency"];
    a.origin.find = (ask, signal, accept) => {
      seen = ask.urgency;
      return find(ask, signal, accept);
    };
    const first = a.jobs.fetchMod(id, { ...patient(), ahead: true });
    while (hub.held.length === 0 || seen === undefined) await settle();
    // A job for nobody waits in peace; who joins it is somebody.
    const second = b.jobs.fetchMod(id, { ...patient(), ahead: joins });
    await untilWaiting(hub);
    await settle();
    if (joins) {
      urgency.push(seen.isUrgent);
      void b.jobs.fetchMod(id, patient());
      await settle();
    } else urgency.push(false);
    urgency.push(seen.isUrgent);
    assert.deepEqual(urgency, [false, true], `joins: ${joins}`);
    held.resolve(undefined);
    await Promise.all([first, second]);
  }
});

test("the hub away from the start: each node fetches by itself, and both end with the same objects", async () => {
  const { a, b, hub, asked, storage } = await openNodes();
  hub.die();
  await Promise.all([herd(a), herd(b)]);
  for (const ending of endings) assert.ok(asked(ending) <= 2, ending);
  assert.equal((await keysOf(storage, "modules/example.com/")).filter((key) => key.endsWith(".zip")).length, 1);
  assert.ok(a.turnsSeen.every((outcome) => outcome === "alone"));
});

test("the hub dies while a node waits: that node goes on by itself at once", async () => {
  const { a, b, hub, asked } = await openNodes();
  const held = Promise.withResolvers<undefined>();
  a.client.gate = held.promise;
  const first = herd(a);
  while (hub.held.length === 0) await settle();
  const second = herd(b);
  await untilWaiting(hub);
  hub.die();
  assert.deepEqual(await second, new Map([["MISS", waiters]]));
  held.resolve(undefined);
  assert.equal([...(await first).values()][0], waiters);
  for (const ending of endings) assert.ok(asked(ending) <= 2, ending);
});

test("the holder's node dies: when its turn is over the other takes it; a late holder harms nothing", async () => {
  const { a, b, hub, asked } = await openNodes();
  const held = Promise.withResolvers<undefined>();
  a.client.gate = held.promise;
  const first = herd(a);
  while (hub.held.length === 0) await settle();
  const second = herd(b);
  await untilWaiting(hub);
  hub.expire("a");
  assert.deepEqual(await second, new Map([["MISS", waiters]]));
  assert.deepEqual(
    a.turnsSeen.filter((outcome) => outcome === "lost"),
    ["lost"],
  );
  held.resolve(undefined);
  // It lost its turn, not its job: what it brings is what is kept already.
  assert.equal([...(await first).values()][0], waiters);
  for (const ending of endings) assert.ok(asked(ending) <= 2, ending);
});

test("the holder's upstreams fail: the other node tries its own", async () => {
  const { a, b, hub } = await openNodes();
  const held = Promise.withResolvers<undefined>();
  a.client.gate = held.promise;
  for (const upstream of ["a", "b"]) a.client.play(upstream, ".info", { status: 500 });
  const first = herd(a);
  while (hub.held.length === 0) await settle();
  const second = herd(b);
  await untilWaiting(hub);
  held.resolve(undefined);
  assert.deepEqual(await first, new Map([["GRANARY_UPSTREAM_FAILED", waiters]]));
  assert.deepEqual(await second, new Map([["MISS", waiters]]));
});

test("an absence is asked for once: the other node takes the holder's word", async () => {
  const { a, b, hub } = await openNodes({ modules: [] });
  const held = Promise.withResolvers<undefined>();
  a.client.gate = held.promise;
  const first = herd(a);
  while (hub.held.length === 0) await settle();
  const second = herd(b);
  await untilWaiting(hub);
  held.resolve(undefined);
  assert.deepEqual(await first, new Map([["GRANARY_NOT_FOUND", waiters]]));
  assert.deepEqual(await second, new Map([["GRANARY_NOT_FOUND", waiters]]));
  assert.deepEqual(b.client.asked, []);
});

test("any jobs on any nodes in any order all end, with one request for each file", async () => {
  const modules = ["v1.0.0", "v1.1.0", "v1.2.0"].map((version) => makeModule({ path: "example.com/m", version }));
  const job = fc.record({ node: fc.nat(2), version: fc.nat(2), isZip: fc.boolean(), ahead: fc.boolean() });
  const property = fc.asyncProperty(fc.array(job, { minLength: 1, maxLength: 20 }), async (wanted) => {
    const { nodes, hub, asked } = await openNodes({ names: ["a", "b", "c"], modules });
    await Promise.all(
      wanted.map(async ({ node, version, isZip, ahead }) => {
        const { jobs } = nodes[node] ?? assert.fail();
        const what = idOf(modules[version] ?? module);
        const asking = { ...patient(), ahead };
        await (isZip ? jobs.fetchZip(what, asking) : jobs.fetchMod(what, asking));
      }),
    );
    await settle();
    assert.deepEqual(hub.held, []);
    for (const [n, { version }] of modules.entries()) {
      const mine = wanted.filter((each) => each.version === n);
      assert.equal(asked(`${version}.mod`), mine.length > 0 ? 1 : 0);
      assert.equal(asked(`${version}.zip`), mine.some(({ isZip }) => isZip) ? 1 : 0);
    }
  });
  await fc.assert(property, { numRuns: 30 });
});
