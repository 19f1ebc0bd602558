// What can be wrong with a store as a whole, or with one thing in it.

/** Kept bytes are not what their manifest says. The bytes are never sent; the caller repairs or answers 503. */
export class StoreDamaged extends Error {
  override readonly name = "StoreDamaged";
  readonly key: string;
  readonly expected: string;
  readonly found: string;
  /** Of the whole file that was committed, in hexadecimal, where its manifest still tells: these bytes restore it. */
  readonly sha256: string | undefined;
  constructor(key: string, damage: { readonly expected: string; readonly found: string; readonly sha256?: string }) {
    super(`${key}: expected ${damage.expected}, found ${damage.found}`);
    this.key = key;
    this.sha256 = damage.sha256;
    this.expected = damage.expected;
    this.found = damage.found;
  }

  /** The file is not there at all, as it also is when its version was evicted. */
  get isMissing(): boolean {
    return this.found === noFile;
  }
}

/** What is found where a committed file should be, when it is gone. */
export const noFile = "no file";

/** The directory cannot be used as a store. `message` says why and what to do. */
export class StoreUnwritable extends Error {
  override readonly name = "StoreUnwritable";
}

/** The store was written by a newer program. */
export class StoreTooNew extends Error {
  override readonly name = "StoreTooNew";
  readonly found: number;
  readonly supported: number;
  constructor(found: number, supported: number) {
    super(`the store has layout ${found}; this program knows layout ${supported}`);
    this.found = found;
    this.supported = supported;
  }
}

/** There is no store in the directory. */
export class NoStore extends Error {
  override readonly name = "NoStore";
}

/** The directory is no folder of snapshots, or cannot be made one. `message` says why. */
export class SnapshotsUnusable extends Error {
  override readonly name = "SnapshotsUnusable";
}

/** Another process writes this store. */
export class StoreLocked extends Error {
  override readonly name = "StoreLocked";
  /** Its process id. */
  readonly holder: number;
  constructor(holder: number) {
    super(`process ${holder} uses the store`);
    this.holder = holder;
  }
}
