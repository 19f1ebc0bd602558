// What a test has set up is taken down in reverse: a server before its folder, and each even when another one fails.
import type { TestContext } from "node:test";

const stacks = new WeakMap<TestContext, (() => Promise<unknown>)[]>();

/** Runs `work` when the test has ended, before everything that was registered earlier. */
export function undo(t: TestContext, work: () => Promise<unknown>): void {
  const known = stacks.get(t);
  if (known !== undefined) {
    known.push(work);
    return;
  }
  const stack = [work];
  stacks.set(t, stack);
  t.after(async () => {
    const failures: unknown[] = [];
    for (const each of stack.reverse()) await each().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, "a test was not taken down");
  });
}
