// The model of go's environment against real go commands: environments drawn from a seed, fake proxies that record. What
// the model predicts (every request in order, and how it ends) is what is seen. LONG=1: 200 environments with each of
// five go versions; otherwise a few with the machine's go and an old one. ENV_SEED=n: from this seed on.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Ending } from "#services/environment/predict.ts";
import { atEnd } from "../support/at-end.ts";
import { drawCase, expectedRequests, inComparableOrder, predictCase, testModule } from "../support/env-cases.ts";
import type { EnvCase } from "../support/env-cases.ts";
import { EnvWorld, hopNames } from "../support/env-world.ts";
import { machineGo, newGoClient, skipLoudly } from "../support/go.ts";
import type { GoClient, GoTool } from "../support/go.ts";
import { obtainGo, wantedGoVersions } from "../support/toolchains.ts";

const isLong = process.env["LONG"] === "1";
const each = isLong ? 200 : 15;
const firstSeed = Number(process.env["ENV_SEED"] ?? (isLong ? 1 : (Date.now() % 1_000_000) + 1));

const machine = (await machineGo())?.version;
const versions = isLong ? [...new Set([...wantedGoVersions, machine ?? "1.26.8"])] : [machine, wantedGoVersions[0]];

for (const version of versions)
  test(`go ${version ?? ""} asks what the model says, in ${each} environments`, async (t) => {
    const tool = version === undefined ? "no `go` on PATH" : await obtainGo(version);
    if (typeof tool === "string") {
      skipLoudly(t, tool);
      return;
    }
    const world = await EnvWorld.start([testModule]);
    atEnd(t, () => world.close());
    const differences: object[] = [];
    let requests = 0;
    for (let seed = firstSeed; seed < firstSeed + each; seed++) {
      const drawn = drawCase(seed, world);
      const { count, difference } = await compare(drawn, world, tool);
      requests += count;
      if (difference !== undefined) differences.push({ seed, drawn, ...difference });
    }
    t.diagnostic(`go ${tool.version}: ${each} environments from ENV_SEED=${firstSeed}, ${requests} requests`);
    // Environments in which nobody is asked anything would prove little.
    assert.ok(requests >= each / 5, String(requests));
    assert.deepEqual(differences, [], JSON.stringify(differences.slice(0, 3), undefined, 1));
  });

type Compared = { readonly count: number; readonly difference: object | undefined };

async function compare(drawn: EnvCase, world: EnvWorld, tool: GoTool): Promise<Compared> {
  const prediction = predictCase(drawn, world, tool.version);
  const expected = inComparableOrder(expectedRequests(prediction, world), drawn.command);
  const { asked: seen, ending, output } = await seeReal(drawn, world, tool);
  const asked = inComparableOrder(seen, drawn.command);
  if (JSON.stringify(asked) === JSON.stringify(expected) && ending === prediction.ending)
    return { count: asked.length, difference: undefined };
  const difference = { expected, asked, endings: [prediction.ending, ending], output: output.slice(0, 600) };
  return { count: asked.length, difference };
}

type Seen = { readonly asked: readonly string[]; readonly ending: Ending; readonly output: string };

async function seeReal(drawn: EnvCase, world: EnvWorld, tool: GoTool): Promise<Seen> {
  world.calm();
  for (const name of hopNames) {
    world.meet(name, testModule, drawn.attitudes[name]);
    world.relay(name, drawn.relays[name]);
  }
  const client = await newGoClient(tool, {});
  try {
    const cwd = join(client.home, "project");
    await mkdir(cwd);
    if (drawn.command === "get") await writeFile(join(cwd, "go.mod"), "module test.example/project\n\ngo 1.19\n");
    const env = await environmentOf(drawn, client, world);
    const { code, output } = await client.run(argsOf(drawn), { env, cwd });
    return { asked: world.take().map(wordsOf).filter(isCompared), ending: endingOf(code, output), output };
  } finally {
    await client.remove();
  }
}

function argsOf({ command }: EnvCase): string[] {
  switch (command) {
    case "download":
      return ["mod", "download", `${testModule}@v1.0.0`];
    case "get":
      return ["get", `${testModule}@v1.0.0`];
    case "versions":
      return ["list", "-m", "-versions", testModule];
    case "latest":
      return ["list", "-m", `${testModule}@latest`];
  }
}

async function environmentOf(drawn: EnvCase, client: GoClient, world: EnvWorld): Promise<Record<string, string>> {
  const file = join(client.home, "env");
  await mkdir(client.home, { recursive: true });
  if (drawn.file !== undefined) await writeFile(file, drawn.file);
  const names = ["GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOFLAGS", "GO111MODULE"];
  return {
    // What the case does not set in the process is empty there, which counts as unset.
    ...Object.fromEntries(names.map((name) => [name, ""])),
    ...drawn.process,
    GOENV: drawn.file === undefined ? "off" : file,
    HTTPS_PROXY: world.outside,
    HTTP_PROXY: world.outside,
    NO_PROXY: "",
  };
}

function wordsOf({ to, path }: { to: string; path: string }): string {
  return `${to} ${path}`;
}

/** Tiles follow a lookup; which ones is the database's business. */
function isCompared(request: string): boolean {
  return !/\/sumdb\/[^ ]+\/(?:tile\/|latest)/.test(request);
}

/** What the user is told: that nobody has it, or something else. */
function endingOf(code: number, output: string): Ending {
  if (code === 0) return "found";
  const absent =
    /404 Not Found|410 Gone|unrecognized import path|module lookup disabled by GOPROXY=off|disabled by GOPRIVATE/;
  return absent.test(output) ? "not-found" : "error";
}
