// Live: three hundred real records of the public database through the machine's own GOPROXY, then nobody to ask. Skipped
// loudly where that cannot be reached, or lists no versions.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { sumdbName } from "#protocol/official.ts";
import { atEnd } from "../support/at-end.ts";
import { machineGo, machineSetting, newGoClient, skipLoudly } from "../support/go.ts";
import type { GoClient, GoTool } from "../support/go.ts";
import { runGranary, startGranary } from "../support/granary.ts";

const ranges = [
  "golang.org/x/text@:v0.31.0",
  "golang.org/x/sys@:v0.38.0",
  "golang.org/x/net@:v0.47.0",
  "golang.org/x/crypto@:v0.45.0",
];
const goMods = ["github.com/spf13/cobra v1.8.0", "helm.sh/helm/v3 v3.16.0"];
const wantedRecords = 300;

/** A program that needs real modules, built without a go.sum: every hash has to come from the database. */
async function build(tool: GoTool, env: Readonly<Record<string, string>>): Promise<void> {
  const go: GoClient = await newGoClient(tool, env);
  try {
    const cwd = join(go.home, "work/app");
    await mkdir(cwd, { recursive: true });
    await writeFile(join(cwd, "go.mod"), `module work.example/app\n\ngo 1.21\n\nrequire ${goMods[0] ?? ""}\n`);
    await writeFile(
      join(cwd, "main.go"),
      `package main\n\nimport "github.com/spf13/cobra"\n\nfunc main() { _ = (&cobra.Command{Use: "x"}).Execute() }\n`,
    );
    await go.ok(["build", "-mod=mod", "./..."], { cwd });
    await go.ok(["mod", "verify"], { cwd });
  } finally {
    await go.remove();
  }
}

test("300 real records preloaded, the upstream cut: a plain go builds, by the public database and by the own one", async (t) => {
  const tool = await machineGo();
  if (tool === undefined) {
    skipLoudly(t, "no `go` on PATH");
    return;
  }
  const [upstream = ""] = (await machineSetting("GOPROXY")).split(/[,|]/);
  const folder = await mkdtemp(join(tmpdir(), "granary-real-database-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const store = join(folder, "store");
  const from: string[] = [];
  for (const [at, require] of goMods.entries()) {
    const file = join(folder, `${at}.mod`);
    await writeFile(file, `module work.example/app\n\ngo 1.21\n\nrequire ${require}\n`);
    from.push("--from", file);
  }
  const named = ranges.flatMap((range) => ["--range", range]);
  const args = [...from, ...named, `--store=${store}`, `--upstream=${upstream}`, `--sumdb=${sumdbName}`, "--json"];
  const filled = await runGranary(["sumdb", "preload", ...args], {}, { live: true });
  const report = (filled.code <= 1 ? JSON.parse(filled.stdout) : {}) as Partial<{
    fetched: number;
    failures: { reason: string }[];
    unreadable: string[];
  }>;
  if ((report.fetched ?? 0) === 0 || report.unreadable?.some((what) => what.endsWith("/@v/list")) === true) {
    skipLoudly(
      t,
      `the machine's GOPROXY has no database or no lists: ${(filled.stdout + filled.stderr).slice(0, 300)}`,
    );
    return;
  }
  assert.deepEqual([report.failures, report.unreadable], [[], []]);
  assert.ok((report.fetched ?? 0) >= wantedRecords, String(report.fetched));

  const filling = await startGranary({ upstream, sumdb: sumdbName, store, live: true });
  await build(tool, { GOPROXY: filling.url, GOSUMDB: sumdbName }).finally(() => filling.stop());

  const keyFile = join(folder, "sumlog.key");
  const made = await runGranary(["sumdb", "keygen", "--name=sum.corp.test", `--out=${keyFile}`, "--json"]);
  const { verifierKey = "" } = JSON.parse(made.stdout) as { verifierKey?: string };
  const cut = await startGranary({ upstream: "off", sumdb: sumdbName, store, flags: [`--sumlog-key=${keyFile}`] });
  atEnd(t, () => cut.stop());
  await t.test("by the public database, with an empty cache", () =>
    build(tool, { GOPROXY: cut.url, GOSUMDB: sumdbName }),
  );
  await t.test("by the own database", () => build(tool, { GOPROXY: cut.url, GOSUMDB: verifierKey }));
  await t.test("every record is there, and proves itself", async () => {
    const kept = await runGranary([
      "sumgopher",
      "--once",
      `--store=${store}`,
      "--upstream=off",
      `--sumdb=${sumdbName}`,
      "--json",
    ]);
    const round = JSON.parse(kept.stdout) as { kept: number; fetched: number; failures: unknown[] };
    assert.deepEqual([round.fetched, round.failures], [0, []]);
    assert.ok(round.kept >= wantedRecords, String(round.kept));
  });
});
