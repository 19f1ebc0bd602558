import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ValidatorFault } from "#services/proxy/ports.ts";
import { atEnd } from "../../../test/support/at-end.ts";
import { CommandValidator } from "./validate-command.ts";

const facts = {
  module: "example.com/m",
  version: "v1.0.0",
  h1: "h1:zip",
  goModH1: "h1:mod",
  size: 12,
  upstream: "a",
  verifiedBy: "sumdb",
  zip: "/tmp/stage",
};

function validatorOf(
  argv: readonly string[],
  more: { readonly timeoutMs?: number; readonly variables?: readonly string[] } = {},
) {
  const { timeoutMs = 20_000, variables = [] } = more;
  const env = { PATH: process.env["PATH"], SECRET: "of ours", SHOWN: "on purpose" };
  return new CommandValidator({ argv: () => argv, timeoutMs: () => timeoutMs, variables: () => variables, env });
}

/** A command that is a line of JavaScript. */
const script = (code: string): string[] => [process.execPath, "-e", code];
const never = new AbortController().signal;

test("it is told the facts as JSON, and exit 0 takes", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-validate-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "facts.json");
  const code = `require("fs").writeFileSync(${JSON.stringify(file)}, require("fs").readFileSync(0))`;
  assert.deepEqual(await validatorOf(script(code)).validate(facts, never), { verdict: "take" });
  assert.deepEqual(JSON.parse(await readFile(file, "utf8")), facts);
});

test("exit 1 with a reason refuses; one that reads nothing may do so too", async () => {
  const code = `console.log("licence AGPL-3.0\\nis not allowed"); process.exitCode = 1`;
  const found = await validatorOf(script(code)).validate(facts, never);
  assert.deepEqual(found, { verdict: "refuse", reason: "licence AGPL-3.0\nis not allowed" });
  const long = await validatorOf(script(`console.log("x".repeat(60000)); process.exitCode = 1`)).validate(facts, never);
  assert.equal(long.verdict === "refuse" && long.reason.length, 300);
});

for (const [what, argv, want] of [
  ["a crash", script(`throw new Error("broken")`), /exit code 1 without a reason/],
  [
    "another exit code",
    script(`console.log("no"); console.error("no licence file"); process.exitCode = 3`),
    /exit code 3: no licence file/,
  ],
  ["a signal", script(`process.kill(process.pid, "SIGTERM"); setTimeout(() => 0, 60000)`), /signal/],
  ["no such program", ["/nowhere/validate"], /cannot be started: .*ENOENT/],
  ["endless output", script(`for (;;) process.stdout.write("x".repeat(9999))`), /more than 65536 bytes/],
] as const)
  test(`${what} is no verdict`, async () => {
    await assert.rejects(
      validatorOf(argv).validate(facts, never),
      (error) => error instanceof ValidatorFault && want.test(error.message),
    );
  });

test("one that hangs is ended with all that it started, and so is one that nobody waits for", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-validate-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "pid");
  // The child holds the outputs open: only the end of the group ends them.
  const child = `require("fs").writeFileSync(${JSON.stringify(file)}, String(process.pid)); setInterval(() => 0, 1000)`;
  const start = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { stdio: "inherit" });`;
  const wait = "setInterval(() => 0, 1000)";
  await assert.rejects(
    validatorOf(script(start + wait), { timeoutMs: 3_000 }).validate(facts, never),
    /no verdict within 3000 ms/,
  );
  await gone(Number(await readFile(file, "utf8")));
  const done = `const f = require("fs"); const t = setInterval(() => f.existsSync(${JSON.stringify(file)}) && process.exit(0), 20)`;
  await writeFile(file, "");
  await rm(file);
  assert.deepEqual(await validatorOf(script(start + done)).validate(facts, never), { verdict: "take" });
  await gone(Number(await readFile(file, "utf8")));
  const stop = new AbortController();
  const waiting = validatorOf(script(wait)).validate(facts, stop.signal);
  stop.abort(new Error("the server stops"));
  await assert.rejects(waiting, /the server stops/);
});

/** Its end is told to whoever started it, which may be nobody: a moment may pass. */
async function gone(pid: number): Promise<void> {
  for (let n = 0; n < 500; n++) {
    const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    if (state === "" || state.includes(") Z ")) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`${pid} is still there`);
}

test("it sees the variables that it needs and those that are named, and no others", async () => {
  const code = `console.log(["SECRET", "SHOWN", "PATH"].filter((name) => name in process.env).join()); process.exitCode = 1`;
  const of = async (variables: readonly string[]) => {
    const found = await validatorOf(script(code), { variables }).validate(facts, never);
    return found.verdict === "refuse" ? found.reason : "";
  };
  assert.equal(await of([]), "PATH");
  assert.equal(await of(["SHOWN"]), "SHOWN,PATH");
});
