import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { AttemptBounds } from "#services/analysers/run-ports.ts";
import { watchCommand } from "./watched-command.ts";

/** Longer than any of these commands takes on a loaded machine. */
const patient: AttemptBounds = { timeoutMs: 60_000, stallMs: undefined };

function watch(script: string) {
  const stop = new AbortController();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const argv = ["/bin/sh", "-c", script];
  const command = watchCommand({ argv, env: process.env, stdout, stderr, stop: stop.signal });
  return { command, stop, stdout, stderr };
}

test("output goes through as it is, its end is kept, the code is the command's", async () => {
  const { command, stdout, stderr } = watch("echo out; echo err >&2; exit 3");
  const { end, tail } = await command.run(patient);
  assert.deepEqual(end, { kind: "exit", code: 3 });
  assert.deepEqual([String(stdout.read()), String(stderr.read())], ["out\n", "err\n"]);
  assert.deepEqual(tail.split("\n").sort(), ["", "err", "out"]);
});

test("a signal of its own is told as one", async () => {
  assert.deepEqual((await watch("kill -9 $$").command.run(patient)).end, { kind: "signal", signal: "SIGKILL" });
});

test("what we are told it is told, and its own code counts", async () => {
  const { command, stop, stdout } = watch('trap "exit 7" INT; echo ready; while :; do sleep 0.05; done');
  stdout.once("data", () => stop.abort("SIGINT"));
  assert.deepEqual((await command.run(patient)).end, { kind: "stopped", signal: "SIGINT", code: 7 });
});

test("silence and time have bounds, and nothing of the group stays", async () => {
  // Were the sleeper left, it would hold the output open, and the run would not be over for ten minutes.
  const { command } = watch("sleep 600 & echo here; wait");
  const { end } = await command.run({ ...patient, stallMs: 1_000 });
  assert.deepEqual(end, { kind: "stalled" });
  assert.deepEqual((await watch("sleep 600").command.run({ ...patient, timeoutMs: 200 })).end, { kind: "timeout" });
});

test("what a child leaves behind does not hold it up", async () => {
  const { end } = await watch("sleep 600 & exit 0").command.run(patient);
  assert.deepEqual(end, { kind: "exit", code: 0 });
});

test("a program that is not there cannot be run", async () => {
  const { stop } = watch("");
  const argv = ["/nonexistent/program"];
  const io = { stdout: new PassThrough(), stderr: new PassThrough(), env: {}, stop: stop.signal };
  await assert.rejects(watchCommand({ argv, ...io }).run(patient), { code: "GRANARY_CANNOT_RUN" });
});
