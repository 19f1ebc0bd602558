// What is served: the modules of a real project, downloaded by the machine's own `go` from its own GOPROXY, or made-up
// ones where that is not possible. Either way a folder in GOPROXY layout.
import { randomBytes } from "node:crypto";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatInfo, parseInfo } from "#protocol/info.ts";
import { sumdbName } from "#protocol/official.ts";
import { writeModuleZip } from "#protocol/zip-write.ts";
import { newFolder, onPath, runToEnd } from "./children.ts";
import { getBytes, inParallel } from "./client.ts";

export type Target = { readonly target: string; readonly size: number };

export type Corpus = {
  /** GOPROXY layout. */
  readonly root: string;
  readonly about: string;
  /** Base URL of the machine's own proxy when the corpus is real. */
  readonly live: string | undefined;
  /** The checksum database that knows the modules; undefined for made-up ones. */
  readonly database: string | undefined;
  readonly small: readonly Target[];
  readonly zips: readonly Target[];
  /** Escaped paths of the modules that have a list. */
  readonly modules: readonly string[];
};

/** A project whose go.mod asks for more than 300 modules. */
export const defaultProject = "helm.sh/helm/v3@v3.22.0";

/** Builds the corpus, real when the machine can. */
export async function buildCorpus(project: string): Promise<Corpus> {
  try {
    return await realCorpus(project);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : "";
    process.stderr.write(`bench: no real corpus (${reason}); using made-up modules\n`);
    return syntheticCorpus();
  }
}

/** The first http(s) entry of the machine's GOPROXY, without a trailing slash. */
export async function machineProxy(): Promise<string> {
  const said = await runToEnd({ command: goCommand(), args: ["env", "GOPROXY"], env: machineEnv() });
  const url = said
    .trim()
    .split(/[,|]/)
    .find((entry) => /^https?:/.test(entry.trim()));
  if (url === undefined) throw new Error("GOPROXY names no proxy");
  return url.trim().replace(/\/$/, "");
}

export function goCommand(): string {
  const go = onPath("go");
  if (go === undefined) throw new Error("no go on PATH");
  return go;
}

/** What reaching the machine's own proxy may need. */
export function machineEnv(): Record<string, string> {
  const names = ["HOME", "GOPROXY"];
  const set = names.map((name) => [name, process.env[name]]).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as Record<string, string>;
}

/** A folder with the project's go.mod, so that `go mod download all` fetches what it needs. */
export async function projectFolder(project: string, live: string): Promise<string> {
  const [path = "", version = ""] = project.split("@");
  const escaped = path.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
  const folder = await newFolder("project");
  await writeFile(join(folder, "go.mod"), await getBytes(`${live}/${escaped}/@v/${version}.mod`));
  return folder;
}

async function realCorpus(project: string): Promise<Corpus> {
  const live = await machineProxy();
  const cwd = await projectFolder(project, live);
  const cache = await newFolder("corpus");
  const env = { ...machineEnv(), GOMODCACHE: cache, GOFLAGS: "-modcacherw", GOTOOLCHAIN: "local", GOPROXY: live };
  await runToEnd({ command: goCommand(), args: ["mod", "download", "all"], env: { ...env, GOSUMDB: sumdbName }, cwd });
  const root = join(cache, "cache/download");
  await addInfos(root, live);
  return describe(root, { about: `${project}'s modules from the machine's GOPROXY`, live, database: sumdbName });
}

/**
 * `go` reads only the go.mod of some versions; a proxy's client may ask for their .info as well. They are written as
 * `go` writes its own: compact.
 */
async function addInfos(root: string, live: string): Promise<void> {
  const files = new Set(await listFiles(root));
  const missing = [...files]
    .filter((file) => file.endsWith(".mod"))
    .map((file) => file.replace(/mod$/, "info"))
    .filter((file) => !files.has(file));
  await inParallel(missing, 16, async (file) => {
    const info = parseInfo(await getBytes(live + file));
    await writeFile(join(root, file), formatInfo(info));
  });
}

/** Made-up sizes: a tail like a real project's, and two large ones. */
const syntheticModules = 300;
const largeZips = [32_000_000, 80_000_000];

async function syntheticCorpus(): Promise<Corpus> {
  const root = await newFolder("corpus");
  const spread = (at: number): number => 15_000 + Math.round(600_000 * (at / syntheticModules) ** 2);
  const sizes = [...Array.from({ length: syntheticModules }, (_, at) => spread(at)), ...largeZips];
  for (const [at, size] of sizes.entries()) {
    await writeVersion(root, { path: `bench.example.com/m${at}`, version: "v1.0.0", size });
  }
  const about = `${sizes.length} made-up modules (no checksum database knows them)`;
  return describe(root, { about, live: undefined, database: undefined });
}

/** Writes one version whose zip has about `size` incompressible bytes. */
export async function writeVersion(
  root: string,
  version: { readonly path: string; readonly version: string; readonly size: number },
): Promise<void> {
  const goMod = Buffer.from(`module ${version.path}\n\ngo 1.21\n`);
  const files = [
    { name: "go.mod", content: goMod },
    { name: "data.bin", content: randomBytes(version.size) },
  ];
  const base = join(root, version.path, "@v", version.version);
  await mkdir(dirname(base), { recursive: true });
  await writeFile(`${base}.info`, JSON.stringify({ Version: version.version, Time: "2024-01-02T03:04:05Z" }));
  await writeFile(`${base}.mod`, goMod);
  await writeFile(`${base}.zip`, writeModuleZip(version, files));
  await writeFile(join(dirname(base), "list"), `${version.version}\n`);
}

async function describe(root: string, of: Pick<Corpus, "about" | "live" | "database">): Promise<Corpus> {
  const files = (await listFiles(root)).filter((file) => !file.startsWith("/sumdb/")).sort();
  const withSize = async (wanted: RegExp): Promise<Target[]> =>
    Promise.all(
      files
        .filter((file) => wanted.test(file))
        .map(async (target) => ({ target, size: (await stat(join(root, target))).size })),
    );
  return {
    root,
    ...of,
    small: await withSize(/\.(info|mod)$/),
    zips: await withSize(/\.zip$/),
    modules: files.filter((file) => file.endsWith("/@v/list")).map((file) => file.slice(0, -"/@v/list".length)),
  };
}

/** Every file below `root`, as `/relative/path`. */
export async function listFiles(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/"));
}
