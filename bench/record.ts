// A real project, recorded once: everything its `go mod download all` asks of the machine's own GOPROXY, checksum
// records and tiles included, in a folder outside the checkout. Later runs are served from it and reach nobody.
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sumdbName } from "#protocol/official.ts";
import { runToEnd } from "./children.ts";
import { getBytes, inParallel } from "./client.ts";
import { goCommand, listFiles, machineProxy } from "./corpus.ts";
import { startUpstream } from "./upstream.ts";
import type { Upstream } from "./upstream.ts";

export type Recording = {
  /** GOPROXY layout with `sumdb/`, for an emulated upstream. */
  readonly root: string;
  /** A folder with the project's go.mod. */
  readonly project: string;
  readonly about: string;
};

/** Where recordings live: `GRANARY_BENCH_CACHE`, or the system's temporary folder. */
const kept = process.env["GRANARY_BENCH_CACHE"] ?? join(tmpdir(), "granary-bench-cache");

/** The recording of `path@version`, made now when there is none. */
export async function recordProject(project: string): Promise<Recording> {
  const folder = join(kept, project.replaceAll("/", "+"));
  const recording = { root: join(folder, "tree"), project: join(folder, "project") };
  if (!existsSync(join(folder, "complete"))) await record(project, { ...recording, folder });
  return { ...recording, about: await describeTree(recording.root) };
}

async function record(
  project: string,
  into: { readonly folder: string; readonly root: string; readonly project: string },
): Promise<void> {
  process.stderr.write(`bench: recording ${project} from the machine's GOPROXY\n`);
  const live = await machineProxy();
  // What a run that was stopped left may lack anything.
  await rm(into.folder, { recursive: true, force: true });
  await mkdir(into.root, { recursive: true });
  await mkdir(into.project, { recursive: true });
  const upstream = await startUpstream({ root: into.root, live, keep: "all" });
  const client = join(into.folder, "client");
  try {
    // The head first: every record that is looked up later is then below it, or is served with its own.
    await getBytes(`${upstream.url}/sumdb/${sumdbName}/latest`);
    await writeFile(join(into.project, "go.mod"), await getBytes(upstream.url + modPath(project)));
    await downloadAll({ proxy: upstream.url, database: sumdbName, project: into.project, client });
    await addWhole(upstream, into.root);
    await writeFile(join(into.folder, "complete"), `${project}\n`);
  } finally {
    await upstream.stop();
    await rm(client, { recursive: true, force: true });
  }
}

/**
 * `go` reads only the go.mod of some versions; proxies ask for more. The peers fetch the whole version, zip and all,
 * when a client asks for its go.mod.
 */
async function addWhole(upstream: Upstream, root: string): Promise<void> {
  const mods = (await listFiles(root)).filter((file) => file.endsWith(".mod"));
  const files = mods.flatMap((file) => ["info", "zip"].map((ext) => file.replace(/mod$/, ext)));
  await inParallel(files, 4, async (file) => {
    await getBytes(upstream.url + file);
  });
}

function modPath(project: string): string {
  const [path = "", version = ""] = project.split("@");
  const escaped = path.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
  return `/${escaped}/@v/${version}.mod`;
}

export type Download = {
  /** GOPROXY of the client. */
  readonly proxy: string;
  /** GOSUMDB of the client. */
  readonly database: string;
  /** Folder with the go.mod. */
  readonly project: string;
  /** Folder of the client's own, for everything it keeps; made when missing. */
  readonly client: string;
  readonly timeoutMs?: number;
};

/** `go mod download all` by a client with nothing but a go.mod. Throws with what it said when it fails. */
export async function downloadAll(of: Download): Promise<void> {
  const cwd = join(of.client, "project");
  await mkdir(cwd, { recursive: true });
  await copyFile(join(of.project, "go.mod"), join(cwd, "go.mod"));
  const env = {
    HOME: of.client,
    GOPATH: join(of.client, "go"),
    GOMODCACHE: moduleCache(of.client),
    GOENV: "off",
    GOFLAGS: "-modcacherw",
    GOTOOLCHAIN: "local",
    GOPROXY: of.proxy,
    GOSUMDB: of.database,
    GONOSUMDB: "",
    GOPRIVATE: "",
    GOVCS: "*:off",
    GOTELEMETRY: "off",
    // Loopback needs no proxy of this machine.
    NO_PROXY: "*",
  };
  const limit = of.timeoutMs === undefined ? {} : { timeoutMs: of.timeoutMs };
  await runToEnd({ command: goCommand(), args: ["mod", "download", "all"], env, cwd, ...limit });
}

export function moduleCache(client: string): string {
  return join(client, "mod");
}

async function describeTree(root: string): Promise<string> {
  const files = await listFiles(root);
  const count = (end: string): number => files.filter((file) => file.endsWith(end)).length;
  return `${count(".mod")} go.mod files, ${count(".zip")} zips`;
}
