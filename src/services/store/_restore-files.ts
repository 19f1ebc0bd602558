// Objects of a snapshot on their way back into a store: each is hashed before it gets its name.

import { createHash } from "node:crypto";
import { sha256 as sha256Of, VersionFiles } from "./_version-files.ts";
import { piecesOf } from "./object-bytes.ts";
import type { OpenObject, Storage, StorageKey } from "./ports.ts";
import { objectKey, SnapshotDamaged } from "./snapshot-index.ts";
import type { SnapshotFile } from "./snapshot-index.ts";

/** What is larger goes through a stage, piece by piece. */
const smallBytes = 1 << 20;

export type RestoreCounts = {
  /** Were there already. */
  same: number;
  restoredFiles: number;
  restoredBytes: number;
};

export class Restorer {
  readonly counts: RestoreCounts = { same: 0, restoredFiles: 0, restoredBytes: 0 };
  readonly #vault: Storage;
  readonly #store: Storage;
  readonly #files: VersionFiles;
  readonly #isDry: boolean;
  readonly #progress: (counts: Readonly<RestoreCounts>) => void;

  constructor(use: {
    readonly vault: Storage;
    readonly store: Storage;
    /** Decides and counts, and writes nothing. */
    readonly isDry: boolean;
    readonly progress: (counts: Readonly<RestoreCounts>) => void;
  }) {
    this.#vault = use.vault;
    this.#store = use.store;
    this.#files = new VersionFiles(use.store);
    this.#isDry = use.isDry;
    this.#progress = use.progress;
  }

  /** Makes sure that the store has these very bytes. Throws SnapshotDamaged when the snapshot does not have them. */
  async ensure(file: SnapshotFile): Promise<void> {
    if ((await this.#hashInStore(file.key)) === file.sha256) this.wasThere();
    else await this.#put(file);
  }

  /** Puts a file where there is none; one that is there stays. Throws as ensure(). */
  async ensureSome(file: SnapshotFile): Promise<void> {
    if ((await this.#store.stat(file.key)) === undefined) await this.#put(file);
    else this.wasThere();
  }

  /** Counts a file that the store has, in these bytes or in its own. */
  wasThere(): void {
    this.counts.same++;
    this.#progress(this.counts);
  }

  /** Writes bytes made from what a snapshot has, whatever was there. */
  async write(key: StorageKey, bytes: Uint8Array): Promise<void> {
    if (!this.#isDry) await this.#files.overwrite(key, bytes);
    this.#wasRestored(bytes.length);
  }

  async remove(key: StorageKey): Promise<void> {
    if (!this.#isDry) await this.#store.remove(key);
  }

  /** A small object. Throws SnapshotDamaged. */
  async read({ sha256, size, key }: SnapshotFile): Promise<Uint8Array> {
    const stored = await this.#vault.get(objectKey(sha256), size).catch(() => undefined);
    if (stored === undefined || sha256Of(stored.bytes) !== sha256) throw damaged(key, sha256);
    return stored.bytes;
  }

  /** The hash of what the store has; undefined when it has nothing there. */
  async #hashInStore(key: StorageKey): Promise<string | undefined> {
    const object = await this.#store.open(key);
    if (object === undefined) return undefined;
    try {
      return await pour(object, () => Promise.resolve());
    } finally {
      await object.close();
    }
  }

  async #put(file: SnapshotFile): Promise<void> {
    if (file.size <= smallBytes) {
      const bytes = await this.read(file);
      if (!this.#isDry) await this.#files.overwrite(file.key, bytes);
    } else await this.#putLarge(file);
    this.#wasRestored(file.size);
  }

  async #putLarge({ key, sha256, size }: SnapshotFile): Promise<void> {
    const fail = (): never => {
      throw damaged(key, sha256);
    };
    const object = await this.#vault.open(objectKey(sha256)).catch(fail);
    if (object?.size !== size) {
      await object?.close();
      return fail();
    }
    try {
      if (this.#isDry) return;
      const source = { size, read: (offset: number, into: Uint8Array) => object.read(offset, into).catch(fail) };
      const stage = await this.#store.stage(size);
      try {
        if ((await pour(source, (piece) => stage.write(piece))) !== sha256) fail();
        await stage.seal();
        await this.#files.place(key, stage, () => Promise.resolve("goes"));
      } finally {
        await stage.discard();
      }
    } finally {
      await object.close();
    }
  }

  #wasRestored(bytes: number): void {
    this.counts.restoredFiles++;
    this.counts.restoredBytes += bytes;
    this.#progress(this.counts);
  }
}

function damaged(key: StorageKey, sha256: string): SnapshotDamaged {
  return new SnapshotDamaged(`${key}: the snapshot's object ${sha256} is lost or damaged`);
}

/** Reads an object to its end; resolves to its hash. */
async function pour(
  object: Pick<OpenObject, "size" | "read">,
  into: (piece: Uint8Array) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of piecesOf(object)) {
    hash.update(piece);
    await into(piece);
  }
  return hash.digest("hex");
}
