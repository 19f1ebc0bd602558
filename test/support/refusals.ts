// What a client sees of a disk's bad moment: a refusal that says so, and an end of it.
import assert from "node:assert/strict";
import { setTimeout as passed } from "node:timers/promises";
import type { Answer } from "./inside-server.ts";

/** A whole answer tells what happened. One under way has no status left to tell it by: it ends without a clean end. */
export function checkRefusal(answer: Answer | undefined, where: string, code: RegExp = /^GRANARY_STORE_\w+: /): void {
  if (answer === undefined) return;
  const text = answer.body.toString();
  assert.ok(answer.status === 503 || answer.status === 507, `${where}: ${answer.status} ${text}`);
  assert.match(text, code, where);
}

/** Asks until it is 200, for as long as `withinMs`: the door to ingests opens when the disk takes a small write again. */
export async function askedAgain(
  ask: () => Promise<Answer | undefined>,
  withinMs: number,
): Promise<Answer | undefined> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer?.status === 200 || performance.now() > deadline) return answer;
    await passed(20);
  }
}
