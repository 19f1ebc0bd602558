// Copies kept versions into a plain tree that any go command reads, every byte checked on the way. A version is proven
// before it is copied, its zip is written before what makes a client ask for it, and what is the same stays untouched.

import { createHash } from "node:crypto";
import { ProtocolError } from "#protocol/errors.ts";
import { formatList, maxListBytes, parseList } from "#protocol/info.ts";
import type { ModulePath } from "#protocol/path.ts";
import { isPseudoVersion } from "#protocol/pseudo.ts";
import { checkModuleVersion, formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { atOnce } from "./at-once.ts";
import { StoreDamaged } from "./errors.ts";
import type { Selection } from "./export-selection.ts";
import { listKey, versionKey } from "./layout.ts";
import { maxManifestBytes, parseModManifest, parseZipManifest } from "./manifest.ts";
import type { ModManifest, ZipManifest } from "./manifest.ts";
import type { Storage, StorageKey } from "./ports.ts";
import { StoreUnavailable } from "./ports.ts";

/** `damaged`: not what was committed. `unproven`: its record cannot be proven from what is kept. */
export type LeftOut = { readonly what: string; readonly why: "damaged" | "unproven"; readonly reason: string };

export type ExportReport = {
  /** Versions that are in the tree now, of those selected. */
  readonly versions: number;
  /** Of those: with zip. */
  readonly zips: number;
  readonly written: number;
  /** Files that were there already. */
  readonly same: number;
  /** Bytes written. */
  readonly bytes: number;
  readonly leftOut: readonly LeftOut[];
  /** Asked for by name, and not kept. */
  readonly missing: readonly string[];
  readonly wasInterrupted: boolean;
};

export type ExportUse = {
  readonly from: Storage;
  readonly to: Storage;
  readonly selection: Selection;
  /** Puts the proof of a version's hashes into the tree. Resolves to why that is not possible, or to undefined. */
  readonly prove: (id: ModuleVersion, manifest: ModManifest) => Promise<string | undefined>;
  /** Versions at a time. */
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly progress: (versions: number, bytes: number) => void;
};

/** Lists that wait to be written; one is written once for all versions that came meanwhile. */
const maxPendingLists = 256;

/** Throws StoreUnavailable when the tree cannot be written, or the store not be listed. */
export async function exportVersions(use: ExportUse): Promise<ExportReport> {
  const copy = new Copy(use);
  await atOnce(manifestsOf(use.from), use, async (key) => {
    await copy.take(key);
    use.progress(copy.versions, copy.bytes);
  });
  await copy.writeLists();
  const { versions, zips, written, same, bytes } = copy;
  const leftOut = copy.leftOut.toSorted((a, b) => (a.what < b.what ? -1 : 1));
  const wasInterrupted = use.signal.aborted;
  const missing = wasInterrupted ? [] : use.selection.missing();
  return { versions, zips, written, same, bytes, leftOut, missing, wasInterrupted };
}

async function* manifestsOf(storage: Storage): AsyncGenerator<StorageKey> {
  for await (const { key } of storage.list("modules/"))
    if (key.endsWith(modEnd) && !key.startsWith("modules/sumdb/")) yield key;
}

const modEnd = ".mod.manifest";

type Facts = { readonly size: number; readonly sha256: string };

class Copy {
  readonly #use: ExportUse;
  readonly #lists = new Map<ModulePath, string[]>();
  readonly leftOut: LeftOut[] = [];
  versions = 0;
  zips = 0;
  written = 0;
  same = 0;
  bytes = 0;

  constructor(use: ExportUse) {
    this.#use = use;
  }

  async take(key: StorageKey): Promise<void> {
    let what = key.slice("modules/".length);
    try {
      const stored = await this.#use.from.get(key, maxManifestBytes);
      if (stored === undefined) return;
      const mod = parseModManifest(key, stored.bytes);
      const id = namedBy(mod, key);
      const wanted = this.#use.selection.take(id);
      if (wanted === undefined) return;
      what = formatModuleVersion(id);
      const zip = wanted === "zip" ? await this.#zipManifest(id, sha256(stored.bytes)) : undefined;
      if (zip !== undefined) this.#use.selection.metZip(id);
      const reason = await this.#use.prove(id, mod);
      if (reason === undefined) await this.#copy(id, mod, zip);
      else this.leftOut.push({ what, why: "unproven", reason });
    } catch (error) {
      if (!(error instanceof StoreDamaged)) throw error;
      this.leftOut.push({ what, why: "damaged", reason: error.message });
    }
  }

  async writeLists(): Promise<void> {
    const lists = [...this.#lists];
    this.#lists.clear();
    for (const [path, versions] of lists) await this.#writeList(path, versions);
  }

  async #zipManifest(id: ModuleVersion, modManifest: string): Promise<ZipManifest | undefined> {
    const key = versionKey(id, "zip.manifest");
    const stored = await this.#use.from.get(key, maxManifestBytes);
    if (stored === undefined) return undefined;
    const manifest = parseZipManifest(key, stored.bytes);
    if (manifest.path !== id.path || manifest.version !== id.version || manifest.modManifest !== modManifest)
      throw new StoreDamaged(key, { expected: "the manifest of this version's zip", found: "another one" });
    return manifest;
  }

  async #copy(id: ModuleVersion, mod: ModManifest, zip: ZipManifest | undefined): Promise<void> {
    if (zip !== undefined) await this.#file(versionKey(id, "zip"), zip.zip);
    await this.#file(versionKey(id, "mod"), mod.mod);
    await this.#file(versionKey(id, "info"), mod.info);
    this.versions++;
    if (zip === undefined) return;
    this.zips++;
    if (isPseudoVersion(id.version)) return;
    this.#lists.set(id.path, [...(this.#lists.get(id.path) ?? []), id.version]);
    if (this.#lists.size > maxPendingLists) await this.writeLists();
  }

  /** Throws StoreDamaged when the kept file is not what `facts` say; nothing is written then. */
  async #file(key: StorageKey, facts: Facts): Promise<void> {
    const { from, to } = this.#use;
    const there = await hashOf(to, key, facts.size);
    if (there === facts.sha256) {
      this.same++;
      return;
    }
    const stage = await to.stage(facts.size);
    try {
      const found = await hashOf(from, key, facts.size, (piece) => stage.write(piece));
      if (found !== facts.sha256)
        throw new StoreDamaged(key, { expected: facts.sha256, found: found ?? "a file of another size, or none" });
      await stage.seal();
      if (there !== undefined || (await to.create(key, stage)) === "exists") {
        await to.remove(key);
        await to.create(key, stage);
      }
    } finally {
      await stage.discard();
    }
    this.written++;
    this.bytes += facts.size;
  }

  /** What an earlier export named stays named. */
  async #writeList(path: ModulePath, versions: readonly string[]): Promise<void> {
    const { to } = this.#use;
    const key = listKey(path);
    const stored = await to.get(key, maxListBytes);
    const named = stored === undefined ? [] : parseList(stored.bytes);
    const bytes = Buffer.from(formatList([...new Set([...named, ...versions])]));
    if (stored !== undefined && Buffer.compare(stored.bytes, bytes) === 0) return;
    if ((await to.replace(key, bytes, stored?.token)) === "conflict")
      throw new StoreUnavailable(key, "somebody else writes this directory");
    this.written++;
    this.bytes += bytes.length;
  }
}

/** A manifest binds its module: one that lies under another's name is damage. */
function namedBy({ path, version }: ModManifest, key: StorageKey): ModuleVersion {
  try {
    const id = checkModuleVersion(path, version);
    if (versionKey(id, "mod.manifest") === key) return id;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  throw new StoreDamaged(key, { expected: "the manifest of this version", found: `that of ${path}@${version}` });
}

/** The sha256 of an object of `size` bytes; undefined when there is none of that size. `each` gets the bytes. */
async function hashOf(
  storage: Storage,
  key: StorageKey,
  size: number,
  each: (piece: Uint8Array) => Promise<void> = () => Promise.resolve(),
): Promise<string | undefined> {
  const object = await storage.open(key);
  if (object === undefined) return undefined;
  try {
    if (object.size !== size) return undefined;
    const hash = createHash("sha256");
    const piece = new Uint8Array(1 << 20);
    for (let at = 0; at < size;) {
      const got = await object.read(at, piece);
      if (got === 0) return undefined;
      hash.update(piece.subarray(0, got));
      await each(piece.subarray(0, got));
      at += got;
    }
    return hash.digest("hex");
  } finally {
    await object.close();
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
