// W9: what a developer or a CI job waits for. A real `go mod download all` of a large project by clients with empty
// caches: directly, through an empty proxy, through a filled one, and with the upstream cut.
//
//   node bench/cold.ts [--rounds N] [--project PATH@VERSION]
//
// Needs `go` and a reachable GOPROXY. Everything but the fetches from that GOPROXY stays on loopback.
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sumdbName } from "#protocol/official.ts";
import { cleanUp, dropFolder, newFolder, runToEnd } from "./children.ts";
import { defaultProject, goCommand, listFiles, machineEnv, machineProxy, projectFolder } from "./corpus.ts";
import type { Corpus } from "./corpus.ts";
import { describeRun } from "./report.ts";
import { median } from "./rounds.ts";
import { startAthens, startGoproxy, startGranary } from "./servers.ts";
import type { Subject } from "./servers.ts";

type Build = {
  /** `GOPROXY` of the client. */
  readonly proxy: string;
  readonly database: string;
};

type Run = {
  readonly live: string;
  readonly project: string;
  readonly times: Map<string, number[]>;
  /** What one client fetched. */
  size: string;
};

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
}

try {
  await main();
} finally {
  await cleanUp();
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "1" }, project: { type: "string", default: defaultProject } },
  });
  const live = await machineProxy();
  const run: Run = { live, project: await projectFolder(values.project, live), times: new Map(), size: "" };
  for (let round = 0; round < Number(values.rounds); round++) {
    await timed(run, "direct", { proxy: live, database: sumdbName });
    await throughGranary(run);
    await throughPeer(run, "goproxy");
    await throughPeer(run, "Athens");
  }
  process.stdout.write(report(run, values));
}

function report(run: Run, values: { readonly project: string; readonly rounds: string }): string {
  const lines = [
    describeRun({ project: values.project, rounds: `${values.rounds}; medians`, size: run.size }),
    "### W9 `go mod download all`, clients with empty caches, GOSUMDB on",
    "",
    "| way | seconds | : direct |",
    "| --- | ---: | ---: |",
  ];
  const direct = median(run.times.get("direct") ?? []);
  for (const [name, times] of run.times) {
    const seconds = median(times);
    lines.push(`| ${name} | ${seconds.toFixed(1)} | ${(seconds / direct).toFixed(2)} |`);
  }
  return `${lines.join("\n")}\n\n- through Athens the client's GOSUMDB is off: Athens takes the database by https from its own host only\n`;
}

/** One cold client; its time is noted under `name`. */
async function timed(run: Run, name: string, build: Build): Promise<void> {
  const cache = await newFolder("client");
  const cwd = join(cache, "project");
  await mkdir(cwd);
  await copyFile(join(run.project, "go.mod"), join(cwd, "go.mod"));
  const env = {
    ...machineEnv(),
    GOPATH: join(cache, "go"),
    GOMODCACHE: join(cache, "mod"),
    GOENV: "off",
    GOFLAGS: "-modcacherw",
    GOTOOLCHAIN: "local",
    GOPROXY: build.proxy,
    GOSUMDB: build.database,
    GONOSUMDB: "",
    GOPRIVATE: "",
  };
  const began = Date.now();
  await runToEnd({ command: goCommand(), args: ["mod", "download", "all"], env, cwd });
  const seconds = (Date.now() - began) / 1000;
  process.stderr.write(`bench: ${name}: ${seconds.toFixed(1)} s\n`);
  run.times.set(name, [...(run.times.get(name) ?? []), seconds]);
  run.size ||= describeFiles(await listFiles(join(cache, "mod/cache/download")));
  await dropFolder(cache);
}

function describeFiles(files: readonly string[]): string {
  const count = (ext: string): number => files.filter((file) => file.endsWith(ext)).length;
  return `${count(".mod")} go.mod files, ${count(".zip")} zips`;
}

async function throughGranary(run: Run): Promise<void> {
  const store = await newFolder("cold");
  const use = { store, sumdb: sumdbName };
  const build = (granary: Subject): Build => ({ proxy: granary.base, database: sumdbName });
  const first = await startGranary({ ...use, upstream: run.live });
  await timed(run, "Granary, cold", build(first));
  await timed(run, "Granary, warm", build(first));
  await first.stop();
  const cut = await startGranary({ ...use, upstream: "off" });
  await timed(run, "Granary, upstream cut", build(cut));
  await cut.stop();
  // The store is a GOPROXY by itself.
  await timed(run, "Granary stopped, file:// on its store", { proxy: `file://${store}/modules`, database: sumdbName });
  await dropFolder(store);
}

async function throughPeer(run: Run, name: "goproxy" | "Athens"): Promise<void> {
  const corpus: Corpus = { root: "", about: "", live: run.live, database: sumdbName, small: [], zips: [], modules: [] };
  const database = `${run.live}/sumdb/${sumdbName}`;
  const peer =
    name === "goproxy"
      ? await startGoproxy({ corpus, empty: true, upstream: run.live, database })
      : await startAthens({ corpus, empty: true, upstream: run.live });
  if (peer === undefined) return;
  const build: Build = { proxy: peer.base, database: name === "goproxy" ? sumdbName : "off" };
  await timed(run, `${name}, cold`, build);
  await timed(run, `${name}, warm`, build);
  await peer.stop();
}
