// `validate.command` with a real go: refusals with their reason, doubt when the command breaks, and nothing kept of either.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { atEnd } from "../support/at-end.ts";
import { needsGo, newGoClient } from "../support/go.ts";
import { fixtureZip } from "../support/fixture-zip.ts";
import { goModOf, makeModule, readModuleFixtures } from "../support/modules.ts";
import { startWorld } from "../support/world.ts";
import type { World } from "../support/world.ts";

/** Refuses what has a file of this name, takes the rest, and breaks when it is told to. */
const command = `#!${process.execPath}
const { readFileSync, writeFileSync, existsSync } = require("node:fs");
const facts = JSON.parse(readFileSync(0, "utf8"));
const zip = readFileSync(facts.zip);
const folder = process.argv[2];
writeFileSync(folder + "/" + facts.module.replaceAll("/", "_") + ".json", JSON.stringify(facts));
if (existsSync(folder + "/broken")) throw new Error("the scanner is down");
if (zip.includes("AGPL.txt")) {
  console.log("licence AGPL-3.0 is not allowed here");
  process.exitCode = 1;
}
`;

const big = makeModule({
  path: "example.com/big",
  version: "v1.0.0",
  files: { "go.mod": "module example.com/big\n", "AGPL.txt": "…", "data.txt": randomBytes(9 << 20).toString("hex") },
});
const agpl = makeModule({
  path: "example.com/agpl",
  version: "v1.0.0",
  files: { "go.mod": "module example.com/agpl\n", "AGPL.txt": "…\n" },
});

async function scene(t: TestContext): Promise<{ readonly world: World; readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "granary-validate-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  const program = join(folder, "check");
  await writeFile(program, command);
  await chmod(program, 0o755);
  const config = join(folder, "granary.yaml");
  await writeFile(config, `prefetch: off\nvalidate:\n  command: [${program}, ${folder}]\n`);
  const world = await startWorld({ flags: [`--config=${config}`], modules: [...readModuleFixtures(), agpl, big] });
  atEnd(t, () => world.close());
  return { world, folder };
}

async function filesOf({ granary }: World, path: string): Promise<string[]> {
  return await readdir(join(granary.store, "modules", path, "@v")).catch(() => []);
}

test("what the command takes is built, what it refuses is 403 with its reason, and nothing of that is kept", async (t) => {
  const tool = await needsGo(t);
  if (tool === undefined) return;
  const { world, folder } = await scene(t);
  const go = await newGoClient(tool, { GOPROXY: world.granary.url, GOSUMDB: world.gosumdb });
  atEnd(t, () => go.remove());
  await go.ok(["mod", "download", "example.com/hello@v1.0.0"]);
  const facts = JSON.parse(await readFile(join(folder, "example.com_hello.json"), "utf8")) as Record<string, unknown>;
  assert.deepEqual([facts["module"], facts["version"], facts["verifiedBy"]], ["example.com/hello", "v1.0.0", "sumdb"]);
  const sum = await (await fetch(`${world.granary.url}/sum/example.com/hello/@v/v1.0.0`)).text();
  assert.ok(sum.includes(String(facts["h1"])) && sum.includes(String(facts["goModH1"])), sum);

  const refused = await go.run(["mod", "download", "example.com/agpl@v1.0.0"]);
  assert.notEqual(refused.code, 0);
  assert.match(refused.output, /403 Forbidden/);
  assert.match(refused.output, /GRANARY_VALIDATION_REFUSED: example\.com\/agpl@v1\.0\.0 is refused/);
  assert.match(refused.output, /licence AGPL-3\.0 is not allowed here/);
  for (const path of ["example.com/agpl", "example.com/big"]) {
    for (const ending of ["info", "mod", "zip"])
      assert.equal((await fetch(`${world.granary.url}/${path}/@v/v1.0.0.${ending}`)).status, 403);
    assert.deepEqual(await filesOf(world, path), []);
  }
  assert.deepEqual(await readdir(join(world.granary.store, "tmp")), [], "no part of it waits to be gone on with");
});

test("a command that breaks is doubt: 503, nothing kept, and the same version is served when it works again", async (t) => {
  const { world, folder } = await scene(t);
  await writeFile(join(folder, "broken"), "");
  const url = `${world.granary.url}/example.com/hello/@v/v1.0.0.mod`;
  const doubt = await fetch(url);
  const text = await doubt.text();
  assert.equal(doubt.status, 503, text);
  assert.match(text, /GRANARY_VALIDATION_FAILED/);
  assert.match(text, /exit code 1 without a reason/);
  assert.deepEqual(await filesOf(world, "example.com/hello"), []);
  await rm(join(folder, "broken"));
  assert.equal((await fetch(url)).status, 200);
});

test("an import asks the command as well: what it refuses is reported with its reason, the rest is kept", async (t) => {
  const { world, folder } = await scene(t);
  const tree = join(folder, "tree");
  const hello = readModuleFixtures().find(({ path, version }) => path === "example.com/hello" && version === "v1.0.0");
  assert.ok(hello);
  for (const module of [agpl, hello]) {
    const stem = join(tree, module.path, "@v", module.version);
    await mkdir(dirname(stem), { recursive: true });
    await writeFile(`${stem}.info`, `{"Version":"${module.version}","Time":"${module.time}"}`);
    await writeFile(`${stem}.mod`, goModOf(module));
    await writeFile(`${stem}.zip`, fixtureZip(module));
  }
  const program = join(import.meta.dirname, "../../bin/granary.ts");
  const from = {
    upstream: world.stub.url,
    sumdb: `${world.gosumdb.split(" ")[0]} ${world.stub.url}/sumdb/${world.database.name}`,
  };
  const flags = [
    `--config=${join(folder, "granary.yaml")}`,
    `--store=${join(folder, "store")}`,
    `--upstream=${from.upstream}`,
    `--sumdb=${from.sumdb}`,
  ];
  const child = spawn(process.execPath, [program, "store", "import", tree, ...flags, "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  assert.ok(stdout.startsWith("{"), stderr);
  const report = JSON.parse(stdout) as {
    imported: number;
    rejectedList: { what: string; code: string; reason: string }[];
  };
  const [refused] = report.rejectedList;
  assert.deepEqual([report.imported, report.rejectedList.length], [1, 1], stdout);
  assert.deepEqual([refused?.what, refused?.code], ["example.com/agpl@v1.0.0", "GRANARY_VALIDATION_REFUSED"]);
  assert.match(JSON.stringify(refused), /licence AGPL-3\.0 is not allowed here/);
  assert.deepEqual(await readdir(join(folder, "store/modules/example.com")), ["hello"]);
});
