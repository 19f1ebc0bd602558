// Where a database's things are kept. Below `modules/` they lie as a `file://` proxy needs them, so that a plain `go`
// verifies from the store; below `state/` lies what only we read.

import { escapePath } from "#protocol/path.ts";
import { formatTilePath, type Tile } from "#protocol/tile.ts";
import { formatTarget } from "#protocol/request.ts";
import { escapeVersion, type ModuleVersion } from "#protocol/version.ts";
import { storageKey, type StorageKey } from "#services/store/ports.ts";

/** cmd/go knows no other tile height. */
export const tileHeight = 8;

export function lookupKey(database: string, id: ModuleVersion): StorageKey {
  return publicKey(database, `lookup/${escapePath(id.path)}@${escapeVersion(id.version)}`);
}

export function tileKey(database: string, tile: Tile): StorageKey {
  return publicKey(database, formatTilePath(tile));
}

export function latestKey(database: string): StorageKey {
  return publicKey(database, "latest");
}

/** `go` takes a proxy for a database's mirror when this can be read. */
export function supportedKey(database: string): StorageKey {
  return publicKey(database, "supported");
}

export function headsKey(database: string): StorageKey {
  return storageKey(`state/sumdb/${database}/heads.json`);
}

export function evidenceKey(database: string, digest: string): StorageKey {
  return storageKey(`state/sumdb/${database}/forks/${digest}.json`);
}

/** What to ask a route for: percent-encoded as the go command does. */
export function lookupPath(database: string, id: ModuleVersion): string {
  const target = { kind: "sumdb", cachedOnly: false, name: database, endpoint: { kind: "lookup", ...id } } as const;
  return formatTarget(target).slice(`/sumdb/${database}`.length);
}

function publicKey(database: string, rest: string): StorageKey {
  return storageKey(`modules/sumdb/${database}/${rest}`);
}
