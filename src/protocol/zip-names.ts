// Which entry names a module zip may have, as x/mod zip.checkZip decides: all below `PATH@VERSION/`, all valid file
// paths, no two equal under simple folding, no name both file and directory, go.mod only at the root.

import { ProtocolError } from "./errors.ts";
import { foldName } from "./fold.ts";
import { checkFilePath } from "./path.ts";
import { badZip } from "./zip-bytes.ts";

/** Which rule a name breaks, as a stable word. */
export type NameRule =
  | "encoding" // not UTF-8
  | "prefix" // not below PATH@VERSION/
  | "name" // not a valid file path
  | "name-length"
  | "case-collision"
  | "file-and-directory"
  | "duplicate"
  | "go-mod-nested"
  | "go-mod-case"
  | "go-mod-directory" // go extracts it, then fails to read it
  | "directories"; // too many

export type NameProblem = { readonly rule: NameRule; readonly reason: string };

/** A client on Linux cannot extract longer paths (PATH_MAX), and work per name grows with its depth. */
export const maxNameBytes = 4096;

/** Directories one zip may spell; the largest public modules have fewer than 20,000. Bounds memory on deep names. */
export const maxZipDirectories = 200_000;

/** What every entry name of a module zip starts with. */
export function zipPrefix(id: { readonly path: string; readonly version: string }): string {
  return `${id.path}@${id.version}/`;
}

type Seen = { readonly path: string; readonly isDirectory: boolean };

/** Remembers the names of one zip and finds what is wrong with the next. */
export class ZipNames {
  readonly #prefix: string;
  readonly #seen = new Map<string, Seen>();
  #directories = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** What is wrong with a full entry name; undefined, and remembered, when nothing is. */
  add(name: string): NameProblem | undefined {
    if (!name.startsWith(this.#prefix))
      return { rule: "prefix", reason: `path does not have prefix "${this.#prefix}"` };
    const isDirectory = name.endsWith("/");
    const path = name.slice(this.#prefix.length, isDirectory ? -1 : undefined);
    if (isDirectory && name === this.#prefix) return undefined;
    return this.#add(path, isDirectory) ?? (isDirectory ? undefined : goModProblem(path));
  }

  /** The same for a path below the prefix that stands for no entry, as a symbolic link in a tree: go.mod or not. */
  addPath(path: string): NameProblem | undefined {
    return this.#add(path, false);
  }

  #add(path: string, isDirectory: boolean): NameProblem | undefined {
    if (Buffer.byteLength(path) > maxNameBytes) return { rule: "name-length", reason: `name is too long` };
    return filePathProblem(path) ?? this.#collision(path, isDirectory);
  }

  #collision(path: string, isDirectory: boolean): NameProblem | undefined {
    const own = this.#remember(path, foldName(path), isDirectory);
    if (own !== "new") return own === "known" ? undefined : own;
    // Parents of a directory that is known were remembered with it.
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const parent = path.slice(0, end);
      const found = this.#remember(parent, foldName(parent), true);
      if (found === "known") return undefined;
      if (found !== "new") return found;
    }
    return undefined;
  }

  #remember(path: string, folded: string, isDirectory: boolean): "new" | "known" | NameProblem {
    const other = this.#seen.get(folded);
    if (!other) {
      if (isDirectory && path === "go.mod") return { rule: "go-mod-directory", reason: "go.mod is a directory" };
      if (isDirectory && ++this.#directories > maxZipDirectories) {
        return { rule: "directories", reason: `more than ${maxZipDirectories} directories` };
      }
      this.#seen.set(folded, { path, isDirectory });
      return "new";
    }
    if (other.path !== path) {
      return { rule: "case-collision", reason: `case-insensitive file name collision: "${other.path}" and "${path}"` };
    }
    if (other.isDirectory !== isDirectory) {
      return { rule: "file-and-directory", reason: `entry "${path}" is both a file and a directory` };
    }
    return isDirectory ? "known" : { rule: "duplicate", reason: `multiple entries for file "${path}"` };
  }
}

function filePathProblem(path: string): NameProblem | undefined {
  try {
    checkFilePath(path);
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return { rule: "name", reason: error.message };
    throw error;
  }
}

function goModProblem(path: string): NameProblem | undefined {
  const base = path.slice(path.lastIndexOf("/") + 1);
  // strings.EqualFold knows no other letters that fold to these six.
  if (base.toLowerCase() !== "go.mod") return undefined;
  if (base !== path) return { rule: "go-mod-nested", reason: "go.mod file not in module root directory" };
  return base === "go.mod" ? undefined : { rule: "go-mod-case", reason: "go.mod files must have lowercase names" };
}

/**
 * The directories inside a module, relative and without the module's own: `cmd/x` when some file lies below it. A path
 * that names one of them is a package of this module, never a nested module.
 */
export function moduleDirectories(names: Iterable<string>, prefix: string): ReadonlySet<string> {
  const directories = new Set<string>();
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const path = name.slice(prefix.length);
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const directory = path.slice(0, end);
      if (directories.has(directory)) break;
      if (directories.size === maxZipDirectories) throw badZip(`more than ${maxZipDirectories} directories`);
      directories.add(directory);
    }
  }
  return directories;
}
