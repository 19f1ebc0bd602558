// What this room asks of the world: a module cache on a disk, and a checksum database's word.

import type { ModuleVersion } from "#protocol/version.ts";
import type { Sums } from "#protocol/record.ts";

export type EntryKind = "file" | "folder" | "other";

export type CacheEntry = { readonly name: string; readonly kind: EntryKind };

/** What is known of a file or folder without reading it. */
export type CacheFacts = {
  readonly kind: EntryKind;
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly modifiedMs: number;
  /** When it was last read, as far as the file system keeps account of that. */
  readonly accessedMs: number;
  /** It belongs to this user. True where the system knows no owners. */
  readonly isOurs: boolean;
};

/** A file or folder that the system does not let us read. */
export class CacheUnreadable extends Error {
  override readonly name = "CacheUnreadable";
  readonly path: string;
  constructor(path: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.path = path;
  }
}

/**
 * A module cache (GOMODCACHE) that is read. Paths are relative, with `/`; "" is the cache itself. Symbolic links are
 * never followed. What cannot be read throws CacheUnreadable.
 */
export interface CacheTree {
  /** Where it is, as this system spells it. */
  readonly root: string;
  /** In no order; none when there is no such folder. */
  names(folder: string): Promise<readonly CacheEntry[]>;
  facts(path: string): Promise<CacheFacts | undefined>;
  /** Undefined when there is no such file; the first `maxBytes` of a larger one. */
  read(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** SHA-256 in hexadecimal of a file that is there, of any size. */
  digest(path: string): Promise<string>;
  /** The `h1:` of a module zip that is there, or why go would not take it. Throws the signal's reason. */
  hashZip(path: string, id: ModuleVersion, signal: AbortSignal): Promise<ZipHash>;
  /** Whether somebody holds the lock; undefined where the system does not tell. Takes no lock itself. */
  isLocked(path: string): Promise<boolean | undefined>;
  /** Whether files can be made in the cache; false when it is not there. */
  isWritable(): Promise<boolean>;
}

/** `goModSha256`: of the go.mod in it; undefined when it has none. */
export type ZipHash =
  | { readonly kind: "hash"; readonly h1: string; readonly goModSha256: string | undefined }
  | { readonly kind: "broken"; readonly reason: string };

/** A file lock as go takes it (cmd/go lockedfile: flock on Unix). */
export interface CacheLock {
  /** Whether somebody else waits for it, as far as the system tells; undefined when it does not. */
  isWantedByOthers(): Promise<boolean | undefined>;
  release(): Promise<void>;
}

/** A module cache that may be changed. Whoever changes a version holds its lock. */
export interface CacheKeeper {
  /**
   * Takes the lock without waiting; "held" when somebody else has it, "no-locks" when nothing on this machine can take
   * go's locks. Makes the file when it is not there.
   */
  lock(path: string): Promise<CacheLock | "held" | "no-locks">;
  /** False when there was none. */
  removeFile(path: string): Promise<boolean>;
  /** Makes what is in it writable first: go keeps trees read-only. */
  removeTree(folder: string): Promise<void>;
  /** Beside, then renamed: nobody ever reads half of it. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** In place, as go does with `list`: somebody may hold its lock. */
  overwrite(path: string, bytes: Uint8Array): Promise<void>;
  /** As write(), with the bytes of a file of this system; returns how many. */
  copyIn(path: string, from: string): Promise<number>;
}

/** What a checksum database says of a version. */
export type SumsAnswer =
  | {
      readonly kind: "recorded";
      readonly sums: Sums;
      readonly database: string;
      /** Number of the record. */
      readonly number: number;
      /** Who gave it. */
      readonly route: string;
    }
  /** go asks no database about it on this machine. */
  | { readonly kind: "unasked"; readonly because: "off" | "pattern" | "file-proxy" | "refused" }
  /** The database itself says so. */
  | { readonly kind: "unrecorded"; readonly reason: string }
  /** Answers came, and none could be proven. */
  | { readonly kind: "unproven"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

/** Never throws for what the database or the network does; throws the signal's reason. */
export type LookUpSums = (id: ModuleVersion, signal: AbortSignal) => Promise<SumsAnswer>;
