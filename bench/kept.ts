// W10: starting with a hundred thousand versions kept, and resting.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { hash1, hashGoMod } from "#protocol/dirhash.ts";
import { formatList } from "#protocol/info.ts";
import { parsePath } from "#protocol/path.ts";
import { parseVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { writeModuleZip } from "#protocol/zip-write.ts";
import { listKey, versionKey } from "#services/store/layout.ts";
import { formatManifest, zipBlockBytes } from "#services/store/manifest.ts";
import type { Facts } from "#services/store/manifest.ts";
import { dropFolder, newFolder, runToEnd, untilSaid } from "./children.ts";
import { getBytes } from "./client.ts";
import { residentBytes } from "./proc.ts";
import { judge, round } from "./report.ts";
import type { Verdict, Work } from "./report.ts";
import { median } from "./rounds.ts";
import { granaryChild, granaryReady, repository } from "./servers.ts";
import type { Bench } from "./setup.ts";

const modules = 2_000;
const versionsEach = 50;

export async function w10(bench: Bench): Promise<Work> {
  const store = await newFolder("kept");
  const began = Date.now();
  for (let at = 0; at < modules; at++) writeModule(store, `kept.example.com/group${at % 40}/m${at}`);
  const written = `${modules * versionsEach} versions in ${modules} modules, written in ${round((Date.now() - began) / 1000)} s`;
  await runToEnd({ command: process.execPath, args: [join(repository, "scripts/bundle.ts")], cwd: repository });
  const bundle = join(repository, "dist/granary.mjs");
  const fromSource = await readyTimes(bench, { store });
  const fromBundle = await readyTimes(bench, { store, program: bundle });
  const seconds = bench.quick ? 10 : 60;
  const rest = await restingBytes({ store, program: bundle, seconds });
  await dropFolder(store);
  return {
    id: "W10",
    title: `start → ready with ${(modules * versionsEach).toLocaleString("en-US")} versions kept, and idle memory`,
    verdicts: [
      ready("start → ready, bundle", fromBundle),
      ready("start → ready, bin/granary.ts", fromSource),
      judge(`idle RSS in MB of the bundle after ${seconds} s`, { is: "≤", than: 150 }, rest / 1e6),
    ],
    notes: [written, "from spawn to the ready line on stdout, warm page cache, median"],
  };
}

function ready(what: string, times: readonly number[]): Verdict {
  const middle = median(times);
  const all = times.map((time) => time.toFixed(2)).join(", ");
  return { what, goal: "≤ 0.5 s", value: `${middle.toFixed(2)} s (${all})`, reached: middle <= 0.5 };
}

type Start = { readonly store: string; readonly program?: string };

async function readyTimes(bench: Bench, start: Start): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < bench.rounds + 1; round++) {
    const began = process.hrtime.bigint();
    const child = granaryChild({ ...start, upstream: "off", sumdb: "off" });
    const [, base = ""] = await untilSaid(child, granaryReady);
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    await checkServes(base);
    await child.stop();
    // The first start warms the page cache.
    if (round > 0) times.push(seconds);
  }
  return times;
}

/** A start that serves nothing would be quick and worthless. */
async function checkServes(base: string): Promise<void> {
  const zip = await getBytes(`${base}/kept.example.com/group7/m7/@v/v1.0.49.zip`);
  const list = (await getBytes(`${base}/kept.example.com/group7/m7/@v/list`)).toString().trim().split("\n");
  if (zip.length === 0 || list.length !== versionsEach) throw new Error("the kept store is not served");
}

async function restingBytes(start: Required<Start> & { readonly seconds: number }): Promise<number> {
  const child = granaryChild({ ...start, upstream: "off", sumdb: "off" });
  const [, base = ""] = await untilSaid(child, granaryReady);
  await checkServes(base);
  await new Promise((resolve) => setTimeout(resolve, start.seconds * 1000));
  const bytes = residentBytes(child.pid);
  await child.stop();
  return bytes;
}

/** Writes what commits would have left, without their fsyncs. */
function writeModule(store: string, name: string): void {
  const path = parsePath(name);
  const versions = Array.from({ length: versionsEach }, (_, at) => `v1.0.${at}`);
  for (const version of versions) writeKept(store, { path, version: parseVersion(version) });
  write(store, listKey(path), formatList(versions));
}

const facts: Facts = {
  verifiedBy: "off",
  records: [],
  origin: { upstream: "https://upstream.example", url: "" },
  firstSeen: "2024-01-02T03:04:05Z",
};

function writeKept(store: string, id: ModuleVersion): void {
  const goMod = Buffer.from(`module ${id.path}\n\ngo 1.21\n`);
  const info = Buffer.from(JSON.stringify({ Version: id.version, Time: facts.firstSeen }));
  const zip = writeModuleZip(id, [{ name: "go.mod", content: goMod }]);
  const { path, version } = id;
  const names = { manifest: 1, path, version, ...facts } as const;
  const modFacts = { ...fileFacts(goMod), h1: hashGoMod(goMod) };
  const modManifest = formatManifest({ ...names, stage: "mod", info: fileFacts(info), mod: modFacts });
  const h1 = hash1([{ name: `${path}@${version}/go.mod`, sha256: sha256(goMod).toString("hex") }]);
  const zipManifest = formatManifest({
    ...names,
    stage: "zip",
    modManifest: sha256(modManifest).toString("hex"),
    zip: { ...fileFacts(zip), h1, blockBytes: zipBlockBytes, blocks: sha256(zip).toString("base64") },
    files: 1,
    uncompressedBytes: goMod.length,
  });
  write(store, versionKey(id, "info"), info);
  write(store, versionKey(id, "mod"), goMod);
  write(store, versionKey(id, "mod.manifest"), modManifest);
  write(store, versionKey(id, "zip"), zip);
  write(store, versionKey(id, "zip.manifest"), zipManifest);
}

const made = new Set<string>();

function write(store: string, key: string, bytes: Uint8Array | string): void {
  const file = join(store, key);
  if (!made.has(dirname(file))) mkdirSync(dirname(file), { recursive: true });
  made.add(dirname(file));
  writeFileSync(file, bytes);
}

function fileFacts(bytes: Uint8Array): { readonly size: number; readonly sha256: string } {
  return { size: bytes.length, sha256: sha256(bytes).toString("hex") };
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
