// What a large store costs: how long a server takes from its start to ready, and `gc --dry-run` to say what would leave.
// Versions are real files (hard links to one zip) up to --files; beyond that they are in the index only, which is all
// that a dry run reads.
//
//   node bench/tending.ts [--versions 1000000] [--files 10000] [--rounds 3]
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { link, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { openSqliteIndex } from "#adapters/database/sqlite-index.ts";
import { openDiskStorage } from "#adapters/storage/disk.ts";
import { formatManifest } from "#services/store/manifest.ts";
import { versionKey } from "#services/store/layout.ts";
import { indexFile } from "#services/tending/ports.ts";
import type { IndexFacts } from "#services/tending/ports.ts";
import { arrivalFacts, moduleVersion, zipManifest } from "../test/support/manifests.ts";
import { newFolder, dropFolder, runToEnd } from "./children.ts";
import { describeRun } from "./report.ts";
import { median } from "./rounds.ts";
import { repository } from "./servers.ts";

const { values } = parseArgs({
  options: {
    versions: { type: "string", default: "1000000" },
    files: { type: "string", default: "10000" },
    rounds: { type: "string", default: "3" },
  },
});
const [versions, files, rounds] = [values.versions, values.files, values.rounds].map(Number) as [
  number,
  number,
  number,
];
const batch = 1_000;
const day = 86_400_000;
/** What an operator runs. */
const program = join(repository, "dist/granary.mjs");

const nameOf = (n: number) => ({ path: `example.com/m${Math.floor(n / 100)}`, version: `v1.${n % 100}.0` });

async function fill(root: string): Promise<void> {
  await openDiskStorage(root, { fsync: "never" });
  const zip = Buffer.alloc(10_000, 1);
  const one = join(root, "zip");
  await writeFile(one, zip);
  for (let n = 0; n < files; n++) {
    const { path, version } = nameOf(n);
    const id = moduleVersion(path, version);
    const place = (file: Parameters<typeof versionKey>[1]) => join(root, versionKey(id, file));
    if (n % 100 === 0) await mkdir(dirname(place("zip")), { recursive: true });
    await link(one, place("zip"));
    await writeFile(place("info"), "{}");
    await writeFile(place("mod"), `module ${path}\n`);
    const files = { size: 2, sha256: "0".repeat(64) };
    const mod = {
      manifest: 1,
      stage: "mod",
      path,
      version,
      info: files,
      mod: { ...files, h1: `h1:${"A".repeat(43)}=` },
    } as const;
    await writeFile(place("mod.manifest"), formatManifest({ ...mod, ...arrivalFacts }));
    await writeFile(place("zip.manifest"), formatManifest(zipManifest(id, zip)));
  }
  await mkdir(join(root, "state"), { recursive: true });
  const index = await openSqliteIndex(join(root, indexFile));
  const round = await index.beginRebuild();
  for (let from = 0; from < versions; from += batch) {
    const facts = Array.from({ length: Math.min(batch, versions - from) }, (_, at): IndexFacts => {
      const n = from + at;
      return {
        ...nameOf(n),
        stage: "zip",
        bytes: 10_000 + (n % 1_000),
        sha256: "0".repeat(64),
        upstream: "official",
        isPrivate: n % 50 === 0,
        firstSeenMs: Date.now() - (n % 365) * day,
        isEvicted: false,
      };
    });
    await index.put(facts, Date.now());
    await index.used(
      facts.filter((_, n) => n % 3 === 0).map(({ path, version }) => ({ path, version, zips: 2, mods: 0 })),
      Date.now(),
    );
  }
  await index.endRebuild(round);
  await index.close();
}

/** Milliseconds from spawn() to the first 200 of /-/readyz. */
async function startToReady(root: string): Promise<number> {
  const began = performance.now();
  const args = [program, "serve", `--store=${root}`, "--listen=127.0.0.1:0", "--upstream=off", "--sumdb=off"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /http:\/\/\S+/.exec(line)?.[0];
      if (url === undefined) continue;
      const response = await fetch(`${url}/-/readyz`);
      if (response.status !== 200) throw new Error(`readyz: ${response.status}`);
      return performance.now() - began;
    }
    throw new Error("the server ended");
  } finally {
    child.kill();
    await once(child, "exit");
  }
}

function dryRun(root: string, order: string): { readonly seconds: number; readonly evicted: number } {
  const began = performance.now();
  const args = [
    program,
    "store",
    "gc",
    "--max-size",
    "5GB",
    "--older-than",
    "30d",
    "--order",
    order,
    "--dry-run",
    "--json",
  ];
  const { stdout } = spawnSync(process.execPath, [...args, `--store=${root}`], {
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  return { seconds: (performance.now() - began) / 1000, evicted: (JSON.parse(stdout) as { evicted: number }).evicted };
}

await runToEnd({ command: process.execPath, args: [join(repository, "scripts/bundle.ts")], cwd: repository });
const root = await newFolder("tending");
try {
  await fill(root);
  const [ready, lru, s3]: [number[], number[], number[]] = [[], [], []];
  let evicted = 0;
  for (let n = 0; n < rounds; n++) {
    ready.push(await startToReady(root));
    lru.push(dryRun(root, "lru").seconds);
    const run = dryRun(root, "s3-fifo");
    s3.push(run.seconds);
    evicted = run.evicted;
  }
  process.stdout.write(`${describeRun({})}\n`);
  process.stdout.write(`${files} versions in files, ${versions} in the index, medians of ${rounds}\n`);
  process.stdout.write(`start to ready       ${median(ready).toFixed(0)} ms\n`);
  process.stdout.write(`gc --dry-run lru     ${median(lru).toFixed(1)} s\n`);
  process.stdout.write(`gc --dry-run s3-fifo ${median(s3).toFixed(1)} s, ${evicted} would leave\n`);
} finally {
  await dropFolder(root);
}
