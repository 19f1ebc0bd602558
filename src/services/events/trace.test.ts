import assert from "node:assert/strict";
import { test } from "node:test";
import type { GranaryEvent, Traced } from "./ports.ts";
import { currentTrace, traced, withTrace } from "./trace.ts";

const opened: GranaryEvent = { name: "upstream.opened", upstream: "a", reason: "refused" };

test("what a request starts tells its id, also after the request is over; what nobody asked for tells none", async () => {
  const told: (GranaryEvent & Traced)[] = [];
  const sink = withTrace({ emit: (event) => void told.push(event) });
  const later = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    sink.emit(opened);
  };
  const jobs: Promise<void>[] = [];
  const [first, second] = [1, 2].map(() =>
    traced(() => {
      jobs.push(later());
      return currentTrace();
    }),
  );
  await Promise.all(jobs);
  sink.emit(opened);
  assert.match(first ?? "", /^[0-9a-f]{8}$/);
  assert.notEqual(first, second);
  assert.deepEqual(
    told.map(({ trace }) => trace),
    [first, second, undefined],
  );
  assert.equal("trace" in (told[2] ?? {}), false);
});
