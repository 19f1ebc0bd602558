// The storage port: what the store asks of a disk, of memory, or of an object store.
//
// A key is a relative path with `/` between its elements, for example
// `modules/github.com/!azure/x/@v/v1.0.0.zip`. Keys are made from parsed values only, never from client bytes.

/** A storage key. Elements: no empty one, no `.` or `..`, no control characters, no backslash. */
export type StorageKey = string & { readonly kind: "StorageKey" };

/** What is known of an object without reading it. */
export type ObjectStat = {
  readonly size: number;
  /** 0 where copies have dates of their own and nobody knows the object's. */
  readonly modifiedMs: number;
  /**
   * Opaque; differs whenever the bytes may have changed (on disk: inode, size, mtime, ctime). What was checked
   * under one token need not be checked again while the token stays.
   */
  readonly token: string;
};

export type StoredBytes = ObjectStat & { readonly bytes: Uint8Array };

/** An object opened for ranged reads. Its owner closes it. Later writers do not disturb it. */
export interface OpenObject extends ObjectStat {
  /** Fills `into` from `offset`; returns the bytes read (fewer only at the end of the object). */
  read(offset: number, into: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/** Bytes on their way in: invisible under every key until create() takes them. */
export interface Stage {
  readonly size: number;
  write(chunk: Uint8Array): Promise<void>;
  /** No more writes; everything written is durable. */
  seal(): Promise<void>;
  /** Where another thread finds the sealed bytes: a file, or the bytes themselves. */
  locate(): { readonly path: string } | { readonly bytes: Uint8Array };
  /** Gives the space back. Idempotent; does nothing after create() took the stage. */
  discard(): Promise<void>;
}

/**
 * A stage that can be gone on with, also after its process died. Its journal is text beside the bytes, in which the owner
 * says what they are; neither is durable before seal(), so whoever resumes holds them against each other.
 */
export interface LastingStage extends Stage {
  /** Appends to the journal; a crash may cut it anywhere. */
  note(text: string): Promise<void>;
  /** Writes no more, and lets an open stage lie for resume(). Does what discard() does to a sealed one. */
  leave(): Promise<void>;
}

/** What was left. Its taker owns the stage, which takes writes at the end of the bytes. */
export type LeftStage = {
  readonly stage: LastingStage;
  readonly journal: string;
  /** Fills `into` from `offset` of the staged bytes; fewer only at their end. */
  read(offset: number, into: Uint8Array): Promise<number>;
  /** Throws away all bytes from `size` on. */
  cut(size: number): Promise<void>;
};

/** Stages that outlive their process. What is left is bounded in number, bytes and age; the oldest goes first. */
export interface LastingStages {
  /** As Storage.stage(); what is left of it lies under `name`, the newest under one name. */
  begin(name: string, maxBytes: number): Promise<LastingStage>;
  /** Takes what was left under `name`: of several callers one gets it, and nobody gets a stage that is in use. */
  resume(name: string, maxBytes: number): Promise<LeftStage | undefined>;
}

/** What takes space in a store's directory and is no object. */
export interface Leftovers {
  /** Temporary files that belong to no living process and that nobody may go on with. */
  temps(): AsyncIterable<{ readonly name: string; readonly bytes: number }>;
  /** False when it was gone. */
  removeTemp(name: string): Promise<boolean>;
  /** Folders below `prefix` in which there is no file, the innermost first; relative to the root. */
  emptyFolders(prefix: string): AsyncIterable<string>;
  /** False when there is something in it by now, or it was gone. */
  removeFolder(folder: string): Promise<boolean>;
}

/** What the file system under the store has left for us. */
export type Space = {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Files that can still be made; undefined where the file system does not count them. */
  readonly freeInodes: number | undefined;
  readonly totalInodes: number | undefined;
};

export interface StorageSpace {
  /** Throws StoreUnavailable when we cannot know. */
  space(): Promise<Space>;
}

/** Longest journal that is read back. */
export const maxJournalBytes = 1 << 20;

export interface Storage {
  /** Undefined where nothing outlives the process. */
  readonly lasting?: LastingStages | undefined;
  /** The whole object, or undefined when there is none. Throws StoreUnavailable when we cannot know or it is larger than maxBytes. */
  get(key: StorageKey, maxBytes: number): Promise<StoredBytes | undefined>;
  stat(key: StorageKey): Promise<ObjectStat | undefined>;
  open(key: StorageKey): Promise<OpenObject | undefined>;
  /**
   * Creates the object, atomically and durably (temp, fsync, rename or link, fsync of the directory). Never
   * overwrites: "exists" leaves both the object and, for a stage, the stage untouched. Where objects are files, one below
   * another object, or with the name of a folder, throws StoreUnavailable; where they are only names, both may be there.
   */
  create(key: StorageKey, body: Uint8Array | Stage): Promise<"created" | "exists">;
  /**
   * Replaces the object when its token is still `expected` (undefined: when there is none), atomically and durably.
   * "conflict" leaves both the object and, for a stage, the stage untouched.
   */
  replace(key: StorageKey, body: Uint8Array | Stage, expected: string | undefined): Promise<"replaced" | "conflict">;
  /** Removes the object; false when there was none. Of several processes that remove it at a time more than one may get true. */
  remove(key: StorageKey): Promise<boolean>;
  /** Every object whose key starts with `prefix` (a whole element prefix ending in `/`, or ""), in no promised order; no stages, no temps. */
  list(prefix: string): AsyncIterable<{ readonly key: StorageKey; readonly size: number; readonly modifiedMs: number }>;
  /** Opens a stage of at most `maxBytes`; a write beyond it throws StageTooLarge. */
  stage(maxBytes: number): Promise<Stage>;
  /**
   * The bytes that were read under the key are not what they should be. True when they came from a copy, which is dropped:
   * another read may bring others. Absent where there are no copies.
   */
  doubt?(key: StorageKey): Promise<boolean>;
  /** A URL from which anybody can read the object for a while, without us; undefined when there is none. Absent where there never is. */
  linkTo?(key: StorageKey): Promise<string | undefined>;
  /**
   * True while what is not found may only be out of reach: new things are kept and told to the others later, and nobody
   * may say of anything that it is not there. Absent where that never is.
   */
  readonly isAway?: boolean;
}

/** Checks and brands a key; throws RangeError (a bug of ours) on one that breaks the rules above. */
export function storageKey(text: string): StorageKey {
  const bad = text
    .split("/")
    .some((element) => element === "" || element === "." || element === ".." || /[\\\p{Cc}]/u.test(element));
  if (bad || text.length > maxKeyLength) throw new RangeError(`bad storage key ${JSON.stringify(text)}`);
  return text as StorageKey;
}

/** Longest key; module paths and versions are bounded far below it at the door. */
export const maxKeyLength = 4096;

/** The store cannot answer: neither "there is" nor "there is not" may be concluded. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  readonly key: string;
  constructor(key: string, message: string, options?: { cause?: unknown }) {
    super(`store: ${key}: ${message}`, options);
    this.key = key;
  }
}

/** A storage that others share is out of reach for now. What this node has a copy of can be read. */
export class StoreAway extends StoreUnavailable {}

/** The disk (or quota) is full. */
export class StoreFull extends StoreUnavailable {}

export class StageTooLarge extends Error {
  override readonly name = "StageTooLarge";
  readonly maxBytes: number;
  constructor(maxBytes: number) {
    super(`staged bytes exceed ${maxBytes}`);
    this.maxBytes = maxBytes;
  }
}

/** What lies under a name of a foreign folder. `other`: neither, or a symbolic link that leads out of the tree or to a folder. */
export type SourceEntry = { readonly name: string; readonly kind: "file" | "folder" | "other" };

/**
 * A foreign directory that is read and never written. Paths are relative, with `/`; `""` is the directory itself. No
 * symbolic link leads out of it. What cannot be read throws SourceUnreadable.
 */
export interface SourceTree {
  /** The names in a folder, in no order, read a few at a time; none when there is no such folder. */
  names(folder: string): AsyncIterable<SourceEntry>;
  /** Size in bytes of a file; undefined when there is no such file in the tree. */
  size(path: string): Promise<number | undefined>;
  /** Undefined when there is no such file in the tree. */
  read(path: string): Promise<SourceFile | undefined>;
  /** Where another thread finds a file that is there. */
  locate(path: string): { readonly path: string };
}

/** An open file. Its owner closes it; reading to the end does so too. */
export interface SourceFile {
  readonly size: number;
  readonly bytes: AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** A file or folder of a foreign directory that the system does not let us read. */
export class SourceUnreadable extends Error {
  override readonly name = "SourceUnreadable";
  readonly path: string;
  constructor(path: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.path = path;
  }
}

/** Wall clock and timers, so that tests own time. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A signal that aborts with a TimeoutError after `ms`. Without it the machine's own timers decide. */
  timeout?(ms: number): AbortSignal;
}

/** A signal that aborts with a TimeoutError after `ms` of this clock, and keeps no process alive. */
export function timeLimit(clock: Pick<Clock, "timeout">, ms: number): AbortSignal {
  return clock.timeout?.(ms) ?? AbortSignal.timeout(ms);
}

/** What is tried of a bucket, in this order. */
export const bucketTries = [
  "list",
  "write",
  "read",
  "create",
  "parts",
  "stale",
  "replace",
  "link",
  "versioning",
  "remove",
  "recreate",
  "revive",
] as const;
export type BucketTry = (typeof bucketTries)[number];

/** `wrong`: the service answered, and did not do what it should. `failed`: it did not do it, with what it said. */
export type TryOutcome =
  | { readonly is: "good" }
  | { readonly is: "wrong" }
  | { readonly is: "failed"; readonly status: number | undefined; readonly code: string; readonly said: string };

/** What was seen of a bucket; a try that an earlier failure made pointless is missing. */
export type BucketSeen = {
  readonly bucket: string;
  readonly prefix: string;
  /** "" is AWS. */
  readonly endpoint: string;
  readonly tries: Readonly<Partial<Record<BucketTry, TryOutcome>>>;
  /** Undefined when the service does not tell. */
  readonly versioning: "on" | "suspended" | "off" | undefined;
  /** The service's clock minus ours; undefined when it did not say the time. */
  readonly skewMs: number | undefined;
};

/** What was seen of a store on a disk. */
export type DiskSeen = {
  readonly dir: string;
  /** Why it cannot be used as a store; undefined when it can. */
  readonly trouble:
    | { readonly is: "unwritable" | "fsync"; readonly said: string }
    | { readonly is: "too-new"; readonly found: number; readonly supported: number }
    | undefined;
  readonly layout: number | undefined;
  readonly freeBytes: number | undefined;
  readonly fsyncMs: number | undefined;
};
