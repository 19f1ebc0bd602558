// How far an index has been read, in a file of the store, so that a restart goes on from there.
//
//   state/sync.json   {"index":"https://index.example/index","since":"2026-01-01T00:00:00Z","seen":["a.example/m@v1.0.0"]}
//
// `since` is inclusive: what was seen with that very timestamp comes again, and `seen` says that it is known.

import type { Storage } from "#services/store/ports.ts";
import { StoreUnavailable, storageKey } from "#services/store/ports.ts";
import { isTimestamp } from "./index-lines.ts";

export type Cursor = {
  readonly index: string;
  readonly since: string;
  /** `path@version` of what has the timestamp `since`. */
  readonly seen: readonly string[];
};

export const cursorKey = storageKey("state/sync.json");
/** A page of 2,000 paths, all with one timestamp. */
const maxFileBytes = 1 << 20;

/** Undefined when there is none, or none that can be read: then reading starts from now. Throws StoreUnavailable. */
export async function loadCursor(storage: Storage): Promise<Cursor | undefined> {
  const stored = await storage.get(cursorKey, maxFileBytes);
  if (stored === undefined) return undefined;
  try {
    const value = JSON.parse(Buffer.from(stored.bytes).toString("utf8")) as Partial<Cursor> | null;
    const { index, since, seen } = value ?? {};
    if (typeof index !== "string" || !isTimestamp(since) || !Array.isArray(seen)) return undefined;
    return { index, since, seen: seen.filter((one) => typeof one === "string") };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Resolves when it is on disk. Throws StoreUnavailable. */
export async function saveCursor(storage: Storage, cursor: Cursor): Promise<void> {
  const stat = await storage.stat(cursorKey);
  const bytes = Buffer.from(`${JSON.stringify(cursor)}\n`);
  // This process owns the store's state: nobody else writes it.
  if ((await storage.replace(cursorKey, bytes, stat?.token)) === "conflict")
    throw new StoreUnavailable(cursorKey, "somebody else wrote it");
}
