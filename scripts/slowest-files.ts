// A reporter for node --test: in which files the time went.

import { basename } from "node:path";
import type { TestEvent } from "node:test/reporters";

/** Files that are worth a look when a suite has become slow. */
const shown = 8;

export default async function* slowestFiles(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const seconds = new Map<string, number>();
  for await (const event of events) {
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const { file = "", nesting, details } = event.data;
    if (nesting === 0) seconds.set(file, (seconds.get(file) ?? 0) + details.duration_ms / 1000);
  }
  const longest = [...seconds].sort(([, one], [, other]) => other - one).slice(0, shown);
  yield `slowest: ${longest.map(([file, sum]) => `${basename(file)} ${sum.toFixed(0)} s`).join(", ")}\n`;
}
