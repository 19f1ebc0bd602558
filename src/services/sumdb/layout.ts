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
  return storageKey(`${lookupsPrefix(database)}${escapePath(id.path)}@${escapeVersion(id.version)}`);
}

export function lookupsPrefix(database: string): string {
  return `modules/sumdb/${database}/lookup/`;
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
  return storageKey(`${forksPrefix(database)}${digest}.json`);
}

export function decisionKey(database: string, digest: string): StorageKey {
  return storageKey(`${forksPrefix(database)}${digest}.decided`);
}

export function forksPrefix(database: string): string {
  return `state/sumdb/${database}/forks/`;
}

/** What to ask a route for: percent-encoded as the go command does. */
export function lookupPath(database: string, id: ModuleVersion): string {
  const target = { kind: "sumdb", cachedOnly: false, name: database, endpoint: { kind: "lookup", ...id } } as const;
  return formatTarget(target).slice(`/sumdb/${database}`.length);
}

/** Before everything that clients may read. */
export function publicPrefix(database: string): string {
  return `modules/sumdb/${database}/`;
}

function publicKey(database: string, rest: string): StorageKey {
  return storageKey(publicPrefix(database) + rest);
}
