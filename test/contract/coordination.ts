// What every coordination promises. Run it for each adapter: coordinationContract("local", openOne).
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { CoordinationDown } from "#services/cluster/ports.ts";
import type { Coordination, NodeReport, Notice, SharedAbsence, Turn } from "#services/cluster/ports.ts";
import { Limiter } from "#services/access/limiter.ts";
import { steadyClock } from "#adapters/system/clock.ts";
import { atEnd } from "../support/at-end.ts";

/** What nodes share; empty at first. */
export type Shared = {
  readonly node: (name: string, leaseMs: number) => Promise<Coordination>;
  /** Forgets everything that is shared. */
  readonly wipe: () => Promise<void>;
  /** Out of reach, and back; what was shared may be gone then. */
  readonly away: () => Promise<void>;
  readonly back: () => Promise<void>;
  /** True when notices that were told meanwhile are lost. */
  readonly losesNotices: boolean;
};

type Options = { readonly skip?: string | false };

/** The shortest lease that a setting allows; tests that only hold a turn take a longer one. */
const shortMs = 1_000;
const longMs = 10_000;
const never = new AbortController().signal;

/** Registers the whole suite for one adapter. */
export function coordinationContract(
  name: string,
  open: (t: TestContext) => Promise<Shared>,
  { skip = false }: Options = {},
): void {
  suite(`coordination contract: ${name}`, { skip }, () => {
    const check = (title: string, body: (world: World) => Promise<void>): void => {
      void test(title, async (t) => {
        const shared = await open(t);
        await body({
          ...shared,
          async node(node, leaseMs = longMs) {
            const made = await shared.node(node, leaseMs);
            atEnd(t, () => made.close());
            await until(() => made.isUp);
            return made;
          },
        });
      });
    };
    for (const [title, body] of [...turnCases, ...sharedCases, ...noticeCases, ...awayCases]) check(title, body);
  });
}

type World = Omit<Shared, "node"> & { readonly node: (name: string, leaseMs?: number) => Promise<Coordination> };
type Case = readonly [title: string, body: (world: World) => Promise<void>];

const turnCases: readonly Case[] = [
  [
    "of many who take a turn one has it",
    async ({ node }) => {
      const nodes = await Promise.all([node("a"), node("b"), node("c")]);
      const taken = await Promise.all(nodes.flatMap(({ turns }) => Array.from({ length: 8 }, () => turns.take("zip"))));
      assert.equal(taken.filter((turn) => turn !== undefined).length, 1);
    },
  ],
  [
    "turns of other names are others",
    async ({ node }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      for (const name of ["x", "y", "x:y", "粮 仓", "{x}", "n".repeat(2_000), `${"n".repeat(2_000)}2`, ""]) {
        assert.ok(await a.turns.take(name), name);
        assert.equal(await b.turns.take(name), undefined, name);
      }
    },
  ],
  [
    "a turn that was given back is free at once",
    async ({ node }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      await (await a.turns.take("x"))?.end();
      assert.ok(await b.turns.take("x"));
    },
  ],
  [
    "fences grow over nodes, ends and wipes",
    async ({ node, wipe }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      const fences: number[] = [];
      for (let n = 0; n < 12; n++) {
        const turn = await (n % 2 === 0 ? a : b).turns.take("x");
        assert.ok(turn !== undefined && Number.isSafeInteger(turn.fence));
        fences.push(turn.fence);
        await turn.end();
        if (n === 6) {
          await passed(5);
          await wipe();
        }
      }
      assert.deepEqual(
        fences,
        [...new Set(fences)].sort((x, y) => x - y),
      );
    },
  ],
  [
    "end() is done once, and takes nothing from who has it next",
    async ({ node }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      const first = await taken(a, "x");
      await Promise.all([first.end(), first.end()]);
      const second = await taken(b, "x");
      await first.end();
      assert.equal(await a.turns.take("x"), undefined);
      assert.equal(second.lost.aborted, false);
    },
  ],
  [
    "end() of a turn that ran out takes nothing from who has it now",
    async ({ node, wipe }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      const first = await taken(a, "x");
      await wipe();
      await taken(b, "x");
      await first.end();
      assert.equal(await a.turns.take("x"), undefined);
    },
  ],
  [
    "a turn that is held is renewed beyond its lease",
    async ({ node }) => {
      const [a, b] = await Promise.all([node("a", shortMs), node("b", shortMs)]);
      const turn = await taken(a, "x");
      const end = performance.now() + 2.2 * shortMs;
      while (performance.now() < end) {
        assert.equal(await b.turns.take("x"), undefined);
        await passed(100);
      }
      assert.equal(turn.lost.aborted, false);
    },
  ],
  [
    "the turn of a node that is silent passes on after its lease",
    async ({ node, away, back }) => {
      const a = await node("a", shortMs);
      const turn = await taken(a, "x");
      await away();
      await passed(1.1 * shortMs);
      assert.equal(turn.lost.aborted, true);
      assert.ok(turn.lost.reason instanceof CoordinationDown);
      await back();
      const b = await node("b", shortMs);
      await until(async () => (await b.turns.take("x").catch(() => undefined)) !== undefined);
    },
  ],
  [
    "a turn that somebody wiped away is lost at the next renewal",
    async ({ node, wipe }) => {
      const a = await node("a", shortMs);
      const turn = await taken(a, "x");
      await wipe();
      await until(() => turn.lost.aborted);
    },
  ],
  [
    "a turn that was given back is never lost",
    async ({ node }) => {
      const turn = await taken(await node("a", shortMs), "x");
      const { lost } = turn;
      await turn.end();
      await passed(1.2 * shortMs);
      assert.deepEqual([lost.aborted, turn.lost.aborted], [false, false]);
    },
  ],
  [
    "who waits is woken by the end, on its own node and on others",
    async ({ node }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      const turn = await taken(a, "x");
      const waited = [a, b, b, b].map(({ turns }) => timed(turns.ended("x", 5_000, never)));
      await passed(100);
      const since = performance.now();
      await turn.end();
      await Promise.all(waited);
      assert.ok(performance.now() - since < 300, `${performance.now() - since} ms`);
    },
  ],
  [
    "who waits for a turn that nobody has does not wait long",
    async ({ node }) => assert.ok((await timed((await node("a")).turns.ended("x", 5_000, never))) < 300),
  ],
  [
    "who waits goes on after the time it named",
    async ({ node }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      await taken(a, "x");
      const ms = await timed(b.turns.ended("x", 300, never));
      assert.ok(ms > 250 && ms < 600, `${ms} ms`);
      assert.ok((await timed(b.turns.ended("x", 0, never))) < 50);
    },
  ],
  [
    "who waits goes on when its signal aborts, and the others wait on",
    async ({ node }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      const turn = await taken(a, "x");
      const stop = new AbortController();
      const stopped = timed(b.turns.ended("x", 5_000, stop.signal));
      const other = timed(b.turns.ended("x", 5_000, never));
      await passed(50);
      stop.abort();
      assert.ok((await stopped) < 300);
      await passed(300);
      await turn.end();
      assert.ok((await other) > 300);
      await b.turns.ended("x", 5_000, AbortSignal.abort());
    },
  ],
  [
    "who waits goes on when the lease runs out",
    async ({ node, wipe }) => {
      const [a, b] = await Promise.all([node("a", shortMs), node("b")]);
      await taken(a, "x");
      const waited = b.turns.ended("x", 5_000, never);
      await passed(100);
      await wipe();
      const ms = await timed(waited);
      assert.ok(ms < 1_500, `${ms} ms`);
    },
  ],
  [
    "many take turns, each alone",
    async ({ node }) => {
      const nodes = await Promise.all([node("a"), node("b"), node("c")]);
      let inside = 0;
      let done = 0;
      const work = async ({ turns }: Coordination): Promise<void> => {
        for (let n = 0; n < 4;) {
          const turn = await turns.take("x");
          if (turn === undefined) {
            await turns.ended("x", 2_000, never);
            continue;
          }
          assert.equal(++inside, 1);
          await passed(2);
          inside--;
          done++;
          n++;
          await turn.end();
        }
      };
      await Promise.all(nodes.flatMap((one) => [work(one), work(one)]));
      assert.equal(done, 24);
    },
  ],
  [
    "a node that is closed gives its turns back and wakes who waits",
    async ({ node }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      await taken(a, "x");
      await taken(b, "y");
      const waited = timed(b.turns.ended("x", 5_000, never));
      const own = timed(a.turns.ended("y", 5_000, never));
      await passed(50);
      await a.close();
      assert.ok((await waited) < 1_000 && (await own) < 1_000);
      assert.ok(await b.turns.take("x"));
    },
  ],
];

const sharedCases: readonly Case[] = [
  [
    "an absence is found by every node, and by its key alone",
    async ({ node }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      await a.absences.add("list example.com/m", absence(5_000));
      const found = await b.absences.find("list example.com/m");
      assert.deepEqual([found?.reason, found?.by], ["not found", "proxy.example.com"]);
      assert.ok(Math.abs((found?.untilMs ?? 0) - steadyClock.now() - 5_000) < 500);
      assert.ok(Math.abs((found?.sinceMs ?? 0) - steadyClock.now()) < 500);
      assert.equal(await b.absences.find("list example.com/n"), undefined);
    },
  ],
  [
    "an absence ends by itself",
    async ({ node }) => {
      const a = await node("a");
      await a.absences.add("k", absence(150));
      assert.ok(await a.absences.find("k"));
      await passed(200);
      assert.equal(await a.absences.find("k"), undefined);
    },
  ],
  [
    "an absence that is over says nothing",
    async ({ node }) => {
      const a = await node("a");
      await a.absences.add("k", absence(-1));
      await a.absences.add("l", absence(0));
      assert.deepEqual([await a.absences.find("k"), await a.absences.find("l")], [undefined, undefined]);
    },
  ],
  [
    "a later absence takes the place of an earlier one",
    async ({ node }) => {
      const a = await node("a");
      await a.absences.add("k", absence(5_000));
      await a.absences.add("k", { ...absence(5_000), reason: "gone" });
      assert.equal((await a.absences.find("k"))?.reason, "gone");
    },
  ],
  [
    "what is forgotten is forgotten everywhere, and nothing else",
    async ({ node }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      const keys = Array.from({ length: 150 }, (_, n) => `k${n}`);
      await Promise.all(keys.map((key) => a.absences.add(key, absence(5_000))));
      await b.absences.forget([...keys.slice(1), "never there"]);
      await b.absences.forget([]);
      assert.ok(await a.absences.find("k0"));
      for (const key of ["k1", "k77", "k149"]) assert.equal(await a.absences.find(key), undefined, key);
    },
  ],
  [
    "absences of odd and long keys are kept apart",
    async ({ node }) => {
      const a = await node("a");
      const odd = ["", " ", "粮仓", "{a}", "a\nb", "x".repeat(5_000), `${"x".repeat(5_000)}y`];
      for (const [n, key] of odd.entries()) await a.absences.add(key, { ...absence(5_000), reason: String(n) });
      for (const [n, key] of odd.entries()) assert.equal((await a.absences.find(key))?.reason, String(n));
    },
  ],
  [
    "a rate is counted over all nodes",
    async ({ node }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      const rule = { perSecond: 6, coolDownMs: 2_000 };
      const left: number[] = [];
      for (let n = 0; n < 8; n++) left.push(await (n % 2 === 0 ? a : b).rates.admit("client", rule));
      assert.deepEqual(left.slice(0, 6), [0, 0, 0, 0, 0, 0]);
      assert.equal(left[6], 2_000);
      assert.ok(left[7]! > 1_500 && left[7]! <= 2_000, String(left[7]));
      assert.equal(await a.rates.admit("another", rule), 0);
    },
  ],
  [
    "a pause ends, is not prolonged by what comes during it, and leaves nothing behind",
    async ({ node }) => {
      const a = await node("a");
      const rule = { perSecond: 2, coolDownMs: 200 };
      for (let n = 0; n < 2; n++) assert.equal(await a.rates.admit("c", rule), 0);
      assert.equal(await a.rates.admit("c", rule), 200);
      await passed(120);
      const left = await a.rates.admit("c", rule);
      assert.ok(left > 0 && left <= 90, String(left));
      await passed(left + 10);
      // The pause forgot what passed before it, though it is less than a second ago.
      for (let n = 0; n < 2; n++) assert.equal(await a.rates.admit("c", rule), 0);
      assert.equal(await a.rates.admit("c", rule), 200);
    },
  ],
  [
    "a second after they passed, requests count no more",
    async ({ node }) => {
      const a = await node("a");
      const rule = { perSecond: 3, coolDownMs: 60_000 };
      for (let n = 0; n < 3; n++) assert.equal(await a.rates.admit("c", rule), 0);
      await passed(1_010);
      for (let n = 0; n < 3; n++) assert.equal(await a.rates.admit("c", rule), 0);
      assert.equal(await a.rates.admit("c", rule), 60_000);
    },
  ],
  [
    "a rule that became stricter holds for what passed before",
    async ({ node }) => {
      const a = await node("a");
      for (let n = 0; n < 5; n++) assert.equal(await a.rates.admit("c", { perSecond: 9, coolDownMs: 500 }), 0);
      assert.equal(await a.rates.admit("c", { perSecond: 2, coolDownMs: 500 }), 500);
    },
  ],
  [
    "a burst from all sides lets through what the rule allows",
    async ({ node }) => {
      const nodes = await Promise.all([node("a"), node("b"), node("c")]);
      const rule = { perSecond: 10, coolDownMs: 5_000 };
      const left = await Promise.all(
        nodes.flatMap(({ rates }) => Array.from({ length: 20 }, () => rates.admit("c", rule))),
      );
      const alone = new Limiter(rule);
      const expected = left.filter(() => alone.admit("c", 1_000_000) === 0).length;
      assert.equal(left.filter((ms) => ms === 0).length, expected);
    },
  ],
  [
    "nodes are listed by what they said last",
    async ({ node }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      assert.deepEqual(await a.nodes.list(), []);
      await a.nodes.report(report("a", 1));
      await b.nodes.report(report("b", 2));
      await a.nodes.report(report("a", 3));
      assert.deepEqual(await b.nodes.list(), [report("a", 3), report("b", 2)]);
    },
  ],
  [
    "a node with an odd name is listed too",
    async ({ node }) => {
      const a = await node("a");
      for (const name of ["z", "host.example.com", "粮仓", "{nodes}"]) await a.nodes.report(report(name, 1));
      assert.deepEqual(
        (await a.nodes.list()).map(({ node: name }) => name).sort(),
        ["host.example.com", "z", "{nodes}", "粮仓"].sort(),
      );
    },
  ],
];

const noticeCases: readonly Case[] = [
  [
    "a notice reaches every other node once, whole, in order, and not its sender",
    async ({ node }) => {
      const nodes = await Promise.all([node("a"), node("b"), node("c")]);
      const heard = nodes.map(listen);
      const notices: Notice[] = [
        { about: "module", path: "example.com/粮仓" },
        { about: "object", key: "modules/example.com/m/@v/v1.0.0.zip" },
        { about: "state", key: "state/tokens.json" },
      ];
      for (const notice of notices) await nodes[0].notices.tell(notice);
      await until(() => heard[1]!.told.length >= 3 && heard[2]!.told.length >= 3);
      await passed(50);
      assert.deepEqual(
        heard.map(({ told }) => told),
        [[], notices, notices],
      );
    },
  ],
  [
    "two nodes of one name hear one another",
    async ({ node }) => {
      const [one, two] = await Promise.all([node("same"), node("same")]);
      const heard = listen(two);
      await one.notices.tell({ about: "module", path: "x" });
      await until(() => heard.told.length === 1);
    },
  ],
  [
    "who stopped hearing hears nothing; others on its node do",
    async ({ node }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      const [first, second] = [listen(b), listen(b)];
      first.stop();
      first.stop();
      await a.notices.tell({ about: "state", key: "k" });
      await until(() => second.told.length === 1);
      assert.equal(first.told.length, 0);
    },
  ],
];

const awayCases: readonly Case[] = [
  [
    "while it is away every call fails soon, with CoordinationDown and nothing else",
    async ({ node, away, back }) => {
      const a = await node("a");
      assert.equal(a.isUp, true);
      const turn = await taken(a, "x");
      await away();
      await Promise.all(calls(a).map((call) => assert.rejects(call(), CoordinationDown)));
      assert.equal(a.isUp, false);
      for (const call of calls(a)) {
        const since = performance.now();
        await assert.rejects(call(), CoordinationDown);
        assert.ok(performance.now() - since < 50);
      }
      await a.turns.ended("x", 5_000, never);
      await turn.end();
      await back();
    },
  ],
  [
    "when it is back all goes on, and nodes hear that they may have missed something",
    async ({ node, away, back, losesNotices }) => {
      const [a, b] = await Promise.all([node("a"), node("b")]);
      const heard = listen(b);
      await away();
      await assert.rejects(a.absences.find("k"), CoordinationDown);
      await back();
      await until(() => a.isUp && b.isUp && (heard.missed > 0 || !losesNotices));
      for (const call of calls(a)) await call();
      await until(async () => {
        await a.notices.tell({ about: "module", path: "x" });
        return heard.told.length > 0;
      });
    },
  ],
  [
    "a turn outlives an absence that is shorter than its lease",
    async ({ node, away, back }) => {
      const a = await node("a", longMs);
      const turn = await taken(a, "x");
      await away();
      await passed(100);
      await back();
      assert.equal(turn.lost.aborted, false);
    },
  ],
  [
    "a turn that was given back while it was away is free soon after",
    async ({ node, away, back }) => {
      const [a, b] = await Promise.all([node("a", 60_000), node("b")]);
      const turn = await taken(a, "x");
      await away();
      await turn.end();
      await back();
      await until(async () => (await b.turns.take("x").catch(() => undefined)) !== undefined);
    },
  ],
  [
    "what is wiped away is as if it had never been",
    async ({ node, wipe }) => {
      const a = await node("a");
      await a.absences.add("k", absence(5_000));
      await a.nodes.report(report("a", 1));
      await a.rates.admit("c", { perSecond: 1, coolDownMs: 5_000 });
      await wipe();
      assert.equal(await a.absences.find("k"), undefined);
      assert.deepEqual(await a.nodes.list(), []);
      assert.equal(await a.rates.admit("c", { perSecond: 1, coolDownMs: 5_000 }), 0);
    },
  ],
  [
    "a closed node fails, and can be closed again",
    async ({ node }) => {
      const a = await node("a");
      await a.close();
      await a.close();
      await a.turns.ended("x", 5_000, never);
    },
  ],
];

function calls({ turns, absences, rates, notices, nodes }: Coordination): readonly (() => Promise<unknown>)[] {
  return [
    () => turns.take("other"),
    () => absences.find("k"),
    () => absences.add("k", absence(1_000)),
    () => absences.forget(["k", "l"]),
    () => rates.admit("c", { perSecond: 5, coolDownMs: 1_000 }),
    () => notices.tell({ about: "module", path: "x" }),
    () => nodes.report(report("a", 1)),
    () => nodes.list(),
  ];
}

async function taken({ turns }: Coordination, name: string): Promise<Turn> {
  const turn = await turns.take(name);
  assert.ok(turn !== undefined, `the turn ${name} is another's`);
  return turn;
}

function absence(ms: number): SharedAbsence {
  const sinceMs = steadyClock.now();
  return { reason: "not found", by: "proxy.example.com", sinceMs, untilMs: sinceMs + ms };
}

function report(node: string, requests: number): NodeReport {
  return { node, version: "1.2.3", requests, perSecond: 0.5, atMs: 1_760_000_000_000 };
}

function listen({ notices }: Coordination) {
  const told: Notice[] = [];
  const heard = { told, missed: 0, stop: (): void => undefined };
  heard.stop = notices.hear({ told: (notice) => void told.push(notice), missed: () => heard.missed++ });
  return heard;
}

/** How long it took. */
export async function timed(work: Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work;
  return performance.now() - since;
}

const patienceMs = 15_000;

/** Waits until it is so, for as long as a busy machine may need. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await isSo())) {
    assert.ok(performance.now() < end, "it did not come true");
    await passed(10);
  }
}
