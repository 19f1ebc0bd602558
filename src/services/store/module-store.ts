// Verified modules on a Storage: find what is kept, keep what was proven, never change either.
//
// A commit writes the files first and the manifest last; the manifest is the commit point. Whatever a crash leaves
// before it is a leftover: invisible to find, replaced by the next keep.

import { createHash } from "node:crypto";
import { formatList } from "#protocol/info.ts";
import { maxGoModBytes } from "#protocol/gomod.ts";
import { maxInfoBytes } from "#protocol/info.ts";
import type { ModulePath } from "#protocol/path.ts";
import { isPseudoVersion } from "#protocol/pseudo.ts";
import { hashGoMod } from "#protocol/dirhash.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { LRUCache } from "lru-cache";
import { CheckedObjects } from "./checked-object.ts";
import type { CheckedObject } from "./checked-object.ts";
import { StoreDamaged } from "./errors.ts";
import { listKey, versionKey } from "./layout.ts";
import type { VersionFile } from "./layout.ts";
import { formatManifest, maxManifestBytes, parseModManifest, parseZipManifest, zipBlockBytes } from "./manifest.ts";
import type { Facts, ModManifest, ZipManifest } from "./manifest.ts";
import type { Stage, Storage, StorageKey } from "./ports.ts";

/** `.info` and go.mod as they were committed, checked against their manifest when they were read. */
export type KeptMod = {
  readonly id: ModuleVersion;
  readonly info: Uint8Array;
  readonly mod: Uint8Array;
  readonly manifest: ModManifest;
  readonly since: Date;
};

export type KeptZip = {
  readonly id: ModuleVersion;
  readonly manifest: ZipManifest;
  readonly since: Date;
  /** Opens the bytes for checked reads. The caller closes. */
  open(): Promise<CheckedObject>;
};

/** `conflict`: other bytes had been kept before, and stay. */
export type Keeping<T> = { readonly kept: T; readonly conflict: boolean };

export type ZipFacts = {
  readonly size: number;
  readonly sha256: string;
  readonly h1: string;
  readonly blocks: Uint8Array;
  readonly files: number;
  readonly uncompressedBytes: number;
};

/** Manifests in memory: they are small, and each answer from disk needs one. */
const maxCachedManifestBytes = 16 << 20;
const maxListBytes = 16 << 20;

export class ModuleStore {
  readonly #storage: Storage;
  readonly #objects: CheckedObjects;
  readonly #zips = new LRUCache<string, { readonly manifest: ZipManifest; readonly token: string }>({
    maxSize: maxCachedManifestBytes,
    sizeCalculation: ({ manifest }, key) => manifest.zip.blocks.length + key.length + 1_000,
  });

  constructor(storage: Storage) {
    this.#storage = storage;
    this.#objects = new CheckedObjects(storage);
  }

  /** The kept `.info` and go.mod. Throws StoreDamaged when they are not what was committed, StoreUnavailable when we cannot know. */
  async findMod(id: ModuleVersion): Promise<KeptMod | undefined> {
    const manifest = await this.#modManifest(id);
    if (manifest === undefined) return undefined;
    const [info, mod] = await Promise.all([
      this.#readChecked(versionKey(id, "info"), manifest.info, maxInfoBytes),
      this.#readChecked(versionKey(id, "mod"), manifest.mod, maxGoModBytes),
    ]);
    return { id, info, mod, manifest, since: new Date(manifest.firstSeen) };
  }

  /** The kept zip. Its bytes are checked as they are read. */
  async findZip(id: ModuleVersion): Promise<KeptZip | undefined> {
    const key = versionKey(id, "zip.manifest");
    const stat = await this.#storage.stat(key);
    if (stat === undefined) return undefined;
    let known = this.#zips.get(key);
    if (known?.token !== stat.token) {
      const stored = await this.#storage.get(key, maxManifestBytes);
      if (stored === undefined) return undefined;
      known = { manifest: named(parseZipManifest(key, stored.bytes), { id, key }), token: stored.token };
      this.#zips.set(key, known);
    }
    return this.#zipOf(id, known.manifest);
  }

  /** Keeps a proven `.info` and go.mod. The first bytes kept stay for ever; damaged ones are restored when these are the same. */
  async keepMod(arrival: {
    readonly id: ModuleVersion;
    readonly info: Uint8Array;
    readonly mod: Uint8Array;
    readonly facts: Facts;
  }): Promise<Keeping<KeptMod>> {
    const { id, info, mod, facts } = arrival;
    const known = await this.#modManifest(id);
    if (known !== undefined) return await this.#keptBefore(known, arrival);
    await this.#writeFile(id, "info", info);
    await this.#writeFile(id, "mod", mod);
    const manifest: ModManifest = {
      manifest: 1,
      stage: "mod",
      path: id.path,
      version: id.version,
      info: { size: info.length, sha256: sha256(info) },
      mod: { size: mod.length, sha256: sha256(mod), h1: hashGoMod(mod) },
      ...facts,
    };
    if ((await this.#storage.create(versionKey(id, "mod.manifest"), formatManifest(manifest))) === "exists")
      return await this.keepMod(arrival);
    return { kept: { id, info, mod, manifest, since: new Date(facts.firstSeen) }, conflict: false };
  }

  /** Keeps a proven, sealed zip; stage `mod` must be kept. Takes the stage's bytes; the caller still discards it. */
  async keepZip(arrival: {
    readonly id: ModuleVersion;
    readonly stage: Stage;
    readonly zip: ZipFacts;
    readonly facts: Facts;
  }): Promise<Keeping<KeptZip>> {
    const { id, stage, zip, facts } = arrival;
    const known = await this.findZip(id);
    if (known !== undefined) return await this.#zipKeptBefore(known, arrival);
    const first = await this.#storage.get(versionKey(id, "mod.manifest"), maxManifestBytes);
    if (first === undefined) throw new Error(`keepZip(${id.path}@${id.version}) before keepMod()`);
    const key = versionKey(id, "zip");
    // Without a manifest a file is a leftover, whatever it holds.
    while ((await this.#storage.create(key, stage)) === "exists") await this.#storage.remove(key);
    await this.#objects.forget(key);
    const manifest: ZipManifest = {
      manifest: 1,
      stage: "zip",
      path: id.path,
      version: id.version,
      modManifest: sha256(first.bytes),
      zip: {
        size: zip.size,
        sha256: zip.sha256,
        h1: zip.h1,
        blockBytes: zipBlockBytes,
        blocks: Buffer.from(zip.blocks).toString("base64"),
      },
      files: zip.files,
      uncompressedBytes: zip.uncompressedBytes,
      ...facts,
    };
    if ((await this.#storage.create(versionKey(id, "zip.manifest"), formatManifest(manifest))) === "exists") {
      const winner = await this.findZip(id);
      if (winner !== undefined) return { kept: winner, conflict: winner.manifest.zip.sha256 !== zip.sha256 };
    }
    await this.#addToList(id);
    return { kept: this.#zipOf(id, manifest), conflict: false };
  }

  /** Complete versions of a module, as `@v/list` on disk names them; no pseudo-versions. */
  async listKept(path: ModulePath): Promise<string[]> {
    const stored = await this.#storage.get(listKey(path), maxListBytes);
    return stored === undefined ? [] : lines(stored.bytes);
  }

  async close(): Promise<void> {
    await this.#objects.close();
  }

  #zipOf(id: ModuleVersion, manifest: ZipManifest): KeptZip {
    return {
      id,
      manifest,
      since: new Date(manifest.firstSeen),
      open: () => this.#objects.open(versionKey(id, "zip"), manifest),
    };
  }

  async #modManifest(id: ModuleVersion): Promise<ModManifest | undefined> {
    const key = versionKey(id, "mod.manifest");
    const stored = await this.#storage.get(key, maxManifestBytes);
    return stored === undefined ? undefined : named(parseModManifest(key, stored.bytes), { id, key });
  }

  async #keptBefore(
    manifest: ModManifest,
    arrival: { readonly id: ModuleVersion; readonly info: Uint8Array; readonly mod: Uint8Array },
  ): Promise<Keeping<KeptMod>> {
    const { id, info, mod } = arrival;
    const since = new Date(manifest.firstSeen);
    const same = sha256(mod) === manifest.mod.sha256;
    try {
      const kept = await this.findMod(id);
      if (kept !== undefined) return { kept, conflict: !same };
    } catch (error) {
      if (!(error instanceof StoreDamaged) || !same) throw error;
    }
    // Damaged: only the very bytes that were committed may come back. `.info` is ours to re-make when it is the same.
    if (sha256(info) !== manifest.info.sha256)
      throw new StoreDamaged(versionKey(id, "info"), { expected: manifest.info.sha256, found: sha256(info) });
    await this.#overwrite(versionKey(id, "info"), info);
    await this.#overwrite(versionKey(id, "mod"), mod);
    return { kept: { id, info, mod, manifest, since }, conflict: false };
  }

  async #zipKeptBefore(
    known: KeptZip,
    arrival: { readonly id: ModuleVersion; readonly stage: Stage; readonly zip: ZipFacts },
  ): Promise<Keeping<KeptZip>> {
    const { id, stage, zip } = arrival;
    if (zip.sha256 !== known.manifest.zip.sha256) return { kept: known, conflict: true };
    if (await this.#isSound(known)) return { kept: known, conflict: false };
    const key = versionKey(id, "zip");
    await this.#objects.forget(key);
    await this.#storage.remove(key);
    await this.#storage.create(key, stage);
    return { kept: known, conflict: false };
  }

  /** Reads every block of a kept zip. */
  async #isSound(zip: KeptZip): Promise<boolean> {
    try {
      const source = await zip.open();
      try {
        const piece = new Uint8Array(16 * zipBlockBytes);
        for (let at = 0; at < source.size;) at += await source.read(at, piece);
      } finally {
        await source.close();
      }
      return true;
    } catch (error) {
      if (error instanceof StoreDamaged) return false;
      throw error;
    }
  }

  /** Writes a file that no manifest names yet. */
  async #writeFile(id: ModuleVersion, file: VersionFile, bytes: Uint8Array): Promise<void> {
    const key = versionKey(id, file);
    if ((await this.#storage.create(key, bytes)) === "created") return;
    const left = await this.#storage.get(key, maxGoModBytes).catch(() => undefined);
    if (left === undefined || Buffer.compare(left.bytes, bytes) !== 0) await this.#overwrite(key, bytes);
  }

  async #overwrite(key: StorageKey, bytes: Uint8Array): Promise<void> {
    for (;;) {
      const stat = await this.#storage.stat(key);
      if ((await this.#storage.replace(key, bytes, stat?.token)) === "replaced") return;
    }
  }

  async #readChecked(
    key: StorageKey,
    facts: { readonly size: number; readonly sha256: string },
    maxBytes: number,
  ): Promise<Uint8Array> {
    const stored = await this.#storage.get(key, maxBytes);
    const found = stored === undefined ? "no file" : sha256(stored.bytes);
    if (stored === undefined || found !== facts.sha256) throw new StoreDamaged(key, { expected: facts.sha256, found });
    return stored.bytes;
  }

  async #addToList(id: ModuleVersion): Promise<void> {
    if (isPseudoVersion(id.version)) return;
    const key = listKey(id.path);
    for (;;) {
      const stored = await this.#storage.get(key, maxListBytes);
      const versions = stored === undefined ? [] : lines(stored.bytes);
      if (versions.includes(id.version)) return;
      const bytes = Buffer.from(formatList([...versions, id.version]));
      if ((await this.#storage.replace(key, bytes, stored?.token)) === "replaced") return;
    }
  }
}

/** A manifest binds its module: one that lies under another's name is damage. */
function named<T extends ModManifest | ZipManifest>(
  manifest: T,
  at: { readonly id: ModuleVersion; readonly key: string },
): T {
  const { id, key } = at;
  if (manifest.path === id.path && manifest.version === id.version) return manifest;
  throw new StoreDamaged(key, { expected: `${id.path}@${id.version}`, found: `${manifest.path}@${manifest.version}` });
}

function lines(bytes: Uint8Array): string[] {
  return Buffer.from(bytes)
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
