// Is the store what it should be? Every file below modules/ is held against the manifests, and what is wrong can be put
// right: never by guessing bytes, only by taking away what must not be served, so that the next request brings the
// committed bytes again.
//
// It may run beside a server. Files of a commit under way have no manifest yet, so only old ones count as leftovers.

import { createHash } from "node:crypto";
import type { ModulePath } from "#protocol/path.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import { noFile, StoreDamaged } from "#services/store/errors.ts";
import { modulesPrefix, listKey, versionKey, versionOfKey } from "#services/store/layout.ts";
import type { VersionFile } from "#services/store/layout.ts";
import { maxManifestBytes, parseModManifest, parseZipManifest, publishedHere } from "#services/store/manifest.ts";
import type { ModManifest, ZipManifest } from "#services/store/manifest.ts";
import type { ModuleStore } from "#services/store/module-store.ts";
import { hashOf } from "#services/store/object-bytes.ts";
import type { Clock, Storage, StorageKey } from "#services/store/ports.ts";
import { StoreUnavailable } from "#services/store/ports.ts";
import { isEvicted } from "#services/store/tombstone.ts";

/** What a finding is, and with it what can be done. */
export type FsckKind =
  /** Not a manifest, or not that of its version: nobody can say which bytes were given out. Only a backup helps. */
  | "manifest"
  /** A committed file is not there, or not as committed. */
  | "missing"
  | "damaged"
  /** A file of a version that was never committed. */
  | "leftover"
  /** A tombstone of a version that is there, or of none. */
  | "tombstone"
  | "list"
  | "unreadable";

export type FsckFinding = {
  readonly key: string;
  readonly kind: FsckKind;
  readonly problem: string;
  /** Put right, or it would be by a repair; false: a person must. */
  readonly isMended: boolean;
};

export type FsckReport = {
  readonly versions: number;
  readonly evicted: number;
  /** Bytes that were read and hashed. */
  readonly bytes: number;
  readonly findings: readonly FsckFinding[];
  /** Findings beyond those named. */
  readonly more: number;
};

export type FsckUse = {
  readonly storage: Storage;
  readonly store: Pick<ModuleStore, "evict" | "isListRight" | "mendList" | "unbury">;
  readonly clock: Clock;
  /** Reads every byte; otherwise manifests and sizes are looked at. */
  readonly isDeep: boolean;
  readonly repairs: boolean;
  readonly signal: AbortSignal;
  readonly progress?: (versions: number, bytes: number) => void;
};

/** Far above the time of one commit. */
const leftoverMs = 60 * 60_000;
/** Findings named in a report; a store with more is beyond reading. */
const maxFindings = 10_000;

/** Looks at every file below modules/, checksum records aside. Throws the signal's reason. */
export async function fsck(use: FsckUse): Promise<FsckReport> {
  const check = new Check(use);
  for await (const listed of use.storage.list(modulesPrefix)) {
    use.signal.throwIfAborted();
    await check.file(listed);
  }
  return check.report();
}

type Listed = { readonly key: StorageKey; readonly modifiedMs: number };
type Committed = { readonly size?: number; readonly sha256: string };

class Check {
  readonly #use: FsckUse;
  readonly #findings: FsckFinding[] = [];
  readonly #lists = new Set<ModulePath>();
  #more = 0;
  #versions = 0;
  #evicted = 0;
  #bytes = 0;

  constructor(use: FsckUse) {
    this.#use = use;
  }

  report(): FsckReport {
    return {
      versions: this.#versions,
      evicted: this.#evicted,
      bytes: this.#bytes,
      findings: this.#findings,
      more: this.#more,
    };
  }

  async file({ key, modifiedMs }: Listed): Promise<void> {
    const found = versionOfKey(key);
    if (found === undefined) return;
    const { id, file } = found;
    await this.#tried(key, async () => {
      if (file === "mod.manifest") await this.#mod(id, key);
      else if (file === "zip.manifest") await this.#zip(id, key);
      else if (file === "tombstone") await this.#tombstone(id, key);
      else if (modifiedMs < this.#use.clock.now() - leftoverMs) await this.#leftover(id, { key, file });
    });
  }

  async #mod(id: ModuleVersion, key: StorageKey): Promise<void> {
    const manifest = await this.#manifest(key, id, parseModManifest);
    if (manifest === undefined) return;
    this.#versions++;
    const isPrivate = manifest.verifiedBy === "pin";
    const wrong = [
      await this.#wrongWith(id, "info", manifest.info),
      await this.#wrongWith(id, "mod", manifest.mod),
    ].filter((one) => one !== undefined);
    if (wrong.some(({ isEvicted }) => isEvicted)) this.#evicted++;
    await this.#takeAway(id, wrong, isPrivate);
    this.#use.progress?.(this.#versions, this.#bytes);
  }

  async #zip(id: ModuleVersion, key: StorageKey): Promise<void> {
    const manifest = await this.#manifest(key, id, parseZipManifest);
    if (manifest === undefined) return;
    const modKey = versionKey(id, "mod.manifest");
    const first = await this.#use.storage.get(modKey, maxManifestBytes);
    const found = first === undefined ? noFile : createHash("sha256").update(first.bytes).digest("hex");
    if (found !== manifest.modManifest)
      this.#add({ key: modKey, kind: "manifest", problem: expected(manifest.modManifest, found), isMended: false });
    const wrong = await this.#wrongWith(id, "zip", manifest.zip);
    await this.#takeAway(id, wrong === undefined ? [] : [wrong], manifest.verifiedBy === "pin");
    await this.#list(id.path);
    this.#use.progress?.(this.#versions, this.#bytes);
  }

  /** Undefined, and a finding, when it is not this version's manifest. */
  async #manifest<T extends ModManifest | ZipManifest>(
    key: StorageKey,
    id: ModuleVersion,
    parse: (key: string, bytes: Uint8Array) => T,
  ): Promise<T | undefined> {
    const stored = await this.#use.storage.get(key, maxManifestBytes);
    if (stored === undefined) return undefined; // removed since it was listed
    try {
      const manifest = parse(key, stored.bytes);
      if (manifest.path === id.path && manifest.version === id.version) return manifest;
      throw new StoreDamaged(key, {
        expected: formatModuleVersion(id),
        found: `${manifest.path}@${manifest.version}`,
      });
    } catch (error) {
      if (!(error instanceof StoreDamaged)) throw error;
      this.#add({ key, kind: "manifest", problem: expected(error.expected, error.found), isMended: false });
      return undefined;
    }
  }

  async #wrongWith(id: ModuleVersion, file: "info" | "mod" | "zip", committed: Committed): Promise<Wrong | undefined> {
    const key = versionKey(id, file);
    const object = await this.#use.storage.open(key);
    if (object === undefined) return { file, key, found: noFile, isEvicted: await isEvicted(this.#use.storage, id) };
    try {
      const { size = object.size, sha256 } = committed;
      if (object.size !== size) return { file, key, found: `${object.size} of ${size} bytes`, isEvicted: false };
      if (!this.#use.isDeep) return undefined;
      const found = await hashOf(object, this.#use.signal);
      this.#bytes += object.size;
      return found === sha256 ? undefined : { file, key, found: expected(sha256, found), isEvicted: false };
    } finally {
      await object.close();
    }
  }

  /** Wrong files go, so that the next request fetches the committed bytes; what nobody else may have stays for a person. */
  async #takeAway(id: ModuleVersion, wrong: readonly Wrong[], isPrivate: boolean): Promise<void> {
    const real = wrong.filter(({ isEvicted }) => !isEvicted);
    if (real.length === 0) return;
    if (this.#use.repairs && !isPrivate)
      await this.#use.store.evict(id, {
        reason: "damage",
        atMs: this.#use.clock.now(),
        files: real.map(({ file }) => file),
      });
    for (const { key, found } of real)
      this.#add({ key, kind: found === noFile ? "missing" : "damaged", problem: found, isMended: !isPrivate });
  }

  async #tombstone(id: ModuleVersion, key: StorageKey): Promise<void> {
    const { storage, store, repairs } = this.#use;
    const isKept = (await storage.stat(versionKey(id, "mod.manifest"))) !== undefined;
    const hasZip = (await storage.stat(versionKey(id, "zip.manifest"))) !== undefined;
    const files = hasZip ? (["info", "mod", "zip"] as const) : (["info", "mod"] as const);
    const stats = await Promise.all(files.map((file) => storage.stat(versionKey(id, file))));
    if (isKept && stats.includes(undefined)) return;
    const problem = isKept ? "its version is there" : "its version was never kept";
    if (repairs) {
      await store.unbury(id);
      if (hasZip) await store.mendList(id.path);
    }
    this.#add({ key, kind: "tombstone", problem, isMended: true });
  }

  async #leftover(id: ModuleVersion, at: { readonly key: StorageKey; readonly file: VersionFile }): Promise<void> {
    const manifest = versionKey(id, at.file === "zip" ? "zip.manifest" : "mod.manifest");
    if ((await this.#use.storage.stat(manifest)) !== undefined) return;
    if (at.file === "zip" && (await this.#isPublished(id))) return;
    if (this.#use.repairs) await this.#use.storage.remove(at.key);
    this.#add({ key: at.key, kind: "leftover", problem: "no manifest names it", isMended: true });
  }

  /** Then a zip without a manifest completes its version when it is asked for, and there is no other. */
  async #isPublished(id: ModuleVersion): Promise<boolean> {
    const key = versionKey(id, "mod.manifest");
    const stored = await this.#use.storage.get(key, maxManifestBytes);
    return stored !== undefined && parseModManifest(key, stored.bytes).origin.upstream === publishedHere;
  }

  /** Once per module, when the first of its complete versions is met. */
  async #list(path: ModulePath): Promise<void> {
    if (this.#lists.has(path)) return;
    this.#lists.add(path);
    const { store, repairs } = this.#use;
    if (await store.isListRight(path)) return;
    if (repairs) await store.mendList(path);
    this.#add({ key: listKey(path), kind: "list", problem: "it does not name the complete versions", isMended: true });
  }

  /** What cannot be read is a finding as well: the rest is still looked at. */
  async #tried(key: StorageKey, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.#add({ key, kind: "unreadable", problem: error.message, isMended: false });
    }
  }

  #add(finding: FsckFinding): void {
    if (this.#findings.length < maxFindings) this.#findings.push(finding);
    else this.#more++;
  }
}

type Wrong = {
  readonly file: "info" | "mod" | "zip";
  readonly key: StorageKey;
  readonly found: string;
  /** Nothing is wrong: it made room. */
  readonly isEvicted: boolean;
};

function expected(wanted: string, found: string): string {
  return `expected ${wanted}, found ${found}`;
}
