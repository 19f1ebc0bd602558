import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, rmdir, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "#adapters/system/clock.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { JsonlSink } from "./jsonl.ts";

const event = (file: string) => ({ name: "config.applied", file, reason: "" }) as const;

test("after a write that failed, perhaps in the middle of a line, the next event has a line of its own", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-events-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "state", "events.jsonl");
  const sink = new JsonlSink(file, systemClock);
  sink.emit(event("1"));
  await sink.flush();
  const whole = await readFile(file, "utf8");
  // The disk took half a line and then no more: what a full one does to an append.
  await truncate(file, whole.length - 10);
  const torn = await readFile(file);
  await rm(file);
  await mkdir(file);
  sink.emit(event("2"));
  await sink.flush();
  assert.equal(sink.dropped, 1);
  await rmdir(file);
  await writeFile(file, torn);
  sink.emit(event("3"));
  sink.emit(event("4"));
  await sink.flush();
  const [, ...lines] = (await readFile(file, "utf8")).trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { readonly file: string }).file),
    ["3", "4"],
  );
});
