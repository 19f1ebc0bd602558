import assert from "node:assert/strict";
import { test } from "node:test";
import { makeRunGo } from "./go-run.ts";

const never = new AbortController().signal;
/** Any program will do: it is the bounds that are looked at. */
const runNode = makeRunGo(process.execPath);
const options = { env: { PATH: process.env["PATH"] }, cwd: "/", timeoutMs: 60_000, signal: never };

test("what it said and its code come back, and nothing of our own environment reaches it", async () => {
  const code = `console.log(Object.keys(process.env).join()); console.error("e"); process.exitCode = 3`;
  const heard: string[] = [];
  const end = await runNode(["-e", code], { ...options, onStderr: (text) => heard.push(text) });
  assert.deepEqual({ ...end, ms: 0 }, { kind: "ended", code: 3, stdout: "PATH\n", stderr: "e\n", ms: 0 });
  assert.equal(heard.join(""), "e\n");
});

test("no such program is an answer", async () => {
  const end = await makeRunGo("/nowhere/go")(["version"], options);
  assert.equal(end.kind, "missing");
});

for (const [because, code, more] of [
  ["timeout", "console.log('begun'); setTimeout(() => 0, 600000)", { timeoutMs: 3_000 }],
  ["output", "for (;;) process.stdout.write('x'.repeat(9999))", { maxOutputBytes: 100_000 }],
  ["aborted", "setTimeout(() => 0, 600000)", { signal: AbortSignal.abort() }],
] as const)
  test(`it is stopped: ${because}`, async () => {
    const end = await runNode(["-e", code], { ...options, ...more });
    assert.deepEqual(end.kind === "stopped" && end.because, because);
    if (because === "timeout") assert.equal(end.stdout, "begun\n");
  });

test("what it started ends with it, though it holds the outputs open", async () => {
  const child = `require("child_process").spawn(process.execPath, ["-e", "setTimeout(() => 0, 600000)"], { stdio: "inherit" })`;
  const code = `${child}; process.exit(0)`;
  // Were it alive, the outputs would stay open until the time is over.
  const end = await runNode(["-e", code], options);
  assert.equal(end.kind, "ended");
});
