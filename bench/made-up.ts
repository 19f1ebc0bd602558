// A project that nobody wrote: 50 modules with a graph of four levels, pruned (go 1.21) and unpruned (go 1.16), zips of
// 2 KB to 3 MB, and a checksum database of its own. The same seed makes the same bytes. Written to a folder in GOPROXY
// layout, for an emulated upstream to serve.
import { dirname, join } from "node:path";
import { hash1, hashGoMod } from "#protocol/dirhash.ts";
import { parsePath } from "#protocol/path.ts";
import { parseVersion } from "#protocol/version.ts";
import { writeModuleZip } from "#protocol/zip-write.ts";
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import { bytesFor, escapeCase, otherRecord, sha256, writeDatabase, writeIn } from "./made-up-database.ts";

export type MadeUp = {
  /** GOPROXY layout with `sumdb/`. */
  readonly root: string;
  /** A folder with the project's go.mod. */
  readonly project: string;
  /** GOSUMDB. */
  readonly verifierKey: string;
  readonly database: string;
  /** Zips that a build of the project needs. */
  readonly modules: number;
};

/** How many modules each level has; those of one level require some of the next. */
const levels = [8, 14, 16, 12] as const;
const requiresEach = 3;
const smallestZip = 2_000;
const largestZip = 3_000_000;
/** Other people's records before each of ours, so that the log has full tiles and two levels of them. */
const othersBetween = 4;
const databaseName = "sums.chaos.test";

/** A version that the build uses, and an older one that loses: its go.mod is asked all the same. */
const newVersion = "v1.1.0";
const oldVersion = "v1.0.0";

type Module = { readonly path: string; readonly level: number; readonly at: number; readonly size: number };

/** Writes the project below `folder`. */
export async function writeMadeUp(folder: string): Promise<MadeUp> {
  const root = join(folder, "tree");
  const project = join(folder, "project");
  const database = new TestDatabase({ name: databaseName, seed: bytesFor("database key", 32) });
  const modules = makeModules();
  for (const module of modules) {
    for (const version of [oldVersion, newVersion]) await writeVersion({ root, database, modules }, module, version);
  }
  const versions = modules.flatMap(({ path }) => [oldVersion, newVersion].map((version) => `${path}@${version}`));
  await writeDatabase(root, database, versions);
  await writeIn(join(project, "go.mod"), mainGoMod(modules));
  return { root, project, verifierKey: database.verifierKey, database: databaseName, modules: modules.length };
}

function makeModules(): Module[] {
  const total = levels.reduce((sum, count) => sum + count, 0);
  const made: Module[] = [];
  for (const [level, count] of levels.entries()) {
    for (let at = 0; at < count; at++) {
      // Sizes go up evenly on a logarithmic scale, and are spread over the levels.
      const rank = (made.length * 17) % total;
      const size = Math.round(smallestZip * (largestZip / smallestZip) ** (rank / (total - 1)));
      made.push({ path: `chaos.example.com/Level${level}/m${at}`, level, at, size });
    }
  }
  return made;
}

type Making = { readonly root: string; readonly database: TestDatabase; readonly modules: readonly Module[] };

async function writeVersion(making: Making, module: Module, version: string): Promise<void> {
  const { path } = module;
  const goMod = Buffer.from(goModOf(making.modules, module, version));
  const files = [
    { name: "go.mod", content: goMod },
    { name: "doc.go", content: Buffer.from(`// Package m is of ${version}.\npackage m\n`) },
    { name: "data.bin", content: bytesFor(`${path}@${version}`, version === newVersion ? module.size : smallestZip) },
  ];
  const named = files.map(({ name, content }) => ({
    name: `${path}@${version}/${name}`,
    sha256: sha256(content).toString("hex"),
  }));
  const id = { path: parsePath(path), version: parseVersion(version) };
  for (let at = 0; at < othersBetween; at++) await making.database.add(otherRecord(making.database.size));
  await making.database.addModule(id, { zip: hash1(named), mod: hashGoMod(goMod) });
  const base = join(making.root, escapeCase(path), "@v", version);
  await writeIn(`${base}.mod`, goMod);
  await writeIn(`${base}.info`, JSON.stringify({ Version: version, Time: "2024-01-02T03:04:05Z" }));
  await writeIn(`${base}.zip`, writeModuleZip(id, files));
  await writeIn(join(dirname(base), "list"), `${oldVersion}\n${newVersion}\n`);
}

/** Every third module is from before graph pruning: all that it requires is loaded. */
function goModOf(modules: readonly Module[], module: Module, version: string): string {
  const below = modules.filter(({ level }) => level === module.level + 1);
  const required = below.length === 0 ? [] : Array.from({ length: requiresEach }, (_, nth) => nth);
  const lines = required.map((nth) => {
    const one = below[(module.at * 5 + nth * 7) % below.length];
    // The new version of what the new version needs, but for one: somebody always lags behind.
    const lags = version === oldVersion || nth === 1;
    return `\t${one?.path ?? ""} ${lags ? oldVersion : newVersion}\n`;
  });
  const go = module.at % 3 === 0 ? "1.16" : "1.21";
  return `module ${module.path}\n\ngo ${go}\n${requireBlock([...new Set(lines)])}`;
}

function mainGoMod(modules: readonly Module[]): string {
  const line = ({ path, level }: Module): string => `\t${path} ${newVersion}${level === 0 ? "" : " // indirect"}\n`;
  const direct = modules.filter(({ level }) => level === 0).map(line);
  const indirect = modules.filter(({ level }) => level > 0).map(line);
  return `module chaos.example.com/project\n\ngo 1.21\n${requireBlock(direct)}${requireBlock(indirect)}`;
}

function requireBlock(lines: readonly string[]): string {
  return lines.length === 0 ? "" : `\nrequire (\n${lines.join("")})\n`;
}
