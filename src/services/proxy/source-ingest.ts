// One version of a foreign directory on its way into the store: passed over when the very bytes are kept, refused when
// others are, and else fetched, proven and kept like an upstream's.

import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { GranaryError, isGranaryError } from "#services/errors/granary-error.ts";
import type { Outcome, Refusal } from "#services/store/import.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import type { KeptMod, KeptZip, ModuleStore } from "#services/store/module-store.ts";
import type { SourceTree } from "#services/store/ports.ts";
import { SourceUnreadable, StoreFull, StoreUnavailable } from "#services/store/ports.ts";
import type { SourceVersion } from "#services/store/source-versions.ts";
import type { SumdbCode } from "#services/sumdb/errors.ts";
import { SumdbError } from "#services/sumdb/errors.ts";
import type { ModuleJobs } from "./module-jobs.ts";
import { sumdbFailure } from "./origin.ts";
import type { Verifier } from "./ports.ts";
import { damaged } from "./proxy.ts";
import type { SourceOrigin } from "./source-origin.ts";

export type SourceIngestUse = {
  readonly tree: SourceTree;
  readonly store: ModuleStore;
  readonly verifier: Verifier;
  /** Without it nothing is kept: what would be is told as imported. */
  readonly ingest: { readonly origin: SourceOrigin; readonly jobs: ModuleJobs } | undefined;
  /** Nothing of a version is kept without its zip: a validation command sees versions whole. */
  readonly wantsZip?: boolean;
  /** Ends checks and waits. */
  readonly signal: AbortSignal;
};

/** What of a version is still to be kept. */
type Missing = { readonly mod: boolean; readonly zip: boolean };

/** Modules whose list was looked at; a directory names all versions of a module one after the other. */
const maxListed = 1_000;

export class SourceIngest {
  readonly #use: SourceIngestUse;
  readonly #listed = new LRUCache<string, true>({ max: maxListed });

  constructor(use: SourceIngestUse) {
    this.#use = use;
  }

  /** Throws GranaryError when the store cannot be used, and bugs; all else is an outcome. */
  async take(version: SourceVersion): Promise<Outcome> {
    let bytes = 0;
    const count = (more: number): void => void (bytes += more);
    try {
      const { mod, zip } = version.files;
      if (mod === undefined && zip === undefined) return { kind: "rejected", refusal: { why: "torn" }, bytes };
      const missing = await this.#compare(version);
      if ("why" in missing) return { kind: "rejected", refusal: missing, bytes };
      if (!missing.mod && !missing.zip) return { kind: "kept" };
      if (zip === undefined && this.#use.wantsZip === true)
        return { kind: "rejected", refusal: { why: "no-zip" }, bytes };
      await this.#ingest(version, missing, count);
      return { kind: "imported", bytes };
    } catch (error) {
      return { ...judge(version.id, error), bytes };
    }
  }

  async #compare({ id, files }: SourceVersion): Promise<Missing | Refusal> {
    const { store } = this.#use;
    const mod = await unlessDamaged(() => store.findMod(id));
    if (mod === undefined) return { mod: true, zip: files.zip !== undefined };
    if (files.mod !== undefined && !(await this.#isSame(files.mod, mod.manifest.mod))) return { why: "other-mod" };
    if (files.zip === undefined) return { mod: false, zip: false };
    const zip = await unlessDamaged(() => store.findZip(id));
    if (zip === undefined) return { mod: false, zip: true };
    await this.#checkList(id);
    return (await this.#isSameZip(id, files.zip, zip)) ? { mod: false, zip: false } : { why: "other-zip" };
  }

  /** Whoever kept the zip may have died before the list named it: reading the list mends it. */
  async #checkList({ path }: ModuleVersion): Promise<void> {
    if (this.#use.ingest === undefined || this.#listed.get(path) === true) return;
    await this.#use.store.listKept(path);
    this.#listed.set(path, true);
  }

  async #isSame(path: string, kept: { readonly size: number; readonly sha256: string }): Promise<boolean> {
    if ((await this.#use.tree.size(path)) !== kept.size) return false;
    const file = await this.#use.tree.read(path);
    const hash = createHash("sha256");
    if (file !== undefined) for await (const piece of file.bytes) hash.update(piece);
    return hash.digest("hex") === kept.sha256;
  }

  /** Proxies that make their zips themselves pack the same files otherwise: the hash that is recorded is of the files. */
  async #isSameZip(id: ModuleVersion, path: string, { manifest }: KeptZip): Promise<boolean> {
    if (await this.#isSame(path, manifest.zip)) return true;
    const { verifier, tree, signal } = this.#use;
    if ((await tree.size(path)) === undefined) return false;
    const { report, h1 } = await verifier.check(tree.locate(path), id, signal);
    return report.valid && h1 === manifest.zip.h1;
  }

  async #ingest(version: SourceVersion, missing: Missing, count: (bytes: number) => void): Promise<void> {
    const { ingest, tree, signal } = this.#use;
    const { id, files } = version;
    if (ingest === undefined) {
      const wanted = [...(missing.mod ? [files.info, files.mod] : []), ...(missing.zip ? [files.zip] : [])];
      for (const path of wanted) if (path !== undefined) count((await tree.size(path)) ?? 0);
      return;
    }
    const { origin, jobs } = ingest;
    const asking = { hops: "", signal, exists: true };
    await origin.offering(version, async () => {
      if (missing.mod) count(sizeOf((await jobs.fetchMod(id, asking)).kept));
      if (missing.zip) count((await jobs.fetchZip(id, asking)).kept.manifest.zip.size);
    });
  }
}

function sizeOf({ info, mod }: KeptMod): number {
  return info.length + mod.length;
}

/** What is damaged is fetched like what is not kept: the committed bytes mend it. */
async function unlessDamaged<T>(find: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof StoreDamaged) return undefined;
    throw error;
  }
}

/** That a database has no such record is its word; all else it says, or does not, may be otherwise tomorrow. */
const words: ReadonlySet<SumdbCode> = new Set(["SUMDB_ABSENT"]);

type Judged =
  | { readonly kind: "unproven"; readonly error: GranaryError }
  | { readonly kind: "rejected"; readonly refusal: Refusal };

/** Throws what says nothing about the version. */
function judge(id: ModuleVersion, error: unknown): Judged {
  const what = formatModuleVersion(id);
  if (error instanceof SumdbError) {
    const ours = sumdbFailure(what, error);
    if (!words.has(error.code)) return { kind: "unproven", error: ours };
    return { kind: "rejected", refusal: { why: "failed", error: ours } };
  }
  if (error instanceof SourceUnreadable)
    return { kind: "rejected", refusal: { why: "unreadable", reason: `${error.path}: ${error.message}` } };
  if (error instanceof StoreDamaged)
    return { kind: "rejected", refusal: { why: "failed", error: damaged(what, error) } };
  if (error instanceof StoreUnavailable) throw unusable(what, error);
  if (!isGranaryError(error)) throw error;
  // A command that gave no verdict may give one tomorrow.
  if (error.code === "GRANARY_VALIDATION_FAILED") return { kind: "unproven", error };
  return { kind: "rejected", refusal: { why: "failed", error } };
}

/** Whatever comes next would meet the same. */
function unusable(what: string, error: StoreUnavailable): GranaryError {
  const options = { cause: error };
  if (error instanceof StoreFull) return new GranaryError("GRANARY_STORE_FULL", { what }, options);
  return new GranaryError("GRANARY_STORE_UNAVAILABLE", { what, reason: error.message }, options);
}
