// The files of a version, one by one: written before a manifest names them, checked against it when they are read.

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
      await this.#overwrite(key, bytes);
      return bytes;
    }
  }

  /** Writes a file that no manifest names yet. Returns what lay there, when it was something else. */
  async write(key: StorageKey, bytes: Uint8Array): Promise<Uint8Array | undefined> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if ((await this.#storage.create(key, bytes)) === "created") return undefined;
      const left = await this.#storage.get(key, maxGoModBytes).catch(() => undefined);
      if (left === undefined) break; // unreadable, or too large for one of ours
      if (Buffer.compare(left.bytes, bytes) === 0) return undefined;
      // What was looked at is what goes: it may be another's who is about to commit it.
      if ((await this.#storage.replace(key, bytes, left.token)) === "replaced") return left.bytes;
    }
    await this.#overwrite(key, bytes);
    return undefined;
  }

  async #overwrite(key: StorageKey, bytes: Uint8Array): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const stat = await this.#storage.stat(key);
      if ((await this.#storage.replace(key, bytes, stat?.token)) === "replaced") return;
    }
    throw new StoreUnavailable(key, "it changes all the time");
  }

  /** Throws StoreDamaged when the file is not what `facts` say. */
  async readChecked(key: StorageKey, facts: FileFacts): Promise<Uint8Array> {
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

  /** A manifest's bytes, not yet parsed. Throws StoreDamaged when no manifest is as large. */
  async getManifest(key: StorageKey): Promise<StoredBytes | undefined> {
    return await this.#get(key, { atMost: maxManifestBytes, expected: "a manifest of layout 1" });
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
    if (before?.info === undefined && (before === undefined || tombstone.info !== undefined))
      await this.#overwrite(key, formatTombstone(tombstone));
  }

  /** All files of the version are back. */
  async unbury(id: ModuleVersion): Promise<void> {
    const key = versionKey(id, "tombstone");
    if ((await this.#storage.stat(key)) !== undefined) await this.#storage.remove(key);
  }

  /** Puts staged bytes in their place, whatever was there. Returns what was there last, still open for its caller. */
  async putStage(key: StorageKey, stage: Stage): Promise<OpenObject | undefined> {
    let displaced: OpenObject | undefined;
    try {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        if ((await this.#storage.create(key, stage)) === "created") return displaced;
        await displaced?.close();
        displaced = await this.#storage.open(key).catch(() => undefined); // unreadable: nobody will miss it
        await this.#storage.remove(key);
      }
      throw new StoreUnavailable(key, "it cannot be replaced");
    } catch (error) {
      await displaced?.close();
      throw error;
    }
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
