// Where things lie. The `modules/` part is the URL layout of a module proxy, so that the directory is a valid
// file:// GOPROXY; `state/` is ours alone.

import { escapePath } from "#protocol/path.ts";
import type { ModulePath } from "#protocol/path.ts";
import { escapeVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import type { StorageKey } from "./ports.ts";
import { storageKey } from "./ports.ts";

export type VersionFile = "info" | "mod" | "zip" | "mod.manifest" | "zip.manifest";

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

export function pinKey(id: ModuleVersion): StorageKey {
  return storageKey(`state/pins/${escapePath(id.path)}/@v/${escapeVersion(id.version)}.json`);
}
