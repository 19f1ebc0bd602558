// Directories as other tools fill them, made from one module cache of a real go command: a goproxy's, an Athens', and a
// plain tree.
import { copyFile, cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { unescapePath } from "#protocol/path.ts";
import { unescapeVersion } from "#protocol/version.ts";

/** `cache/download` without what only a go command knows: goproxy's DirCacher, with an `@latest` of each module. */
export async function asGoproxy(download: string, to: string): Promise<void> {
  await cp(download, to, { recursive: true, filter: (path) => !/[.](?:lock|ziphash)$/.test(path) });
  await rm(join(to, "sumdb"), { recursive: true, force: true });
  for (const file of await filesIn(to))
    if (file.endsWith(".info")) await writeFile(join(to, dirname(dirname(file)), "@latest"), '{"Version":"v1.0.0"}');
}

/** `<module path>/<version>/{go.mod,<version>.info,source.zip}` with nothing escaped, as gomods/athens saves it. */
export async function asAthens(download: string, to: string): Promise<void> {
  for (const file of await filesIn(download)) {
    const [, path, stem, ending] = /^(.+)\/@v\/(.+)\.(info|mod|zip)$/.exec(file) ?? [];
    if (path === undefined || stem === undefined) continue;
    const version = unescapeVersion(stem);
    const folder = join(to, unescapePath(path), version);
    await mkdir(folder, { recursive: true });
    const name = ending === "info" ? `${version}.info` : ending === "mod" ? "go.mod" : "source.zip";
    await copyFile(join(download, file), join(folder, name));
  }
}

/** Paths of all files below a folder, with `/`. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.map((file) => file.slice(folder.length + 1).replaceAll(sep, "/")).sort();
}
