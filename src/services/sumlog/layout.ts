// Where an own log is kept: `state/sumlog/<name>/`. Every object but `numbers` and `cosigned` is written once and never
// changed, so that two processes can disagree about nothing but who was first.

import { formatTilePath, type Tile } from "#protocol/tile.ts";
import { storageKey, type StorageKey } from "#services/store/ports.ts";

/** The records that followed the first `from` ones. */
export function commitKey(log: string, from: number): StorageKey {
  return key(log, `commits/${digits(from)}`);
}

export function commitsPrefix(log: string): string {
  return `${key(log, "commits")}/`;
}

/** The signed head of the first `size` records. */
export function headKey(log: string, size: number): StorageKey {
  return key(log, `heads/${digits(size)}`);
}

export function headsPrefix(log: string): string {
  return `${key(log, "heads")}/`;
}

/** A full tile of hashes or records. */
export function tileKey(log: string, tile: Tile): StorageKey {
  return key(log, formatTilePath(tile));
}

/** Which record is whose, to find them faster after a start. */
export function numbersKey(log: string): StorageKey {
  return key(log, "numbers");
}

/** The newest checkpoint that enough witnesses cosigned. */
export function cosignedKey(log: string): StorageKey {
  return key(log, "cosigned");
}

/** The number that commitKey and headKey put at a key's end; undefined for any other key. */
export function numberOf(stored: StorageKey): number | undefined {
  const last = stored.slice(stored.lastIndexOf("/") + 1);
  return /^[0-9]{16}$/.test(last) ? Number(last) : undefined;
}

function key(log: string, rest: string): StorageKey {
  return storageKey(`state/sumlog/${log}/${rest}`);
}

/** Sorted by name they are sorted by number. */
function digits(number: number): string {
  return String(number).padStart(16, "0");
}
