// What a test has to put away: the last one taken is the first one put away, and one that cannot be does not leave the
// others lying about. The runner's own `t.after` keeps the order of registration and stops at the first failure: a
// folder would go while a server still writes into it, and the server would then run for ever.
import type { TestContext } from "node:test";

type Work = () => unknown;

const works = new WeakMap<object, Work[]>();

/** Calls `work` when `t` has ended, after everything that is registered later. A failure fails the test. */
export function atEnd(t: Pick<TestContext, "after">, work: Work): void {
  const known = works.get(t);
  if (known !== undefined) {
    known.push(work);
    return;
  }
  const mine = [work];
  works.set(t, mine);
  t.after(() => putAway(mine));
}

async function putAway(mine: Work[]): Promise<void> {
  const failures: unknown[] = [];
  for (let work = mine.pop(); work !== undefined; work = mine.pop()) {
    try {
      await work();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, "a test could not put everything away");
}
