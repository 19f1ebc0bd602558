// Where things lie. The `modules/` part is the URL layout of a module proxy, so that the directory is a valid
// file:// GOPROXY; `state/` is ours alone.

import { ProtocolError } from "#protocol/errors.ts";
import { escapePath, unescapePath } from "#protocol/path.ts";
import type { ModulePath } from "#protocol/path.ts";
import { checkModuleVersion, escapeVersion, unescapeVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { StorageKey } from "./ports.ts";
import { storageKey } from "./ports.ts";

export type VersionFile = "info" | "mod" | "zip" | "mod.manifest" | "zip.manifest" | "tombstone";

/** `modules/github.com/!azure/x/@v/v1.0.0.zip` */
export function versionKey(id: ModuleVersion, file: VersionFile): StorageKey {
  return storageKey(`${moduleFolder(id.path)}${escapeVersion(id.version)}.${file}`);
}

/** `modules/github.com/!azure/x/@v/` */
export function moduleFolder(path: ModulePath): string {
  return `modules/${escapePath(path)}/@v/`;
}

/** The list of complete versions. */
export function listKey(path: ModulePath): StorageKey {
  return storageKey(`${moduleFolder(path)}list`);
}

/** The version that a file below `modules/` belongs to, and which of its files it is; undefined for any other key. */
export function versionOfKey(key: string): { readonly id: ModuleVersion; readonly file: VersionFile } | undefined {
  const at = key.indexOf("/@v/");
  if (!key.startsWith(modulesPrefix) || key.startsWith(sumdbPrefix) || at < 0) return undefined;
  const name = key.slice(at + 4);
  const file = versionFiles.find((one) => name.endsWith(`.${one}`));
  if (file === undefined) return undefined;
  try {
    const path = unescapePath(key.slice(modulesPrefix.length, at));
    const id = checkModuleVersion(path, unescapeVersion(name.slice(0, -file.length - 1)));
    return versionKey(id, file) === key ? { id, file } : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

export const modulesPrefix = "modules/";
export const sumdbPrefix = "modules/sumdb/";

/** Longer endings first: `mod.manifest` is no `manifest` of a version `….mod`. */
const versionFiles: readonly VersionFile[] = ["mod.manifest", "zip.manifest", "tombstone", "info", "mod", "zip"];

export function pinKey(id: ModuleVersion): StorageKey {
  return storageKey(`state/pins/${escapePath(id.path)}/@v/${escapeVersion(id.version)}.json`);
}
