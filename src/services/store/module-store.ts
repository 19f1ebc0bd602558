// Verified modules on a Storage: find what is kept, keep what was proven, never change either.
//
// A commit writes the files first and the manifest last; the manifest is the commit point. Whatever lies there before it
// is invisible to find: a crash left it, or somebody is about to commit it, who may sleep for minutes and then do so. So
// what is proven stays, and the next keep commits it; only what cannot be proven makes room (ADR 0032). A manifest that is
// itself damaged is not healed: without it nobody can say which bytes were given out, and the same name must mean the
// same bytes for ever. That is why an eviction takes the files only: a version that comes back meets its manifests.

import { hashGoMod } from "#protocol/dirhash.ts";
import { ProtocolError } from "#protocol/errors.ts";
import { parseInfo } from "#protocol/info.ts";
import type { ModulePath } from "#protocol/path.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { maxZipBytes } from "#protocol/zip-check.ts";
import { LRUCache } from "lru-cache";
import { Turns } from "./_turns.ts";
import { maxAttempts, sha256, VersionFiles } from "./_version-files.ts";
import type { Written } from "./_version-files.ts";
import { CheckedObjects } from "./checked-object.ts";
import type { CheckedObject } from "./checked-object.ts";
import { noFile, StoreDamaged } from "./errors.ts";
import { KeptLists } from "./kept-lists.ts";
import { versionKey } from "./layout.ts";
import type { VersionFile } from "./layout.ts";
import { formatManifest, parseModManifest, parseZipManifest, publishedHere, zipBlockBytes } from "./manifest.ts";
import type { Facts, ModManifest, ZipManifest } from "./manifest.ts";
import { hashOf, stageOf } from "./object-bytes.ts";
import type { OpenObject, Stage, Storage } from "./ports.ts";
import { StoreAway, StoreFull, StoreUnavailable } from "./ports.ts";
import type { Eviction, Tombstone } from "./tombstone.ts";

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

/** Bytes on their way into the store, proven by the caller. */
export type ModArrival = {
  readonly id: ModuleVersion;
  readonly info: Uint8Array;
  readonly mod: Uint8Array;
  readonly facts: Facts;
  /** Whether another go.mod that lies there uncommitted is proven as well: then it is the one that is kept. Without it none is. */
  readonly provesMod?: ((mod: Uint8Array) => Promise<boolean>) | undefined;
};
export type ZipArrival = {
  readonly id: ModuleVersion;
  /** Sealed. The store takes its bytes; the caller still discards it. */
  readonly stage: Stage;
  readonly zip: ZipFacts;
  readonly facts: Facts;
  /** What a check finds of another zip that lies there uncommitted, when it is proven as well: then it is the one that is kept. */
  readonly proveZip?: ((stage: Stage) => Promise<ProvenZip | undefined>) | undefined;
};

/** A zip that somebody else has put in its place, with the go.mod that belongs to it. */
export type ProvenZip = { readonly zip: ZipFacts; readonly mod: Uint8Array };

export type Evicting = {
  readonly reason: Eviction;
  readonly atMs: number;
  /** All when absent. */
  readonly files?: readonly ("info" | "mod" | "zip")[];
};

/** All of a version at once, from somebody who has it whole. */
export type WholeArrival = ModArrival & Omit<ZipArrival, "id" | "facts">;

export type KeptWhole =
  /** Other bytes had been kept before, and stay. */
  { readonly conflict: true } | { readonly conflict: boolean; readonly isNew: boolean; readonly kept: KeptZip };

/** What had to go from the places of `.info` and go.mod. */
type Left = { readonly info?: Uint8Array | undefined; readonly mod?: Uint8Array | undefined };

/** The zip that lies in its place, and what had to go for it. */
type Placed = {
  readonly zip: ZipFacts;
  /** Undefined when it is the arrival's. */
  readonly mod?: Uint8Array;
  /** The arrival's stage is spent. */
  readonly isOurs: boolean;
  readonly displaced?: { readonly stage: Stage; readonly hash: string } | undefined;
};

/** Manifests in memory: they are small, and each answer from disk needs one. */
const maxCachedManifestBytes = 16 << 20;

export class ModuleStore {
  readonly #storage: Storage;
  readonly #files: VersionFiles;
  readonly #objects: CheckedObjects;
  readonly #lists: KeptLists;
  /** Two keeps of one version would write each other's files before either's manifest names them. */
  readonly #turns = new Turns();
  readonly #zips = new LRUCache<string, { readonly manifest: ZipManifest; readonly token: string }>({
    maxSize: maxCachedManifestBytes,
    sizeCalculation: ({ manifest }, key) => manifest.zip.blocks.length + key.length + 1_000,
  });

  constructor(storage: Storage) {
    this.#storage = storage;
    this.#files = new VersionFiles(storage);
    this.#objects = new CheckedObjects(storage);
    this.#lists = new KeptLists(storage);
  }

  /** True while what is not found may only be out of reach. */
  get isAway(): boolean {
    return this.#storage.isAway === true;
  }

  /** The kept `.info` and go.mod. Throws StoreDamaged when they are not what was committed, StoreUnavailable when we cannot know. */
  async findMod(id: ModuleVersion): Promise<KeptMod | undefined> {
    const manifest = await this.#modManifest(id);
    if (manifest === undefined) return undefined;
    try {
      const [info, mod] = await Promise.all([
        this.#files.readChecked(versionKey(id, "info"), manifest.info),
        this.#files.readChecked(versionKey(id, "mod"), manifest.mod),
      ]);
      return keptMod(id, { info, mod, manifest });
    } catch (error) {
      // Wrong ones are of somebody who was asleep when it was evicted.
      if (error instanceof StoreDamaged && (await this.#files.tombstone(id)) !== undefined) return undefined;
      throw error;
    }
  }

  /** What was committed of `.info` and go.mod, also while their files are damaged. Throws StoreDamaged when nobody can say. */
  async committedMod(id: ModuleVersion): Promise<ModManifest | undefined> {
    return await this.#modManifest(id);
  }

  /**
   * SHA-256 of the `.info` that must come again for a version that was committed, when neither its file nor its tombstone
   * has it. Throws StoreDamaged when nobody can say.
   */
  async lostInfo(id: ModuleVersion): Promise<string | undefined> {
    const manifest = await this.#modManifest(id);
    if (manifest === undefined) return undefined;
    const { info } = manifest;
    const kept = await this.#files.readChecked(versionKey(id, "info"), info).catch(damageIsNothing);
    if (kept !== undefined) return undefined;
    const buried = (await this.#files.tombstone(id))?.info;
    if (buried !== undefined && sha256(Buffer.from(buried, "base64")) === info.sha256) return undefined;
    return info.sha256;
  }

  /**
   * The kept zip. Its bytes are checked as they are read; one that was found damaged then is StoreDamaged here, until
   * a keep of the same bytes restores it or another file takes its place.
   */
  async findZip(id: ModuleVersion): Promise<KeptZip | undefined> {
    const kept = await this.#committedZip(id);
    if (kept === undefined) return undefined;
    const key = versionKey(id, "zip");
    const damage = await this.#objects.damageOf(key);
    if (damage !== undefined && !damage.isMissing) {
      // Somebody who was asleep when it was evicted.
      if ((await this.#files.tombstone(id)) !== undefined) return undefined;
      throw damage;
    }
    if (this.#objects.isOpen(key) || (await this.#storage.stat(key)) !== undefined) return kept;
    if ((await this.#files.tombstone(id)) !== undefined) return undefined;
    const { sha256, size } = kept.manifest.zip;
    throw new StoreDamaged(key, { expected: `${size} bytes`, found: noFile, sha256 });
  }

  /** Keeps a proven `.info` and go.mod. The first bytes kept stay for ever; damaged ones are restored when these are the same. */
  async keepMod(arrival: ModArrival): Promise<Keeping<KeptMod>> {
    return await this.#turns.take(formatModuleVersion(arrival.id), () => this.#keepMod(arrival));
  }

  /** Keeps a proven zip; stage `mod` must be kept. The first bytes kept stay for ever; damaged ones are restored when these are the same. */
  async keepZip(arrival: ZipArrival): Promise<Keeping<KeptZip>> {
    return await this.#turns.take(formatModuleVersion(arrival.id), async () => {
      try {
        const keeping = await this.#keepZip(arrival);
        await this.#name(arrival.id);
        return keeping;
      } catch (error) {
        this.#lists.doubt(arrival.id.path);
        throw error;
      }
    });
  }

  /**
   * Keeps a version as a whole. Its zip lies in its place before anything is committed, so that the go.mod's manifest
   * commits all of it: who dies before the zip's leaves what unfinishedZip() finds.
   */
  async keepWhole(arrival: WholeArrival): Promise<KeptWhole> {
    const { id } = arrival;
    return await this.#turns.take(formatModuleVersion(id), async () => {
      const isFirst = (await this.#modManifest(id)) === undefined;
      const placed = isFirst ? await this.#placeZip(id, arrival) : undefined;
      try {
        const mod = placed?.mod ?? arrival.mod;
        if ((await this.#keepMod({ ...arrival, mod })).conflict) {
          await this.#settleZip(arrival, placed);
          return { conflict: true };
        }
        const isNew = (await this.#committedZip(id)) === undefined;
        const { kept, conflict } = await this.#keepZip(arrival, placed);
        if (!conflict || isNew) await this.#name(id);
        return { conflict: conflict || kept.manifest.zip.sha256 !== arrival.zip.sha256, isNew, kept };
      } finally {
        await placed?.displaced?.stage.discard();
      }
    });
  }

  /** The zip of a version that keepWhole() has committed and not finished, once more in a stage. The caller discards it. */
  async unfinishedZip(id: ModuleVersion): Promise<Stage | undefined> {
    const manifest = await this.#modManifest(id);
    if (manifest?.origin.upstream !== publishedHere || (await this.#committedZip(id)) !== undefined) return undefined;
    const left = await this.#storage.open(versionKey(id, "zip"));
    if (left === undefined) return undefined;
    try {
      return (await stageOf(left, this.#storage)).stage;
    } finally {
      await left.close();
    }
  }

  /**
   * Gives the space of a version (or of those of its files that are named) back: its files go, its manifests stay, and a tombstone says so. Whoever reads one of
   * the files now reads it to its end. Resolves to the bytes freed; a crash leaves a version that is kept in part, which
   * is found, served and evicted like any other.
   */
  async evict(id: ModuleVersion, why: Evicting): Promise<number> {
    return await this.#turns.take(formatModuleVersion(id), () => this.#evict(id, why));
  }

  /** Reads every byte of a version anew and holds it against its manifests. Throws StoreDamaged; resolves to the bytes read. */
  async check(id: ModuleVersion): Promise<number> {
    const mod = await this.findMod(id);
    if (mod === undefined) return 0;
    const small = mod.info.length + mod.mod.length;
    const zip = await this.findZip(id);
    if (zip === undefined) return small;
    await this.#objects.forget(versionKey(id, "zip"));
    await readAll(zip);
    return small + zip.manifest.zip.size;
  }

  /** True when a module's list names its complete versions. */
  async isListRight(path: ModulePath): Promise<boolean> {
    return await this.#lists.isRight(path);
  }

  /** Makes a module's list anew from the manifests; false when it was right. */
  async mendList(path: ModulePath): Promise<boolean> {
    return await this.#lists.mend(path);
  }

  /**
   * Lets the zip of an evicted version come back packed otherwise: what it was is forgotten, and whoever vouches for its
   * files still does. False when it is not evicted, or never was here.
   */
  async allowRepacked(id: ModuleVersion): Promise<boolean> {
    return await this.#turns.take(formatModuleVersion(id), async () => {
      if ((await this.#committedZip(id)) === undefined || (await this.findZip(id)) !== undefined) return false;
      return await this.#files.note(id, { isRepackable: true });
    });
  }

  /** Takes a tombstone away from a version whose files are there. */
  async unbury(id: ModuleVersion): Promise<void> {
    await this.#turns.take(formatModuleVersion(id), () => this.#files.unbury(id));
  }

  /** Complete versions of a module, as `@v/list` on disk names them; no pseudo-versions. */
  async listKept(path: ModulePath): Promise<string[]> {
    return await this.#lists.read(path);
  }

  async close(): Promise<void> {
    await this.#objects.close();
  }

  async #committedZip(id: ModuleVersion): Promise<KeptZip | undefined> {
    const key = versionKey(id, "zip.manifest");
    const stat = await this.#storage.stat(key);
    if (stat === undefined) return undefined;
    let known = this.#zips.get(key);
    if (known?.token !== stat.token) {
      const stored = await this.#zipManifest(id);
      if (stored === undefined) return undefined;
      await this.#checkSnapshot(id, stored.manifest);
      known = stored;
      this.#zips.set(key, known);
    }
    return this.#zipOf(id, known.manifest);
  }

  async #zipManifest(
    id: ModuleVersion,
  ): Promise<{ readonly manifest: ZipManifest; readonly token: string } | undefined> {
    const key = versionKey(id, "zip.manifest");
    const stored = await this.#files.readManifest(key, (bytes) => named(parseZipManifest(key, bytes), { id, key }));
    return stored && { manifest: stored.manifest, token: stored.token };
  }

  /** Both stages are one snapshot: the zip manifest names the bytes of the mod manifest. */
  async #checkSnapshot(id: ModuleVersion, manifest: ZipManifest): Promise<void> {
    const key = versionKey(id, "mod.manifest");
    const stored = await this.#files.readManifest(key, (bytes) => bytes);
    const found = stored === undefined ? "no file" : sha256(stored.bytes);
    if (found !== manifest.modManifest) throw new StoreDamaged(key, { expected: manifest.modManifest, found });
  }

  #zipOf(id: ModuleVersion, manifest: ZipManifest): KeptZip {
    const open = () => this.#objects.open(versionKey(id, "zip"), manifest);
    return { id, manifest, since: new Date(manifest.firstSeen), open };
  }

  async #modManifest(id: ModuleVersion): Promise<ModManifest | undefined> {
    return (await this.#storedMod(id))?.manifest;
  }

  async #storedMod(
    id: ModuleVersion,
  ): Promise<{ readonly manifest: ModManifest; readonly bytes: Uint8Array } | undefined> {
    const key = versionKey(id, "mod.manifest");
    return await this.#files.readManifest(key, (bytes) => named(parseModManifest(key, bytes), { id, key }));
  }

  async #keepMod(arrival: ModArrival): Promise<Keeping<KeptMod>> {
    const { id, facts, provesMod = isNever } = arrival;
    let left: Left = {};
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const known = await this.#modManifest(id);
      if (known !== undefined) return await this.#modKeptBefore(known, arrival, left);
      const told: Written = await this.#files.write(versionKey(id, "info"), arrival.info, (found) =>
        Promise.resolve(isInfoOf(id, found)),
      );
      const goMod: Written = await this.#files.write(versionKey(id, "mod"), arrival.mod, provesMod);
      left = { info: told.displaced ?? left.info, mod: goMod.displaced ?? left.mod };
      const [info, mod] = [told.bytes, goMod.bytes];
      const manifest: ModManifest = {
        manifest: 1,
        stage: "mod",
        path: id.path,
        version: id.version,
        info: { size: info.length, sha256: sha256(info) },
        mod: { size: mod.length, sha256: sha256(mod), h1: hashGoMod(mod) },
        ...facts,
      };
      const made = await this.#storage.create(versionKey(id, "mod.manifest"), formatManifest(manifest));
      const conflict = sha256(arrival.mod) !== manifest.mod.sha256;
      if (made === "created") return { kept: keptMod(id, { info, mod, manifest }), conflict };
    }
    throw new StoreUnavailable(versionKey(id, "mod.manifest"), "it comes and goes");
  }

  /**
   * Each damaged file is restored when the arrival or a tombstone has the very bytes that were committed, or when we have
   * just found that they cannot be proven: another process had found that they can.
   */
  async #modKeptBefore(manifest: ModManifest, { id, info, mod }: ModArrival, left: Left): Promise<Keeping<KeptMod>> {
    const buried = sha256(info) === manifest.info.sha256 ? undefined : (await this.#files.tombstone(id))?.info;
    const infos = [info, left.info, buried === undefined ? undefined : Buffer.from(buried, "base64")];
    const kept = {
      info: await this.#files.restore(versionKey(id, "info"), { facts: manifest.info, from: infos }),
      mod: await this.#files.restore(versionKey(id, "mod"), { facts: manifest.mod, from: [mod, left.mod] }),
      manifest,
    };
    await this.#unburyWhole(id);
    return { kept: keptMod(id, kept), conflict: sha256(mod) !== manifest.mod.sha256 };
  }

  /** @param inPlace the zip that lies in its place already; the caller discards what had to go for it */
  async #keepZip(arrival: ZipArrival, inPlace?: Placed): Promise<Keeping<KeptZip>> {
    const at: { placed: Placed | undefined; isSettled: boolean } = { placed: inPlace, isSettled: false };
    try {
      return await this.#keepZipAt(arrival, at);
    } finally {
      if (inPlace === undefined) await at.placed?.displaced?.stage.discard();
    }
  }

  async #keepZipAt(
    arrival: ZipArrival,
    at: { placed: Placed | undefined; isSettled: boolean },
  ): Promise<Keeping<KeptZip>> {
    const { id, zip } = arrival;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const known = await this.#committedZip(id);
      if (known !== undefined) {
        if (!at.isSettled) await this.#settleZip(arrival, at.placed);
        at.isSettled = true;
        const keeping = await this.#zipKeptBefore(known, arrival, { isSpent: at.placed?.isOurs === true });
        if (keeping === undefined) continue;
        return keeping;
      }
      const first = await this.#storedMod(id);
      if (first === undefined) throw new Error(`keepZip(${formatModuleVersion(id)}) before keepMod()`);
      const placed: Placed = at.placed ?? (await this.#placeZip(id, arrival));
      at.placed = placed;
      const manifest = zipManifestOf(arrival, { modManifest: sha256(first.bytes), zip: placed.zip });
      const made = await this.#commitZip(id, manifest);
      const conflict = placed.zip.sha256 !== zip.sha256;
      if (made === "created") return { kept: this.#zipOf(id, manifest), conflict };
    }
    throw new StoreUnavailable(versionKey(id, "zip.manifest"), "it comes and goes");
  }

  async #commitZip(id: ModuleVersion, manifest: ZipManifest): Promise<"created" | "exists"> {
    try {
      return await this.#storage.create(versionKey(id, "zip.manifest"), formatManifest(manifest));
    } catch (error) {
      // Elsewhere it stays for the next keep: who cannot be heard may have written all the same.
      if (error instanceof StoreFull) await this.#takeBackZip(id, manifest.zip.sha256).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Without a manifest a zip that lies there and is proven stays, whoever put it there. Returns the one that lies there
   * now; what had to go for it is the caller's to discard.
   */
  async #placeZip(id: ModuleVersion, arrival: ZipArrival): Promise<Placed> {
    const { stage, zip, proveZip } = arrival;
    const key = versionKey(id, "zip");
    let found: Omit<Placed, "isOurs"> = { zip };
    let isOurs = false;
    let displaced: Placed["displaced"];
    try {
      const made = await this.#files.place(key, stage, async (there) => {
        await displaced?.stage.discard();
        displaced = undefined;
        if (there.size > maxZipBytes) return "goes";
        if (there.size === zip.size && (await hashOf(there)) === zip.sha256) return "stays";
        displaced = await stageOf(there, this.#storage);
        const proven = await proveZip?.(displaced.stage);
        if (proven === undefined) return "goes";
        found = proven;
        return "stays";
      });
      isOurs = made === "placed";
    } catch (error) {
      await displaced?.stage.discard();
      throw error;
    }
    await this.#objects.forget(key);
    return { ...found, isOurs, displaced };
  }

  /**
   * Another process has committed the version while we put a zip in its place. It has found the same zip proven as we did,
   * or it slept while the version was committed and evicted, or it was told otherwise than we were: what is not the
   * committed zip makes room for it, or just goes.
   */
  async #settleZip({ id }: ZipArrival, placed: Placed | undefined): Promise<void> {
    if (placed === undefined) return;
    const known = await this.#committedZip(id);
    if (known === undefined || placed.zip.sha256 === known.manifest.zip.sha256) return;
    await this.#objects.forget(versionKey(id, "zip"));
    if (placed.displaced?.hash === known.manifest.zip.sha256) await this.#restoreZip(known, placed.displaced.stage);
    else await this.#removeZip(id, placed.zip.sha256);
  }

  /** A zip that no manifest came to name would fill a full disk for nothing. What somebody else has put there stays. */
  async #takeBackZip(id: ModuleVersion, hash: string): Promise<void> {
    if ((await this.#storage.stat(versionKey(id, "zip.manifest"))) === undefined) await this.#removeZip(id, hash);
  }

  /** Removes what lies in the zip's place when it has this hash. */
  async #removeZip(id: ModuleVersion, hash: string): Promise<void> {
    const key = versionKey(id, "zip");
    const there = await this.#storage.open(key);
    if (there === undefined) return;
    const found = await hashOf(there).finally(() => there.close());
    if (found === hash && (await this.#storage.stat(key))?.token === there.token) await this.#storage.remove(key);
  }

  /** Undefined when all that was known has changed meanwhile. */
  async #zipKeptBefore(
    known: KeptZip,
    arrival: ZipArrival,
    { isSpent }: { readonly isSpent: boolean },
  ): Promise<Keeping<KeptZip> | undefined> {
    const { id, stage, zip } = arrival;
    if (zip.sha256 !== known.manifest.zip.sha256) {
      if (isSpent || !(await this.#isRepackable(known, zip))) return { kept: known, conflict: true };
      await this.#repack(known, arrival); return;
    }
    if (isSpent || (await isSound(known))) await this.#objects.forget(versionKey(id, "zip"));
    else if (!(await this.#restoreZip(known, stage))) return undefined;
    await this.#unburyWhole(id);
    return { kept: known, conflict: false };
  }

  /** Puts the committed bytes where others are, or none. False when they are not the committed ones any more. */
  async #restoreZip({ id, manifest }: KeptZip, stage: Stage): Promise<boolean> {
    const { sha256: hash, size } = manifest.zip;
    const isStill = async (): Promise<boolean> => (await this.#zipManifest(id))?.manifest.zip.sha256 === hash;
    const made = await this.#files.place(versionKey(id, "zip"), stage, async (there) => {
      const isRight = there.size === size && (await hashOf(there)) === hash;
      // After the look: what was looked at was there under this manifest, or before it.
      return isRight || !(await isStill()) ? "stays" : "goes";
    });
    await this.#objects.forget(versionKey(id, "zip"));
    if (await isStill()) return true;
    if (made === "placed") await this.#removeZip(id, hash);
    return false;
  }

  /** An operator has allowed the same files in another zip, and the zip that was served is not here. */
  async #isRepackable({ id, manifest }: KeptZip, zip: ZipFacts): Promise<boolean> {
    if (manifest.zip.h1 !== zip.h1 || (await this.#files.tombstone(id))?.isRepackable !== true) return false;
    return (await this.#storage.stat(versionKey(id, "zip"))) === undefined;
  }

  /** The manifest first, in one step: who held the zip that was served finds that it is not the one any more. */
  async #repack({ id, manifest }: KeptZip, arrival: ZipArrival): Promise<undefined> {
    const stored = await this.#zipManifest(id);
    if (stored?.manifest.zip.sha256 !== manifest.zip.sha256) return;
    const next = zipManifestOf(arrival, { modManifest: manifest.modManifest, zip: arrival.zip });
    await this.#storage.replace(versionKey(id, "zip.manifest"), formatManifest(next), stored.token);
  }

  async #evict(id: ModuleVersion, { reason, atMs, files = ["info", "mod", "zip"] }: Evicting): Promise<number> {
    const manifest = await this.#modManifest(id);
    if (manifest === undefined) return 0;
    const info = await this.#files.readChecked(versionKey(id, "info"), manifest.info).catch(damageIsNothing);
    const { path, version } = id;
    const tombstone: Tombstone = {
      tombstone: 1,
      path,
      version,
      reason,
      evicted: new Date(atMs).toISOString(),
      ...(info !== undefined && { info: Buffer.from(info).toString("base64") }),
    };
    await this.#files.bury(id, tombstone);
    await this.#lists.remove(id);
    let freed = 0;
    // A zip without a manifest may be one that somebody is about to commit.
    const hasZip = (await this.#storage.stat(versionKey(id, "zip.manifest"))) !== undefined;
    // `.info` first: a client that reads the directory meets an absence before it meets half a version.
    for (const file of files) {
      const key = versionKey(id, file);
      const stat = file === "zip" && !hasZip ? undefined : await this.#storage.stat(key);
      if (stat !== undefined && (await this.#storage.remove(key))) freed += stat.size;
    }
    await this.#objects.forget(versionKey(id, "zip"));
    // Another process may have kept the version meanwhile and taken the tombstone for done.
    await this.#files.bury(id, tombstone);
    return freed;
  }

  /** Names a version that is kept. While nobody can write the list, what is kept is kept all the same: the list is made anew later. */
  async #name(id: ModuleVersion): Promise<void> {
    try {
      await this.#lists.add(id);
    } catch (error) {
      if (!(error instanceof StoreAway)) throw error;
      this.#lists.doubt(id.path);
    }
  }

  /** Takes the tombstone away once all files are back that the manifests name. */
  async #unburyWhole(id: ModuleVersion): Promise<void> {
    if ((await this.#storage.stat(versionKey(id, "tombstone"))) === undefined) return;
    const isThere = async (file: VersionFile) => (await this.#storage.stat(versionKey(id, file))) !== undefined;
    const isComplete = await isThere("zip.manifest");
    if (!(await isThere("info")) || !(await isThere("mod")) || (isComplete && !(await isThere("zip")))) return;
    await this.#files.unbury(id);
    if (isComplete) await this.#lists.add(id);
  }
}

function keptMod(
  id: ModuleVersion,
  kept: { readonly info: Uint8Array; readonly mod: Uint8Array; readonly manifest: ModManifest },
): KeptMod {
  return { id, ...kept, since: new Date(kept.manifest.firstSeen) };
}

function zipMember({ size, sha256, h1, blocks }: ZipFacts): ZipManifest["zip"] {
  return { size, sha256, h1, blockBytes: zipBlockBytes, blocks: Buffer.from(blocks).toString("base64") };
}

function zipManifestOf(
  { id, facts }: Pick<ZipArrival, "id" | "facts">,
  { modManifest, zip }: { readonly modManifest: string; readonly zip: ZipFacts },
): ZipManifest {
  return {
    manifest: 1,
    stage: "zip",
    path: id.path,
    version: id.version,
    modManifest,
    zip: zipMember(zip),
    files: zip.files,
    uncompressedBytes: zip.uncompressedBytes,
    ...facts,
  };
}

function isNever(): Promise<boolean> {
  return Promise.resolve(false);
}

/** Upstreams tell one version's time differently, and any of them may be right. */
function isInfoOf({ version }: ModuleVersion, bytes: Uint8Array): boolean {
  try {
    parseInfo(bytes, version);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** Reads every block of a kept zip. Throws StoreDamaged. */
async function readAll(zip: KeptZip): Promise<void> {
  const source = await zip.open();
  try {
    const piece = new Uint8Array(16 * zipBlockBytes);
    for (let at = 0; at < source.size;) at += await source.read(at, piece);
  } finally {
    await source.close();
  }
}

function damageIsNothing(error: unknown): undefined {
  if (!(error instanceof StoreDamaged)) throw error;
  return undefined;
}

async function isSound(zip: KeptZip): Promise<boolean> {
  try {
    await readAll(zip);
    return true;
  } catch (error) {
    if (error instanceof StoreDamaged) return false;
    throw error;
  }
}

/** A manifest binds its module: one that lies under another's name is damage. */
function named<T extends ModManifest | ZipManifest>(
  manifest: T,
  at: { readonly id: ModuleVersion; readonly key: string },
): T {
  const { id, key } = at;
  if (manifest.path === id.path && manifest.version === id.version) return manifest;
  throw new StoreDamaged(key, { expected: formatModuleVersion(id), found: `${manifest.path}@${manifest.version}` });
}
