// `granary lab` and `granary run` as people start them, with real go commands.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { columnsOf } from "#doors/cli/text.ts";
import type { FallbackCell, ChainRun } from "#services/lab/fallback-lab.ts";
import type { ModuleModeRun } from "#services/lab/module-mode-lab.ts";
import { atEnd } from "../support/at-end.ts";
import { capture, needsGo } from "../support/go.ts";

const program = [process.execPath, "bin/granary.ts"] as const;

async function granary(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const [node, script] = program;
  return await capture(node, [script, ...args], {
    cwd: process.cwd(),
    env: { ...process.env, LANG: "C.UTF-8", ...env },
    timeoutMs: 240_000,
  });
}

test("lab fallback: the machine's go does what docs/fallback-table.md says", async (t) => {
  if ((await needsGo(t)) === undefined) return;
  const before = await leftovers();
  const { code, stdout } = await granary(["lab", "fallback", "--json"]);
  assert.equal(code, 0);
  const { cells } = JSON.parse(stdout) as { cells: FallbackCell[] };
  const of = (separator: string): Record<string, string> =>
    Object.fromEntries(cells.filter((cell) => cell.separator === separator).map((cell) => [cell.answer, cell.outcome]));
  const [comma, pipe] = [of(","), of("|")];
  for (const [answer, outcome] of Object.entries(comma))
    assert.equal(
      outcome,
      answer === "404" || answer === "410" ? "next" : answer === "silent" ? "waits" : "stop",
      answer,
    );
  for (const [answer, outcome] of Object.entries(pipe))
    // With garbage for every file the second proxy's .info is followed by the first one's garbage.
    assert.equal(outcome, ["html", "empty"].includes(answer) ? "stop" : answer === "silent" ? "waits" : "next", answer);
  assert.deepEqual(await leftovers(), before, "nothing is left in the temporary folder");
});

test("lab fallback --chain: direct is asked last, and nothing leaves this machine", async (t) => {
  if ((await needsGo(t)) === undefined) return;
  const { stdout } = await granary(["lab", "fallback", "--chain", "a,b|direct", "--responses", "404,reset", "--json"]);
  const { run } = JSON.parse(stdout) as { run: ChainRun };
  assert.deepEqual(
    run.requests.map(({ proxy, method, outcome }) => [proxy, method, outcome]),
    [
      ["a", "GET", "404"],
      ["b", "GET", "reset"],
      ["direct", "CONNECT", "502"],
    ],
  );
  assert.equal(run.code, 1);
});

test("lab go111module: off asks nobody, everything else is the same", async (t) => {
  if ((await needsGo(t)) === undefined) return;
  const { stdout } = await granary(["lab", "go111module", "--json"]);
  const { runs } = JSON.parse(stdout) as { runs: ModuleModeRun[] };
  const inside = runs.filter(({ place }) => place === "module");
  for (const { mode, code, requests, lookups } of inside)
    assert.deepEqual(
      [mode, code, requests.length > 0, lookups > 0],
      mode === "off" ? ["off", 1, false, false] : [mode, 0, true, true],
    );
  assert.ok(runs.every(({ direct }) => !direct));
});

test("without go, lab says so and ends with 3", async () => {
  const { code, stderr } = await granary(["lab", "fallback"], { PATH: "/nonexistent" });
  assert.equal(code, 3);
  assert.match(stderr, /GRANARY_CANNOT_RUN/);
});

test("what lab and explain-error print stays within 80 columns, in both languages", async (t) => {
  if ((await needsGo(t)) === undefined) return;
  for (const lang of ["en", "zh-CN"])
    for (const args of [
      ["lab", "fallback", "--chain", "a|b", "--responses", "502,200"],
      ["lab", "go111module"],
      ["explain-error", "test/fixtures/error-lines.txt"],
    ]) {
      const { stdout } = await granary([...args, "--lang", lang]);
      // A word is never broken: URLs stay whole.
      const long = stdout.split("\n").filter((line) => columnsOf(line.replace(/\S*:\/\/\S*/g, "")) > 80);
      assert.deepEqual(long, [], `${args.join(" ")} ${lang}`);
    }
});

test("run repeats a download until the proxy is there, and logs each attempt", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "granary-run-"));
  atEnd(t, () => rm(folder, { recursive: true }));
  const log = join(folder, "attempts.jsonl");
  const marker = join(folder, "second");
  const line = "go: a.example/m@v1.0.0: reading https://u:secret@p.example/m/@v/v1.0.0.info: 502 Bad Gateway";
  const script = `test -e ${marker} && exit 0; touch ${marker}; echo '${line}' >&2; exit 1`;
  const { code, stderr } = await granary(["run", "--wait", "10ms", "--log", log, "--", "sh", "-c", script]);
  assert.equal(code, 0);
  assert.match(stderr, /502 Bad Gateway/);
  const attempts = (await readFile(log, "utf8")).trim().split("\n");
  assert.deepEqual(
    attempts.map((each) => {
      const { schema, attempt, end, verdict } = JSON.parse(each) as Record<string, unknown>;
      return [schema, attempt, end, (verdict as { code?: string } | undefined)?.code];
    }),
    [
      ["granary.attempt/1", 1, { kind: "exit", code: 1 }, "GO_ERR_GATEWAY"],
      ["granary.attempt/1", 2, { kind: "exit", code: 0 }, undefined],
    ],
  );
  assert.doesNotMatch(attempts.join(""), /secret/);
});

test("run never repeats what cannot pass", async () => {
  const line = "go: a.example/m@v1.0.0: verifying module: checksum mismatch";
  const { code, stdout, stderr } = await granary(["run", "--wait", "10ms", "--", "sh", "-c", `echo '${line}'; exit 5`]);
  assert.deepEqual([code, stdout], [5, `${line}\n`]);
  assert.match(stderr, /GO_SUM_MISMATCH/);
});

async function leftovers(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith("granary-lab-"));
}
