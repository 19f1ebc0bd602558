// The directories that other tools fill with modules, and how to tell them apart.
//
//   gomodcache   <GOMODCACHE>/cache/download, `@v` folders with .lock and .ziphash files beside the three of a version
//   goproxy      goproxy/goproxy's DirCacher: the URL layout, with `@latest` files
//   file         a file:// GOPROXY tree: the URL layout; a Granary store has it below modules/
//   athens       <module path>/<version>/{go.mod,<version>.info,source.zip}, nothing escaped (gomods/athens pkg/storage/fs)

import type { SourceTree } from "./ports.ts";
import { SourceUnreadable } from "./ports.ts";

export const layouts = ["gomodcache", "goproxy", "athens", "file"] as const;
export type Layout = (typeof layouts)[number];

/** `base`: the folder of the tree that the layout begins in, "" or without a slash at its end. */
export type Placed = { readonly layout: Layout; readonly base: string };

/** Folders looked at before a directory counts as one of no known layout; the first module is a few folders deep. */
const maxFolders = 10_000;
/** Names looked at in one `@v` folder. */
const maxSigns = 1_000;

/** Undefined when nothing in the tree looks like a module of any layout. @param wanted the layout, when somebody said it */
export async function recognise(tree: SourceTree, wanted?: Layout): Promise<Placed | undefined> {
  const base = await baseOf(tree);
  if (wanted !== undefined) return { layout: wanted, base: wanted === "athens" ? "" : base };
  if (base === cacheBase) return { layout: "gomodcache", base };
  if (base === storeBase) return { layout: "file", base };
  const layout = await signOf(tree);
  return layout && { layout, base };
}

const cacheBase = "cache/download";
const storeBase = "modules";

async function baseOf(tree: SourceTree): Promise<string> {
  if (await isFolder(tree, "cache", "download")) return cacheBase;
  const isStore = (await tree.size("granary.json")) !== undefined && (await isFolder(tree, "", storeBase));
  return isStore ? storeBase : "";
}

async function isFolder(tree: SourceTree, folder: string, wanted: string): Promise<boolean> {
  for await (const { name, kind } of tree.names(folder)) if (name === wanted) return kind === "folder";
  return false;
}

/** The layout of the first module that is met. Throws SourceUnreadable when the directory itself cannot be read. */
async function signOf(tree: SourceTree): Promise<Layout | undefined> {
  const waiting = [""];
  for (let seen = 0; seen < maxFolders; seen++) {
    const folder = waiting.pop();
    if (folder === undefined) return undefined;
    try {
      const sign = await signIn(tree, folder, waiting);
      if (sign !== undefined) return sign;
    } catch (error) {
      // One folder more or less that cannot be read: others may tell.
      if (folder === "" || !(error instanceof SourceUnreadable)) throw error;
    }
  }
  return undefined;
}

/** What one folder tells; the folders in it are put to those that wait. */
async function signIn(tree: SourceTree, folder: string, waiting: string[]): Promise<Layout | undefined> {
  const files = new Set<string>();
  for await (const { name, kind } of tree.names(folder)) {
    if (kind === "file" && files.size < maxSigns) files.add(name);
    if (kind !== "folder") continue;
    if (name === "@v") return await urlLayoutOf(tree, folder);
    if (waiting.length < maxFolders && !(folder === "" && name === "sumdb")) waiting.push(below(folder, name));
  }
  return isAthensVersion(files, baseName(folder)) ? "athens" : undefined;
}

async function urlLayoutOf(tree: SourceTree, folder: string): Promise<Layout> {
  let seen = 0;
  for await (const { name } of tree.names(below(folder, "@v"))) {
    if (name.endsWith(".ziphash") || name.endsWith(".lock")) return "gomodcache";
    if (++seen > maxSigns) break;
  }
  return (await tree.size(below(folder, "@latest"))) === undefined ? "file" : "goproxy";
}

/** Whether files lie in a folder as Athens writes a version's; it may have died before it wrote all three. */
export function isAthensVersion(files: ReadonlySet<string>, version: string): boolean {
  return files.has("source.zip") || files.has(`${version}.info`) || (files.has("go.mod") && version.startsWith("v"));
}

export function below(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

export function baseName(folder: string): string {
  return folder.slice(folder.lastIndexOf("/") + 1);
}
