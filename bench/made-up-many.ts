// Many small modules that nobody wrote and that require nothing, with a checksum database of their own: for works that
// need the next cold version again and again. The same numbers make the same bytes.
import { join } from "node:path";
import { hash1, hashGoMod } from "#protocol/dirhash.ts";
import { parsePath } from "#protocol/path.ts";
import { parseVersion } from "#protocol/version.ts";
import { writeModuleZip } from "#protocol/zip-write.ts";
import { TestDatabase } from "#services/lab/sumdb-server.ts";
import { bytesFor, sha256, writeDatabase, writeIn } from "./made-up-database.ts";

export type Many = {
  /** GOPROXY layout with `sumdb/`. */
  readonly root: string;
  /** GOSUMDB. */
  readonly verifierKey: string;
  readonly database: string;
  /** Request targets of each version without their ending: `/path/@v/version`. */
  readonly stems: readonly string[];
};

/** The three files of one version. */
export const endings = [".info", ".mod", ".zip"] as const;

const databaseName = "sums.many.test";

/** Writes `count` modules whose zips have about `zipBytes` bytes below `folder`. */
export async function writeMany(folder: string, many: { readonly count: number; readonly zipBytes: number }) {
  const root = join(folder, "tree");
  const database = new TestDatabase({ name: databaseName, seed: bytesFor("many database key", 32) });
  const versions = Array.from({ length: many.count }, (_, at) => ({
    path: `many.example.com/m${at}`,
    version: "v1.0.0",
  }));
  for (const version of versions) await writeVersion({ root, database, zipBytes: many.zipBytes }, version);
  await writeDatabase(
    root,
    database,
    versions.map(({ path, version }) => `${path}@${version}`),
  );
  return {
    root,
    verifierKey: database.verifierKey,
    database: databaseName,
    stems: versions.map(({ path, version }) => `/${path}/@v/${version}`),
  } satisfies Many;
}

async function writeVersion(
  making: { readonly root: string; readonly database: TestDatabase; readonly zipBytes: number },
  { path, version }: { readonly path: string; readonly version: string },
): Promise<void> {
  const goMod = Buffer.from(`module ${path}\n\ngo 1.21\n`);
  const files = [
    { name: "go.mod", content: goMod },
    { name: "data.bin", content: bytesFor(`${path}@${version}`, making.zipBytes) },
  ];
  const named = files.map(({ name, content }) => ({
    name: `${path}@${version}/${name}`,
    sha256: sha256(content).toString("hex"),
  }));
  const id = { path: parsePath(path), version: parseVersion(version) };
  await making.database.addModule(id, { zip: hash1(named), mod: hashGoMod(goMod) });
  const base = join(making.root, path, "@v", version);
  await writeIn(`${base}.info`, JSON.stringify({ Version: version, Time: "2024-01-02T03:04:05Z" }));
  await writeIn(`${base}.mod`, goMod);
  await writeIn(`${base}.zip`, writeModuleZip(id, files));
  await writeIn(join(making.root, path, "@v/list"), `${version}\n`);
}
