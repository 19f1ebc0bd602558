// What the operating system says, in the words of the storage port; and the few calls every part of the disk needs.

import { constants } from "node:fs";
import type { BigIntStats } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { ObjectStat } from "#services/store/ports.ts";
import { StageTooLarge, StoreFull, StoreUnavailable } from "#services/store/ports.ts";

/** The token names the inode and both times: a write in place, a replacement and a restored backup all change it. */
export function statOf(facts: BigIntStats): ObjectStat {
  const token = `${facts.ino}.${facts.size}.${facts.mtimeNs}.${facts.ctimeNs}`;
  return { size: Number(facts.size), modifiedMs: Number(facts.mtimeMs), token };
}

export function codeOf(error: unknown): string | undefined {
  const code: unknown = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

const absences = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EISDIR"]);

/** No object can be there. ELOOP: a symbolic link somebody planted is no object of ours. */
export function isAbsent(error: unknown): boolean {
  return absences.has(codeOf(error) ?? "");
}

const reasons: Readonly<Record<string, string>> = {
  ENOTDIR: "something that is not a directory is in the way",
  ENAMETOOLONG: "the name is too long for this file system",
};

/** A failed call as StoreUnavailable or StoreFull; errors that are no system errors stay what they are. */
export function inOurWords(key: string, error: unknown): unknown {
  if (error instanceof StoreUnavailable || error instanceof StageTooLarge) return error;
  const code = codeOf(error);
  if (code === undefined) return error;
  if (code === "ENOSPC" || code === "EDQUOT") return new StoreFull(key, "no space left", { cause: error });
  return new StoreUnavailable(key, reasons[code] ?? code, { cause: error });
}

/** Fills `into` from `offset`; fewer bytes only at the end of the file. */
export async function readFully(handle: FileHandle, into: Uint8Array, offset: number): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await handle.read(into, done, into.length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
