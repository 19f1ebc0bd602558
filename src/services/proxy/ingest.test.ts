import assert from "node:assert/strict";
import { test } from "node:test";
import { silentMeter } from "#services/events/ports.ts";
import { StandingClock } from "../../../test/support/proxy-room.ts";
import { inSteps, Wait } from "./ingest.ts";

function measured() {
  const clock = new StandingClock();
  const seen: string[] = [];
  const meter = { ...silentMeter, ingestStep: (step: string, ms: number) => void seen.push(`${step} ${ms}`) };
  return { clock, seen, use: { clock, meter } };
}

const boom = new Error("boom");
const fails = (): never => {
  throw boom;
};

test("each step is timed, also one that fails", async () => {
  const { clock, seen, use } = measured();
  const sequence = inSteps(use, async (step) => {
    await step("fetch", { run: () => clock.pass(20) });
    await step("verify", {
      run: () => {
        clock.pass(3);
        return fails();
      },
    });
  });
  await assert.rejects(sequence, boom);
  assert.deepEqual(seen, ["fetch 20", "verify 3"]);
});

test("when a step fails, the finished ones are undone, newest first, and told why; the failed one is not", async () => {
  const undone: unknown[] = [];
  const undo = (name: string) => (error: unknown) => Promise.resolve(void undone.push([name, error]));
  const sequence = inSteps(measured().use, async (step) => {
    await step("resolve", { run: () => 1, undo: undo("resolve") });
    await step("admit", { run: () => 2 });
    await step("fetch", { run: () => 3, undo: undo("fetch") });
    await step("keep", { run: fails, undo: undo("keep") });
  });
  await assert.rejects(sequence, boom);
  assert.deepEqual(undone, [
    ["fetch", boom],
    ["resolve", boom],
  ]);
});

test("a sequence that ends well undoes nothing and gives its result", async () => {
  const result = inSteps(measured().use, (step) => step("keep", { run: () => 7, undo: () => Promise.reject(boom) }));
  assert.equal(await result, 7);
});

test("an undo that fails hides neither the failure nor the other undos", async () => {
  let isUndone = false;
  const sequence = inSteps(measured().use, async (step) => {
    await step("resolve", { run: () => 1, undo: () => Promise.resolve(void (isUndone = true)) });
    await step("fetch", { run: () => 2, undo: () => Promise.reject(new Error("disk")) });
    await step("verify", { run: fails });
  });
  await assert.rejects(sequence, boom);
  assert.ok(isUndone);
});

test("the wait for an upstream is measured for each answer, without what came in between", () => {
  const { clock, seen, use } = measured();
  const wait = new Wait(use);
  clock.pass(50);
  wait.over();
  clock.pass(1_000);
  wait.again();
  clock.pass(70);
  wait.over();
  assert.deepEqual(seen, ["resolve 50", "resolve 70"]);
});
