// Where things lie in a module cache (cmd/go modfetch/cache.go; protocol reference §9).
//
//   github.com/!azure/x@v1.0.0/                       the tree of a version
//   cache/download/github.com/!azure/x/@v/v1.0.0.zip  and .info .mod .ziphash .lock .partial; `list` beside them

import { escapePath, unescapePath } from "#protocol/path.ts";
import type { ModulePath } from "#protocol/path.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { checkModuleVersion, escapeVersion, unescapeVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";

export const downloadFolder = "cache/download";
export const sumdbFolder = "cache/download/sumdb";
export const vcsFolder = "cache/vcs";

/** The files of a version, by the ends of their names. */
export const unitFiles = ["info", "mod", "zip", "ziphash", "lock", "partial"] as const;
export type UnitFile = (typeof unitFiles)[number];

/** The `@v` folder of a module. */
export function versionsFolder(path: ModulePath): string {
  return `${downloadFolder}/${escapePath(path)}/@v`;
}

export function unitPath(id: ModuleVersion, file: UnitFile): string {
  return `${versionsFolder(id.path)}/${escapeVersion(id.version)}.${file}`;
}

export function listPath(path: ModulePath): string {
  return `${versionsFolder(path)}/list`;
}

/** Where the extracted files are. */
export function treePath({ path, version }: ModuleVersion): string {
  return `${escapePath(path)}@${escapeVersion(version)}`;
}

/** What a name in an `@v` folder is. */
export type VersionsName =
  | { readonly kind: "unit"; readonly version: string; readonly file: UnitFile }
  | { readonly kind: "list" }
  /** Left by a go command that ended in the middle, or in use by one that is at work. */
  | { readonly kind: "temp"; /** Whose, where the name tells. */ readonly version: string | undefined }
  | { readonly kind: "odd" };

const unitName = /^(v\d+\.\d+\.\d+.*?)\.(info|mod|zip|ziphash|lock|partial)$/s;
/** cmd/go tempFile, and os.CreateTemp before it. */
const tempName = /^(?:(v\d+\.\d+\.\d+.*?)\.(?:info|mod|zip|ziphash)|list)?[-.]?\d*\.tmp-?\d*$/s;

/** Reads a name in an `@v` folder; versions are as they stand there, escaped. */
export function readName(name: string): VersionsName {
  if (name === "list" || name === "list.lock") return { kind: "list" };
  const [, version, file] = unitName.exec(name) ?? [];
  if (version !== undefined) return { kind: "unit", version, file: file as UnitFile };
  const temp = tempName.exec(name);
  return temp === null ? { kind: "odd" } : { kind: "temp", version: temp[1] };
}

/** The version that an escaped path and an escaped version name; undefined for what go would never make. */
export function readId(escapedPath: string, escapedVersion: string): ModuleVersion | undefined {
  try {
    return checkModuleVersion(unescapePath(escapedPath), unescapeVersion(escapedVersion));
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
