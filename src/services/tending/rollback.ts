// Putting back the first committed bytes of a version, and never others: the same name means the same bytes for ever.
//
// The manifests are the index of every zip that was ever served, evicted ones included: they know its sha256. Bytes that
// have it may come from a person's file or from quarantine; they are examined as if they had just arrived.

import { legacyGoMod } from "#protocol/gomod.ts";
import { formatModuleVersion } from "#protocol/version.ts";
import type { ModuleVersion } from "#protocol/version.ts";
import { GranaryError } from "#services/errors/granary-error.ts";
import { StoreDamaged } from "#services/store/errors.ts";
import { versionKey } from "#services/store/layout.ts";
import { maxManifestBytes, parseZipManifest } from "#services/store/manifest.ts";
import type { ZipManifest } from "#services/store/manifest.ts";
import type { ModuleStore, ZipFacts } from "#services/store/module-store.ts";
import { stageOf } from "#services/store/object-bytes.ts";
import type { Clock, Stage, Storage } from "#services/store/ports.ts";
import { quarantinedBytesKey } from "#services/store/quarantine.ts";
import type { Quarantine } from "#services/store/quarantine.ts";

export type RollbackReport = {
  readonly module: string;
  readonly version: string;
  readonly sha256: string;
  /** `sound`: nothing had to be done. */
  readonly from: "sound" | "file" | "quarantine";
};

export type RollbackUse = {
  readonly storage: Storage;
  readonly store: ModuleStore;
  readonly quarantine: Quarantine;
  readonly verifier: {
    check(source: ReturnType<Stage["locate"]>, id: ModuleVersion, signal: AbortSignal): Promise<Examined>;
  };
  /** Bytes that a person names, staged and sealed. */
  readonly given: (() => Promise<Stage>) | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** What a verifier says of a zip, as far as it matters here. */
type Examined = Omit<ZipFacts, "files" | "uncompressedBytes"> & {
  readonly goMod?: Uint8Array;
  readonly report: { readonly valid: boolean } & Pick<ZipFacts, "files" | "uncompressedBytes">;
};

/** Throws GRANARY_NOT_COMMITTED when the version or these bytes were never kept, GRANARY_NO_COPY when nobody has them. */
export async function rollBack(id: ModuleVersion, sha256: string, use: RollbackUse): Promise<RollbackReport> {
  const what = formatModuleVersion(id);
  const key = versionKey(id, "zip.manifest");
  const stored = await use.storage.get(key, maxManifestBytes);
  const manifest = stored && parseZipManifest(key, stored.bytes);
  if (manifest?.zip.sha256 !== sha256.toLowerCase())
    throw new GranaryError("GRANARY_NOT_COMMITTED", { what, asked: sha256, committed: manifest?.zip.sha256 });
  const done = { module: id.path, version: id.version, sha256: manifest.zip.sha256 };
  if (await isSound(use.store, id)) return { ...done, from: "sound" };
  for (const [from, stages] of [
    ["file", use.given],
    ["quarantine", () => fromQuarantine(manifest, use)],
  ] as const) {
    const stage = await stages?.();
    if (stage === undefined) continue;
    try {
      if (await putBack(id, stage, { manifest, use })) return { ...done, from };
    } finally {
      await stage.discard();
    }
  }
  throw new GranaryError("GRANARY_NO_COPY", { what, sha256: manifest.zip.sha256 });
}

async function isSound(store: ModuleStore, id: ModuleVersion): Promise<boolean> {
  try {
    await store.check(id);
    return (await store.findZip(id)) !== undefined;
  } catch (error) {
    if (error instanceof StoreDamaged) return false;
    throw error;
  }
}

/** False when the bytes are not the committed ones. */
async function putBack(
  id: ModuleVersion,
  stage: Stage,
  { manifest, use }: { readonly manifest: ZipManifest; readonly use: RollbackUse },
): Promise<boolean> {
  const examined = await use.verifier.check(stage.locate(), id, use.signal);
  if (examined.sha256 !== manifest.zip.sha256) return false;
  const { verifiedBy, records, origin, firstSeen } = manifest;
  const facts = { verifiedBy, records, origin, firstSeen };
  const { files, uncompressedBytes } = examined.report;
  // The zip brings its go.mod along; `.info` is in the tombstone, if it was not damaged.
  const mod = examined.goMod ?? Buffer.from(legacyGoMod(id.path));
  await use.store.keepMod({ id, info: new Uint8Array(), mod, facts }).catch(ignoreDamage);
  const keeping = await use.store.keepZip({ id, stage, zip: { ...examined, files, uncompressedBytes }, facts });
  return !keeping.conflict;
}

function ignoreDamage(error: unknown): void {
  if (!(error instanceof StoreDamaged)) throw error;
}

async function fromQuarantine(manifest: ZipManifest, use: RollbackUse): Promise<Stage | undefined> {
  const { path, version, zip } = manifest;
  for (const held of await use.quarantine.list()) {
    if (held.kind !== "zip" || held.path !== path || held.version !== version || held.found !== zip.h1) continue;
    const object = await use.storage.open(quarantinedBytesKey(held.id));
    if (object === undefined) continue;
    try {
      if (object.size !== zip.size) continue;
      const { stage } = await stageOf(object, use.storage);
      if (stage.size === zip.size) return stage;
      await stage.discard();
    } finally {
      await object.close();
    }
  }
  return undefined;
}
