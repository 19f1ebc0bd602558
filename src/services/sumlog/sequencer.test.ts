import assert from "node:assert/strict";
import { test } from "node:test";
import type { Turns } from "#services/cluster/ports.ts";
import { CoordinationDown } from "#services/cluster/ports.ts";
import { sequencer } from "./sequencer.ts";

const signal = new AbortController().signal;
const lost = signal;

/** Turns of one process, and a clock that moves while somebody waits. */
class PlayedTurns implements Turns {
  nowMs = 0;
  readonly asked: string[] = [];
  isTaken = false;
  isDown = false;
  ended(_: string, maxMs: number): Promise<void> {
    this.nowMs += Math.min(maxMs, 120);
    return Promise.resolve();
  }
  take(name: string) {
    this.asked.push(name);
    if (this.isDown) return Promise.reject(new CoordinationDown("no answer"));
    if (this.isTaken) return Promise.resolve(undefined);
    this.isTaken = true;
    const end = () => Promise.resolve(void (this.isTaken = false));
    return Promise.resolve({ fence: 1, lost, end });
  }
}

const over = (turns: PlayedTurns | undefined) =>
  sequencer("log.example", { turns: () => turns, clock: { now: () => turns?.nowMs ?? 0 }, signal });

test("work is done in the log's turn, which is given back, also when the work fails", async () => {
  const turns = new PlayedTurns();
  const inTurn = over(turns);
  assert.equal(await inTurn(() => Promise.resolve(turns.isTaken)), true);
  assert.equal(turns.isTaken, false);
  await assert.rejects(
    inTurn(() => Promise.reject(new Error("broken"))),
    /broken/,
  );
  assert.equal(turns.isTaken, false);
  assert.deepEqual(turns.asked, ["sumlog log.example", "sumlog log.example"]);
});

test("another's turn is waited for 300 ms, then the work is done all the same, and the turn is left to the other", async () => {
  const turns = new PlayedTurns();
  turns.isTaken = true;
  assert.equal(await over(turns)(() => Promise.resolve("done")), "done");
  assert.equal(turns.nowMs, 300);
  assert.equal(turns.isTaken, true);
});

test("without anybody to ask, or while nobody answers, the work is done at once", async () => {
  assert.equal(await over(undefined)(() => Promise.resolve("done")), "done");
  const turns = new PlayedTurns();
  turns.isDown = true;
  assert.equal(await over(turns)(() => Promise.resolve("done")), "done");
  assert.equal(turns.nowMs, 0);
});
