// A Granary whose every checksum database is dead, and somebody's integrity list: what a real go can do then, and what
// it cannot. go itself never hears of the list: it needs a complete go.sum, or a database.
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import type { GoClient } from "../support/go.ts";
import { integrityWorld } from "../support/integrity-world.ts";

type Files = { readonly goMod: string; readonly goSum: string };

async function lay(go: GoClient, { goMod, goSum }: Files): Promise<string> {
  const cwd = join(go.home, "work/app");
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, "go.mod"), goMod);
  if (goSum !== "") await writeFile(join(cwd, "go.sum"), goSum);
  await writeFile(join(cwd, "main.go"), `package main\n\nimport _ "example.com/hello"\n\nfunc main() {}\n`);
  return cwd;
}

test("with a complete go.sum a plain go builds on the list's word; without one it is refused", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const world = await integrityWorld(t);
  const gosumdb = world.database.verifierKey;

  // Somebody writes go.sum where there is a database; the publisher keeps what the build needs.
  const first = await newGoClient(tool, { GOPROXY: world.publisher.url, GOSUMDB: gosumdb });
  atEnd(t, () => first.remove());
  const cwd = await lay(first, { goMod: "module work.example/app\n\ngo 1.19\n", goSum: "" });
  await first.ok(["mod", "tidy"], { cwd });
  await first.ok(["build", "./..."], { cwd });
  const files = {
    goMod: await readFile(join(cwd, "go.mod"), "utf8"),
    goSum: await readFile(join(cwd, "go.sum"), "utf8"),
  };

  const reader = await world.startReader();
  await t.test("an empty cache and the whole go.sum", async () => {
    const go = await newGoClient(tool, { GOPROXY: reader.url, GOSUMDB: gosumdb });
    try {
      const at = await lay(go, files);
      await go.ok(["build", "./..."], { cwd: at });
      await go.ok(["mod", "verify"], { cwd: at });
    } finally {
      await go.remove();
    }
    const status = (await (await fetch(`${reader.url}/-/api/status`)).json()) as { integrity: { owed: number } };
    assert.ok(status.integrity.owed >= 2, JSON.stringify(status.integrity));
  });
  await t.test("an empty cache without go.sum: go asks a database, and there is none", async () => {
    const go = await newGoClient(tool, { GOPROXY: reader.url, GOSUMDB: gosumdb });
    try {
      const at = await lay(go, { ...files, goSum: "" });
      const build = await go.run(["build", "-mod=mod", "./..."], { cwd: at });
      assert.notEqual(build.code, 0);
      assert.match(build.stdout + build.stderr, /GRANARY_SUMDB_UNREACHABLE|GRANARY_NOT_KEPT/);
    } finally {
      await go.remove();
    }
  });
});
