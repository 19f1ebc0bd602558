// Old and new Go toolchains for the scenarios. They come as modules (golang.org/toolchain) through the machine's own
// GOPROXY, checked by its own GOSUMDB, and stay in a folder under the system's temporary one between runs.
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { capture, describeGo, keptFolder, machineGo, machineSetting } from "./go.ts";
import type { GoTool } from "./go.ts";

/** The versions the scenarios want beside the machine's own. */
export const wantedGoVersions = ["1.19.13", "1.21.13", "1.24.9", "1.27.3"] as const;

/** Downloads of about 70 MB, unpacked to 250–450 MB. */
const downloadMs = 300_000;

const asked = new Map<string, Promise<GoTool | string>>();

/** The toolchain, or the reason why it cannot be had here. Tests of one process that run at once share one download. */
export function obtainGo(version: string): Promise<GoTool | string> {
  const known = asked.get(version) ?? obtain(version);
  asked.set(version, known);
  return known;
}

async function obtain(version: string): Promise<GoTool | string> {
  const host = await machineGo();
  if (host === undefined) return "no `go` on PATH to download it with";
  if (host.version === version) return host;
  const goroot = join(keptFolder, `go${version}`);
  const kept = await runnable(goroot);
  if (kept !== undefined) return kept;
  const unpacked = await download(version, host);
  if (unpacked === undefined) return `golang.org/toolchain go${version} cannot be reached through ${await safeProxy()}`;
  await copyOut(unpacked, goroot);
  return (await runnable(goroot)) ?? `go${version} was downloaded, but does not run here`;
}

async function runnable(goroot: string): Promise<GoTool | undefined> {
  const binary = join(goroot, "bin/go");
  return existsSync(binary) ? describeGo(binary) : undefined;
}

/** `go mod download` of the toolchain module; the folder it was unpacked to. */
async function download(version: string, host: GoTool): Promise<string | undefined> {
  await mkdir(keptFolder, { recursive: true });
  const id = `golang.org/toolchain@v0.0.1-go${version}.${await platform()}`;
  const settings = ["GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE"].map(
    async (name) => [name, await machineSetting(name)] as const,
  );
  const env = {
    ...process.env,
    ...Object.fromEntries(await Promise.all(settings)),
    GOMODCACHE: join(keptFolder, "mod"),
    GOPATH: join(keptFolder, "gopath"),
    GOFLAGS: "-modcacherw",
    GOTOOLCHAIN: "local",
    GO111MODULE: "on",
    GOWORK: "off",
  };
  const args = ["mod", "download", "-json", id];
  const go = join(host.goroot, "bin/go");
  const asked = await capture(go, args, { cwd: keptFolder, env, timeoutMs: downloadMs });
  if (asked.code !== 0) return undefined;
  return (JSON.parse(asked.stdout) as { Dir?: string }).Dir;
}

/**
 * Copies a toolchain out of the module cache and makes its programs runnable: module files carry no mode bits, and
 * Go 1.19 cannot build while its own standard library lies inside GOMODCACHE.
 */
async function copyOut(from: string, goroot: string): Promise<void> {
  const draft = `${goroot}.${process.pid}`;
  await rm(draft, { recursive: true, force: true });
  await cp(from, draft, { recursive: true });
  for (const folder of ["bin", "pkg/tool"]) await makeRunnable(join(draft, folder));
  try {
    await rename(draft, goroot);
  } catch {
    // Another test process was faster; its copy is as good.
    await rm(draft, { recursive: true, force: true });
  }
}

async function makeRunnable(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await chmod(join(entry.parentPath, entry.name), 0o755);
  }
}

async function platform(): Promise<string> {
  return `${await machineSetting("GOOS")}-${await machineSetting("GOARCH")}`;
}

async function safeProxy(): Promise<string> {
  return (await machineSetting("GOPROXY")).replaceAll(/\/\/[^/@,|]*@/g, "//");
}
