// Makes the file of a store's SQLite index as small as what is in it.

import { stat } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { codeOf } from "./_disk-calls.ts";

/** A server's writes are short; beside one that writes all the time there is another day. */
const busyMs = 5_000;

/** Bytes before and after; undefined when there is no such file. Throws when it is in use or no database. */
export async function compactDatabase(
  file: string,
): Promise<{ readonly before: number; readonly after: number } | undefined> {
  const before = await sizeOf(file);
  if (before === undefined) return undefined;
  const database = new DatabaseSync(file, { timeout: busyMs });
  try {
    database.exec("VACUUM");
    // With a write-ahead log the file itself shrinks at the next checkpoint.
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    database.close();
  }
  return { before, after: (await sizeOf(file)) ?? before };
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
