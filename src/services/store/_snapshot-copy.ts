// Bytes from a store into a folder of snapshots: each file read once and hashed on its way, each object written once.

import { createHash } from "node:crypto";
import { sha256 as sha256Of } from "./_version-files.ts";
import { StoreDamaged } from "./errors.ts";
import { hashOf } from "./object-bytes.ts";
import type { ObjectStat, OpenObject, Stage, Storage, StorageKey } from "./ports.ts";
import { StoreUnavailable } from "./ports.ts";
import { objectKey } from "./snapshot-index.ts";
import type { SnapshotFile } from "./snapshot-index.ts";

/** What is larger goes through a stage, piece by piece. */
const smallBytes = 1 << 20;

export type CopyCounts = {
  /** Taken over from the snapshot before: neither read nor written. */
  unchanged: number;
  readFiles: number;
  readBytes: number;
  writtenFiles: number;
  writtenBytes: number;
};

export type CopyUse = {
  readonly store: Storage;
  readonly vault: Storage;
  /** Trusts nothing of before: reads every file, and every object that is there. */
  readonly isDeep: boolean;
  /** Called after each file. */
  readonly progress: (counts: Readonly<CopyCounts>) => void;
};

/** A file of the store cannot be read. The folder of snapshots failing is another matter, and no error of this class. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

export class Copier {
  readonly counts: CopyCounts = { unchanged: 0, readFiles: 0, readBytes: 0, writtenFiles: 0, writtenBytes: 0 };
  readonly #use: CopyUse;

  constructor(use: CopyUse) {
    this.#use = use;
  }

  /** Whether the folder of snapshots has all of these. */
  async hasAll(files: readonly SnapshotFile[]): Promise<boolean> {
    for (const file of files) if (!(await this.#has(file))) return false;
    return true;
  }

  /** What is known of a file of the store. Throws Unreadable. */
  async stat(key: StorageKey): Promise<ObjectStat | undefined> {
    return await reading(() => this.#use.store.stat(key));
  }

  /** True when neither the file nor its object need to be touched. Throws Unreadable. */
  async isUnchanged(file: SnapshotFile): Promise<boolean> {
    if (this.#use.isDeep) return false;
    return (await this.stat(file.key))?.token === file.token && (await this.#has(file));
  }

  /** Counts files that were taken over. */
  tookOver(files: number): void {
    this.counts.unchanged += files;
    this.#use.progress(this.counts);
  }

  /** A small file with its bytes, which are copied. Throws Unreadable, or StoreUnavailable when they cannot be kept. */
  async bytes(
    key: StorageKey,
    maxBytes: number,
  ): Promise<{ readonly file: SnapshotFile; readonly bytes: Uint8Array } | undefined> {
    const stored = await reading(() => this.#use.store.get(key, maxBytes));
    if (stored === undefined) return undefined;
    const sha256 = sha256Of(stored.bytes);
    await this.#put(sha256, stored.bytes);
    this.#wasRead(stored.size);
    return { file: { key, size: stored.size, sha256, token: stored.token }, bytes: stored.bytes };
  }

  /**
   * Copies a file unless nothing has changed since `before`; undefined when there is none. Throws StoreDamaged when its
   * hash is not `sha256`, Unreadable, or StoreUnavailable when the bytes cannot be kept.
   */
  async file(
    key: StorageKey,
    known: { readonly before?: SnapshotFile | undefined; readonly sha256?: string } = {},
  ): Promise<SnapshotFile | undefined> {
    const { before } = known;
    const isWanted = before !== undefined && (known.sha256 ?? before.sha256) === before.sha256;
    if (isWanted && (await this.isUnchanged(before))) {
      this.tookOver(1);
      return before;
    }
    const object = await reading(() => this.#use.store.open(key));
    if (object === undefined) return undefined;
    try {
      const { size, sha256 } = await (object.size <= smallBytes ? this.#small : this.#large).call(this, object, known);
      if (known.sha256 !== undefined && sha256 !== known.sha256)
        throw new StoreDamaged(key, { expected: known.sha256, found: sha256 });
      this.#wasRead(size);
      return { key, size, sha256, token: object.token };
    } finally {
      await object.close();
    }
  }

  async #small(object: OpenObject, want: { readonly sha256?: string }): Promise<Found> {
    const whole = Buffer.alloc(object.size);
    const bytes = whole.subarray(0, await reading(() => object.read(0, whole)));
    const sha256 = sha256Of(bytes);
    if (want.sha256 === undefined || want.sha256 === sha256) await this.#put(sha256, bytes);
    return { size: bytes.length, sha256 };
  }

  async #large(object: OpenObject, want: { readonly sha256?: string }): Promise<Found> {
    // What is there already is only hashed.
    const isKept = want.sha256 !== undefined && (await this.#isSound(want.sha256, object.size));
    if (isKept) return await this.#pour(object, () => Promise.resolve());
    const stage = await this.#use.vault.stage(object.size);
    try {
      const found = await this.#pour(object, (piece) => stage.write(piece));
      if (want.sha256 === undefined || want.sha256 === found.sha256) {
        await stage.seal();
        await this.#put(found.sha256, stage);
      }
      return found;
    } finally {
      await stage.discard();
    }
  }

  /** Reads as much as there was when the object was opened: others may be appending. */
  async #pour(object: OpenObject, into: (piece: Uint8Array) => Promise<void>): Promise<Found> {
    const hash = createHash("sha256");
    const piece = Buffer.alloc(smallBytes);
    let size = 0;
    while (size < object.size) {
      const part = piece.subarray(0, Math.min(piece.length, object.size - size));
      const got = await reading(() => object.read(size, part));
      if (got === 0) break;
      hash.update(part.subarray(0, got));
      await into(part.subarray(0, got));
      size += got;
    }
    return { size, sha256: hash.digest("hex") };
  }

  async #put(sha256: string, body: Uint8Array | Stage): Promise<void> {
    const size = body instanceof Uint8Array ? body.length : body.size;
    const key = objectKey(sha256);
    if (await this.#isSound(sha256, size)) return;
    // Of the wrong size, or damaged as a deep look has shown.
    if ((await this.#use.vault.create(key, body)) === "exists") {
      if (await this.#isSound(sha256, size)) return;
      await this.#use.vault.remove(key);
      if ((await this.#use.vault.create(key, body)) === "exists")
        throw new StoreUnavailable(key, "another process makes snapshots here");
    }
    this.counts.writtenFiles++;
    this.counts.writtenBytes += size;
  }

  async #has({ sha256, size }: { readonly sha256: string; readonly size: number }): Promise<boolean> {
    return (await this.#use.vault.stat(objectKey(sha256)))?.size === size;
  }

  /** True when the object is there and looks right; a deep look reads it. */
  async #isSound(sha256: string, size: number): Promise<boolean> {
    if (!(await this.#has({ sha256, size }))) return false;
    return !this.#use.isDeep || (await isObjectSound(this.#use.vault, { sha256, size }));
  }

  #wasRead(size: number): void {
    this.counts.readFiles++;
    this.counts.readBytes += size;
    this.#use.progress(this.counts);
  }
}

type Found = { readonly size: number; readonly sha256: string };

/** Reads an object of the folder of snapshots and holds it against its name. */
async function isObjectSound(vault: Storage, { sha256, size }: Found): Promise<boolean> {
  const object = await vault.open(objectKey(sha256));
  if (object === undefined) return false;
  try {
    return object.size === size && (await hashOf(object)) === sha256;
  } finally {
    await object.close();
  }
}

/** Throws Unreadable when the store cannot be read. */
export async function reading<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreUnavailable) throw new Unreadable(error.message, { cause: error });
    throw error;
  }
}
