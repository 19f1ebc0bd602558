// What a failed call says about the disk as a whole, beyond the one thing it was about.

import { StoreUnavailable } from "./ports.ts";

/**
 * `full`, `quota`: no space (or no inode) for us. `read-only`: the file system takes no writes. `io`: the device
 * answers with errors. `files`: this process, or the machine, has too many files open.
 */
export type Trouble = "full" | "quota" | "read-only" | "io" | "files";

const troubles: ReadonlyMap<string, Trouble> = new Map([
  ["ENOSPC", "full"],
  ["EDQUOT", "quota"],
  ["EROFS", "read-only"],
  ["EIO", "io"],
  ["EMFILE", "files"],
  ["ENFILE", "files"],
]);

/** Undefined for failures that concern one key, for our own limits, and for everything that is no failure of a disk. */
export function troubleOf(error: unknown): Trouble | undefined {
  if (!(error instanceof StoreUnavailable)) return undefined;
  const code: unknown = (error.cause as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? troubles.get(code) : undefined;
}
