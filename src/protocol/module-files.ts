// Which files of a tree belong to a module's zip: x/mod zip.checkFiles and isVendoredPackage. What is left out is no
// fault of the tree; what is refused makes it no module.

import { ProtocolError } from "./errors.ts";
import { maxGoModBytes, parseGoMod } from "./gomod.ts";
import { compareGoVersions } from "./gover.ts";
import { maxLicenseBytes, maxZipBytes } from "./zip-check.ts";
import { ZipNames } from "./zip-names.ts";

export type TreeFile = {
  /** Relative to the module root, with slashes. */
  readonly path: string;
  readonly size: number;
  readonly kind: "regular" | "symlink" | "irregular";
};

/** Why a file is left out, as a stable word. */
export type Omission =
  | "vendored" // a package in a vendor directory, or vendor/modules.txt from go 1.24 on
  | "nested-module" // below a directory with a go.mod of its own
  | "hg-archival" // .hg_archival.txt, which `hg archive` makes
  | "symlink"
  | "irregular" // a socket, a device, …
  | "repository"; // what a version control system keeps in a working tree

export type Omitted = { readonly path: string; readonly reason: Omission };
/** `reason` is a sentence of Go's. The path is empty when all files together are at fault. */
export type Refused = { readonly path: string; readonly reason: string };

export type ModuleFiles<T extends TreeFile> = {
  readonly taken: readonly T[];
  readonly omitted: readonly Omitted[];
  readonly refused: readonly Refused[];
};

/** Where version control systems keep their things; in a folder they are left out, wherever they lie. */
export const repositoryFolders: ReadonlySet<string> = new Set([".bzr", ".git", ".hg", ".svn"]);

/**
 * The Go version that a root go.mod names, "" when there is none or it cannot be read: vendor directories are read by
 * the rules of that version.
 */
export function goVersionOf(goMod: Uint8Array | undefined): string {
  if (goMod === undefined) return "";
  try {
    return parseGoMod(goMod, { lax: true }).go ?? "";
  } catch (error) {
    if (error instanceof ProtocolError) return "";
    throw error;
  }
}

/**
 * Sorts the files of a tree; each comes out once, in the order given.
 * @param goVersion of the root go.mod, see goVersionOf()
 */
export function chooseModuleFiles<T extends TreeFile>(files: readonly T[], goVersion: string): ModuleFiles<T> {
  const isNested = nestedModules(files);
  const names = new ZipNames("");
  const taken: T[] = [];
  const omitted: Omitted[] = [];
  const refused: Refused[] = [];
  let total = 0;
  for (const file of files) {
    const { path, size } = file;
    const early = isClean(path) ? omissionByName(path, goVersion, isNested) : undefined;
    if (early !== undefined) {
      omitted.push({ path, reason: early });
      continue;
    }
    const problem = file.kind === "regular" ? names.add(path) : names.addPath(path);
    if (problem !== undefined) refused.push({ path, reason: problem.reason });
    else if (file.kind !== "regular") omitted.push({ path, reason: file.kind });
    else {
      total += size;
      const reason = sizeFault(path, size);
      if (reason === undefined) taken.push(file);
      else refused.push({ path, reason });
    }
  }
  if (total > maxZipBytes)
    refused.push({ path: "", reason: `module source tree too large (max size is ${maxZipBytes} bytes)` });
  return { taken, omitted, refused };
}

/**
 * Whether a path lies in a package of a vendor directory (zip.isVendoredPackage). Below go 1.24 a package
 * `a/vendor/x.go` counts as vendored when `a` is long enough, and vendor/modules.txt does not: old hashes depend on it.
 */
export function isVendored(path: string, goVersion: string): boolean {
  const isNew = compareGoVersions(goVersion, "1.24") >= 0;
  if (isNew && path === "vendor/modules.txt") return true;
  if (path.startsWith("vendor/")) return path.includes("/", "vendor/".length);
  const at = path.indexOf("/vendor/");
  if (at < 0) return false;
  return path.includes("/", (isNew ? at : 0) + "/vendor/".length);
}

function omissionByName(
  path: string,
  goVersion: string,
  isNested: (path: string) => boolean,
): Exclude<Omission, "repository"> | undefined {
  if (isVendored(path, goVersion)) return "vendored";
  if (isNested(path)) return "nested-module";
  return path === ".hg_archival.txt" ? "hg-archival" : undefined;
}

/** Directories with a go.mod in any case are modules of their own; the root is not one of them. */
function nestedModules(files: readonly TreeFile[]): (path: string) => boolean {
  const roots = new Set<string>();
  for (const { path, kind } of files) {
    const slash = path.lastIndexOf("/");
    // strings.EqualFold knows no other letters that fold to these six.
    if (kind === "regular" && slash > 0 && path.slice(slash + 1).toLowerCase() === "go.mod")
      roots.add(path.slice(0, slash));
  }
  return (path) => {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1))
      if (roots.has(path.slice(0, end))) return true;
    return false;
  };
}

/** path.Clean of a relative path would leave it alone. */
function isClean(path: string): boolean {
  return path.split("/").every((element) => element !== "" && element !== "." && element !== "..");
}

function sizeFault(path: string, size: number): string | undefined {
  if (path === "go.mod" && size > maxGoModBytes) return `go.mod file too large (max size is ${maxGoModBytes} bytes)`;
  if (path === "LICENSE" && size > maxLicenseBytes)
    return `LICENSE file too large (max size is ${maxLicenseBytes} bytes)`;
  return undefined;
}
