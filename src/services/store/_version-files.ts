// The files of a version, one by one: written before a manifest names them, checked against it when they are read.
//
// Others write the same store, and any of us may sleep for minutes between two calls. So nothing is ever replaced but
// what was looked at (by its token), and nothing that somebody may be about to commit is replaced at all.

import { createHash } from "node:crypto";
import { maxGoModBytes } from "#protocol/gomod.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { noFile, StoreDamaged } from "./errors.ts";
import { versionKey } from "./layout.ts";
import { maxManifestBytes } from "./manifest.ts";
import type { OpenObject, Stage, Storage, StorageKey, StoredBytes } from "./ports.ts";
import { StoreUnavailable } from "./ports.ts";
import { findTombstone, formatTombstone } from "./tombstone.ts";
import type { Tombstone } from "./tombstone.ts";

type FileFacts = { readonly size: number; readonly sha256: string };

/** What lies in a file's place, and what had to go for it. */
export type Written = { readonly bytes: Uint8Array; readonly displaced?: Uint8Array | undefined };

/** Another process may hold or remove a key under us; one that does so all the time is an obstacle, not a race. */
export const maxAttempts = 10;

export class VersionFiles {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** The committed bytes of a file, from disk or else from those at hand. Throws StoreDamaged when nobody has them. */
  async restore(
    key: StorageKey,
    { facts, from }: { readonly facts: FileFacts; readonly from: readonly (Uint8Array | undefined)[] },
  ): Promise<Uint8Array> {
    try {
      return await this.readChecked(key, facts);
    } catch (error) {
      const bytes = from.find((each) => each !== undefined && sha256(each) === facts.sha256);
      if (!(error instanceof StoreDamaged) || bytes === undefined) throw error;
      await this.overwrite(key, bytes);
      return bytes;
    }
  }

  /**
   * Sees to it that a file that no manifest names yet is there. What another left or is about to commit stays when
   * `stays` says so; anything else is replaced.
   */
  async write(key: StorageKey, bytes: Uint8Array, stays: (found: Uint8Array) => Promise<boolean>): Promise<Written> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if ((await this.#storage.create(key, bytes)) === "created") return { bytes };
      const left = await this.#left(key);
      if (left === undefined) continue;
      const found = left.bytes;
      if (found !== undefined && (isSame(found, bytes) || (await stays(found)))) return { bytes: found };
      // What was looked at is what goes.
      if ((await this.#storage.replace(key, bytes, left.token)) === "replaced") return { bytes, displaced: found };
    }
    throw new StoreUnavailable(key, "it changes all the time");
  }

  /** What lies there; without bytes when it is larger than any of ours. */
  async #left(key: StorageKey): Promise<{ readonly token: string; readonly bytes?: Uint8Array } | undefined> {
    const stat = await this.#storage.stat(key);
    return stat === undefined || stat.size > maxGoModBytes ? stat : await this.#storage.get(key, maxGoModBytes);
  }

  /** Whatever is there. Only with the very bytes that a manifest names, or for a tombstone. */
  async overwrite(key: StorageKey, bytes: Uint8Array): Promise<void> {
    if ((await this.#storage.create(key, bytes)) === "created") return;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const stat = await this.#storage.stat(key);
      if ((await this.#storage.replace(key, bytes, stat?.token)) === "replaced") return;
    }
    throw new StoreUnavailable(key, "it changes all the time");
  }

  /** Throws StoreDamaged when the file is not what `facts` say. */
  async readChecked(key: StorageKey, facts: FileFacts): Promise<Uint8Array> {
    try {
      return await this.#readOnce(key, facts);
    } catch (error) {
      if (!(error instanceof StoreDamaged) || (await this.#storage.doubt?.(key)) !== true) throw error;
      return await this.#readOnce(key, facts);
    }
  }

  async #readOnce(key: StorageKey, facts: FileFacts): Promise<Uint8Array> {
    const want = { expected: facts.sha256, sha256: facts.sha256 };
    const stored = await this.#get(key, { atMost: facts.size, ...want });
    const found = stored === undefined ? noFile : sha256(stored.bytes);
    if (stored === undefined || found !== facts.sha256) throw new StoreDamaged(key, { ...want, found });
    return stored.bytes;
  }

  /** A file larger than it can be is damage, which another keep may heal, and no reason to doubt the storage. */
  async #get(
    key: StorageKey,
    want: { readonly atMost: number; readonly expected: string; readonly sha256?: string },
  ): Promise<StoredBytes | undefined> {
    try {
      return await this.#storage.get(key, want.atMost);
    } catch (error) {
      const size = error instanceof StoreUnavailable ? (await this.#storage.stat(key))?.size : undefined;
      if (size === undefined || size <= want.atMost) throw error;
      throw new StoreDamaged(key, { ...want, found: `${size} bytes` });
    }
  }

  /** A manifest's bytes, parsed. Throws StoreDamaged when they are none. */
  async readManifest<T>(
    key: StorageKey,
    parse: (bytes: Uint8Array) => T,
  ): Promise<{ readonly manifest: T; readonly bytes: Uint8Array; readonly token: string } | undefined> {
    const read = async () => {
      const stored = await this.#get(key, { atMost: maxManifestBytes, expected: "a manifest of layout 1" });
      return stored && { manifest: parse(stored.bytes), bytes: stored.bytes, token: stored.token };
    };
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof StoreDamaged) || (await this.#storage.doubt?.(key)) !== true) throw error;
      return await read();
    }
  }

  /** Undefined when the version was not evicted, or what says so cannot be understood. */
  async tombstone(id: ModuleVersion): Promise<Tombstone | undefined> {
    return await findTombstone(this.#storage, id);
  }

  /** Writes a version's tombstone; one that has its `.info` stays. */
  async bury(id: ModuleVersion, tombstone: Tombstone): Promise<void> {
    const key = versionKey(id, "tombstone");
    if ((await this.#storage.create(key, formatTombstone(tombstone))) === "created") return;
    const before = await this.tombstone(id);
    if (before?.info !== undefined || (before !== undefined && tombstone.info === undefined)) return;
    await this.overwrite(key, formatTombstone({ ...tombstone, ...(before?.isRepackable && { isRepackable: true }) }));
  }

  /** Writes into a tombstone that is there. False when there is none. */
  async note(id: ModuleVersion, change: Pick<Tombstone, "isRepackable">): Promise<boolean> {
    const before = await this.tombstone(id);
    if (before === undefined) return false;
    await this.overwrite(versionKey(id, "tombstone"), formatTombstone({ ...before, ...change }));
    return true;
  }

  /** All files of the version are back. */
  async unbury(id: ModuleVersion): Promise<void> {
    const key = versionKey(id, "tombstone");
    if ((await this.#storage.stat(key)) !== undefined) await this.#storage.remove(key);
  }

  /**
   * Puts staged bytes in their place, unless `look` finds that what lies there is to stay. Whatever is put there between
   * the look and the replacing stays as well, and is looked at in its turn.
   */
  async place(
    key: StorageKey,
    stage: Stage,
    look: (there: OpenObject) => Promise<"stays" | "goes">,
  ): Promise<"placed" | "stays"> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if ((await this.#storage.create(key, stage)) === "created") return "placed";
      const there = await this.#storage.open(key);
      if (there === undefined) continue;
      try {
        if ((await look(there)) === "stays") return "stays";
      } finally {
        await there.close();
      }
      if ((await this.#storage.replace(key, stage, there.token)) === "replaced") return "placed";
    }
    throw new StoreUnavailable(key, "it changes all the time");
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
