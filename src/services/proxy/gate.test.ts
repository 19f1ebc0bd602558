import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { Gate, GateFull } from "./gate.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("never more than `limit` jobs run, every job runs, and the gate is empty afterwards", async () => {
  const jobs = fc.array(fc.record({ turns: fc.nat(3), fails: fc.boolean() }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), jobs, async (limit, plan) => {
      const gate = new Gate(limit, plan.length);
      let running = 0;
      let most = 0;
      let ended = 0;
      const passes = plan.map(({ turns, fails }) =>
        gate.pass(async () => {
          most = Math.max(most, ++running);
          for (let n = 0; n < turns; n++) await turn();
          running--;
          ended++;
          if (fails) throw new Error("as planned");
        }),
      );
      await Promise.allSettled(passes);
      assert.ok(most <= limit);
      assert.equal(ended, plan.length);
      assert.deepEqual([gate.running, gate.waiting], [0, 0]);
    }),
    { numRuns: 50 },
  );
});

test("a full line is said at once, and a place that becomes free is taken again", async () => {
  const gate = new Gate(1, 1);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const first = gate.pass(() => promise);
  const second = gate.pass(() => Promise.resolve("second"));
  assert.deepEqual([gate.running, gate.waiting], [1, 1]);
  await assert.rejects(
    gate.pass(() => Promise.resolve("third")),
    GateFull,
  );
  resolve(undefined);
  await first;
  assert.equal(await second, "second");
  assert.equal(await gate.pass(() => Promise.resolve("fourth")), "fourth");
});

test("those in line are served in the order they came", async () => {
  const gate = new Gate(1, 10);
  const order: number[] = [];
  await Promise.all(
    [1, 2, 3, 4].map((n) =>
      gate.pass(() => {
        order.push(n);
        return turn();
      }),
    ),
  );
  assert.deepEqual(order, [1, 2, 3, 4]);
});
