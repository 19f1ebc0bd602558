// The files of a version, one by one: written before a manifest names them, checked against it when they are read.

import { createHash } from "node:crypto";
import { maxGoModBytes } from "#protocol/gomod.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { noFile, StoreDamaged } from "./errors.ts";
import { versionKey } from "./layout.ts";
import { maxManifestBytes } from "./manifest.ts";
import type { Stage, Storage, StorageKey, StoredBytes } from "./ports.ts";
import { StoreUnavailable } from "./ports.ts";
import { formatTombstone, maxTombstoneBytes, parseTombstone } from "./tombstone.ts";
import type { Tombstone } from "./tombstone.ts";

type FileFacts = { readonly size: number; readonly sha256: string };

/** Another process may hold or remove a key under us; one that does so all the time is an obstacle, not a race. */
export const maxAttempts = 10;

export class VersionFiles {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** The committed bytes of a file, from disk or else from the arrival. Throws StoreDamaged when neither has them. */
  async restore(key: StorageKey, from: { readonly facts: FileFacts; readonly bytes: Uint8Array }): Promise<Uint8Array> {
    const { facts, bytes } = from;
    try {
      return await this.readChecked(key, facts);
    } catch (error) {
      if (!(error instanceof StoreDamaged) || sha256(bytes) !== facts.sha256) throw error;
      await this.#overwrite(key, bytes);
      return bytes;
    }
  }

  /** Writes a file that no manifest names yet. */
  async write(key: StorageKey, bytes: Uint8Array): Promise<void> {
    if ((await this.#storage.create(key, bytes)) === "created") return;
    const left = await this.#storage.get(key, maxGoModBytes).catch(() => undefined);
    if (left === undefined || Buffer.compare(left.bytes, bytes) !== 0) await this.#overwrite(key, bytes);
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
    const stored = await this.#storage.get(versionKey(id, "tombstone"), maxTombstoneBytes);
    return stored && parseTombstone(stored.bytes, id);
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

  /** Puts staged bytes in their place, whatever was there. */
  async putStage(key: StorageKey, stage: Stage): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if ((await this.#storage.create(key, stage)) === "created") return;
      await this.#storage.remove(key);
    }
    throw new StoreUnavailable(key, "it cannot be replaced");
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
